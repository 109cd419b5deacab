// Cursors of consistent reads: batches copied out of leaves, versions resolved afterwards.
#include "base/fault.h"
#include "engine/row/row_lock.h"
#include "engine/row/row_read.h"
#include "engine/store/leaf_cursor.h"
#include "engine/table_trees.h"

namespace borealis::engine {

namespace {

class ConsistentCursor final : public Cursor {
 public:
  ConsistentCursor(EngineTransaction& transaction, TableRef table, ScanOptions options,
                   Snapshot snapshot)
      : trx_(transaction),
        table_(std::move(table)),
        options_(std::move(options)),
        snapshot_(snapshot) {}

  Result<bool> Next() override;
  std::string_view key() const override { return key_; }
  std::string_view clustered_key() const override { return clustered_key_; }
  Result<std::string_view> row() override;
  void UnlockRow() override {}
  Status Restart(KeyRange range, bool unique_point) override;

 private:
  struct Item {
    uint32_t key_size;
    uint32_t value_size;
    bool seen_by_all;  // secondary: the snapshot sees everything in the leaf
  };
  static constexpr size_t kFirstBatch = 4;
  static constexpr size_t kLargestBatch = 64;

  bool secondary() const { return options_.index_no != kClusteredIndex; }
  Result<bool> Step();
  Status Fill();
  Status SeekStart(LeafCursor* cursor);
  Status GoOn(LeafCursor* cursor);
  // The current item; false when the snapshot does not see it as a row.
  Result<bool> ResolveClustered(std::string_view key, std::string_view value);
  Result<bool> ResolveSecondary(std::string_view key, std::string_view value, bool seen_by_all);
  Result<bool> LoadThroughClustered();
  // The row that the cursor is on.
  Result<std::string_view> Load();

  EngineTransaction& trx_;
  const TableRef table_;
  ScanOptions options_;
  const Snapshot snapshot_;

  SavedPosition saved_;
  bool started_ = false;
  bool at_end_ = false;
  size_t batch_size_ = kFirstBatch;
  std::vector<Item> items_;
  std::string bytes_;  // key and value of each item
  size_t next_item_ = 0;
  size_t next_byte_ = 0;

  std::string_view key_;
  std::string_view clustered_key_;
  bool have_row_ = false;
  std::string_view row_;
  RowVersion version_;
  std::string row_buffer_;
  IndexKey built_key_;
};

Status ConsistentCursor::Restart(KeyRange range, bool unique_point) {
  options_.range = std::move(range);
  options_.unique_point = unique_point;
  started_ = false;
  at_end_ = false;
  items_.clear();
  next_item_ = 0;
  batch_size_ = kFirstBatch;
  return Status::Ok();
}

Status ConsistentCursor::SeekStart(LeafCursor* cursor) {
  const KeyRange& range = options_.range;
  if (!options_.reverse) {
    return cursor->Seek(range.lower, SeekMode::kAtLeast, LatchMode::kShared);
  }
  if (range.no_upper) {
    return cursor->SeekLast(LatchMode::kShared);
  }
  if (!range.upper_inclusive) {
    return cursor->Seek(range.upper, SeekMode::kBefore, LatchMode::kShared);
  }
  if (!secondary()) {
    return cursor->Seek(range.upper, SeekMode::kAtMost, LatchMode::kShared);
  }
  const std::string end = PrefixEnd(range.upper);
  return end.empty() ? cursor->SeekLast(LatchMode::kShared)
                     : cursor->Seek(end, SeekMode::kBefore, LatchMode::kShared);
}

Status ConsistentCursor::GoOn(LeafCursor* cursor) {
  bool same = false;
  RETURN_IF_ERROR(cursor->Restore(saved_, LatchMode::kShared, &same));
  if (!options_.reverse) {
    return same ? cursor->Next() : Status::Ok();
  }
  if (same) {
    return cursor->Prev();
  }
  cursor->Release();
  return cursor->Seek(saved_.key, SeekMode::kBefore, LatchMode::kShared);
}

Status ConsistentCursor::Fill() {
  items_.clear();
  bytes_.clear();
  next_item_ = 0;
  next_byte_ = 0;
  Mtr mtr(trx_.core().store);
  LeafCursor cursor(&table_->trees().tree(options_.index_no), &mtr);
  RETURN_IF_ERROR(started_ ? GoOn(&cursor) : SeekStart(&cursor));
  started_ = true;
  const KeyRange& range = options_.range;
  const bool reverse = options_.reverse;
  for (;;) {
    if (!cursor.valid()) {
      at_end_ = true;
      return Status::Ok();
    }
    const std::string_view key = cursor.key();
    const std::string_view value = cursor.value();
    std::string_view own_key = key;
    if (secondary()) {
      ASSIGN_OR_RETURN(SecondaryEntry entry, DecodeSecondary(key, value));
      own_key = entry.key;
    }
    if (PastEnd(range, reverse, own_key)) {
      at_end_ = true;
      return Status::Ok();
    }
    // Before the start: an exclusive bound whose own entries come first.
    if (!PastEnd(range, !reverse, own_key)) {
      const bool seen_by_all = secondary() && snapshot_.view != nullptr &&
                               snapshot_.view->SeesAllUpTo(cursor.max_trx_id());
      items_.push_back(
          {static_cast<uint32_t>(key.size()), static_cast<uint32_t>(value.size()), seen_by_all});
      bytes_.append(key);
      bytes_.append(value);
      if (items_.size() >= batch_size_) {
        cursor.Save(&saved_);
        batch_size_ = std::min(batch_size_ * 4, kLargestBatch);
        return Status::Ok();
      }
    }
    RETURN_IF_ERROR(reverse ? cursor.Prev() : cursor.Next());
  }
}

Result<bool> ConsistentCursor::Next() {
  RETURN_IF_ERROR(trx_.CheckUsable());
  Result<bool> moved = Step();
  RETURN_IF_ERROR(trx_.CheckView());
  return moved;
}

Result<bool> ConsistentCursor::Step() {
  for (;;) {
    if (next_item_ == items_.size()) {
      if (at_end_) {
        return false;
      }
      RETURN_IF_ERROR(Fill());
      continue;
    }
    const Item& item = items_[next_item_++];
    const std::string_view key(bytes_.data() + next_byte_, item.key_size);
    const std::string_view value(key.data() + item.key_size, item.value_size);
    next_byte_ += item.key_size + item.value_size;
    ASSIGN_OR_RETURN(bool seen, secondary() ? ResolveSecondary(key, value, item.seen_by_all)
                                            : ResolveClustered(key, value));
    if (seen) {
      trx_.core().rows.read.fetch_add(1, std::memory_order_relaxed);
      return true;
    }
  }
}

Result<bool> ConsistentCursor::ResolveClustered(std::string_view key, std::string_view value) {
  ASSIGN_OR_RETURN(RowView row, DecodeRow(value));
  key_ = key;
  clustered_key_ = key;
  if (snapshot_.Sees(row.header.trx)) {
    if (row.header.deleted) {
      return false;
    }
    have_row_ = !row.header.is_long;
    row_ = row.stored;
    if (!have_row_) {
      version_.header = row.header;
      version_.stored.assign(row.stored);
    }
    return true;
  }
  version_.header = row.header;
  version_.stored.assign(row.stored);
  have_row_ = false;
  return FindVisible(trx_.core(), *table_, key, snapshot_, &version_);
}

Result<bool> ConsistentCursor::ResolveSecondary(std::string_view key, std::string_view value,
                                                bool seen_by_all) {
  ASSIGN_OR_RETURN(SecondaryEntry entry, DecodeSecondary(key, value));
  key_ = entry.key;
  clustered_key_ = entry.clustered_key;
  have_row_ = false;
  version_.stored.clear();
  version_.header = RowHeader();
  if (seen_by_all) {
    version_.header.deleted = true;  // to be fetched when asked for
    return !entry.deleted;
  }
  ASSIGN_OR_RETURN(bool exists, LoadThroughClustered());
  if (!exists) {
    return false;
  }
  RETURN_IF_ERROR(table_->layout().BuildKey(options_.index_no, row_, &built_key_));
  return built_key_.bytes == key_;
}

Result<bool> ConsistentCursor::LoadThroughClustered() {
  ASSIGN_OR_RETURN(bool exists, ReadNewest(*table_, clustered_key_, &version_));
  if (exists) {
    ASSIGN_OR_RETURN(exists,
                     FindVisible(trx_.core(), *table_, clustered_key_, snapshot_, &version_));
  }
  if (!exists) {
    return false;
  }
  RETURN_IF_ERROR(LoadRow(trx_.core(), version_.view(), &row_buffer_));
  row_ = row_buffer_;
  have_row_ = true;
  return true;
}

Result<std::string_view> ConsistentCursor::row() {
  if (have_row_) {
    return row_;
  }
  Result<std::string_view> loaded = Load();
  RETURN_IF_ERROR(trx_.CheckView());
  return loaded;
}

Result<std::string_view> ConsistentCursor::Load() {
  if (secondary()) {
    ASSIGN_OR_RETURN(bool exists, LoadThroughClustered());
    if (!exists) {
      return Status::Corruption("index entry without a row in " + table_->definition().name);
    }
    return row_;
  }
  Status loaded = LoadRow(trx_.core(), version_.view(), &row_buffer_);
  if (!loaded.ok() && snapshot_.view == nullptr) {
    // READ UNCOMMITTED: the version is being undone; the one before it is there by now.
    ASSIGN_OR_RETURN(bool exists, LoadThroughClustered());
    return exists ? Result<std::string_view>(row_) : Result<std::string_view>(std::move(loaded));
  }
  RETURN_IF_ERROR(std::move(loaded));
  row_ = row_buffer_;
  have_row_ = true;
  return row_;
}

}  // namespace

Result<std::unique_ptr<Cursor>> MakeConsistentCursor(EngineTransaction& transaction, TableRef table,
                                                     ScanOptions options, Snapshot snapshot) {
  return std::unique_ptr<Cursor>(std::make_unique<ConsistentCursor>(transaction, std::move(table),
                                                                    std::move(options), snapshot));
}

}  // namespace borealis::engine
