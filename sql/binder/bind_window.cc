// Windows: what OVER and WINDOW define, which may build on each other, and their frames.
//
// The machine measures the distances of a RANGE frame by subtracting numbers. Where the order is by
// a DECIMAL or a date, such a frame is therefore over the key's position, a whole number with the
// same order ("range position", frame_functions.cc), and its offset is in the same units. What is
// measured in months is not (bind_month_frames.cc).
#include <algorithm>
#include <utility>

#include "sql/ast/print.h"
#include "sql/binder/binder_internal.h"
#include "sql/binder/evaluate.h"
#include "sql/functions/function.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

constexpr std::string_view kUnnamed = "<unnamed window>";
// Of a 64-bit number.
constexpr uint32_t kPositionDigits = 18;

const NamedWindow* FindWindow(const Scope& scope, std::string_view name) {
  if (scope.named_windows == nullptr) {
    return nullptr;
  }
  const auto found = std::ranges::find_if(
      *scope.named_windows, [&](const NamedWindow& named) { return SameName(named.name, name); });
  return found == scope.named_windows->end() ? nullptr : &*found;
}

// Others are about their whole partition.
bool UsesFrame(const BoundWindow& window) {
  return window.is_aggregate || window.window_fn == WindowFn::kFirstValue ||
         window.window_fn == WindowFn::kLastValue || window.window_fn == WindowFn::kNthValue;
}

// The name of the window whose parts are being bound.
std::string_view NameOfOuter(const Scope& scope) {
  if (scope.in_window->only_name) {
    return scope.in_window->base;
  }
  for (const NamedWindow& named : *scope.named_windows) {
    if (&named.spec == scope.in_window) {
      return named.name;
    }
  }
  return kUnnamed;
}

bool HasOffset(const FrameBound& bound) {
  return bound.offset != nullptr;
}

// The windows that `window` builds on are there, and it is none of them.
Status CheckBases(const Scope& scope, const NamedWindow& window) {
  const NamedWindow* at = &window;
  for (size_t steps = 0; !at->spec.base.empty(); ++steps) {
    if (steps == scope.named_windows->size()) {
      return UserError(ER_WINDOW_CIRCULARITY_IN_WINDOW_GRAPH);
    }
    const std::string& base = at->spec.base;
    at = FindWindow(scope, base);
    if (at == nullptr) {
      return UserError(ER_WINDOW_NO_SUCH_WINDOW, base);
    }
  }
  return {};
}

Status CheckFrameOrder(const WindowFrame& frame, std::string_view name) {
  using enum FrameBoundKind;
  const FrameBoundKind start = frame.start.kind;
  const FrameBoundKind end = frame.end.kind;
  if (start == kUnboundedFollowing) {
    return UserError(ER_WINDOW_FRAME_START_ILLEGAL, name);
  }
  if (end == kUnboundedPreceding) {
    return UserError(ER_WINDOW_FRAME_END_ILLEGAL, name);
  }
  const bool backwards = (start == kCurrentRow && end == kPreceding) ||
                         (start == kFollowing && (end == kPreceding || end == kCurrentRow));
  return backwards ? UserError(ER_WINDOW_FRAME_ILLEGAL, name) : Status::Ok();
}

bool IsCount(const Value& value) {
  return value.kind() == row::ValueKind::kUint ||
         (value.kind() == row::ValueKind::kInt && value.int_value() >= 0);
}

uint32_t WholeDigits(const Type& type) {
  constexpr uint32_t kOfBigInt = 20;
  return type.is_decimal() ? type.length - type.scale : kOfBigInt;
}

}  // namespace

std::string StatementBinder::WindowNameOf(const WindowSpec& spec) {
  return spec.only_name ? spec.base : std::string(kUnnamed);
}

Status StatementBinder::CheckNamedWindows(const Scope& scope) {
  const std::vector<NamedWindow>& windows = *scope.named_windows;
  for (size_t i = 0; i < windows.size(); ++i) {
    if (const NamedWindow* first = FindWindow(scope, windows[i].name); first != &windows[i]) {
      return UserError(ER_WINDOW_DUPLICATE_NAME, first->name);
    }
  }
  for (const NamedWindow& window : windows) {
    RETURN_IF_ERROR(CheckBases(scope, window));
  }
  for (const NamedWindow& window : windows) {
    if (!window.spec.base.empty()) {
      RETURN_IF_ERROR(CheckInheritance(scope, window.spec, window.name));
    }
    if (window.spec.frame.has_value()) {
      RETURN_IF_ERROR(CheckFrameOrder(*window.spec.frame, window.name));
    }
  }
  return {};
}

// REQUIRES: the windows that `spec` builds on are not circular.
Status StatementBinder::CheckInheritance(const Scope& scope, const WindowSpec& spec,
                                         std::string_view name) {
  const NamedWindow* base = FindWindow(scope, spec.base);
  if (base == nullptr) {
    return UserError(ER_WINDOW_NO_SUCH_WINDOW, spec.base);
  }
  if (spec.only_name) {
    return {};
  }
  if (!spec.partition_by.empty()) {
    return UserError(ER_WINDOW_NO_CHILD_PARTITIONING);
  }
  if (base->spec.frame.has_value()) {
    return UserError(ER_WINDOW_NO_INHERIT_FRAME, base->name);
  }
  for (const NamedWindow* at = base; at != nullptr; at = FindWindow(scope, at->spec.base)) {
    if (!at->spec.order_by.empty() && !spec.order_by.empty()) {
      return UserError(ER_WINDOW_NO_REDEFINE_ORDER_BY, name, base->name);
    }
  }
  return {};
}

Status StatementBinder::BindWindowSpec(const WindowSpec& spec, Scope* scope, BoundWindow* window) {
  const std::string function = FoldName(std::string(
      window->is_aggregate ? AggregateName(window->fn) : WindowFunctionName(window->window_fn)));
  if (scope->in_window != nullptr) {
    return UserError(ER_WINDOW_NESTED_WINDOW_FUNC_USE_IN_WINDOW_SPEC, NameOfOuter(*scope));
  }
  if ((scope->clause != Clause::kFieldList && scope->clause != Clause::kOrderBy) ||
      scope->in_window_call > 0 || scope->in_aggregate > 0) {
    return UserError(ER_WINDOW_INVALID_WINDOW_FUNC_USE, function);
  }
  if (!spec.base.empty()) {
    RETURN_IF_ERROR(CheckInheritance(*scope, spec, kUnnamed));
  }
  scope->in_window = &spec;
  Status status = BindWindowParts(spec, WindowNameOf(spec), scope, window);
  scope->in_window = nullptr;
  return status;
}

Status StatementBinder::BindWindowParts(const WindowSpec& spec, std::string_view name, Scope* scope,
                                        BoundWindow* window) {
  if (!spec.base.empty()) {
    RETURN_IF_ERROR(BindWindowParts(FindWindow(*scope, spec.base)->spec, name, scope, window));
  }
  const Clause around = std::exchange(scope->clause, Clause::kWindowPartition);
  for (const ExprPtr& part : spec.partition_by) {
    ASSIGN_OR_RETURN(BoundPtr key, BindWindowKey(*part, name, scope));
    ASSIGN_OR_RETURN(key, SortKey(std::move(key), "json partition key"));
    window->partition_by.push_back(std::move(key));
  }
  scope->clause = Clause::kWindow;
  for (const OrderItem& item : spec.order_by) {
    ASSIGN_OR_RETURN(BoundPtr key, BindWindowKey(*item.expr, name, scope));
    ASSIGN_OR_RETURN(key, SortKey(std::move(key), "json sort key"));
    window->window_order.push_back({std::move(key), item.descending()});
  }
  scope->clause = around;
  return spec.frame.has_value() ? BindFrame(*spec.frame, name, scope, window) : Status::Ok();
}

Result<BoundPtr> StatementBinder::BindWindowKey(const Expr& expr, std::string_view name,
                                                Scope* scope) {
  const auto* literal = expr.TryAs<Literal>();
  return literal != nullptr && literal->type == LiteralKind::kInteger
             ? Result<BoundPtr>(UserError(ER_WINDOW_ILLEGAL_ORDER_BY, name))
             : BindExpr(expr, scope);
}

Status StatementBinder::BindNamedWindows(Scope* scope) {
  for (const NamedWindow& named : *scope->named_windows) {
    BoundWindow unused(Type(), AggregateFn::kCount);
    scope->in_window = &named.spec;
    RETURN_IF_ERROR(BindWindowParts(named.spec, named.name, scope, &unused));
    scope->in_window = nullptr;
  }
  return {};
}

// Arrays and objects are not sorted in an order that means anything (1235).
Result<BoundPtr> StatementBinder::SortKey(BoundPtr key, std::string_view function) {
  return key->type.kind == row::TypeKind::kJson && !IsFixed(*key)
             ? MakeFunctionWith(function, {std::move(key)}, {})
             : Result<BoundPtr>(std::move(key));
}

Status StatementBinder::SortByKeys(std::vector<BoundOrder>* order_by) {
  for (BoundOrder& order : *order_by) {
    ASSIGN_OR_RETURN(order.expr, SortKey(std::move(order.expr), "json sort key"));
  }
  return {};
}

Status StatementBinder::BindFrame(const WindowFrame& frame, std::string_view name, Scope* scope,
                                  BoundWindow* window) {
  RETURN_IF_ERROR(CheckFrameOrder(frame, name));
  window->has_frame = true;
  window->frame_unit = frame.unit;
  window->frame_start.kind = frame.start.kind;
  window->frame_end.kind = frame.end.kind;
  if (!HasOffset(frame.start) && !HasOffset(frame.end)) {
    return {};
  }
  if (frame.unit == FrameUnit::kRows) {
    RETURN_IF_ERROR(BindRowsOffset(frame.start, name, scope, &window->frame_start));
    return BindRowsOffset(frame.end, name, scope, &window->frame_end);
  }
  const Type key = window->window_order.size() == 1 ? window->window_order[0].expr->type : Type();
  const bool temporal = key.is_temporal();
  if (window->window_order.size() != 1 || (!temporal && !key.is_numeric())) {
    return UserError(ER_WINDOW_RANGE_FRAME_ORDER_TYPE, name);
  }
  for (const FrameBound* bound : {&frame.start, &frame.end}) {
    if (HasOffset(*bound) && bound->unit.has_value() != temporal) {
      return temporal ? UserError(ER_WINDOW_RANGE_FRAME_TEMPORAL_TYPE, name)
                      : UserError(ER_WINDOW_RANGE_FRAME_NUMERIC_TYPE, name);
    }
  }
  return temporal ? BindIntervalFrame(frame, name, scope, window)
                  : BindNumberFrame(frame, name, scope, window);
}

// The value of an offset, which is the same for every row. A plan with a parameter's value in it is
// good for that value only.
Result<TypedValue> StatementBinder::FrameOffset(const Expr& written, std::string_view name,
                                                Scope* scope) {
  ASSIGN_OR_RETURN(BoundPtr offset, BindExpr(written, scope));
  if (const auto* parameter = offset->TryAs<BoundParameter>()) {
    if (input_.frame) {
      return Unsupported("a variable as bound of a window frame");
    }
    if (input_.describe_only || parameter->index >= input_.parameters.size()) {
      return TypedValue{Type::BigInt(), Value::Int(0)};
    }
    facts_->uncacheable = true;
    const TypedValue& value = input_.parameters[parameter->index];
    return TypedValue{value.type, value.value.Borrow()};
  }
  if (!IsConstant(*offset)) {
    return UserError(ER_WINDOW_RANGE_BOUND_NOT_CONSTANT, name);
  }
  EvalFrame frame;
  frame.context = &environment().eval_context();
  ASSIGN_OR_RETURN(Value value, Evaluate(*offset, frame));
  value.Own();
  return TypedValue{offset->type, std::move(value)};
}

Status StatementBinder::BindRowsOffset(const FrameBound& from, std::string_view name, Scope* scope,
                                       BoundFrameBound* to) {
  if (!HasOffset(from)) {
    return {};
  }
  if (from.unit.has_value()) {
    return UserError(ER_WINDOW_ROWS_INTERVAL_USE, name);
  }
  ASSIGN_OR_RETURN(TypedValue count, FrameOffset(*from.offset, name, scope));
  if (!IsCount(count.value)) {
    return UserError(ER_WINDOW_FRAME_ILLEGAL, name);
  }
  // No partition has more rows.
  const uint64_t rows =
      std::min(static_cast<uint64_t>(count.value.raw_int()), static_cast<uint64_t>(INT64_MAX));
  to->offset = MakeLiteral(Type::BigInt(), Value::Int(static_cast<int64_t>(rows)));
  return {};
}

Result<BoundPtr> StatementBinder::RangePosition(BoundPtr key, const Type& measured_in) {
  FunctionOptions options;
  options.cast_type = measured_in;
  return MakeFunctionWith("range position", {std::move(key)}, options);
}

Status StatementBinder::BindNumberFrame(const WindowFrame& frame, std::string_view name,
                                        Scope* scope, BoundWindow* window) {
  std::vector<std::pair<BoundFrameBound*, TypedValue>> offsets;
  BoundOrder& order = window->window_order[0];
  uint32_t scale = order.expr->type.is_decimal() ? order.expr->type.scale : 0;
  uint32_t digits = WholeDigits(order.expr->type);
  bool approximate = order.expr->type.is_floating();
  for (auto [from, to] :
       {std::pair(&frame.start, &window->frame_start), std::pair(&frame.end, &window->frame_end)}) {
    if (!HasOffset(*from)) {
      continue;
    }
    ASSIGN_OR_RETURN(TypedValue offset, FrameOffset(*from->offset, name, scope));
    row::ConversionContext quiet;
    if (offset.value.is_null() || !offset.type.is_numeric() ||
        row::ToDouble(offset.value, offset.type, quiet) < 0) {
      return UserError(ER_WINDOW_FRAME_ILLEGAL, name);
    }
    if (offset.type.is_decimal()) {
      scale = std::max<uint32_t>(scale, offset.type.scale);
      digits = std::max(digits, WholeDigits(offset.type));
    }
    approximate |= offset.type.is_floating();
    offsets.emplace_back(to, std::move(offset));
  }
  if (order.expr->type.is_decimal() && !approximate && digits + scale <= kPositionDigits) {
    const Type measured_in = Type::Decimal(kPositionDigits, static_cast<uint8_t>(scale));
    ASSIGN_OR_RETURN(order.expr, RangePosition(order.expr, measured_in));
    for (auto& [to, offset] : offsets) {
      BoundPtr literal = MakeLiteral(offset.type, std::move(offset.value));
      ASSIGN_OR_RETURN(to->offset, RangePosition(std::move(literal), measured_in));
    }
    return {};
  }
  if (order.expr->type.is_decimal()) {
    return Unsupported("RANGE frame over a DECIMAL of more than 18 digits");
  }
  for (auto& [to, offset] : offsets) {
    BoundPtr literal = MakeLiteral(offset.type, std::move(offset.value));
    const bool whole = offset.type.is_integer() && !approximate;
    ASSIGN_OR_RETURN(to->offset, Fold(Convert(literal, whole ? offset.type : Type::Double())));
  }
  return {};
}

Status StatementBinder::BindIntervalFrame(const WindowFrame& frame, std::string_view name,
                                          Scope* scope, BoundWindow* window) {
  BoundOrder& order = window->window_order[0];
  const auto of_months = [](const FrameBound& bound) {
    return HasOffset(bound) && row::HasMonths(*bound.unit);
  };
  const bool by_limits = of_months(frame.start) || of_months(frame.end);
  if (by_limits && order.expr->type.kind == row::TypeKind::kTime) {
    return Unsupported("RANGE frame over a TIME with an INTERVAL of months");
  }
  for (auto [from, to] :
       {std::pair(&frame.start, &window->frame_start), std::pair(&frame.end, &window->frame_end)}) {
    if (!HasOffset(*from)) {
      continue;
    }
    ASSIGN_OR_RETURN(TypedValue amount, FrameOffset(*from->offset, name, scope));
    if (amount.value.is_null()) {
      return UserError(ER_WINDOW_FRAME_ILLEGAL, name);
    }
    const BoundPtr interval = MakeLiteral(amount.type, amount.value);
    ASSIGN_OR_RETURN(int64_t micros, IntervalMicros(std::move(amount), *from->unit));
    if (micros < 0) {
      return UserError(ER_WINDOW_FRAME_ILLEGAL, name);
    }
    to->offset = MakeLiteral(Type::BigInt(), Value::Int(micros));
    if (by_limits) {
      FunctionOptions options;
      options.unit = *from->unit;
      options.subtract = (from->kind == FrameBoundKind::kPreceding) != order.descending;
      ASSIGN_OR_RETURN(BoundPtr limit,
                       MakeFunctionWith("date_add", {order.expr, interval}, options));
      to->offset = Convert(std::move(limit), order.expr->type.Nullable());
    }
  }
  window->frame_by_limits = by_limits && UsesFrame(*window);
  if (by_limits) {
    window->has_frame = window->frame_by_limits;
    return {};
  }
  ASSIGN_OR_RETURN(order.expr, RangePosition(order.expr, order.expr->type));
  return {};
}

Result<int64_t> StatementBinder::IntervalMicros(TypedValue amount, row::IntervalUnit unit) {
  row::TemporalParts from;
  from.year = 5000;  // as far as can be from both ends of the calendar
  from.month = 1;
  from.day = 1;
  constexpr uint8_t kMicroseconds = 6;
  FunctionOptions options;
  options.unit = unit;
  ASSIGN_OR_RETURN(BoundPtr sum,
                   MakeFunctionWith("date_add",
                                    {MakeLiteral(Type::DateTime(kMicroseconds),
                                                 Value::DateTime(row::PackDateTime(from))),
                                     MakeLiteral(amount.type, std::move(amount.value))},
                                    options));
  EvalFrame frame;
  frame.context = &environment().eval_context();
  ASSIGN_OR_RETURN(Value moved, Evaluate(*sum, frame));
  if (moved.is_null()) {
    return Unsupported("RANGE frame with an INTERVAL of millennia");
  }
  return row::MicrosSince1970(row::UnpackDateTime(moved.temporal())) - row::MicrosSince1970(from);
}

}  // namespace borealis::sql
