// Cursors of system tables: the rows are produced at the start of the scan and kept.
//
// Which rows a scan has is narrowed by its hints, so that a row's place in it names no row. SQLite,
// which reads one table by several scans for conditions joined by OR, takes rows of equal handles
// for one row. The handle is therefore made of the row's values and of how many rows before it in
// the scan have the same: scans of one statement read the same columns, among them all that its
// conditions tell rows apart by.
#include <charconv>
#include <map>
#include <string>
#include <vector>

#include "row/convert.h"
#include "sql/catalog/system_table.h"
#include "sql/sqlite/register_io.h"
#include "sql/sqlite/run_internal.h"
#include "sql/sqlite/table_cursor.h"
#include "sql/sqlite/table_module.h"

namespace borealis::sql {
namespace {

class SystemTableScan final : public Scan {
 public:
  explicit SystemTableScan(TableModule* module) : module_(module) {}

  int Start(std::string_view plan, int count, sqlite3_value** values) override {
    rows_.clear();
    handles_.clear();
    at_ = 0;
    QueryRun* run = MachineCallbacks::Current(module_->machine());
    Status status = Collect(*run, plan, count, values);
    if (!status.ok()) {
      run->Fail(std::move(status));
      return SQLITE_ERROR;
    }
    return SQLITE_OK;
  }

  int Next() override {
    ++at_;
    return SQLITE_OK;
  }
  bool at_end() const override { return at_ >= rows_.size(); }

  int Column(sqlite3_context* context, int column) override {
    if (column == module_->handle_column()) {
      if (handles_.empty()) {
        MakeHandles();
      }
      const std::string& handle = handles_[at_];
      sqlite3_result_blob64(context, handle.data(), handle.size(), SQLITE_TRANSIENT);
      return SQLITE_OK;
    }
    auto number = static_cast<size_t>(column);
    Status status = SetResult(context, rows_[at_][number], module_->table().columns[number].type);
    if (!status.ok()) {
      sqlite3_result_error(context, "see status", -1);
      MachineCallbacks::Current(module_->machine())->Fail(std::move(status));
      return SQLITE_ERROR;
    }
    return SQLITE_OK;
  }

 private:
  // `plan`: the mask of the columns that are read, then the columns of the hints: "14;1,2".
  Status Collect(QueryRun& run, std::string_view plan, int count, sqlite3_value** values) {
    const TableDescriptor& table = module_->table();
    SystemScan scan;
    scan.session = run.context().session;
    scan.equals.resize(table.columns.size());
    const size_t mask_size = plan.find(';');
    if (mask_size == std::string_view::npos ||
        std::from_chars(plan.data(), plan.data() + mask_size, scan.columns_used).ec !=
            std::errc()) {
      return Status::Internal("scan without a plan");
    }
    plan.remove_prefix(mask_size + 1);
    for (int i = 0; i < count; ++i) {
      size_t column = 0;
      auto [end, error] = std::from_chars(plan.data(), plan.data() + plan.size(), column);
      if (error != std::errc() || column >= table.columns.size()) {
        return Status::Internal("scan without a plan");
      }
      plan.remove_prefix(static_cast<size_t>(end - plan.data()));
      if (!plan.empty()) {
        plan.remove_prefix(1);
      }
      ASSIGN_OR_RETURN(row::Value value, ValueOf(values[i], table.columns[column].type));
      value.Own();
      scan.equals[column] = std::move(value);
    }
    return module_->system()->Scan(scan, [&](std::span<const row::Value> row) -> Status {
      std::vector<row::Value> kept(row.begin(), row.end());
      for (row::Value& value : kept) {
        value.Own();
      }
      rows_.push_back(std::move(kept));
      return rows_.size() % 512 == 0 ? run.CheckInterrupt() : Status();
    });
  }

  void MakeHandles() {
    std::map<std::string, size_t> seen;
    handles_.reserve(rows_.size());
    for (const std::vector<row::Value>& row : rows_) {
      std::string handle;
      for (size_t i = 0; i < row.size(); ++i) {
        const std::string text =
            row[i].is_null() ? "" : row::ToText(row[i], module_->table().columns[i].type);
        handle += (row[i].is_null() ? "N" : std::to_string(text.size())) + ":" + text;
      }
      const size_t before = seen[handle]++;
      handles_.push_back(std::move(handle) + "#" + std::to_string(before));
    }
  }

  TableModule* module_;
  std::vector<std::vector<row::Value>> rows_;
  std::vector<std::string> handles_;  // of rows_, or empty while nobody asked
  size_t at_ = 0;
};

}  // namespace

std::unique_ptr<Scan> MakeSystemScan(TableModule* module) {
  return std::make_unique<SystemTableScan>(module);
}

}  // namespace borealis::sql
