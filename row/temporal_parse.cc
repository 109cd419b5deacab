// Text and numbers to dates and times, with MySQL's leniency: any punctuation separates, leading
// zeros may be missing, two-digit years are 1970 to 2069, digits alone are split by their number.
#include <algorithm>

#include "row/temporal.h"

namespace borealis::row {

namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool IsPunctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

// A cursor over text; every read checks the end.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  bool end() const { return pos_ >= text_.size(); }
  char peek(size_t ahead = 0) const {
    return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0';
  }
  void skip(size_t count = 1) { pos_ = std::min(pos_ + count, text_.size()); }
  void SkipSpaces() {
    while (IsSpace(peek())) {
      ++pos_;
    }
  }
  size_t CountDigits() const {
    size_t count = 0;
    while (IsDigit(peek(count))) {
      ++count;
    }
    return count;
  }
  // Up to `limit` digits; `count` gets how many there were. A number beyond 64 bits stays large.
  int64_t Number(size_t limit, size_t* count) {
    int64_t value = 0;
    *count = 0;
    while (*count < limit && IsDigit(peek())) {
      value = value > (INT64_MAX - 9) / 10 ? value : value * 10 + (peek() - '0');
      ++pos_;
      ++*count;
    }
    return value;
  }
  size_t pos() const { return pos_; }
  void set_pos(size_t pos) { pos_ = pos; }

 private:
  std::string_view text_;
  size_t pos_ = 0;
};

// Digits after the point: microseconds, then up to three more for rounding; the rest is passed
// over.
void ReadFraction(Scanner* in, ParsedTemporal* out) {
  int value = 0;
  int digits = 0;
  for (; IsDigit(in->peek()); in->skip()) {
    if (digits < 9) {
      value = value * 10 + (in->peek() - '0');
      ++digits;
    }
  }
  out->fraction_digits = std::min(digits, 6);
  for (; digits < 9; ++digits) {
    value *= 10;
  }
  out->parts.microsecond = value / 1000;
  out->nanosecond_rest = value % 1000;
}

// "+05:30" at the end of a DATETIME. False when it is not one.
bool ReadOffset(Scanner* in, ParsedTemporal* out) {
  char sign = in->peek();
  if ((sign != '+' && sign != '-') || !IsDigit(in->peek(1)) || !IsDigit(in->peek(2)) ||
      in->peek(3) != ':' || !IsDigit(in->peek(4)) || !IsDigit(in->peek(5)) || in->peek(6) != '\0') {
    return false;
  }
  int hours = (in->peek(1) - '0') * 10 + (in->peek(2) - '0');
  int minutes = (in->peek(4) - '0') * 10 + (in->peek(5) - '0');
  int total = hours * 3600 + minutes * 60;
  if (hours > 14 || minutes > 59 || total > 14 * 3600) {
    return false;
  }
  in->skip(6);
  out->has_offset = true;
  out->offset_seconds = sign == '-' ? -total : total;
  return true;
}

bool IsPossible(const TemporalParts& p) {
  return p.year <= 9999 && p.month <= 12 && p.day <= 31 && p.hour <= 23 && p.minute <= 59 &&
         p.second <= 59;
}

void SetField(TemporalParts* p, int field, int64_t value) {
  switch (field) {
    case 0:
      p->year = static_cast<int>(value);
      break;
    case 1:
      p->month = static_cast<int>(value);
      break;
    case 2:
      p->day = static_cast<int>(value);
      break;
    case 3:
      p->hour = value;
      break;
    case 4:
      p->minute = static_cast<int>(value);
      break;
    default:
      p->second = static_cast<int>(value);
  }
}

int FullYear(int two_digits) {
  return two_digits + (two_digits < 70 ? 2000 : 1900);
}

// YYYYMMDD[HHMMSS] or YYMMDD[HHMMSS]. Returns how many fields were read.
int ReadUndelimited(Scanner* in, size_t digits, size_t* year_digits, ParsedTemporal* out) {
  *year_digits = digits == 4 || digits == 8 || digits >= 14 ? 4 : 2;
  int field = 0;
  for (; field < 6 && IsDigit(in->peek()); ++field) {
    size_t count;
    int64_t value = in->Number(field == 0 ? *year_digits : 2, &count);
    SetField(&out->parts, field, value);
    if (field == 2 && in->peek() == 'T') {
      in->skip();
    }
  }
  if (field == 6 && in->peek() == '.') {
    in->skip();
    ReadFraction(in, out);
  }
  return field;
}

// Fields separated by punctuation, date and time by spaces or T; leading zeros count for nothing,
// but for the year's two digits.
int ReadDelimited(Scanner* in, size_t* year_digits, ParsedTemporal* out) {
  int field = 0;
  while (field < 6) {
    size_t count;
    constexpr int64_t kBeyondEveryField = 1000000;
    int64_t value = in->Number(SIZE_MAX, &count);
    if (count == 0) {
      break;
    }
    if (field == 0) {
      *year_digits = count;
    }
    SetField(&out->parts, field, std::min(value, kBeyondEveryField));
    ++field;
    size_t before = in->pos();
    if (field == 6) {
      if (in->peek() == '.') {
        in->skip();
        ReadFraction(in, out);
      }
      break;
    }
    if (field == 3) {
      if (in->peek() == 'T' && IsDigit(in->peek(1))) {
        in->skip();
        continue;
      }
      bool any = false;
      while (IsSpace(in->peek()) || IsPunctuation(in->peek())) {
        in->skip();
        any = true;
      }
      if (!any || !IsDigit(in->peek())) {
        in->set_pos(before);
        break;
      }
      continue;
    }
    bool any = false;
    while (IsPunctuation(in->peek())) {
      in->skip();
      any = true;
    }
    if (!any || !IsDigit(in->peek())) {
      in->set_pos(before);
      break;
    }
  }
  return field;
}

}  // namespace

bool IsAllowedDate(const TemporalParts& p, SqlMode mode) {
  if (p.zero_date()) {
    return (mode & kModeNoZeroDate) == 0;
  }
  if (p.zero_in_date()) {
    return (mode & kModeNoZeroInDate) == 0;
  }
  return (mode & kModeAllowInvalidDates) != 0 || p.day <= DaysInMonth(p.year, p.month);
}

TemporalStatus ParseDateTime(std::string_view text, SqlMode mode, ParsedTemporal* out) {
  *out = ParsedTemporal();
  Scanner in(text);
  in.SkipSpaces();
  size_t digits = in.CountDigits();
  if (digits == 0) {
    return TemporalStatus::kInvalid;
  }
  char after = in.peek(digits);
  bool undelimited = after == '\0' || (after == '.' && digits >= 12) ||
                     (after == 'T' && digits >= 6) || (IsSpace(after) && digits >= 6) ||
                     (digits > 4 && !IsPunctuation(after));
  size_t year_digits = 0;
  int fields;
  if (undelimited) {
    if (digits < 5) {
      return TemporalStatus::kInvalid;
    }
    if (after == 'T') {
      digits = digits >= 8 ? 8 : 6;
    }
    fields = ReadUndelimited(&in, digits, &year_digits, out);
  } else {
    fields = ReadDelimited(&in, &year_digits, out);
  }
  if (fields < 3) {
    return TemporalStatus::kInvalid;
  }
  out->has_time = fields > 3;
  TemporalParts& p = out->parts;
  if (year_digits == 2 && !(p.zero_date() && p.hour == 0 && p.minute == 0 && p.second == 0)) {
    p.year = FullYear(p.year);
  }
  if (!IsPossible(p) || !IsAllowedDate(p, mode)) {
    return TemporalStatus::kInvalid;
  }
  if (out->has_time) {
    ReadOffset(&in, out);
  }
  in.SkipSpaces();
  return in.end() ? TemporalStatus::kOk : TemporalStatus::kTruncated;
}

TemporalStatus ParseTime(std::string_view text, ParsedTemporal* out) {
  *out = ParsedTemporal();
  Scanner in(text);
  in.SkipSpaces();
  // A DATETIME gives its time of day; it shows by a space or T inside, or by its many digits.
  size_t digits = in.CountDigits();
  bool whole = digits >= 12 || text.find_first_of(" T", in.pos()) != std::string_view::npos;
  if (whole && digits > 0 && text.size() - in.pos() >= 12) {
    TemporalStatus status = ParseDateTime(text, kModeAllowInvalidDates, out);
    if (status != TemporalStatus::kInvalid && out->has_time) {
      return status;
    }
    *out = ParsedTemporal();
  }
  TemporalParts& p = out->parts;
  if (in.peek() == '-') {
    p.negative = true;
    in.skip();
  } else if (in.peek() == '+') {
    in.skip();
  }
  if (in.CountDigits() == 0 && !(in.peek() == '.' && IsDigit(in.peek(1)))) {
    return TemporalStatus::kInvalid;
  }
  size_t count;
  int64_t first = in.Number(18, &count);
  int64_t days = 0;
  bool overflow = IsDigit(in.peek());
  size_t after_number = in.pos();
  if (IsSpace(in.peek())) {
    in.SkipSpaces();
    if (IsDigit(in.peek())) {
      days = first;
      first = in.Number(18, &count);
      if (in.peek() != ':') {  // 'D HH'
        p.hour = first;
        first = -1;
      }
    } else {
      in.set_pos(after_number);
    }
  }
  if (in.peek() == ':' && first >= 0 && IsDigit(in.peek(1))) {
    p.hour = first;
    in.skip();
    p.minute = static_cast<int>(in.Number(9, &count));
    if (in.peek() == ':' && IsDigit(in.peek(1))) {
      in.skip();
      p.second = static_cast<int>(in.Number(9, &count));
    }
  } else if (first >= 0) {  // HHMMSS
    p.second = static_cast<int>(first % 100);
    p.minute = static_cast<int>(first / 100 % 100);
    p.hour = first / 10000;
  }
  if (in.peek() == '.') {
    in.skip();
    ReadFraction(&in, out);
  }
  out->has_time = true;
  if (p.minute > 59 || p.second > 59) {
    return TemporalStatus::kInvalid;
  }
  p.hour = std::min<int64_t>(p.hour, 1000000) + std::min<int64_t>(days, 1000000) * 24;
  if (overflow || p.hour > 838) {
    p.hour = 838;
    p.minute = 59;
    p.second = 59;
    p.microsecond = 0;
    out->nanosecond_rest = 0;
    return TemporalStatus::kOutOfRange;
  }
  in.SkipSpaces();
  return in.end() ? TemporalStatus::kOk : TemporalStatus::kTruncated;
}

TemporalStatus DateTimeOfNumber(int64_t number, SqlMode mode, ParsedTemporal* out) {
  *out = ParsedTemporal();
  constexpr int64_t kMillion = 1000000;
  if (number < 0) {
    return TemporalStatus::kInvalid;
  }
  bool date_only = false;
  if (number == 0) {
    date_only = true;
  } else if (number >= 10000101 * kMillion) {
    // YYYYMMDDHHMMSS
  } else if (number < 101) {
    return TemporalStatus::kInvalid;
  } else if (number <= 99991231) {
    date_only = true;
    if (number <= 691231) {
      number += 20000000;
    } else if (number < 700101) {
      return TemporalStatus::kInvalid;
    } else if (number <= 991231) {
      number += 19000000;
    }
    number *= kMillion;
  } else if (number < 101 * kMillion) {
    return TemporalStatus::kInvalid;
  } else if (number <= 691231 * kMillion + 235959) {
    number += 20000000 * kMillion;
  } else if (number < 700101 * kMillion) {
    return TemporalStatus::kInvalid;
  } else if (number <= 991231 * kMillion + 235959) {
    number += 19000000 * kMillion;
  }
  int64_t date = number / kMillion;
  int64_t time = number % kMillion;
  TemporalParts& p = out->parts;
  p.year = static_cast<int>(std::min<int64_t>(date / 10000, 10000));
  p.month = static_cast<int>(date / 100 % 100);
  p.day = static_cast<int>(date % 100);
  p.hour = time / 10000;
  p.minute = static_cast<int>(time / 100 % 100);
  p.second = static_cast<int>(time % 100);
  out->has_time = !date_only;
  return IsPossible(p) && IsAllowedDate(p, mode) ? TemporalStatus::kOk : TemporalStatus::kInvalid;
}

TemporalStatus TimeOfNumber(int64_t number, ParsedTemporal* out) {
  *out = ParsedTemporal();
  out->has_time = true;
  TemporalParts& p = out->parts;
  p.negative = number < 0;
  uint64_t magnitude =
      number < 0 ? ~static_cast<uint64_t>(number) + 1 : static_cast<uint64_t>(number);
  if (magnitude > 8385959) {
    if (!p.negative && number >= 10000000000) {  // a DATETIME written as a number
      ParsedTemporal full;
      if (DateTimeOfNumber(number, kModeAllowInvalidDates, &full) == TemporalStatus::kOk) {
        *out = full;
        return TemporalStatus::kOk;
      }
    }
    p.hour = 838;
    p.minute = 59;
    p.second = 59;
    return TemporalStatus::kOutOfRange;
  }
  p.hour = static_cast<int64_t>(magnitude / 10000);
  p.minute = static_cast<int>(magnitude / 100 % 100);
  p.second = static_cast<int>(magnitude % 100);
  return p.minute > 59 || p.second > 59 ? TemporalStatus::kInvalid : TemporalStatus::kOk;
}

}  // namespace borealis::row
