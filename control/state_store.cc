#include "control/state_store.h"

#include <sqlite3.h>

namespace borealis::control {

namespace {

Status Failed(sqlite3* database, const std::string& what) {
  return Status::IoError(what + ": " +
                         (database != nullptr ? sqlite3_errmsg(database) : "no memory"));
}

struct Finalizer {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalizer>;

Result<Statement> Prepare(sqlite3* database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, sql, -1, &statement, nullptr) != SQLITE_OK) {
    return Failed(database, "prepare control state");
  }
  return Statement(statement);
}

void BindText(sqlite3_stmt* statement, int index, const std::string& text) {
  sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

}  // namespace

Result<std::unique_ptr<StateStore>> StateStore::Open(const std::string& path) {
  sqlite3* database = nullptr;
  const int outcome =
      sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  std::unique_ptr<StateStore> store(new StateStore(database));
  if (outcome != SQLITE_OK ||
      sqlite3_exec(database,
                   "PRAGMA synchronous = FULL;"
                   "CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
                   nullptr, nullptr, nullptr) != SQLITE_OK) {
    return Failed(database, "open " + path);
  }
  return store;
}

StateStore::~StateStore() {
  sqlite3_close(database_);
}

Result<std::string> StateStore::Get(const std::string& key) {
  ASSIGN_OR_RETURN(const Statement statement,
                   Prepare(database_, "SELECT value FROM state WHERE key = ?"));
  BindText(statement.get(), 1, key);
  switch (sqlite3_step(statement.get())) {
    case SQLITE_ROW:
      return std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), 0)));
    case SQLITE_DONE:
      return std::string();
    default:
      return Failed(database_, "read control state");
  }
}

Status StateStore::Set(const std::string& key, const std::string& value) {
  ASSIGN_OR_RETURN(const Statement statement,
                   Prepare(database_, "INSERT OR REPLACE INTO state VALUES (?, ?)"));
  BindText(statement.get(), 1, key);
  BindText(statement.get(), 2, value);
  return sqlite3_step(statement.get()) == SQLITE_DONE ? Status::Ok()
                                                      : Failed(database_, "write control state");
}

}  // namespace borealis::control
