#include "sql/executor/definition/online_ddl.h"

#include <string>

#include "base/mysql_error.h"

namespace borealis::sql {
namespace {

constexpr std::string_view kCopyOrInplace = "ALGORITHM=COPY/INPLACE";
constexpr std::string_view kNumbersReason = "Adding an auto-increment column requires a lock";
constexpr std::string_view kTypeReason = "Cannot change column type INPLACE";
constexpr std::string_view kForeignReason = "Adding foreign keys needs foreign_key_checks=OFF";
constexpr std::string_view kPrimaryReason =
    "Dropping a primary key is not allowed without also adding a new primary key";

// Refuses `what`; without a reason if MySQL gives none.
Status Refuse(std::string_view what, std::string_view reason, std::string_view instead) {
  return reason.empty() ? UserError(ER_ALTER_OPERATION_NOT_SUPPORTED, what, instead)
                        : UserError(ER_ALTER_OPERATION_NOT_SUPPORTED_REASON, what, reason, instead);
}

Status CheckWords(const OnlineDdlOptions& online) {
  const std::string& algorithm = online.algorithm;
  const std::string& lock = online.lock;
  if (!algorithm.empty() && algorithm != "DEFAULT" && algorithm != "INSTANT" &&
      algorithm != "INPLACE" && algorithm != "COPY") {
    return UserError(ER_UNKNOWN_ALTER_ALGORITHM, algorithm);
  }
  const bool says_lock = !lock.empty() && lock != "DEFAULT";
  if (says_lock && lock != "NONE" && lock != "SHARED" && lock != "EXCLUSIVE") {
    return UserError(ER_UNKNOWN_ALTER_LOCK, lock);
  }
  if (algorithm == "INSTANT" && says_lock) {
    return UserError(ER_WRONG_USAGE, "ALGORITHM=INSTANT", "LOCK=NONE/SHARED/EXCLUSIVE");
  }
  return {};
}

Status CheckInstant(const AlterationNature& nature) {
  if (nature.kind == AlterationClass::kInstant) {
    return {};
  }
  if (nature.checks_rows) {
    return Refuse("ALGORITHM=INSTANT", {}, "ALGORITHM=COPY");
  }
  std::string_view reason;
  if (nature.changes_type) {
    reason = "Need to rebuild the table to change column type";
  } else if (nature.drops_primary_key) {
    reason = kPrimaryReason;
  } else if (nature.checks_keys) {
    reason = kForeignReason;
  } else if (nature.adds_numbers) {
    reason = kNumbersReason;
  }
  return Refuse("ALGORITHM=INSTANT", reason, kCopyOrInplace);
}

std::string_view CopyReason(const AlterationNature& nature) {
  return nature.checks_rows         ? std::string_view()
         : nature.changes_type      ? kTypeReason
         : nature.checks_keys       ? kForeignReason
         : nature.drops_primary_key ? kPrimaryReason
                                    : std::string_view();
}

Status CheckUnlocked(const AlterationNature& nature, bool copies_by_wish) {
  if (copies_by_wish || nature.checks_rows) {
    return Refuse("LOCK=NONE", "COPY algorithm requires a lock", "LOCK=SHARED");
  }
  if (nature.kind == AlterationClass::kCopy) {
    return Refuse("LOCK=NONE", CopyReason(nature), "LOCK=SHARED");
  }
  return nature.adds_numbers ? Refuse("LOCK=NONE", kNumbersReason, "LOCK=SHARED") : Status::Ok();
}

}  // namespace

Result<engine::Concurrency> CheckOnlineOptions(const OnlineDdlOptions& online,
                                               const AlterationNature& nature) {
  RETURN_IF_ERROR(CheckWords(online));
  const bool copies_by_wish = online.algorithm == "COPY";
  if (nature.only_names && !copies_by_wish && (online.lock == "NONE" || online.lock == "SHARED")) {
    return Refuse("LOCK=NONE/SHARED", {}, "LOCK=EXCLUSIVE");
  }
  if (online.algorithm == "INSTANT") {
    RETURN_IF_ERROR(CheckInstant(nature));
  }
  if (online.algorithm == "INPLACE" && nature.kind == AlterationClass::kCopy) {
    return Refuse("ALGORITHM=INPLACE", CopyReason(nature), "ALGORITHM=COPY");
  }
  if (online.lock == "NONE") {
    RETURN_IF_ERROR(CheckUnlocked(nature, copies_by_wish));
  }
  if (online.lock == "EXCLUSIVE") {
    return engine::Concurrency::kNone;
  }
  const bool readers_only = online.lock == "SHARED" || copies_by_wish || nature.adds_numbers ||
                            nature.kind == AlterationClass::kCopy;
  return readers_only ? engine::Concurrency::kRead : engine::Concurrency::kReadAndWrite;
}

}  // namespace borealis::sql
