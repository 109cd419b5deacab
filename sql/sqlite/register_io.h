// Between the query machine's values (sqlite3_value, columns, parameters) and row::Value.
#pragma once

#include <string>

#include "base/result.h"
#include "row/register.h"
#include "row/type.h"
#include "row/value.h"

struct sqlite3_value;
struct sqlite3_context;
struct sqlite3_stmt;

namespace borealis::sql {

// The value of a register of static type `type`. Text and binary borrow from the register.
Result<row::Value> ValueOf(sqlite3_value* reg, const row::Type& type);
// Column `index` of the current result row; borrows until the next step.
Result<row::Value> ColumnValue(sqlite3_stmt* statement, int index, const row::Type& type);
// Sets a function's or a virtual column's result.
Status SetResult(sqlite3_context* context, const row::Value& value, const row::Type& type);
// Binds parameter `number` (from 1); the bytes are copied.
Status BindRegister(sqlite3_stmt* statement, int number, const row::Value& value,
                    const row::Type& type);
// The register as SQL text that the machine parses back to it.
Status AppendLiteral(const row::Value& value, const row::Type& type, std::string* sql);

}  // namespace borealis::sql
