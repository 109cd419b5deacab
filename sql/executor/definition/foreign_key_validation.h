// Tries new foreign keys on rows that are there already: ALTER TABLE … ADD FOREIGN KEY.
//
// Used while the schema change holds the metadata locks of the table and its parents exclusively,
// so that neither changes. Parents are looked for with locks of a transaction of its own, given
// back at once: only so is what was just committed sure to be seen.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "row/value.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/executor/change/foreign_key_check.h"

namespace borealis::sql {

class ForeignKeyValidation {
 public:
  // The keys of `after` that `before` has not. `sources`: where the columns of `after` come from.
  ForeignKeyValidation(StatementRun& run, TablePtr before, TablePtr after,
                       const std::vector<int>& sources);
  ~ForeignKeyValidation();

  bool any() const { return !keys_.empty(); }
  // Error 1452. `row`: as the table will hold it.
  Status Check(const std::vector<row::Value>& row);

 private:
  struct Key;

  Status Prepare(Key* key);
  Status CollectOwnKeys(Key* key);
  Result<bool> HasParent(Key* key, const std::vector<row::Value>& values);

  StatementRun& run_;
  const TablePtr before_;
  const TablePtr after_;
  const std::vector<int>& sources_;
  std::unique_ptr<engine::Transaction> transaction_;
  std::vector<std::unique_ptr<Key>> keys_;
};

}  // namespace borealis::sql
