#include "sql/functions/json_table.h"

#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/json/parse.h"
#include "row/json/scalar.h"
#include "row/json/text.h"
#include "sql/functions/json_internal.h"

namespace borealis::sql {
namespace {

using row::JsonView;
using row::Type;
using row::Value;

Status Missing(const JsonTableField& field) {
  return UserError(ER_MISSING_JSON_TABLE_VALUE, field.name);
}

Status NotScalar(const JsonTableField& field) {
  return UserError(ER_WRONG_JSON_TABLE_VALUE, field.name);
}

Status OutOfRange(const JsonTableField& field) {
  return UserError(ER_JT_VALUE_OUT_OF_RANGE, field.name);
}

// Text that is no number where one is wanted has an error of its own.
Status NoNumber(const JsonTableField& field) {
  const std::string_view wanted = field.type.is_decimal()    ? "DECIMAL"
                                  : field.type.is_floating() ? "DOUBLE"
                                                             : "INTEGER";
  return UserError(ER_INVALID_JSON_VALUE_FOR_CAST, wanted, field.name, 1);
}

bool IsNumber(const Type& type) {
  return type.is_integral() || type.is_decimal() || type.is_floating();
}

class Expansion {
 public:
  Expansion(const EvalContext& context, const JsonTableSpec& spec, const JsonTableSpec::Emit& emit)
      : context_(context), emit_(emit), row_(spec.types.size()) {}

  Status Level(const JsonTableLevel& level, const JsonView& from, bool* any) {
    std::vector<JsonView> found;
    RETURN_IF_ERROR(row::SeekJson(from, level.path, false, &found));
    for (size_t i = 0; i < found.size(); ++i) {
      *any = true;
      for (const JsonTableField& field : level.fields) {
        RETURN_IF_ERROR(Field(field, found[i], i + 1));
      }
      bool nested_any = false;
      for (const JsonTableLevel& nested : level.nested) {
        RETURN_IF_ERROR(Level(nested, found[i], &nested_any));
        Clear(nested);
      }
      if (!nested_any) {
        RETURN_IF_ERROR(emit_(row_));
      }
    }
    return {};
  }

 private:
  void Clear(const JsonTableLevel& level) {
    for (const JsonTableField& field : level.fields) {
      row_[field.position] = Value::Null();
    }
    for (const JsonTableLevel& nested : level.nested) {
      Clear(nested);
    }
  }

  Status Field(const JsonTableField& field, const JsonView& from, size_t number) {
    Value* out = &row_[field.position];
    *out = Value::Null();
    if (field.kind == JsonTableField::Kind::kOrdinality) {
      *out = Value::Int(static_cast<int64_t>(number));
      return {};
    }
    std::vector<JsonView> found;
    RETURN_IF_ERROR(row::SeekJson(from, field.path, false, &found));
    if (field.kind == JsonTableField::Kind::kExists) {
      row::ConversionContext strict = context_.conversion;
      strict.strict = true;
      strict.column = field.name;
      ASSIGN_OR_RETURN(*out, row::StoreConvert(Value::Int(found.empty() ? 0 : 1), Type::BigInt(),
                                               field.type, strict));
      out->Own();
      return {};
    }
    if (found.empty()) {
      *out = field.on_empty.Borrow();
      return field.error_on_empty ? Missing(field) : Status();
    }
    Status status = found.size() == 1 ? ConvertJsonField(context_, found[0], field, out)
                                      : Several(found, field, out);
    if (!status.ok() && !field.error_on_error) {
      *out = field.on_error.Borrow();
      return {};
    }
    return status;
  }

  // An array of them, where the column is JSON.
  Status Several(const std::vector<JsonView>& found, const JsonTableField& field, Value* out) {
    if (field.type.kind != row::TypeKind::kJson) {
      return NotScalar(field);
    }
    row::JsonNode array = row::JsonNode::Array();
    for (const JsonView& view : found) {
      RETURN_IF_ERROR(view.ToNode(&array.items.emplace_back()));
    }
    return SetJson(array, out);
  }

  const EvalContext& context_;
  const JsonTableSpec::Emit& emit_;
  std::vector<Value> row_;
};

}  // namespace

Status ConvertJsonField(const EvalContext& context, const JsonView& json,
                        const JsonTableField& field, Value* out) {
  const Type& to = field.type;
  if (json.type() == row::JsonType::kNull) {
    return {};
  }
  if (to.kind == row::TypeKind::kJson) {
    return SetJson(json, out);
  }
  if (json.is_container()) {
    return NotScalar(field);
  }
  Value scalar;
  Type type;
  std::string text;
  const bool usable = row::JsonScalarValue(json, &scalar, &type);
  if (to.is_string() || to.is_enum_or_set()) {
    RETURN_IF_ERROR(row::AppendUnquotedJson(json, &text));
    scalar = Value::View(text);
    type = Type::Text(row::TypeKind::kLongText, row::kUtf8mb4Bin);
  } else if (!usable || (to.is_temporal() && type.is_numeric())) {
    return OutOfRange(field);
  }
  row::ConversionContext strict = context.conversion;
  strict.strict = true;
  strict.warnings = nullptr;
  Result<Value> converted = row::StoreConvert(scalar, type, to, strict);
  if (!converted.ok()) {
    const bool no_number = IsNumber(to) && type.is_string() &&
                           converted.status().user_errno() != ER_WARN_DATA_OUT_OF_RANGE;
    return no_number ? NoNumber(field) : OutOfRange(field);
  }
  *out = std::move(converted).value();
  out->Own();
  return {};
}

Status JsonTableSpec::Expand(const EvalContext& context, const Value& document, const Type& type,
                             const Emit& emit) const {
  if (document.is_null()) {
    return {};
  }
  std::string bytes;
  if (type.kind == row::TypeKind::kJson) {
    bytes = document.bytes();
  } else {
    row::JsonNode tree;
    row::JsonError error;
    if (!row::ParseJson(document.bytes(), &tree, &error)) {
      return error.too_deep ? UserError(ER_JSON_DOCUMENT_TOO_DEEP)
                            : UserError(ER_INVALID_JSON_TEXT_IN_PARAM, 1, "json_table",
                                        error.reason, error.position);
    }
    RETURN_IF_ERROR(row::AppendJson(tree, &bytes));
  }
  const JsonView view(bytes);
  if (view.is_damaged()) {
    return UserError(ER_INVALID_JSON_BINARY_DATA);
  }
  bool any = false;
  return Expansion(context, *this, emit).Level(root, view, &any);
}

}  // namespace borealis::sql
