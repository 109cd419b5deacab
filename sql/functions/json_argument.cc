#include "row/collation.h"
#include "row/json/parse.h"
#include "row/json/scalar.h"
#include "sql/functions/json_internal.h"

namespace borealis::sql {

using row::JsonNode;
using row::JsonView;
using row::Type;
using row::TypeKind;

namespace {

// Text of argument `i` parsed; what is neither text nor JSON is refused.
Status ParseArgument(const EvalCall& call, const Args& args, size_t i, JsonNode* out) {
  const Type& type = args.type(i);
  std::string_view name = call.function.def().name;
  if (type.is_binary_string()) {
    return UserError(ER_INVALID_JSON_CHARSET, "binary");
  }
  if (!type.is_text()) {
    return UserError(ER_INVALID_TYPE_FOR_JSON, i + 1, name);
  }
  row::JsonError error;
  if (row::ParseJson(args[i].bytes(), out, &error)) {
    return {};
  }
  return error.too_deep
             ? UserError(ER_JSON_DOCUMENT_TOO_DEEP)
             : UserError(ER_INVALID_JSON_TEXT_IN_PARAM, i + 1, name, error.reason, error.position);
}

}  // namespace

Status JsonArgument::Read(const EvalCall& call, const Args& args, size_t i) {
  if (args.type(i).kind == TypeKind::kJson) {
    view_ = JsonView(args[i].bytes());
    return view_.is_damaged() ? UserError(ER_INVALID_JSON_BINARY_DATA) : Status();
  }
  JsonNode tree;
  RETURN_IF_ERROR(ParseArgument(call, args, i, &tree));
  bytes_.clear();
  RETURN_IF_ERROR(row::AppendJson(tree, &bytes_));
  view_ = JsonView(bytes_);
  return {};
}

Status ReadJsonTree(const EvalCall& call, const Args& args, size_t i, JsonNode* out) {
  return args.type(i).kind == TypeKind::kJson ? JsonView(args[i].bytes()).ToNode(out)
                                              : ParseArgument(call, args, i, out);
}

Status ReadJsonPath(const Args& args, size_t i, bool multiple, row::JsonPath* out) {
  std::string buffer;
  size_t position;
  if (!row::JsonPath::Parse(args.Text(i, &buffer), out, &position)) {
    return UserError(ER_INVALID_JSON_PATH, position);
  }
  return !multiple && out->is_multiple() ? UserError(ER_INVALID_JSON_PATH_WILDCARD) : Status();
}

Status ReadJsonValue(const Args& args, size_t i, JsonNode* out) {
  int64_t local = args[i].kind() == row::ValueKind::kTimestamp
                      ? args.context().conversion.time_zone().ToLocal(args[i].temporal())
                      : 0;
  if (args.null(i)) {
    *out = JsonNode();
    return {};
  }
  return row::JsonOfValue(args[i], args.type(i), local, out);
}

Status ReadJsonKey(const Args& args, size_t i, std::string* key) {
  if (args.null(i)) {
    return UserError(ER_JSON_DOCUMENT_NULL_KEY);
  }
  if (args.type(i).is_binary_string()) {
    return UserError(ER_INVALID_JSON_CHARSET, "binary");
  }
  *key = args.TextCopy(i);
  return {};
}

Status ReadOneOrAll(const EvalCall& call, const Args& args, size_t i, bool* one) {
  std::string text = args.TextCopy(i);
  const row::Collation& collation = row::GetCollation(row::kUtf8mb4GeneralCi);
  *one = collation.Equal(text, "one");
  if (!*one && !collation.Equal(text, "all")) {
    return UserError(ER_JSON_BAD_ONE_OR_ALL_ARG, call.function.def().name);
  }
  return {};
}

Status FindJson(const JsonView& root, const row::JsonPath& path, JsonView* value, bool* found) {
  std::vector<JsonView> hits;
  RETURN_IF_ERROR(row::SeekJson(root, path, true, &hits));
  *found = !hits.empty();
  if (*found) {
    *value = hits[0];
  }
  return {};
}

Status SetJson(const JsonNode& node, row::Value* out) {
  if (node.Depth() > row::kMaxJsonDepth) {
    return UserError(ER_JSON_DOCUMENT_TOO_DEEP);
  }
  ASSIGN_OR_RETURN(std::string bytes, row::JsonBytes(node));
  *out = row::Value::String(std::move(bytes));
  return {};
}

Status SetJson(const JsonView& view, row::Value* out) {
  std::string bytes;
  RETURN_IF_ERROR(view.AppendTo(&bytes));
  *out = row::Value::String(std::move(bytes));
  return {};
}

Status InferJson(const InferInput&, Type* type) {
  *type = Type::Json();
  return {};
}

Status InferJsonText(const InferInput&, Type* type) {
  *type = Type::Text(TypeKind::kLongText, row::kUtf8mb4Bin);
  return {};
}

}  // namespace borealis::sql
