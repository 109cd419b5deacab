#include "sql/sqlite/table_cursor.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

#include "base/mysql_error.h"
#include "engine/cursor.h"
#include "row/key_codec.h"
#include "row/row_codec.h"
#include "sql/catalog/row_layout.h"
#include "sql/sqlite/calls.h"
#include "sql/sqlite/key_ranges.h"
#include "sql/sqlite/register_io.h"
#include "sql/sqlite/row_hash.h"
#include "sql/sqlite/run_internal.h"
#include "sql/sqlite/table_module.h"
#include "sql/sqlite/table_plan.h"

namespace borealis::sql {
namespace {

using Use = PlanArgument::Use;

// Rows between two looks at the kill flag.
constexpr uint32_t kInterruptRows = 512;
// What the kept rows of one table may take; beyond that it is read anew each time.
constexpr size_t kKeptRowsMaxBytes = size_t{64} << 20;

class EngineScan final : public Scan {
 public:
  explicit EngineScan(TableModule* module) : module_(module) {}

  int Start(std::string_view plan, int count, sqlite3_value** values) override {
    Status status = StartScan(plan, count, values);
    return Report(status.ok() ? SkipFiltered() : std::move(status));
  }

  int Next() override {
    Status status = Advance();
    return Report(status.ok() ? SkipFiltered() : std::move(status));
  }
  bool at_end() const override { return at_end_; }

  int Column(sqlite3_context* context, int column) override {
    Status status = ColumnValue(context, column);
    if (!status.ok()) {
      sqlite3_result_error(context, "see status", -1);
      return Report(std::move(status));
    }
    return SQLITE_OK;
  }

 private:
  QueryRun* run() const { return MachineCallbacks::Current(module_->machine()); }

  int Report(Status status) {
    if (status.ok()) {
      return SQLITE_OK;
    }
    at_end_ = true;
    if (status.Is(Code::kTimedOut) && module_->wait() == engine::WaitPolicy::kFail) {
      status = UserError(ER_LOCK_NOWAIT);
    }
    run()->Fail(std::move(status));
    return SQLITE_ERROR;
  }

  Status StartScan(std::string_view plan_text, int count, sqlite3_value** values) {
    at_end_ = false;
    row_.clear();
    row_open_ = false;
    if (plan_text != plan_text_) {
      std::optional<TablePlan> plan = TablePlan::Decode(plan_text);
      if (!plan.has_value()) {
        return Status::Internal("scan without a plan");
      }
      plan_ = std::move(*plan);
      plan_text_ = plan_text;
      cursor_.reset();
    }
    filter_ = plan_.filter.has_value() ? run()->filter(*plan_.filter) : nullptr;
    if (plan_.filter.has_value() && filter_ == nullptr) {
      return Status::Internal("scan with an unknown filter");
    }
    // Arguments beyond these are the planner's alone (passing_share.h, RowFilter).
    if (plan_.arguments.size() > static_cast<size_t>(count)) {
      return Status::Internal("scan with another number of bounds");
    }
    table_ = module_->engine_table().get();
    layout_ = &SqlRowLayout::Of(*table_);
    ranges_.clear();
    next_range_ = 0;
    if (plan_.by_handle) {
      return StartHandle(values[0]);
    }
    hashed_ = false;
    if (!plan_.hash_columns.empty()) {
      return StartHashed(values);
    }
    RETURN_IF_ERROR(MakeRanges(values));
    if (plan_.index == 0 && plan_.unique_point) {
      point_ = true;
      return ranges_.empty() ? EndScan() : LookUp(ranges_[0].lower);
    }
    point_ = false;
    return NextRange();
  }

  Status EndScan() {
    at_end_ = true;
    return {};
  }

  Status StartHandle(sqlite3_value* value) {
    point_ = true;
    if (sqlite3_value_type(value) != SQLITE_BLOB) {
      return EndScan();
    }
    return LookUp({static_cast<const char*>(sqlite3_value_blob(value)),
                   static_cast<size_t>(sqlite3_value_bytes(value))});
  }

  // One row by its whole clustered key.
  Status LookUp(std::string_view key) {
    handle_ = key;
    engine::Transaction& transaction = module_->transaction();
    Status status =
        engine::Get(transaction, *table_, handle_, module_->LockAt(transaction.options().isolation),
                    module_->wait(), &row_, &unlock_point_);
    if (status.Is(Code::kNotFound)) {
      return EndScan();
    }
    row_open_ = false;
    handle_asked_ = false;
    changed_ = false;
    row_bytes_ = row_;
    return status;
  }

  // The first scan of a statement reads the table as it is, for there may be no second one. That
  // keeps the rows, and from then on they are looked up.
  Status StartHashed(sqlite3_value** values) {
    point_ = false;
    std::vector<std::string> key(1);
    for (size_t i = 0; i < plan_.hash_columns.size(); ++i) {
      bool any = false;
      RETURN_IF_ERROR(AppendFixed({HashType(i)}, Use::kEqual, values[i], &key, &any));
      if (!any) {
        return EndScan();
      }
    }
    QueryRun::KeptRows& kept = run()->Kept(*module_, plan_text_);
    if (kept.wanted && !kept.too_many && kept.rows == nullptr) {
      RETURN_IF_ERROR(KeepRows(&kept));
    }
    kept.wanted = true;
    if (kept.rows == nullptr) {
      ranges_.push_back(engine::KeyRange::All());
      return NextRange();
    }
    hashed_ = true;
    matches_ = kept.rows->Find(key[0]);
    return NextMatch();
  }

  const row::Type& HashType(size_t i) const {
    return module_->table().columns[plan_.hash_columns[i]].type;
  }

  Status KeepRows(QueryRun::KeptRows* kept) {
    RETURN_IF_ERROR(OpenCursorFor(engine::KeyRange::All()));
    auto rows = std::make_unique<RowHash>();
    for (;;) {
      ASSIGN_OR_RETURN(const bool found, cursor_->Next());
      if (!found) {
        break;
      }
      if (++steps_ % kInterruptRows == 0) {
        RETURN_IF_ERROR(run()->CheckInterrupt());
      }
      BeginRow();
      ASSIGN_OR_RETURN(const bool passes, Passes());
      if (!passes) {
        continue;
      }
      ASSIGN_OR_RETURN(const std::optional<std::string> key, HashKeyOfRow());
      if (key.has_value()) {
        rows->Add(*key, row_bytes_);
      }
      if (rows->bytes() > kKeptRowsMaxBytes) {
        kept->too_many = true;
        return {};
      }
    }
    rows->Finish();
    kept->rows = std::move(rows);
    return {};
  }

  // Absent where a column is NULL, which equals nothing.
  Result<std::optional<std::string>> HashKeyOfRow() {
    RETURN_IF_ERROR(OpenRow());
    std::string key;
    for (size_t i = 0; i < plan_.hash_columns.size(); ++i) {
      ASSIGN_OR_RETURN(const row::Value value, view_->Get(plan_.hash_columns[i]));
      if (value.is_null()) {
        return std::optional<std::string>();
      }
      RETURN_IF_ERROR(row::EncodeKeyPart({HashType(i)}, value, &key));
    }
    return std::optional(std::move(key));
  }

  Status NextMatch() {
    BeginRow();
    return matches_.Next(&row_bytes_) ? Status() : EndScan();
  }

  // The key ranges that the arguments describe: one, or one per value of an IN list.
  Status MakeRanges(sqlite3_value** values) {
    const row::KeySchema& keys = module_->keys(plan_.index);
    std::vector<std::string> prefixes(1);
    size_t argument = 0;
    size_t part = 0;
    for (; argument < plan_.arguments.size(); ++argument) {
      Use use = plan_.arguments[argument].use;
      if (use == Use::kGreater || use == Use::kGreaterEqual || use == Use::kLess ||
          use == Use::kLessEqual) {
        break;
      }
      bool any = false;
      RETURN_IF_ERROR(AppendFixed(keys[part], use, values[argument], &prefixes, &any));
      if (!any) {
        return {};  // compared with NULL: no rows
      }
      ++part;
    }
    if (argument == plan_.arguments.size()) {
      for (std::string& prefix : prefixes) {
        ranges_.push_back(prefix.empty() ? engine::KeyRange::All()
                                         : engine::KeyRange::Prefix(prefix));
      }
    } else {
      RETURN_IF_ERROR(AppendRanges(keys[part], argument, values, prefixes));
    }
    if (ranges_.size() > 1) {
      std::sort(ranges_.begin(), ranges_.end(),
                [](const auto& a, const auto& b) { return a.lower < b.lower; });
      ranges_.erase(std::unique(ranges_.begin(), ranges_.end(),
                                [](const auto& a, const auto& b) { return a.lower == b.lower; }),
                    ranges_.end());
      if (plan_.reverse) {
        std::reverse(ranges_.begin(), ranges_.end());
      }
    }
    return {};
  }

  // Extends every prefix by the values that one key part may have.
  Status AppendFixed(const row::KeyPart& part, Use use, sqlite3_value* value,
                     std::vector<std::string>* prefixes, bool* any) {
    if (use != Use::kIn) {
      if (sqlite3_value_type(value) == SQLITE_NULL && use == Use::kEqual) {
        return {};
      }
      ASSIGN_OR_RETURN(const row::Value decoded, ValueOf(value, part.type));
      ASSIGN_OR_RETURN(*any, AppendEqual(part, decoded, prefixes));
      return {};
    }
    std::vector<std::string> extended;
    sqlite3_value* item = nullptr;
    for (int rc = sqlite3_vtab_in_first(value, &item); rc == SQLITE_OK && item != nullptr;
         rc = sqlite3_vtab_in_next(value, &item)) {
      if (sqlite3_value_type(item) == SQLITE_NULL) {
        continue;
      }
      ASSIGN_OR_RETURN(const row::Value decoded, ValueOf(item, part.type));
      std::vector<std::string> with_item = *prefixes;
      ASSIGN_OR_RETURN(const bool held, AppendEqual(part, decoded, &with_item));
      if (held) {
        std::ranges::move(with_item, std::back_inserter(extended));
      }
    }
    *prefixes = std::move(extended);
    *any = !prefixes->empty();
    return {};
  }

  // Bounds on the part after the prefix.
  Status AppendRanges(const row::KeyPart& part, size_t argument, sqlite3_value** values,
                      const std::vector<std::string>& prefixes) {
    std::vector<RangeBound> bounds;
    for (; argument < plan_.arguments.size(); ++argument) {
      if (sqlite3_value_type(values[argument]) == SQLITE_NULL) {
        return {};
      }
      ASSIGN_OR_RETURN(row::Value value, ValueOf(values[argument], part.type));
      bounds.push_back({plan_.arguments[argument].use, std::move(value)});
    }
    return AppendBounds(part, bounds, prefixes, &ranges_);
  }

  bool HasRangeArguments() const {
    return std::any_of(plan_.arguments.begin(), plan_.arguments.end(), [](const PlanArgument& one) {
      return one.use == Use::kGreater || one.use == Use::kGreaterEqual || one.use == Use::kLess ||
             one.use == Use::kLessEqual;
    });
  }
  // Whole keys of the index are looked up, one or several.
  bool HasWholeKeys() const {
    return !HasRangeArguments() && plan_.arguments.size() == module_->keys(plan_.index).size();
  }

  // Where MySQL notices that a scan has left its range. With equalities the entry itself says so;
  // a range is checked with the index entry where it is not all that is read, and with the row by
  // UPDATE and DELETE and where it is (index condition pushdown).
  engine::BeyondRange Beyond() const {
    if (!HasRangeArguments()) {
      return engine::BeyondRange::kGap;
    }
    const bool with_row = module_->changes() || plan_.covering;
    return with_row && module_->exclusive() ? engine::BeyondRange::kRow
                                            : engine::BeyondRange::kEntry;
  }

  Status OpenCursorFor(engine::KeyRange range) {
    if (cursor_ != nullptr && transaction_ == &module_->transaction()) {
      return cursor_->Restart(std::move(range), plan_.unique_point);
    }
    engine::ScanOptions options;
    options.index_no = plan_.index;
    options.range = std::move(range);
    options.reverse = plan_.reverse;
    options.wait = module_->wait();
    options.unique_point = plan_.unique_point;
    options.covering = plan_.covering;
    options.beyond = Beyond();
    options.semi_consistent = module_->semi_consistent() && !HasWholeKeys();
    options.read_ahead = plan_.arguments.empty() || !plan_.hash_columns.empty();
    transaction_ = &module_->transaction();
    options.lock = module_->LockAt(transaction_->options().isolation);
    ASSIGN_OR_RETURN(
        cursor_, engine::OpenCursor(*transaction_, module_->engine_table(), std::move(options)));
    return {};
  }

  Status NextRange() {
    while (next_range_ < ranges_.size()) {
      RETURN_IF_ERROR(OpenCursorFor(std::move(ranges_[next_range_++])));
      ASSIGN_OR_RETURN(bool found, cursor_->Next());
      if (found) {
        BeginRow();
        return {};
      }
    }
    return EndScan();
  }

  void BeginRow() {
    row_open_ = false;
    row_bytes_ = {};
    key_decoded_ = false;
    handle_asked_ = false;
    changed_ = false;
  }

  Status Advance() {
    if (point_) {
      if (unlock_point_ && plan_.yields_handle && !handle_asked_ && module_->changes()) {
        engine::UnlockRow(module_->transaction(), *table_, handle_);
      }
      return EndScan();
    }
    if (++steps_ % kInterruptRows == 0) {
      RETURN_IF_ERROR(run()->CheckInterrupt());
    }
    if (hashed_) {
      return NextMatch();
    }
    // What a SELECT reads by a whole unique key, MySQL reads before it looks at conditions.
    if (plan_.yields_handle && !handle_asked_ && (module_->changes() || !plan_.unique_point)) {
      cursor_->UnlockRow();
    }
    ASSIGN_OR_RETURN(bool found, cursor_->Next());
    BeginRow();
    return found ? Status() : NextRange();
  }

  // Goes on to a row that passes the filter. Rows that are looked up in a hash have passed it.
  Status SkipFiltered() {
    while (filter_ != nullptr && !at_end_ && !hashed_) {
      ASSIGN_OR_RETURN(const bool passes, Passes());
      if (passes) {
        break;
      }
      RETURN_IF_ERROR(Advance());
    }
    return {};
  }

  // Whether all conditions of the filter are true of the row.
  Result<bool> Passes() {
    if (filter_ == nullptr) {
      return true;
    }
    for (const RowFilter::Condition& condition : filter_->conditions) {
      const auto value = [&](size_t i) { return ReadColumn(condition.columns[i]); };
      RETURN_IF_ERROR(RunSteps(run()->context(), condition.steps, value, &stack_));
      const row::Value& truth = stack_.front();
      if (truth.is_null() ||
          !row::ToBool(truth, condition.type, run()->context().eval->conversion)) {
        return false;
      }
    }
    return true;
  }

  // Borrows from the row.
  Result<row::Value> ReadColumn(uint32_t column) {
    if (plan_.covering && !point_) {
      RETURN_IF_ERROR(DecodeKeys());
      if (key_values_[column].has_value()) {
        return key_values_[column]->Borrow();
      }
    }
    RETURN_IF_ERROR(OpenRow());
    return view_->Get(column);
  }

  Status ColumnValue(sqlite3_context* context, int column) {
    if (column == module_->handle_column()) {
      if (!point_ && !handle_asked_) {
        ASSIGN_OR_RETURN(bool same, cursor_->Confirm());
        changed_ = !same;
      }
      handle_asked_ = true;
      if (changed_) {
        sqlite3_result_null(context);  // not this row: it comes again as it is now
        return {};
      }
      std::string_view handle = point_ ? std::string_view(handle_) : cursor_->clustered_key();
      sqlite3_result_blob64(context, handle.data(), handle.size(), SQLITE_TRANSIENT);
      return {};
    }
    if (column == module_->guess_column()) {
      sqlite3_result_int(context, 0);
      return {};
    }
    if (column == module_->filter_column()) {
      if (!plan_.filter.has_value()) {
        return Status::Internal("scan without its filter");
      }
      sqlite3_result_int64(context, *plan_.filter);
      return {};
    }
    ASSIGN_OR_RETURN(const row::Value value, ReadColumn(static_cast<uint32_t>(column)));
    return SetResult(context, value, module_->table().columns[static_cast<size_t>(column)].type);
  }

  Status OpenRow() {
    if (row_open_) {
      return {};
    }
    if (!point_ && !hashed_) {
      ASSIGN_OR_RETURN(row_bytes_, cursor_->row());
    }
    Result<row::RowView> view = row::RowView::Open(layout_->rows(), row_bytes_);
    if (!view.ok()) {
      return std::move(view).status().Annotate("row of " + module_->table().name);
    }
    view_ = std::move(view).value();
    row_open_ = true;
    return {};
  }

  // Values that the entry's keys hold, by column.
  Status DecodeKeys() {
    if (key_decoded_) {
      return {};
    }
    key_values_.assign(module_->table().columns.size(), std::nullopt);
    auto decode = [&](size_t index, std::string_view key) -> Status {
      std::vector<std::optional<row::Value>> values;
      std::string_view rest;
      RETURN_IF_ERROR(row::DecodeKey(module_->keys(index), key, &values, &rest));
      const auto& parts = module_->table().indexes[index].parts;
      for (size_t i = 0; i < parts.size(); ++i) {
        if (values[i].has_value()) {
          key_values_[parts[i].column] = std::move(values[i]);
        }
      }
      return {};
    };
    RETURN_IF_ERROR(decode(0, cursor_->clustered_key()));
    RETURN_IF_ERROR(decode(plan_.index, cursor_->key()));
    key_decoded_ = true;
    return {};
  }

  TableModule* module_;
  std::string plan_text_;
  TablePlan plan_;
  const engine::Table* table_ = nullptr;
  const SqlRowLayout* layout_ = nullptr;
  engine::Transaction* transaction_ = nullptr;
  std::unique_ptr<engine::Cursor> cursor_;
  std::vector<engine::KeyRange> ranges_;
  size_t next_range_ = 0;
  bool point_ = false;
  bool hashed_ = false;
  RowHash::Matches matches_;
  bool at_end_ = true;
  uint32_t steps_ = 0;

  std::string handle_;  // of a point read
  std::string row_;
  std::string_view row_bytes_;
  bool row_open_ = false;
  bool handle_asked_ = false;  // of the current row: it matched
  bool changed_ = false;       // it was shown as it no longer is
  bool unlock_point_ = false;  // the point read's lock is new, and may be given back
  std::optional<row::RowView> view_;
  const RowFilter* filter_ = nullptr;  // null: all rows are given
  std::vector<row::Value> stack_;      // of what it computes
  bool key_decoded_ = false;
  std::vector<std::optional<row::Value>> key_values_;
};

}  // namespace

std::unique_ptr<Scan> MakeScan(TableModule* module) {
  if (module->system() != nullptr) {
    return MakeSystemScan(module);
  }
  return std::make_unique<EngineScan>(module);
}

}  // namespace borealis::sql
