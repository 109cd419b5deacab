// Functions, aggregates, collations and the progress handler that the machine calls.
#include <sqlite3.h>

#include <algorithm>

#include "base/invariant.h"
#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/json/view.h"
#include "row/register.h"
#include "sql/sqlite/calls.h"
#include "sql/sqlite/register_io.h"
#include "sql/sqlite/run_internal.h"

namespace borealis::sql {
namespace {

constexpr size_t kInlineArgs = 8;

// Decodes registers into `out`, which keeps short argument lists off the heap.
class Arguments {
 public:
  Status Decode(const std::vector<row::Type>& types, int count, sqlite3_value** values) {
    if (static_cast<size_t>(count) != types.size()) {
      return Status::Internal("call with another number of arguments");
    }
    row::Value* to = inline_;
    if (types.size() > kInlineArgs) {
      heap_.resize(types.size());
      to = heap_.data();
    }
    for (size_t i = 0; i < types.size(); ++i) {
      ASSIGN_OR_RETURN(to[i], ValueOf(values[i], types[i]));
    }
    span_ = std::span<const row::Value>(to, types.size());
    return {};
  }
  std::span<const row::Value> get() const { return span_; }

 private:
  row::Value inline_[kInlineArgs];
  std::vector<row::Value> heap_;
  std::span<const row::Value> span_;
};

// Puts the arguments of the call on the stack: what SQLite gives, or what the steps make of it.
Status FindArguments(QueryRun& run, const CallSite& site, sqlite3_value** given) {
  const auto value = [&](size_t i) { return ValueOf(given[i], site.given_types[i]); };
  std::vector<row::Value>& stack = run.stack();
  if (!site.steps.empty()) {
    return RunSteps(run.context(), site.steps, value, &stack);
  }
  stack.resize(std::max(stack.size(), site.given_types.size()));
  for (size_t i = 0; i < site.given_types.size(); ++i) {
    ASSIGN_OR_RETURN(stack[i], value(i));
  }
  return {};
}

void Fail(sqlite3_context* context, QueryRun* run, Status status) {
  sqlite3_result_error(context, "see status", -1);
  if (status.user_errno() == ER_QUERY_INTERRUPTED) {
    // A function that was stopped does not know why: 1317 or 3024.
    const Status why = run->CheckInterrupt();
    status = why.ok() ? std::move(status) : why;
  }
  run->Fail(std::move(status));
}

// State of one group of one aggregate.
struct GroupState {
  std::unique_ptr<Aggregator> aggregator;
  row::Value single;
  size_t rows = 0;
};

// Allocated zeroed by the machine and freed with the group.
struct GroupSlot {
  GroupState* state;
};

GroupState* StateOf(sqlite3_context* context, bool create) {
  auto* slot =
      static_cast<GroupSlot*>(sqlite3_aggregate_context(context, create ? sizeof(GroupSlot) : 0));
  if (slot == nullptr) {
    return nullptr;
  }
  if (slot->state == nullptr && create) {
    slot->state = new GroupState();
  }
  return slot->state;
}

Status StepOrRemove(QueryRun& run, const CallSite& site, GroupState* state,
                    std::span<const row::Value> args, bool remove) {
  if (site.kind == CallKind::kSingleRow) {
    if (++state->rows > 1) {
      return UserError(ER_SUBQUERY_NO_1_ROW);
    }
    state->single = args[0];
    state->single.Own();
    return {};
  }
  if (state->aggregator == nullptr) {
    ASSIGN_OR_RETURN(state->aggregator, MakeAggregator(site.aggregate));
  }
  if (!remove) {
    return state->aggregator->Step(*run.context().eval, args);
  }
  INVARIANT(state->aggregator->can_remove());  // AggregateSpec::moving_frame
  return state->aggregator->Remove(*run.context().eval, args);
}

void StepAggregate(sqlite3_context* context, int count, sqlite3_value** values, bool remove) {
  auto* slot = static_cast<AggregateSlot*>(sqlite3_user_data(context));
  QueryRun* run = MachineCallbacks::Current(slot->machine);
  const CallSite& site = run->site(slot->site);
  GroupState* state = StateOf(context, true);
  if (state == nullptr) {
    sqlite3_result_error_nomem(context);
    return;
  }
  Arguments args;
  Status status = args.Decode(site.arg_types, count, values);
  if (status.ok()) {
    status = StepOrRemove(*run, site, state, args.get(), remove);
  }
  if (!status.ok()) {
    Fail(context, run, std::move(status));
  }
}

void Finish(sqlite3_context* context, GroupState* state) {
  auto* slot = static_cast<AggregateSlot*>(sqlite3_user_data(context));
  QueryRun* run = MachineCallbacks::Current(slot->machine);
  if (run == nullptr || !run->status().ok()) {
    return;  // cleaning up
  }
  const CallSite& site = run->site(slot->site);
  row::Value value;
  Status status;
  if (site.kind == CallKind::kSingleRow) {
    if (state != nullptr) {
      value = state->single.Borrow();
    }
  } else {
    std::unique_ptr<Aggregator> empty;
    Aggregator* aggregator = state != nullptr ? state->aggregator.get() : nullptr;
    if (aggregator == nullptr) {
      Result<std::unique_ptr<Aggregator>> made = MakeAggregator(site.aggregate);
      if (made.ok()) {
        empty = std::move(made).value();
        aggregator = empty.get();
      } else {
        status = std::move(made).status();
      }
    }
    if (aggregator != nullptr) {
      status = aggregator->Finish(*run->context().eval, &value);
    }
  }
  if (status.ok()) {
    status = SetResult(context, value, site.result);
  }
  if (!status.ok()) {
    Fail(context, run, std::move(status));
  }
}

int CompareDocuments(void*, int a_size, const void* a, int b_size, const void* b) {
  return row::CompareJson(
      std::string_view(static_cast<const char*>(a), static_cast<size_t>(a_size)),
      std::string_view(static_cast<const char*>(b), static_cast<size_t>(b_size)));
}

int CompareWith(void* collation, int a_size, const void* a, int b_size, const void* b) {
  return static_cast<const row::Collation*>(collation)->Compare(
      {static_cast<const char*>(a), static_cast<size_t>(a_size)},
      {static_cast<const char*>(b), static_cast<size_t>(b_size)});
}

}  // namespace

void MachineCallbacks::Scalar(sqlite3_context* context, int count, sqlite3_value** values) {
  auto* machine = static_cast<QueryMachine*>(sqlite3_user_data(context));
  QueryRun* run = machine->current_;
  if (run == nullptr || count < 1) {
    sqlite3_result_error(context, "call outside a statement", -1);
    return;
  }
  const CallSite& site = run->site(static_cast<size_t>(sqlite3_value_int64(values[0])));
  row::Value out;
  Status status = static_cast<size_t>(count) == site.given_types.size() + 1
                      ? FindArguments(*run, site, values + 1)
                      : Status::Internal("call with another number of arguments");
  if (status.ok()) {
    status = MakeCall(run->context(), site, {run->stack().data(), site.arg_types.size()}, &out);
  }
  if (status.ok()) {
    status = SetResult(context, out, site.result);
  }
  if (!status.ok()) {
    Fail(context, run, std::move(status));
  }
}

void MachineCallbacks::NextDepth(sqlite3_context* context, int, sqlite3_value** values) {
  QueryRun* run = static_cast<QueryMachine*>(sqlite3_user_data(context))->current_;
  if (run == nullptr) {
    sqlite3_result_error(context, "call outside a statement", -1);
    return;
  }
  int64_t depth = sqlite3_value_int64(values[0]) + 1;
  const uint64_t limit = run->context().eval->cte_max_recursion_depth;
  // A row that is there to stay makes one more round.
  const int64_t rounds = depth + sqlite3_value_int64(values[1]);
  if (static_cast<uint64_t>(rounds) > limit) {
    Fail(context, run, UserError(ER_CTE_MAX_RECURSION_DEPTH, limit + 1));
    return;
  }
  const std::string text = std::to_string(depth);
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

void MachineCallbacks::AggregateStep(sqlite3_context* context, int count, sqlite3_value** values) {
  StepAggregate(context, count, values, false);
}

void MachineCallbacks::AggregateInverse(sqlite3_context* context, int count,
                                        sqlite3_value** values) {
  StepAggregate(context, count, values, true);
}

void MachineCallbacks::AggregateValue(sqlite3_context* context) {
  Finish(context, StateOf(context, false));
}

void MachineCallbacks::AggregateFinal(sqlite3_context* context) {
  GroupState* state = StateOf(context, false);
  Finish(context, state);
  delete state;
}

int MachineCallbacks::Progress(void* machine) {
  QueryRun* run = static_cast<QueryMachine*>(machine)->current_;
  if (run == nullptr) {
    return 0;
  }
  Status status = run->CheckInterrupt();
  if (status.ok()) {
    return 0;
  }
  run->Fail(std::move(status));
  return 1;
}

void MachineCallbacks::CollationNeeded(void*, sqlite3* connection, int, const char* name) {
  if (name == row::kJsonOrder) {
    sqlite3_create_collation_v2(connection, name, SQLITE_UTF8, nullptr, CompareDocuments, nullptr);
    return;
  }
  if (std::string_view(name) == kRoundCollation) {
    sqlite3_create_collation_v2(
        connection, name, SQLITE_UTF8, nullptr,
        [](void*, int, const void*, int, const void*) { return 0; }, nullptr);
    return;
  }
  const row::Collation* collation = row::FindCollation(name);
  if (collation != nullptr) {
    sqlite3_create_collation_v2(connection, name, SQLITE_UTF8,
                                const_cast<row::Collation*>(collation), CompareWith, nullptr);
  }
}

}  // namespace borealis::sql
