// The tables that LOCK TABLES has to lock for those that it names: a view with all that it reads,
// and a table that is locked for writing with what its triggers use, and so on.
#pragma once

#include <vector>

#include "base/status.h"
#include "engine/table_locks.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

class LockRequests {
 public:
  explicit LockRequests(StatementRun& run) : run_(run) {}

  // A base table or a view. The stronger lock where a table is asked for more than once.
  Status Add(const TablePtr& table, bool for_writing);

  const std::vector<engine::TableLockRequest>& requests() const { return requests_; }

 private:
  // False: it is asked for already, as strongly.
  bool AddOne(const TableDescriptor& table, bool for_writing);
  Status AddTablesOfView(const TablePtr& view, bool for_writing);
  Status AddTablesOfTrigger(const TableDescriptor& table, const TriggerDescriptor& trigger);

  StatementRun& run_;
  std::vector<engine::TableLockRequest> requests_;
};

}  // namespace borealis::sql
