#include "sql/executor/change/insert_batch.h"

#include <algorithm>

#include "sql/catalog/row_layout.h"

namespace borealis::sql {

std::unique_ptr<InsertBatch> InsertBatch::For(TableWriter* writer, Diagnostics* diagnostics,
                                              bool ignore) {
  return engine::RowBatch::Suits(writer->engine_table())
             ? std::unique_ptr<InsertBatch>(new InsertBatch(writer, diagnostics, ignore))
             : nullptr;
}

Status InsertBatch::Add(const RowValues& row, uint64_t generated) {
  bytes_.clear();
  RETURN_IF_ERROR(row::EncodeRow(SqlRowLayout::Of(writer_.engine_table()).rows(), row, &bytes_));
  RETURN_IF_ERROR(rows_.Add(bytes_));
  waiting_.push_back({diagnostics_.mark(), generated});
  return rows_.full() ? PutIn() : Status::Ok();
}

Status InsertBatch::PutIn() {
  Status status = rows_.size() != 0 ? PutInAll() : Status::Ok();
  rows_.Clear();
  waiting_.clear();
  return status;
}

Status InsertBatch::PutInAll() {
  size_t counted = 0;
  for (size_t told = 0;; ++told) {
    engine::DuplicateKey duplicate;
    Status status = rows_.Flush(&duplicate);
    Count(counted, rows_.done());
    if (status.ok()) {
      return status;
    }
    const size_t failed = rows_.done();
    if (status.Is(Code::kAlreadyExists)) {
      ASSIGN_OR_RETURN(const RowValues row, writer_.Decode(rows_.row(failed)));
      status = writer_.DuplicateError(row, duplicate.index_no);
      if (ignore_) {
        diagnostics_.AddWarningAt(waiting_[failed].said.conditions + told, status);
        ++duplicates_;
        rows_.SkipRow();
        counted = failed + 1;
        continue;
      }
    }
    Diagnostics::Mark said = waiting_[failed].said;
    said.conditions = std::min(said.conditions + told, diagnostics_.conditions().size());
    said.count += told;
    diagnostics_.CutBackTo(said);
    return status;
  }
}

void InsertBatch::Count(size_t begin, size_t end) {
  inserted_ += end - begin;
  for (size_t i = begin; i < end && first_generated_ == 0; ++i) {
    first_generated_ = waiting_[i].generated;
  }
}

}  // namespace borealis::sql
