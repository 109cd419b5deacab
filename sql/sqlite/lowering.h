// Typed tree to SQLite's SQL.
//
// SQLite's own operators are used only where the operands share a register encoding and, for text,
// carry the collation; everything else becomes a call of a site (call_site.h). Tables appear under
// their module's name, columns as c0, c1 …, the handle as h; every table has an alias of its own,
// so that names never depend on SQLite's scoping.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "sql/binder/query.h"
#include "sql/sqlite/call_site.h"
#include "sql/sqlite/grouping.h"

namespace borealis::sql {

// A table of a statement, as a module of the query machine.
struct ModuleUse {
  std::string module;  // name, unique per table version and way of reading
  const BoundTable* table = nullptr;
};

// A list of constants that a column is compared with: what the machine tells the planner of an IN
// is its presence alone.
struct ConstantList {
  std::string module;
  uint32_t column = 0;
  std::vector<row::Value> values;
};

// A column that is compared for equality with what other tables' columns say.
struct JoinedColumn {
  std::string module;
  uint32_t column = 0;
};

enum class ComputedKind : uint8_t {
  kJson,     // JSON_TABLE: the rows of a document
  kLateral,  // the rows of a statement
  kGroups,   // what GROUP BY makes of the rows of a statement
  kValue,    // the only value of a statement's only row, kept for the next call with such arguments
};

// A table whose rows are computed from values of the tables around it, its arguments. In SQL it is
// a call of a table-valued function: its number in the statement, then the arguments.
struct ComputedTable {
  ComputedKind kind = ComputedKind::kJson;
  size_t columns = 0;
  const BoundTable* table = nullptr;  // kJson
  // A statement of its own with the arguments as :o0, :o1 …, run for each call.
  std::string sql;
  std::shared_ptr<const Grouping> grouping;  // kGroups
  // The arguments, in the order of the call.
  std::vector<row::Type> arg_types;

  // Whether the statement is compiled and bound with the query; each cursor has its own otherwise.
  bool is_kept() const { return kind == ComputedKind::kGroups || kind == ComputedKind::kValue; }
};

// Conditions on the rows of one table which the machine does not see: the table's cursor gives
// those alone that pass all of them. Stands in the text as a comparison of a hidden column with the
// filter's number.
struct RowFilter {
  struct Condition {
    // The values that the steps start from, and what they come to.
    std::vector<uint32_t> columns;
    std::vector<CallStep> steps;
    row::Type type;
  };
  std::vector<Condition> conditions;
};

struct LoweredQuery {
  std::string sql;
  std::vector<ComputedTable> computed;
  std::vector<ConstantList> lists;
  std::vector<JoinedColumn> joined;
  std::vector<CallSite> sites;
  std::vector<ModuleUse> modules;
  // Type of each parameter of the SQL, by index; kNull where the SQL does not use it.
  std::vector<row::Type> parameters;
  // A select groups rows and could do so by hash (LoweringOptions::hashed).
  bool may_hash = false;
  std::vector<RowFilter> filters;
  // Columns of decimals that come as their text (LoweringOptions::shown).
  std::vector<size_t> text_columns;
};

struct LoweringOptions {
  // SQL_CALC_FOUND_ROWS: the caller cuts the outermost LIMIT itself.
  bool without_limit = false;
  // Tables that are read alike have modules of their own.
  bool module_per_table = false;
  // Selects that read one of these tables, by id, group by hash where they group.
  std::set<uint32_t> hashed;
  // What the query reads does not change while it runs: values of subqueries may be used again.
  bool keep_values = false;
  // The rows are for a client, which is shown a decimal that IF or CASE chose with its own digits.
  bool shown = false;
};

Result<LoweredQuery> Lower(const BoundQuery& query, const LoweringOptions& options = {});

// All computed tables of as many columns and arguments share one module.
std::string ModuleName(const ComputedTable& table);

}  // namespace borealis::sql
