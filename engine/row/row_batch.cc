// Inserts of several rows (row_batch.h). Per run: announce its keys (lock_table.h), latch the undo
// tail and the leaf, see how many rows both hold, write them, commit.
#include "engine/row_batch.h"

#include <algorithm>
#include <array>

#include "base/fault.h"
#include "base/invariant.h"
#include "engine/row/row_format.h"
#include "engine/row/row_write.h"
#include "engine/row/secondary.h"
#include "engine/statistics_keeper.h"
#include "engine/store/leaf_cursor.h"
#include "engine/table_trees.h"
#include "engine/trx/engine_transaction.h"

namespace borealis::engine {

struct RowBatch::Scratch {
  struct Entry {
    std::string_view key;  // of the entry: secondary and clustered
    size_t row = 0;
  };
  IndexKey key;
  std::string fence;
  // One run of rows.
  std::string undo;
  std::string values;
  std::vector<size_t> undo_ends;
  std::vector<std::string_view> undo_bodies;
  std::vector<NodeEntry> node_entries;
  // One index.
  std::string entry_bytes;
  std::vector<Entry> entries;
};

bool RowBatch::Suits(const Table& table) {
  const auto& indexes = table.definition().indexes;
  return std::none_of(indexes.begin() + 1, indexes.end(),
                      [](const IndexDefinition& index) { return index.unique; });
}

RowBatch::RowBatch(Transaction* transaction, const Table* table)
    : transaction_(static_cast<EngineTransaction&>(*transaction)),
      table_(*table),
      scratch_(std::make_unique<Scratch>()) {}

RowBatch::~RowBatch() = default;

Status RowBatch::Add(std::string_view row) {
  RETURN_IF_ERROR(table_.layout().BuildKey(kClusteredIndex, row, &scratch_->key));
  RETURN_IF_ERROR(CheckIndexKey(scratch_->key.bytes));
  rows_.push_back(
      {bytes_.size(), row.size(), bytes_.size() + row.size(), scratch_->key.bytes.size()});
  bytes_.append(row);
  bytes_.append(scratch_->key.bytes);
  return Status::Ok();
}

void RowBatch::Clear() {
  bytes_.clear();
  rows_.clear();
  done_ = 0;
}

Status RowBatch::Flush(DuplicateKey* duplicate) {
  RETURN_IF_ERROR(transaction_.StartChange());
  const Savepoint start = transaction_.SetSavepoint();
  const size_t first = done_;
  Status status;
  while (done_ < rows_.size() && status.ok()) {
    status = InsertNext(duplicate);
  }
  if (transaction_.state() != TransactionState::kActive) {
    return status;  // a deadlock's victim
  }
  size_t failed = done_;
  Status entries = InsertEntries(first, done_, &failed);
  if (!entries.ok()) {
    // What came after the row that failed has not happened; the row itself leaves its place locked.
    const uint64_t before = start.undo_count + (failed - first);
    if (!entries.Is(Code::kDeadlock)) {
      RETURN_IF_ERROR(transaction_.RollbackTo({before + 1}));
    }
    status = SettleChange(transaction_, {before}, std::move(entries));
    done_ = failed;
  }
  transaction_.core().rows.inserted.fetch_add(done_ - first, std::memory_order_relaxed);
  return status;
}

// ---------------------------------------------------------------------------------------------
// Rows

Status RowBatch::InsertNext(DuplicateKey* duplicate) {
  const size_t run = RunFrom(done_);
  size_t written = 0;
  if (run > 1) {
    ASSIGN_OR_RETURN(written, InsertRun(done_, run));
  }
  if (written == 0) {
    COVER("row_batch.row_alone");
    const Savepoint before = transaction_.SetSavepoint();
    RETURN_IF_ERROR(SettleChange(transaction_, before,
                                 InsertClusteredRow(transaction_, table_, KeyOf(rows_[done_]),
                                                    row(done_), LockMode::kShared, duplicate)));
    written = 1;
  }
  done_ += written;
  return Status::Ok();
}

size_t RowBatch::RunFrom(size_t first) const {
  const size_t end = std::min(rows_.size(), first + kRunMax);
  size_t at = first;
  while (at < end && (at == first || KeyOf(rows_[at - 1]) < KeyOf(rows_[at])) &&
         kRowHeaderSize + rows_[at].row_size <= MaxValueSize(rows_[at].key_size)) {
    ++at;
  }
  return at - first;
}

Result<size_t> RowBatch::InsertRun(size_t first, size_t count) {
  LockTable& locks = transaction_.core().locks;
  const IndexId index = table_.definition().indexes[kClusteredIndex].id;
  if (!locks.TryBeginInserts(transaction_.owner(), index, KeyOf(rows_[first]),
                             KeyOf(rows_[first + count - 1]), /*unique=*/true)) {
    return size_t{0};
  }
  Result<size_t> written = WriteRun(first, count);
  locks.EndInsert(transaction_.owner(), index);
  return written;
}

Result<size_t> RowBatch::WriteRun(size_t first, size_t count) {
  Core& core = transaction_.core();
  Mtr mtr(core.store);
  RETURN_IF_ERROR(mtr.StartWriting());
  UndoDraft draft;
  draft.clustered_index = table_.definition().indexes[kClusteredIndex].id;
  draft.clustered_key = KeyOf(rows_[first]);
  UndoPlace place;
  RETURN_IF_ERROR(core.undo.Prepare(&mtr, *transaction_.log(), EncodeUndo(draft).size(), &place));
  LeafCursor cursor(&table_.trees().tree(kClusteredIndex), &mtr);
  bool exact = false;
  RETURN_IF_ERROR(cursor.SeekLeafAndFence(KeyOf(rows_[first]), LatchMode::kExclusive, &exact,
                                          &scratch_->fence));
  if (exact) {
    return size_t{0};
  }
  if (cursor.valid()) {
    scratch_->fence.assign(cursor.key());  // the run ends before what is there
  }
  size_t within = 1;
  while (within < count &&
         (scratch_->fence.empty() || KeyOf(rows_[first + within]) < scratch_->fence)) {
    ++within;
  }
  const size_t encoded = EncodeRun(first, within, place);
  const size_t written = cursor.InsertRunHere(std::span(scratch_->node_entries).first(encoded));
  if (written == 0) {
    return written;
  }
  const bool begins = !transaction_.log()->begun;
  core.undo.AppendRun(&mtr, transaction_.log(), place, transaction_.id(),
                      core.transactions->BeginFloor(),
                      std::span(scratch_->undo_bodies).first(written));
  mtr.Commit();
  CRASH_POINT("row_batch.rows_written");
  if (begins) {
    core.transactions->NoteBegun(transaction_.id());
  }
  NoteWritten(first, written);
  return written;
}

size_t RowBatch::EncodeRun(size_t first, size_t count, const UndoPlace& place) {
  scratch_->undo.clear();
  scratch_->values.clear();
  scratch_->undo_bodies.clear();
  scratch_->node_entries.clear();
  UndoDraft draft;
  draft.clustered_index = table_.definition().indexes[kClusteredIndex].id;
  RowHeader header;
  header.trx = transaction_.id();
  size_t frames_size = 0;
  std::vector<size_t>& ends = scratch_->undo_ends;  // views are made once all is in place
  ends.clear();
  for (size_t i = first; i < first + count; ++i) {
    const size_t undo_begin = scratch_->undo.size();
    draft.clustered_key = KeyOf(rows_[i]);
    AppendUndo(draft, &scratch_->undo);
    const size_t frame_size = UndoSpace::FrameSize(scratch_->undo.size() - undo_begin);
    if (!UndoSpace::RunFits(place, frames_size + frame_size)) {
      break;
    }
    ends.push_back(scratch_->undo.size());
    header.roll = RollPointer(place.page->number(), place.offset + frames_size, /*is_insert=*/true);
    frames_size += frame_size;
    std::array<char, kRowHeaderSize> header_bytes;
    header.EncodeTo(header_bytes.data());
    scratch_->values.append(header_bytes.data(), header_bytes.size()).append(row(i));
  }
  size_t undo_at = 0;
  size_t value_at = 0;
  for (size_t i = 0; i < ends.size(); ++i) {
    scratch_->undo_bodies.push_back(
        std::string_view(scratch_->undo).substr(undo_at, ends[i] - undo_at));
    undo_at = ends[i];
    const size_t value_size = kRowHeaderSize + rows_[first + i].row_size;
    scratch_->node_entries.push_back(
        {KeyOf(rows_[first + i]), std::string_view(scratch_->values).substr(value_at, value_size)});
    value_at += value_size;
  }
  return ends.size();
}

void RowBatch::NoteWritten(size_t first, size_t count) {
  transaction_.NoteChange(count);
  for (size_t i = first; i < first + count; ++i) {
    table_.state().NoteChange(transaction_.id(), KeyOf(rows_[i]));  // INV-DDL-2
  }
  transaction_.core().statistics->NoteInserted(table_, count);
}

// ---------------------------------------------------------------------------------------------
// Entries of secondary indexes

Status RowBatch::InsertEntries(size_t first, size_t end, size_t* failed) {
  if (first == end || table_.index_count() == 1) {
    return Status::Ok();
  }
  // Who may have to wait does so in the order of the rows.
  for (size_t i = 1; i < table_.index_count(); ++i) {
    if (transaction_.core().locks.OthersLockRanges(transaction_.owner(),
                                                   table_.definition().indexes[i].id)) {
      return InsertEntriesByRow(first, end, failed);
    }
  }
  *failed = first;
  for (size_t i = 1; i < table_.index_count(); ++i) {
    RETURN_IF_ERROR(InsertEntriesSorted(i, first, end));
  }
  return Status::Ok();
}

Status RowBatch::InsertEntriesByRow(size_t first, size_t end, size_t* failed) {
  for (*failed = first; *failed < end; ++*failed) {
    for (size_t i = 1; i < table_.index_count(); ++i) {
      RETURN_IF_ERROR(InsertEntryAlone(i, *failed));
    }
  }
  return Status::Ok();
}

Status RowBatch::InsertEntryAlone(size_t index_no, size_t number) {
  RETURN_IF_ERROR(table_.layout().BuildKey(index_no, row(number), &scratch_->key));
  return InsertSecondary(transaction_, table_, index_no, scratch_->key, KeyOf(rows_[number]),
                         LockMode::kShared, nullptr);
}

Status RowBatch::InsertEntriesSorted(size_t index_no, size_t first, size_t end) {
  scratch_->entry_bytes.clear();
  scratch_->entries.clear();
  std::vector<size_t> ends;
  ends.reserve(end - first);
  for (size_t i = first; i < end; ++i) {
    RETURN_IF_ERROR(table_.layout().BuildKey(index_no, row(i), &scratch_->key));
    scratch_->entry_bytes.append(scratch_->key.bytes).append(KeyOf(rows_[i]));
    ends.push_back(scratch_->entry_bytes.size());
  }
  for (size_t i = 0; i < ends.size(); ++i) {
    const size_t begin = i == 0 ? 0 : ends[i - 1];
    scratch_->entries.push_back(
        {std::string_view(scratch_->entry_bytes).substr(begin, ends[i] - begin), first + i});
  }
  std::sort(scratch_->entries.begin(), scratch_->entries.end(),
            [](const Scratch::Entry& a, const Scratch::Entry& b) { return a.key < b.key; });
  for (size_t next = 0; next < scratch_->entries.size();) {
    ASSIGN_OR_RETURN(const size_t written, WriteEntries(index_no, next));
    if (written == 0) {
      COVER("row_batch.entry_alone");
      RETURN_IF_ERROR(InsertEntryAlone(index_no, scratch_->entries[next].row));
    }
    next += std::max<size_t>(written, 1);
  }
  return Status::Ok();
}

// The entries from `first` on that belong to one leaf; 0 when the first has to go alone.
Result<size_t> RowBatch::WriteEntries(size_t index_no, size_t first) {
  Core& core = transaction_.core();
  const IndexId index = table_.definition().indexes[index_no].id;
  const size_t end = std::min(scratch_->entries.size(), first + kEntryRunMax);
  if (scratch_->entries[end - 1].key.size() > kKeySizeMax ||
      !core.locks.TryBeginInserts(transaction_.owner(), index, scratch_->entries[first].key,
                                  scratch_->entries[end - 1].key, /*unique=*/false)) {
    return size_t{0};
  }
  size_t next = first;
  const auto write = [&]() -> Status {
    Mtr mtr(core.store);
    RETURN_IF_ERROR(mtr.StartWriting());
    LeafCursor cursor(&table_.trees().tree(index_no), &mtr);
    bool exact = false;
    RETURN_IF_ERROR(cursor.SeekLeafAndFence(scratch_->entries[first].key, LatchMode::kExclusive,
                                            &exact, &scratch_->fence));
    for (; next < end && (next == first || scratch_->fence.empty() ||
                          scratch_->entries[next].key < scratch_->fence);
         ++next) {
      if (next != first) {
        cursor.SeekWithinLeaf(scratch_->entries[next].key, &exact);
      }
      const size_t key_size = rows_[scratch_->entries[next].row].key_size;
      if (exact || scratch_->entries[next].key.size() > kKeySizeMax ||
          !cursor.InsertHere(scratch_->entries[next].key, EncodeSecondaryValue(false, key_size))
               .ok()) {
        break;
      }
    }
    if (next > first) {
      cursor.RaiseMaxTrxId(transaction_.id().value());  // INV-ROW-2
      mtr.Commit();
      CRASH_POINT("row_batch.entries_written");
    }
    return Status::Ok();
  };
  const Status status = write();
  core.locks.EndInsert(transaction_.owner(), index);
  RETURN_IF_ERROR(status);
  return next - first;
}

}  // namespace borealis::engine
