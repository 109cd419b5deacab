// Tables that are computed from the tables before them: LATERAL and JSON_TABLE.
//
// SQLite's derived tables see nothing of their siblings, its table-valued functions do. So a
// lateral query becomes a statement of its own; the columns that it reads from outside, and the
// parameters, become the function's arguments (INV-LATERAL-1). Planning puts the call after the
// tables that its arguments are from, in outer joins, too. Groups by hash (lower_grouped.cc) and
// values that are kept (lower_subquery.cc) are such tables as well.
#include <algorithm>
#include <utility>

#include "sql/binder/binder_internal.h"
#include "sql/sqlite/lowering_internal.h"

namespace borealis::sql {
namespace {

template <class T>
bool Has(const std::vector<const T*>& list, size_t count, const T* what) {
  const auto end = list.begin() + static_cast<ptrdiff_t>(count);
  return std::find(list.begin(), end, what) != end;
}

BoundPtr CopyOf(const BoundExpr& expr) {
  if (const auto* column = expr.TryAs<BoundColumn>()) {
    return std::make_shared<BoundColumn>(*column);
  }
  return std::make_shared<BoundParameter>(expr.As<BoundParameter>());
}

}  // namespace

std::string ModuleName(const ComputedTable& table) {
  return "computed." + std::to_string(table.columns) + "." + std::to_string(table.arg_types.size());
}

void Lowering::Show(const BoundFrom* from) {
  if (from == nullptr) {
    return;
  }
  if (from->table != nullptr) {
    shown_.push_back(from->table);
    return;
  }
  Show(from->left.get());
  Show(from->right.get());
}

bool Lowering::IsArgument(const BoundExpr& expr) const {
  if (own_statement_ == nullptr) {
    return false;
  }
  const auto* column = expr.TryAs<BoundColumn>();
  return (expr.Is<BoundParameter>() && !own_statement_->is_bound) ||
         (column != nullptr && Has(shown_, own_statement_->outer_tables, column->table));
}

bool Lowering::IsHidden(const BoundTable& table) const {
  return std::any_of(parentheses_.begin(), parentheses_.end(), [&](const Parentheses& at) {
    return Contains(*at.all, &table) && !Contains(*at.within, &table);
  });
}

Status Lowering::Argument(const BoundExpr& expr, std::string* sql) {
  std::vector<BoundPtr>& args = own_statement_->args;
  size_t at = 0;
  while (at < args.size() && !SameExpr(*args[at], expr)) {
    ++at;
  }
  if (at == args.size()) {
    args.push_back(CopyOf(expr));
  }
  sql->append(":o" + std::to_string(at));
  return {};
}

Status Lowering::UseCte(const BoundCte& cte) {
  if (own_statement_ == nullptr || !Has(defined_, own_statement_->outer_ctes, &cte) ||
      Has(own_statement_->ctes, own_statement_->ctes.size(), &cte)) {
    return {};
  }
  if (Has(being_defined_, being_defined_.size(), &cte)) {
    return UserError(ER_CTE_RECURSIVE_REQUIRES_SINGLE_REFERENCE, cte.name);
  }
  own_statement_->ctes.push_back(&cte);
  std::string definition;
  RETURN_IF_ERROR(CteDefinition(cte, &definition));
  // After those that it uses itself.
  own_statement_->cte_sql += (own_statement_->cte_sql.empty() ? "" : ",") + definition;
  return {};
}

Status Lowering::AsOwnStatement(OwnStatement* own, const std::function<Status(std::string*)>& lower,
                                std::string* sql) {
  own->outer_tables = shown_.size();
  own->outer_ctes = defined_.size();
  OwnStatement* outer = std::exchange(own_statement_, own);
  GroupedSelect* grouped = std::exchange(grouped_, nullptr);
  std::vector<Parentheses> parentheses = std::exchange(parentheses_, {});
  const bool in_call = std::exchange(in_call_, false);
  const bool recursive = std::exchange(in_recursive_cte_, false);
  const BoundCte* depth_of = std::exchange(depth_of_, nullptr);
  Status lowered = lower(sql);
  depth_of_ = depth_of;
  in_recursive_cte_ = recursive;
  in_call_ = in_call;
  parentheses_ = std::move(parentheses);
  grouped_ = grouped;
  own_statement_ = outer;
  RETURN_IF_ERROR(lowered);
  if (!own->cte_sql.empty()) {
    *sql = "WITH RECURSIVE " + own->cte_sql + " SELECT * FROM (" + *sql + ")";
  }
  return {};
}

Status Lowering::Lateral(const BoundTable& table, std::string* sql) {
  OwnStatement own;
  std::string query;
  RETURN_IF_ERROR(AsOwnStatement(
      &own, [&](std::string* text) { return Query(*table.query, false, text); }, &query));
  ComputedTable rows;
  rows.kind = ComputedKind::kLateral;
  rows.columns = table.columns.size();
  rows.sql = std::move(query);
  return ComputedCall(std::move(rows), own.args, sql);
}

Status Lowering::ComputedCall(ComputedTable computed, const std::vector<BoundPtr>& args,
                              std::string* sql) {
  if (args.size() > kArgumentsMax) {
    return UserError(ER_NOT_SUPPORTED_YET, "LATERAL with more than 15 values from outside");
  }
  for (const BoundPtr& arg : args) {
    computed.arg_types.push_back(arg->type);
  }
  sql->append(Quoted(ModuleName(computed)) + "(" + std::to_string(out_->computed.size()));
  out_->computed.push_back(std::move(computed));
  const bool in_call = std::exchange(in_call_, true);
  for (const BoundPtr& arg : args) {
    sql->push_back(',');
    RETURN_IF_ERROR(Expr(*arg, sql));
  }
  in_call_ = in_call;
  sql->push_back(')');
  return {};
}

}  // namespace borealis::sql
