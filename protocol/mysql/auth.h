// Authentication of one login or one COM_CHANGE_USER, as a state machine without I/O: the client's
// packets go in, packets to send come out, until it succeeded or failed.
//
//   kStart --LoginRequest--> (other plugin than the account's: AuthSwitchRequest) --> kScrambled
//   native:  response matches ------------------------------------------------------> done
//   sha2:    cached digest matches --> 0x01 0x03 -----------------------------------> done
//            otherwise 0x01 0x04 --> kPassword
//            kPassword: over TLS the password itself; without TLS 0x02 asks for the RSA key
//            (answered, still kPassword) and then the encrypted password -------------> done
//
// Unknown users walk the same path as known ones and fail at its end, so that a client cannot tell
// them apart. Verifying a password takes milliseconds: run it on a worker, not on a reactor.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/status.h"
#include "protocol/mysql/handshake.h"
#include "protocol/mysql/password.h"

namespace borealis::mysql {

class RsaKey;

// An account as the server keeps it.
struct Account {
  std::string user;                   // empty: the anonymous account
  std::string host;                   // the pattern that matched: "%", "10.%", "localhost"
  std::string plugin;                 // kNativePlugin or kSha2Plugin
  std::string credential;             // as the plugin stores it; empty: no password
  std::string additional_credential;  // a second password that counts as well; empty: none
  bool locked = false;
  bool password_expired = false;
  bool require_tls = false;
  bool require_certificate = false;   // of the client: none is asked for, so nobody is let in
  std::string require_cipher;         // empty: any
  uint32_t max_user_connections = 0;  // 0: as the server has it
};

// Where accounts come from. Find may block (announce it with BlockingScope); it is called on
// workers, by many at once.
class AccountSource {
 public:
  virtual ~AccountSource() = default;
  // The account that a client `user` from `host` (a numeric address) logs in to: the most specific
  // host pattern wins, as in MySQL. Nothing when there is none; an error, which the client is told,
  // when accounts cannot be looked up now.
  virtual Result<std::optional<Account>> Find(std::string_view user, std::string_view host) = 0;
  // A login as `account` ended: with the right password, or with a wrong one. The error that
  // refuses it, because too many wrong ones came before.
  virtual Status OnOutcome(const Account& account, bool right) {
    (void)account;
    (void)right;
    return Status::Ok();
  }
};

class Authenticator {
 public:
  struct Environment {
    AccountSource* accounts = nullptr;
    Sha2Cache* cache = nullptr;
    std::shared_ptr<const RsaKey> rsa_key;  // may be null: no full authentication without TLS
    bool require_secure_transport = false;
  };
  struct Peer {
    std::string host;     // numeric address, without port
    bool secure = false;  // TLS
    // Names by which accounts may know a loopback peer in messages; "localhost" for 127.0.0.1, ::1.
    std::string display_host;
    std::string tls_cipher = {};
  };
  enum class Outcome { kContinue, kSucceeded, kFailed };
  struct Step {
    Outcome outcome = Outcome::kFailed;
    std::string packet;  // a payload to send first; may be empty
    Status error;        // kFailed: what the client is told
  };

  Authenticator(const Environment& environment, Peer peer);

  // `scramble` is the one the client's response was made with.
  Step Start(const LoginRequest& request, std::string_view scramble);
  // The client's next packet. REQUIRES: the last step was kContinue.
  Step OnPacket(std::string_view payload);

  // After kSucceeded.
  const Account& account() const { return *account_; }

 private:
  enum class State { kScrambled, kPassword, kDone };

  Step CheckScrambled(std::string_view response);
  Step CheckNative(std::string_view response);
  Step CheckSha2(std::string_view response);
  Step OnPasswordPacket(std::string_view payload);
  Step CheckPassword(std::string_view password);
  bool MatchesCached(std::string_view response, std::string_view credential) const;
  bool Satisfied() const;
  Step Continue(State next, std::string packet);
  Step Succeed(std::string packet);
  Step Fail();
  std::string AccountName() const { return account_->user + "@" + account_->host; }

  const Environment environment_;
  const Peer peer_;
  State state_ = State::kScrambled;
  std::string user_;
  std::string scramble_;
  bool can_change_password_ = false;  // the client knows what to do when its password has expired
  std::optional<Account> account_;
  bool known_ = false;          // the account exists
  bool used_password_ = false;  // for the wording of 1045
};

// "Access denied for user 'u'@'h' (using password: YES)".
Status AccessDenied(std::string_view user, std::string_view host, bool used_password);

}  // namespace borealis::mysql
