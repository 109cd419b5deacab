#include "sql/program/program_conditions.h"

#include "base/mysql_error.h"

namespace borealis::sql {

namespace {

using Kind = ProgramCondition::Kind;

bool IsClass(std::string_view sqlstate, std::string_view wanted) {
  return sqlstate.substr(0, 2) == wanted;
}

bool Matches(const ProgramCondition& wanted, const Condition& condition) {
  const std::string_view sqlstate = condition.sqlstate();
  const bool warns = IsClass(sqlstate, "01") || condition.level == row::WarningLevel::kWarning;
  switch (wanted.kind) {
    case Kind::kErrorNumber:
      return wanted.error_number == condition.mysql_errno;
    case Kind::kSqlState:
      return wanted.sqlstate == sqlstate;
    case Kind::kWarnings:
      return warns;
    case Kind::kNotFound:
      return IsClass(sqlstate, "02");
    case Kind::kExceptions:
      return condition.level == row::WarningLevel::kError && !IsClass(sqlstate, "00") &&
             !IsClass(sqlstate, "01") && !IsClass(sqlstate, "02");
  }
  return false;
}

// Lower goes first.
int Rank(Kind kind) {
  return kind == Kind::kErrorNumber ? 0 : kind == Kind::kSqlState ? 1 : 2;
}

const ProgramCodeScope::Handler* FindIn(const ProgramCodeScope& scope, const Condition& condition) {
  const ProgramCodeScope::Handler* found = nullptr;
  int found_rank = 3;
  for (const ProgramCodeScope::Handler& handler : scope.handlers) {
    for (const ProgramCondition& wanted : handler.conditions) {
      if (Rank(wanted.kind) < found_rank && Matches(wanted, condition)) {
        found = &handler;
        found_rank = Rank(wanted.kind);
      }
    }
  }
  return found;
}

}  // namespace

FoundHandler FindHandler(const ProgramCode& code, const ProgramInstruction& failed,
                         const Condition& condition) {
  uint32_t scope = failed.scope;
  for (;;) {
    const ProgramCodeScope& at = code.scopes()[scope];
    if (const auto* handler = FindIn(at, condition)) {
      return failed.declares && scope == failed.scope ? FoundHandler()
                                                      : FoundHandler{scope, handler};
    }
    if (scope == 0) {
      return {};
    }
    scope = at.is_handler ? code.scopes()[at.parent].parent : at.parent;
  }
}

bool IsCatchable(const Status& failure) {
  switch (failure.user_errno()) {
    case 0:
    case ER_QUERY_INTERRUPTED:
    case ER_QUERY_TIMEOUT:
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_LOCK_DEADLOCK:
    case ER_SERVER_SHUTDOWN:
      return false;
    default:
      return true;
  }
}

}  // namespace borealis::sql
