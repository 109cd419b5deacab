// JSON_VALUE(document, path [RETURNING type] [… ON EMPTY] [… ON ERROR]).
//
// FunctionOptions say the type and what to do when the path leads nowhere (3966) or the value is
// not one of the type (1690), not alone (3967), or the document is none.
#include "row/json/scalar.h"
#include "row/json/text.h"
#include "sql/functions/json_internal.h"

namespace borealis::sql {

namespace {

using row::JsonView;
using row::Type;
using row::Value;

std::string_view NameOf(const Type& type) {
  if (type.is_integer()) {
    return type.is_unsigned ? "UNSIGNED" : "SIGNED";
  }
  if (type.is_decimal()) {
    return "DECIMAL";
  }
  switch (type.kind) {
    case row::TypeKind::kFloat:
    case row::TypeKind::kDouble:
      return "DOUBLE";
    case row::TypeKind::kDate:
      return "DATE";
    case row::TypeKind::kTime:
      return "TIME";
    case row::TypeKind::kDateTime:
      return "DATETIME";
    case row::TypeKind::kYear:
      return "YEAR";
    default:
      return "STRING";
  }
}

Status Convert(const EvalCall& call, const JsonView& json, Value* out) {
  const Type& to = call.function.type();
  if (to.kind == row::TypeKind::kJson) {
    return SetJson(json, out);
  }
  if (json.type() == row::JsonType::kNull) {
    return {};
  }
  row::ConversionContext strict = call.context.conversion;
  strict.strict = true;
  strict.warnings = nullptr;
  Value scalar;
  Type type;
  std::string text;
  bool usable = row::JsonScalarValue(json, &scalar, &type);
  if (to.is_string()) {
    RETURN_IF_ERROR(row::AppendUnquotedJson(json, &text));
    scalar = Value::View(text);
    type = Type::Text(row::TypeKind::kLongText, row::kUtf8mb4Bin);
  } else if (!usable || (to.is_temporal() && type.is_numeric())) {
    return UserError(ER_DATA_OUT_OF_RANGE, NameOf(to), "json_value");
  }
  Result<Value> converted = row::StoreConvert(scalar, type, to, strict);
  if (!converted.ok()) {
    return UserError(ER_DATA_OUT_OF_RANGE, NameOf(to), "json_value");
  }
  *out = std::move(converted).value();
  out->Own();
  return {};
}

Status Find(const EvalCall& call, const Args& args, Value* out, bool* empty) {
  JsonArgument document;
  row::JsonPath path;
  RETURN_IF_ERROR(document.Read(call, args, 0));
  RETURN_IF_ERROR(ReadJsonPath(args, 1, true, &path));
  std::vector<JsonView> found;
  RETURN_IF_ERROR(row::SeekJson(document.view(), path, false, &found));
  *empty = found.empty();
  if (found.size() > 1) {
    return UserError(ER_MULTIPLE_JSON_VALUES, "json_value");
  }
  return *empty ? Status() : Convert(call, found[0], out);
}

Status InferValue(const InferInput& input, Type* type) {
  *type = input.options.cast_type;
  return {};
}

Status EvalValue(const EvalCall& call, std::span<const Value> values, Value* out) {
  const FunctionOptions& options = call.function.options();
  bool empty = false;
  Status status = Find(call, Args(call, values), out, &empty);
  if (empty) {
    if (options.json_error_on_empty) {
      return UserError(ER_MISSING_JSON_VALUE, "json_value");
    }
    *out = options.json_default_on_empty;
    return {};
  }
  if (status.ok() || options.json_error_on_error || status.user_errno() == ER_INVALID_JSON_PATH) {
    return status;
  }
  if (status.user_errno() == ER_INVALID_JSON_TEXT_IN_PARAM) {
    call.context.conversion.Warn(status);
  }
  *out = options.json_default_on_error;
  return {};
}

}  // namespace

std::span<const FunctionDef> JsonValueFunctions() {
  static const FunctionDef kTable[] = {
      {.name = "json_value", .min_args = 2, .max_args = 2, .infer = InferValue, .eval = EvalValue},
  };
  return kTable;
}

}  // namespace borealis::sql
