// How EXPLAIN shows the way in which a table is read: type, key, key_len, ref, rows.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sql/binder/query.h"
#include "sql/session/session_internal.h"
#include "sql/sqlite/table_plan.h"

namespace borealis::sql {

// The conditions "column = value" of all blocks of a query.
class Equalities {
 public:
  // Those among the conjuncts of `condition`, which must outlive this.
  void Add(const BoundExpr& condition);
  // What a column is looked up by while the tables of these ids are being read: "const", the column
  // of one of them as "schema.alias.column", or "func" for an expression over their columns.
  std::string RefOf(const BoundTable& table, uint32_t column,
                    const std::set<uint32_t>& visited) const;

 private:
  // Columns, by table and number, that were followed.
  using Seen = std::set<std::pair<uint32_t, uint32_t>>;
  std::optional<std::string> Find(const BoundTable& table, uint32_t column,
                                  const std::set<uint32_t>& visited, Seen* seen) const;

  struct Equality {
    const BoundColumn* column;
    const BoundExpr* value;
  };
  std::vector<Equality> list_;
};

// `visited`: the ids of the tables that are read around this one.
void DescribeAccess(const BoundTable& table, const TablePlan& plan, const Equalities& equalities,
                    const std::set<uint32_t>& visited, ExplainRow* row);

}  // namespace borealis::sql
