// The programs that a session has compiled, and what its running statements use.
//
// The triggers of a table are compiled when a row first fires one and kept until the table's
// definition changes or the session forgets its plans. As many tables as kTablesMax are kept, the
// least recently used go first.
//
// INV-TRIG-1  A statement within a trigger changes no table that a statement it runs within uses:
//             1442.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "sql/program/trigger_program.h"
#include "sql/session/session.h"

namespace borealis::sql {

// Of one table version; entry i is the table's trigger i.
struct CompiledTriggers {
  TablePtr table;
  std::vector<std::unique_ptr<TriggerProgram>> programs;  // null: not compiled yet
};

class SessionPrograms final : public SessionPart {
 public:
  // The session's; made when first asked for.
  static SessionPrograms& Of(Session* session);

  // Stays good for as long as it is held.
  std::shared_ptr<CompiledTriggers> TriggersOf(const TablePtr& table);

  // While a statement lives whose triggers fire: the tables that it uses.
  class StatementTables {
   public:
    StatementTables(SessionPrograms* programs, const TableDescriptor& target,
                    const std::vector<TablePtr>& tables);
    ~StatementTables();
    StatementTables(const StatementTables&) = delete;
    StatementTables& operator=(const StatementTables&) = delete;

   private:
    SessionPrograms* const programs_;
    size_t count_ = 0;
  };

  // Whether a statement within a trigger may change the table. Error: 1442.
  static Status CheckMayChange(Session* session, const TableDescriptor& table);

 private:
  static constexpr size_t kTablesMax = 64;

  std::list<std::shared_ptr<CompiledTriggers>> tables_;  // most recent first
  std::vector<uint64_t> used_;                           // ids, of outer statements first
};

}  // namespace borealis::sql
