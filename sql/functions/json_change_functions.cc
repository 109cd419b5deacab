// JSON documents changed: JSON_SET, JSON_INSERT, JSON_REPLACE, JSON_REMOVE, JSON_ARRAY_APPEND,
// JSON_ARRAY_INSERT, JSON_MERGE_PRESERVE, JSON_MERGE_PATCH.
//
// Pairs of path and value are applied from left to right, each to what the one before it left.
#include <algorithm>

#include "sql/functions/json_internal.h"

namespace borealis::sql {

namespace {

using row::JsonNode;
using row::JsonPath;
using row::JsonPathLeg;
using row::Value;

// Where a cell that an array of `size` may lack is put: from 0 to `size`.
ptrdiff_t InsertPosition(const JsonPathLeg& leg, size_t size) {
  int64_t cell = leg.first.In(static_cast<uint32_t>(size));
  return static_cast<ptrdiff_t>(std::clamp<int64_t>(cell, 0, static_cast<int64_t>(size)));
}

// A value at a path that leads nowhere yet, if its parent can take it.
void AddAt(JsonNode* root, const JsonPath& path, JsonNode value) {
  JsonNode* parent = row::SeekJson(root, path.Parent());
  if (parent == nullptr) {
    return;
  }
  const JsonPathLeg& leg = path.legs().back();
  if (leg.kind == JsonPathLeg::Kind::kMember) {
    if (parent->is_object()) {
      parent->Set(leg.name, std::move(value));
    }
    return;
  }
  JsonNode array = row::JsonArrayOf(std::move(*parent));
  array.items.insert(array.items.begin() + InsertPosition(leg, array.items.size()),
                     std::move(value));
  *parent = std::move(array);
}

// The whole call is NULL when the document or any path is.
bool AnyPathNull(const Args& args, size_t step) {
  for (size_t i = 1; i < args.size(); i += step) {
    if (args.null(i)) {
      return true;
    }
  }
  return args.null(0);
}

// What one pair of a path and a value does to a document.
using ChangeFn = Status (*)(JsonNode* document, const JsonPath& path, JsonNode value);

template <ChangeFn kChange>
Status EvalPairs(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (AnyPathNull(args, 2)) {
    return {};
  }
  JsonNode document;
  RETURN_IF_ERROR(ReadJsonTree(call, args, 0, &document));
  for (size_t i = 1; i + 1 < args.size(); i += 2) {
    JsonPath path;
    JsonNode value;
    RETURN_IF_ERROR(ReadJsonPath(args, i, false, &path));
    RETURN_IF_ERROR(ReadJsonValue(args, i + 1, &value));
    RETURN_IF_ERROR(kChange(&document, path, std::move(value)));
  }
  return SetJson(document, out);
}

template <bool kReplacing, bool kAdding>
Status Set(JsonNode* document, const JsonPath& path, JsonNode value) {
  JsonNode* there = row::SeekJson(document, path);
  if (there != nullptr && kReplacing) {
    *there = std::move(value);
  } else if (there == nullptr && kAdding) {
    AddAt(document, path, std::move(value));
  }
  return {};
}

Status AppendToArray(JsonNode* document, const JsonPath& path, JsonNode value) {
  if (JsonNode* there = row::SeekJson(document, path); there != nullptr) {
    JsonNode array = row::JsonArrayOf(std::move(*there));
    array.items.push_back(std::move(value));
    *there = std::move(array);
  }
  return {};
}

Status InsertIntoArray(JsonNode* document, const JsonPath& path, JsonNode value) {
  if (path.is_root() || path.legs().back().kind != JsonPathLeg::Kind::kCell) {
    return UserError(ER_INVALID_JSON_PATH_ARRAY_CELL);
  }
  JsonNode* parent = row::SeekJson(document, path.Parent());
  if (parent != nullptr && parent->is_array()) {
    parent->items.insert(
        parent->items.begin() + InsertPosition(path.legs().back(), parent->items.size()),
        std::move(value));
  }
  return {};
}

void RemoveAt(JsonNode* root, JsonPath path) {
  while (!path.is_root()) {
    JsonNode* parent = row::SeekJson(root, path.Parent());
    const JsonPathLeg& leg = path.legs().back();
    if (parent == nullptr) {
      return;
    }
    if (leg.kind == JsonPathLeg::Kind::kMember) {
      parent->Remove(leg.name);
      return;
    }
    if (parent->is_array()) {
      int64_t cell = leg.first.In(static_cast<uint32_t>(parent->items.size()));
      if (cell >= 0 && cell < static_cast<int64_t>(parent->items.size())) {
        parent->items.erase(parent->items.begin() + static_cast<ptrdiff_t>(cell));
      }
      return;
    }
    if (!leg.WrapsScalar()) {
      return;
    }
    path = path.Parent();  // the only cell of what is no array is the value itself
  }
}

Status EvalRemove(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (AnyPathNull(args, 1)) {
    return {};
  }
  JsonNode document;
  RETURN_IF_ERROR(ReadJsonTree(call, args, 0, &document));
  for (size_t i = 1; i < args.size(); ++i) {
    JsonPath path;
    RETURN_IF_ERROR(ReadJsonPath(args, i, false, &path));
    if (path.is_root()) {
      return UserError(ER_JSON_VACUOUS_PATH);
    }
    RemoveAt(&document, std::move(path));
  }
  return SetJson(document, out);
}

Status EvalMergePreserve(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (call.function.def().name == "json_merge") {
    call.context.conversion.Warn(
        UserError(ER_WARN_DEPRECATED_SYNTAX, "JSON_MERGE", "JSON_MERGE_PRESERVE/JSON_MERGE_PATCH"));
  }
  JsonNode merged;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args.null(i)) {
      return {};
    }
    JsonNode next;
    RETURN_IF_ERROR(ReadJsonTree(call, args, i, &next));
    merged = i == 0 ? std::move(next) : MergeJsonPreserve(std::move(merged), std::move(next));
  }
  return SetJson(merged, out);
}

// NULL is a document that nothing is known of: a patch that is no object replaces it, another
// leaves it unknown.
Status EvalMergePatch(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  JsonNode merged;
  bool unknown = false;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args.null(i)) {
      unknown = true;
      continue;
    }
    JsonNode next;
    RETURN_IF_ERROR(ReadJsonTree(call, args, i, &next));
    if (i == 0 || !next.is_object()) {
      unknown = false;
      merged = std::move(next);
    } else if (!unknown) {
      merged = MergeJsonPatch(std::move(merged), std::move(next));
    }
  }
  return unknown ? Status() : SetJson(merged, out);
}

// A document, then pairs of a path and a value.
FunctionDef Pairs(std::string_view name, EvalFn eval) {
  return {.name = name,
          .min_args = 3,
          .max_args = kAnyNumber,
          .infer = InferJson,
          .eval = eval,
          .null_if_any_null = false,
          .arg_step = 2};
}

FunctionDef Documents(std::string_view name, EvalFn eval) {
  return {.name = name,
          .min_args = 2,
          .max_args = kAnyNumber,
          .infer = InferJson,
          .eval = eval,
          .null_if_any_null = false};
}

}  // namespace

std::span<const FunctionDef> JsonChangeFunctions() {
  static const FunctionDef kTable[] = {
      Pairs("json_set", EvalPairs<Set<true, true>>),
      Pairs("json_insert", EvalPairs<Set<false, true>>),
      Pairs("json_replace", EvalPairs<Set<true, false>>),
      Pairs("json_array_append", EvalPairs<AppendToArray>),
      Pairs("json_array_insert", EvalPairs<InsertIntoArray>),
      Documents("json_remove", EvalRemove),
      Documents("json_merge", EvalMergePreserve),
      Documents("json_merge_preserve", EvalMergePreserve),
      Documents("json_merge_patch", EvalMergePatch),
  };
  return kTable;
}

}  // namespace borealis::sql
