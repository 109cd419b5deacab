// Conditions that a table's cursor tests (RowFilter).
//
// What the machine tests for each row takes a register for every column and a call for every
// function. LIKE, <>, NOT, OR and lists of what a function gives are no conditions that an index
// could serve; where they speak of one table alone its cursor drops the rows that do not pass, and
// the machine never sees them.
//
// They are tested before all other conditions of the WHERE, so that none of them may warn or fail:
// columns, literals, comparisons within one type and functions that cut or match texts. Rows that
// are locked are left to the machine, which tells which of them have matched.
#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <optional>
#include <span>

#include "sql/binder/binder_internal.h"
#include "sql/functions/function.h"
#include "sql/sqlite/lowering_internal.h"
#include "sql/sqlite/passing_share.h"

namespace borealis::sql {
namespace {

// Functions of texts and integers that give a value for all of these, without a warning.
bool IsQuiet(const BoundFunction& call) {
  static constexpr std::array<std::string_view, 9> kNames = {
      "like", "substr", "substring", "mid", "left", "right", "char_length", "lower", "upper"};
  const auto is_plain = [](const BoundPtr& arg) {
    return arg->type.is_text() || arg->type.is_integer();
  };
  return std::ranges::find(kNames, call.function->def().name) != kNames.end() &&
         std::ranges::all_of(call.args, is_plain);
}

// Whether the values of a comparison may be compared as they are.
bool IsComparable(const std::vector<BoundPtr>& args) {
  const row::Type& first = args[0]->type;
  return !first.is_enum_or_set() && first.kind != row::TypeKind::kJson &&
         std::ranges::all_of(args, [&](const BoundPtr& arg) {
           return arg->type.is_null() ||
                  (arg->type.kind == first.kind && arg->type.is_unsigned == first.is_unsigned) ||
                  (arg->type.is_text() && first.is_text()) ||
                  (arg->type.is_integer() && first.is_integer() &&
                   arg->type.is_unsigned == first.is_unsigned);
         });
}

CallStep CallOf(CallKind kind, const std::vector<BoundPtr>& args) {
  CallStep step;
  step.kind = CallStep::Kind::kCall;
  step.call.kind = kind;
  step.call.result = row::Type::Boolean();
  for (const BoundPtr& arg : args) {
    step.call.arg_types.push_back(arg->type);
  }
  return step;
}

// What is called for the expression over its arguments; nothing where a cursor does not do that.
std::optional<CallStep> TestOf(const BoundExpr& expr) {
  const auto are_truths = [&] {
    return std::ranges::all_of(expr.args,
                               [](const BoundPtr& arg) { return arg->type.is_integer(); });
  };
  std::optional<CallStep> test;
  if (const auto* call = expr.TryAs<BoundFunction>(); call != nullptr && IsQuiet(*call)) {
    test = CallOf(CallKind::kFunction, expr.args);
    test->call.function = call->function;
    test->call.result = expr.type;
  } else if (const auto* compare = expr.TryAs<BoundCompare>();
             compare != nullptr && IsComparable(expr.args)) {
    test = CallOf(CallKind::kCompare, expr.args);
    test->call.compare = compare->op;
  } else if (expr.Is<BoundIn>() && IsComparable(expr.args)) {
    test = CallOf(CallKind::kIn, expr.args);
  } else if (expr.Is<BoundIsNull>()) {
    test = CallOf(CallKind::kIsNull, expr.args);
  } else if (expr.kind == BoundKind::kNot && are_truths()) {
    test = CallOf(CallKind::kNot, expr.args);
  } else if (const auto* logical = expr.TryAs<BoundLogical>(); logical != nullptr && are_truths()) {
    test = CallOf(logical->is_and ? CallKind::kAnd : CallKind::kOr, expr.args);
  }
  return test;
}

// Whether one look-up says what the IN list would, item by item.
bool IsAmongConstants(const BoundExpr& expr) {
  return expr.Is<BoundIn>() && ConstantSet::Takes(expr.args[0]->type) &&
         std::all_of(expr.args.begin() + 1, expr.args.end(),
                     [](const BoundPtr& item) { return item->Is<BoundLiteral>(); });
}

// REQUIRES: IsAmongConstants and IsComparable.
Result<CallStep> LookUpOf(const std::vector<BoundPtr>& args) {
  CallStep step = CallOf(CallKind::kInSet, {args[0]});
  auto constants = std::make_shared<ConstantSet>(args[0]->type);
  for (size_t i = 1; i < args.size(); ++i) {
    ASSIGN_OR_RETURN(const row::Value value, AsRead(args[i]->As<BoundLiteral>()));
    constants->Add(value);
  }
  step.call.constants = std::move(constants);
  return step;
}

bool IsNegated(const BoundExpr& expr) {
  const auto* in = expr.TryAs<BoundIn>();
  const auto* is_null = expr.TryAs<BoundIsNull>();
  return (in != nullptr && in->negated) || (is_null != nullptr && is_null->negated);
}

// The one stored table that the condition speaks of, where its cursor may test it.
const BoundTable* TableOf(const BoundExpr& condition) {
  const BoundTable* table = nullptr;
  bool one = true;
  Walk(condition, [&](const BoundExpr& part) {
    if (const auto* column = part.TryAs<BoundColumn>()) {
      one = one && column->column != kHandleColumn && (table == nullptr || table == column->table);
      table = column->table;
    }
  });
  return one && table != nullptr && table->kind == BoundTableKind::kBase &&
                 table->lock == RowLock::kNone
             ? table
             : nullptr;
}

}  // namespace

Result<bool> Lowering::ConditionSteps(const BoundPtr& condition, RowFilter::Condition* to) {
  CallStep step;
  if (const auto* literal = condition->TryAs<BoundLiteral>()) {
    step.kind = CallStep::Kind::kConstant;
    ASSIGN_OR_RETURN(step.constant, AsRead(*literal));
  } else if (const auto* column = condition->TryAs<BoundColumn>()) {
    const auto known = std::ranges::find(to->columns, column->column);
    step.given = static_cast<size_t>(known - to->columns.begin());
    if (known == to->columns.end()) {
      to->columns.push_back(column->column);
    }
  } else if (std::optional<CallStep> call = TestOf(*condition); call.has_value()) {
    step = *std::move(call);
  } else {
    return false;
  }
  std::span<const BoundPtr> on_stack = condition->args;
  if (IsAmongConstants(*condition)) {
    ASSIGN_OR_RETURN(step, LookUpOf(condition->args));
    on_stack = on_stack.first(1);
  }
  for (const BoundPtr& arg : on_stack) {
    ASSIGN_OR_RETURN(const bool done, ConditionSteps(arg, to));
    if (!done) {
      return false;
    }
  }
  to->steps.push_back(std::move(step));
  if (IsNegated(*condition)) {
    to->steps.push_back(CallOf(CallKind::kNot, {condition}));
  }
  return true;
}

Result<bool> Lowering::AddTest(const std::vector<const BoundTable*>& tables,
                               const BoundPtr& conjunct, FiltersByTable* filters) {
  const BoundTable* const table = TableOf(*conjunct);
  if (std::ranges::find(tables, table) == tables.end()) {
    return false;
  }
  RowFilter::Condition condition;
  condition.type = conjunct->type;
  ASSIGN_OR_RETURN(const bool done, ConditionSteps(conjunct, &condition));
  if (done) {
    (*filters)[table->id].conditions.push_back(std::move(condition));
  }
  return done;
}

Status Lowering::TakeFilters(const BoundSelect& select, std::vector<BoundPtr>* conjuncts,
                             std::vector<std::string>* texts) {
  if (select.from == nullptr || options_.module_per_table || in_recursive_cte_) {
    return {};
  }
  const std::vector<const BoundTable*> tables = InnerTables(*select.from);
  FiltersByTable cheap;
  FiltersByTable filters;
  std::vector<BoundPtr> rest;
  for (BoundPtr& conjunct : *conjuncts) {
    const bool is_seen = IsSeen(*conjunct);
    ASSIGN_OR_RETURN(const bool added, AddTest(tables, conjunct, is_seen ? &cheap : &filters));
    if (is_seen || !added) {
      rest.push_back(std::move(conjunct));
    }
  }
  for (auto& [table, filter] : filters) {
    // What the machine tests as well, should no index serve it, drops rows before the calls.
    filter.conditions.insert(filter.conditions.begin(),
                             std::make_move_iterator(cheap[table].conditions.begin()),
                             std::make_move_iterator(cheap[table].conditions.end()));
    texts->push_back("t" + std::to_string(table) + ".q=" + std::to_string(out_->filters.size()));
    out_->filters.push_back(std::move(filter));
  }
  *conjuncts = std::move(rest);
  return {};
}

}  // namespace borealis::sql
