#include "row/json/sort_key.h"

#include <bit>

#include "base/coding.h"
#include "row/key_codec.h"

namespace borealis::row {

namespace {

// One per kind, in CompareJson's order.
enum Mark : char {
  kEnd = 0,  // of an array: shorter ones first
  kNullMark,
  kNumberMark,
  kStringMark,
  kObjectMark,
  kArrayMark,
  kBooleanMark,
  kDateMark,
  kTimeMark,
  kDateTimeMark,
  kOpaqueMark,
  kDamagedMark,
};

constexpr uint64_t kSignBit = uint64_t{1} << 63;

void AppendOrdered(double number, std::string* out) {
  auto bits = std::bit_cast<uint64_t>(number + 0.0);
  AppendBig(out, (bits & kSignBit) != 0 ? ~bits : bits | kSignBit);
}

// The decimal decides; the double behind it orders doubles that are one decimal of 30 digits.
void AppendNumber(const JsonView& value, std::string* out) {
  Decimal exact;
  double near;
  switch (value.type()) {
    case JsonType::kInt:
      exact = Decimal::FromInt64(value.integer());
      break;
    case JsonType::kUint:
      exact = Decimal::FromUint64(value.uint());
      break;
    case JsonType::kDecimal:
      exact = value.decimal();
      break;
    default:
      Decimal::FromDouble(value.real(), &exact);
  }
  near = value.type() == JsonType::kDouble ? value.real() : exact.ToDouble();
  exact.AppendComparable(out);
  AppendOrdered(near, out);
}

void Append(const JsonView& value, int depth, std::string* out);

void AppendObject(const JsonView& value, int depth, std::string* out) {
  AppendBig(out, value.size());
  for (uint32_t i = 0; i < value.size(); ++i) {
    AppendBig(out, static_cast<uint16_t>(value.key(i).size()));
    out->append(value.key(i));
    Append(value.item(i), depth + 1, out);
  }
}

void Append(const JsonView& value, int depth, std::string* out) {
  auto packed = [&] { AppendBig(out, static_cast<uint64_t>(value.integer()) ^ kSignBit); };
  if (depth > kMaxJsonDepth) {
    *out += kDamagedMark;
    return;
  }
  switch (value.type()) {
    case JsonType::kNull:
      *out += kNullMark;
      return;
    case JsonType::kDecimal:
    case JsonType::kInt:
    case JsonType::kUint:
    case JsonType::kDouble:
      *out += kNumberMark;
      return AppendNumber(value, out);
    case JsonType::kString:
      *out += kStringMark;
      return AppendEscaped(value.text(), out);
    case JsonType::kObject:
      *out += kObjectMark;
      return AppendObject(value, depth, out);
    case JsonType::kArray:
      *out += kArrayMark;
      for (uint32_t i = 0; i < value.size(); ++i) {
        Append(value.item(i), depth + 1, out);
      }
      *out += kEnd;
      return;
    case JsonType::kBoolean:
      *out += kBooleanMark;
      return packed();
    case JsonType::kDate:
      *out += kDateMark;
      return packed();
    case JsonType::kTime:
      *out += kTimeMark;
      return packed();
    case JsonType::kDateTime:
      *out += kDateTimeMark;
      return packed();
    case JsonType::kOpaque:
      *out += kOpaqueMark;
      *out += static_cast<char>(value.opaque_type());
      return AppendEscaped(value.text(), out);
    case JsonType::kDamaged:
      *out += kDamagedMark;
      return;
  }
}

}  // namespace

void AppendJsonSortKey(const JsonView& value, std::string* out) {
  Append(value, 1, out);
}

}  // namespace borealis::row
