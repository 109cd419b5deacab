// GROUP BY by hash (group_table.h), where SQLite would sort all rows to group them.
//
// The rows are a statement of its own, which gives the columns; keys, arguments of aggregates and
// what else is read of a group's first row are computed from them without the machine. A computed
// table makes groups of the rows, and what is left of the select is a query over that table: its
// items, HAVING as its WHERE, DISTINCT, window functions and ORDER BY, with columns of the groups
// where keys, aggregates and columns of the tables stood.
#include <algorithm>
#include <utility>

#include "sql/binder/binder_internal.h"
#include "sql/sqlite/lowering_internal.h"

namespace borealis::sql {
namespace {

// Of a statement's or a table's columns, with room below SQLite's limit of 2,000.
constexpr size_t kColumnsMax = 1000;

bool SameValue(const BoundExpr& a, const BoundExpr& b) {
  return SameExpr(a, b) && a.type.Nullable() == b.type.Nullable();
}

// Not: what assigns variables, since it would do so for all rows before it did for the first group;
// aggregates that hold more the more rows they see, for which MySQL sorts as well. Nor, unless the
// groups are sorted, aggregates with DISTINCT, whose queries it answers in the order of the keys.
bool IsHashable(const BoundExpr& expr, bool sorted) {
  bool hashable = true;
  Walk(expr, [&](const BoundExpr& part) {
    const auto* aggregate = part.TryAs<BoundAggregate>();
    hashable &= !part.Is<BoundAssignVariable>() &&
                (aggregate == nullptr ||
                 ((sorted || !aggregate->distinct) && aggregate->fn != AggregateFn::kGroupConcat &&
                  aggregate->fn != AggregateFn::kJsonArrayAgg &&
                  aggregate->fn != AggregateFn::kJsonObjectAgg));
  });
  return hashable;
}

bool ReadsOneOf(const BoundFrom& from, const std::set<uint32_t>& tables) {
  if (from.table == nullptr) {
    return ReadsOneOf(*from.left, tables) || ReadsOneOf(*from.right, tables);
  }
  if (tables.contains(from.table->id)) {
    return true;
  }
  // A derived table that SQLite merges into the select around it.
  const BoundSelect* const inner =
      from.table->kind == BoundTableKind::kDerived ? from.table->query->body.select.get() : nullptr;
  return inner != nullptr && inner->from != nullptr && ReadsOneOf(*inner->from, tables);
}

size_t InputOf(const std::vector<BoundPtr>& inputs, const BoundExpr& expr) {
  const auto found =
      std::ranges::find_if(inputs, [&](const BoundPtr& input) { return SameValue(*input, expr); });
  return static_cast<size_t>(found - inputs.begin());
}

}  // namespace

bool Lowering::MayHash(const BoundQuery& query) const {
  const BoundSelect* const select = query.body.select.get();
  if (select == nullptr || select->group_by.empty() || select->from == nullptr || select->rollup ||
      select->aggregates_below || in_recursive_cte_ || depth_of_ != nullptr ||
      select->items.size() + select->group_by.size() > kColumnsMax) {
    return false;
  }
  // A table that is computed once for all its uses would be computed for the groups again.
  if (std::ranges::any_of(defined_, [](const BoundCte* cte) { return cte->uses > 1; })) {
    return false;
  }
  const auto hashable = [sorted = !query.order_by.empty()](const BoundPtr& expr) {
    return expr == nullptr || IsHashable(*expr, sorted);
  };
  return OuterKeys(query).empty() && hashable(select->where) && hashable(select->having) &&
         std::ranges::all_of(select->group_by, hashable) &&
         std::ranges::all_of(select->items, hashable, &BoundItem::expr) &&
         std::ranges::all_of(query.order_by, hashable, &BoundOrder::expr);
}

bool Lowering::IsHashed(const BoundSelect& select) const {
  return ReadsOneOf(*select.from, options_.hashed);
}

std::string Lowering::OutputColumn(GroupedSelect* grouped, const BoundPtr& expr) {
  const auto known = std::ranges::find_if(
      grouped->outputs, [&](const BoundPtr& output) { return SameValue(*output, *expr); });
  const auto number = static_cast<size_t>(known - grouped->outputs.begin());
  const std::string column = grouped->alias + ".c" + std::to_string(number);
  if (known != grouped->outputs.end()) {
    return column;
  }
  Grouping::Output output;
  output.type = expr->type;
  std::vector<BoundPtr> read = {expr};
  if (const auto* aggregate = expr->TryAs<BoundAggregate>()) {
    output.aggregate = SpecOf(*aggregate, &read);
    output.arguments = read.size();
  }
  output.input = read.size() == 1 ? InputOf(grouped->inputs, *read[0]) : grouped->inputs.size();
  if (output.input == grouped->inputs.size()) {
    for (BoundPtr& input : read) {
      grouped->grouping.inputs.push_back(input->type);
      grouped->inputs.push_back(std::move(input));
    }
  }
  grouped->grouping.outputs.push_back(std::move(output));
  grouped->outputs.push_back(expr);
  return column;
}

std::string Lowering::GroupedColumn(const BoundExpr& expr) {
  if (grouped_ != nullptr) {
    for (const BoundPtr& key : grouped_->select->group_by) {
      if (SameValue(*key, expr)) {
        return OutputColumn(grouped_, key);
      }
    }
    if (const auto* aggregate = expr.TryAs<BoundAggregate>()) {
      return OutputColumn(grouped_, std::make_shared<BoundAggregate>(*aggregate));
    }
  }
  if (const auto* column = expr.TryAs<BoundColumn>()) {
    for (GroupedSelect* grouped : groupings_) {
      if (Contains(*grouped->select->from, column->table)) {
        return OutputColumn(grouped, std::make_shared<BoundColumn>(*column));
      }
    }
  }
  return {};
}

Status Lowering::GroupedParts(const BoundQuery& query, GroupedSelect* grouped, std::string* items,
                              std::string* rest) {
  const BoundSelect& select = *grouped->select;
  RETURN_IF_ERROR(Items(select, items));
  if (select.having != nullptr) {
    rest->append(" WHERE ");
    RETURN_IF_ERROR(Expr(*select.having, rest));
  }
  RETURN_IF_ERROR(OrderBy(query, rest));
  // Merged into a join the groups would be made again for every row of the other tables.
  rest->append(query.limit == nullptr && query.offset == nullptr ? " LIMIT -1" : "");
  return {};
}

Status Lowering::GroupedRows(GroupedSelect* grouped, std::string* sql) {
  std::vector<BoundPtr> given;
  for (const BoundPtr& input : grouped->inputs) {
    std::vector<CallStep> steps;
    RETURN_IF_ERROR(AddSteps({input}, false, &steps, &given));
    grouped->grouping.steps.push_back(std::move(steps));
  }
  sql->append("SELECT ");
  for (size_t i = 0; i < given.size(); ++i) {
    sql->append(i == 0 ? "" : ",");
    RETURN_IF_ERROR(Expr(*given[i], sql));
    grouped->grouping.given.push_back(given[i]->type);
  }
  sql->append(given.empty() ? "NULL" : "");
  return FromAndWhere(*grouped->select, sql);
}

Status Lowering::Grouped(const BoundQuery& query, bool* done, std::string* sql) {
  const BoundSelect& select = *query.body.select;
  GroupedSelect grouped;
  grouped.select = &select;
  grouped.alias = "g" + std::to_string(groups_++);
  grouped.inputs = select.group_by;
  grouped.grouping.keys = select.group_by.size();
  for (const BoundPtr& key : select.group_by) {
    grouped.grouping.inputs.push_back(key->type);
  }

  const LoweredSizes before(*out_);
  std::string items;
  std::string rest;
  grouped_ = &grouped;
  groupings_.push_back(&grouped);
  Status lowered = Within(select, [&] { return GroupedParts(query, &grouped, &items, &rest); });
  groupings_.pop_back();
  grouped_ = nullptr;
  RETURN_IF_ERROR(lowered);

  OwnStatement own;
  own.is_bound = true;
  std::string rows;
  const auto lower_rows = [&](std::string* text) {
    return Within(select, [&] { return GroupedRows(&grouped, text); });
  };
  RETURN_IF_ERROR(AsOwnStatement(&own, lower_rows, &rows));
  *done = own.args.size() <= kArgumentsMax && grouped.inputs.size() <= kColumnsMax &&
          grouped.outputs.size() <= kColumnsMax;
  if (!*done) {
    before.Restore(out_);
    return {};
  }
  ComputedTable table;
  table.kind = ComputedKind::kGroups;
  table.columns = grouped.outputs.size();
  table.sql = std::move(rows);
  table.grouping = std::make_shared<const Grouping>(std::move(grouped.grouping));
  sql->append(items).append(" FROM ");
  RETURN_IF_ERROR(ComputedCall(std::move(table), own.args, sql));
  sql->append(" AS " + grouped.alias + rest);
  return {};
}

}  // namespace borealis::sql
