// JSON_TABLE: rows from a JSON document.
//
// A level is a path and the columns that are taken from each value which it leads to; nested levels
// start from that value. Nested levels beside each other give their rows one after the other, with
// NULL in each other's columns; a value for which none of them has any gives one row.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "row/json/path.h"
#include "row/type.h"
#include "row/value.h"
#include "sql/functions/eval_context.h"

namespace borealis::sql {

struct JsonTableField {
  enum class Kind : uint8_t { kOrdinality, kPath, kExists };
  Kind kind = Kind::kPath;
  std::string name;
  row::Type type;
  row::JsonPath path;
  size_t position = 0;  // in the row
  // What there is instead of a value: an error, or this.
  bool error_on_empty = false;
  bool error_on_error = false;
  row::Value on_empty;
  row::Value on_error;
};

struct JsonTableLevel {
  row::JsonPath path;
  std::vector<JsonTableField> fields;
  std::vector<JsonTableLevel> nested;
};

class JsonTableSpec {
 public:
  JsonTableLevel root;
  std::vector<row::Type> types;  // of the row

  using Emit = std::function<Status(std::span<const row::Value> row)>;
  // No rows of NULL. Errors: 3141, 3146; with ERROR ON …: 3156, 3665, 3666, 3669.
  Status Expand(const EvalContext& context, const row::Value& document, const row::Type& type,
                const Emit& emit) const;
};

// A JSON value as a value of the column. Errors: 3156, 3666, 3669.
Status ConvertJsonField(const EvalContext& context, const row::JsonView& json,
                        const JsonTableField& field, row::Value* out);

}  // namespace borealis::sql
