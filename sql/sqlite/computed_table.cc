// The columns c0, c1 … are followed by hidden ones: the table's number in the statement, the
// arguments, and a key, which numbers the rows of one call. A plan gives all but the key.
//
// A cursor of a lateral table has the statement of its query and runs it anew for each call. It
// works under the run that it is part of: the same sites, transaction and interrupts.
#include "sql/sqlite/computed_table.h"

#include <sqlite3.h>

#include <memory>
#include <vector>

#include "sql/functions/json_table.h"
#include "sql/sqlite/register_io.h"
#include "sql/sqlite/run_internal.h"
#include "sql/sqlite/table_cursor.h"
#include "sql/sqlite/virtual_table.h"

namespace borealis::sql {
namespace {

using Table = VirtualTable<const ComputedModule>;

class LateralRows {
 public:
  ~LateralRows() { sqlite3_finalize(statement_); }

  Status Start(sqlite3* connection, const std::string& sql, int count, sqlite3_value** args) {
    if (statement_ == nullptr &&
        sqlite3_prepare_v2(connection, sql.data(), static_cast<int>(sql.size()), &statement_,
                           nullptr) != SQLITE_OK) {
      return Status::Internal("compile [" + sql + "]: " + sqlite3_errmsg(connection));
    }
    sqlite3_reset(statement_);
    for (int i = 0; i < count; ++i) {
      const std::string name = ":o" + std::to_string(i);
      const int number = sqlite3_bind_parameter_index(statement_, name.c_str());
      if (number == 0 || sqlite3_bind_value(statement_, number, args[i]) != SQLITE_OK) {
        return Status::Internal("argument of a lateral query");
      }
    }
    return {};
  }
  Result<bool> Next(const QueryRun& run) {
    const int rc = sqlite3_step(statement_);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
      return rc == SQLITE_ROW;
    }
    if (!run.status().ok()) {
      return run.status();
    }
    return Status::Internal(std::string("step of a lateral query: ") +
                            sqlite3_errmsg(sqlite3_db_handle(statement_)));
  }
  sqlite3_value* Column(int column) { return sqlite3_column_value(statement_, column); }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

// All rows of a JSON document.
class JsonRows {
 public:
  Status Start(const QueryRun& run, const ComputedTable& table, sqlite3_value* document) {
    rows_.clear();
    at_ = 0;
    types_ = &table.table->json->types;
    ASSIGN_OR_RETURN(row::Value value, ValueOf(document, table.arg_types[0]));
    return table.table->json->Expand(*run.context().eval, value, table.arg_types[0],
                                     [&](std::span<const row::Value> row) -> Status {
                                       std::vector<row::Value> kept(row.begin(), row.end());
                                       for (row::Value& cell : kept) {
                                         cell.Own();
                                       }
                                       rows_.push_back(std::move(kept));
                                       return rows_.size() % 512 == 0 ? run.CheckInterrupt()
                                                                      : Status();
                                     });
  }
  bool Next() { return at_++ < rows_.size(); }
  Status Column(sqlite3_context* context, size_t column) const {
    return SetResult(context, rows_[at_ - 1][column], (*types_)[column]);
  }

 private:
  const std::vector<row::Type>* types_ = nullptr;
  std::vector<std::vector<row::Value>> rows_;
  size_t at_ = 0;  // of the row after the current one
};

class ComputedScan final : public Scan {
 public:
  explicit ComputedScan(const ComputedModule* module) : module_(module) {}

  int Start(std::string_view, int count, sqlite3_value** values) override {
    QueryRun* run = MachineCallbacks::Current(module_->machine);
    row_ = 0;
    Status status = Call(*run, count, values);
    return status.ok() ? Next() : Fail(std::move(status));
  }

  int Next() override {
    QueryRun* run = MachineCallbacks::Current(module_->machine);
    ++row_;
    Result<bool> next = is_json_ ? Result<bool>(json_.Next()) : lateral_.Next(*run);
    if (!next.ok()) {
      return Fail(std::move(next).status());
    }
    at_end_ = !*next;
    return SQLITE_OK;
  }
  bool at_end() const override { return at_end_; }

  int Column(sqlite3_context* context, int column) override {
    if (column >= module_->columns) {
      sqlite3_result_int64(context, row_);
      return SQLITE_OK;
    }
    if (!is_json_) {
      sqlite3_result_value(context, lateral_.Column(column));
      return SQLITE_OK;
    }
    Status status = json_.Column(context, static_cast<size_t>(column));
    return status.ok() ? SQLITE_OK : Fail(std::move(status));
  }

 private:
  int Fail(Status status) {
    MachineCallbacks::Current(module_->machine)->Fail(std::move(status));
    return SQLITE_ERROR;
  }

  Status Call(const QueryRun& run, int count, sqlite3_value** values) {
    const ComputedTable* table =
        count == module_->arguments + 1
            ? run.computed(static_cast<size_t>(sqlite3_value_int64(values[0])))
            : nullptr;
    if (table == nullptr) {
      return Status::Internal("call of an unknown computed table");
    }
    is_json_ = table->table->json != nullptr;
    if (is_json_) {
      return json_.Start(run, *table, values[1]);
    }
    return lateral_.Start(MachineCallbacks::Connection(module_->machine), table->sql, count - 1,
                          values + 1);
  }

  const ComputedModule* module_;
  bool is_json_ = false;
  LateralRows lateral_;
  JsonRows json_;
  int64_t row_ = 0;
  bool at_end_ = true;
};

int Connect(sqlite3* connection, void* aux, int, const char* const*, sqlite3_vtab** out,
            char** error) {
  const auto* module = static_cast<const ComputedModule*>(aux);
  std::string text = "CREATE TABLE x(";
  for (int i = 0; i < module->columns; ++i) {
    text += "c" + std::to_string(i) + ",";
  }
  text += "number HIDDEN,";
  for (int i = 0; i < module->arguments; ++i) {
    text += "a" + std::to_string(i) + " HIDDEN,";
  }
  text += "h HIDDEN PRIMARY KEY NOT NULL) WITHOUT ROWID";
  return ConnectTable(connection, text.c_str(), module, out, error);
}

// Usable once all arguments are known.
int BestIndex(sqlite3_vtab* table, sqlite3_index_info* info) {
  const ComputedModule& module = *static_cast<Table*>(table)->module;
  for (int wanted = 0; wanted <= module.arguments; ++wanted) {
    int found = -1;
    for (int i = 0; i < info->nConstraint && found < 0; ++i) {
      const auto& constraint = info->aConstraint[i];
      if (constraint.usable != 0 && constraint.op == SQLITE_INDEX_CONSTRAINT_EQ &&
          constraint.iColumn == module.columns + wanted) {
        found = i;
      }
    }
    if (found < 0) {
      return SQLITE_CONSTRAINT;
    }
    info->aConstraintUsage[found].argvIndex = wanted + 1;
    info->aConstraintUsage[found].omit = 1;
  }
  info->estimatedCost = 100;
  info->estimatedRows = 10;
  return SQLITE_OK;
}

int Open(sqlite3_vtab* table, sqlite3_vtab_cursor** out) {
  *out = std::make_unique<ComputedScan>(static_cast<Table*>(table)->module).release();
  return SQLITE_OK;
}

const sqlite3_module kMethods = [] {
  sqlite3_module methods = ScanMethods();
  methods.xConnect = Connect;
  methods.xBestIndex = BestIndex;
  methods.xDisconnect = DisconnectTable<const ComputedModule>;
  methods.xOpen = Open;
  return methods;
}();

}  // namespace

Status ComputedModule::Register(sqlite3* connection, const std::string& name, QueryMachine* machine,
                                const ComputedTable& like) {
  auto module = std::make_unique<ComputedModule>();
  module->machine = machine;
  module->columns = static_cast<int>(like.columns);
  module->arguments = static_cast<int>(like.arg_types.size());
  const auto destroy = [](void* raw) { delete static_cast<ComputedModule*>(raw); };
  const int rc =
      sqlite3_create_module_v2(connection, name.c_str(), &kMethods, module.release(), destroy);
  return rc == SQLITE_OK ? Status() : Status::Internal("register " + name);
}

}  // namespace borealis::sql
