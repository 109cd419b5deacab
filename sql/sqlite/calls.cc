#include "sql/sqlite/calls.h"

#include "sql/functions/function.h"

namespace borealis::sql {

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
    case CallKind::kAggregate:
    case CallKind::kSingleRow:
      break;
  }
  return Status::Internal("scalar call of an aggregate");
}

}  // namespace borealis::sql
