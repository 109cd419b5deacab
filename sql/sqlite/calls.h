// Makes the calls of sites (call_site.h), with values in the place of registers.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "row/value.h"
#include "sql/sqlite/machine.h"

namespace borealis::sql {

// The call of a site that is no aggregate. Text in `out` may borrow from `args`.
Status MakeCall(const RunContext& context, const CallSite& site, std::span<const row::Value> args,
                row::Value* out);

// Puts what the steps make on the bottom of the stack, which grows as needed. `given(i)` is value
// number i of those that the steps start from, as a Result<row::Value>; the values on the stack
// borrow from it.
template <class Given>
Status RunSteps(const RunContext& context, std::span<const CallStep> steps, Given given,
                std::vector<row::Value>* stack) {
  if (stack->size() < steps.size()) {
    stack->resize(steps.size());
  }
  row::Value* top = stack->data();
  for (const CallStep& step : steps) {
    switch (step.kind) {
      case CallStep::Kind::kGiven: {
        ASSIGN_OR_RETURN(*top, given(step.given));
        break;
      }
      case CallStep::Kind::kConstant:
        *top = step.constant.Borrow();
        break;
      case CallStep::Kind::kCall: {
        const size_t count = step.call.arg_types.size();
        top -= count;
        row::Value out;
        RETURN_IF_ERROR(MakeCall(context, step.call, {top, count}, &out));
        out.Own();  // it may borrow from what it replaces
        *top = std::move(out);
        break;
      }
    }
    ++top;
  }
  return {};
}

}  // namespace borealis::sql
