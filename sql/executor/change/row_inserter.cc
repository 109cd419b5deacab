#include "sql/executor/change/row_inserter.h"

#include <algorithm>

#include "base/mysql_error.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"

namespace borealis::sql {

Result<std::unique_ptr<RowInserter>> RowInserter::Open(StatementRun& run, const BoundInsert& insert,
                                                       const StatementFacts& facts,
                                                       bool multi_row) {
  std::unique_ptr<RowInserter> inserter(new RowInserter(run, insert, multi_row));
  RETURN_IF_ERROR(run.session.OpenViews(facts, *run.session.transaction()));
  ASSIGN_OR_RETURN(inserter->writer_, TableWriter::Open(run, insert.table, insert.ignore));
  inserter->writer_->set_insert(&insert);
  if (insert.replace || !insert.on_duplicate.empty()) {
    inserter->writer_->set_resolves_duplicates();
  }
  inserter->writer_->set_null_number(TableWriter::NullNumber::kGiven);
  inserter->auto_column_ = insert.table->auto_increment_column();
  inserter->triggers_ = RowTriggers::Of(run, insert.table, facts);
  if (inserter->triggers_ != nullptr) {
    inserter->has_before_insert_ =
        inserter->triggers_->Has(TriggerTiming::kBefore, TriggerEvent::kInsert);
    inserter->writer_->set_defers_nulls(inserter->has_before_insert_);
  }
  return inserter;
}

// Rows in whose way others may be changed go one by one, those that something is asked of beside
// their keys, and those that triggers see.
void RowInserter::StartBatches() {
  if (multi_row_ && !insert_.replace && insert_.on_duplicate.empty() && triggers_ == nullptr &&
      insert_.check.condition == nullptr && writer_->inserts_alone()) {
    batch_ = InsertBatch::For(writer_.get(), &session_.diagnostics(), insert_.ignore);
  }
}

Status RowInserter::Finish(Status so_far) {
  if (batch_ != nullptr) {
    RETURN_IF_ERROR(batch_->PutIn());
  }
  return so_far;
}

Result<bool> RowInserter::Add(const std::vector<bool>& given, const RowValues* source,
                              RowValues* row) {
  pending_generated_ = 0;
  RETURN_IF_ERROR(writer_->PutDefaults([&](uint32_t column) { return !given[column]; }, row));
  if (!insert_.table->has_primary_key()) {
    RETURN_IF_ERROR(GiveRowId(row));
  }
  if (has_before_insert_) {
    Status fired = FireBefore(given, row);
    if (fired.Is(Code::kNotFound)) {
      return false;  // IGNORE: a trigger has made NULL what must not be
    }
    RETURN_IF_ERROR(std::move(fired));
  }
  // Checks and generated columns do not know the number, and a row that is refused takes none.
  Status status = writer_->Complete(row);
  if (status.Is(Code::kNotFound)) {
    ++turned_away_;
    return false;
  }
  RETURN_IF_ERROR(std::move(status));
  if (auto_column_ >= 0) {
    RETURN_IF_ERROR(GiveAutoIncrement(row));
  }
  RETURN_IF_ERROR(session_.diagnostics().strict_error());
  const EvalFrame::Row frame[] = {{insert_.target.get(), *row}};
  status = CheckViewOption(insert_.check, frame, writer_.get());
  if (status.user_errno() == ER_VIEW_CHECK_FAILED && insert_.ignore) {
    session_.diagnostics().AddWarning(status);
    ++turned_away_;
    return false;
  }
  RETURN_IF_ERROR(std::move(status));
  RETURN_IF_ERROR(batch_ != nullptr ? batch_->Add(*row, pending_generated_)
                                    : InsertRow(row, source));
  return true;
}

Status RowInserter::FireBefore(const std::vector<bool>& given, RowValues* row) {
  row::Value* number = auto_column_ >= 0 ? &(*row)[static_cast<size_t>(auto_column_)] : nullptr;
  const bool generates = number != nullptr && number->is_null();
  if (generates) {
    const row::Type& type = insert_.table->columns[static_cast<size_t>(auto_column_)].type;
    *number = writer_->TypeDefault(type);
  }
  RETURN_IF_ERROR(writer_->ComputeGenerated(row));
  RETURN_IF_ERROR(triggers_->Before(TriggerEvent::kInsert, nullptr, row));
  if (Status nulled = triggers_->CheckNulled(*row); !nulled.ok()) {
    return insert_.ignore ? Status::NotFound("row skipped") : nulled;
  }
  if (generates && !number->is_null()) {
    bool is_unsigned = false;
    const auto column = static_cast<uint32_t>(auto_column_);
    const int64_t value = row::ToInteger(*number, insert_.table->columns[column].type,
                                         writer_->conversion(column), &is_unsigned);
    if (value == 0) {
      *number = row::Value::Null();
    }
  }
  writer_->set_defers_nulls(false);
  Status nulls = writer_->CheckNulls(&given, multi_row_, row);
  writer_->set_defers_nulls(true);
  return nulls;
}

Status RowInserter::GiveRowId(RowValues* row) {
  ASSIGN_OR_RETURN(const uint64_t id, writer_->engine().NextRowId(writer_->engine_table()));
  (*row)[0] = row::Value::Uint(id);
  return Status::Ok();
}

Status RowInserter::GiveAutoIncrement(RowValues* row) {
  const auto column = static_cast<uint32_t>(auto_column_);
  row::Value& value = (*row)[column];
  const row::Type& type = insert_.table->columns[column].type;
  SessionSettings& settings = session_.settings();
  const row::ConversionContext& conversion = writer_->conversion(column);
  engine::Engine& engine = writer_->engine();
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
    const Result<uint64_t> reserved =
        engine.ReserveAutoIncrement(writer_->engine_table(), 1, settings.auto_increment_offset,
                                    settings.auto_increment_increment);
    if (reserved.status().Is(Code::kNoSpace)) {
      return UserError(ER_AUTOINC_READ_FAILED);
    }
    RETURN_IF_ERROR(reserved.status());
    next = *reserved;
  }
  // Beyond the type's range the greatest number is tried again, and found to be a duplicate.
  row::ConversionContext lenient;
  lenient.strict = false;
  ASSIGN_OR_RETURN(
      value, row::StoreConvert(row::Value::Uint(next), row::Type::BigInt(true), type, lenient));
  pending_generated_ = next;
  return Status::Ok();
}

Status RowInserter::InsertRow(RowValues* row, const RowValues* source) {
  for (;;) {
    engine::DuplicateKey duplicate;
    Status status = writer_->Insert(*row, &duplicate);
    if (status.ok()) {
      ++affected_;
      NoteGenerated();
      return triggers_ == nullptr ? status : triggers_->After(TriggerEvent::kInsert, nullptr, row);
    }
    if (status.Is(Code::kNotFound)) {
      ++duplicates_;
      return Status::Ok();  // IGNORE: it has no parent
    }
    if (!status.Is(Code::kAlreadyExists)) {
      return status;
    }
    if (insert_.ignore) {
      ++duplicates_;
    }
    if (insert_.replace && !MayReplaceInPlace(duplicate.index_no)) {
      ++duplicates_;
      RETURN_IF_ERROR(DeleteExisting(duplicate));
      continue;  // the next unique key may be in the way as well
    }
    if (insert_.replace) {
      RETURN_IF_ERROR(ReplaceInPlace(duplicate, row));
      NoteGenerated();
      return triggers_ == nullptr ? Status::Ok()
                                  : triggers_->After(TriggerEvent::kInsert, nullptr, row);
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

Status RowInserter::DeleteExisting(const engine::DuplicateKey& duplicate) {
  if (triggers_ == nullptr) {
    RETURN_IF_ERROR(writer_->Delete(duplicate.clustered_key));
  } else {
    ASSIGN_OR_RETURN(const RowValues before, writer_->ReadLocked(duplicate.clustered_key));
    RETURN_IF_ERROR(triggers_->Before(TriggerEvent::kDelete, &before, nullptr));
    RETURN_IF_ERROR(writer_->Delete(duplicate.clustered_key));
    RETURN_IF_ERROR(triggers_->After(TriggerEvent::kDelete, &before, nullptr));
  }
  ++affected_;
  ++deleted_;
  return Status::Ok();
}

// As MySQL: where no other key can be in the way, and no child of the row has to follow, the row is
// updated, so that what stays the same is neither written nor locked.
bool RowInserter::MayReplaceInPlace(size_t index_no) const {
  const auto& indexes = insert_.table->indexes;
  if (triggers_ != nullptr && (triggers_->Has(TriggerTiming::kBefore, TriggerEvent::kDelete) ||
                               triggers_->Has(TriggerTiming::kAfter, TriggerEvent::kDelete))) {
    return false;  // somebody has to be told
  }
  return insert_.table->referencing.empty() &&
         std::none_of(indexes.begin() + static_cast<ptrdiff_t>(index_no) + 1, indexes.end(),
                      [](const IndexDescriptor& index) { return index.unique(); });
}

// The row in the way counts as affected as well, unless it was the same.
Status RowInserter::ReplaceInPlace(const engine::DuplicateKey& duplicate, RowValues* row) {
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
    ++deleted_;
    ++duplicates_;
  }
  return Status::Ok();
}

Status RowInserter::UpdateExisting(const engine::DuplicateKey& duplicate, const RowValues& row,
                                   const RowValues* source) {
  ASSIGN_OR_RETURN(const RowValues before, writer_->ReadLocked(duplicate.clustered_key));
  RowValues after = before;
  std::vector<bool> assigned(after.size());
  writer_->set_defers_nulls(triggers_ != nullptr &&
                            triggers_->Has(TriggerTiming::kBefore, TriggerEvent::kUpdate));
  writer_->set_null_number(TableWriter::NullNumber::kZero);
  Status set = AssignExisting(row, source, &after, &assigned);
  if (set.ok() && writer_->defers_nulls()) {
    set = FireBeforeUpdate(writer_.get(), triggers_.get(), before, insert_.ignore, multi_row_,
                           &assigned, &after);
  }
  writer_->set_defers_nulls(has_before_insert_);
  writer_->set_null_number(TableWriter::NullNumber::kGiven);
  if (set.Is(Code::kNotFound)) {
    return Status::Ok();  // IGNORE lets the row stay as it was
  }
  RETURN_IF_ERROR(std::move(set));
  const Status updated = UpdateChanged(duplicate, before, assigned, &after);
  if (updated.Is(Code::kNotFound)) {
    return Status::Ok();  // IGNORE let the row stay as it was
  }
  RETURN_IF_ERROR(updated);
  return triggers_ == nullptr ? Status::Ok()
                              : triggers_->After(TriggerEvent::kUpdate, &before, &after);
}

Status RowInserter::AssignExisting(const RowValues& row, const RowValues* source,
                                   RowValues* changed, std::vector<bool>* assigned) {
  RowValues& after = *changed;
  for (const BoundAssignment& assignment : insert_.on_duplicate) {
    (*assigned)[assignment.column] = true;
    if (assignment.value == nullptr) {
      ASSIGN_OR_RETURN(after[assignment.column], writer_->Default(assignment.column, after));
      after[assignment.column].Own();
      continue;
    }
    std::vector<EvalFrame::Row> frame{{insert_.target.get(), after}};
    if (insert_.proposed != nullptr) {
      frame.push_back({insert_.proposed.get(), row});
    }
    if (insert_.source != nullptr && source != nullptr) {
      frame.push_back({insert_.source.get(), *source});
    }
    ASSIGN_OR_RETURN(row::Value value, writer_->Evaluate(*assignment.value, frame));
    value.Own();
    RETURN_IF_ERROR(
        writer_->Store(assignment.column, value, assignment.value->type, multi_row_, &after));
  }
  return Status::Ok();
}

// The packet tells its id as it does one that a new row brings along.
void RowInserter::NoteUpdated(const RowValues& row) {
  if (auto_column_ >= 0) {
    const row::Value& id = row[static_cast<size_t>(auto_column_)];
    explicit_id_ = id.is_null() ? 0 : static_cast<uint64_t>(id.raw_int());
  }
}

Status RowInserter::UpdateChanged(const engine::DuplicateKey& duplicate, const RowValues& before,
                                  const std::vector<bool>& assigned, RowValues* row) {
  RowValues& after = *row;
  const bool changed =
      !std::equal(before.begin(), before.end(), after.begin(),
                  [](const row::Value& a, const row::Value& b) { return a.Identical(b); });
  if (!changed) {
    affected_ += session_.client_found_rows() ? 1 : 0;
    NoteUpdated(after);
    return Status::Ok();
  }
  writer_->TouchTimestamps(assigned, &after);
  RETURN_IF_ERROR(writer_->Complete(&after));
  RETURN_IF_ERROR(session_.diagnostics().strict_error());
  const EvalFrame::Row frame[] = {{insert_.target.get(), after}};
  RETURN_IF_ERROR(CheckViewOption(insert_.check, frame, writer_.get()));
  engine::DuplicateKey other;
  const Status status = writer_->Update(duplicate.clustered_key, before, after, &other);
  if (status.Is(Code::kAlreadyExists)) {
    Status error = writer_->DuplicateError(after, other.index_no);
    if (!insert_.ignore) {
      return error;
    }
    session_.diagnostics().AddWarning(error);
    return Status::NotFound("row left as it was");
  }
  RETURN_IF_ERROR(status);
  affected_ += 2;
  duplicates_ += insert_.ignore ? 0 : 1;  // with IGNORE it has been counted
  NoteUpdated(after);
  return Status::Ok();
}

}  // namespace borealis::sql
