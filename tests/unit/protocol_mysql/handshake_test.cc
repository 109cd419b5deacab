// Greeting, SSLRequest, login packets: golden bytes and hostile ones.
#include "protocol/mysql/handshake.h"

#include "base/mysql_error.h"
#include "protocol/mysql/constants.h"
#include "protocol/mysql/wire.h"
#include "tests/unit/protocol_mysql/bytes.h"

namespace borealis::mysql {
namespace {

TEST(WireTest, LenEncIntsAtTheirBoundaries) {
  for (uint64_t value : {0ULL, 250ULL, 251ULL, 65535ULL, 65536ULL, 0xFFFFFFULL, 0x1000000ULL,
                         0xFFFFFFFFULL, ~0ULL}) {
    std::string bytes;
    AppendLenEncInt(&bytes, value);
    WireReader reader(bytes);
    EXPECT_EQ(reader.LenEncInt(), value);
    EXPECT_TRUE(reader.ok());
    EXPECT_TRUE(reader.empty());
  }
  std::string two;
  AppendLenEncInt(&two, 251);
  EXPECT_EQ(ToHex(two), "fcfb00");
}

TEST(WireTest, LongLengthOfShortStringFails) {
  const std::string bytes = FromHex("feffffffffffffffff 'abc'");
  WireReader reader(bytes);
  EXPECT_EQ(reader.LenEncString(), "");
  EXPECT_FALSE(reader.ok());
}

TEST(HandshakeTest, GreetingBytes) {
  Greeting greeting;
  greeting.server_version = "8.0.36-borealis-0.1";
  greeting.thread_id = 11;
  greeting.scramble = "abcdefghijklmnopqrst";
  greeting.capabilities = kServerCapabilities | kClientSsl;
  greeting.status = kStatusAutocommit;
  greeting.auth_plugin = "caching_sha2_password";
  std::string body;
  AppendGreeting(&body, greeting);
  EXPECT_EQ(ToHex(body),
            ToHex(FromHex("0a '8.0.36-borealis-0.1' 00 0b000000 'abcdefgh' 00 ffff ff 0200 ff0d 15"
                          "00000000000000000000 'ijklmnopqrst' 00 'caching_sha2_password' 00")));
}

TEST(HandshakeTest, ScramblesHaveNoByteThatEndsAString) {
  for (int i = 0; i < 200; ++i) {
    const std::string scramble = NewScramble();
    ASSERT_EQ(scramble.size(), kScrambleSize);
    for (char byte : scramble) {
      EXPECT_NE(byte, '\0');
      EXPECT_NE(byte, '$');
      EXPECT_GE(byte, 0);
    }
  }
  EXPECT_NE(NewScramble(), NewScramble());
}

TEST(HandshakeTest, SslRequestIsToldFromALogin) {
  const std::string request =
      FromHex("05ae0f00 00000001 ff 00000000000000000000000000000000000000000000 00");
  ASSERT_EQ(request.size(), 32U);
  EXPECT_FALSE(IsSslRequest(request.substr(0, 31)));
  std::string with_ssl = request;
  with_ssl[1] = static_cast<char>(with_ssl[1] | 0x08);
  EXPECT_TRUE(IsSslRequest(with_ssl));
  with_ssl[1] = static_cast<char>(with_ssl[1] & ~0x08);
  EXPECT_FALSE(IsSslRequest(with_ssl));
}

// From MySQL's documentation of Protocol::HandshakeResponse41 (5.6 client, with attributes).
const char* const kDocumentedResponse =
    "8da20f00 00000040 08 0000000000000000000000000000000000000000000000 'pam' 00 14 "
    "ab09eef6bcb132 3e6114386 5c0991d957d75d447 'test' 00 'mysql_native_password' 00";

TEST(HandshakeTest, ParsesDocumentedResponse) {
  std::string packet = FromHex(kDocumentedResponse);
  // The capabilities of the example: 0x000fa28d has PLUGIN_AUTH (bit 19) and CONNECT_WITH_DB.
  Result<LoginRequest> login = ParseHandshakeResponse(packet, kServerCapabilities);
  ASSERT_TRUE(login.ok()) << login.status().ToString();
  EXPECT_EQ(login->user, "pam");
  EXPECT_EQ(login->auth_response.size(), 20U);
  EXPECT_EQ(login->database, "test");
  EXPECT_EQ(login->auth_plugin, "mysql_native_password");
  EXPECT_EQ(login->collation, 8);
  EXPECT_EQ(login->max_packet_size, 0x40000000U);
  EXPECT_NE(login->capabilities & kClientLocalFiles, 0U);
  login = ParseHandshakeResponse(packet, kServerCapabilities & ~uint32_t{kClientLocalFiles});
  ASSERT_TRUE(login.ok()) << login.status().ToString();
  EXPECT_EQ(login->capabilities & kClientLocalFiles, 0U) << "not offered, so not agreed";
}

std::string ModernResponse(uint32_t extra = 0) {
  std::string packet;
  AppendLittle(&packet, kClientProtocol41 | kClientSecureConnection | kClientPluginAuth |
                            kClientPluginAuthLenencData | kClientConnectAttrs |
                            kClientZstdCompression | kClientDeprecateEof | extra);
  AppendLittle(&packet, uint32_t{16777216});
  packet += '\xff';
  packet.append(23, '\0');
  AppendNulString(&packet, "app");
  AppendLenEncString(&packet, std::string(32, 'r'));
  AppendNulString(&packet, "caching_sha2_password");
  std::string attributes;
  AppendLenEncString(&attributes, "_client_name");
  AppendLenEncString(&attributes, "libmysql");
  AppendLenEncString(&attributes, "program_name");
  AppendLenEncString(&attributes, "mysql");
  AppendLenEncString(&packet, attributes);
  packet += '\x03';
  return packet;
}

TEST(HandshakeTest, ParsesLenencAuthAttributesAndZstdLevel) {
  Result<LoginRequest> login = ParseHandshakeResponse(ModernResponse(), kServerCapabilities);
  ASSERT_TRUE(login.ok());
  EXPECT_EQ(login->auth_response, std::string(32, 'r'));
  EXPECT_EQ(login->collation, 255);
  EXPECT_EQ(login->zstd_level, 3);
  EXPECT_EQ(login->attributes,
            (ConnectAttributes{{"_client_name", "libmysql"}, {"program_name", "mysql"}}));
  EXPECT_NE(login->capabilities & kClientDeprecateEof, 0U);
  EXPECT_NE(login->capabilities & kClientZstdCompression, 0U);
}

TEST(HandshakeTest, EveryTruncationIsRefusedOrHarmless) {
  const std::string whole = ModernResponse();
  for (size_t size = 0; size < whole.size(); ++size) {
    Result<LoginRequest> login = ParseHandshakeResponse(whole.substr(0, size), kServerCapabilities);
    if (login.ok()) {
      EXPECT_EQ(login->user, "app") << size;
    } else {
      EXPECT_EQ(login.status().user_errno(), ER_HANDSHAKE_ERROR) << size;
    }
  }
}

TEST(HandshakeTest, ProtocolBefore41IsRefusedByName) {
  const std::string packet = FromHex("8510 000000 'old' 00 4141414141414141 00");
  Result<LoginRequest> login = ParseHandshakeResponse(packet, kServerCapabilities);
  ASSERT_FALSE(login.ok());
  EXPECT_EQ(login.status().user_errno(), ER_NOT_SUPPORTED_AUTH_MODE);
}

TEST(HandshakeTest, ParsesChangeUser) {
  std::string packet;
  AppendNulString(&packet, "other");
  AppendInt1(&packet, 20);
  packet.append(20, 'x');
  AppendNulString(&packet, "shop");
  AppendLittle(&packet, uint16_t{45});
  AppendNulString(&packet, "mysql_native_password");
  AppendLenEncString(&packet, "");
  Result<LoginRequest> login = ParseChangeUser(packet, kServerCapabilities);
  ASSERT_TRUE(login.ok());
  EXPECT_EQ(login->user, "other");
  EXPECT_EQ(login->database, "shop");
  EXPECT_EQ(login->collation, 45);
  EXPECT_EQ(login->auth_plugin, "mysql_native_password");
  EXPECT_EQ(ParseChangeUser(packet.substr(0, 9), kServerCapabilities).status().user_errno(),
            ER_MALFORMED_PACKET);
}

}  // namespace
}  // namespace borealis::mysql
