// SQL text of an expression in the canonical style the MySQL server stores and shows (SHOW CREATE
// TABLE for generated columns, checks and defaults; view bodies): operators and functions in lower
// case, every operation in parentheses, identifiers in backticks, strings with their introducer.
//
// Printing is stable: parsing the result and printing again gives the same text, under any sql_mode
// that does not change quoting (the printer never uses double quotes, `||` or `!`).
#pragma once

#include <string>
#include <string_view>

#include "sql/ast/expr.h"
#include "sql/ast/node.h"
#include "sql/ast/query.h"
#include "sql/ast/type_name.h"

namespace borealis::sql {

struct PrintOptions {
  // Written before string literals that have no introducer of their own, e.g. "utf8mb4":
  // _utf8mb4'text'. Empty: none.
  std::string default_charset;
  // Leave out schema and table qualifiers of columns, as stored expressions do.
  bool bare_columns = false;
};

std::string PrintExpr(const Expr& expr, const PrintOptions& options = {});
std::string PrintQuery(const Query& query, const PrintOptions& options = {});
// "int unsigned", "decimal(10,2)", "enum('a','b')": as in SHOW CREATE TABLE, without attributes
// other than unsigned and zerofill.
std::string PrintType(const TypeName& type);
// The type as it stands in CAST(… AS type): "signed", "char(10) charset utf8mb4".
std::string PrintCastType(const TypeName& type);

// `name` with backticks doubled.
std::string QuoteIdentifier(std::string_view name);
// 'text' with quotes and backslashes escaped as MySQL prints them.
std::string QuoteString(std::string_view text);
// Name of a character set or collation: as it is, or quoted where it is no plain word.
std::string PrintCharsetName(std::string_view name);

const char* BinaryOpText(BinaryOp op);
const char* AggregateName(AggregateFn fn);
const char* WindowFunctionName(WindowFn fn);

}  // namespace borealis::sql
