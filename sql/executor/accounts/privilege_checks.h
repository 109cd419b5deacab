// What a statement needs that the binder does not ask for: everything but reading and changing
// rows. Asked before the statement looks at anything, so that an error tells nothing of what
// exists.
#pragma once

#include <string_view>

#include "sql/ast/node.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

// Errors: 1044, 1142, 1227.
Status CheckPrivileges(const StatementRun& run);

// Whether the session may define a view or a trigger that runs as another account. Error: 1227.
Status CheckDefiner(const StatementRun& run, const AccountName& definer);

}  // namespace borealis::sql
