// The order of JSON values.
#include <cmath>

#include "row/json/view.h"

namespace borealis::row {

namespace {

int Three(int64_t a, int64_t b) {
  return a < b ? -1 : (a > b ? 1 : 0);
}

int Rank(JsonType type) {
  switch (type) {
    case JsonType::kNull:
      return 0;
    case JsonType::kDecimal:
    case JsonType::kInt:
    case JsonType::kUint:
    case JsonType::kDouble:
      return 1;
    case JsonType::kString:
      return 2;
    case JsonType::kObject:
      return 3;
    case JsonType::kArray:
      return 4;
    case JsonType::kBoolean:
      return 5;
    case JsonType::kDate:
      return 6;
    case JsonType::kTime:
      return 7;
    case JsonType::kDateTime:
      return 8;
    case JsonType::kOpaque:
      return 9;
    case JsonType::kDamaged:
      break;
  }
  return 10;
}

// Beyond any decimal, so that the double's sign decides.
constexpr double kDecimalLimit = 1e65;

Decimal ExactOf(const JsonView& number) {
  switch (number.type()) {
    case JsonType::kInt:
      return Decimal::FromInt64(number.integer());
    case JsonType::kUint:
      return Decimal::FromUint64(number.uint());
    case JsonType::kDecimal:
      return number.decimal();
    default: {
      Decimal exact;
      Decimal::FromDouble(number.real(), &exact);
      return exact;
    }
  }
}

int CompareWithDouble(double a, const JsonView& b) {
  if (std::abs(a) >= kDecimalLimit) {
    return a < 0 ? -1 : 1;
  }
  Decimal exact;
  Decimal other = ExactOf(b);
  DecimalStatus status = Decimal::FromDouble(a, &exact);
  int order = Decimal::Compare(exact, other);
  if (order != 0 || status != DecimalStatus::kTruncated) {
    return order;
  }
  // Equal in 30 digits: the rest decides, so that the order stays one of doubles too.
  double near = other.ToDouble();
  return a < near ? -1 : (a > near ? 1 : 0);
}

int CompareNumbers(const JsonView& a, const JsonView& b) {
  bool a_double = a.type() == JsonType::kDouble;
  bool b_double = b.type() == JsonType::kDouble;
  if (a_double && b_double) {
    return a.real() < b.real() ? -1 : (a.real() > b.real() ? 1 : 0);
  }
  if (a_double) {
    return CompareWithDouble(a.real(), b);
  }
  if (b_double) {
    return -CompareWithDouble(b.real(), a);
  }
  if (a.type() == JsonType::kInt && b.type() == JsonType::kInt) {
    return Three(a.integer(), b.integer());
  }
  return Decimal::Compare(ExactOf(a), ExactOf(b));
}

int CompareArrays(const JsonView& a, const JsonView& b) {
  for (uint32_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (int order = CompareJson(a.item(i), b.item(i)); order != 0) {
      return order;
    }
  }
  return Three(a.size(), b.size());
}

int CompareObjects(const JsonView& a, const JsonView& b) {
  if (a.size() != b.size()) {
    return Three(a.size(), b.size());
  }
  for (uint32_t i = 0; i < a.size(); ++i) {
    std::string_view a_key = a.key(i);
    std::string_view b_key = b.key(i);
    if (a_key != b_key) {
      return JsonKeyLess(a_key, b_key) ? -1 : 1;
    }
    if (int order = CompareJson(a.item(i), b.item(i)); order != 0) {
      return order;
    }
  }
  return 0;
}

}  // namespace

int CompareJson(const JsonView& a, const JsonView& b) {
  int rank = Rank(a.type());
  if (int order = Three(rank, Rank(b.type())); order != 0) {
    return order;
  }
  switch (a.type()) {
    case JsonType::kNull:
    case JsonType::kDamaged:
      return 0;
    case JsonType::kDecimal:
    case JsonType::kInt:
    case JsonType::kUint:
    case JsonType::kDouble:
      return CompareNumbers(a, b);
    case JsonType::kString:
      return Three(a.text().compare(b.text()), 0);
    case JsonType::kObject:
      return CompareObjects(a, b);
    case JsonType::kArray:
      return CompareArrays(a, b);
    case JsonType::kBoolean:
    case JsonType::kDate:
    case JsonType::kTime:
    case JsonType::kDateTime:
      return Three(a.integer(), b.integer());
    case JsonType::kOpaque:
      if (a.opaque_type() != b.opaque_type()) {
        return Three(a.opaque_type(), b.opaque_type());
      }
      return Three(a.text().compare(b.text()), 0);
  }
  return 0;
}

}  // namespace borealis::row
