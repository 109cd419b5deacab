#include "protocol/mysql/row.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/double_text.h"
#include "base/invariant.h"
#include "protocol/mysql/wire.h"

namespace borealis::mysql {

namespace {

constexpr size_t kBitmapFirstBit = 2;
constexpr size_t kLongestTemporal = 32;

// Digits with leading zeros, `width` of them.
char* PutPadded(char* to, uint32_t value, int width) {
  for (int i = width - 1; i >= 0; --i) {
    to[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return to + width;
}

char* PutFraction(char* to, uint32_t microsecond, int decimals) {
  if (decimals <= 0) {
    return to;
  }
  *to++ = '.';
  char digits[6];
  PutPadded(digits, microsecond, 6);
  const int shown = std::min(decimals, 6);
  std::memcpy(to, digits, static_cast<size_t>(shown));
  return to + shown;
}

char* PutDate(char* to, const DateTime& value) {
  to = PutPadded(to, value.year, 4);
  *to++ = '-';
  to = PutPadded(to, value.month, 2);
  *to++ = '-';
  return PutPadded(to, value.day, 2);
}

char* PutClock(char* to, uint8_t minute, uint8_t second) {
  *to++ = ':';
  to = PutPadded(to, minute, 2);
  *to++ = ':';
  return PutPadded(to, second, 2);
}

char* PutDateTime(char* to, const DateTime& value, int decimals) {
  to = PutDate(to, value);
  *to++ = ' ';
  to = PutPadded(to, value.hour, 2);
  to = PutClock(to, value.minute, value.second);
  return PutFraction(to, value.microsecond, decimals);
}

char* PutTime(char* to, const TimeOfDay& value, int decimals) {
  if (value.negative) {
    *to++ = '-';
  }
  to = value.hour > 99 ? std::to_chars(to, to + 10, value.hour).ptr : PutPadded(to, value.hour, 2);
  to = PutClock(to, value.minute, value.second);
  return PutFraction(to, value.microsecond, decimals);
}

// A value shorter than 251 bytes with its length byte.
void AppendShort(std::string* body, const char* from, const char* to) {
  AppendInt1(body, static_cast<uint8_t>(to - from));
  body->append(from, to);
}

}  // namespace

void AppendDateText(std::string* out, const DateTime& value) {
  char text[kLongestTemporal];
  out->append(text, PutDate(text, value));
}

void AppendDateTimeText(std::string* out, const DateTime& value, int decimals) {
  char text[kLongestTemporal];
  out->append(text, PutDateTime(text, value, decimals));
}

void AppendTimeText(std::string* out, const TimeOfDay& value, int decimals) {
  char text[kLongestTemporal];
  out->append(text, PutTime(text, value, decimals));
}

void TextRowWriter::AppendInt64(int64_t value) {
  char text[24];
  AppendShort(packets_->body(), text, std::to_chars(text, text + sizeof(text), value).ptr);
}

void TextRowWriter::AppendUint64(uint64_t value) {
  char text[24];
  AppendShort(packets_->body(), text, std::to_chars(text, text + sizeof(text), value).ptr);
}

void TextRowWriter::AppendFloat(float value) {
  char text[kDoubleTextSize];
  AppendShort(packets_->body(), text, text + FloatToText(value, text));
}

void TextRowWriter::AppendDouble(double value, int decimals) {
  char text[384];
  const size_t size = decimals < kDecimalsAsNeeded ? FixedDoubleToText(value, decimals, text)
                                                   : DoubleToText(value, text);
  AppendLenEncString(packets_->body(), {text, size});
}

void TextRowWriter::AppendString(std::string_view bytes) {
  AppendLenEncString(packets_->body(), bytes);
}

void TextRowWriter::AppendDate(const DateTime& value) {
  char text[kLongestTemporal];
  AppendShort(packets_->body(), text, PutDate(text, value));
}

void TextRowWriter::AppendDateTime(const DateTime& value, int decimals) {
  char text[kLongestTemporal];
  AppendShort(packets_->body(), text, PutDateTime(text, value, decimals));
}

void TextRowWriter::AppendTime(const TimeOfDay& value, int decimals) {
  char text[kLongestTemporal];
  AppendShort(packets_->body(), text, PutTime(text, value, decimals));
}

BinaryRowWriter::BinaryRowWriter(PacketWriter* packets, std::vector<ColumnType> types)
    : packets_(packets), types_(std::move(types)) {}

void BinaryRowWriter::Begin() {
  std::string* body = packets_->Begin();
  body->push_back('\0');
  bitmap_offset_ = body->size();
  body->append((types_.size() + kBitmapFirstBit + 7) / 8, '\0');
  column_ = 0;
}

ColumnType BinaryRowWriter::Take() {
  INVARIANT_LT(column_, types_.size());
  return types_[column_++];
}

void BinaryRowWriter::AppendNull() {
  const size_t bit = column_ + kBitmapFirstBit;
  Take();
  char& byte = (*packets_->body())[bitmap_offset_ + bit / 8];
  byte = static_cast<char>(byte | 1 << (bit % 8));
}

void BinaryRowWriter::AppendUint64(uint64_t value) {
  std::string* body = packets_->body();
  switch (Take()) {
    case ColumnType::kTiny:
      AppendInt1(body, static_cast<uint8_t>(value));
      return;
    case ColumnType::kShort:
    case ColumnType::kYear:
      AppendLittle(body, static_cast<uint16_t>(value));
      return;
    case ColumnType::kLong:
    case ColumnType::kInt24:
      AppendLittle(body, static_cast<uint32_t>(value));
      return;
    default:
      AppendLittle(body, value);
      return;
  }
}

void BinaryRowWriter::AppendFloat(float value) {
  if (Take() == ColumnType::kDouble) {
    AppendLittle(packets_->body(), static_cast<double>(value));
  } else {
    AppendLittle(packets_->body(), value);
  }
}

void BinaryRowWriter::AppendDouble(double value, int /*decimals*/) {
  if (Take() == ColumnType::kFloat) {
    AppendLittle(packets_->body(), static_cast<float>(value));
  } else {
    AppendLittle(packets_->body(), value);
  }
}

void BinaryRowWriter::AppendString(std::string_view bytes) {
  Take();
  AppendLenEncString(packets_->body(), bytes);
}

void BinaryRowWriter::AppendDate(const DateTime& value) {
  DateTime date;
  date.year = value.year;
  date.month = value.month;
  date.day = value.day;
  AppendDateTime(date, 0);
}

void BinaryRowWriter::AppendDateTime(const DateTime& value, int /*decimals*/) {
  Take();
  std::string* body = packets_->body();
  const bool fraction = value.microsecond != 0;
  const bool clock = fraction || value.hour != 0 || value.minute != 0 || value.second != 0;
  if (value == DateTime{}) {
    AppendInt1(body, 0);
    return;
  }
  AppendInt1(body, fraction ? 11 : clock ? 7 : 4);
  AppendLittle(body, value.year);
  AppendInt1(body, value.month);
  AppendInt1(body, value.day);
  if (clock) {
    AppendInt1(body, value.hour);
    AppendInt1(body, value.minute);
    AppendInt1(body, value.second);
  }
  if (fraction) {
    AppendLittle(body, value.microsecond);
  }
}

void BinaryRowWriter::AppendTime(const TimeOfDay& value, int /*decimals*/) {
  Take();
  std::string* body = packets_->body();
  const bool fraction = value.microsecond != 0;
  if (!fraction && value.hour == 0 && value.minute == 0 && value.second == 0) {
    AppendInt1(body, 0);
    return;
  }
  AppendInt1(body, fraction ? 12 : 8);
  AppendInt1(body, value.negative ? 1 : 0);
  AppendLittle(body, value.hour / 24);
  AppendInt1(body, static_cast<uint8_t>(value.hour % 24));
  AppendInt1(body, value.minute);
  AppendInt1(body, value.second);
  if (fraction) {
    AppendLittle(body, value.microsecond);
  }
}

void BinaryRowWriter::End() {
  INVARIANT_EQ(column_, types_.size());
  packets_->End();
}

}  // namespace borealis::mysql
