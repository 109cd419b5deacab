// Conversions between values by MySQL's rules: implicit ones inside expressions, and assignment of
// a value to a column.
//
// Implicit conversions never fail: what cannot be read becomes 0 or NULL and a warning (1292).
// Assignment (StoreConvert) is strict or lenient: strict, a value that does not fit is the
// statement's error; lenient (sql_mode without STRICT_…, or IGNORE), it is adjusted to the nearest
// the column can hold and reported as a warning of the same number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "row/sql_mode.h"
#include "row/time_zone.h"
#include "row/type.h"
#include "row/value.h"
#include "row/warnings.h"

namespace borealis::row {

struct ConversionContext {
  SqlMode sql_mode = kDefaultSqlMode;
  // Errors rather than warnings: the mode is strict and the statement does not say IGNORE.
  bool strict = true;
  // For messages of assignments.
  std::string_view table;
  std::string_view column;
  uint64_t row_number = 1;
  // May be null: warnings are then dropped.
  WarningSink* warnings = nullptr;
  const TimeZone* zone = nullptr;  // of the session; null is UTC
  // Today in the session's zone, packed: the date of a TIME made a DATETIME.
  int64_t current_date = 0;

  const TimeZone& time_zone() const { return zone != nullptr ? *zone : *TimeZone::Utc(); }
  void Warn(const Status& warning) const {
    if (warnings != nullptr) {
      warnings->AddWarning(warning);
    }
  }
  void Note(const Status& note) const {
    if (warnings != nullptr) {
      warnings->AddWarning(WarningLevel::kNote, note.user_errno(), std::string(note.message()));
    }
  }
};

// --- to text
// --------------------------------------------------------------------------------------

// The shortest text that reads back as the number: "0.1", "1e20", "1.5e300".
std::string DoubleText(double number);
// FLOAT shows six significant digits.
std::string FloatText(double number);
// With a fixed number of digits after the point.
std::string DoubleText(double number, int decimals);
// A value as SELECT shows it: the type gives scale, members, zero fill. BIT gives its raw bytes.
// REQUIRES: not null.
void AppendText(const Value& value, const Type& type, const TimeZone& zone, std::string* out);
std::string ToText(const Value& value, const Type& type, const TimeZone& zone = *TimeZone::Utc());
// The names of a SET's bits, the name of an ENUM's number ("" for 0).
std::string MemberText(uint64_t number, const Type& type);

// --- implicit conversions
// -------------------------------------------------------------------------

// `consumed` gets the bytes of the number's text, after leading white space; 0 when there is none.
double DoubleOfText(std::string_view text, size_t* consumed, bool* overflow);
double ToDouble(const Value& value, const Type& type, const ConversionContext& context);
Decimal ToDecimal(const Value& value, const Type& type, const ConversionContext& context);
// The 64 bits and, in `is_unsigned`, how to read them. Fractions round (text is cut at the number's
// integer prefix); what is out of range becomes the nearest limit with a warning.
int64_t ToInteger(const Value& value, const Type& type, const ConversionContext& context,
                  bool* is_unsigned);
// SQL truth: a number other than zero.
bool ToBool(const Value& value, const Type& type, const ConversionContext& context);
// A DATETIME, packed (a DATE at midnight, a TIME today). False, with a warning, when the value is
// none.
bool ToDateTime(const Value& value, const Type& type, const ConversionContext& context,
                int64_t* packed);
bool ToTime(const Value& value, const Type& type, const ConversionContext& context, int64_t* time);

// --- assignment
// -----------------------------------------------------------------------------------

// `value`, of type `from`, as column type `to` holds it. NULL stays NULL: whether the column allows
// it is the caller's question.
Result<Value> StoreConvert(const Value& value, const Type& from, const Type& to,
                           const ConversionContext& context);
// For values whose kind says enough (literals and parameters).
Result<Value> StoreConvert(const Value& value, const Type& to, const ConversionContext& context);
// The type such a value has by itself: BIGINT, DOUBLE, VARCHAR …
Type TypeOfValue(const Value& value);

// Text for messages: malformed bytes and controls as \xNN, cut at 128 bytes. Messages are utf8mb3:
// characters beyond the basic plane are question marks.
std::string Printable(std::string_view text);

}  // namespace borealis::row
