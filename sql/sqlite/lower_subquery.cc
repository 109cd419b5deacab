// Subqueries in expressions: a value, EXISTS, IN.
//
// A value that depends on some of the tables around it is likely to be wanted again for the rows of
// the others: `price < (SELECT AVG(price) … WHERE part = parts.id)` where orders are joined to
// parts. It is then a computed table of one row, which keeps what it has given (ComputedKind).
#include <algorithm>
#include <set>

#include "sql/binder/binder_internal.h"
#include "sql/functions/function.h"
#include "sql/sqlite/lowering_internal.h"

namespace borealis::sql {
namespace {

bool DependsOnArgumentsAlone(const CallSite& site) {
  return site.kind != CallKind::kReadVariable && site.kind != CallKind::kAssignVariable &&
         (site.function == nullptr || site.function->def().stability != Stability::kVolatile);
}

// Whether the rows of some table of the join share the values of `args`.
bool AreShared(const std::vector<BoundPtr>& args, const BoundFrom& from) {
  if (from.table == nullptr) {
    return AreShared(args, *from.left) || AreShared(args, *from.right);
  }
  return std::ranges::none_of(
      args, [&](const BoundPtr& arg) { return arg->As<BoundColumn>().table == from.table; });
}

bool HasOneRow(const BoundQuery& query) {
  const BoundSelect* const select = query.body.select.get();
  if (select != nullptr &&
      ((select->aggregated && select->group_by.empty()) || select->from == nullptr)) {
    return true;
  }
  const auto* const limit = query.limit ? query.limit->TryAs<BoundLiteral>() : nullptr;
  return limit != nullptr && limit->value.kind() == row::ValueKind::kInt &&
         limit->value.int_value() <= 1;
}

}  // namespace

// Whatever is selected, only whether there are rows is asked: no column is read for it.
Status Lowering::Exists(const BoundQuery& query, std::string* sql) {
  const BoundSelect* const select = query.body.select.get();
  sql->append("EXISTS(");
  if (select == nullptr || select->aggregated || select->rollup || select->distinct ||
      select->having != nullptr || !query.ctes.empty() || query.limit != nullptr ||
      query.offset != nullptr) {
    RETURN_IF_ERROR(Query(query, false, sql));
  } else {
    sql->append("SELECT 1");
    GroupedSelect* const around = std::exchange(grouped_, nullptr);
    const BoundCte* const depth_of = std::exchange(depth_of_, nullptr);
    Status lowered = Within(*select, [&] { return FromAndWhere(*select, sql); });
    depth_of_ = depth_of;
    grouped_ = around;
    RETURN_IF_ERROR(lowered);
  }
  sql->push_back(')');
  return {};
}

Status Lowering::InSubquery(const BoundInSubquery& in, std::string* sql) {
  sql->push_back('(');
  if (in.args.size() == 1) {
    RETURN_IF_ERROR(Comparable(*in.args[0], sql));
  } else {
    for (size_t i = 0; i < in.args.size(); ++i) {
      sql->append(i == 0 ? "(" : ",");
      RETURN_IF_ERROR(Comparable(*in.args[i], sql));
    }
    sql->push_back(')');
  }
  sql->append(in.negated ? " NOT IN (" : " IN (");
  RETURN_IF_ERROR(Query(*in.query, false, sql));
  sql->append("))");
  return {};
}

Status Lowering::ScalarSubquery(const BoundScalarSubquery& subquery, std::string* sql) {
  bool done = false;
  RETURN_IF_ERROR(KeptValue(subquery, &done, sql));
  if (done) {
    return {};
  }
  sql->push_back('(');
  RETURN_IF_ERROR(OneValue(subquery, sql));
  sql->push_back(')');
  return {};
}

Status Lowering::OneValue(const BoundScalarSubquery& subquery, std::string* sql) {
  if (HasOneRow(*subquery.query)) {
    return Query(*subquery.query, false, sql);
  }
  CallSite site;
  site.kind = CallKind::kSingleRow;
  site.result = subquery.type;
  site.arg_types = {subquery.type};
  sql->append("SELECT ba" + std::to_string(out_->sites.size()) + "(c0) FROM (");
  out_->sites.push_back(std::move(site));
  RETURN_IF_ERROR(Query(*subquery.query, false, sql));
  sql->push_back(')');
  return {};
}

Status Lowering::KeptValue(const BoundScalarSubquery& subquery, bool* done, std::string* sql) {
  const bool is_join =
      select_ != nullptr && select_->from != nullptr && select_->from->table == nullptr;
  if (!options_.keep_values || !subquery.query->correlated || !is_join || grouped_ != nullptr ||
      in_recursive_cte_) {
    return {};
  }
  const LoweredSizes before(*out_);
  OwnStatement own;
  own.is_bound = true;
  ComputedTable value;
  RETURN_IF_ERROR(AsOwnStatement(
      &own, [&](std::string* text) { return OneValue(subquery, text); }, &value.sql));
  const auto sites = std::span(out_->sites).subspan(before.sites());
  *done = own.args.size() <= kArgumentsMax && AreShared(own.args, *select_->from) &&
          std::ranges::all_of(sites, DependsOnArgumentsAlone);
  if (!*done) {
    before.Restore(out_);
    return {};
  }
  value.kind = ComputedKind::kValue;
  value.columns = 1;
  sql->append("(SELECT c0 FROM ");
  RETURN_IF_ERROR(ComputedCall(std::move(value), own.args, sql));
  sql->push_back(')');
  return {};
}

}  // namespace borealis::sql
