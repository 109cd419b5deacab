#include "row/json/scalar.h"

#include "row/collation.h"
#include "row/convert.h"

namespace borealis::row {

bool JsonScalarValue(const JsonView& json, Value* value, Type* type) {
  switch (json.type()) {
    case JsonType::kInt:
    case JsonType::kBoolean:
      *value = Value::Int(json.integer());
      *type = Type::BigInt();
      return true;
    case JsonType::kUint:
      *value = Value::Uint(json.uint());
      *type = Type::BigInt(true);
      return true;
    case JsonType::kDouble:
      *value = Value::Double(json.real());
      *type = Type::Double();
      return true;
    case JsonType::kDecimal: {
      Decimal number = json.decimal();
      *type = Type::Decimal(static_cast<uint32_t>(number.precision()),
                            static_cast<uint8_t>(number.scale()));
      *value = Value::Dec(number);
      return true;
    }
    case JsonType::kString:
      *value = Value::View(json.text());
      *type = Type::Text(TypeKind::kLongText, kUtf8mb4Bin);
      return true;
    case JsonType::kOpaque:
      *value = Value::View(json.text());
      *type = Type::Blob(TypeKind::kLongBlob);
      return true;
    case JsonType::kDate:
      *value = Value::Date(json.integer());
      *type = Type::Date();
      return true;
    case JsonType::kTime:
      *value = Value::Time(json.integer());
      *type = Type::Time(6);
      return true;
    case JsonType::kDateTime:
      *value = Value::DateTime(json.integer());
      *type = Type::DateTime(6);
      return true;
    case JsonType::kNull:
    case JsonType::kArray:
    case JsonType::kObject:
    case JsonType::kDamaged:
      break;
  }
  return false;
}

namespace {

// MySQL's number for the type of an opaque value: VARCHAR (15) stands for all short bytes.
uint8_t OpaqueTypeOf(const Type& type) {
  switch (type.kind) {
    case TypeKind::kBit:
      return 16;
    case TypeKind::kBinary:
      return 254;
    case TypeKind::kTinyBlob:
      return 249;
    case TypeKind::kMediumBlob:
      return 250;
    case TypeKind::kLongBlob:
      return 251;
    case TypeKind::kBlob:
      return 252;
    default:
      return 15;
  }
}

std::string BitBytes(uint64_t bits, uint32_t length) {
  std::string bytes;
  for (uint32_t left = (length + 7) / 8; left > 0; --left) {
    bytes += static_cast<char>(bits >> (8 * (left - 1)));
  }
  return bytes;
}

}  // namespace

Status JsonOfValue(const Value& value, const Type& type, int64_t local_datetime, JsonNode* out) {
  if (type.kind == TypeKind::kJson) {
    return JsonView(value.bytes()).ToNode(out);
  }
  if (type.is_enum_or_set()) {
    *out = JsonNode::String(ToText(value, type));
    return {};
  }
  switch (value.kind()) {
    case ValueKind::kNull:
      *out = JsonNode();
      break;
    case ValueKind::kInt:
      *out = JsonNode::Int(value.int_value());
      break;
    case ValueKind::kUint:
      *out = type.kind == TypeKind::kBit
                 ? JsonNode::Opaque(OpaqueTypeOf(type), BitBytes(value.uint_value(), type.length))
                 : JsonNode::Uint(value.uint_value());
      break;
    case ValueKind::kDouble:
      *out = JsonNode::Double(value.double_value());
      break;
    case ValueKind::kDecimal: {
      Decimal number = value.decimal_value();
      if (type.is_decimal() && number.scale() != type.scale) {
        number.Round(type.scale, &number);
      }
      *out = JsonNode::Dec(number);
      break;
    }
    case ValueKind::kString:
      *out = type.is_binary_string()
                 ? JsonNode::Opaque(OpaqueTypeOf(type), std::string(value.bytes()))
                 : JsonNode::String(std::string(value.bytes()));
      break;
    case ValueKind::kDate:
      *out = JsonNode::Temporal(JsonType::kDate, value.temporal());
      break;
    case ValueKind::kTime:
      *out = JsonNode::Temporal(JsonType::kTime, value.temporal());
      break;
    case ValueKind::kDateTime:
      *out = JsonNode::Temporal(
          type.kind == TypeKind::kDate ? JsonType::kDate : JsonType::kDateTime, value.temporal());
      break;
    case ValueKind::kTimestamp:
      *out = JsonNode::Temporal(JsonType::kDateTime, local_datetime);
      break;
  }
  return {};
}

}  // namespace borealis::row
