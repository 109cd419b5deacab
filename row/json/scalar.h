// Between JSON scalars and SQL values.
#pragma once

#include "row/json/view.h"
#include "row/type.h"
#include "row/value.h"

namespace borealis::row {

// A JSON scalar as the SQL value it stands for: numbers, booleans (0 or 1), dates, and the
// characters of strings and opaque values (borrowed from the document). False for null, arrays
// and objects, which stand for none.
bool JsonScalarValue(const JsonView& json, Value* value, Type* type);

// An SQL value that is not NULL as a JSON value: text becomes a string and is not parsed, bytes
// become opaque. `local_datetime` is a TIMESTAMP in the session's zone; unused otherwise. A JSON
// value becomes itself.
Status JsonOfValue(const Value& value, const Type& type, int64_t local_datetime, JsonNode* out);

}  // namespace borealis::row
