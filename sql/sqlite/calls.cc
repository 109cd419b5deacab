#include "sql/sqlite/calls.h"

#include <optional>

#include "sql/functions/function.h"

namespace borealis::sql {

namespace {

using row::Value;

Value FromTruth(std::optional<bool> truth) {
  return truth.has_value() ? Value::Bool(*truth) : Value::Null();
}

std::optional<bool> TruthOf(const Value& value) {
  return value.is_null() ? std::optional<bool>() : value.raw_int() != 0;
}

bool Holds(CompareOp op, int order) {
  switch (op) {
    case CompareOp::kEqual:
    case CompareOp::kNullSafeEqual:
      return order == 0;
    case CompareOp::kNotEqual:
      return order != 0;
    case CompareOp::kLess:
      return order < 0;
    case CompareOp::kLessEqual:
      return order <= 0;
    case CompareOp::kGreater:
      return order > 0;
    case CompareOp::kGreaterEqual:
      return order >= 0;
  }
  return false;
}

std::optional<bool> Compare(const CallSite& site, std::span<const Value> args) {
  if (args[0].is_null() || args[1].is_null()) {
    return site.compare == CompareOp::kNullSafeEqual
               ? std::optional(args[0].is_null() && args[1].is_null())
               : std::nullopt;
  }
  return Holds(site.compare, CompareValues(site.arg_types[0], args[0], args[1]));
}

std::optional<bool> IsAmong(const CallSite& site, std::span<const Value> args) {
  if (args[0].is_null()) {
    return std::nullopt;
  }
  bool unknown = false;
  for (const Value& item : args.subspan(1)) {
    if (item.is_null()) {
      unknown = true;
    } else if (CompareValues(site.arg_types[0], args[0], item) == 0) {
      return true;
    }
  }
  return unknown ? std::nullopt : std::optional(false);
}

// AND, whose outcome a false argument decides, and OR, with true ones.
std::optional<bool> Combined(std::span<const Value> args, bool deciding) {
  bool unknown = false;
  for (const Value& arg : args) {
    const std::optional<bool> truth = TruthOf(arg);
    if (truth == deciding) {
      return deciding;
    }
    unknown = unknown || !truth.has_value();
  }
  return unknown ? std::nullopt : std::optional(!deciding);
}

}  // namespace

Status MakeCall(const RunContext& context, const CallSite& site, std::span<const row::Value> args,
                row::Value* out) {
  EvalContext& eval = *context.eval;
  switch (site.kind) {
    case CallKind::kFunction:
      return site.function->Eval(eval, args, out);
    case CallKind::kConvert:
    case CallKind::kCast:
      if (args[0].is_null()) {
        return {};
      }
      return site.kind == CallKind::kConvert
                 ? ConvertValue(eval, args[0], site.arg_types[0], site.result, out)
                 : CastValue(eval, args[0], site.arg_types[0], site.result, out);
    case CallKind::kTruth:
      if (!args[0].is_null()) {
        *out = row::Value::Bool(row::ToBool(args[0], site.arg_types[0], eval.conversion));
      }
      return {};
    case CallKind::kReadVariable: {
      const TypedValue* found = context.variables->Find(site.variable);
      if (found == nullptr || found->value.is_null()) {
        return {};
      }
      return ConvertValue(eval, found->value, found->type, site.result, out);
    }
    case CallKind::kAssignVariable: {
      TypedValue value{site.arg_types[0], args[0]};
      value.value.Own();
      context.variables->Set(site.variable, std::move(value));
      *out = args[0];
      return {};
    }
    case CallKind::kCompare:
      *out = FromTruth(Compare(site, args));
      return {};
    case CallKind::kIn:
      *out = FromTruth(IsAmong(site, args));
      return {};
    case CallKind::kInSet:
      *out = FromTruth(site.constants->Contains(args[0]));
      return {};
    case CallKind::kNot: {
      const std::optional<bool> truth = TruthOf(args[0]);
      *out = truth.has_value() ? Value::Bool(!*truth) : Value::Null();
      return {};
    }
    case CallKind::kIsNull:
      *out = Value::Bool(args[0].is_null());
      return {};
    case CallKind::kAnd:
    case CallKind::kOr:
      *out = FromTruth(Combined(args, site.kind == CallKind::kOr));
      return {};
    case CallKind::kAggregate:
    case CallKind::kSingleRow:
      break;
  }
  return Status::Internal("scalar call of an aggregate");
}

}  // namespace borealis::sql
