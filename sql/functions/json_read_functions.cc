// What is in a JSON document: JSON_EXTRACT, JSON_KEYS, JSON_LENGTH, JSON_DEPTH, JSON_TYPE,
// JSON_STORAGE_SIZE, JSON_STORAGE_FREE.
#include "sql/functions/json_internal.h"

namespace borealis::sql {

namespace {

using row::JsonNode;
using row::JsonPath;
using row::JsonType;
using row::JsonView;
using row::Type;
using row::Value;

// One path to one value gives that value; several paths or values give an array of them.
Status EvalExtract(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  JsonArgument document;
  RETURN_IF_ERROR(document.Read(call, args, 0));
  JsonPath path;
  if (args.size() == 2) {
    RETURN_IF_ERROR(ReadJsonPath(args, 1, true, &path));
    if (!path.is_multiple()) {
      JsonView value;
      bool found;
      RETURN_IF_ERROR(FindJson(document.view(), path, &value, &found));
      return found ? SetJson(value, out) : Status();
    }
  }
  JsonNode array = JsonNode::Array();
  for (size_t i = 1; i < args.size(); ++i) {
    RETURN_IF_ERROR(ReadJsonPath(args, i, true, &path));
    std::vector<JsonView> found;
    RETURN_IF_ERROR(row::SeekJson(document.view(), path, false, &found));
    for (const JsonView& value : found) {
      RETURN_IF_ERROR(value.ToNode(&array.items.emplace_back()));
    }
  }
  return array.items.empty() ? Status() : SetJson(array, out);
}

// The document, or the value in it that the path in argument 1 leads to.
Status FindTarget(const Args& args, const JsonView& document, JsonView* target, bool* found) {
  *target = document;
  *found = true;
  if (args.size() < 2) {
    return {};
  }
  JsonPath path;
  RETURN_IF_ERROR(ReadJsonPath(args, 1, false, &path));
  return FindJson(document, path, target, found);
}

Status EvalKeys(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  JsonArgument document;
  RETURN_IF_ERROR(document.Read(call, args, 0));
  JsonView target;
  bool found;
  RETURN_IF_ERROR(FindTarget(args, document.view(), &target, &found));
  if (!found || !target.is_object()) {
    return {};
  }
  JsonNode keys = JsonNode::Array();
  for (uint32_t i = 0; i < target.size(); ++i) {
    keys.items.push_back(JsonNode::String(std::string(target.key(i))));
  }
  return SetJson(keys, out);
}

// With a path to several values their number counts, which MySQL makes an array of.
Status EvalLength(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  JsonArgument document;
  RETURN_IF_ERROR(document.Read(call, args, 0));
  JsonPath path;
  if (args.size() == 2) {
    RETURN_IF_ERROR(ReadJsonPath(args, 1, true, &path));
  }
  std::vector<JsonView> found;
  RETURN_IF_ERROR(row::SeekJson(document.view(), path, false, &found));
  if (found.empty()) {
    return {};
  }
  if (path.is_multiple()) {
    return SetInt(out, static_cast<int64_t>(found.size()));
  }
  return SetInt(out, found[0].is_container() ? found[0].size() : 1);
}

Status EvalDepth(const EvalCall& call, std::span<const Value> values, Value* out) {
  JsonArgument document;
  RETURN_IF_ERROR(document.Read(call, Args(call, values), 0));
  return SetInt(out, document.view().Depth());
}

std::string_view OpaqueTypeName(uint8_t code) {
  switch (code) {
    case 15:
    case 249:
    case 250:
    case 251:
    case 252:
    case 253:
    case 254:
      return "BLOB";
    case 16:
      return "BIT";
    case 255:
      return "GEOMETRY";
    default:
      return "OPAQUE";
  }
}

std::string_view TypeName(const JsonView& value) {
  switch (value.type()) {
    case JsonType::kNull:
      return "NULL";
    case JsonType::kDecimal:
      return "DECIMAL";
    case JsonType::kInt:
      return "INTEGER";
    case JsonType::kUint:
      return "UNSIGNED INTEGER";
    case JsonType::kDouble:
      return "DOUBLE";
    case JsonType::kString:
      return "STRING";
    case JsonType::kObject:
      return "OBJECT";
    case JsonType::kArray:
      return "ARRAY";
    case JsonType::kBoolean:
      return "BOOLEAN";
    case JsonType::kDate:
      return "DATE";
    case JsonType::kTime:
      return "TIME";
    case JsonType::kDateTime:
      return "DATETIME";
    case JsonType::kOpaque:
    case JsonType::kDamaged:
      break;
  }
  return OpaqueTypeName(value.opaque_type());
}

Status InferTypeName(const InferInput&, Type* type) {
  *type = Type::Varchar(51, row::kUtf8mb4Bin);
  return {};
}

Status EvalType(const EvalCall& call, std::span<const Value> values, Value* out) {
  JsonArgument document;
  RETURN_IF_ERROR(document.Read(call, Args(call, values), 0));
  return SetText(call, std::string(TypeName(document.view())), out);
}

Status EvalStorageSize(const EvalCall& call, std::span<const Value> values, Value* out) {
  JsonArgument document;
  RETURN_IF_ERROR(document.Read(call, Args(call, values), 0));
  ASSIGN_OR_RETURN(size_t size, document.view().StoredSize());
  return SetInt(out, static_cast<int64_t>(size));
}

// Documents are always rewritten as a whole, so none has room left by a change.
Status EvalStorageFree(const EvalCall& call, std::span<const Value> values, Value* out) {
  JsonArgument document;
  RETURN_IF_ERROR(document.Read(call, Args(call, values), 0));
  return SetInt(out, 0);
}

}  // namespace

std::span<const FunctionDef> JsonReadFunctions() {
  static const FunctionDef kTable[] = {
      {.name = "json_extract",
       .min_args = 2,
       .max_args = kAnyNumber,
       .infer = InferJson,
       .eval = EvalExtract},
      {.name = "json_keys", .min_args = 1, .max_args = 2, .infer = InferJson, .eval = EvalKeys},
      {.name = "json_length",
       .min_args = 1,
       .max_args = 2,
       .infer = InferBigInt,
       .eval = EvalLength},
      {.name = "json_depth", .min_args = 1, .max_args = 1, .infer = InferBigInt, .eval = EvalDepth},
      {.name = "json_type", .min_args = 1, .max_args = 1, .infer = InferTypeName, .eval = EvalType},
      {.name = "json_storage_size",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigInt,
       .eval = EvalStorageSize},
      {.name = "json_storage_free",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigInt,
       .eval = EvalStorageFree},
  };
  return kTable;
}

}  // namespace borealis::sql
