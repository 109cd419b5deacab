#include "engine/engine_impl.h"

#include <algorithm>

#include "base/fault.h"
#include "base/mysql_error.h"
#include "base/obs/log.h"
#include "engine/row/off_page.h"
#include "engine/schema_changer.h"
#include "engine/store/leaf_cursor.h"
#include "engine/store/space.h"
#include "engine/table_trees.h"

namespace borealis::engine {

namespace {
constexpr int kUndoSlot = 2;  // slot of the volume header: first page of the undo directory
constexpr int64_t kIdleUs = 1'000'000;
constexpr size_t kLogsPerPass = 64;
constexpr uint64_t kHistoryTold = 1'000'000;  // transactions waiting for purge that are warned of
constexpr uint64_t kRollbackTold = 10'000;    // changes of a rollback whose end is worth a line

// The pages that every volume has once an engine has been on it. The root slot comes last: without
// it nothing of this counts.
Status FormatEngine(Store* store) {
  Mtr mtr(store);
  RETURN_IF_ERROR(mtr.StartWriting());
  auto format = [&]() -> Status {
    ASSIGN_OR_RETURN(PageNo undo, UndoSpace::Format(&mtr));
    ASSIGN_OR_RETURN(PageNo root, Dictionary::Format(&mtr));
    RETURN_IF_ERROR(Space::SetSlot(&mtr, kUndoSlot, undo.value()));
    RETURN_IF_ERROR(Space::SetSlot(&mtr, TransactionSystem::kNumberSlot, 1));
    return Space::SetSlot(&mtr, Dictionary::kRootSlot, root.value());
  };
  Status status = format();
  if (mtr.has_changes()) {
    mtr.Commit();
  }
  return status;
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Open(Volume* volume, EngineOptions options) {
  ASSIGN_OR_RETURN(std::unique_ptr<Store> store,
                   Store::OpenWriter(volume, {options.buffer_pool_bytes}));
  const Clock* clock = options.clock != nullptr ? options.clock : &SystemClock();
  auto engine = std::make_unique<EngineImpl>(std::move(store), std::move(options), clock);
  RETURN_IF_ERROR(engine->OpenWriter());
  return std::unique_ptr<Engine>(std::move(engine));
}

Result<std::unique_ptr<Engine>> Engine::OpenReplica(PageReader* reader, EngineOptions options,
                                                    std::string_view active) {
  ASSIGN_OR_RETURN(std::unique_ptr<Store> store,
                   Store::OpenReader(reader, {options.buffer_pool_bytes}));
  const Clock* clock = options.clock != nullptr ? options.clock : &SystemClock();
  auto engine = std::make_unique<EngineImpl>(std::move(store), std::move(options), clock);
  RETURN_IF_ERROR(engine->OpenReader(active));
  return std::unique_ptr<Engine>(std::move(engine));
}

EngineImpl::EngineImpl(std::unique_ptr<Store> store, EngineOptions options, const Clock* clock)
    : store_(std::move(store)),
      core_(store_.get(), std::move(options), clock),
      purge_(&core_),
      statistics_(&core_) {
  core_.statistics = &statistics_;
}

EngineImpl::~EngineImpl() {
  Stop();
  // What was not undone is left to the next opener; its locks end with this engine.
  for (const auto& transaction : core_.transactions->ListActive()) {
    core_.locks.ReleaseAll(transaction->owner.get());
  }
}

Status EngineImpl::OpenWriter() {
  uint64_t root = 0;
  {
    Mtr mtr(store_.get());
    ASSIGN_OR_RETURN(root, Space::GetSlot(&mtr, Dictionary::kRootSlot));
  }
  if (root == 0) {
    RETURN_IF_ERROR(FormatEngine(store_.get()));
  }
  core_.history = std::make_shared<History>(store_->volume()->vdl());
  RETURN_IF_ERROR(core_.transactions->Load());
  uint64_t undo = 0;
  {
    Mtr mtr(store_.get());
    ASSIGN_OR_RETURN(undo, Space::GetSlot(&mtr, kUndoSlot));
  }
  std::vector<UndoSpace::Unfinished> unfinished;
  RETURN_IF_ERROR(core_.undo.Load(PageNo(undo), &unfinished));
  RETURN_IF_ERROR(core_.dictionary.Load());
  for (const UndoSpace::Unfinished& found : unfinished) {
    auto owner = std::make_shared<LockOwner>(core_.next_owner.fetch_add(1), 0, nullptr);
    owner->trx_id.store(found.trx.value());
    auto transaction = std::make_shared<ChangingTransaction>(std::move(owner));
    transaction->id = found.trx;
    transaction->log = found.log;
    transaction->recovered = true;
    transaction->started_wall_us = core_.clock->WallUs();
    core_.transactions->Adopt(std::move(transaction));
  }
  if (!unfinished.empty()) {
    LOG_INFO("{} unfinished transactions will be rolled back", unfinished.size());
  }
  if (core_.options.background_threads) {
    background_ = Thread("engine", [this] { BackgroundLoop(); });
    rollback_ = Thread("rollback", [this] { RollbackLoop(); });
    counter_ = Thread("statistics", [this] { statistics_.Run(); });
    reporter_ = Thread("read point", [this] { ReportLoop(); });
  } else {
    store_->pool()->read_ahead().Stop();  // no threads means none at all
  }
  return Status::Ok();
}

Status EngineImpl::OpenReader(std::string_view active) {
  core_.history = std::make_shared<History>(Lsn(0));
  RETURN_IF_ERROR(core_.transactions->LoadUnseen(active));
  RETURN_IF_ERROR(core_.dictionary.Load());
  if (core_.options.background_threads) {
    reporter_ = Thread("read point", [this] { ReportLoop(); });
  }
  return Status::Ok();
}

void EngineImpl::Stop() {
  if (core_.stopping.exchange(true)) {
    return;
  }
  core_.graph.Stop();
  if (core_.history != nullptr) {
    core_.history->Wake();
  }
  {
    MutexLock lock(report_mutex_);
    report_ends_.NotifyAll();
  }
  statistics_.Wake();
  core_.transactions->WakeOrphanWaiter();
  background_.Join();
  rollback_.Join();
  counter_.Join();
  reporter_.Join();
  if (!store_->is_replica()) {
    SaveAutoIncrement();
  }
}

std::unique_ptr<Transaction> EngineImpl::Begin(TransactionOptions options) {
  return std::make_unique<EngineTransaction>(&core_, std::move(options));
}

// ---------------------------------------------------------------------------------------------
// Dictionary

Result<TableRef> EngineImpl::OpenTable(Transaction& transaction, std::string_view schema,
                                       std::string_view name, TableUse use) {
  auto& trx = static_cast<EngineTransaction&>(transaction);
  RETURN_IF_ERROR(trx.CheckUsable());
  const TableName table_name{std::string(schema), std::string(name)};
  const auto& locks = trx.options().table_locks;
  const auto held = locks != nullptr ? locks->HeldOn(schema, name) : TableLocks::Held::kNo;
  if (held == TableLocks::Held::kForWriting ||
      (held == TableLocks::Held::kForReading && use == TableUse::kRead)) {
    return core_.dictionary.Find(table_name);
  }
  if (use == TableUse::kChange) {
    RETURN_IF_ERROR(trx.PassToChange());
  }
  LockWait wait;
  wait.timeout_us = trx.metadata_wait_timeout_us();
  // The rows before the name, as everybody does: who waits for writers to be let in holds nothing
  // that an alteration waits for.
  const std::string rows_key = RowsKey(schema, name);
  Result<LockOutcome> rows = LockOutcome::kHeld;
  if (use == TableUse::kChange) {
    rows = core_.metadata.LockRecord(trx.metadata_owner(), IndexId(0), rows_key,
                                     LockMode::kChanging, wait);
    if (!rows.ok()) {
      return trx.Fail(std::move(rows).status());
    }
  }
  const std::string key = MetadataKey(schema, name);
  Result<LockOutcome> locked =
      core_.metadata.LockRecord(trx.metadata_owner(), IndexId(0), key, LockMode::kShared, wait);
  Result<TableRef> table =
      locked.ok() ? core_.dictionary.Find(table_name) : std::move(locked).status();
  if (!table.ok()) {
    if (locked.ok() && *locked != LockOutcome::kHeld) {
      core_.metadata.UnlockRecord(trx.metadata_owner(), IndexId(0), key);
    }
    if (*rows != LockOutcome::kHeld) {
      core_.metadata.UnlockRecord(trx.metadata_owner(), IndexId(0), rows_key);
    }
    return locked.ok() ? table : trx.Fail(std::move(table).status());
  }
  return table;
}

Result<std::shared_ptr<const TableLocks>> EngineImpl::LockTables(
    const std::vector<TableLockRequest>& tables, const SchemaChangeOptions& how) {
  return HeldTableLocks::Take(&core_, tables, how);
}

Result<std::shared_ptr<InstanceLock>> EngineImpl::LockInstance(InstanceLockKind kind,
                                                               const SchemaChangeOptions& how) {
  if (is_replica()) {
    return Status::InvalidArgument("a reader instance keeps no change out: its writer makes them");
  }
  return HeldInstanceLock::Take(&core_, kind, how);
}

Result<TableRef> EngineImpl::FindTable(std::string_view schema, std::string_view name) {
  return core_.dictionary.Find({std::string(schema), std::string(name)});
}

Result<SchemaDefinition> EngineImpl::FindSchema(std::string_view name) {
  return core_.dictionary.FindSchema(name);
}

Result<std::vector<SchemaDefinition>> EngineImpl::ListSchemas() {
  return core_.dictionary.ListSchemas();
}

Result<std::vector<std::string>> EngineImpl::ListTables(std::string_view schema) {
  return core_.dictionary.ListTables(schema);
}

MemoryUse MemoryUseOf(const Engine& engine) {
  return static_cast<const EngineImpl&>(engine).memory_use();
}

MemoryUse EngineImpl::memory_use() const {
  MemoryUse use;
  use.locks = core_.locks.memory_bytes() + core_.metadata.memory_bytes();
  use.transactions = core_.transactions->memory_bytes() + core_.history->memory_bytes();
  core_.dictionary.AddMemory(&use);
  return use;
}

// ---------------------------------------------------------------------------------------------
// Background

void EngineImpl::ReportLoop() {
  while (!core_.stopping.load()) {
    store_->pool()->ReportReadPoint(core_.history->reader_horizon());
    ContinueResize();
    MutexLock lock(report_mutex_);
    if (!core_.stopping.load()) {
      report_ends_.WaitFor(report_mutex_, kIdleUs);
    }
  }
}

void EngineImpl::ResizeBufferPool(uint64_t bytes) {
  resizing_ = true;
  store_->pool()->Resize(bytes);
  ContinueResize();
}

void EngineImpl::ContinueResize() {
  if (resizing_.load() && store_->pool()->ContinueResize() && resizing_.exchange(false)) {
    resized_wall_us_ = core_.clock->WallUs();
  }
}

void EngineImpl::BackgroundLoop() {
  uint64_t told = kHistoryTold;
  while (!core_.stopping.load()) {
    Result<bool> did = BackgroundStep();
    // Once for each doubling, and again from the start once it is short.
    const uint64_t history = core_.history->length();
    if (history >= told) {
      LOG_WARN(
          "history: {} transactions wait for purge; the oldest read view or reader is at {}",
          history,
          std::min(core_.transactions->OldestViewLsn(), core_.history->reader_horizon()).value());
      told = history * 2;
    } else if (history < kHistoryTold / 2) {
      told = kHistoryTold;
    }
    if (!did.ok() && !core_.stopping.load()) {
      LOG_WARN("background work of the engine: {}", did.status().ToString());
    }
    core_.history->WaitForWork(did.ok() && *did ? 1'000 : kIdleUs);
  }
}

Result<bool> EngineImpl::BackgroundStep() {
  MutexLock lock(background_mutex_);
  ASSIGN_OR_RETURN(bool purged, purge_.Pass(kLogsPerPass));
  ASSIGN_OR_RETURN(bool freed, FreeDrops());
  return purged || freed;
}

Status EngineImpl::RunBackground() {
  for (bool more = !store_->is_replica(); more && !core_.stopping.load();) {
    // One transaction that cannot be undone keeps purge from nothing.
    const bool orphans = core_.transactions->HasOrphans();
    const Status undone = orphans ? RollBackOrphan() : Status::Ok();
    ASSIGN_OR_RETURN(more, BackgroundStep());
    RETURN_IF_ERROR(undone);
    more |= orphans;
  }
  return Status::Ok();
}

// A thread of its own: a rollback may take minutes, and purge must keep up meanwhile.
void EngineImpl::RollbackLoop() {
  while (!core_.stopping.load()) {
    core_.transactions->WaitForOrphan(kIdleUs);
    Status undone = RollBackOrphan();
    if (!undone.ok() && !core_.stopping.load()) {
      LOG_WARN("rollback in the background: {}", undone.ToString());
      MutexLock lock(report_mutex_);
      report_ends_.WaitFor(report_mutex_, kIdleUs);
    }
  }
}

Status EngineImpl::RollBackOrphan() {
  std::shared_ptr<ChangingTransaction> transaction = core_.transactions->TakeOrphan();
  if (transaction == nullptr) {
    return Status::Ok();
  }
  Status status = UndoTo(core_, *transaction, 0, nullptr, /*lock_gaps=*/false);
  if (status.ok()) {
    status = FinishRollback(core_, transaction);
  }
  if (!status.ok()) {
    core_.transactions->Orphan(transaction);
    return status;
  }
  COVER("engine.orphan_rolled_back");
  if (const uint64_t undone = transaction->undone.load(); undone >= kRollbackTold) {
    LOG_INFO("transaction {} is rolled back: {} changes undone", transaction->id.value(), undone);
  }
  core_.locks.ReleaseAll(transaction->owner.get());
  return Status::Ok();
}

Result<bool> EngineImpl::FreeDrops() {
  if (drops_listed_.exchange(true)) {
    return false;
  }
  ASSIGN_OR_RETURN(std::vector<PendingDrop> drops, core_.dictionary.ListDrops());
  bool did = false;
  for (const PendingDrop& drop : drops) {
    Result<bool> freed = FreeIfUnused(drop);
    if (!freed.ok() || !*freed) {
      drops_listed_.store(false);  // look again
    }
    if (!freed.ok()) {
      return freed;
    }
    did |= *freed;
  }
  return did;
}

Result<bool> EngineImpl::FreeIfUnused(const PendingDrop& drop) {
  ASSIGN_OR_RETURN(const bool may_free, core_.dictionary.MayFree(drop));
  if (!may_free) {
    drop_seen_.erase(drop.page);
    return false;
  }
  // Readers that have not come past the change may still use the tree.
  const Lsn seen = drop_seen_.try_emplace(drop.page, store_->volume()->appended()).first->second;
  if (core_.stopping.load() || core_.history->reader_horizon() < seen) {
    return false;
  }
  RETURN_IF_ERROR(FreeDrop(drop));
  drop_seen_.erase(drop.page);
  return true;
}

Status EngineImpl::FreeDrop(const PendingDrop& drop) {
  if (drop.is_long_value) {
    for (bool freed = false; !freed;) {
      Mtr mtr(store_.get());
      RETURN_IF_ERROR(mtr.StartWriting());
      ASSIGN_OR_RETURN(freed, FreeLongValueStep(&mtr, drop.reference, 64));
      if (freed) {
        Status removed = core_.dictionary.RemoveDrop(&mtr, drop.page);
        INVARIANT(removed.ok());
      }
      mtr.Commit();
    }
    return Status::Ok();
  }
  BTree tree(store_.get(), drop.page);
  if (drop.is_clustered) {
    RETURN_IF_ERROR(FreeOffPageParts(core_, &tree));
  }
  for (bool cleared = false; !cleared;) {
    if (core_.stopping.load()) {
      return Status::Cancelled("stopping");
    }
    Mtr mtr(store_.get());
    RETURN_IF_ERROR(mtr.StartWriting());
    Result<bool> step = tree.ClearStep(&mtr, 64);
    if (mtr.has_changes()) {
      mtr.Commit();
    }
    ASSIGN_OR_RETURN(cleared, std::move(step));
  }
  Mtr mtr(store_.get());
  RETURN_IF_ERROR(mtr.StartWriting());
  RETURN_IF_ERROR(core_.dictionary.RemoveDrop(&mtr, drop.page));
  Status dropped = tree.DropRoot(&mtr);
  INVARIANT(dropped.ok());
  mtr.Commit();
  return Status::Ok();
}

// ---------------------------------------------------------------------------------------------
// Replica

Lsn EngineImpl::OldestReadLsn() const {
  return core_.transactions->OldestViewLsn();
}

void EngineImpl::SetReaderHorizon(Lsn horizon) {
  core_.transactions->SetReaderHorizon(horizon);
  core_.history->set_reader_horizon(horizon);
}

// On a reader the dictionary's pages come before the marks of the transactions that committed
// before them in the same piece of log; a view made in between would not see those.
Result<std::vector<std::pair<std::string, std::string>>> EngineImpl::ListSqlEntries(
    std::string_view prefix) {
  ASSIGN_OR_RETURN(auto entries, core_.dictionary.ListSqlEntries(prefix));
  if (store_->is_replica()) {
    MutexLock applied(apply_mutex_);
    if (marks_are_missing_) {
      return Status::Unavailable("this reader has lost the log and will follow it anew");
    }
  }
  return entries;
}

Status EngineImpl::ApplyLog(std::string_view records, Lsn vdl) {
  if (!store_->is_replica()) {
    return Status::InvalidArgument("a writer applies no log");
  }
  MutexLock lock(apply_mutex_);
  Status status = ApplyRecords(records, vdl);
  marks_are_missing_ |= !status.ok();
  return status;
}

Status EngineImpl::ApplyRecords(std::string_view records, Lsn vdl) {
  std::vector<RecordView> views;
  for (std::string_view rest = records; !rest.empty();) {
    ASSIGN_OR_RETURN(RecordView record, ParseRecord(rest));
    rest.remove_prefix(record.length);
    views.push_back(record);
  }
  Status applied = store_->pool()->ApplyLog(views, vdl);
  if (FAULT_POINT("engine.apply_ends_before_marks")) {
    return Status::Cancelled("marks are not applied");
  }
  // Marks come after the pages: a view made in between takes the transactions concerned for
  // unfinished.
  for (const RecordView& record : views) {
    ByteReader body(record.body);
    switch (record.kind) {
      case RecordKind::kTrxBegin: {
        const TrxId id(body.Little<uint64_t>());
        core_.transactions->NoteBegin(id, TrxId(body.Little<uint64_t>()));
        break;
      }
      case RecordKind::kTrxCommit:
      case RecordKind::kTrxRollback:
        core_.transactions->NoteEnd(TrxId(body.Little<uint64_t>()));
        break;
      case RecordKind::kSchemaChange: {
        std::vector<TableId> tables;
        for (uint64_t left = body.Varint(); left > 0 && body.ok(); --left) {
          tables.emplace_back(body.Varint());
        }
        core_.dictionary.Invalidate(tables, vdl);
        break;
      }
      default:
        break;
    }
    if (!body.ok()) {
      return Status::Corruption("mark in the log is malformed");
    }
  }
  core_.transactions->NoteApplied(vdl);
  return applied;
}

Status EngineImpl::RestartReplica(std::string_view active) {
  if (!store_->is_replica()) {
    return Status::InvalidArgument("a writer does not follow");
  }
  MutexLock lock(apply_mutex_);
  core_.transactions->VoidViews();
  store_->pool()->DropAll(store_->reader()->vdl());
  core_.dictionary.InvalidateAll();
  RETURN_IF_ERROR(core_.transactions->LoadUnseen(active));
  marks_are_missing_ = false;
  return Status::Ok();
}

}  // namespace borealis::engine
