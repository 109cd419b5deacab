// LOCK TABLES: locks on whole tables that a session holds over any number of transactions.
//
// They are metadata locks. A table has two keys there: its name (shared by everything that uses the
// table, exclusive for schema changes), and its rows (kChanging for transactions that change them).
//   for reading   the name shared (as the schema's always is), the rows shared: nobody changes
//   for writing   the name exclusive: nobody else uses the table
// Transactions and schema changes of the session that holds the locks are given them in their
// options and take none where these are enough; the locks go when the last holder of the reference
// goes. What a session may do under its locks (errors 1099 and 1100) is SQL's business.
// Immutable once made.
#pragma once

#include <string_view>
#include <vector>

#include "engine/schema_change.h"

namespace borealis::engine {

enum class TableUse : uint8_t { kRead, kChange };

struct TableLockRequest {
  TableName table;
  bool for_writing = false;
};

class TableLocks {
 public:
  virtual ~TableLocks() = default;  // releases
  TableLocks() = default;
  TableLocks(const TableLocks&) = delete;
  TableLocks& operator=(const TableLocks&) = delete;

  enum class Held : uint8_t { kNo, kForReading, kForWriting };
  virtual Held HeldOn(std::string_view schema, std::string_view table) const = 0;
  virtual std::vector<TableName> tables() const = 0;
  // Whether any is held for writing: then they also count as passing a read lock on the instance.
  virtual bool for_writing() const = 0;
};

}  // namespace borealis::engine
