// Time zones as MySQL names them: 'SYSTEM', '+05:30', 'UTC' and the zones of the zoneinfo database.
//
// A TimeZone is immutable and shared; Find keeps every zone it has read. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "row/temporal.h"

namespace borealis::row {

class TimeZone {
 public:
  // Error 1298 for a name that is no zone.
  static Result<std::shared_ptr<const TimeZone>> Find(std::string_view name);
  static const std::shared_ptr<const TimeZone>& Utc();

  const std::string& name() const { return name_; }
  // Seconds east of UTC at a moment.
  int OffsetAt(int64_t utc_seconds) const;
  // TIMESTAMP to a packed DATETIME of this zone; 0 to the zero date.
  int64_t ToLocal(int64_t utc_micros) const;
  // A DATETIME of this zone to TIMESTAMP micros. A time that a change of clocks skipped becomes the
  // moment of the change, and `skipped` (optional) is set; one that occurred twice means the first.
  // REQUIRES: not a zero month or day.
  int64_t ToUtc(const TemporalParts& local, bool* skipped = nullptr) const;

 private:
  struct Change {
    int64_t at;  // UTC seconds
    int offset;  // seconds east from then on
  };
  // The rule after the last change, from the file's POSIX TZ text.
  struct YearlyRule {
    int month = 0;    // 1 to 12; 0 is a day of the year
    int week = 0;     // 1 to 5, 5 is the last
    int weekday = 0;  // 0 is Sunday
    int day = 0;
    bool skip_leap_day = false;
    int seconds = 7200;
  };

  static Result<std::shared_ptr<const TimeZone>> Load(std::string_view name,
                                                      const std::string& path);
  static Status ParseFile(std::string_view bytes, TimeZone* zone);
  void ParseTail(std::string_view posix);
  int64_t RuleSeconds(const YearlyRule& rule, int year) const;

  std::string name_;
  int first_offset_ = 0;  // before the first change
  std::vector<Change> changes_;
  bool has_rule_ = false;
  int standard_offset_ = 0;
  int summer_offset_ = 0;
  YearlyRule summer_start_;
  YearlyRule summer_end_;
};

}  // namespace borealis::row
