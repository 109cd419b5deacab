// The columns c0, c1 … are followed by hidden ones: the table's number in the statement, the
// arguments, and a key, which numbers the rows of one call. A plan gives all but the key.
//
// A cursor of a lateral table has the statement of its query and runs it anew for each call; groups
// are made from a statement that is compiled with the query, and are there before the first is
// given; values come from such a statement or from an earlier call. All work under the run that
// they are part of: the same sites, transaction and interrupts.
#include "sql/sqlite/computed_table.h"

#include <sqlite3.h>

#include <memory>
#include <vector>

#include "sql/functions/json_table.h"
#include "sql/sqlite/calls.h"
#include "sql/sqlite/group_table.h"
#include "sql/sqlite/register_io.h"
#include "sql/sqlite/run_internal.h"
#include "sql/sqlite/table_cursor.h"
#include "sql/sqlite/virtual_table.h"

namespace borealis::sql {
namespace {

using Table = VirtualTable<const ComputedModule>;

// The rows of one call after the other.
class ComputedRows {
 public:
  virtual ~ComputedRows() = default;
  virtual Status Start(QueryRun& run, size_t number, int count, sqlite3_value** args) = 0;
  virtual Result<bool> Next(QueryRun& run) = 0;
  virtual Status Column(sqlite3_context* context, size_t column) = 0;
};

Status BindArguments(sqlite3_stmt* statement, int count, sqlite3_value** args) {
  for (int i = 0; i < count; ++i) {
    const std::string name = ":o" + std::to_string(i);
    const int number = sqlite3_bind_parameter_index(statement, name.c_str());
    if (number == 0 || sqlite3_bind_value(statement, number, args[i]) != SQLITE_OK) {
      return Status::Internal("argument of a computed table");
    }
  }
  return {};
}

Result<bool> Step(QueryRun& run, sqlite3_stmt* statement) {
  const int rc = sqlite3_step(statement);
  if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
    return rc == SQLITE_ROW;
  }
  if (!run.status().ok()) {
    return run.status();
  }
  return Status::Internal(std::string("step of a computed table: ") +
                          sqlite3_errmsg(sqlite3_db_handle(statement)));
}

class LateralRows final : public ComputedRows {
 public:
  explicit LateralRows(sqlite3* connection) : connection_(connection) {}
  ~LateralRows() override { sqlite3_finalize(statement_); }

  Status Start(QueryRun& run, size_t number, int count, sqlite3_value** args) override {
    const std::string& sql = run.computed(number)->sql;
    if (statement_ == nullptr &&
        sqlite3_prepare_v2(connection_, sql.data(), static_cast<int>(sql.size()), &statement_,
                           nullptr) != SQLITE_OK) {
      return Status::Internal("compile [" + sql + "]: " + sqlite3_errmsg(connection_));
    }
    sqlite3_reset(statement_);
    return BindArguments(statement_, count, args);
  }
  Result<bool> Next(QueryRun& run) override { return Step(run, statement_); }
  Status Column(sqlite3_context* context, size_t column) override {
    sqlite3_result_value(context, sqlite3_column_value(statement_, static_cast<int>(column)));
    return {};
  }

 private:
  sqlite3* const connection_;
  sqlite3_stmt* statement_ = nullptr;
};

// All rows of a JSON document.
class JsonRows final : public ComputedRows {
 public:
  Status Start(QueryRun& run, size_t number, int, sqlite3_value** args) override {
    const ComputedTable& table = *run.computed(number);
    rows_.clear();
    at_ = 0;
    types_ = &table.table->json->types;
    ASSIGN_OR_RETURN(row::Value value, ValueOf(args[0], table.arg_types[0]));
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
  Result<bool> Next(QueryRun&) override { return at_++ < rows_.size(); }
  Status Column(sqlite3_context* context, size_t column) override {
    return SetResult(context, rows_[at_ - 1][column], (*types_)[column]);
  }

 private:
  const std::vector<row::Type>* types_ = nullptr;
  std::vector<std::vector<row::Value>> rows_;
  size_t at_ = 0;  // of the row after the current one
};

class GroupRows final : public ComputedRows {
 public:
  Status Start(QueryRun& run, size_t number, int count, sqlite3_value** args) override {
    grouping_ = run.computed(number)->grouping.get();
    GroupTable::Options options;
    options.temporary_directory = run.context().temporary_directory;
    groups_ = std::make_unique<GroupTable>(grouping_, run.context().eval, std::move(options));
    given_ = 0;
    sqlite3_stmt* const rows = run.computed_statement(number);
    RETURN_IF_ERROR(BindArguments(rows, count, args));
    Status read = ReadAll(run, rows);
    sqlite3_reset(rows);
    return read;
  }
  Result<bool> Next(QueryRun& run) override {
    RETURN_IF_ERROR(++given_ % 512 == 0 ? run.CheckInterrupt() : Status());
    return groups_->Next();
  }
  Status Column(sqlite3_context* context, size_t column) override {
    return SetResult(context, groups_->Column(column), grouping_->outputs[column].type);
  }

 private:
  Status ReadAll(QueryRun& run, sqlite3_stmt* rows) {
    const std::vector<row::Type>& types = grouping_->given;
    std::vector<row::Value> given(types.size());
    std::vector<row::Value> row(grouping_->inputs.size());
    std::vector<row::Value> stack;
    const auto value = [&given](size_t i) -> Result<row::Value> { return given[i].Borrow(); };
    while (true) {
      ASSIGN_OR_RETURN(const bool found, Step(run, rows));
      if (!found) {
        return {};
      }
      for (size_t i = 0; i < types.size(); ++i) {
        ASSIGN_OR_RETURN(given[i],
                         ValueOf(sqlite3_column_value(rows, static_cast<int>(i)), types[i]));
      }
      for (size_t i = 0; i < row.size(); ++i) {
        const std::vector<CallStep>& steps = grouping_->steps[i];
        if (steps.size() == 1 && steps[0].kind == CallStep::Kind::kGiven) {
          row[i] = given[steps[0].given].Borrow();
          continue;
        }
        RETURN_IF_ERROR(RunSteps(run.context(), steps, value, &stack));
        row[i] = std::move(stack[0]);
      }
      RETURN_IF_ERROR(groups_->Add(row));
    }
  }

  const Grouping* grouping_ = nullptr;
  std::unique_ptr<GroupTable> groups_;
  uint64_t given_ = 0;
};

// What a value's table has given, by its arguments.
class ValueRows final : public ComputedRows {
 public:
  Status Start(QueryRun& run, size_t number, int count, sqlite3_value** args) override {
    given_ = false;
    kept_ = &run.Values(number);
    key_.clear();
    for (int i = 0; i < count; ++i) {
      AppendRegister(args[i], &key_);
    }
    if (kept_->Find(key_, &value_)) {
      return {};
    }
    sqlite3_stmt* const statement = run.computed_statement(number);
    RETURN_IF_ERROR(BindArguments(statement, count, args));
    Status read = Read(run, statement);
    sqlite3_reset(statement);
    return read;
  }
  Result<bool> Next(QueryRun&) override { return !std::exchange(given_, true); }
  Status Column(sqlite3_context* context, size_t) override {
    value_ != nullptr ? sqlite3_result_value(context, value_.get()) : sqlite3_result_null(context);
    return {};
  }

 private:
  Status Read(QueryRun& run, sqlite3_stmt* statement) {
    ASSIGN_OR_RETURN(const bool found, Step(run, statement));
    value_ = KeptValues::Copy(found ? sqlite3_column_value(statement, 0) : nullptr);
    kept_->Add(key_, value_);
    return {};
  }

  KeptValues* kept_ = nullptr;
  std::string key_;
  KeptValues::Value value_;
  bool given_ = false;
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
    Result<bool> next = rows_->Next(*run);
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
    Status status = rows_->Column(context, static_cast<size_t>(column));
    return status.ok() ? SQLITE_OK : Fail(std::move(status));
  }

 private:
  int Fail(Status status) {
    MachineCallbacks::Current(module_->machine)->Fail(std::move(status));
    return SQLITE_ERROR;
  }

  Status Call(QueryRun& run, int count, sqlite3_value** values) {
    const size_t number = static_cast<size_t>(sqlite3_value_int64(values[0]));
    const ComputedTable* table = count == module_->arguments + 1 ? run.computed(number) : nullptr;
    if (table == nullptr) {
      return Status::Internal("call of an unknown computed table");
    }
    if (rows_ == nullptr || number != number_) {
      number_ = number;
      rows_ = RowsOf(*table);
    }
    return rows_->Start(run, number, count - 1, values + 1);
  }

  std::unique_ptr<ComputedRows> RowsOf(const ComputedTable& table) const {
    switch (table.kind) {
      case ComputedKind::kJson:
        return std::make_unique<JsonRows>();
      case ComputedKind::kGroups:
        return std::make_unique<GroupRows>();
      case ComputedKind::kValue:
        return std::make_unique<ValueRows>();
      case ComputedKind::kLateral:
        break;
    }
    return std::make_unique<LateralRows>(MachineCallbacks::Connection(module_->machine));
  }

  const ComputedModule* module_;
  size_t number_ = 0;
  std::unique_ptr<ComputedRows> rows_;
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
