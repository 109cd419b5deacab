// What rows are sorted by where that is JSON ("json sort key", "json partition key").
//
// MySQL sorts arrays and objects by their length alone and says so, once, with warning 1235; what
// is equal it still decides by all of them. So a sort's key holds in place of an array or an object
// the length, in a document of the same kind; a window's partitions, which have no order that
// anyone sees, keep what is there.
#include "sql/functions/json_internal.h"

namespace borealis::sql {

namespace {

using row::JsonNode;
using row::JsonView;
using row::Value;

void WarnOfSorting(EvalContext& context) {
  if (!context.json_sorting_told) {
    context.json_sorting_told = true;
    context.conversion.Warn(UserError(ER_NOT_SUPPORTED_YET, "sorting of non-scalar JSON values"));
  }
}

Status InferDocument(const InferInput& input, row::Type* type) {
  if (input.args[0].type.kind != row::TypeKind::kJson) {
    return UserError(ER_INVALID_TYPE_FOR_JSON, 1, "json sort key");
  }
  return InferJson(input, type);
}

Status EvalSortKey(const EvalCall& call, std::span<const Value> values, Value* out) {
  const JsonView json(values[0].bytes());
  if (!json.is_container()) {
    *out = values[0].Borrow();
    return {};
  }
  WarnOfSorting(call.context);
  JsonNode size = JsonNode::Uint(json.size());
  JsonNode key = json.is_array() ? JsonNode::Array() : JsonNode::Object();
  if (json.is_array()) {
    key.items.push_back(std::move(size));
  } else {
    key.Set("", std::move(size));
  }
  return SetJson(key, out);
}

Status EvalPartitionKey(const EvalCall& call, std::span<const Value> values, Value* out) {
  if (JsonView(values[0].bytes()).is_container()) {
    WarnOfSorting(call.context);
  }
  *out = values[0].Borrow();
  return {};
}

}  // namespace

std::span<const FunctionDef> JsonOrderFunctions() {
  static const FunctionDef kTable[] = {
      {.name = "json sort key",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDocument,
       .eval = EvalSortKey},
      {.name = "json partition key",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDocument,
       .eval = EvalPartitionKey},
  };
  return kTable;
}

}  // namespace borealis::sql
