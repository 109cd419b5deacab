// An aggregate over a window frame that moves, where rows cannot be taken out of its state (a sum
// of floating-point numbers, an extreme, a variance, …): the frame's rows are kept, and the value
// is computed anew when rows have left. O(frame) for each such value, and in memory.
#include <deque>

#include "base/invariant.h"
#include "base/result.h"
#include "sql/functions/aggregate_internal.h"

namespace borealis::sql {

namespace {

class MovingAggregator final : public Aggregator {
 public:
  explicit MovingAggregator(AggregateSpec spec) : spec_(std::move(spec)) {}

  Status Step(EvalContext& context, std::span<const row::Value> args) override {
    std::vector<row::Value>& kept = rows_.emplace_back(args.begin(), args.end());
    for (row::Value& value : kept) {
      value.Own();
      bytes_ += BytesOf(value);
    }
    return current_ == nullptr ? Status::Ok() : current_->Step(context, kept);
  }

  // Rows leave in the order in which they came.
  Status Remove(EvalContext& /*context*/, std::span<const row::Value> /*args*/) override {
    INVARIANT(!rows_.empty());
    for (const row::Value& value : rows_.front()) {
      bytes_ -= BytesOf(value);
    }
    rows_.pop_front();
    current_ = nullptr;
    return Status::Ok();
  }

  bool can_remove() const override { return true; }

  Status Finish(EvalContext& context, row::Value* out) override {
    if (current_ == nullptr) {
      ASSIGN_OR_RETURN(current_, MakeAggregator(spec_));
      for (const std::vector<row::Value>& row : rows_) {
        RETURN_IF_ERROR(current_->Step(context, row));
      }
    }
    return current_->Finish(context, out);
  }

  size_t memory_bytes() const override {
    return bytes_ + (current_ == nullptr ? 0 : current_->memory_bytes());
  }

 private:
  static size_t BytesOf(const row::Value& value) {
    return sizeof(value) + (value.is_string() ? value.bytes().size() : 0);
  }

  const AggregateSpec spec_;
  std::deque<std::vector<row::Value>> rows_;
  size_t bytes_ = 0;                     // held by rows_
  std::unique_ptr<Aggregator> current_;  // of all rows_; null when rows have left since
};

}  // namespace

std::unique_ptr<Aggregator> MakeMovingAggregator(const AggregateSpec& spec) {
  return std::make_unique<MovingAggregator>(spec);
}

}  // namespace borealis::sql
