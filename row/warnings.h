// Where conversions and functions report what they let pass: MySQL's SHOW WARNINGS list.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"

namespace borealis::row {

enum class WarningLevel : uint8_t { kNote, kWarning, kError };

class WarningSink {
 public:
  virtual ~WarningSink() = default;
  // `message` in MySQL's wording for `mysql_errno`.
  virtual void AddWarning(WarningLevel level, int mysql_errno, std::string message) = 0;
  // Reports a user error as a warning.
  void AddWarning(const Status& status) {
    AddWarning(WarningLevel::kWarning, status.user_errno(), std::string(status.message()));
  }
};

}  // namespace borealis::row
