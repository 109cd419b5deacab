// The diagnostics area of a session: what SHOW WARNINGS and SHOW ERRORS list.
//
// Cleared when a statement starts that is not itself about diagnostics. Keeps at most
// max_error_count conditions but counts all of them. A stored program works in an area of its own,
// and a handler of it in a copy of the one it was called for, which GET STACKED DIAGNOSTICS reads.
// Not thread-safe: it belongs to the session's running statement.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "row/warnings.h"

namespace borealis::sql {

// What SIGNAL says of a condition beside its number and text, by the names that GET DIAGNOSTICS has
// for it ("TABLE_NAME", "CLASS_ORIGIN").
using ConditionItems = std::map<std::string, std::string, std::less<>>;

struct Condition {
  row::WarningLevel level = row::WarningLevel::kWarning;
  int mysql_errno = 0;
  std::string message;
  std::string raised_sqlstate = {};                       // by SIGNAL; empty: the number's
  std::shared_ptr<const ConditionItems> items = nullptr;  // null: none

  std::string_view sqlstate() const;
};

// The conditions of one statement.
struct DiagnosticsArea {
  std::vector<Condition> conditions;
  uint64_t count = 0;
  uint64_t error_count = 0;
};

class Diagnostics final : public row::WarningSink {
 public:
  using row::WarningSink::AddWarning;
  void AddWarning(row::WarningLevel level, int mysql_errno, std::string message) override;
  // The error that ended the statement.
  void AddError(const Status& error);
  void Add(Condition condition);
  // Takes back one like it.
  void Remove(const Condition& condition);
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
  // Off again, and what was told meanwhile forgotten.
  void EndStrict() {
    strict_ = false;
    strict_error_ = Status();
  }

  // --- rows of which something was said before it is known what becomes of them (InsertBatch)
  struct Mark {
    size_t conditions = 0;
    uint64_t count = 0;
    uint64_t error_count = 0;
  };
  Mark mark() const { return {area_.conditions.size(), area_.count, area_.error_count}; }
  // Takes back what was said since.
  void CutBackTo(const Mark& mark);
  // Says it before the conditions from that place on.
  void AddWarningAt(size_t place, const Status& warning);

  const std::vector<Condition>& conditions() const { return area_.conditions; }
  uint64_t count() const { return area_.count; }
  uint64_t error_count() const { return area_.error_count; }
  // As the OK packet counts.
  uint16_t packet_count() const {
    return static_cast<uint16_t>(area_.count < 0xFFFF ? area_.count : 0xFFFF);
  }

  // --- SIGNAL and stored programs

  // The error `condition`, as a statement's outcome: a Status that has not all of it.
  Status Raise(Condition condition);
  // What an outcome stands for.
  Condition ConditionOf(const Status& error) const;

  // A handler begins and ends to work on `condition`, one of this area's. What it finds there is a
  // copy of the area; what is left of it afterwards are the conditions of its own statements.
  void EnterHandler(Condition condition);
  void LeaveHandler();
  struct Handled {
    DiagnosticsArea area;
    Condition condition;
  };
  // The innermost handler at work; null: none.
  const Handled* handled() const { return handled_.empty() ? nullptr : &handled_.back(); }
  size_t handler_depth() const { return handled_.size(); }

  // All that belongs to a statement, for another to run within it.
  struct State {
    DiagnosticsArea area;
    std::vector<Handled> handled;
    bool strict = false;
    Status strict_error;
  };
  // Leaves nothing behind.
  State Suspend();
  void Resume(State state);

 private:
  DiagnosticsArea area_;
  std::vector<Handled> handled_;  // innermost last
  std::unique_ptr<Condition> raised_;
  uint64_t limit_ = 1024;
  bool keep_notes_ = true;
  bool strict_ = false;
  Status strict_error_;
};

}  // namespace borealis::sql
