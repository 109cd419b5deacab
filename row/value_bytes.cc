#include "row/value_bytes.h"

#include <bit>

namespace borealis::row {
namespace {

Status CutShort() {
  return Status::Corruption("a value that was put aside is cut short");
}

Result<Value> OfBits(ValueKind kind, uint64_t bits) {
  const auto held = static_cast<int64_t>(bits);
  switch (kind) {
    case ValueKind::kInt:
      return Value::Int(held);
    case ValueKind::kUint:
      return Value::Uint(bits);
    case ValueKind::kDouble:
      return Value::Double(std::bit_cast<double>(bits));
    case ValueKind::kDate:
      return Value::Date(held);
    case ValueKind::kTime:
      return Value::Time(held);
    case ValueKind::kDateTime:
      return Value::DateTime(held);
    case ValueKind::kTimestamp:
      return Value::Timestamp(held);
    default:
      return CutShort();
  }
}

}  // namespace

void AppendValue(const Value& value, std::string* out) {
  out->push_back(static_cast<char>(value.kind()));
  switch (value.kind()) {
    case ValueKind::kNull:
      return;
    case ValueKind::kString:
      AppendSized(out, value.bytes());
      return;
    case ValueKind::kDecimal:
      AppendSized(out, value.decimal_value().ToString());
      return;
    case ValueKind::kDouble:
      AppendLittle(out, std::bit_cast<uint64_t>(value.double_value()));
      return;
    default:
      AppendLittle(out, static_cast<uint64_t>(value.raw_int()));
  }
}

Result<Value> ReadValue(ByteReader* reader) {
  const auto kind = static_cast<ValueKind>(reader->Little<uint8_t>());
  if (kind == ValueKind::kNull) {
    return reader->ok() ? Value::Null() : Result<Value>(CutShort());
  }
  if (kind == ValueKind::kString || kind == ValueKind::kDecimal) {
    const std::string_view bytes = reader->Sized();
    if (!reader->ok()) {
      return CutShort();
    }
    if (kind == ValueKind::kString) {
      return Value::View(bytes);
    }
    Decimal number;
    return Decimal::Parse(bytes, &number) == DecimalStatus::kOk ? Value::Dec(number)
                                                                : Result<Value>(CutShort());
  }
  const auto bits = reader->Little<uint64_t>();
  return reader->ok() ? OfBits(kind, bits) : Result<Value>(CutShort());
}

}  // namespace borealis::row
