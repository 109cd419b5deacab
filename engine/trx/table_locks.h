// The engine's TableLocks: an owner of metadata locks that is no transaction.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core.h"
#include "engine/table_locks.h"

namespace borealis::engine {

// The key that stands for a table's rows among the metadata locks; never a name's key.
std::string RowsKey(std::string_view schema, std::string_view table);

class HeldTableLocks final : public TableLocks {
 public:
  static Result<std::shared_ptr<const TableLocks>> Take(Core* core,
                                                        const std::vector<TableLockRequest>& tables,
                                                        const SchemaChangeOptions& how);
  ~HeldTableLocks() override;

  // An empty table name is the schema itself.
  Held HeldOn(std::string_view schema, std::string_view table) const override;
  std::vector<TableName> tables() const override;
  bool for_writing() const override { return for_writing_; }

 private:
  HeldTableLocks(Core* core, const SchemaChangeOptions& how);

  Core* const core_;
  LockOwner owner_;
  std::map<TableName, bool> held_;  // true: for writing
  bool for_writing_ = false;
};

}  // namespace borealis::engine
