// Sessions of a server under test through the MySQL protocol, spoken by a client library that is
// not ours (libmariadb).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tests/sql/runner/sql_test_file.h"

namespace borealis::sqltest {

struct WireServer {
  std::string host;
  uint16_t port = 0;
};

// "host:port".
bool ParseWireServer(std::string_view text, WireServer* server);
// Replaces the schema `test` by an empty one; returns what went wrong.
std::string EmptyTestSchema(const WireServer& server);
// Null, with a message on standard error, when the server does not let us in.
std::unique_ptr<TestConnection> ConnectOverWire(const WireServer& server, const std::string& user,
                                                const std::string& password);

}  // namespace borealis::sqltest
