#include "sql/context/diagnostics.h"

#include <algorithm>

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
    case ER_WRONG_VALUE_FOR_TYPE:
    case ER_WARN_ALLOWED_PACKET_OVERFLOWED:
    case 3020:  // invalid argument for logarithm
      return true;
    default:
      return false;
  }
}

bool Same(const Condition& a, const Condition& b) {
  return a.mysql_errno == b.mysql_errno && a.message == b.message;
}

}  // namespace

std::string_view Condition::sqlstate() const {
  return raised_sqlstate.empty() ? SqlStateOf(mysql_errno) : std::string_view(raised_sqlstate);
}

void Diagnostics::AddWarning(row::WarningLevel level, int mysql_errno, std::string message) {
  if (strict_ && level == row::WarningLevel::kWarning && IsAboutValue(mysql_errno)) {
    if (strict_error_.ok()) {
      strict_error_ = Status::User(mysql_errno, std::move(message));
    }
    return;
  }
  Add({level, mysql_errno, std::move(message)});
}

void Diagnostics::Add(Condition condition) {
  if (condition.level == row::WarningLevel::kNote && !keep_notes_) {
    return;
  }
  ++area_.count;
  if (condition.level == row::WarningLevel::kError) {
    ++area_.error_count;
  }
  if (area_.conditions.size() < limit_) {
    area_.conditions.push_back(std::move(condition));
  }
}

void Diagnostics::Remove(const Condition& condition) {
  const auto at = std::find_if(area_.conditions.begin(), area_.conditions.end(),
                               [&](const Condition& other) { return Same(other, condition); });
  if (at == area_.conditions.end()) {
    return;
  }
  --area_.count;
  area_.error_count -= at->level == row::WarningLevel::kError ? 1 : 0;
  area_.conditions.erase(at);
}

void Diagnostics::AddError(const Status& error) {
  Add(ConditionOf(error));
}

void Diagnostics::CutBackTo(const Mark& mark) {
  area_.conditions.resize(mark.conditions);
  area_.count = mark.count;
  area_.error_count = mark.error_count;
}

void Diagnostics::AddWarningAt(size_t place, const Status& warning) {
  ++area_.count;
  if (place >= limit_) {
    return;
  }
  area_.conditions.insert(
      area_.conditions.begin() + static_cast<ptrdiff_t>(place),
      {row::WarningLevel::kWarning, warning.user_errno(), std::string(warning.message())});
  if (area_.conditions.size() > limit_) {
    area_.conditions.pop_back();
  }
}

void Diagnostics::Clear() {
  area_ = DiagnosticsArea();
  raised_ = nullptr;
  strict_ = false;
  strict_error_ = Status();
}

Status Diagnostics::Raise(Condition condition) {
  raised_ = std::make_unique<Condition>(std::move(condition));
  return Status::User(raised_->mysql_errno, raised_->message);
}

Condition Diagnostics::ConditionOf(const Status& error) const {
  if (raised_ != nullptr && raised_->mysql_errno == error.user_errno() &&
      raised_->message == error.message()) {
    return *raised_;
  }
  return {row::WarningLevel::kError, error.user_errno(), std::string(error.message())};
}

void Diagnostics::EnterHandler(Condition condition) {
  handled_.push_back({area_, std::move(condition)});
}

void Diagnostics::LeaveHandler() {
  const size_t before = handled_.back().area.conditions.size();
  // What the handler found is gone, unless a statement of it has cleared the area itself.
  auto& now = area_.conditions;
  const auto& found = handled_.back().area.conditions;
  if (now.size() >= before && std::equal(found.begin(), found.end(), now.begin(), Same)) {
    now.erase(now.begin(), now.begin() + static_cast<ptrdiff_t>(before));
    area_.count -= std::min(area_.count, handled_.back().area.count);
    area_.error_count -= std::min(area_.error_count, handled_.back().area.error_count);
  }
  handled_.pop_back();
}

Diagnostics::State Diagnostics::Suspend() {
  State state{std::move(area_), std::move(handled_), strict_, std::move(strict_error_)};
  area_ = DiagnosticsArea();
  handled_.clear();
  strict_ = false;
  strict_error_ = Status();
  return state;
}

void Diagnostics::Resume(State state) {
  area_ = std::move(state.area);
  handled_ = std::move(state.handled);
  strict_ = state.strict;
  strict_error_ = std::move(state.strict_error);
}

}  // namespace borealis::sql
