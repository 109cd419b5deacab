// INSERT and REPLACE: rows from VALUES or a query, unique keys in the way answered by error,
// IGNORE, REPLACE or ON DUPLICATE KEY UPDATE, and generated keys.
//
// Auto-increment numbers are reserved per row from the engine's counter; what a failed statement
// took is lost, as in InnoDB. LAST_INSERT_ID is the first number that the statement generated.
#include "sql/executor/insert.h"

#include <fmt/format.h>

#include "base/mysql_error.h"
#include "sql/ast/stmt.h"
#include "sql/binder/binder.h"
#include "sql/executor/table_writer.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"
#include "sql/sqlite/row_source.h"

namespace borealis::sql {

namespace {

class InsertRun {
 public:
  InsertRun(StatementRun& run, const BoundInsert& insert, const StatementFacts& facts)
      : run_(run), insert_(insert), facts_(facts), session_(run.session) {}

  Status Execute();

 private:
  Status InsertValues();
  Status InsertQuery();
  // Fills columns that were not named, gives keys, and inserts.
  Status FinishRow(RowValues* row, std::vector<bool>* given, const RowValues* source);
  Status GiveRowId(RowValues* row);
  Status GiveAutoIncrement(RowValues* row);
  Status InsertRow(RowValues* row, const RowValues* source);
  // The row with the number given to it is in.
  void NoteGenerated() {
    first_generated_ = first_generated_ != 0 ? first_generated_ : pending_generated_;
  }
  bool MayReplaceInPlace(size_t index_no) const;
  Status ReplaceInPlace(const engine::DuplicateKey& duplicate, RowValues* row);
  Status UpdateExisting(const engine::DuplicateKey& duplicate, const RowValues& row,
                        const RowValues* source);
  void Report();

  StatementRun& run_;
  const BoundInsert& insert_;
  const StatementFacts& facts_;
  Session& session_;
  std::unique_ptr<TableWriter> writer_;
  int auto_column_ = -1;
  bool multi_row_ = false;
  uint64_t records_ = 0;
  uint64_t affected_ = 0;
  uint64_t duplicates_ = 0;
  uint64_t first_generated_ = 0;
  uint64_t pending_generated_ = 0;  // of the row at hand
  uint64_t explicit_id_ = 0;        // last value given for the auto-increment column
};

Status InsertRun::Execute() {
  RETURN_IF_ERROR(session_.OpenViews(facts_, *session_.transaction()));
  ASSIGN_OR_RETURN(writer_, TableWriter::Open(run_, insert_.table, insert_.ignore));
  if (insert_.replace || !insert_.on_duplicate.empty()) {
    writer_->set_resolves_duplicates();
  }
  auto_column_ = insert_.table->auto_increment_column();
  multi_row_ = insert_.rows.size() > 1 || insert_.query != nullptr;
  session_.diagnostics().set_strict(writer_->strict());
  Status done = insert_.query != nullptr ? InsertQuery() : InsertValues();
  session_.diagnostics().set_strict(false);
  RETURN_IF_ERROR(std::move(done));
  Report();
  return Status::Ok();
}

Status InsertRun::InsertValues() {
  for (const std::vector<BoundPtr>& values : insert_.rows) {
    RETURN_IF_ERROR(session_.CheckInterrupt());
    writer_->set_row_number(++records_);
    RowValues row = writer_->BlankRow();
    std::vector<bool> given(row.size());
    for (size_t i = 0; i < values.size(); ++i) {
      const uint32_t column = insert_.columns[i];
      if (values[i] == nullptr) {
        continue;  // DEFAULT: as if it were not named
      }
      const EvalFrame::Row frame[] = {{insert_.target.get(), row}};
      ASSIGN_OR_RETURN(const row::Value value, writer_->Evaluate(*values[i], frame));
      RETURN_IF_ERROR(writer_->Store(column, value, values[i]->type, multi_row_, &row));
      given[column] = true;
    }
    RETURN_IF_ERROR(FinishRow(&row, &given, nullptr));
  }
  return Status::Ok();
}

// The rows are collected before the first is inserted: the query may read the table.
Status InsertRun::InsertQuery() {
  std::vector<RowValues> rows;
  {
    ASSIGN_OR_RETURN(const auto source,
                     session_.OpenQuery(*insert_.query, facts_, run_.parameters));
    RowValues values;
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, source->Next(&values));
      if (!more) {
        break;
      }
      for (row::Value& value : values) {
        value.Own();
      }
      rows.push_back(values);
    }
  }
  RETURN_IF_ERROR(session_.diagnostics().strict_error());
  for (const RowValues& values : rows) {
    RETURN_IF_ERROR(session_.CheckInterrupt());
    writer_->set_row_number(++records_);
    RowValues row = writer_->BlankRow();
    std::vector<bool> given(row.size());
    for (size_t i = 0; i < insert_.columns.size(); ++i) {
      RETURN_IF_ERROR(writer_->Store(insert_.columns[i], values[i], insert_.query->columns[i].type,
                                     multi_row_, &row));
      given[insert_.columns[i]] = true;
    }
    RETURN_IF_ERROR(FinishRow(&row, &given, &values));
  }
  return Status::Ok();
}

Status InsertRun::FinishRow(RowValues* row, std::vector<bool>* given, const RowValues* source) {
  pending_generated_ = 0;
  const auto& columns = insert_.table->columns;
  for (uint32_t i = 0; i < row->size(); ++i) {
    const ColumnDescriptor& column = columns[i];
    if (!(*given)[i] && !column.hidden && column.generated == GeneratedKind::kNone) {
      Result<row::Value> value = writer_->Default(i, *row);
      if (value.status().user_errno() == ER_NO_DEFAULT_FOR_FIELD && insert_.view != nullptr) {
        return UserError(ER_NO_DEFAULT_FOR_VIEW_FIELD, insert_.view->schema, insert_.view->name);
      }
      ASSIGN_OR_RETURN((*row)[i], std::move(value));
      (*row)[i].Own();
    }
  }
  if (!insert_.table->has_primary_key()) {
    RETURN_IF_ERROR(GiveRowId(row));
  }
  if (auto_column_ >= 0) {
    RETURN_IF_ERROR(GiveAutoIncrement(row));
  }
  Status status = writer_->Complete(row);
  if (status.Is(Code::kNotFound)) {
    return Status::Ok();  // IGNORE: a check let the row be skipped
  }
  RETURN_IF_ERROR(std::move(status));
  RETURN_IF_ERROR(session_.diagnostics().strict_error());
  const EvalFrame::Row frame[] = {{insert_.target.get(), *row}};
  status = CheckViewOption(insert_.check, frame, writer_.get());
  if (status.user_errno() == ER_VIEW_CHECK_FAILED && insert_.ignore) {
    session_.diagnostics().AddWarning(status);
    return Status::Ok();
  }
  RETURN_IF_ERROR(std::move(status));
  return InsertRow(row, source);
}

Status InsertRun::GiveRowId(RowValues* row) {
  ASSIGN_OR_RETURN(const uint64_t id,
                   session_.environment().engine->NextRowId(writer_->engine_table()));
  (*row)[0] = row::Value::Uint(id);
  return Status::Ok();
}

Status InsertRun::GiveAutoIncrement(RowValues* row) {
  const auto column = static_cast<uint32_t>(auto_column_);
  row::Value& value = (*row)[column];
  const row::Type& type = insert_.table->columns[column].type;
  SessionSettings& settings = session_.settings();
  const row::ConversionContext& conversion = writer_->conversion(column);
  engine::Engine& engine = *session_.environment().engine;
  bool is_unsigned = false;
  const int64_t given = value.is_null() ? 0 : row::ToInteger(value, type, conversion, &is_unsigned);
  const bool keep_zero = !value.is_null() && (settings.sql_mode & row::kModeNoAutoValueOnZero) != 0;
  if (given != 0 || keep_zero) {
    explicit_id_ = static_cast<uint64_t>(given);
    return given > 0 || is_unsigned
               ? engine.BumpAutoIncrement(writer_->engine_table(), static_cast<uint64_t>(given))
               : Status::Ok();
  }
  uint64_t next = std::exchange(settings.insert_id, 0);
  if (next != 0) {
    RETURN_IF_ERROR(engine.BumpAutoIncrement(writer_->engine_table(), next));
  } else {
    ASSIGN_OR_RETURN(next, engine.ReserveAutoIncrement(writer_->engine_table(), 1,
                                                       settings.auto_increment_offset,
                                                       settings.auto_increment_increment));
  }
  // Beyond the type's range the greatest number is tried again, and found to be a duplicate.
  row::ConversionContext lenient;
  lenient.strict = false;
  ASSIGN_OR_RETURN(
      value, row::StoreConvert(row::Value::Uint(next), row::Type::BigInt(true), type, lenient));
  pending_generated_ = next;
  return Status::Ok();
}

Status InsertRun::InsertRow(RowValues* row, const RowValues* source) {
  for (;;) {
    engine::DuplicateKey duplicate;
    Status status = writer_->Insert(*row, &duplicate);
    if (status.ok()) {
      ++affected_;
      NoteGenerated();
      return status;
    }
    if (status.Is(Code::kNotFound)) {
      ++duplicates_;
      return Status::Ok();  // IGNORE: it has no parent
    }
    if (!status.Is(Code::kAlreadyExists)) {
      return status;
    }
    ++duplicates_;
    if (insert_.replace && !MayReplaceInPlace(duplicate.index_no)) {
      RETURN_IF_ERROR(writer_->Delete(duplicate.clustered_key));
      ++affected_;
      continue;  // the next unique key may be in the way as well
    }
    if (insert_.replace) {
      RETURN_IF_ERROR(ReplaceInPlace(duplicate, row));
      NoteGenerated();
      return Status::Ok();
    }
    if (!insert_.on_duplicate.empty()) {
      return UpdateExisting(duplicate, *row, source);
    }
    Status error = writer_->DuplicateError(*row, duplicate.index_no);
    if (insert_.ignore) {
      session_.diagnostics().AddWarning(error);
      return Status::Ok();
    }
    return error;
  }
}

// As MySQL: where no other key can be in the way, and no child of the row has to follow, the row is
// updated, so that what stays the same is neither written nor locked.
bool InsertRun::MayReplaceInPlace(size_t index_no) const {
  const auto& indexes = insert_.table->indexes;
  return insert_.table->referencing.empty() &&
         std::none_of(indexes.begin() + static_cast<ptrdiff_t>(index_no) + 1, indexes.end(),
                      [](const IndexDescriptor& index) { return index.unique(); });
}

// The row in the way counts as affected as well, unless it was the same.
Status InsertRun::ReplaceInPlace(const engine::DuplicateKey& duplicate, RowValues* row) {
  ASSIGN_OR_RETURN(const RowValues before, writer_->ReadLocked(duplicate.clustered_key));
  if (insert_.table->indexes[0].kind == IndexKind::kRowId) {
    (*row)[0] = before[0].Borrow();
  }
  ++affected_;
  const bool same =
      std::equal(before.begin(), before.end(), row->begin(),
                 [](const row::Value& a, const row::Value& b) { return a.Identical(b); });
  if (!same) {
    engine::DuplicateKey other;
    const Status status = writer_->Update(duplicate.clustered_key, before, *row, &other);
    if (status.Is(Code::kAlreadyExists)) {
      return writer_->DuplicateError(*row, other.index_no);
    }
    RETURN_IF_ERROR(status);
    ++affected_;
  }
  return Status::Ok();
}

Status InsertRun::UpdateExisting(const engine::DuplicateKey& duplicate, const RowValues& row,
                                 const RowValues* source) {
  ASSIGN_OR_RETURN(const RowValues before, writer_->ReadLocked(duplicate.clustered_key));
  RowValues after = before;
  std::vector<bool> assigned(after.size());
  for (const BoundAssignment& assignment : insert_.on_duplicate) {
    row::Value value;
    row::Type type = insert_.table->columns[assignment.column].type;
    if (assignment.value == nullptr) {
      ASSIGN_OR_RETURN(value, writer_->Default(assignment.column, after));
    } else {
      std::vector<EvalFrame::Row> frame{{insert_.target.get(), after}};
      if (insert_.proposed != nullptr) {
        frame.push_back({insert_.proposed.get(), row});
      }
      if (insert_.source != nullptr && source != nullptr) {
        frame.push_back({insert_.source.get(), *source});
      }
      ASSIGN_OR_RETURN(value, writer_->Evaluate(*assignment.value, frame));
      value.Own();
      type = assignment.value->type;
    }
    RETURN_IF_ERROR(writer_->Store(assignment.column, value, type, multi_row_, &after));
    assigned[assignment.column] = true;
  }
  const bool changed =
      !std::equal(before.begin(), before.end(), after.begin(),
                  [](const row::Value& a, const row::Value& b) { return a.Identical(b); });
  if (!changed) {
    affected_ += session_.client_found_rows() ? 1 : 0;
    return Status::Ok();
  }
  writer_->TouchTimestamps(assigned, &after);
  RETURN_IF_ERROR(writer_->Complete(&after));
  RETURN_IF_ERROR(session_.diagnostics().strict_error());
  const EvalFrame::Row frame[] = {{insert_.target.get(), after}};
  RETURN_IF_ERROR(CheckViewOption(insert_.check, frame, writer_.get()));
  engine::DuplicateKey other;
  const Status status = writer_->Update(duplicate.clustered_key, before, after, &other);
  if (status.Is(Code::kNotFound)) {
    return Status::Ok();  // IGNORE: a foreign key let the row stay as it was
  }
  if (status.Is(Code::kAlreadyExists)) {
    return writer_->DuplicateError(after, other.index_no);
  }
  RETURN_IF_ERROR(status);
  affected_ += 2;
  if (auto_column_ >= 0) {
    const row::Value& id = after[static_cast<size_t>(auto_column_)];
    first_generated_ = first_generated_ != 0
                           ? first_generated_
                           : static_cast<uint64_t>(id.is_null() ? 0 : id.raw_int());
  }
  return Status::Ok();
}

void InsertRun::Report() {
  run_.ok.affected_rows = affected_;
  // The packet tells the last explicit value when none was generated; LAST_INSERT_ID() does not.
  run_.ok.last_insert_id = first_generated_ != 0 ? first_generated_ : explicit_id_;
  if (first_generated_ != 0) {
    session_.set_last_insert_id(first_generated_);
  }
  if (multi_row_) {
    run_.ok.info = fmt::format("Records: {}  Duplicates: {}  Warnings: {}", records_, duplicates_,
                               session_.diagnostics().count());
  }
}

}  // namespace

Status ExecuteInsert(StatementRun& run) {
  StatementFacts facts;
  BindInput input;
  input.environment = &run.session.binder_environment();
  input.text = run.text;
  input.parameters = run.parameters;
  ASSIGN_OR_RETURN(const auto insert, BindInsert(run.statement.As<InsertStmt>(), input, &facts));
  return InsertRun(run, *insert, facts).Execute();
}

}  // namespace borealis::sql
