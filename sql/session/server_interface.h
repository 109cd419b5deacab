// What statements ask of the server they run in. Implemented in server/; all calls thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "sql/accounts/account_key.h"

namespace borealis::sql {

struct ProcessInfo {
  uint64_t id = 0;
  std::string user;
  std::string host;
  std::optional<std::string> database;
  std::string command;  // "Query", "Sleep", "Execute", …
  uint64_t seconds = 0;
  std::string state;
  std::optional<std::string> info;  // statement text
};

// What a client said of itself when it connected.
struct ClientAttributes {
  uint64_t id = 0;  // of the connection
  AccountKey account;
  std::vector<std::pair<std::string, std::string>> attributes;  // names and values, as sent
};

class ServerInterface {
 public:
  virtual ~ServerInterface() = default;

  virtual std::vector<ProcessInfo> Processes() const = 0;
  // Of those that have logged in.
  virtual std::vector<ClientAttributes> Clients() const = 0;
  // KILL [QUERY] id; with `owner` only that account's sessions. Errors: 1094 unknown id, 1095 not
  // the owner.
  virtual Status Kill(uint64_t id, bool query_only, const std::optional<AccountKey>& owner) = 0;

  // Names and values of SHOW GLOBAL STATUS, in any order.
  virtual std::vector<std::pair<std::string, std::string>> StatusVariables() const = 0;

  // True on a reader instance: statements that write are refused with 1290 (--read-only).
  virtual bool read_only() const = 0;
  virtual std::string_view version() const = 0;          // "8.0.36"
  virtual std::string_view version_comment() const = 0;  // "Borealis"
  virtual std::string_view hostname() const = 0;
  virtual uint16_t port() const = 0;
  virtual std::string_view server_uuid() const = 0;
  virtual int64_t uptime_seconds() const = 0;
  // UUID_SHORT(): no number twice, also not from a server started later.
  virtual uint64_t NextShortUuid() = 0;
  // SET GLOBAL innodb_buffer_pool_size.
  virtual void ResizeBufferPool(uint64_t bytes) = 0;

  // SHUTDOWN and RESTART: asks for an orderly stop and returns.
  virtual Status RequestShutdown(bool restart) = 0;
};

}  // namespace borealis::sql
