// From a data type as written to the type of a column, with MySQL's defaults and limits.
#pragma once

#include <string_view>

#include "base/result.h"
#include "row/sql_mode.h"
#include "row/type.h"
#include "row/warnings.h"
#include "sql/ast/type_name.h"

namespace borealis::sql {

struct ColumnTypeInput {
  std::string_view column;  // for messages
  // Of the table: what text columns have that say nothing.
  row::CollationId collation = 255;
  row::SqlMode sql_mode = row::kDefaultSqlMode;
  row::WarningSink* warnings = nullptr;  // may be null
};

// Errors: 1063, 1074, 1097, 1115, 1253, 1273, 1291, 1367, 1425, 1426, 1427, 1439, 1818, 3013, 3505;
// 1235 for spatial types. The result is nullable.
Result<row::Type> ResolveColumnType(const TypeName& type, const ColumnTypeInput& input);

// Character set and collation as written ("" for not written, "default" for DEFAULT), against what
// is inherited. Errors: 1115, 1273, 1253.
Result<row::CollationId> ResolveCollation(std::string_view charset, std::string_view collation,
                                          row::CollationId inherited);

}  // namespace borealis::sql
