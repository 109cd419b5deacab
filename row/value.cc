#include "row/value.h"

#include <fmt/format.h>

#include "row/temporal.h"

namespace borealis::row {

void Value::CopyFrom(const Value& other) {
  if (other.owned_) {
    kind_ = other.kind_;
    owned_ = true;
    new (&string_) std::string(other.string_);
  } else {
    CopyPlain(other);
  }
}

std::string Value::TakeBytes() {
  DCHECK(kind_ == ValueKind::kString);
  std::string taken = owned_ ? std::move(string_) : std::string(view_);
  Destroy();
  return taken;
}

bool Value::Identical(const Value& other) const {
  if (kind_ != other.kind_) {
    return false;
  }
  switch (kind_) {
    case ValueKind::kNull:
      return true;
    case ValueKind::kDouble:
      return double_ == other.double_;
    case ValueKind::kDecimal:
      return decimal_ == other.decimal_ && decimal_.scale() == other.decimal_.scale();
    case ValueKind::kString:
      return bytes() == other.bytes();
    default:
      return int_ == other.int_;
  }
}

std::string Value::ToString() const {
  switch (kind_) {
    case ValueKind::kNull:
      return "NULL";
    case ValueKind::kInt:
      return fmt::format("{}", int_);
    case ValueKind::kUint:
      return fmt::format("{}", static_cast<uint64_t>(int_));
    case ValueKind::kDouble:
      return fmt::format("{}", double_);
    case ValueKind::kDecimal:
      return decimal_.ToString();
    case ValueKind::kString:
      return fmt::format("'{}'", bytes());
    case ValueKind::kDate:
      return "date:" + FormatDate(int_);
    case ValueKind::kTime:
      return "time:" + FormatTime(int_, 6);
    case ValueKind::kDateTime:
      return "datetime:" + FormatDateTime(int_, 6);
    case ValueKind::kTimestamp:
      return fmt::format("timestamp:{}", int_);
  }
  return "?";
}

}  // namespace borealis::row
