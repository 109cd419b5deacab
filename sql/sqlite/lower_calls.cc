// Calls of sql/functions: which expressions are calls, and calls within calls.
//
// `price * (1 - discount)` is one call for SQLite, with the columns as its arguments: between the
// multiplication and the subtraction no register is filled, and no literal is read from one. In a
// call with columns an inner call without them stays a call of its own, which SQLite makes once
// instead of for each row.
#include <algorithm>
#include <optional>

#include "row/register.h"
#include "sql/binder/binder_internal.h"
#include "sql/functions/function.h"
#include "sql/sqlite/lowering_internal.h"

namespace borealis::sql {
namespace {

// Values on the stack of one call, at most.
constexpr size_t kStepsMax = 64;

// Inclusive range of a signed integer expression; nothing when it may leave 64 bits.
struct Range {
  int64_t low;
  int64_t high;
};

std::optional<Range> Combine(std::string_view op, Range a, Range b) {
  int64_t corners[4];
  if (op == "*") {
    if (__builtin_mul_overflow(a.low, b.low, &corners[0]) ||
        __builtin_mul_overflow(a.low, b.high, &corners[1]) ||
        __builtin_mul_overflow(a.high, b.low, &corners[2]) ||
        __builtin_mul_overflow(a.high, b.high, &corners[3])) {
      return std::nullopt;
    }
    return Range{*std::min_element(corners, corners + 4), *std::max_element(corners, corners + 4)};
  }
  bool overflow = op == "+" ? __builtin_add_overflow(a.low, b.low, &corners[0]) ||
                                  __builtin_add_overflow(a.high, b.high, &corners[1])
                            : __builtin_sub_overflow(a.low, b.high, &corners[0]) ||
                                  __builtin_sub_overflow(a.high, b.low, &corners[1]);
  if (overflow) {
    return std::nullopt;
  }
  return Range{corners[0], corners[1]};
}

std::optional<Range> RangeOf(const BoundExpr& expr) {
  if (const auto* literal = expr.TryAs<BoundLiteral>()) {
    if (literal->value.kind() != row::ValueKind::kInt) {
      return std::nullopt;
    }
    return Range{literal->value.int_value(), literal->value.int_value()};
  }
  if (expr.kind == BoundKind::kColumn) {
    if (!expr.type.is_integer() || expr.type.is_unsigned ||
        expr.type.kind == row::TypeKind::kBigInt) {
      return std::nullopt;
    }
    return Range{row::MinSigned(expr.type), row::MaxSigned(expr.type)};
  }
  const auto* call = expr.TryAs<BoundFunction>();
  if (call == nullptr || call->args.size() != 2 || !expr.type.is_integer() ||
      expr.type.is_unsigned) {
    return std::nullopt;
  }
  std::string_view op = call->function->def().name;
  if (op != "+" && op != "-" && op != "*") {
    return std::nullopt;
  }
  std::optional<Range> a = RangeOf(*call->args[0]);
  std::optional<Range> b = RangeOf(*call->args[1]);
  return a.has_value() && b.has_value() ? Combine(op, *a, *b) : std::nullopt;
}

bool ReadsColumn(const BoundExpr& expr) {
  bool reads = false;
  Walk(expr, [&](const BoundExpr& part) { reads |= part.Is<BoundColumn>(); });
  return reads;
}

// Integer arithmetic that stays within 64 bits is SQLite's own.
bool IsNative(const BoundFunction& call) {
  const std::string_view name = call.function->def().name;
  return (name == "+" || name == "-" || name == "*") && call.args.size() == 2 &&
         RangeOf(call).has_value();
}

}  // namespace

Result<row::Value> AsRead(const BoundLiteral& literal) {
  row::Register reg;
  if (literal.value.is_null()) {
    return row::Value::Null();
  }
  RETURN_IF_ERROR(row::ToRegister(literal.value, literal.type, &reg));
  ASSIGN_OR_RETURN(row::Value value,
                   row::FromRegister(reg.kind, reg.integer, reg.real, reg.bytes, literal.type));
  value.Own();
  return value;
}

std::optional<CallSite> Lowering::SiteOf(const BoundExpr& expr) {
  CallSite site;
  site.result = expr.type;
  for (const BoundPtr& arg : expr.args) {
    site.arg_types.push_back(arg->type);
  }
  if (const auto* call = expr.TryAs<BoundFunction>()) {
    if (call->function->def().stability == Stability::kVolatile || IsNative(*call)) {
      return std::nullopt;
    }
    site.kind = CallKind::kFunction;
    site.function = call->function;
    return site;
  }
  const auto* convert = expr.TryAs<BoundConvert>();
  if (convert == nullptr || convert->mode == BoundConvert::Mode::kAnyValue) {
    return std::nullopt;
  }
  const bool implicit = convert->mode == BoundConvert::Mode::kImplicit;
  if (implicit && KeepsRegister(expr.args[0]->type, expr.type)) {
    return std::nullopt;
  }
  site.kind = implicit                                      ? CallKind::kConvert
              : convert->mode == BoundConvert::Mode::kTruth ? CallKind::kTruth
                                                            : CallKind::kCast;
  return site;
}

bool Lowering::IsInner(const BoundExpr& expr, bool in_constant) {
  return SiteOf(expr).has_value() && (in_constant || ReadsColumn(expr)) &&
         GroupedColumn(expr).empty();
}

Status Lowering::Arithmetic(const BoundFunction& call, std::string* sql) {
  // What comes first needs no parentheses where its operator binds as well: `a+b+c` has as many
  // terms as one likes, `((a+b)+c)` is as deep in SQLite's parser as it is long.
  const std::string_view name = call.function->def().name;
  const auto* first = call.args[0]->TryAs<BoundFunction>();
  if (first != nullptr && IsNative(*first) && GroupedColumn(*first).empty() &&
      (name != "*" || first->function->def().name == "*")) {
    RETURN_IF_ERROR(Arithmetic(*first, sql));
  } else {
    RETURN_IF_ERROR(Expr(*call.args[0], sql));
  }
  sql->append(name);
  return Expr(*call.args[1], sql);
}

Status Lowering::Steps(const std::vector<BoundPtr>& args, std::vector<CallStep>* steps,
                       std::vector<BoundPtr>* given) {
  const bool constant =
      std::ranges::none_of(args, [](const BoundPtr& arg) { return ReadsColumn(*arg); });
  const bool plain = std::ranges::none_of(args, [&](const BoundPtr& arg) {
    return arg->Is<BoundLiteral>() || IsInner(*arg, constant);
  });
  if (plain) {
    *given = args;
    return {};
  }
  return AddSteps(args, constant, steps, given);
}

Status Lowering::AddSteps(const std::vector<BoundPtr>& args, bool in_constant,
                          std::vector<CallStep>* steps, std::vector<BoundPtr>* given) {
  for (const BoundPtr& arg : args) {
    CallStep step;
    if (const auto* literal = arg->TryAs<BoundLiteral>()) {
      step.kind = CallStep::Kind::kConstant;
      ASSIGN_OR_RETURN(step.constant, AsRead(*literal));
    } else if (steps->size() < kStepsMax && IsInner(*arg, in_constant)) {
      RETURN_IF_ERROR(AddSteps(arg->args, in_constant, steps, given));
      step.kind = CallStep::Kind::kCall;
      step.call = *SiteOf(*arg);
    } else {
      const auto known = std::ranges::find_if(*given, [&](const BoundPtr& other) {
        return arg->Is<BoundColumn>() && SameExpr(*other, *arg) && other->type == arg->type;
      });
      step.given = static_cast<size_t>(known - given->begin());
      if (known == given->end()) {
        given->push_back(arg);
      }
    }
    steps->push_back(std::move(step));
  }
  return {};
}

}  // namespace borealis::sql
