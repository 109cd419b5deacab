// One MySQL value at run time: a small tagged union, cheap to move.
//
// A Value knows how it is held (integer, double, decimal, bytes, temporal), not its full MySQL
// type: that is a static Type beside it, which says the collation of text, the scale of a number's
// text, the members of an ENUM. How each type is held:
//   integers, YEAR      kInt, or kUint when the type is unsigned (YEAR and BIT: kUint)
//   ENUM, SET, BIT      kUint: member number, member bits, bits
//   DECIMAL             kDecimal            FLOAT, DOUBLE   kDouble
//   DATE, DATETIME      kDate, kDateTime    packed, see row/temporal.h
//   TIME                kTime               microseconds, signed
//   TIMESTAMP           kTimestamp          microseconds since 1970 UTC; 0 is the zero date
//   text, binary, JSON  kString             text is UTF-8 (INV-ROW-1); JSON is its text form
//
// A kString value either owns its bytes or borrows them (View): a borrowed one is valid only as
// long as its source; Own() makes it independent. Copying an owning value copies the bytes.
#pragma once

#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "base/invariant.h"
#include "row/decimal.h"

namespace borealis::row {

enum class ValueKind : uint8_t {
  kNull,
  kInt,
  kUint,
  kDouble,
  kDecimal,
  kString,
  kDate,
  kTime,
  kDateTime,
  kTimestamp,
};

class Value {
 public:
  Value() : int_(0) {}
  ~Value() { Destroy(); }
  Value(const Value& other) { CopyFrom(other); }
  Value(Value&& other) noexcept { MoveFrom(std::move(other)); }
  Value& operator=(const Value& other) {
    if (this != &other) {
      Destroy();
      CopyFrom(other);
    }
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    if (this != &other) {
      Destroy();
      MoveFrom(std::move(other));
    }
    return *this;
  }

  static Value Null() { return {}; }
  static Value Int(int64_t value) { return {ValueKind::kInt, value}; }
  static Value Uint(uint64_t value) { return {ValueKind::kUint, static_cast<int64_t>(value)}; }
  static Value Bool(bool value) { return Int(value ? 1 : 0); }
  static Value Double(double value) {
    Value v;
    v.kind_ = ValueKind::kDouble;
    v.double_ = value;
    return v;
  }
  static Value Dec(const Decimal& value) {
    Value v;
    v.kind_ = ValueKind::kDecimal;
    new (&v.decimal_) Decimal(value);
    return v;
  }
  static Value String(std::string bytes) {
    Value v;
    v.kind_ = ValueKind::kString;
    v.owned_ = true;
    new (&v.string_) std::string(std::move(bytes));
    return v;
  }
  // Borrows: `bytes` must outlive the value and its copies.
  static Value View(std::string_view bytes) {
    Value v;
    v.kind_ = ValueKind::kString;
    new (&v.view_) std::string_view(bytes);
    return v;
  }
  static Value Date(int64_t packed) { return {ValueKind::kDate, packed}; }
  static Value Time(int64_t micros) { return {ValueKind::kTime, micros}; }
  static Value DateTime(int64_t packed) { return {ValueKind::kDateTime, packed}; }
  static Value Timestamp(int64_t utc_micros) { return {ValueKind::kTimestamp, utc_micros}; }

  ValueKind kind() const { return kind_; }
  bool is_null() const { return kind_ == ValueKind::kNull; }
  bool is_string() const { return kind_ == ValueKind::kString; }
  bool is_temporal() const { return kind_ >= ValueKind::kDate; }

  // Each REQUIRES the kind it names.
  int64_t int_value() const {
    DCHECK(kind_ == ValueKind::kInt);
    return int_;
  }
  uint64_t uint_value() const {
    DCHECK(kind_ == ValueKind::kUint);
    return static_cast<uint64_t>(int_);
  }
  // The 64 bits of a kInt or kUint, or the packed form of any temporal.
  int64_t raw_int() const {
    DCHECK(kind_ == ValueKind::kInt || kind_ == ValueKind::kUint || is_temporal());
    return int_;
  }
  double double_value() const {
    DCHECK(kind_ == ValueKind::kDouble);
    return double_;
  }
  const Decimal& decimal_value() const {
    DCHECK(kind_ == ValueKind::kDecimal);
    return decimal_;
  }
  std::string_view bytes() const {
    DCHECK(kind_ == ValueKind::kString);
    return owned_ ? std::string_view(string_) : view_;
  }
  int64_t temporal() const {
    DCHECK(is_temporal());
    return int_;
  }

  bool borrows() const { return kind_ == ValueKind::kString && !owned_; }
  // Copies borrowed bytes so that the value stands alone.
  void Own() {
    if (borrows()) {
      *this = String(std::string(view_));
    }
  }
  // The bytes of a kString, moved out when owned; the value becomes null.
  std::string TakeBytes();
  // A borrowing copy: valid as long as this value is neither changed nor destroyed.
  Value Borrow() const { return kind_ == ValueKind::kString ? View(bytes()) : *this; }

  // Same kind and same content (not SQL equality). For tests, caches and catalogs.
  bool Identical(const Value& other) const;
  // For messages and tests: "NULL", "42", "'abc'", "datetime:2024-01-05 00:00:00".
  std::string ToString() const;

 private:
  Value(ValueKind kind, int64_t raw) : kind_(kind), int_(raw) {}
  void Destroy() {
    if (owned_) {
      string_.~basic_string();
      owned_ = false;
    }
    kind_ = ValueKind::kNull;
  }
  void CopyFrom(const Value& other);
  void MoveFrom(Value&& other) noexcept {
    if (other.owned_) {
      kind_ = other.kind_;
      owned_ = true;
      new (&string_) std::string(std::move(other.string_));
      other.Destroy();
    } else {
      CopyPlain(other);
    }
  }
  // REQUIRES: !other.owned_.
  void CopyPlain(const Value& other) {
    kind_ = other.kind_;
    owned_ = false;
    if (kind_ == ValueKind::kDecimal) {
      new (&decimal_) Decimal(other.decimal_);
    } else if (kind_ == ValueKind::kString) {
      new (&view_) std::string_view(other.view_);
    } else if (kind_ == ValueKind::kDouble) {
      double_ = other.double_;
    } else {
      int_ = other.int_;
    }
  }

  ValueKind kind_ = ValueKind::kNull;
  bool owned_ = false;  // string_ is alive
  union {
    int64_t int_;
    double double_;
    Decimal decimal_;
    std::string_view view_;
    std::string string_;
  };
};

}  // namespace borealis::row
