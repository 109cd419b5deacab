// The error of a row whose unique key is taken: 1062 with the key's values and name.
#pragma once

#include <string_view>

#include "base/status.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

// `row`: encoded as `table` stores rows. When it cannot be read the answer says that instead.
Status DuplicateEntry(const TableDescriptor& table, size_t index_no, std::string_view row,
                      const StatementRun& run);

}  // namespace borealis::sql
