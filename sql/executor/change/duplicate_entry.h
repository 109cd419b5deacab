// Error 1062, "Duplicate entry '1-abc' for key 't.name'": the values of a key as messages show
// them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "row/value.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

// The row's key, values joined by '-', at most 64 bytes of it.
std::string KeyEntry(const TableDescriptor& table, size_t index_no, std::span<const row::Value> row,
                     const StatementRun& run);

// 1062 for the row and the number of the index in whose way it is; of an encoded row, kInternal
// when there is no such index, and the errors of decoding.
Status DuplicateEntry(const TableDescriptor& table, size_t index_no,
                      std::span<const row::Value> row, const StatementRun& run);
Status DuplicateEntry(const TableDescriptor& table, size_t index_no, std::string_view row,
                      const StatementRun& run);

}  // namespace borealis::sql
