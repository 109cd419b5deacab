// Dispatch: from a statement's kind to the function that carries it out. See executor.h for the
// seam.
#pragma once

#include "sql/executor/executor.h"

namespace borealis::sql {

class Executor final : public StatementExecutor {
 public:
  Status Execute(StatementRun& run) override;
};

}  // namespace borealis::sql
