// Expressions in SQLite's SQL.
#include <algorithm>
#include <optional>

#include "row/collation.h"
#include "row/register.h"
#include "sql/binder/binder_internal.h"
#include "sql/functions/function.h"
#include "sql/sqlite/lowering_internal.h"
#include "sql/sqlite/register_io.h"

namespace borealis::sql {
namespace {

using row::Type;

bool IsBaseColumn(const BoundExpr& expr) {
  const auto* column = expr.TryAs<BoundColumn>();
  return column != nullptr && (column->table->kind == BoundTableKind::kBase ||
                               column->table->kind == BoundTableKind::kSystem);
}

std::vector<Type> TypesOf(const std::vector<BoundPtr>& exprs) {
  std::vector<Type> types;
  types.reserve(exprs.size());
  for (const BoundPtr& expr : exprs) {
    types.push_back(expr->type);
  }
  return types;
}

std::string_view OperatorText(CompareOp op) {
  switch (op) {
    case CompareOp::kEqual:
      return " = ";
    case CompareOp::kNullSafeEqual:
      return " IS ";
    case CompareOp::kNotEqual:
      return " <> ";
    case CompareOp::kLess:
      return " < ";
    case CompareOp::kLessEqual:
      return " <= ";
    case CompareOp::kGreater:
      return " > ";
    case CompareOp::kGreaterEqual:
      return " >= ";
  }
  return " = ";
}

}  // namespace

std::string CollateSuffix(const BoundExpr& expr) {
  const auto* column = expr.TryAs<BoundColumn>();
  if (column != nullptr && IsBaseColumn(expr) && column->column != kHandleColumn &&
      expr.type.is_text() &&
      column->table->columns[column->column].type.collation == expr.type.collation) {
    return "";  // declared with it
  }
  return ValueCollateSuffix(expr);
}

std::string ValueCollateSuffix(const BoundExpr& expr) {
  if (expr.type.kind == row::TypeKind::kJson) {
    return " COLLATE \"" + std::string(row::kJsonOrder) + "\"";
  }
  if (!expr.type.is_text()) {
    return "";
  }
  return " COLLATE \"" + std::string(row::GetCollation(expr.type.collation).name()) + "\"";
}

bool KeepsRegister(const Type& from, const Type& to) {
  if (from.is_null()) {
    return true;
  }
  if (from.is_text() && to.is_text()) {
    return true;
  }
  if (from.is_binary_string() && to.is_binary_string()) {
    return true;
  }
  if (from.is_enum_or_set() || to.is_enum_or_set()) {
    return from == to.Nullable(from.nullable);
  }
  if (from.is_integer() && to.is_integer() && SameRegisterForm(from, to)) {
    return true;  // common types only widen
  }
  if (from.is_floating() && to.kind == row::TypeKind::kDouble) {
    return true;
  }
  if (from.is_decimal() && to.is_decimal() && to.scale >= from.scale) {
    return true;
  }
  if (from.is_temporal() && to.is_temporal() && SameRegisterForm(from, to)) {
    return from.kind == to.kind ? to.scale >= from.scale : to.kind == row::TypeKind::kDateTime;
  }
  return from.kind == to.kind && !from.is_numeric() && !from.is_temporal();
}

Status Lowering::Joined(const std::vector<BoundPtr>& parts, size_t begin, size_t end,
                        std::string_view between, std::string* sql) {
  // Balanced, so that long lists do not make a tree as deep as they are long.
  if (end - begin == 1) {
    return Expr(*parts[begin], sql);
  }
  size_t middle = end - begin <= 8 ? end - 1 : begin + (end - begin) / 2;
  sql->push_back('(');
  RETURN_IF_ERROR(Joined(parts, begin, middle, between, sql));
  sql->append(between);
  RETURN_IF_ERROR(Joined(parts, middle, end, between, sql));
  sql->push_back(')');
  return {};
}

Status Lowering::Call(CallSite site, std::string_view name, const std::vector<BoundPtr>& args,
                      std::string* sql) {
  std::vector<BoundPtr> given;
  site.arg_types = TypesOf(args);
  RETURN_IF_ERROR(Steps(args, &site.steps, &given));
  site.given_types = TypesOf(given);
  sql->append(name);
  sql->append(std::to_string(out_->sites.size()));
  out_->sites.push_back(std::move(site));
  for (const BoundPtr& arg : given) {
    sql->push_back(',');
    RETURN_IF_ERROR(Expr(*arg, sql));
  }
  sql->push_back(')');
  return {};
}

Status Lowering::Comparable(const BoundExpr& expr, std::string* sql) {
  RETURN_IF_ERROR(Expr(expr, sql));
  const bool is_value = IsArgument(expr) || !GroupedColumn(expr).empty();
  sql->append(is_value ? ValueCollateSuffix(expr) : CollateSuffix(expr));
  return {};
}

Status Lowering::Expr(const BoundExpr& expr, std::string* sql) {
  if (IsArgument(expr)) {
    return Argument(expr, sql);
  }
  if (const std::string column = GroupedColumn(expr); !column.empty()) {
    sql->append(column);
    return {};
  }
  switch (expr.kind) {
    case BoundKind::kLiteral:
      return AppendLiteral(expr.As<BoundLiteral>().value, expr.type, sql);
    case BoundKind::kParameter: {
      uint32_t index = expr.As<BoundParameter>().index;
      if (out_->parameters.size() <= index) {
        out_->parameters.resize(index + 1);
      }
      out_->parameters[index] = expr.type;
      sql->append("?" + std::to_string(index + 1));
      return {};
    }
    case BoundKind::kColumn: {
      const auto& column = expr.As<BoundColumn>();
      if (in_call_ && IsHidden(*column.table)) {
        return UserError(ER_NOT_SUPPORTED_YET,
                         "a lateral table in parentheses that depends on tables outside of them");
      }
      sql->append(TableAlias(*column.table));
      sql->append(column.column == kHandleColumn ? ".h" : ".c" + std::to_string(column.column));
      return {};
    }
    case BoundKind::kConvert:
      return Convert(expr.As<BoundConvert>(), sql);
    case BoundKind::kFunction:
      return Function(expr.As<BoundFunction>(), sql);
    case BoundKind::kCompare:
      return Compare(expr.As<BoundCompare>(), sql);
    case BoundKind::kLogical: {
      const auto& logical = expr.As<BoundLogical>();
      NoteAlternatives(logical);
      return Joined(expr.args, 0, expr.args.size(), logical.is_and ? " AND " : " OR ", sql);
    }
    case BoundKind::kNot:
      sql->append("(NOT ");
      RETURN_IF_ERROR(Expr(*expr.args[0], sql));
      sql->push_back(')');
      return {};
    case BoundKind::kIsNull:
      sql->push_back('(');
      RETURN_IF_ERROR(Expr(*expr.args[0], sql));
      sql->append(expr.As<BoundIsNull>().negated ? " IS NOT NULL)" : " IS NULL)");
      return {};
    case BoundKind::kIsTruth: {
      const auto& test = expr.As<BoundIsTruth>();
      sql->push_back('(');
      RETURN_IF_ERROR(Expr(*expr.args[0], sql));
      sql->append(test.negated ? " IS NOT " : " IS ");
      sql->append(test.truth ? "TRUE)" : "FALSE)");
      return {};
    }
    case BoundKind::kCase:
      return Case(expr.As<BoundCase>(), sql);
    case BoundKind::kIn:
      return In(expr.As<BoundIn>(), sql);
    case BoundKind::kScalarSubquery:
      return ScalarSubquery(expr.As<BoundScalarSubquery>(), sql);
    case BoundKind::kExists:
      return Exists(*expr.As<BoundExists>().query, sql);
    case BoundKind::kInSubquery:
      return InSubquery(expr.As<BoundInSubquery>(), sql);
    case BoundKind::kAggregate:
      return Aggregate(expr.As<BoundAggregate>(), sql);
    case BoundKind::kWindow:
      return Window(expr.As<BoundWindow>(), sql);
    case BoundKind::kUserVariable: {
      CallSite site;
      site.kind = CallKind::kReadVariable;
      site.result = expr.type;
      site.variable = expr.As<BoundUserVariable>().name;
      return Call(std::move(site), "bv(", {}, sql);
    }
    case BoundKind::kAssignVariable: {
      CallSite site;
      site.kind = CallKind::kAssignVariable;
      site.result = expr.type;
      site.variable = expr.As<BoundAssignVariable>().name;
      return Call(std::move(site), "bv(", expr.args, sql);
    }
    case BoundKind::kGrouping:
      break;  // replaced by the binder
  }
  return Status::Internal("expression of an unknown kind");
}

Status Lowering::Convert(const BoundConvert& convert, std::string* sql) {
  std::optional<CallSite> site = SiteOf(convert);
  return site.has_value() ? Call(*std::move(site), "bf(", convert.args, sql)
                          : Expr(*convert.args[0], sql);
}

Status Lowering::Function(const BoundFunction& call, std::string* sql) {
  const FunctionDef& def = call.function->def();
  if (std::optional<CallSite> site = SiteOf(call); site.has_value()) {
    return Call(*std::move(site), "bf(", call.args, sql);
  }
  if (def.stability == Stability::kVolatile) {
    CallSite site;
    site.function = call.function;
    site.result = call.type;
    return Call(std::move(site), "bv(", call.args, sql);
  }
  sql->push_back('(');
  RETURN_IF_ERROR(Arithmetic(call, sql));
  sql->push_back(')');
  return {};
}

void Lowering::NoteJoin(const BoundExpr& side, const BoundExpr& other) {
  const auto* column = side.TryAs<BoundColumn>();
  if (column == nullptr || column->table->kind != BoundTableKind::kBase ||
      column->column == kHandleColumn) {
    return;
  }
  bool of_others = false;
  Walk(other, [&](const BoundExpr& part) {
    const auto* read = part.TryAs<BoundColumn>();
    of_others |= read != nullptr && read->table != column->table;
  });
  if (of_others) {
    out_->joined.push_back({ModuleOf(*column->table), column->column});
  }
}

Status Lowering::Compare(const BoundCompare& compare, std::string* sql) {
  if (compare.op == CompareOp::kEqual) {
    NoteJoin(*compare.args[0], *compare.args[1]);
    NoteJoin(*compare.args[1], *compare.args[0]);
  }
  sql->push_back('(');
  RETURN_IF_ERROR(Comparable(*compare.args[0], sql));
  sql->append(OperatorText(compare.op));
  RETURN_IF_ERROR(Expr(*compare.args[1], sql));
  sql->push_back(')');
  return {};
}

Status Lowering::Case(const BoundCase& node, std::string* sql) {
  if (node.coalesce) {
    sql->append("coalesce(");
    for (size_t i = 0; i < node.args.size(); ++i) {
      sql->append(i == 0 ? "" : ",");
      RETURN_IF_ERROR(Expr(*node.args[i], sql));
    }
    sql->push_back(')');
    return {};
  }
  // A chain of CASEs, each in the ELSE of the one before, is one: each of its own would be deeper
  // in SQLite's parser, whose stack has 100 places.
  sql->append("CASE");
  const BoundExpr* otherwise = nullptr;
  for (const BoundCase* part = &node; part != nullptr; part = NextCase(*part)) {
    for (size_t i = 0; i + 1 < part->args.size(); i += 2) {
      sql->append(" WHEN ");
      RETURN_IF_ERROR(Expr(*part->args[i], sql));
      sql->append(" THEN ");
      RETURN_IF_ERROR(Expr(*part->args[i + 1], sql));
    }
    otherwise = part->args.size() % 2 == 1 ? part->args.back().get() : nullptr;
  }
  if (otherwise != nullptr) {
    sql->append(" ELSE ");
    RETURN_IF_ERROR(Expr(*otherwise, sql));
  }
  sql->append(" END");
  return {};
}

const BoundCase* Lowering::NextCase(const BoundCase& node) {
  if (node.args.size() % 2 == 0) {
    return nullptr;
  }
  const BoundExpr* otherwise = node.args.back().get();
  while (otherwise->Is<BoundConvert>() && !SiteOf(*otherwise).has_value() &&
         GroupedColumn(*otherwise).empty()) {
    otherwise = otherwise->args[0].get();
  }
  const auto* next = otherwise->TryAs<BoundCase>();
  return next != nullptr && !next->coalesce && GroupedColumn(*next).empty() ? next : nullptr;
}

void Lowering::NoteList(const BoundExpr& compared, std::span<const BoundPtr> values) {
  const auto* column = compared.TryAs<BoundColumn>();
  if (column == nullptr || column->table->kind != BoundTableKind::kBase ||
      column->column == kHandleColumn) {
    return;
  }
  ConstantList list{ModuleOf(*column->table), column->column, {}};
  for (const BoundPtr& value : values) {
    const auto* literal = value->TryAs<BoundLiteral>();
    if (literal == nullptr) {
      return;
    }
    list.values.push_back(literal->value.Borrow());
    list.values.back().Own();
  }
  out_->lists.push_back(std::move(list));
}

// The machine takes x = 1 OR x = 2 for x IN (1, 2).
void Lowering::NoteAlternatives(const BoundLogical& logical) {
  const BoundExpr* compared = nullptr;
  std::vector<BoundPtr> values;
  for (const BoundPtr& arm : logical.args) {
    const auto* compare = arm->TryAs<BoundCompare>();
    if (logical.is_and || compare == nullptr || compare->op != CompareOp::kEqual) {
      return;
    }
    const bool reversed = compare->args[0]->Is<BoundLiteral>();
    const BoundExpr& operand = *compare->args[reversed ? 1 : 0];
    if (compared != nullptr && !SameExpr(*compared, operand)) {
      return;
    }
    compared = &operand;
    values.push_back(compare->args[reversed ? 0 : 1]);
  }
  NoteList(*compared, values);
}

Status Lowering::In(const BoundIn& in, std::string* sql) {
  if (!in.negated) {
    NoteList(*in.args[0], std::span(in.args).subspan(1));
  }
  sql->push_back('(');
  RETURN_IF_ERROR(Comparable(*in.args[0], sql));
  sql->append(in.negated ? " NOT IN (" : " IN (");
  for (size_t i = 1; i < in.args.size(); ++i) {
    sql->append(i == 1 ? "" : ",");
    RETURN_IF_ERROR(Expr(*in.args[i], sql));
  }
  sql->append("))");
  return {};
}

Status Lowering::Aggregate(const BoundAggregate& aggregate, std::string* sql) {
  bool native_count = aggregate.fn == AggregateFn::kCount &&
                      (aggregate.args.empty() || (aggregate.args.size() == 1));
  bool native_extreme = aggregate.fn == AggregateFn::kMin || aggregate.fn == AggregateFn::kMax;
  if (native_count || native_extreme) {
    sql->append(native_count ? "count(" : aggregate.fn == AggregateFn::kMin ? "min(" : "max(");
    if (aggregate.args.empty()) {
      sql->push_back('*');
    } else {
      sql->append(aggregate.distinct ? "DISTINCT " : "");
      RETURN_IF_ERROR(Comparable(*aggregate.args[0], sql));
    }
    sql->push_back(')');
    Anchor(aggregate, sql);
    return {};
  }
  CallSite site;
  site.kind = CallKind::kAggregate;
  site.result = aggregate.type;
  std::vector<BoundPtr> args;
  site.aggregate = SpecOf(aggregate, &args);
  site.arg_types = TypesOf(args);
  sql->append("ba" + std::to_string(out_->sites.size()) + "(");
  out_->sites.push_back(std::move(site));
  for (size_t i = 0; i < args.size(); ++i) {
    sql->append(i == 0 ? "" : ",");
    RETURN_IF_ERROR(Expr(*args[i], sql));
  }
  sql->push_back(')');
  Anchor(aggregate, sql);
  return {};
}

// SQLite takes an aggregate for one of the innermost query whose columns it names. One over the
// rows of this query that names only columns of the queries around names one of this query as well.
void Lowering::Anchor(const BoundAggregate& aggregate, std::string* sql) {
  if (aggregate.owner == nullptr) {
    return;
  }
  const BoundFrom* at = aggregate.owner->from.get();
  bool outer = false;
  bool own = false;
  WalkDeep(aggregate, [&](const BoundExpr& part) {
    if (const auto* column = part.TryAs<BoundColumn>()) {
      (at != nullptr && Contains(*at, column->table) ? own : outer) = true;
    }
  });
  if (own || !outer) {
    return;
  }
  while (at != nullptr && at->table == nullptr) {
    at = at->left.get();
  }
  const std::string column = at != nullptr ? TableAlias(*at->table) + ".c0" : kNoTable + ".c0";
  sql->append(" FILTER (WHERE " + column + " IS " + column + ")");
}

AggregateSpec Lowering::SpecOf(const BoundAggregate& aggregate, std::vector<BoundPtr>* args) {
  AggregateSpec spec;
  spec.fn = aggregate.fn;
  spec.distinct = aggregate.distinct;
  spec.arg_types = TypesOf(aggregate.args);
  spec.result = aggregate.type;
  spec.separator = aggregate.separator;
  const auto* window = aggregate.TryAs<BoundWindow>();
  spec.moving_frame = window != nullptr && window->has_frame &&
                      window->frame_start.kind != FrameBoundKind::kUnboundedPreceding;
  *args = aggregate.args;
  for (const BoundOrder& order : aggregate.order_by) {
    spec.order_by.push_back({order.expr->type, order.descending});
    args->push_back(order.expr);
  }
  return spec;
}

Status Lowering::Window(const BoundWindow& window, std::string* sql) {
  if (window.is_aggregate) {
    RETURN_IF_ERROR(Aggregate(window, sql));
  } else {
    static constexpr std::string_view kNames[] = {
        "row_number", "rank", "dense_rank",  "percent_rank", "cume_dist", "ntile",
        "lead",       "lag",  "first_value", "last_value",   "nth_value"};
    sql->append(kNames[static_cast<size_t>(window.window_fn)]);
    sql->push_back('(');
    for (size_t i = 0; i < window.args.size(); ++i) {
      sql->append(i == 0 ? "" : ",");
      RETURN_IF_ERROR(Expr(*window.args[i], sql));
    }
    sql->push_back(')');
  }
  sql->append(" OVER (");
  for (size_t i = 0; i < window.partition_by.size(); ++i) {
    sql->append(i == 0 ? "PARTITION BY " : ",");
    RETURN_IF_ERROR(Comparable(*window.partition_by[i], sql));
  }
  for (size_t i = 0; i < window.window_order.size(); ++i) {
    sql->append(i == 0 ? " ORDER BY " : ",");
    RETURN_IF_ERROR(Comparable(*window.window_order[i].expr, sql));
    sql->append(window.window_order[i].descending ? " DESC" : "");
  }
  if (window.has_frame) {
    auto bound = [&](const BoundFrameBound& at) -> Status {
      switch (at.kind) {
        case FrameBoundKind::kUnboundedPreceding:
          sql->append("UNBOUNDED PRECEDING");
          return {};
        case FrameBoundKind::kUnboundedFollowing:
          sql->append("UNBOUNDED FOLLOWING");
          return {};
        case FrameBoundKind::kCurrentRow:
          sql->append("CURRENT ROW");
          return {};
        case FrameBoundKind::kPreceding:
        case FrameBoundKind::kFollowing:
          RETURN_IF_ERROR(Expr(*at.offset, sql));
          sql->append(at.kind == FrameBoundKind::kPreceding ? " PRECEDING" : " FOLLOWING");
          return {};
      }
      return {};
    };
    sql->append(window.frame_unit == FrameUnit::kRows ? " ROWS BETWEEN " : " RANGE BETWEEN ");
    RETURN_IF_ERROR(bound(window.frame_start));
    sql->append(" AND ");
    RETURN_IF_ERROR(bound(window.frame_end));
  }
  sql->push_back(')');
  return {};
}

}  // namespace borealis::sql
