#include "protocol/mysql/handshake.h"

#include "base/mysql_error.h"
#include "base/os/random.h"
#include "protocol/mysql/constants.h"
#include "protocol/mysql/wire.h"

namespace borealis::mysql {

namespace {

constexpr size_t kSslRequestSize = 32;
constexpr size_t kMaxAttributeBytes = 65536;
constexpr size_t kMaxNameBytes = 1024;

// Attributes that do not parse are dropped from there on: they inform, they do not decide.
ConnectAttributes ParseAttributes(std::string_view bytes) {
  ConnectAttributes attributes;
  if (bytes.size() > kMaxAttributeBytes) {
    return attributes;
  }
  WireReader reader(bytes);
  while (!reader.empty()) {
    const std::string_view name = reader.LenEncString();
    const std::string_view value = reader.LenEncString();
    if (!reader.ok()) {
      break;
    }
    attributes.emplace_back(name, value);
  }
  return attributes;
}

bool NamesAreSane(const LoginRequest& request) {
  return request.user.size() <= kMaxNameBytes && request.database.size() <= kMaxNameBytes &&
         request.auth_plugin.size() <= kMaxNameBytes;
}

}  // namespace

std::string NewScramble() {
  std::string scramble = SecureRandomBytes(kScrambleSize);
  for (char& byte : scramble) {
    byte = static_cast<char>(byte & 0x7F);
    if (byte == '\0' || byte == '$') {
      byte = static_cast<char>(byte + 1);
    }
  }
  return scramble;
}

void AppendGreeting(std::string* body, const Greeting& greeting) {
  INVARIANT_EQ(greeting.scramble.size(), kScrambleSize);
  AppendInt1(body, 10);
  AppendNulString(body, greeting.server_version);
  AppendLittle(body, greeting.thread_id);
  body->append(greeting.scramble, 0, 8);
  AppendInt1(body, 0);
  AppendLittle(body, static_cast<uint16_t>(greeting.capabilities));
  AppendInt1(body, greeting.collation);
  AppendLittle(body, greeting.status);
  AppendLittle(body, static_cast<uint16_t>(greeting.capabilities >> 16));
  AppendInt1(body, kScrambleSize + 1);
  body->append(10, '\0');
  body->append(greeting.scramble, 8);
  AppendInt1(body, 0);
  AppendNulString(body, greeting.auth_plugin);
}

bool IsSslRequest(std::string_view payload) {
  return payload.size() == kSslRequestSize &&
         (LoadLittle<uint32_t>(payload.data()) & kClientSsl) != 0;
}

Result<LoginRequest> ParseHandshakeResponse(std::string_view payload,
                                            uint32_t server_capabilities) {
  WireReader reader(payload);
  LoginRequest request;
  const uint32_t client = reader.Int4();
  if (!reader.ok()) {
    return UserError(ER_HANDSHAKE_ERROR);
  }
  if ((client & kClientProtocol41) == 0) {
    return UserError(ER_NOT_SUPPORTED_AUTH_MODE);
  }
  request.capabilities = client & server_capabilities;
  request.max_packet_size = reader.Int4();
  request.collation = reader.Int1();
  reader.Skip(23);
  request.user = reader.NulString();
  if ((client & kClientPluginAuthLenencData) != 0) {
    request.auth_response = reader.LenEncString();
  } else if ((client & kClientSecureConnection) != 0) {
    request.auth_response = reader.Bytes(reader.Int1());
  } else {
    request.auth_response = reader.NulString();
  }
  // Some clients set a bit and end the packet before its field; MySQL accepts that.
  if ((client & kClientConnectWithDb) != 0 && !reader.empty()) {
    request.database = reader.NulString();
  }
  if ((client & kClientPluginAuth) != 0 && !reader.empty()) {
    request.auth_plugin = reader.NulString();
  }
  if ((client & kClientConnectAttrs) != 0 && !reader.empty()) {
    request.attributes = ParseAttributes(reader.LenEncString());
  }
  if ((client & kClientZstdCompression) != 0 && !reader.empty()) {
    request.zstd_level = reader.Int1();
  }
  if (!reader.ok() || !NamesAreSane(request)) {
    return UserError(ER_HANDSHAKE_ERROR);
  }
  return request;
}

Result<LoginRequest> ParseChangeUser(std::string_view payload, uint32_t capabilities) {
  WireReader reader(payload);
  LoginRequest request;
  request.capabilities = capabilities;
  request.user = reader.NulString();
  if ((capabilities & kClientSecureConnection) != 0) {
    request.auth_response = reader.Bytes(reader.Int1());
  } else {
    request.auth_response = reader.NulString();
  }
  request.database = reader.NulString();
  if (!reader.empty()) {
    request.collation = reader.Int2();
  }
  if ((capabilities & kClientPluginAuth) != 0 && !reader.empty()) {
    request.auth_plugin = reader.NulString();
  }
  if ((capabilities & kClientConnectAttrs) != 0 && !reader.empty()) {
    request.attributes = ParseAttributes(reader.LenEncString());
  }
  if (!reader.ok() || !NamesAreSane(request)) {
    return UserError(ER_MALFORMED_PACKET);
  }
  return request;
}

}  // namespace borealis::mysql
