// JSON documents out of SQL values, and their text: JSON_ARRAY, JSON_OBJECT, JSON_QUOTE,
// JSON_UNQUOTE, JSON_PRETTY, JSON_VALID.
#include "row/json/parse.h"
#include "row/json/text.h"
#include "sql/functions/json_internal.h"

namespace borealis::sql {

namespace {

using row::JsonNode;
using row::Type;
using row::TypeKind;
using row::Value;

Status EvalArray(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  JsonNode array = JsonNode::Array();
  array.items.resize(args.size());
  for (size_t i = 0; i < args.size(); ++i) {
    RETURN_IF_ERROR(ReadJsonValue(args, i, &array.items[i]));
  }
  return SetJson(array, out);
}

Status EvalObject(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  JsonNode object = JsonNode::Object();
  for (size_t i = 0; i + 1 < args.size(); i += 2) {
    std::string key;
    JsonNode value;
    RETURN_IF_ERROR(ReadJsonKey(args, i, &key));
    RETURN_IF_ERROR(ReadJsonValue(args, i + 1, &value));
    object.AddMember(std::move(key), std::move(value));
  }
  object.FinishMembers();
  return SetJson(object, out);
}

// An SQL TRUE or FALSE, which the binder tells from numbers, as a JSON boolean.
Status EvalBoolean(const EvalCall& call, std::span<const Value> values, Value* out) {
  return SetJson(JsonNode::Boolean(Args(call, values).Bool(0)), out);
}

// Any other value as the JSON value that a comparison with JSON takes it for.
Status EvalScalar(const EvalCall& call, std::span<const Value> values, Value* out) {
  JsonNode node;
  RETURN_IF_ERROR(ReadJsonValue(Args(call, values), 0, &node));
  return SetJson(node, out);
}

Status InferQuoted(const InferInput& input, Type* type) {
  const Type& arg = input.args[0].type;
  if (!arg.is_string() && !arg.is_enum_or_set() && !arg.is_null()) {
    return UserError(ER_INCORRECT_TYPE, 1, "json_quote");
  }
  return InferJsonText(input, type);
}

Status EvalQuote(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string buffer;
  std::string quoted;
  row::AppendQuotedJson(Args(call, values).Text(0, &buffer), &quoted);
  return SetText(call, std::move(quoted), out);
}

Status InferUnquoted(const InferInput& input, Type* type) {
  const Type& arg = input.args[0].type;
  if (!arg.is_string() && !arg.is_enum_or_set() && !arg.is_null() && arg.kind != TypeKind::kJson) {
    return UserError(ER_INCORRECT_TYPE, 1, "json_unquote");
  }
  return InferJsonText(input, type);
}

Status EvalUnquote(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string text;
  if (args.type(0).kind == TypeKind::kJson) {
    RETURN_IF_ERROR(row::AppendUnquotedJson(row::JsonView(values[0].bytes()), &text));
    return SetText(call, std::move(text), out);
  }
  text = args.TextCopy(0);
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') {
    return SetText(call, std::move(text), out);
  }
  JsonNode parsed;
  row::JsonError error;
  if (!row::ParseJson(text, &parsed, &error)) {
    return UserError(ER_INVALID_JSON_TEXT_IN_PARAM, 1, "json_unquote", error.reason,
                     error.position);
  }
  return SetText(call, std::move(parsed.text), out);
}

Status EvalPretty(const EvalCall& call, std::span<const Value> values, Value* out) {
  JsonArgument document;
  RETURN_IF_ERROR(document.Read(call, Args(call, values), 0));
  std::string text;
  RETURN_IF_ERROR(row::AppendPrettyJson(document.view(), &text));
  return SetText(call, std::move(text), out);
}

Status EvalValid(const EvalCall& call, std::span<const Value> values, Value* out) {
  const Type& type = Args(call, values).type(0);
  // What is neither text nor JSON is not looked at, not even whether it is NULL.
  if (type.is_numeric() || type.is_temporal() || type.is_binary_string()) {
    return SetInt(out, 0);
  }
  if (values[0].is_null()) {
    *out = Value::Null();
    return {};
  }
  JsonNode parsed;
  row::JsonError error;
  if (type.is_text() && !row::ParseJson(values[0].bytes(), &parsed, &error)) {
    return error.too_deep ? UserError(ER_JSON_DOCUMENT_TOO_DEEP) : SetInt(out, 0);
  }
  bool valid = type.is_text() || type.kind == TypeKind::kJson;
  return SetInt(out, valid ? 1 : 0);
}

}  // namespace

std::span<const FunctionDef> JsonCreateFunctions() {
  static const FunctionDef kTable[] = {
      {.name = "json_array",
       .min_args = 0,
       .max_args = kAnyNumber,
       .infer = InferJson,
       .eval = EvalArray,
       .null_if_any_null = false},
      {.name = "json_object",
       .min_args = 0,
       .max_args = kAnyNumber,
       .infer = InferJson,
       .eval = EvalObject,
       .null_if_any_null = false,
       .arg_step = 2},
      {.name = "json boolean",
       .min_args = 1,
       .max_args = 1,
       .infer = InferJson,
       .eval = EvalBoolean},
      {.name = "json scalar", .min_args = 1, .max_args = 1, .infer = InferJson, .eval = EvalScalar},
      {.name = "json_quote", .min_args = 1, .max_args = 1, .infer = InferQuoted, .eval = EvalQuote},
      {.name = "json_unquote",
       .min_args = 1,
       .max_args = 1,
       .infer = InferUnquoted,
       .eval = EvalUnquote},
      {.name = "json_pretty",
       .min_args = 1,
       .max_args = 1,
       .infer = InferJsonText,
       .eval = EvalPretty},
      {.name = "json_valid",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBoolean,
       .eval = EvalValid,
       .null_if_any_null = false,
       .null_from_args = true},
  };
  return kTable;
}

}  // namespace borealis::sql
