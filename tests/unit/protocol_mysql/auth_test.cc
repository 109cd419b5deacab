// Passwords against published vectors, and every path of the authentication state machine.
#include "protocol/mysql/auth.h"

#include "base/mysql_error.h"
#include "protocol/mysql/constants.h"
#include "protocol/mysql/rsa_key.h"
#include "tests/unit/protocol_mysql/bytes.h"

namespace borealis::mysql {
namespace {

constexpr std::string_view kScramble = "abcdefghij0123456789";

TEST(PasswordTest, Sha256CryptMatchesItsSpecification) {
  // The same as crypt(3) of glibc with "$5$".
  EXPECT_EQ(Sha256Crypt("Hello world!", "saltstring", 5000),
            "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5");
  EXPECT_EQ(Sha256Crypt("Hello world!", "saltstringsaltst", 10000),
            "3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA");
  EXPECT_EQ(Sha256Crypt("a longer password than thirty-two bytes, to be sure", "s", 5000),
            "bVVhw/S3q7Y2AN4tndQ04N2YrRQTXOOpl79QQaotaWD");
}

TEST(PasswordTest, Sha2CredentialMadeByMysqlVerifies) {
  // The published example of hashcat mode 7401 ("MySQL $A$"); the password is "hashcat".
  const std::string stored =
      "$A$005$" + FromHex("F9CC98CE08892924F50A213B6BC571A2C11778C5") +
      FromHex(
          "625479393559393965414D45316477456B484F41316E64484742577A2E3162785353526B7554584647562F");
  EXPECT_TRUE(IsStoredCredential(kSha2Plugin, stored));
  EXPECT_TRUE(CheckSha2Password("hashcat", stored));
  EXPECT_FALSE(CheckSha2Password("hashcaT", stored));
  EXPECT_FALSE(CheckSha2Password("", stored));
}

TEST(PasswordTest, NativeCredentialIsMysqls) {
  EXPECT_EQ(NativeStoredCredential("mypass"), "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4");
  EXPECT_EQ(NativeStoredCredential(""), "");
  EXPECT_TRUE(IsStoredCredential(kNativePlugin, "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4"));
  EXPECT_FALSE(IsStoredCredential(kNativePlugin, "*6C89"));
  EXPECT_FALSE(IsStoredCredential(kNativePlugin, "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEFG"));
}

TEST(PasswordTest, GeneratedCredentialsVerifyAndDiffer) {
  const std::string a = Sha2StoredCredential("secret");
  const std::string b = Sha2StoredCredential("secret");
  EXPECT_NE(a, b);
  EXPECT_EQ(a.size(), 70U);
  EXPECT_TRUE(CheckSha2Password("secret", a));
  EXPECT_FALSE(CheckSha2Password("secret ", a));
  EXPECT_EQ(Sha2StoredCredential(""), "");
  const std::string longest(kMaxPasswordSize, 'p');
  EXPECT_TRUE(CheckSha2Password(longest, Sha2StoredCredential(longest)));
  EXPECT_FALSE(CheckSha2Password(longest + "p", Sha2StoredCredential(longest + "p")));
}

TEST(PasswordTest, ResponsesMatchOnlyTheirScramble) {
  const std::string digest = Sha2FastDigest("secret");
  const std::string response = Sha2Response("secret", kScramble);
  EXPECT_TRUE(CheckSha2Response(response, kScramble, digest));
  EXPECT_FALSE(CheckSha2Response(response, "ABCDEFGHIJ0123456789", digest));
  EXPECT_FALSE(CheckSha2Response(Sha2Response("Secret", kScramble), kScramble, digest));
  const std::string stored = NativeStoredCredential("secret");
  EXPECT_TRUE(CheckNativeResponse(NativeResponse("secret", kScramble), kScramble, stored));
  EXPECT_FALSE(CheckNativeResponse(NativeResponse("secret", "x"), kScramble, stored));
  EXPECT_FALSE(CheckNativeResponse("", kScramble, stored));
}

class Accounts : public AccountSource {
 public:
  Result<std::optional<Account>> Find(std::string_view user, std::string_view) override {
    const auto it = accounts.find(user);
    return it == accounts.end() ? std::optional<Account>() : std::optional<Account>(it->second);
  }
  void Add(const std::string& user, std::string_view plugin, std::string_view password) {
    Account account;
    account.user = user;
    account.host = "%";
    account.plugin = plugin;
    account.credential = StoredCredential(plugin, password);
    accounts[user] = account;
  }
  std::map<std::string, Account, std::less<>> accounts;
};

class AuthenticatorTest : public testing::Test {
 protected:
  using Outcome = Authenticator::Outcome;

  AuthenticatorTest() {
    accounts_.Add("root", kSha2Plugin, "");
    accounts_.Add("sha", kSha2Plugin, "secret");
    accounts_.Add("native", kNativePlugin, "secret");
    environment_.accounts = &accounts_;
    environment_.cache = &cache_;
  }

  Authenticator Make(bool secure) {
    Authenticator::Peer peer;
    peer.host = "127.0.0.1";
    peer.display_host = "localhost";
    peer.secure = secure;
    return {environment_, peer};
  }
  static LoginRequest Login(std::string user, std::string_view plugin, std::string response) {
    LoginRequest request;
    request.capabilities = kServerCapabilities;
    request.user = std::move(user);
    request.auth_plugin = plugin;
    request.auth_response = std::move(response);
    return request;
  }
  static void ExpectDenied(const Authenticator::Step& step, const std::string& text) {
    EXPECT_EQ(step.outcome, Outcome::kFailed);
    EXPECT_EQ(step.error.user_errno(), ER_ACCESS_DENIED_ERROR);
    EXPECT_EQ(step.error.message(), text);
  }

  Accounts accounts_;
  Sha2Cache cache_;
  Authenticator::Environment environment_;
};

TEST_F(AuthenticatorTest, EmptyPasswordOfEitherSpelling) {
  for (const std::string& response : {std::string(), std::string(1, '\0')}) {
    Authenticator auth = Make(false);
    EXPECT_EQ(auth.Start(Login("root", kSha2Plugin, response), kScramble).outcome,
              Outcome::kSucceeded);
  }
  Authenticator auth = Make(false);
  ExpectDenied(auth.Start(Login("root", kSha2Plugin, Sha2Response("x", kScramble)), kScramble),
               "Access denied for user 'root'@'localhost' (using password: YES)");
  Authenticator none = Make(false);
  ExpectDenied(none.Start(Login("sha", kSha2Plugin, ""), kScramble),
               "Access denied for user 'sha'@'localhost' (using password: NO)");
}

TEST_F(AuthenticatorTest, NativeMatchesAndMismatches) {
  Authenticator right = Make(false);
  EXPECT_EQ(
      right.Start(Login("native", kNativePlugin, NativeResponse("secret", kScramble)), kScramble)
          .outcome,
      Outcome::kSucceeded);
  Authenticator wrong = Make(false);
  ExpectDenied(
      wrong.Start(Login("native", kNativePlugin, NativeResponse("wrong", kScramble)), kScramble),
      "Access denied for user 'native'@'localhost' (using password: YES)");
}

TEST_F(AuthenticatorTest, SwitchesToTheAccountsPluginBothWays) {
  Authenticator to_native = Make(false);
  auto step =
      to_native.Start(Login("native", kSha2Plugin, Sha2Response("secret", kScramble)), kScramble);
  ASSERT_EQ(step.outcome, Outcome::kContinue);
  EXPECT_EQ(ToHex(step.packet),
            ToHex(FromHex("fe 'mysql_native_password' 00 'abcdefghij0123456789' 00")));
  EXPECT_EQ(to_native.OnPacket(NativeResponse("secret", kScramble)).outcome, Outcome::kSucceeded);

  Authenticator to_sha2 = Make(true);
  step = to_sha2.Start(Login("sha", kNativePlugin, NativeResponse("secret", kScramble)), kScramble);
  ASSERT_EQ(step.outcome, Outcome::kContinue);
  EXPECT_EQ(step.packet.substr(1, kSha2Plugin.size()), kSha2Plugin);
  step = to_sha2.OnPacket(Sha2Response("secret", kScramble));
  ASSERT_EQ(step.outcome, Outcome::kContinue);
  EXPECT_EQ(to_sha2.OnPacket(std::string("secret\0", 7)).outcome, Outcome::kSucceeded);
}

TEST_F(AuthenticatorTest, FullAuthenticationOverTlsFillsTheCache) {
  Authenticator full = Make(true);
  auto step = full.Start(Login("sha", kSha2Plugin, Sha2Response("secret", kScramble)), kScramble);
  ASSERT_EQ(step.outcome, Outcome::kContinue);
  EXPECT_EQ(ToHex(step.packet), "0104");
  EXPECT_EQ(full.OnPacket(std::string("secret\0", 7)).outcome, Outcome::kSucceeded);

  Authenticator fast = Make(false);
  step = fast.Start(Login("sha", kSha2Plugin, Sha2Response("secret", kScramble)), kScramble);
  EXPECT_EQ(step.outcome, Outcome::kSucceeded);
  EXPECT_EQ(ToHex(step.packet), "0103");

  // A new password makes the cached proof worthless.
  accounts_.Add("sha", kSha2Plugin, "changed");
  Authenticator stale = Make(true);
  step = stale.Start(Login("sha", kSha2Plugin, Sha2Response("secret", kScramble)), kScramble);
  ASSERT_EQ(step.outcome, Outcome::kContinue);
  ExpectDenied(stale.OnPacket(std::string("secret\0", 7)),
               "Access denied for user 'sha'@'localhost' (using password: YES)");
}

TEST_F(AuthenticatorTest, PasswordWithoutItsFinalNulIsRefused) {
  Authenticator auth = Make(true);
  ASSERT_EQ(
      auth.Start(Login("sha", kSha2Plugin, Sha2Response("secret", kScramble)), kScramble).outcome,
      Outcome::kContinue);
  EXPECT_EQ(auth.OnPacket("secret").outcome, Outcome::kFailed);
  EXPECT_EQ(auth.OnPacket(std::string("secret\0", 7)).outcome, Outcome::kFailed)
      << "a failed login does not come back to life";
}

TEST_F(AuthenticatorTest, RsaExchangeWithoutTls) {
  auto key = RsaKey::Generate();
  ASSERT_TRUE(key.ok());
  environment_.rsa_key = *key;
  Authenticator auth = Make(false);
  auto step = auth.Start(Login("sha", kSha2Plugin, Sha2Response("secret", kScramble)), kScramble);
  ASSERT_EQ(step.outcome, Outcome::kContinue);
  step = auth.OnPacket("\x02");
  ASSERT_EQ(step.outcome, Outcome::kContinue);
  EXPECT_EQ(step.packet, "\x01" + (*key)->public_pem());
  std::string hidden("secret\0", 7);
  for (size_t i = 0; i < hidden.size(); ++i) {
    hidden[i] = static_cast<char>(hidden[i] ^ kScramble[i]);
  }
  EXPECT_EQ(auth.OnPacket(*(*key)->Encrypt(hidden)).outcome, Outcome::kSucceeded);

  auto again = RsaKey::FromPrivatePem((*key)->PrivatePem());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->public_pem(), (*key)->public_pem());
  EXPECT_FALSE(RsaKey::FromPrivatePem("no key").ok());
}

TEST_F(AuthenticatorTest, CleartextWithoutTlsIsNotAccepted) {
  auto key = RsaKey::Generate();
  ASSERT_TRUE(key.ok());
  environment_.rsa_key = *key;
  Authenticator auth = Make(false);
  ASSERT_EQ(
      auth.Start(Login("sha", kSha2Plugin, Sha2Response("secret", kScramble)), kScramble).outcome,
      Outcome::kContinue);
  EXPECT_EQ(auth.OnPacket(std::string("secret\0", 7)).outcome, Outcome::kFailed);
}

TEST_F(AuthenticatorTest, UnknownUserIsIndistinguishableUntilTheEnd) {
  Authenticator auth = Make(true);
  auto step =
      auth.Start(Login("nobody", kSha2Plugin, Sha2Response("secret", kScramble)), kScramble);
  ASSERT_EQ(step.outcome, Outcome::kContinue);
  EXPECT_EQ(ToHex(step.packet), "0104");
  ExpectDenied(auth.OnPacket(std::string("secret\0", 7)),
               "Access denied for user 'nobody'@'localhost' (using password: YES)");
  Authenticator empty = Make(true);
  ExpectDenied(empty.Start(Login("nobody", kSha2Plugin, ""), kScramble),
               "Access denied for user 'nobody'@'localhost' (using password: NO)");
}

TEST_F(AuthenticatorTest, LockedAndTlsOnlyAccounts) {
  accounts_.accounts["native"].locked = true;
  Authenticator locked = Make(true);
  auto step =
      locked.Start(Login("native", kNativePlugin, NativeResponse("secret", kScramble)), kScramble);
  EXPECT_EQ(step.error.user_errno(), ER_ACCOUNT_HAS_BEEN_LOCKED);
  accounts_.accounts["root"].require_tls = true;
  Authenticator plain = Make(false);
  EXPECT_EQ(plain.Start(Login("root", kSha2Plugin, ""), kScramble).outcome, Outcome::kFailed);
  Authenticator tls = Make(true);
  EXPECT_EQ(tls.Start(Login("root", kSha2Plugin, ""), kScramble).outcome, Outcome::kSucceeded);
  environment_.require_secure_transport = true;
  Authenticator refused = Make(false);
  EXPECT_EQ(refused.Start(Login("sha", kSha2Plugin, ""), kScramble).error.user_errno(),
            ER_SECURE_TRANSPORT_REQUIRED);
}

TEST_F(AuthenticatorTest, ClientWithoutPluginAuth) {
  LoginRequest request = Login("native", "", NativeResponse("secret", kScramble));
  request.capabilities &= ~static_cast<uint32_t>(kClientPluginAuth);
  Authenticator auth = Make(false);
  EXPECT_EQ(auth.Start(request, kScramble).outcome, Outcome::kSucceeded);
  request.user = "sha";
  Authenticator cannot = Make(false);
  EXPECT_EQ(cannot.Start(request, kScramble).error.user_errno(), ER_NOT_SUPPORTED_AUTH_MODE);
}

}  // namespace
}  // namespace borealis::mysql
