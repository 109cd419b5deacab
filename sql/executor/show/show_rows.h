// SHOW statements that give their rows directly. See show.h.
#pragma once

#include <string>
#include <vector>

#include "sql/ast/admin.h"
#include "sql/context/computed_column.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

// A result set of text.
struct TextRows {
  std::vector<ResultColumn> columns;
  std::vector<std::vector<std::string>> rows;
};
Status SendTextRows(StatementRun& run, const TextRows& rows);
// What a statement's text may need at most, as MySQL tells clients.
inline constexpr uint64_t kStatementChars = 1024;
inline constexpr uint64_t kNameChars = 64;
inline constexpr uint64_t kCharsetNameChars = 32;

// PROFILES and PROFILE: no statement is profiled.
Status ShowProfiling(StatementRun& run, const ShowStmt& show);

// WARNINGS, ERRORS, and their counts.
Status ShowConditions(StatementRun& run, const ShowStmt& show);
Status ShowConditionCount(StatementRun& run, const ShowStmt& show);

// CREATE TABLE, VIEW, DATABASE, TRIGGER; of routines and events that they do not exist.
Status ShowCreate(StatementRun& run, const ShowStmt& show);

// GRANTS, PRIVILEGES, CREATE USER.
Status ShowGrants(StatementRun& run, const ShowStmt& show);
Status ShowPrivileges(StatementRun& run);
Status ShowCreateUser(StatementRun& run, const ShowStmt& show);

// ENGINE name STATUS | MUTEX | LOGS.
Status ShowEngine(StatementRun& run, const ShowStmt& show);
// BINARY LOGS, BINARY LOG STATUS, REPLICA STATUS …: what a server without a binary log says.
Status ShowReplication(StatementRun& run, const ShowStmt& show);

}  // namespace borealis::sql
