// Aggregates: state that takes rows one by one and gives a value.
//
// NULL arguments are skipped (but for JSON aggregates and COUNT(*)). DISTINCT keeps the sort keys
// of the tuples it has seen. An aggregator belongs to one group of one statement; not thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "row/type.h"
#include "row/value.h"
#include "sql/ast/expr.h"
#include "sql/functions/eval_context.h"

namespace borealis::sql {

struct AggregateSpec {
  AggregateFn fn = AggregateFn::kCount;
  bool distinct = false;
  // The aggregate's own arguments; empty for COUNT(*).
  std::vector<row::Type> arg_types;
  row::Type result;
  // GROUP_CONCAT: each row's arguments are followed by the values it is ordered by.
  std::string separator = ",";
  struct Order {
    row::Type type;
    bool descending = false;
  };
  std::vector<Order> order_by;
  // Over a window frame whose start moves: rows are removed again.
  bool moving_frame = false;
};

class Aggregator {
 public:
  virtual ~Aggregator() = default;
  // `args`: the arguments, then the values of order_by.
  virtual Status Step(EvalContext& context, std::span<const row::Value> args) = 0;
  // The value so far, held as spec.result; more rows may follow.
  virtual Status Finish(EvalContext& context, row::Value* out) = 0;
  // Undoes a Step, for window frames that move on. REQUIRES: can_remove().
  virtual Status Remove(EvalContext& context, std::span<const row::Value> args);
  virtual bool can_remove() const { return false; }
  // Bytes held, for memory limits.
  virtual size_t memory_bytes() const { return 64; }
};

// 1235 for an aggregate that is not offered. `spec` is copied. With `moving_frame` it can remove.
Result<std::unique_ptr<Aggregator>> MakeAggregator(const AggregateSpec& spec);
// ANY_VALUE(x): the first row's, NULL or not.
std::unique_ptr<Aggregator> MakeAnyValue();

// Result types as MySQL infers them; arg types as written (SUM of text is DOUBLE).
Result<row::Type> AggregateResultType(AggregateFn fn, std::span<const row::Type> args,
                                      uint32_t div_precision_increment, row::CollationId collation);

}  // namespace borealis::sql
