// The text of SHOW ENGINE INNODB STATUS.
#pragma once

#include <string>

#include "base/result.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

Result<std::string> InnodbStatusText(StatementRun& run);

}  // namespace borealis::sql
