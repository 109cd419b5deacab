#include "sql/executor/change/foreign_key_check.h"

#include <algorithm>
#include <tuple>

#include "base/mysql_error.h"
#include "engine/table_locks.h"
#include "row/key_codec.h"
#include "sql/catalog/row_layout.h"
#include "sql/executor/change/table_writer.h"
#include "sql/executor/definition/foreign_key_names.h"
#include "sql/executor/definition/foreign_key_relations.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// The values of the columns; false when one is NULL.
bool TakeKey(const RowValues& row, std::span<const uint32_t> columns, RowValues* key) {
  key->clear();
  for (const uint32_t column : columns) {
    if (row[column].is_null()) {
      return false;
    }
    key->push_back(row[column].Borrow());
  }
  return true;
}

// InnoDB goes by the bytes: another way to write an equal text is a change.
bool Differ(const RowValues& a, const RowValues& b, std::span<const uint32_t> columns) {
  return std::any_of(columns.begin(), columns.end(),
                     [&](uint32_t column) { return !a[column].Identical(b[column]); });
}

bool Follows(ForeignKeyAction action) {
  return action == ForeignKeyAction::kCascade || action == ForeignKeyAction::kSetNull;
}

bool CascadesAnything(const TableDescriptor& child, const TableDescriptor& parent) {
  return std::any_of(child.foreign_keys.begin(), child.foreign_keys.end(),
                     [&](const ForeignKeyDescriptor& key) {
                       return key.schema == parent.schema && key.table == parent.name &&
                              (Follows(key.on_delete) || Follows(key.on_update));
                     });
}

}  // namespace

// ---------------------------------------------------------------------------------------------
// Searching

Result<bool> ReferenceSearch::Find(std::span<const row::Value> values, engine::LockMode lock,
                                   bool all) {
  const row::KeySchema& schema = SqlRowLayout::Of(*table_).keys(index_no_);
  std::string prefix;
  for (size_t i = 0; i < values.size(); ++i) {
    Status encoded = row::EncodeKeyPart(schema[i], values[i], &prefix);
    if (encoded.Is(Code::kInvalidArgument)) {
      return false;  // not a value of that column's type: no row has it
    }
    RETURN_IF_ERROR(std::move(encoded));
  }
  engine::KeyRange range = engine::KeyRange::Prefix(prefix);
  if (cursor_ != nullptr && lock == lock_) {
    RETURN_IF_ERROR(cursor_->Restart(std::move(range), /*unique_point=*/!all));
    return cursor_->Next();
  }
  engine::ScanOptions options;
  options.index_no = index_no_;
  options.range = std::move(range);
  options.lock = lock;
  // Any one row will do; what lies beyond it need not be locked.
  options.unique_point = !all;
  ASSIGN_OR_RETURN(cursor_, engine::OpenCursor(transaction_, table_, std::move(options)));
  lock_ = lock;
  return cursor_->Next();
}

CascadeState::CascadeState() = default;
CascadeState::~CascadeState() = default;

// ---------------------------------------------------------------------------------------------
// The table as a child

std::unique_ptr<ForeignKeyGuard> ForeignKeyGuard::For(StatementRun& run,
                                                      engine::Transaction& transaction,
                                                      const TablePtr& table,
                                                      CascadeState* cascades) {
  if ((table->foreign_keys.empty() && table->referencing.empty()) ||
      !run.session.settings().foreign_key_checks) {
    return nullptr;
  }
  return std::make_unique<ForeignKeyGuard>(run, transaction, table, cascades);
}

ForeignKeyGuard::ForeignKeyGuard(StatementRun& run, engine::Transaction& transaction,
                                 TablePtr table, CascadeState* cascades)
    : run_(run),
      transaction_(transaction),
      table_(std::move(table)),
      own_cascades_(cascades == nullptr ? std::make_unique<CascadeState>() : nullptr),
      cascades_(cascades == nullptr ? own_cascades_.get() : cascades) {
  for (const ForeignKeyDescriptor& key : table_->foreign_keys) {
    auto parent = std::make_unique<Parent>();
    parent->key = &key;
    parent->watched = key.columns;
    parent->index_no = std::max(table_->FindIndexOn(key.columns), 0);
    for (const int index : {0, parent->index_no}) {
      for (const IndexPart& part : table_->indexes[static_cast<size_t>(index)].parts) {
        parent->watched.push_back(part.column);
      }
    }
    parents_.push_back(std::move(parent));
  }
  std::sort(parents_.begin(), parents_.end(), [](const auto& a, const auto& b) {
    return std::tie(a->index_no, a->key->name) < std::tie(b->index_no, b->key->name);
  });
}

ForeignKeyGuard::~ForeignKeyGuard() = default;

Status ForeignKeyGuard::OpenParent(Parent* parent) {
  parent->opened = true;
  Result<engine::TableRef> opened = run_.session.environment().engine->OpenTable(
      transaction_, parent->key->schema, parent->key->table, engine::TableUse::kRead);
  if (!opened.ok()) {
    return opened.status().Is(Code::kNotFound) ? Status::Ok() : std::move(opened).status();
  }
  const TableDescriptor& descriptor = *DescriptorOf(**opened);
  const std::vector<uint32_t> columns = ParentColumns(*parent->key, descriptor);
  const int index = columns.empty() ? -1 : descriptor.FindIndexOn(columns);
  if (index >= 0) {
    parent->search = std::make_unique<ReferenceSearch>(transaction_, std::move(opened).value(),
                                                       static_cast<size_t>(index));
  }
  return {};
}

Status ForeignKeyGuard::CheckParent(Parent* parent, const RowValues& row) {
  RowValues key;
  if (!TakeKey(row, parent->key->columns, &key)) {
    return {};
  }
  if (!parent->opened) {
    RETURN_IF_ERROR(OpenParent(parent));
  }
  if (parent->search != nullptr) {
    ASSIGN_OR_RETURN(const bool found,
                     parent->search->Find(key, engine::LockMode::kShared, /*all=*/false));
    if (found) {
      return {};
    }
  }
  return NoReferencedRow(run_.session, *table_, *parent->key);
}

Status ForeignKeyGuard::CheckInserted(const RowValues& row) {
  for (const auto& parent : parents_) {
    RETURN_IF_ERROR(CheckParent(parent.get(), row));
  }
  return {};
}

Status ForeignKeyGuard::CheckTurnedAway(const RowValues* before, const RowValues& row,
                                        const ForeignKeyDescriptor* settled, size_t index_no) {
  for (const auto& parent : parents_) {
    const ForeignKeyDescriptor& key = *parent->key;
    if (static_cast<size_t>(parent->index_no) > index_no) {
      break;
    }
    if (&key == settled || (before != nullptr && !Differ(*before, row, parent->watched))) {
      continue;
    }
    const bool own = key.schema == table_->schema && key.table == table_->name;
    if (own && RefersToItself(key, ParentColumns(key, *table_), row)) {
      continue;
    }
    RETURN_IF_ERROR(CheckParent(parent.get(), row));
  }
  return {};
}

Status ForeignKeyGuard::CheckUpdated(const RowValues& before, const RowValues& after,
                                     const ForeignKeyDescriptor* settled) {
  for (const auto& parent : parents_) {
    if (parent->key != settled && Differ(before, after, parent->watched)) {
      RETURN_IF_ERROR(CheckParent(parent.get(), after));
    }
  }
  return {};
}

// ---------------------------------------------------------------------------------------------
// The table as a parent

Status ForeignKeyGuard::OpenChild(const ReferencingTable& name) {
  engine::Engine& engine = *run_.session.environment().engine;
  ASSIGN_OR_RETURN(engine::TableRef opened,
                   engine.OpenTable(transaction_, name.schema, name.name, engine::TableUse::kRead));
  // Its definition does not change while this table is open (INV-FK-1).
  const TablePtr& table = DescriptorOf(*opened);
  if (CascadesAnything(*table, *table_)) {
    const auto& locks = run_.session.table_locks();
    if (locks != nullptr &&
        locks->HeldOn(name.schema, name.name) == engine::TableLocks::Held::kForReading) {
      // The session would wait for its own lock.
      return UserError(ER_TABLE_NOT_LOCKED_FOR_WRITE, name.name);
    }
    ASSIGN_OR_RETURN(
        opened, engine.OpenTable(transaction_, name.schema, name.name, engine::TableUse::kChange));
  }
  for (const ForeignKeyDescriptor& key : table->foreign_keys) {
    if (key.schema != table_->schema || key.table != table_->name) {
      continue;
    }
    auto child = std::make_unique<Child>();
    child->table = table;
    child->engine_table = opened;
    child->key = &key;
    child->columns = ParentColumns(key, *table_);
    const int index = table->FindIndexOn(key.columns);
    if (child->columns.empty() || index < 0) {
      return Status::Internal("foreign key " + key.name + " has lost its columns or its index");
    }
    child->index_no = static_cast<size_t>(index);
    children_.push_back(std::move(child));
  }
  return {};
}

Status ForeignKeyGuard::OpenChildren() {
  if (children_open_) {
    return {};
  }
  for (const ReferencingTable& name : table_->referencing) {
    RETURN_IF_ERROR(OpenChild(name));
  }
  std::sort(children_.begin(), children_.end(), [](const auto& a, const auto& b) {
    return std::tie(a->table->schema, a->key->name) < std::tie(b->table->schema, b->key->name);
  });
  children_open_ = true;
  return {};
}

Status ForeignKeyGuard::Forbid(Child* child, const RowValues& row) {
  RowValues key;
  if (!TakeKey(row, child->columns, &key)) {
    return {};
  }
  if (child->forbidding == nullptr) {
    child->forbidding =
        std::make_unique<ReferenceSearch>(transaction_, child->engine_table, child->index_no);
  }
  ASSIGN_OR_RETURN(const bool found,
                   child->forbidding->Find(key, engine::LockMode::kShared, /*all=*/false));
  return found ? RowIsReferenced(run_.session, *child->table, *child->key) : Status::Ok();
}

// A row of a table with a key to itself that is its own parent.
bool ForeignKeyGuard::RefersToItself(const ForeignKeyDescriptor& key,
                                     const std::vector<uint32_t>& parent_columns,
                                     const RowValues& row) const {
  std::string as_child;
  std::string as_parent;
  for (size_t i = 0; i < parent_columns.size(); ++i) {
    const row::KeyPart part{table_->columns[parent_columns[i]].type, false, 0};
    if (row[key.columns[i]].is_null() || row[parent_columns[i]].is_null() ||
        !row::EncodeKeyPart(part, row[key.columns[i]], &as_child).ok() ||
        !row::EncodeKeyPart(part, row[parent_columns[i]], &as_parent).ok()) {
      return false;
    }
  }
  return as_child == as_parent;
}

Status ForeignKeyGuard::BeforeDelete(std::string_view clustered_key, const RowValues& row) {
  RETURN_IF_ERROR(OpenChildren());
  cascades_->frames.push_back({table_->table_id, true, std::string(clustered_key)});
  Status status;
  for (const auto& child : children_) {
    status = Follows(child->key->on_delete) ? Cascade(child.get(), row, nullptr)
                                            : Forbid(child.get(), row);
    if (!status.ok()) {
      break;
    }
  }
  cascades_->frames.pop_back();
  return status;
}

Status ForeignKeyGuard::BeforeUpdate(const RowValues& before, const RowValues& after) {
  RETURN_IF_ERROR(OpenChildren());
  for (const auto& child : children_) {
    if (!Differ(before, after, child->columns)) {
      continue;
    }
    if (!Follows(child->key->on_update)) {
      RETURN_IF_ERROR(Forbid(child.get(), before));
    } else if (child->table->table_id == table_->table_id &&
               RefersToItself(*child->key, child->columns, before)) {
      // Its own child, in the table that is being updated: see CascadeToRow.
      return RowIsReferenced(run_.session, *child->table, *child->key);
    }
  }
  return {};
}

Status ForeignKeyGuard::AfterUpdate(std::string_view clustered_key, const RowValues& before,
                                    const RowValues& after) {
  cascades_->frames.push_back({table_->table_id, false, std::string(clustered_key)});
  Status status;
  for (const auto& child : children_) {
    if (Follows(child->key->on_update) && Differ(before, after, child->columns)) {
      status = Cascade(child.get(), before, &after);
      if (!status.ok()) {
        break;
      }
    }
  }
  cascades_->frames.pop_back();
  return status;
}

}  // namespace borealis::sql
