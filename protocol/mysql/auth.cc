#include "protocol/mysql/auth.h"

#include "base/mysql_error.h"
#include "protocol/mysql/constants.h"
#include "protocol/mysql/rsa_key.h"
#include "protocol/mysql/wire.h"

namespace borealis::mysql {

namespace {

constexpr char kAuthSwitch = '\xFE';
constexpr char kAuthMoreData = '\x01';
constexpr char kFastAuthSuccess = '\x03';
constexpr char kFullAuthNeeded = '\x04';
constexpr char kPublicKeyRequest = '\x02';

std::string AuthSwitchRequest(std::string_view plugin, std::string_view scramble) {
  std::string packet(1, kAuthSwitch);
  AppendNulString(&packet, plugin);
  AppendNulString(&packet, scramble);
  return packet;
}

// caching_sha2 clients say "no password" with a single NUL; native ones with nothing.
bool IsEmptyResponse(std::string_view response) {
  return response.empty() || response == std::string_view("\0", 1);
}

}  // namespace

Status AccessDenied(std::string_view user, std::string_view host, bool used_password) {
  return UserError(ER_ACCESS_DENIED_ERROR, user, host, used_password ? "YES" : "NO");
}

Authenticator::Authenticator(const Environment& environment, Peer peer)
    : environment_(environment), peer_(std::move(peer)) {}

Authenticator::Step Authenticator::Start(const LoginRequest& request, std::string_view scramble) {
  user_ = request.user;
  can_change_password_ = (request.capabilities & kClientCanHandleExpiredPasswords) != 0;
  scramble_ = scramble;
  used_password_ = !IsEmptyResponse(request.auth_response);
  auto found = environment_.accounts->Find(user_, peer_.host);
  if (!found.ok()) {
    state_ = State::kDone;
    return {Outcome::kFailed, {}, std::move(found).status()};
  }
  account_ = std::move(found).value();
  known_ = account_.has_value();
  if (!known_) {
    account_.emplace();
    account_->plugin = kSha2Plugin;
    account_->credential = "unknown user";  // matches no response, but is not empty either
  }
  if (environment_.require_secure_transport && !peer_.secure) {
    state_ = State::kDone;
    return {Outcome::kFailed, {}, UserError(ER_SECURE_TRANSPORT_REQUIRED)};
  }
  const bool can_switch = (request.capabilities & kClientPluginAuth) != 0;
  const std::string_view client_plugin =
      can_switch ? std::string_view(request.auth_plugin) : kNativePlugin;
  if (client_plugin == account_->plugin) {
    return CheckScrambled(request.auth_response);
  }
  if (!can_switch) {
    state_ = State::kDone;
    return {Outcome::kFailed, {}, UserError(ER_NOT_SUPPORTED_AUTH_MODE)};
  }
  return Continue(State::kScrambled, AuthSwitchRequest(account_->plugin, scramble_));
}

Authenticator::Step Authenticator::OnPacket(std::string_view payload) {
  switch (state_) {
    case State::kScrambled:
      return CheckScrambled(payload);
    case State::kPassword:
      return OnPasswordPacket(payload);
    case State::kDone:
      break;
  }
  return Fail();
}

Authenticator::Step Authenticator::CheckScrambled(std::string_view response) {
  if (IsEmptyResponse(response)) {
    used_password_ = false;
    return known_ && account_->credential.empty() ? Succeed({}) : Fail();
  }
  used_password_ = true;
  if (account_->plugin == kNativePlugin) {
    return CheckNative(response);
  }
  return account_->plugin == kSha2Plugin ? CheckSha2(response) : Fail();
}

Authenticator::Step Authenticator::CheckNative(std::string_view response) {
  const bool right =
      known_ && (CheckNativeResponse(response, scramble_, account_->credential) ||
                 (!account_->additional_credential.empty() &&
                  CheckNativeResponse(response, scramble_, account_->additional_credential)));
  return right ? Succeed({}) : Fail();
}

// Whether the response is that of a password proved before against `credential`.
bool Authenticator::MatchesCached(std::string_view response, std::string_view credential) const {
  const std::string digest = known_ && !credential.empty()
                                 ? environment_.cache->Find(AccountName(), credential)
                                 : std::string();
  return !digest.empty() && CheckSha2Response(response, scramble_, digest);
}

Authenticator::Step Authenticator::CheckSha2(std::string_view response) {
  if (response.size() != kSha2DigestSize || account_->credential.empty()) {
    return Fail();
  }
  if (MatchesCached(response, account_->credential) ||
      MatchesCached(response, account_->additional_credential)) {
    return Succeed({kAuthMoreData, kFastAuthSuccess});
  }
  if (!peer_.secure && environment_.rsa_key == nullptr) {
    return Fail();
  }
  return Continue(State::kPassword, {kAuthMoreData, kFullAuthNeeded});
}

Authenticator::Step Authenticator::OnPasswordPacket(std::string_view payload) {
  if (peer_.secure) {
    return CheckPassword(payload);
  }
  if (payload.size() == 1 && payload[0] == kPublicKeyRequest) {
    return Continue(State::kPassword,
                    std::string(1, kAuthMoreData) + environment_.rsa_key->public_pem());
  }
  std::optional<std::string> plain = environment_.rsa_key->Decrypt(payload);
  if (!plain.has_value()) {
    return Fail();
  }
  for (size_t i = 0; i < plain->size(); ++i) {
    (*plain)[i] = static_cast<char>((*plain)[i] ^ scramble_[i % scramble_.size()]);
  }
  return CheckPassword(*plain);
}

// `password` as sent: ending with a zero byte.
Authenticator::Step Authenticator::CheckPassword(std::string_view password) {
  if (password.empty() || password.back() != '\0') {
    return Fail();
  }
  password.remove_suffix(1);
  if (!known_) {
    // Spend the time a known user's password takes.
    Sha256Crypt(password.substr(0, kMaxPasswordSize), "unknown user's salt.", 5000);
    return Fail();
  }
  for (const std::string& credential : {account_->credential, account_->additional_credential}) {
    if (!credential.empty() && CheckSha2Password(password, credential)) {
      environment_.cache->Put(AccountName(), credential, Sha2FastDigest(password));
      return Succeed({});
    }
  }
  return Fail();
}

Authenticator::Step Authenticator::Continue(State next, std::string packet) {
  state_ = next;
  return {Outcome::kContinue, std::move(packet), Status::Ok()};
}

Authenticator::Step Authenticator::Succeed(std::string packet) {
  state_ = State::kDone;
  if (account_->locked) {
    return {Outcome::kFailed, {}, UserError(ER_ACCOUNT_HAS_BEEN_LOCKED, user_, peer_.display_host)};
  }
  if (!Satisfied()) {
    return {Outcome::kFailed, {}, AccessDenied(user_, peer_.display_host, used_password_)};
  }
  if (Status refused = environment_.accounts->OnOutcome(*account_, true); !refused.ok()) {
    return {Outcome::kFailed, {}, std::move(refused)};
  }
  if (account_->password_expired && !can_change_password_) {
    return {Outcome::kFailed, {}, UserError(ER_MUST_CHANGE_PASSWORD_LOGIN)};
  }
  return {Outcome::kSucceeded, std::move(packet), Status::Ok()};
}

// What REQUIRE asks for.
bool Authenticator::Satisfied() const {
  return !account_->require_certificate && (!account_->require_tls || peer_.secure) &&
         (account_->require_cipher.empty() || account_->require_cipher == peer_.tls_cipher);
}

Authenticator::Step Authenticator::Fail() {
  state_ = State::kDone;
  if (known_) {
    if (Status refused = environment_.accounts->OnOutcome(*account_, false); !refused.ok()) {
      return {Outcome::kFailed, {}, std::move(refused)};
    }
  }
  return {Outcome::kFailed, {}, AccessDenied(user_, peer_.display_host, used_password_)};
}

}  // namespace borealis::mysql
