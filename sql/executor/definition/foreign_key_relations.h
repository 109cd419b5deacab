// What a definition statement means for the tables at the other ends of foreign keys, and for the
// names of constraints, which are unique in a schema.
//
// A foreign key is described in the child (TableDescriptor::foreign_keys, the parent by name); the
// parent lists its children (TableDescriptor::referencing). SQL's entries in the dictionary hold
// what must be found without either table:
//
//   KEY                                                   VALUE
//   'n' schema 00 folded name of the foreign key 00       child
//   'c' schema 00 folded name of the check 00             table
//   'r' parent's schema 00 parent 00 child's schema 00 child    (none)
//
// All of it changes in one atomic schema change (engine::RelatedChanges), which locks the tables on
// both sides exclusively.
//
// INV-FK-1  A table's `referencing` is exactly the tables that have a foreign key to it by name.
// INV-FK-2  There is an 'r' entry for each such pair, also where the parent does not exist (which
//           foreign_key_checks = 0 allows): a table that takes the name takes the children.
// INV-FK-3  Names of foreign keys are unique in a schema: each has its 'n' entry.
// INV-CHECK-1  So are names of checks of stored tables: each has its 'c' entry.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/schema_change.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

// A table that the statement makes, changes or drops. `after` gets its `referencing`, and follows
// what the statement does to its parents.
struct TableChange {
  TablePtr before;                         // null: it is made
  std::shared_ptr<TableDescriptor> after;  // null: it is dropped
  std::vector<int> column_sources;         // per column of `after` the one before; empty: the same
};

// Errors: 1826, 3822, and what a reference lacks (1824, 3734, 3733, 3780, 1822; 1215 for children
// that waited for a table to be created).
Result<engine::RelatedChanges> RelateForeignKeys(StatementRun& run,
                                                 std::vector<TableChange>& changes);

// Whether `child` may refer to `parent` so: errors 3734, 3733, 3780, 1822. Character sets need not
// agree under foreign_key_checks = 0.
Status CheckReference(const StatementRun& run, const TableDescriptor& child,
                      const ForeignKeyDescriptor& key, const TableDescriptor& parent);

// The positions of the parent's columns; empty when one is missing.
std::vector<uint32_t> ParentColumns(const ForeignKeyDescriptor& key, const TableDescriptor& parent);

// What makes a parent undroppable by name: the first foreign key of `child` to the table.
const ForeignKeyDescriptor* FindReference(const TableDescriptor& child, std::string_view schema,
                                          std::string_view table);

// The same for a schema that is dropped with all its tables. Error: 3730 when a table elsewhere
// refers to one of them.
Result<engine::RelatedChanges> RelateDroppedSchema(StatementRun& run, const std::string& schema);

}  // namespace borealis::sql
