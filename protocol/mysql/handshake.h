// The first packets of a connection: the server's greeting (Protocol::HandshakeV10), the client's
// SSLRequest and HandshakeResponse41, and COM_CHANGE_USER, which carries the same facts again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace borealis::mysql {

inline constexpr size_t kScrambleSize = 20;

// 20 random bytes without NUL and '$', which clients would take for an end of string.
std::string NewScramble();

struct Greeting {
  std::string server_version;  // starts "8.0.N", because drivers branch on it
  uint32_t thread_id = 0;
  std::string scramble;  // kScrambleSize bytes
  uint32_t capabilities = 0;
  uint8_t collation = 255;
  uint16_t status = 0;
  std::string auth_plugin;
};
void AppendGreeting(std::string* body, const Greeting& greeting);

// The payload is an SSLRequest: TLS starts after it.
bool IsSslRequest(std::string_view payload);

using ConnectAttributes = std::vector<std::pair<std::string, std::string>>;

// Of HandshakeResponse41 or COM_CHANGE_USER.
struct LoginRequest {
  uint32_t capabilities = 0;  // those of the client that the server offers too
  uint32_t max_packet_size = 0;
  uint16_t collation = 0;
  std::string user;
  std::string auth_response;
  std::string database;     // empty: none
  std::string auth_plugin;  // empty: the client did not name one
  ConnectAttributes attributes;
  uint8_t zstd_level = 0;
};

// 1251 for a client of the protocol before 4.1, 1043 for a malformed packet.
Result<LoginRequest> ParseHandshakeResponse(std::string_view payload, uint32_t server_capabilities);
// `payload` follows the command byte; `capabilities` are the connection's. 1835 when malformed.
Result<LoginRequest> ParseChangeUser(std::string_view payload, uint32_t capabilities);

}  // namespace borealis::mysql
