// The diagnostics area of a session: what SHOW WARNINGS and SHOW ERRORS list.
//
// Cleared when a statement starts that is not itself about diagnostics. Keeps at most
// max_error_count conditions but counts all of them. Not thread-safe: it belongs to the session's
// running statement.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "row/warnings.h"

namespace borealis::sql {

struct Condition {
  row::WarningLevel level = row::WarningLevel::kWarning;
  int mysql_errno = 0;
  std::string message;
};

class Diagnostics final : public row::WarningSink {
 public:
  using row::WarningSink::AddWarning;
  void AddWarning(row::WarningLevel level, int mysql_errno, std::string message) override;
  // The error that ended the statement.
  void AddError(const Status& error);
  void Note(int mysql_errno, std::string message) {
    AddWarning(row::WarningLevel::kNote, mysql_errno, std::move(message));
  }

  void Clear();
  void set_limit(uint64_t max_error_count) { limit_ = max_error_count; }
  // False: notes are neither kept nor counted (sql_notes = 0).
  void set_keep_notes(bool keep) { keep_notes_ = keep; }

  // While on, warnings about values that did not fit become the statement's error: strict mode in
  // statements that change rows.
  void set_strict(bool strict) { strict_ = strict; }
  // The first of them; Ok when there is none.
  const Status& strict_error() const { return strict_error_; }

  const std::vector<Condition>& conditions() const { return conditions_; }
  uint64_t count() const { return count_; }
  uint64_t error_count() const { return error_count_; }
  // As the OK packet counts.
  uint16_t packet_count() const { return static_cast<uint16_t>(count_ < 0xFFFF ? count_ : 0xFFFF); }

 private:
  std::vector<Condition> conditions_;
  uint64_t count_ = 0;
  uint64_t error_count_ = 0;
  uint64_t limit_ = 1024;
  bool keep_notes_ = true;
  bool strict_ = false;
  Status strict_error_;
};

}  // namespace borealis::sql
