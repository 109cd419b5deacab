#include "base/mysql_error.h"

namespace borealis {

std::string_view SqlStateOf(int mysql_errno) {
  switch (mysql_errno) {
#define MYSQL_ERROR(name, number, sqlstate, text) \
  case number:                                    \
    return sqlstate;
#include "base/mysql_error.def"
#undef MYSQL_ERROR
    default:
      return "HY000";
  }
}

// HA_ERR_NO_CONNECTION: what MySQL's engines say when the place of the data cannot be reached.
constexpr int kNoConnectionToStorage = 157;

std::string_view ErrorPattern(int mysql_errno) {
  switch (mysql_errno) {
#define MYSQL_ERROR(name, number, sqlstate, text) \
  case number:                                    \
    return text;
#include "base/mysql_error.def"
#undef MYSQL_ERROR
    default:
      return {};
  }
}

Status ToUserError(const Status& status) {
  switch (status.code()) {
    case Code::kOk:
    case Code::kUser:
      return status;
    case Code::kTimedOut:
      return UserError(ER_LOCK_WAIT_TIMEOUT);
    case Code::kDeadlock:
      return UserError(ER_LOCK_DEADLOCK);
    case Code::kCancelled:
      return UserError(ER_QUERY_INTERRUPTED);
    case Code::kFenced:
      return UserError(ER_OPTION_PREVENTS_STATEMENT, "--read-only");
    case Code::kUnavailable:
      return UserError(ER_GET_ERRNO, kNoConnectionToStorage, status.message());
    case Code::kUnsupported:
      return UserError(ER_NOT_SUPPORTED_YET, status.message());
    default:
      return UserError(ER_UNKNOWN_ERROR, status.ToString());
  }
}

}  // namespace borealis
