// JSON_ARRAYAGG and JSON_OBJECTAGG: the values of a group, in the order they come. Over a window
// whose frame moves on, the oldest leave first.
#include <deque>

#include "row/json/node.h"
#include "row/json/scalar.h"
#include "row/json/view.h"
#include "sql/functions/aggregate_internal.h"
#include "sql/functions/functions_internal.h"

namespace borealis::sql {

namespace {

using row::JsonNode;
using row::Type;
using row::Value;

Status NodeOf(const EvalContext& context, const Value& value, const Type& type, JsonNode* out) {
  if (value.is_null()) {
    *out = JsonNode();
    return {};
  }
  int64_t local = value.kind() == row::ValueKind::kTimestamp
                      ? context.conversion.time_zone().ToLocal(value.temporal())
                      : 0;
  return row::JsonOfValue(value, type, local, out);
}

class JsonGroup : public Aggregator {
 public:
  explicit JsonGroup(const AggregateSpec& spec) : types_(spec.arg_types) {}

  Status Remove(EvalContext&, std::span<const Value>) override {
    if (members_.empty()) {
      return Status::Internal("a frame gives back more rows than it took");
    }
    bytes_ -= members_.front().bytes;
    members_.pop_front();
    return {};
  }
  bool can_remove() const override { return true; }
  size_t memory_bytes() const override { return 64 + bytes_; }

 protected:
  struct Member {
    std::string key;
    JsonNode value;
    size_t bytes = 0;
  };
  Status Keep(EvalContext& context, std::string key, const Value& value, const Type& type) {
    Member member;
    RETURN_IF_ERROR(NodeOf(context, value, type, &member.value));
    member.bytes =
        sizeof(Member) + key.size() + (value.is_string() ? value.bytes().size() : size_t{0});
    member.key = std::move(key);
    bytes_ += member.bytes;
    members_.push_back(std::move(member));
    return {};
  }
  Status Result(const JsonNode& node, Value* out) const {
    if (node.Depth() > row::kMaxJsonDepth) {
      return UserError(ER_JSON_DOCUMENT_TOO_DEEP);
    }
    ASSIGN_OR_RETURN(std::string document, row::JsonBytes(node));
    *out = Value::String(std::move(document));
    return {};
  }

  std::vector<Type> types_;
  std::deque<Member> members_;
  size_t bytes_ = 0;
};

class JsonArrayAggregator final : public JsonGroup {
 public:
  using JsonGroup::JsonGroup;
  Status Step(EvalContext& context, std::span<const Value> args) override {
    return Keep(context, {}, args[0], types_[0]);
  }
  Status Finish(EvalContext&, Value* out) override {
    *out = Value::Null();
    if (members_.empty()) {
      return {};
    }
    JsonNode array = JsonNode::Array();
    for (const Member& member : members_) {
      array.items.push_back(member.value);
    }
    return Result(array, out);
  }
};

class JsonObjectAggregator final : public JsonGroup {
 public:
  using JsonGroup::JsonGroup;
  Status Step(EvalContext& context, std::span<const Value> args) override {
    if (args[0].is_null()) {
      return UserError(ER_JSON_DOCUMENT_NULL_KEY);
    }
    if (types_[0].is_binary_string()) {
      return UserError(ER_INVALID_JSON_CHARSET, "binary");
    }
    return Keep(context, row::ToText(args[0], types_[0], context.conversion.time_zone()), args[1],
                types_[1]);
  }
  Status Finish(EvalContext&, Value* out) override {
    *out = Value::Null();
    if (members_.empty()) {
      return {};
    }
    JsonNode object = JsonNode::Object();
    for (const Member& member : members_) {
      object.AddMember(member.key, member.value);
    }
    object.FinishMembers();
    return Result(object, out);
  }
};

}  // namespace

std::unique_ptr<Aggregator> MakeJsonArrayAgg(const AggregateSpec& spec) {
  return std::make_unique<JsonArrayAggregator>(spec);
}

std::unique_ptr<Aggregator> MakeJsonObjectAgg(const AggregateSpec& spec) {
  return std::make_unique<JsonObjectAggregator>(spec);
}

}  // namespace borealis::sql
