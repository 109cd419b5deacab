#include "sql/context/diagnostics.h"

namespace borealis::sql {

void Diagnostics::AddWarning(row::WarningLevel level, int mysql_errno, std::string message) {
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
}

}  // namespace borealis::sql
