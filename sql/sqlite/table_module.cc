// The virtual table's life: module, connection, declaration. Planning and reading are elsewhere.
#include "sql/sqlite/table_module.h"

#include <sqlite3.h>

#include "engine/engine.h"
#include "row/collation.h"
#include "sql/sqlite/table_cursor.h"
#include "sql/sqlite/virtual_table.h"

namespace borealis::sql {
namespace {

using Table = VirtualTable<TableModule>;

int Connect(sqlite3* connection, void* aux, int, const char* const*, sqlite3_vtab** out,
            char** error) {
  auto* module = static_cast<TableModule*>(aux);
  return ConnectTable(connection, module->Declaration().c_str(), module, out, error);
}

int BestIndex(sqlite3_vtab* table, sqlite3_index_info* info) {
  const TableModule* module = static_cast<Table*>(table)->module;
  return module->system() != nullptr ? module->PlanSystem(info) : module->Plan(info);
}

int OpenCursor(sqlite3_vtab* table, sqlite3_vtab_cursor** out) {
  TableModule* const module = static_cast<Table*>(table)->module;
  std::unique_ptr<Scan> scan = MakeScan(module);
  scan->reads = module->machine()->ReadsOf(module->table_number());
  *out = scan.release();
  return SQLITE_OK;
}

int CloseCursor(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Scan*>(cursor);
  return SQLITE_OK;
}

// Adds the row that `step` comes to, and its time; also to `first_row` unless null.
template <typename Step>
int Counted(Scan* scan, std::chrono::nanoseconds* first_row, Step step) {
  const auto began = std::chrono::steady_clock::now();
  const int rc = step();
  const auto took = std::chrono::steady_clock::now() - began;
  scan->reads->all_rows += took;
  if (first_row != nullptr) {
    *first_row += took;
  }
  scan->reads->rows += scan->at_end() ? 0 : 1;
  return rc;
}

int Filter(sqlite3_vtab_cursor* cursor, int, const char* plan, int count, sqlite3_value** values) {
  auto* const scan = static_cast<Scan*>(cursor);
  const std::string_view how = plan != nullptr ? plan : "";
  if (scan->reads == nullptr) {
    return scan->Start(how, count, values);
  }
  ++scan->reads->loops;
  return Counted(scan, &scan->reads->first_row, [&] { return scan->Start(how, count, values); });
}

int Next(sqlite3_vtab_cursor* cursor) {
  auto* const scan = static_cast<Scan*>(cursor);
  if (scan->reads == nullptr) {
    return scan->Next();
  }
  return Counted(scan, nullptr, [&] { return scan->Next(); });
}
int Eof(sqlite3_vtab_cursor* cursor) {
  return static_cast<Scan*>(cursor)->at_end() ? 1 : 0;
}
int Column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int column) {
  return static_cast<Scan*>(cursor)->Column(context, column);
}
// The tables are WITHOUT ROWID.
int Rowid(sqlite3_vtab_cursor*, sqlite3_int64* out) {
  *out = 0;
  return SQLITE_OK;
}

const sqlite3_module kMethods = [] {
  sqlite3_module methods = ScanMethods();
  methods.xConnect = Connect;
  methods.xBestIndex = BestIndex;
  methods.xDisconnect = DisconnectTable<TableModule>;
  methods.xOpen = OpenCursor;
  return methods;
}();

}  // namespace

sqlite3_module ScanMethods() {
  sqlite3_module methods{};
  methods.iVersion = 1;
  methods.xClose = CloseCursor;
  methods.xFilter = Filter;
  methods.xNext = Next;
  methods.xEof = Eof;
  methods.xColumn = Column;
  methods.xRowid = Rowid;
  return methods;
}

Result<std::unique_ptr<TableModule>> TableModule::Make(const ModuleUse& use, QueryMachine* machine,
                                                       const Catalog& catalog) {
  std::unique_ptr<TableModule> module(new TableModule());
  const BoundTable& table = *use.table;
  module->machine_ = machine;
  module->table_ = table.table;
  module->table_number_ = table.id;
  module->system_ = table.system;
  module->usable_indexes_ = table.usable_indexes;
  module->force_index_ = table.force_index;
  module->changes_ = table.changes;
  module->semi_consistent_ = table.semi_consistent;
  switch (table.lock) {
    case RowLock::kNone:
      module->lock_ = engine::LockMode::kNone;
      break;
    case RowLock::kShareRepeatable:
      module->lock_ = engine::LockMode::kShared;
      module->lock_repeatable_only_ = true;
      break;
    case RowLock::kShare:
      module->lock_ = engine::LockMode::kShared;
      break;
    case RowLock::kExclusive:
      module->lock_ = engine::LockMode::kExclusive;
      break;
  }
  switch (table.lock_wait) {
    case LockWait::kWait:
      module->wait_ = engine::WaitPolicy::kWait;
      break;
    case LockWait::kNoWait:
      module->wait_ = engine::WaitPolicy::kFail;
      break;
    case LockWait::kSkipLocked:
      module->wait_ = engine::WaitPolicy::kSkip;
      break;
  }
  if (module->system_ == nullptr) {
    for (const IndexDescriptor& index : table.table->indexes) {
      module->keys_.push_back(MakeKeySchema(*table.table, index));
    }
    ASSIGN_OR_RETURN(CatalogEntry entry, catalog.FindAgain(*table.table));
    if (entry.table->version != table.table->version ||
        entry.table->table_id != table.table->table_id) {
      return Status::Retry("definition of " + table.table->name + " changed");
    }
    module->engine_table_ = entry.engine;
    module->engine_ = entry.owner;
    if (module->lock_repeatable_only_ && entry.owner->is_replica()) {
      module->lock_ = engine::LockMode::kNone;  // a reader has no locks; what changes is temporary
    }
  }
  return module;
}

Status TableModule::Register(sqlite3* connection, const std::string& name,
                             std::unique_ptr<TableModule> module) {
  auto destroy = [](void* raw) { delete static_cast<TableModule*>(raw); };
  int rc = sqlite3_create_module_v2(connection, name.c_str(), &kMethods, module.release(), destroy);
  return rc == SQLITE_OK ? Status() : Status::Internal("register table " + name);
}

Status TableModule::OpenFor(const RunContext& context) {
  if (system_ != nullptr) {
    return {};
  }
  if (context.transaction == nullptr) {
    return Status::Internal("table read outside a transaction");
  }
  ASSIGN_OR_RETURN(OpenedTable entry,
                   context.catalog->Open(*context.transaction, *table_, engine::TableUse::kRead));
  if (entry.table->version != table_->version || entry.table->table_id != table_->table_id) {
    return Status::Retry("definition of " + table_->name + " changed");
  }
  engine_table_ = std::move(entry.engine);
  transaction_ = entry.transaction;
  return {};
}

bool TableModule::IndexUsable(size_t index) const {
  return index >= 64 || (usable_indexes_ >> index & 1) != 0;
}

Result<engine::TableEstimate> TableModule::EstimateRows() const {
  return engine_->EstimateTable(*engine_table_);
}

std::string TableModule::Declaration() const {
  std::string text = "CREATE TABLE x(";
  for (size_t i = 0; i < table_->columns.size(); ++i) {
    const row::Type& type = table_->columns[i].type;
    text += "c" + std::to_string(i);
    if (type.is_text()) {
      text += " COLLATE \"" + std::string(row::GetCollation(type.collation).name()) + "\"";
    }
    if (!type.nullable) {
      text += " NOT NULL";
    }
    text += ",";
  }
  // Of a join in parentheses SQLite keeps what * would give: the handle of a table to be changed
  // must be among that.
  text += changes_ ? "h" : "h HIDDEN";
  text += " PRIMARY KEY NOT NULL,f HIDDEN NOT NULL,q HIDDEN NOT NULL) WITHOUT ROWID";
  return text;
}

}  // namespace borealis::sql
