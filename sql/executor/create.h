// Makes what the rest of the SQL layer sees only as interfaces: statements' executor, system
// variables, system tables. One of each serves all sessions of an instance.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "sql/catalog/system_table.h"
#include "sql/executor/executor.h"
#include "sql/session/system_variables.h"

namespace borealis::sql {

struct ExecutorParts {
  std::unique_ptr<SystemVariables> variables;
  std::unique_ptr<StatementExecutor> executor;
  std::unique_ptr<SystemTables> system_tables;
};

std::unique_ptr<ExecutorParts> MakeExecutorParts();

}  // namespace borealis::sql
