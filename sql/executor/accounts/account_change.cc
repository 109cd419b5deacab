#include "sql/executor/accounts/account_change.h"

#include <fmt/format.h>

#include <charconv>

#include "base/mysql_error.h"
#include "engine/engine.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/accounts/grant_rows.h"
#include "sql/executor/tables/server_session.h"

namespace borealis::sql {
namespace {

// The one entry of SQL's in the dictionary that carries the generation, in its key: so that of two
// that would make the same one, one is told that another came first.
constexpr std::string_view kGenerationPrefix = "accounts/";
constexpr int kAnnounceAttempts = 100;

uint64_t GenerationOf(std::string_view key) {
  uint64_t generation = 0;
  key.remove_prefix(kGenerationPrefix.size());
  std::from_chars(key.data(), key.data() + key.size(), generation);
  return generation;
}

class TableGrantSource final : public GrantSource {
 public:
  explicit TableGrantSource(const SessionEnvironment& environment)
      : environment_(ServerEnvironment(environment)) {}

  Result<uint64_t> Generation() override {
    ASSIGN_OR_RETURN(const auto entries, environment_.engine->ListSqlEntries(kGenerationPrefix));
    return entries.empty() ? 0 : GenerationOf(entries.back().first);
  }

  Result<GrantTables> Load() override {
    Session session(environment_, ServerIdentity());
    return LoadGrantTables(session);
  }

 private:
  const SessionEnvironment environment_;
};

Status AnnounceOnce(engine::Engine& engine) {
  ASSIGN_OR_RETURN(const auto entries, engine.ListSqlEntries(kGenerationPrefix));
  ASSIGN_OR_RETURN(const engine::SchemaDefinition schema, engine.FindSchema("mysql"));
  engine::SchemaChangeOptions how;
  how.passes_instance_locks = true;  // the rows have waited
  engine::RelatedChanges::Expectation expected{std::string(kGenerationPrefix), {}};
  uint64_t generation = 0;
  for (const auto& [key, value] : entries) {
    how.related.entries.push_back({key, std::nullopt});
    expected.keys.push_back(key);
    generation = std::max(generation, GenerationOf(key));
  }
  how.related.entries.push_back({fmt::format("{}{:020}", kGenerationPrefix, generation + 1), ""});
  how.related.expected.push_back(std::move(expected));
  return engine.AlterSchema(schema, how);
}

Status ChangeInTransaction(Session& session, const AccountChange& change) {
  RETURN_IF_ERROR(RunServerStatement(session, "SET time_zone = '+00:00'"));
  RETURN_IF_ERROR(RunServerStatement(session, "START TRANSACTION READ WRITE"));
  // Every row and gap of mysql.user: one account statement at a time.
  RETURN_IF_ERROR(session.CollectQueryText("SELECT User FROM mysql.user FOR UPDATE").status());
  ASSIGN_OR_RETURN(const GrantTables before, LoadGrantTables(session));
  GrantTables after = before;
  RETURN_IF_ERROR(change(&after));
  RETURN_IF_ERROR(WriteGrantTables(session, before, after));
  return RunServerStatement(session, "COMMIT");
}

std::string CreateText(std::string_view name, const AccountTable& table) {
  return fmt::format(
      "CREATE TABLE mysql.{} ({}) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin COMMENT = '{}'", name,
      table.columns, table.comment);
}

// mysql.user as the first release had it knows no privileges.
Status UpgradeUserTable(Session& session, const AccountTable& table) {
  RETURN_IF_ERROR(RunServerStatement(session, "DROP TABLE IF EXISTS mysql.user_upgrade"));
  RETURN_IF_ERROR(RunServerStatement(session, CreateText("user_upgrade", table)));
  std::string names;
  std::string values;
  for (int i = 0; i < kPrivilegeCount; ++i) {
    names += fmt::format(", {}", PrivilegeColumn(static_cast<Privilege>(i)));
    values += ", 'Y'";
  }
  RETURN_IF_ERROR(RunServerStatement(
      session,
      fmt::format(
          "INSERT INTO mysql.user_upgrade (Host, User, ssl_type, ssl_cipher, x509_issuer, "
          "x509_subject, plugin, authentication_string, password_expired, account_locked{}) "
          "SELECT LOWER(Host), User, ssl_type, '', '', '', plugin, authentication_string, "
          "password_expired, account_locked{} FROM mysql.user",
          names, values)));
  RETURN_IF_ERROR(RunServerStatement(
      session, "RENAME TABLE mysql.user TO mysql.user_before, mysql.user_upgrade TO mysql.user"));
  return RunServerStatement(session, "DROP TABLE mysql.user_before");
}

}  // namespace

Status ChangeStoredAccounts(const SessionEnvironment& environment, const AccountChange& change) {
  {
    Session session(ServerEnvironment(environment), ServerIdentity());
    RETURN_IF_ERROR(ChangeInTransaction(session, change));
  }
  return AnnounceAccounts(environment);
}

Status ChangeAccounts(StatementRun& run, const AccountChange& change) {
  RETURN_IF_ERROR(run.session.CheckMayChange());
  if (run.session.table_locks() != nullptr) {  // the account tables may be among them
    return UserError(ER_LOCK_OR_ACTIVE_TRANSACTION);
  }
  const SessionEnvironment& environment = run.session.environment();
  if (!environment.catalog->Find("mysql", "user").ok()) {
    return UserError(ER_NO_SUCH_TABLE, "mysql", "user");
  }
  RETURN_IF_ERROR(ChangeStoredAccounts(environment, change));
  return run.session.RefreshSecurity();
}

void GrantEverything(Account* account) {
  account->global = PrivilegeSet::All();
  for (const std::string_view name : DynamicPrivileges()) {
    account->dynamic[std::string(name)] = true;
  }
}

Status AnnounceAccounts(const SessionEnvironment& environment) {
  for (int attempt = 1;; ++attempt) {
    Status status = AnnounceOnce(*environment.engine);
    if (!status.Is(Code::kRetry) || attempt == kAnnounceAttempts) {
      return status;
    }
  }
}

std::unique_ptr<GrantStore> MakeGrantStore(const SessionEnvironment& environment) {
  return std::make_unique<GrantStore>(std::make_unique<TableGrantSource>(environment));
}

Status MakeAccountTables(const SessionEnvironment& environment) {
  Session session(ServerEnvironment(environment), ServerIdentity());
  RETURN_IF_ERROR(
      RunServerStatement(session, "CREATE DATABASE IF NOT EXISTS mysql CHARACTER SET utf8mb4"));
  bool upgraded = false;
  for (const AccountTable& table : AccountTables()) {
    const Result<CatalogEntry> entry = environment.catalog->Find("mysql", table.name);
    if (!entry.ok()) {
      RETURN_IF_ERROR(RunServerStatement(session, CreateText(table.name, table)));
    } else if (table.name == "user" && entry->table->FindColumn("Select_priv") < 0) {
      RETURN_IF_ERROR(UpgradeUserTable(session, table));
      upgraded = true;
    }
  }
  RETURN_IF_ERROR(RunServerStatement(session, "DROP TABLE IF EXISTS mysql.user_before"));
  if (!upgraded) {
    return Status::Ok();
  }
  return ChangeStoredAccounts(environment, [](GrantTables* tables) {
    std::vector<AccountKey> keys;
    for (const auto& [key, account] : tables->accounts()) {
      keys.push_back(key);
    }
    for (const AccountKey& key : keys) {
      GrantEverything(tables->FindMutable(key));
    }
    return Status::Ok();
  });
}

}  // namespace borealis::sql
