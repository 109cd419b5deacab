#include "engine/table_build.h"

#include <algorithm>

#include "base/fault.h"
#include "base/invariant.h"
#include "base/mysql_error.h"
#include "engine/row/off_page.h"
#include "engine/row/row_version.h"
#include "engine/row/secondary.h"
#include "engine/store/leaf_cursor.h"
#include "engine/store/page_format.h"

namespace borealis::engine {

namespace {

// What the change may still have to do while nobody else gets at the table.
constexpr uint64_t kLittleLeft = 500;
constexpr int kRoundsMax = 50;
constexpr size_t kBatchRows = 128;

// Value of a sorted index entry: the clustered key's length and that of the unique prefix.
std::string EncodeSizes(size_t clustered_size, size_t unique_size) {
  std::string to;
  AppendVarint(&to, clustered_size);
  AppendVarint(&to, unique_size);
  return to;
}

// One change of a tree in an Mtr of its own.
template <class Edit>
Status InMtr(Store* store, const Edit& edit) {
  Mtr mtr(store);
  RETURN_IF_ERROR(mtr.StartWriting());
  Status status = edit(&mtr);
  if (!status.ok()) {
    mtr.Abandon();
    return status;
  }
  mtr.Commit();
  return Status::Ok();
}

}  // namespace

TableBuilder::TableBuilder(SchemaChange& change, TableBuild build)
    : change_(change),
      build_(std::move(build)),
      log_(std::make_shared<ChangeLog>(change.core().options.temporary_directory,
                                       change.how().online_log_max_bytes)) {}

TableBuilder::~TableBuilder() {
  if (view_ != nullptr) {
    build_.source->state().SetChangeLog(nullptr);
    core().transactions->CloseView(view_);
  }
}

std::unique_ptr<SortedRuns> TableBuilder::NewRuns() const {
  return std::make_unique<SortedRuns>(core().options.temporary_directory,
                                      change_.how().sort_buffer_bytes);
}

// A view that sees every transaction that has released its metadata locks.
Result<const ReadView*> TableBuilder::MakeView() {
  RETURN_IF_ERROR(core().store->volume()->WaitDurable(core().transactions->LastEndLsn()));
  return core().transactions->OpenView();
}

Status TableBuilder::Start() {
  build_.source->state().SetChangeLog(log_);
  Result<const ReadView*> view = MakeView();
  if (!view.ok()) {
    build_.source->state().SetChangeLog(nullptr);
    return std::move(view).status();
  }
  view_ = *view;
  return Status::Ok();
}

// ---------------------------------------------------------------------------------------------
// Rows as a view sees them

Result<bool> TableBuilder::ReadRow(const ReadView& view, std::string_view key,
                                   std::string* row) const {
  RowVersion version;
  ASSIGN_OR_RETURN(bool exists, ReadNewest(*build_.source, key, &version));
  if (exists) {
    const Snapshot snapshot{&view, TrxId(0)};
    ASSIGN_OR_RETURN(exists, FindVisible(core(), *build_.source, key, snapshot, &version));
  }
  if (exists) {
    RETURN_IF_ERROR(engine::LoadRow(core(), version.view(), row));
  }
  return exists;
}

Status TableBuilder::VisitRows(const RowVisitor& visit) {
  const BTree& source = build_.source->trees().tree(kClusteredIndex);
  const Snapshot snapshot{view_, TrxId(0)};
  SavedPosition position;
  bool started = false;
  std::vector<std::pair<std::string, std::string>> rows;
  std::string row;
  for (bool more = true; more;) {
    RETURN_IF_ERROR(change_.CheckKilled());
    RETURN_IF_ERROR(CheckLog());
    rows.clear();
    // Some rows at a time, copied, so that no latch is held while they are worked on.
    {
      Mtr mtr(core().store);
      LeafCursor cursor(&source, &mtr);
      bool same = false;
      RETURN_IF_ERROR(started ? cursor.Restore(position, LatchMode::kShared, &same)
                              : cursor.SeekFirst(LatchMode::kShared));
      if (same) {
        RETURN_IF_ERROR(cursor.Next());
      }
      started = true;
      while (cursor.valid()) {
        rows.emplace_back(cursor.key(), cursor.value());
        if (rows.size() == kBatchRows) {
          cursor.Save(&position);
          break;
        }
        RETURN_IF_ERROR(cursor.Next());
      }
      more = rows.size() == kBatchRows;
    }
    for (const auto& [key, value] : rows) {
      ASSIGN_OR_RETURN(RowView newest, DecodeRow(value));
      RowVersion version{newest.header, std::string(newest.stored)};
      ASSIGN_OR_RETURN(bool exists, FindVisible(core(), *build_.source, key, snapshot, &version));
      if (exists) {
        RETURN_IF_ERROR(engine::LoadRow(core(), version.view(), &row));
        RETURN_IF_ERROR(visit(key, row));
      }
    }
  }
  return Status::Ok();
}

Status TableBuilder::BuildKeys(std::string_view row, std::string_view clustered_key,
                               std::vector<IndexKey>* keys) const {
  keys->resize(build_.build.size());
  for (size_t i = 1; i < build_.build.size(); ++i) {
    if (build_.build[i]) {
      IndexKey& key = (*keys)[i];
      RETURN_IF_ERROR(build_.target->layout().BuildKey(i, row, &key));
      if (key.bytes.size() > kIndexKeySizeMax ||
          key.bytes.size() + clustered_key.size() > kKeySizeMax) {
        return Status::InvalidArgument("index key is too long");
      }
    }
  }
  return Status::Ok();
}

Status TableBuilder::MakeImage(const ReadView& view, std::string_view key, Image* image) {
  image->clustered_key = key;
  ASSIGN_OR_RETURN(image->exists, ReadRow(view, key, &image->row));
  if (!image->exists) {
    return Status::Ok();
  }
  if (rewrites()) {
    std::string rewritten;
    RETURN_IF_ERROR(build_.rewrite(image->row, &rewritten));
    image->row = std::move(rewritten);
    IndexKey clustered;
    RETURN_IF_ERROR(build_.target->layout().BuildKey(kClusteredIndex, image->row, &clustered));
    image->clustered_key = std::move(clustered.bytes);
  }
  return BuildKeys(image->row, image->clustered_key, &image->keys);
}

// ---------------------------------------------------------------------------------------------
// Loading

Status TableBuilder::AddEntries(std::string_view row, std::string_view clustered_key,
                                std::vector<std::unique_ptr<SortedRuns>>* entries) {
  std::vector<IndexKey> keys;
  RETURN_IF_ERROR(BuildKeys(row, clustered_key, &keys));
  for (size_t i = 1; i < entries->size(); ++i) {
    if ((*entries)[i] != nullptr) {
      RETURN_IF_ERROR(
          (*entries)[i]->Add(SecondaryEntryKey(keys[i].bytes, clustered_key),
                             EncodeSizes(clustered_key.size(), keys[i].unique_prefix_size)));
    }
  }
  return Status::Ok();
}

Result<std::string> TableBuilder::StoreRow(std::string_view row, size_t key_size) {
  RowHeader header;
  if (kRowHeaderSize + row.size() <= MaxValueSize(key_size)) {
    return EncodeRow(header, row);
  }
  const size_t room = MaxValueSize(key_size) - kRowHeaderSize - kLongValueReferenceSize;
  const size_t prefix = std::min(kLongRowPrefixSize, room);
  ASSIGN_OR_RETURN(LongValueReference reference, WriteLongValue(core().store, row.substr(prefix)));
  std::string stored(row.substr(0, prefix));
  reference.AppendTo(&stored);
  header.is_long = true;
  return EncodeRow(header, stored);
}

// Puts a rewritten row into the new clustered tree: at its end as long as rows come in order.
Status TableBuilder::LoadRow(std::string_view row, BulkLoad* load,
                             std::vector<std::unique_ptr<SortedRuns>>* entries) {
  IndexKey key;
  RETURN_IF_ERROR(build_.target->layout().BuildKey(kClusteredIndex, row, &key));
  if (key.bytes.size() > kIndexKeySizeMax) {
    return Status::InvalidArgument("index key is too long");
  }
  if (!load->empty() && key.bytes < load->last_key()) {
    return Status::InvalidArgument("rows were said to keep their order, and do not");
  }
  if (!load->empty() && key.bytes == load->last_key()) {
    return Duplicate(kClusteredIndex, key.bytes, row);
  }
  ASSIGN_OR_RETURN(const std::string value, StoreRow(row, key.bytes.size()));
  RETURN_IF_ERROR(load->Append(key.bytes, value));
  return AddEntries(row, key.bytes, entries);
}

Status TableBuilder::LoadSortedRows(SortedRuns* rows, BulkLoad* load,
                                    std::vector<std::unique_ptr<SortedRuns>>* entries) {
  change_.Report(BuildStep::kSorting);
  ASSIGN_OR_RETURN(std::unique_ptr<SortedRuns::Reader> reader, rows->Read());
  for (uint64_t count = 0;; ++count) {
    if (count % 1024 == 0) {
      RETURN_IF_ERROR(change_.CheckKilled());
    }
    ASSIGN_OR_RETURN(const bool more, reader->Next());
    if (!more) {
      return Status::Ok();
    }
    RETURN_IF_ERROR(LoadRow(reader->value(), load, entries));
  }
}

Status TableBuilder::LoadRowsInto(BulkLoad* load,
                                  std::vector<std::unique_ptr<SortedRuns>>* entries) {
  std::string rewritten;
  if (build_.keeps_order) {
    return VisitRows([&](std::string_view, std::string_view row) {
      Status status = build_.rewrite(row, &rewritten);
      return status.ok() ? LoadRow(rewritten, load, entries) : status;
    });
  }
  std::unique_ptr<SortedRuns> rows = NewRuns();
  IndexKey key;
  Status visited = VisitRows([&](std::string_view, std::string_view row) {
    Status status = build_.rewrite(row, &rewritten);
    if (status.ok()) {
      status = build_.target->layout().BuildKey(kClusteredIndex, rewritten, &key);
    }
    return status.ok() ? rows->Add(key.bytes, rewritten) : status;
  });
  RETURN_IF_ERROR(std::move(visited));
  return LoadSortedRows(rows.get(), load, entries);
}

Status TableBuilder::LoadRows(std::vector<std::unique_ptr<SortedRuns>>* entries) {
  BulkLoad load(&TreeOf(kClusteredIndex),
                build_.target->definition().indexes[kClusteredIndex].id.value());
  Status status = LoadRowsInto(&load, entries);
  if (status.ok()) {
    status = load.Finish();
  }
  if (!status.ok()) {
    // Off-page parts of rows that are in no tree yet, and never will be.
    load.VisitUnwritten([&](std::string_view value) { FreeOffPagePartOf(core(), value); });
  }
  return status;
}

Status TableBuilder::LoadIndex(size_t index_no, SortedRuns* entries) {
  BulkLoad load(&TreeOf(index_no), build_.target->definition().indexes[index_no].id.value());
  ASSIGN_OR_RETURN(std::unique_ptr<SortedRuns::Reader> reader, entries->Read());
  std::string unique_before;  // unique prefix of the entry before, empty when it has none
  for (uint64_t count = 0;; ++count) {
    if (count % 1024 == 0) {
      RETURN_IF_ERROR(change_.CheckKilled());
      RETURN_IF_ERROR(CheckLog());
    }
    ASSIGN_OR_RETURN(const bool more, reader->Next());
    if (!more) {
      return load.Finish();
    }
    ByteReader sizes(reader->value());
    const size_t clustered_size = sizes.Varint();
    const size_t unique_size = sizes.Varint();
    const std::string_view key = reader->key();
    if (unique_size > 0 && key.substr(0, unique_size) == unique_before) {
      const std::string_view clustered_key = key.substr(key.size() - clustered_size);
      return Duplicate(index_no, clustered_key, {});
    }
    unique_before = key.substr(0, unique_size);
    RETURN_IF_ERROR(load.Append(key, EncodeSecondaryValue(false, clustered_size)));
  }
}

Status TableBuilder::Load() {
  change_.Report(BuildStep::kReading);
  std::vector<std::unique_ptr<SortedRuns>> entries(build_.build.size());
  for (size_t i = 1; i < entries.size(); ++i) {
    if (build_.build[i]) {
      entries[i] = NewRuns();
    }
  }
  if (rewrites()) {
    RETURN_IF_ERROR(LoadRows(&entries));
  } else {
    RETURN_IF_ERROR(VisitRows([&](std::string_view key, std::string_view row) {
      return AddEntries(row, key, &entries);
    }));
  }
  change_.Report(BuildStep::kInserting);
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i] != nullptr) {
      RETURN_IF_ERROR(LoadIndex(i, entries[i].get()));
      entries[i].reset();
    }
  }
  return Status::Ok();
}

// ---------------------------------------------------------------------------------------------
// Catching up

Status TableBuilder::CheckLog() const {
  if (log_->beyond_limit()) {
    size_t built = 0;
    while (!build_.build[built]) {
      ++built;
    }
    return UserError(ER_INNODB_ONLINE_LOG_TOO_BIG, build_.target->definition().indexes[built].name);
  }
  return log_->CheckWhole();
}

Status TableBuilder::RemoveRow(std::string_view clustered_key) {
  BTree& tree = TreeOf(kClusteredIndex);
  RETURN_IF_ERROR(FreeOffPagePart(core(), &tree, clustered_key));
  return InMtr(core().store, [&](Mtr* mtr) { return tree.Delete(mtr, clustered_key); });
}

Status TableBuilder::RemoveImage(const Image& image) {
  if (!image.exists) {
    return Status::Ok();
  }
  if (rewrites()) {
    RETURN_IF_ERROR(RemoveRow(image.clustered_key));
  }
  for (size_t i = 1; i < build_.build.size(); ++i) {
    if (build_.build[i]) {
      const std::string key = SecondaryEntryKey(image.keys[i].bytes, image.clustered_key);
      Status removed = InMtr(core().store, [&](Mtr* mtr) { return TreeOf(i).Delete(mtr, key); });
      if (removed.Is(Code::kNotFound)) {
        return Status::Corruption("new index lacks an entry of its view");  // INV-DDL-3
      }
      RETURN_IF_ERROR(std::move(removed));
    }
  }
  return Status::Ok();
}

Status TableBuilder::InsertImage(const Image& image) {
  if (!image.exists) {
    return Status::Ok();
  }
  if (rewrites()) {
    std::string there;
    Status found = TreeOf(kClusteredIndex).Get(image.clustered_key, &there);
    if (!found.Is(Code::kNotFound)) {
      RETURN_IF_ERROR(std::move(found));
      return Duplicate(kClusteredIndex, image.clustered_key, image.row);
    }
    ASSIGN_OR_RETURN(const std::string value, StoreRow(image.row, image.clustered_key.size()));
    RETURN_IF_ERROR(InMtr(core().store, [&](Mtr* mtr) {
      return TreeOf(kClusteredIndex).Insert(mtr, image.clustered_key, value);
    }));
  }
  for (size_t i = 1; i < build_.build.size(); ++i) {
    if (!build_.build[i]) {
      continue;
    }
    const IndexKey& key = image.keys[i];
    if (key.unique_prefix_size > 0) {
      const std::string_view prefix = std::string_view(key.bytes).substr(0, key.unique_prefix_size);
      Mtr mtr(core().store);
      LeafCursor cursor(&TreeOf(i), &mtr);
      RETURN_IF_ERROR(cursor.Seek(prefix, SeekMode::kAtLeast, LatchMode::kShared));
      if (cursor.valid() && cursor.key().starts_with(prefix)) {
        return Duplicate(i, image.clustered_key, image.row);
      }
    }
    RETURN_IF_ERROR(InMtr(core().store, [&](Mtr* mtr) {
      return TreeOf(i).Insert(mtr, SecondaryEntryKey(key.bytes, image.clustered_key),
                              EncodeSecondaryValue(false, image.clustered_key.size()));
    }));
  }
  return Status::Ok();
}

// Brings the trees from `view_` to `to`, which takes its place. Returns how many rows it looked at.
Result<uint64_t> TableBuilder::Advance(const ReadView* to) {
  // Closed again whatever happens: one of the two becomes view_.
  const ReadView* from = std::exchange(view_, to);
  struct Closer {
    TransactionSystem& transactions;
    const ReadView* view;
    ~Closer() { transactions.CloseView(view); }
  } closer{*core().transactions, from};
  std::unique_ptr<SortedRuns> touched = NewRuns();
  RETURN_IF_ERROR(log_->Take([&](TrxId trx, std::string_view key) -> Status {
    if (to->Sees(trx)) {
      return touched->Add(key, {});
    }
    log_->Add(trx, key);  // of a transaction that goes on
    return Status::Ok();
  }));
  RETURN_IF_ERROR(CheckLog());
  // All of the old goes before anything of the new comes: what meets a key then is in the new view
  // as well.
  for (const bool removing : {true, false}) {
    ASSIGN_OR_RETURN(std::unique_ptr<SortedRuns::Reader> reader, touched->Read());
    std::string before;
    bool first = true;
    for (uint64_t count = 0;; ++count) {
      if (count % 256 == 0) {
        RETURN_IF_ERROR(change_.CheckKilled());
      }
      ASSIGN_OR_RETURN(const bool more, reader->Next());
      if (!more) {
        break;
      }
      if (!first && reader->key() == before) {
        continue;
      }
      first = false;
      before = reader->key();
      Image image;
      RETURN_IF_ERROR(MakeImage(removing ? *from : *to, before, &image));
      RETURN_IF_ERROR(removing ? RemoveImage(image) : InsertImage(image));
    }
  }
  return touched->count();
}

Status TableBuilder::CatchUp() {
  change_.Report(BuildStep::kCatchingUp);
  for (int round = 0; round < kRoundsMax; ++round) {
    RETURN_IF_ERROR(change_.CheckKilled());
    ASSIGN_OR_RETURN(const uint64_t rows, Advance(core().transactions->OpenView()));
    if (rows <= kLittleLeft) {
      break;
    }
    COVER("table_build.another_round");
  }
  return Status::Ok();
}

Status TableBuilder::Finish() {
  change_.Report(BuildStep::kFinishing);
  ASSIGN_OR_RETURN(const ReadView* last, MakeView());
  RETURN_IF_ERROR(Advance(std::move(last)).status());
  INVARIANT_EQ(log_->size(), uint64_t{0});  // nobody is left whom the last view would not see
  return Status::Ok();
}

// ---------------------------------------------------------------------------------------------
// Duplicates

Status TableBuilder::Duplicate(size_t index_no, std::string_view clustered_key,
                               std::string_view row) {
  if (build_.duplicate != nullptr) {
    build_.duplicate->index_no = index_no;
    build_.duplicate->clustered_key = clustered_key;
  }
  if (build_.duplicate_row != nullptr) {
    *build_.duplicate_row = row;
    if (row.empty() && rewrites()) {
      RowVersion newest;
      ASSIGN_OR_RETURN(const bool exists, ReadNewest(*build_.target, clustered_key, &newest));
      if (exists) {
        RETURN_IF_ERROR(engine::LoadRow(core(), newest.view(), build_.duplicate_row));
      }
    } else if (row.empty()) {
      RETURN_IF_ERROR(ReadRow(*view_, clustered_key, build_.duplicate_row).status());
    }
  }
  return Status::AlreadyExists("duplicate key while building an index");
}

}  // namespace borealis::engine
