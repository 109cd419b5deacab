// Entering a stored program from the statement that runs: its settings, database and definer hold
// until it is left, and it has a diagnostics area of its own.
//
// INV-SQL-3  When a program has been left, everything of the session that is not the program's to
//            change (sql_mode, collations, database, account, LAST_INSERT_ID(), warnings of the
//            statement that called it) is what it was when it was entered.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "row/collation.h"
#include "row/sql_mode.h"
#include "sql/accounts/security_context.h"
#include "sql/context/diagnostics.h"
#include "sql/session/nested_statement.h"
#include "sql/session/session.h"

namespace borealis::sql {

// What a program was defined under. Borrowed by the scopes that enter it.
struct ProgramEnvironment {
  row::SqlMode sql_mode = row::kDefaultSqlMode;
  row::CollationId collation_connection = 255;
  row::CollationId collation_database = 255;
  std::string schema;
  // Whose privileges count: those of the definer, unless nobody has to ask.
  AccountKey definer;
  std::set<AccountKey> roles;
  SecurityContext security;
};

class ProgramScope {
 public:
  // `environment` and `slots` outlive the scope.
  ProgramScope(Session* session, ProgramEnvironment* environment, VariableSlots* slots);
  ~ProgramScope();
  ProgramScope(const ProgramScope&) = delete;
  ProgramScope& operator=(const ProgramScope&) = delete;

  // The program failed: its conditions are the caller's as well. The error itself is the one
  // condition that its Status stands for.
  void KeepConditions();

 private:
  void SwitchSettings();
  void SwitchAccount();

  Session* const session_;
  ProgramEnvironment* const environment_;
  VariableSlots* const outer_slots_;
  Diagnostics::State outer_diagnostics_;
  bool outer_is_strict_;
  std::vector<Session::NamedSavepoint> outer_savepoints_;  // a program has a level of its own
  bool keep_conditions_ = false;

  struct Settings {
    row::SqlMode sql_mode;
    row::CharsetId client;
    row::CollationId connection;
    row::CollationId database;
  };
  Settings outer_settings_;
  bool other_settings_ = false;
  bool other_database_ = false;
  bool other_account_ = false;
  std::string account_user_;
  std::string account_host_;
  uint64_t last_insert_id_;
  uint64_t insert_id_;
  uint64_t found_rows_;
};

}  // namespace borealis::sql
