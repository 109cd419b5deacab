#include "sql/context/diagnostics.h"

#include "base/mysql_error.h"

namespace borealis::sql {

namespace {

// The warnings that strict mode makes errors of, as far as we give them.
bool IsAboutValue(int mysql_errno) {
  switch (mysql_errno) {
    case ER_TRUNCATED_WRONG_VALUE:
    case ER_WARN_DATA_OUT_OF_RANGE:
    case ER_DIVISION_BY_ZERO:
    case ER_DATETIME_FUNCTION_OVERFLOW:
    case 3020:  // invalid argument for logarithm
      return true;
    default:
      return false;
  }
}

}  // namespace

void Diagnostics::AddWarning(row::WarningLevel level, int mysql_errno, std::string message) {
  if (strict_ && level == row::WarningLevel::kWarning && IsAboutValue(mysql_errno)) {
    if (strict_error_.ok()) {
      strict_error_ = Status::User(mysql_errno, std::move(message));
    }
    return;
  }
  if (level == row::WarningLevel::kNote && !keep_notes_) {
    return;
  }
  ++count_;
  if (level == row::WarningLevel::kError) {
    ++error_count_;
  }
  if (conditions_.size() < limit_) {
    conditions_.push_back({level, mysql_errno, std::move(message)});
  }
}

void Diagnostics::AddError(const Status& error) {
  AddWarning(row::WarningLevel::kError, error.user_errno(), std::string(error.message()));
}

void Diagnostics::Clear() {
  conditions_.clear();
  count_ = 0;
  error_count_ = 0;
  strict_ = false;
  strict_error_ = Status();
}

}  // namespace borealis::sql
