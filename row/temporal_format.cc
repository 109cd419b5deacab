// DATE_FORMAT, TIME_FORMAT and STR_TO_DATE: the %-directives both ways.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "row/temporal.h"

namespace borealis::row {

namespace {

constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
constexpr std::string_view kDays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                      "Friday", "Saturday", "Sunday"};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsAlpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool IsPunctuation(char c) {
  return c > ' ' && c < 0x7F && !IsDigit(c) && !IsAlpha(c);
}
char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string_view OrdinalSuffix(int day) {
  if (day >= 10 && day <= 19) {
    return "th";
  }
  switch (day % 10) {
    case 1:
      return "st";
    case 2:
      return "nd";
    case 3:
      return "rd";
    default:
      return "th";
  }
}

// Directives that need a date; false when it lacks what they name.
bool FormatDatePart(const TemporalParts& p, char directive, std::string* out) {
  auto put = std::back_inserter(*out);
  int64_t day_number = DayNumber(p.year, p.month, p.day);
  int year;
  switch (directive) {
    case 'M':
    case 'b':
      if (p.month == 0) {
        return false;
      }
      out->append(directive == 'M' ? MonthName(p.month) : MonthName(p.month).substr(0, 3));
      return true;
    case 'W':
    case 'a': {
      if (p.month == 0 && p.year == 0) {
        return false;
      }
      std::string_view name = DayName(Weekday(day_number, false));
      out->append(directive == 'W' ? name : name.substr(0, 3));
      return true;
    }
    case 'D':
      fmt::format_to(put, "{}{}", p.day, OrdinalSuffix(p.day));
      return true;
    case 'Y':
      fmt::format_to(put, "{:04}", p.year);
      return true;
    case 'y':
      fmt::format_to(put, "{:02}", p.year % 100);
      return true;
    case 'm':
      fmt::format_to(put, "{:02}", p.month);
      return true;
    case 'c':
      fmt::format_to(put, "{}", p.month);
      return true;
    case 'd':
      fmt::format_to(put, "{:02}", p.day);
      return true;
    case 'e':
      fmt::format_to(put, "{}", p.day);
      return true;
    case 'j':
      if (p.zero_in_date()) {
        return false;
      }
      fmt::format_to(put, "{:03}", day_number - DayNumber(p.year, 1, 1) + 1);
      return true;
    case 'w':
      if (p.month == 0 && p.year == 0) {
        return false;
      }
      fmt::format_to(put, "{}", Weekday(day_number, true));
      return true;
    case 'U':
      fmt::format_to(put, "{:02}", WeekOf(p, 0, &year));
      return true;
    case 'u':
      fmt::format_to(put, "{:02}", WeekOf(p, 1, &year));
      return true;
    case 'V':
      fmt::format_to(put, "{:02}", WeekOf(p, 2, &year));
      return true;
    case 'v':
      fmt::format_to(put, "{:02}", WeekOf(p, 3, &year));
      return true;
    case 'X':
    case 'x':
      WeekOf(p, directive == 'X' ? 2 : 3, &year);
      fmt::format_to(put, "{:04}", year);
      return true;
    default:
      return false;
  }
}

// False when the directive is not a time's.
bool FormatTimePart(const TemporalParts& p, char directive, std::string* out) {
  auto put = std::back_inserter(*out);
  int64_t half = (p.hour % 24 + 11) % 12 + 1;
  std::string_view am = p.hour % 24 < 12 ? "AM" : "PM";
  switch (directive) {
    case 'H':
      fmt::format_to(put, "{:02}", p.hour);
      return true;
    case 'k':
      fmt::format_to(put, "{}", p.hour);
      return true;
    case 'h':
    case 'I':
      fmt::format_to(put, "{:02}", half);
      return true;
    case 'l':
      fmt::format_to(put, "{}", half);
      return true;
    case 'i':
      fmt::format_to(put, "{:02}", p.minute);
      return true;
    case 's':
    case 'S':
      fmt::format_to(put, "{:02}", p.second);
      return true;
    case 'f':
      fmt::format_to(put, "{:06}", p.microsecond);
      return true;
    case 'p':
      out->append(am);
      return true;
    case 'r':
      fmt::format_to(put, "{:02}:{:02}:{:02} {}", half, p.minute, p.second, am);
      return true;
    case 'T':
      fmt::format_to(put, "{:02}:{:02}:{:02}", p.hour, p.minute, p.second);
      return true;
    default:
      return false;
  }
}

// What STR_TO_DATE has read so far.
struct Fields {
  TemporalParts parts;
  bool has_date = false;
  bool has_time = false;
  bool has_meridiem = false;
  bool twelve_hours = false;
  int meridiem_hours = 0;
  int day_of_year = -1;
  int week = -1;
  int weekday = -1;  // 1 = Monday … 7 = Sunday
  int week_year = -1;
  bool sunday_first = false;
  bool week_year_mode = false;
  int fraction_digits = 0;
};

class FormatReader {
 public:
  explicit FormatReader(std::string_view text) : text_(text) {}

  bool Run(std::string_view format);
  Fields fields;
  bool at_end() const { return pos_ >= text_.size(); }

 private:
  bool Directive(char directive);
  bool DateDirective(char directive, bool* known);
  bool TimeDirective(char directive, bool* known);

  char peek() const { return pos_ < text_.size() ? text_[pos_] : '\0'; }
  bool Number(int max_digits, int* value) {
    int digits = 0;
    *value = 0;
    for (; digits < max_digits && IsDigit(peek()); ++digits, ++pos_) {
      *value = *value * 10 + (peek() - '0');
    }
    return digits > 0;
  }
  // The longest of `names` (or of their first `letters`) at this place; its number from 1.
  template <size_t N>
  bool Name(const std::string_view (&names)[N], size_t letters, int* number) {
    for (size_t i = 0; i < N; ++i) {
      std::string_view name = names[i].substr(0, letters);
      if (text_.size() - pos_ >= name.size() &&
          std::equal(name.begin(), name.end(), text_.begin() + static_cast<ptrdiff_t>(pos_),
                     [](char a, char b) { return Lower(a) == Lower(b); })) {
        pos_ += name.size();
        *number = static_cast<int>(i) + 1;
        return true;
      }
    }
    return false;
  }

  std::string_view text_;
  size_t pos_ = 0;
};

bool FormatReader::Run(std::string_view format) {
  for (size_t i = 0; i < format.size() && pos_ < text_.size(); ++i) {
    char c = format[i];
    if (c == '%' && i + 1 < format.size()) {
      char directive = format[++i];
      if (directive != '.' && directive != '@' && directive != '#') {
        while (IsSpace(peek())) {
          ++pos_;
        }
        if (pos_ >= text_.size()) {
          break;
        }
      }
      if (!Directive(directive)) {
        return false;
      }
    } else if (IsSpace(c)) {
      while (IsSpace(peek())) {
        ++pos_;
      }
    } else {
      while (IsSpace(peek())) {
        ++pos_;
      }
      if (peek() != c) {
        return false;
      }
      ++pos_;
    }
  }
  return true;
}

bool FormatReader::Directive(char directive) {
  bool known = true;
  bool good = DateDirective(directive, &known);
  if (known) {
    fields.has_date = true;
    return good;
  }
  good = TimeDirective(directive, &known);
  if (known) {
    fields.has_time = true;
    return good;
  }
  auto skip_while = [&](bool (*is)(char)) {
    while (pos_ < text_.size() && is(text_[pos_])) {
      ++pos_;
    }
  };
  switch (directive) {
    case '.':
      skip_while(IsPunctuation);
      return true;
    case '@':
      skip_while(IsAlpha);
      return true;
    case '#':
      skip_while(IsDigit);
      return true;
    case '%':
      return peek() == '%' && ++pos_ > 0;
    default:
      return false;
  }
}

bool FormatReader::DateDirective(char directive, bool* known) {
  TemporalParts& p = fields.parts;
  int number;
  switch (directive) {
    case 'Y': {
      size_t before = pos_;
      if (!Number(4, &p.year)) {
        return false;
      }
      if (pos_ - before <= 2) {
        p.year += p.year < 70 ? 2000 : 1900;
      }
      return true;
    }
    case 'y':
      if (!Number(2, &p.year)) {
        return false;
      }
      p.year += p.year < 70 ? 2000 : 1900;
      return true;
    case 'm':
    case 'c':
      return Number(2, &p.month);
    case 'M':
      return Name(kMonths, 20, &p.month);
    case 'b':
      return Name(kMonths, 3, &p.month);
    case 'd':
    case 'e':
      return Number(2, &p.day);
    case 'D':
      if (!Number(2, &p.day)) {
        return false;
      }
      pos_ = std::min(pos_ + 2, text_.size());
      return true;
    case 'j':
      return Number(3, &fields.day_of_year) && fields.day_of_year >= 1 && fields.day_of_year <= 366;
    case 'a':
      return Name(kDays, 3, &fields.weekday);
    case 'W':
      return Name(kDays, 20, &fields.weekday);
    case 'w':
      if (!Number(1, &number) || number > 6) {
        return false;
      }
      fields.weekday = number == 0 ? 7 : number;
      return true;
    case 'U':
    case 'u':
    case 'V':
    case 'v':
      fields.sunday_first = directive == 'U' || directive == 'V';
      fields.week_year_mode = directive == 'V' || directive == 'v';
      return Number(2, &fields.week) && fields.week <= 53;
    case 'X':
    case 'x':
      return Number(4, &fields.week_year);
    default:
      *known = false;
      return false;
  }
}

bool FormatReader::TimeDirective(char directive, bool* known) {
  TemporalParts& p = fields.parts;
  *known = true;
  int number = 0;
  switch (directive) {
    case 'h':
    case 'I':
    case 'l':
      fields.twelve_hours = true;
      [[fallthrough]];
    case 'H':
    case 'k':
      if (!Number(2, &number)) {
        return false;
      }
      p.hour = number;
      return !fields.twelve_hours || (number >= 1 && number <= 12);
    case 'i':
      return Number(2, &p.minute);
    case 's':
    case 'S':
      return Number(2, &p.second);
    case 'f': {
      size_t before = pos_;
      if (!Number(6, &number)) {
        return false;
      }
      fields.fraction_digits = static_cast<int>(pos_ - before);
      for (size_t digits = pos_ - before; digits < 6; ++digits) {
        number *= 10;
      }
      p.microsecond = number;
      return true;
    }
    case 'p': {
      static constexpr std::string_view kMeridiem[] = {"AM", "PM"};
      fields.has_meridiem = true;
      if (!Name(kMeridiem, 2, &number)) {
        return false;
      }
      fields.meridiem_hours = number == 2 ? 12 : 0;
      return true;
    }
    case 'r':
      return Run("%I:%i:%S %p");
    case 'T':
      return Run("%H:%i:%S");
    default:
      *known = false;
      return false;
  }
}

// Day of the year, or week and weekday, to a date. False when they name none.
bool ResolveDay(Fields* f) {
  TemporalParts& p = f->parts;
  int64_t day_number;
  if (f->day_of_year > 0) {
    day_number = DayNumber(p.year, 1, 1) + f->day_of_year - 1;
  } else if (f->week >= 0 && f->weekday > 0) {
    int year = f->week_year_mode ? f->week_year : p.year;
    if (year < 0 || (f->week_year_mode && f->week == 0)) {
      return false;
    }
    int64_t first = DayNumber(year, 1, 1);
    int first_weekday = Weekday(first, f->sunday_first);
    if (f->sunday_first) {
      day_number =
          first + (first_weekday == 0 ? 0 : 7) - first_weekday + (f->week - 1) * 7 + f->weekday % 7;
    } else {
      day_number =
          first + (first_weekday <= 3 ? 0 : 7) - first_weekday + (f->week - 1) * 7 + f->weekday - 1;
    }
  } else {
    return true;
  }
  TemporalParts date = DateOfDayNumber(day_number);
  p.year = date.year;
  p.month = date.month;
  p.day = date.day;
  return !date.zero_date();
}

}  // namespace

std::string_view MonthName(int month) {
  return kMonths[month - 1];
}
std::string_view DayName(int weekday_from_monday) {
  return kDays[weekday_from_monday];
}

bool FormatTemporal(const TemporalParts& parts, std::string_view format, bool is_time,
                    std::string* out) {
  if (is_time && parts.negative) {
    *out += '-';
  }
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      *out += format[i];
      continue;
    }
    char directive = format[++i];
    constexpr std::string_view kDateDirectives = "MbWaDYymcdejwUuVvXx";
    if (kDateDirectives.find(directive) != std::string_view::npos) {
      // Of a TIME the numbers of its date are zeros; it has neither names nor weeks.
      constexpr std::string_view kOfDatesAlone = "MbWaDjwUuVvXx";
      const bool missing = is_time && kOfDatesAlone.find(directive) != std::string_view::npos;
      if (missing || !FormatDatePart(parts, directive, out)) {
        return false;
      }
    } else if (!FormatTimePart(parts, directive, out)) {
      *out += directive;  // %% and anything unknown stand for themselves
    }
  }
  return true;
}

TemporalStatus ParseByFormat(std::string_view text, std::string_view format, SqlMode mode,
                             ParsedTemporal* out, bool* has_date) {
  *out = ParsedTemporal();
  FormatReader reader(text);
  if (!reader.Run(format)) {
    return TemporalStatus::kInvalid;
  }
  Fields& f = reader.fields;
  if (f.has_meridiem || f.twelve_hours) {
    if (f.has_meridiem && !f.twelve_hours) {
      return TemporalStatus::kInvalid;  // AM/PM with a 24-hour clock
    }
    f.parts.hour = f.parts.hour % 12 + f.meridiem_hours;
  }
  TemporalParts& p = f.parts;
  if (!ResolveDay(&f) || p.year > 9999 || p.month > 12 || p.day > 31 || p.hour > 23 ||
      p.minute > 59 || p.second > 59 || (f.has_date && !IsAllowedDate(p, mode))) {
    return TemporalStatus::kInvalid;
  }
  *has_date = f.has_date;
  out->parts = p;
  out->has_time = f.has_time;
  out->fraction_digits = f.fraction_digits;
  return reader.at_end() ? TemporalStatus::kOk : TemporalStatus::kTruncated;
}

}  // namespace borealis::row
