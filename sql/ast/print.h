// SQL text of an expression in the canonical style the MySQL server stores and shows (SHOW CREATE
// TABLE for generated columns, checks and defaults; view bodies): operators and functions in lower
// case, every operation in parentheses, identifiers in backticks, strings with their introducer.
//
// Printing is stable: parsing the result and printing again gives the same text (but that a list of
// tables is printed as a join without parentheses, and a join with them), under any sql_mode
// that does not change quoting (the printer never uses double quotes, `||` or `!`).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/ast/expr.h"
#include "sql/ast/node.h"
#include "sql/ast/query.h"
#include "sql/ast/type_name.h"

namespace borealis::sql {

// What the names in a query mean, as the binder found them (BindInput::names). The printer writes
// that in place of what was written: names in full, lists of columns for wildcards, conditions for
// USING, and a name for every column. Keyed by nodes of the query, which must outlive it.
struct ResolvedNames {
  struct Column {
    std::string schema;  // empty where an alias stands for the table
    std::string table;   // empty where the name is an alias of the select list
    std::string column;
  };
  struct Item {
    Column column;
    std::string name;
  };
  struct TableQuery {  // TABLE t
    std::string schema;
    std::vector<Item> items;
  };
  std::map<const ColumnRef*, Column> columns;
  // Positions in GROUP BY and ORDER BY: the item's expression, or the column that * stands for.
  std::map<const Expr*, const Expr*> position_exprs;
  std::map<const Expr*, Column> position_columns;
  std::map<const SelectItem*, std::vector<Item>> wildcards;
  std::map<const SelectItem*, std::string> item_names;
  std::map<const TableRefName*, std::string> schemas;
  std::map<const TableCore*, TableQuery> tables;
  // USING and NATURAL: what is compared.
  std::map<const JoinedTable*, std::vector<std::pair<Column, Column>>> merged;
  // Character sets of JSON_TABLE's columns.
  std::map<const JsonTableColumn*, std::string> json_charsets;
};

struct PrintOptions {
  // Written before string literals that have no introducer of their own, e.g. "utf8mb4":
  // _utf8mb4'text'. Empty: none.
  std::string default_charset;
  // Leave out schema and table qualifiers of columns, as stored expressions do.
  bool bare_columns = false;
  // Print what names mean, and leave out what a stored query does not keep (hints, locking).
  const ResolvedNames* names = nullptr;
  // Leave out the schemas of tables and columns.
  bool without_schemas = false;
  // CAST(x AS CHAR) is to this character set; empty: as written.
  std::string cast_charset;
  // Of WEEK(x).
  uint64_t default_week_format = 0;
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
