// CHECKSUM TABLE: the number that MySQL gives for a table of the same columns and rows, so that
// copies on both can be compared.
//
// It is the sum of the rows' CRC-32, each over the row as MySQL holds it in memory: the bits that
// say which columns are NULL, then the columns, with those that are NULL as their defaults. The
// order of the rows does not count.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

Result<uint32_t> TableChecksum(StatementRun& run, const TableDescriptor& table);

}  // namespace borealis::sql
