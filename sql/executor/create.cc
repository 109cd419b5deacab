#include "sql/executor/create.h"

#include "sql/executor/statement_executor.h"
#include "sql/executor/tables/system_tables.h"
#include "sql/executor/variables/variable_registry.h"

namespace borealis::sql {

std::unique_ptr<ExecutorParts> MakeExecutorParts() {
  auto parts = std::make_unique<ExecutorParts>();
  parts->variables = std::make_unique<VariableRegistry>();
  parts->executor = std::make_unique<Executor>();
  parts->system_tables = MakeSystemTables();
  return parts;
}

}  // namespace borealis::sql
