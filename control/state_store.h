// What control must remember across its own restarts, in a small SQLite file.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

struct sqlite3;

namespace borealis::control {

// Not thread-safe. Every Set is durable when it returns.
class StateStore {
 public:
  static Result<std::unique_ptr<StateStore>> Open(const std::string& path);
  ~StateStore();
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;

  // Empty when `key` was never set.
  Result<std::string> Get(const std::string& key);
  Status Set(const std::string& key, const std::string& value);

 private:
  explicit StateStore(sqlite3* database) : database_(database) {}
  sqlite3* const database_;
};

}  // namespace borealis::control
