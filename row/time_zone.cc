// Reads TZif files (RFC 8536), versions 2 and up: the 64-bit changes and the POSIX rule at the end.
#include "row/time_zone.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/coding.h"
#include "base/mutex.h"
#include "base/mysql_error.h"
#include "base/os/file.h"
#include "row/time_zone_names.h"

namespace borealis::row {

namespace {

constexpr int64_t kSecondsPerDay = 86400;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Digits as a number; more than any offset has count as 99. False when something else is there.
bool ParseDigits(std::string_view text, int* number) {
  *number = 0;
  for (char c : text) {
    if (!IsDigit(c)) {
      return false;
    }
    *number = std::min(*number * 10 + (c - '0'), 99);
  }
  return true;
}

// "+05:30", "-8:0", "+:15": MySQL takes any number of digits, and offsets from -13:59 to +14:00.
bool ParseOffset(std::string_view name, int* offset) {
  const size_t colon = name.find(':');
  if (name.empty() || (name[0] != '+' && name[0] != '-') || colon == std::string_view::npos ||
      colon + 1 == name.size()) {
    return false;
  }
  int hours;
  int minutes;
  if (!ParseDigits(name.substr(1, colon - 1), &hours) ||
      !ParseDigits(name.substr(colon + 1), &minutes)) {
    return false;
  }
  const bool west = name[0] == '-';
  const int total = hours * 60 + minutes;
  *offset = (west ? -total : total) * 60;
  return minutes <= 59 && (west ? total < 14 * 60 : total <= 14 * 60);
}

std::string OffsetName(int offset) {
  const int minutes = std::abs(offset) / 60;
  std::string name = offset < 0 ? "-" : "+";
  for (const int part : {minutes / 60, minutes % 60}) {
    name += static_cast<char>('0' + part / 10);
    name += static_cast<char>('0' + part % 10);
    name += ':';
  }
  name.pop_back();
  return name;
}

bool IsZoneName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name[0] != '/' &&
         name.find("..") == std::string_view::npos &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' ||
                  c == '_' || c == '-' || c == '+';
         });
}

// A cursor over a POSIX TZ string such as "CET-1CEST,M3.5.0,M10.5.0/3".
class PosixReader {
 public:
  explicit PosixReader(std::string_view text) : rest_(text) {}
  bool Take(char c) {
    if (rest_.empty() || rest_[0] != c) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }
  bool SkipName() {
    size_t size = 0;
    if (!rest_.empty() && rest_[0] == '<') {
      size = rest_.find('>');
      if (size == std::string_view::npos) {
        return false;
      }
      rest_.remove_prefix(size + 1);
      return true;
    }
    while (size < rest_.size() && ((rest_[size] >= 'a' && rest_[size] <= 'z') ||
                                   (rest_[size] >= 'A' && rest_[size] <= 'Z'))) {
      ++size;
    }
    rest_.remove_prefix(size);
    return size >= 3;
  }
  int Number() {
    int value = 0;
    while (!rest_.empty() && IsDigit(rest_[0]) && value < 100000) {
      value = value * 10 + (rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }
  int Seconds() {  // [+-]hh[:mm[:ss]]
    bool negative = Take('-');
    if (!negative) {
      Take('+');
    }
    int seconds = Number() * 3600;
    if (Take(':')) {
      seconds += Number() * 60;
      if (Take(':')) {
        seconds += Number();
      }
    }
    return negative ? -seconds : seconds;
  }
  bool empty() const { return rest_.empty(); }
  bool at(char c) const { return !rest_.empty() && rest_[0] == c; }

 private:
  std::string_view rest_;
};

struct ZoneCache {
  Mutex mutex{LockRank::kLeaf};
  std::map<std::string, std::shared_ptr<const TimeZone>, std::less<>> zones;
};

ZoneCache& Cache() {
  static auto* cache = new ZoneCache;
  return *cache;
}

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return lower;
}

}  // namespace

const std::shared_ptr<const TimeZone>& TimeZone::Utc() {
  static const auto* utc = [] {
    auto zone = std::make_shared<TimeZone>();
    zone->name_ = "UTC";
    return new std::shared_ptr<const TimeZone>(std::move(zone));
  }();
  return *utc;
}

Result<std::shared_ptr<const TimeZone>> TimeZone::Find(std::string_view name) {
  std::string key = LowerAscii(name);
  if (key == "utc") {
    return Utc();
  }
  {
    MutexLock lock(Cache().mutex);
    auto found = Cache().zones.find(key);
    if (found != Cache().zones.end()) {
      return found->second;
    }
  }
  std::shared_ptr<const TimeZone> zone;
  int offset;
  if (ParseOffset(name, &offset)) {
    auto fixed = std::make_shared<TimeZone>();
    fixed->name_ = OffsetName(offset);
    fixed->first_offset_ = offset;
    zone = std::move(fixed);
  } else if (key == "system") {
    auto loaded = Load("SYSTEM", "/etc/localtime");
    zone = loaded.ok() ? *loaded : Utc();  // a machine without the file runs on UTC
  } else if (IsZoneName(name)) {
    ASSIGN_OR_RETURN(zone, Load(name, std::string(kZoneDirectory) + std::string(name)));
  } else {
    return UserError(ER_UNKNOWN_TIME_ZONE, name);
  }
  MutexLock lock(Cache().mutex);
  if (Cache().zones.size() < 2000) {
    Cache().zones.emplace(std::move(key), zone);
  }
  return zone;
}

Result<std::shared_ptr<const TimeZone>> TimeZone::Load(std::string_view name,
                                                       const std::string& path) {
  Result<std::string> bytes = ReadWholeFile(RealFileSystem(), path);
  auto zone = std::make_shared<TimeZone>();
  zone->name_ = std::string(name);
  if (!bytes.ok() || !ParseFile(*bytes, zone.get()).ok()) {
    return UserError(ER_UNKNOWN_TIME_ZONE, name);
  }
  return std::shared_ptr<const TimeZone>(std::move(zone));
}

Status TimeZone::ParseFile(std::string_view bytes, TimeZone* zone) {
  ByteReader reader(bytes);
  for (int block = 0; block < 2; ++block) {
    std::string_view magic = reader.Bytes(4);
    uint8_t version = reader.Little<uint8_t>();
    reader.Bytes(15);
    uint32_t count[6];  // isut, isstd, leap, time, type, char
    for (uint32_t& n : count) {
      n = reader.Big<uint32_t>();
    }
    if (!reader.ok() || magic != "TZif" || version < '2' || count[4] == 0 || count[3] > 100000 ||
        count[4] > 256 || count[2] > 1000 || count[5] > 10000) {
      return Status::Corruption("read time zone: not a TZif file of version 2");
    }
    if (block == 0) {  // the 32-bit block
      reader.Bytes(count[3] * 5 + count[4] * 6 + count[5] + count[2] * 8 + count[1] + count[0]);
      continue;
    }
    std::string_view times = reader.Bytes(size_t{count[3]} * 8);
    std::string_view kinds = reader.Bytes(count[3]);
    std::string_view types = reader.Bytes(size_t{count[4]} * 6);
    reader.Bytes(count[5] + size_t{count[2]} * 12 + count[1] + count[0]);
    if (!reader.ok()) {
      return Status::Corruption("read time zone: cut short");
    }
    auto offset_of = [&](size_t type) { return LoadBig<int32_t>(types.data() + type * 6); };
    zone->first_offset_ = offset_of(0);
    for (size_t i = 0; i < count[3]; ++i) {
      uint8_t kind = static_cast<uint8_t>(kinds[i]);
      if (kind >= count[4]) {
        return Status::Corruption("read time zone: no such type");
      }
      zone->changes_.push_back({LoadBig<int64_t>(times.data() + i * 8), offset_of(kind)});
    }
  }
  std::string_view tail = reader.rest();
  if (!tail.empty() && tail.front() == '\n' && tail.back() == '\n' && tail.size() > 2) {
    zone->ParseTail(tail.substr(1, tail.size() - 2));
  }
  return {};
}

void TimeZone::ParseTail(std::string_view posix) {
  PosixReader in(posix);
  if (!in.SkipName()) {
    return;
  }
  standard_offset_ = -in.Seconds();
  if (in.empty() || !in.SkipName()) {
    return;  // no summer time: the last change's offset holds for ever
  }
  summer_offset_ = standard_offset_ + 3600;
  if (!in.at(',')) {
    summer_offset_ = -in.Seconds();
  }
  auto read_rule = [&](YearlyRule* rule) {
    if (!in.Take(',')) {
      return false;
    }
    if (in.Take('M')) {
      rule->month = in.Number();
      in.Take('.');
      rule->week = in.Number();
      in.Take('.');
      rule->weekday = in.Number();
      if (rule->month < 1 || rule->month > 12 || rule->week < 1 || rule->week > 5 ||
          rule->weekday > 6) {
        return false;
      }
    } else {
      rule->skip_leap_day = in.Take('J');
      rule->day = in.Number();
    }
    if (in.Take('/')) {
      rule->seconds = in.Seconds();
    }
    return true;
  };
  has_rule_ = read_rule(&summer_start_) && read_rule(&summer_end_);
}

// Local seconds since 1970 (by the clock before the change) of a rule in a year.
int64_t TimeZone::RuleSeconds(const YearlyRule& rule, int year) const {
  int64_t first_of_year = DayNumber(year, 1, 1) - DayNumber(1970, 1, 1);
  int64_t day;
  if (rule.month == 0) {
    day = first_of_year + rule.day - (rule.skip_leap_day ? 1 : 0);
    if (rule.skip_leap_day && IsLeapYear(year) && rule.day >= 60) {
      ++day;
    }
  } else {
    int64_t number = DayNumber(year, rule.month, 1);
    int shift = (rule.weekday - Weekday(number, true) + 7) % 7 + (rule.week - 1) * 7;
    while (shift >= DaysInMonth(year, rule.month)) {
      shift -= 7;
    }
    day = number - DayNumber(1970, 1, 1) + shift;
  }
  return day * kSecondsPerDay + rule.seconds;
}

int TimeZone::OffsetAt(int64_t utc_seconds) const {
  if (changes_.empty() || utc_seconds < changes_.front().at) {
    if (!changes_.empty() || !has_rule_) {
      return first_offset_;
    }
  } else if (utc_seconds < changes_.back().at || !has_rule_) {
    auto after = std::upper_bound(changes_.begin(), changes_.end(), utc_seconds,
                                  [](int64_t at, const Change& change) { return at < change.at; });
    return std::prev(after)->offset;
  }
  TemporalParts local = PartsOfMicros((utc_seconds + standard_offset_) * kMicrosPerSecond);
  int64_t start = RuleSeconds(summer_start_, local.year) - standard_offset_;
  int64_t end = RuleSeconds(summer_end_, local.year) - summer_offset_;
  bool summer = start < end ? utc_seconds >= start && utc_seconds < end
                            : utc_seconds >= start || utc_seconds < end;
  return summer ? summer_offset_ : standard_offset_;
}

int64_t TimeZone::ToLocal(int64_t utc_micros) const {
  if (utc_micros == 0) {
    return 0;
  }
  int64_t seconds = utc_micros >= 0 ? utc_micros / kMicrosPerSecond
                                    : -((kMicrosPerSecond - 1 - utc_micros) / kMicrosPerSecond);
  return PackDateTime(PartsOfMicros(utc_micros + OffsetAt(seconds) * kMicrosPerSecond));
}

int64_t TimeZone::ToUtc(const TemporalParts& local, bool* skipped) const {
  int64_t micros = MicrosSince1970(local);
  int64_t seconds = (micros - local.microsecond) / kMicrosPerSecond;
  if (skipped != nullptr) {
    *skipped = false;
  }
  // The offsets in force a day before and a day after bracket any change near `local`.
  int before = OffsetAt(seconds - kSecondsPerDay);
  int after = OffsetAt(seconds + kSecondsPerDay);
  for (int offset : {before, after}) {
    if (OffsetAt(seconds - offset) == offset) {
      return micros - offset * kMicrosPerSecond;
    }
  }
  // Skipped: search the moment of the change between the two readings.
  int64_t low = seconds - std::max(before, after);
  int64_t high = seconds - std::min(before, after);
  int low_offset = OffsetAt(low);
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    (OffsetAt(middle) == low_offset ? low : high) = middle;
  }
  if (skipped != nullptr) {
    *skipped = true;
  }
  return high * kMicrosPerSecond;
}

}  // namespace borealis::row
