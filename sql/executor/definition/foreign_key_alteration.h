// What an alteration must leave to the foreign keys that use the table, on either side.
#pragma once

#include <vector>

#include "base/status.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

struct KeyedAlteration {
  const TableDescriptor* before = nullptr;
  const TableDescriptor* after = nullptr;
  const std::vector<int>* column_sources = nullptr;  // per column of `after`, or -1
  bool copies = false;                               // rows are copied, so values may change
};

// For the keys that were there before. Errors: 1553 for an index that one needs, 1829 for a column
// of a parent, 3780 for types that no longer fit, 1832, 1833 and 1846 for columns whose values a
// copy might change.
Status CheckKeyedAlteration(StatementRun& run, const KeyedAlteration& alteration);

}  // namespace borealis::sql
