// Keeps the foreign keys of a table while one statement changes its rows.
//
// As a child: a row that is inserted, or whose key columns change, must have its parent, whose
// index entry is locked shared (missing, the gap where it would be: see engine/cursor.h). A key
// with a NULL in it has no parent (MATCH SIMPLE).
// As a parent: before a row goes, or its referenced columns change, rows of children that refer to
// it are looked for through their index. They forbid it (RESTRICT, NO ACTION, SET DEFAULT), or
// follow it: CASCADE and SET NULL change them through a TableWriter of their own, so level by
// level (foreign_key_cascade.cc).
//
// Each row is settled when it is changed, as InnoDB does it: keys in the order of their indexes and
// names, nothing is put off to the end of the statement. Tables at the other end are opened, with
// their metadata locks, when they are first needed.
//
// INV-FK-4  With foreign_key_checks = 1, when a row's change has succeeded, its parents exist and
//           are locked so that they stay until the transaction ends, and no child refers to what
//           the row was.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/cursor.h"
#include "engine/engine.h"
#include "row/value.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

class TableWriter;
using RowValues = std::vector<row::Value>;

// Looks for rows by the values of the leading columns of one index, in the newest version.
class ReferenceSearch {
 public:
  ReferenceSearch(engine::Transaction& transaction, engine::TableRef table, size_t index_no)
      : transaction_(transaction), table_(std::move(table)), index_no_(index_no) {}

  // Moves to the first row with these values, or says that there is none. `all`: Next() gives the
  // others; otherwise nothing beyond the row found is locked.
  Result<bool> Find(std::span<const row::Value> values, engine::LockMode lock, bool all);
  Result<bool> Next() { return cursor_->Next(); }
  engine::Cursor& cursor() { return *cursor_; }

 private:
  engine::Transaction& transaction_;
  const engine::TableRef table_;
  const size_t index_no_;
  std::unique_ptr<engine::Cursor> cursor_;
  engine::LockMode lock_ = engine::LockMode::kNone;
};

// The rows that a statement is changing at the moment, the outermost first, and the writers of the
// tables that its cascades reach. One for the statement's row change and all its cascades.
struct CascadeState {
  struct Frame {
    uint64_t table_id = 0;
    bool is_delete = false;
    std::string clustered_key;
  };
  std::vector<Frame> frames;
  std::map<uint64_t, std::unique_ptr<TableWriter>> writers;  // by table id

  CascadeState();
  ~CascadeState();
};

class ForeignKeyGuard {
 public:
  // Null when there is nothing to keep. `cascades` is that of the guard whose cascades lead here,
  // and outlives this one; null: this is the first.
  static std::unique_ptr<ForeignKeyGuard> For(StatementRun& run, engine::Transaction& transaction,
                                              const TablePtr& table, CascadeState* cascades);
  ForeignKeyGuard(StatementRun& run, engine::Transaction& transaction, TablePtr table,
                  CascadeState* cascades);
  ~ForeignKeyGuard();

  bool is_parent() const { return !table_->referencing.empty(); }

  // --- the row as a child: error 1452
  Status CheckInserted(const RowValues& row);
  // A unique index turned the row away, a new one or what `before` should have become (`settled` as
  // below): the keys whose indexes InnoDB would have filled before, or with, that one come first.
  Status CheckTurnedAway(const RowValues* before, const RowValues& row,
                         const ForeignKeyDescriptor* settled, size_t index_no);
  // After the update; `settled` is the key whose cascade it is, or null.
  Status CheckUpdated(const RowValues& before, const RowValues& after,
                      const ForeignKeyDescriptor* settled);

  // --- the row as a parent: errors 1451, 3008, and those of cascades
  Status BeforeDelete(std::string_view clustered_key, const RowValues& row);
  Status BeforeUpdate(const RowValues& before, const RowValues& after);
  Status AfterUpdate(std::string_view clustered_key, const RowValues& before,
                     const RowValues& after);

 private:
  struct Parent;
  struct Child;

  // --- foreign_key_check.cc
  Status OpenParent(Parent* parent);
  Status CheckParent(Parent* parent, const RowValues& row);
  Status OpenChildren();
  Status OpenChild(const ReferencingTable& name);
  Status Forbid(Child* child, const RowValues& row);
  bool RefersToItself(const ForeignKeyDescriptor& key, const std::vector<uint32_t>& parent_columns,
                      const RowValues& row) const;
  Result<TableWriter*> WriterOf(const Child& child);

  // --- foreign_key_cascade.cc
  Status Cascade(Child* child, const RowValues& before, const RowValues* after);
  Status CascadeToRow(Child* child, std::string_view clustered_key, std::string_view row,
                      const RowValues* after);
  Status GiveNewKey(const Child& child, const RowValues* after, RowValues* row);
  bool IsBeingDeleted(uint64_t table_id, std::string_view clustered_key) const;
  bool IsBeingUpdated(uint64_t table_id) const;

  StatementRun& run_;
  engine::Transaction& transaction_;
  const TablePtr table_;
  const std::unique_ptr<CascadeState> own_cascades_;  // of the first; has the writers of the others
  CascadeState* const cascades_;
  std::vector<std::unique_ptr<Parent>> parents_;  // one per foreign key, by index and name
  std::vector<std::unique_ptr<Child>> children_;  // one per foreign key to this table, by name
  bool children_open_ = false;
};

// One foreign key of the table, and its parent once that is needed.
struct ForeignKeyGuard::Parent {
  const ForeignKeyDescriptor* key = nullptr;
  // A change of one of these makes a new entry in the index that serves the key, which is when
  // InnoDB asks for the parent: the index's columns and those of the primary key.
  std::vector<uint32_t> watched;
  int index_no = 0;  // of the table: the index that serves the key
  bool opened = false;
  std::unique_ptr<ReferenceSearch> search;  // null: there is no such parent
};

// One foreign key of another table (or of this one) to the table.
struct ForeignKeyGuard::Child {
  TablePtr table;
  engine::TableRef engine_table;
  const ForeignKeyDescriptor* key = nullptr;
  std::vector<uint32_t> columns;  // of the parent
  size_t index_no = 0;            // of the child
  std::unique_ptr<ReferenceSearch> forbidding;
};

}  // namespace borealis::sql
