// GROUP_CONCAT([DISTINCT] a, b … [ORDER BY x …] [SEPARATOR s]).
//
// Without ORDER BY the text grows as rows come; with it, rows are kept and sorted at the end. Text
// beyond group_concat_max_len bytes is cut at a character, with warning 1260 for the row.
#include <algorithm>

#include "sql/functions/aggregate_internal.h"
#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Value;

class GroupConcat final : public Aggregator {
 public:
  explicit GroupConcat(const AggregateSpec& spec) : spec_(spec) {}

  Status Step(EvalContext& context, std::span<const Value> args) override {
    std::string text;
    for (size_t i = 0; i < spec_.arg_types.size(); ++i) {
      if (args[i].is_null()) {
        return {};
      }
      row::AppendText(args[i], spec_.arg_types[i], context.conversion.time_zone(), &text);
    }
    if (spec_.order_by.empty()) {
      Append(context, text, &text_, &rows_, &cut_);
      return {};
    }
    Row row{std::move(text), {}};
    bytes_ += row.text.size() + 64;
    for (size_t i = 0; i < spec_.order_by.size(); ++i) {
      row.order.push_back(args[spec_.arg_types.size() + i]);
      row.order.back().Own();
      bytes_ += sizeof(Value);
    }
    kept_.push_back(std::move(row));
    return {};
  }

  Status Finish(EvalContext& context, Value* out) override {
    if (spec_.order_by.empty()) {
      *out = rows_ == 0 ? Value::Null() : Value::String(text_);
      return {};
    }
    if (kept_.empty()) {
      *out = Value::Null();
      return {};
    }
    std::stable_sort(kept_.begin(), kept_.end(),
                     [&](const Row& a, const Row& b) { return Order(a, b) < 0; });
    std::string text;
    uint64_t rows = 0;
    bool cut = false;
    for (const Row& row : kept_) {
      Append(context, row.text, &text, &rows, &cut);
    }
    *out = Value::String(std::move(text));
    return {};
  }
  size_t memory_bytes() const override { return 64 + text_.size() + bytes_; }

 private:
  struct Row {
    std::string text;
    std::vector<Value> order;
  };

  int Order(const Row& a, const Row& b) const {
    for (size_t i = 0; i < spec_.order_by.size(); ++i) {
      const Value& x = a.order[i];
      const Value& y = b.order[i];
      int order = x.is_null() || y.is_null()
                      ? static_cast<int>(y.is_null()) - static_cast<int>(x.is_null())
                      : CompareValues(spec_.order_by[i].type, x, y);
      if (order != 0) {
        return spec_.order_by[i].descending ? -order : order;
      }
    }
    return 0;
  }

  void Append(EvalContext& context, std::string_view piece, std::string* text, uint64_t* rows,
              bool* cut) const {
    ++*rows;
    if (*cut) {
      return;
    }
    if (*rows > 1) {
      *text += spec_.separator;
    }
    *text += piece;
    if (text->size() > context.group_concat_max_len) {
      size_t limit = context.group_concat_max_len;
      while (limit > 0 && spec_.result.is_text() &&
             (static_cast<uint8_t>((*text)[limit]) & 0xC0) == 0x80) {
        --limit;
      }
      text->resize(limit);
      *cut = true;
      context.conversion.Warn(UserError(ER_CUT_VALUE_GROUP_CONCAT, *rows));
    }
  }

  AggregateSpec spec_;
  std::string text_;
  uint64_t rows_ = 0;
  bool cut_ = false;
  std::vector<Row> kept_;
  size_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<Aggregator> MakeGroupConcat(const AggregateSpec& spec) {
  return std::make_unique<GroupConcat>(spec);
}

}  // namespace borealis::sql
