// A trigger of one table version, compiled for a session: its body's code, a frame, and which
// columns NEW and OLD of that frame are.
//
// Sessions compile for themselves and share nothing: the plans of a body's statements belong to the
// session's query machine, and a body is parsed once for a table version, so sharing the tree would
// save little and cost a lock. Used by the session's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "row/value.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/program/program_code.h"
#include "sql/program/program_frame.h"
#include "sql/session/program_scope.h"

namespace borealis::sql {

class Session;

class TriggerProgram {
 public:
  // Errors: those of the body's text; 1054 for a column that NEW or OLD does not have (any more).
  static Result<std::unique_ptr<TriggerProgram>> Compile(Session* session,
                                                         const TableDescriptor& table,
                                                         const TriggerDescriptor& trigger);

  TriggerTiming timing() const { return timing_; }
  TriggerEvent event() const { return event_; }
  bool sets_columns() const { return sets_columns_; }

  // Runs the body over a row: null where the event has none. What it assigns to NEW is in
  // *new_row afterwards, NULL perhaps where the column allows none: the columns that it has made
  // NULL are added to *nulled. Errors: the body's; 1449, 1142 and 1143 for lack of the definer or
  // of privileges of the definer.
  Status Fire(const std::vector<row::Value>* old_row, std::vector<row::Value>* new_row,
              std::vector<uint32_t>* nulled);

 private:
  TriggerProgram(Session* session, const TableDescriptor& table, const TriggerDescriptor& trigger,
                 Program program);
  Status BindColumns(const TableDescriptor& table);
  // Whose privileges count, as the accounts are now.
  Status FollowAccounts();
  Status CheckColumns() const;

  struct RowSlot {
    uint32_t slot;
    uint32_t column;
    bool is_new;
    bool assigned;
  };

  Session* const session_;
  const std::string schema_;
  const std::string table_;
  const TriggerTiming timing_;
  const TriggerEvent event_;
  const AccountKey definer_;
  ProgramCode code_;
  ProgramFrame frame_;
  ProgramEnvironment environment_;
  std::vector<RowSlot> row_slots_;
  std::vector<std::string> columns_;  // their names, by row slot
  bool sets_columns_ = false;
  std::shared_ptr<const GrantTables> accounts_;  // that the environment's privileges are of
};

}  // namespace borealis::sql
