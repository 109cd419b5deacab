// The transactions of a writer: ids, who is active, who has committed but is not durable yet, and
// the read views that are open. On a replica: the same sets as the writer's log tells them.
//
// Transaction ids and commit numbers come from one counter. Its persistent bound (a slot of the
// volume header) is raised in steps ahead of it, so a crash skips numbers and never repeats one.
//
//   id in:   active_           unseen_
//   first change   +              +
//   commit record in the log  −
//   commit durable                −        (in LSN order, whenever a view is made)
//   rolled back    −              − (when durable)
//
// A replica learns ids from begin marks, which come in another order than the ids: an id that it
// has passed over counts as unseen until a begin mark says that it will not begin any more.
//
// INV-TRX-4  active ⊆ unseen; ids leave unseen in commit-LSN order, in whatever order the volume
//            answers their commits: a view that sees a transaction sees all whose changes that one
//            can have met.
// INV-TRX-5  Row locks are released after the id has left active_: whoever then gets the lock finds
//            the row committed, and its own commit record comes later in the log.
// INV-TRX-6  OldestView is no younger than any view of a reader instance: rollback and purge leave
//            what readers need, too.
// INV-TRX-7  A replica's view sees every transaction that ended at or below its lsn, so that the
//            horizon it reports protects all undo it may follow; a view from before the replica
//            lost the stream, whose undo nobody kept, is void.
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "engine/store/store.h"
#include "engine/trx/read_view.h"
#include "engine/trx/undo_log.h"
#include "engine/trx/wait_graph.h"

namespace borealis::engine {

// What a transaction with changes needs to be known by others, and to be undone by anyone: its
// locks and its undo log. Outlives the session's Transaction when that could not undo it.
struct ChangingTransaction {
  explicit ChangingTransaction(std::shared_ptr<LockOwner> lock_owner)
      : owner(std::move(lock_owner)) {}
  TrxId id;
  std::shared_ptr<LockOwner> owner;
  UndoLog log;
  bool recovered = false;
  std::atomic<bool> orphaned{false};  // to be undone by the background
  std::atomic<uint64_t> undone{0};    // changes that the background has undone so far
  int64_t started_wall_us = 0;
};

class TransactionSystem {
 public:
  static constexpr int kNumberSlot = 1;  // slot of the volume header: bound of the counter

  explicit TransactionSystem(Store* store) : store_(store) {}

  // Writer: numbers go on from the persistent bound.
  Status Load();
  // Takes over an unfinished transaction that recovery found.
  void Adopt(std::shared_ptr<ChangingTransaction> transaction);

  // Makes sure numbers can be given out; may write. Call with no latch held.
  Status EnsureNumbers();
  // Gives an id; from now on the transaction is active. REQUIRES: EnsureNumbers just before.
  void Activate(const std::shared_ptr<ChangingTransaction>& transaction);
  // A transaction's end is about to be written to the log; LeaveActive follows, or AbandonEnd. A
  // commit gets its number.
  uint64_t BeginCommit(TrxId id);
  void BeginRollbackMark(TrxId id);
  void AbandonEnd(TrxId id, uint64_t commit_no);
  // A number for anything else that must be unique and ascending. REQUIRES: EnsureNumbers.
  uint64_t TakeNumber();
  // Returns when a transaction has ended, or after `timeout_us`.
  void WaitForEnd(int64_t timeout_us);
  // No transaction below this id will write a begin mark from now on.
  TrxId BeginFloor() const { return TrxId(begin_floor_.load()); }
  // Its begin mark is in the log.
  void NoteBegun(TrxId id);
  // Its commit record is in the log, at `lsn`.
  void LeaveActive(TrxId id, Lsn commit_lsn);
  void BecomeDurable(TrxId id, uint64_t commit_no);
  // Of a transaction rolled back: its end is durable (a replica that starts counts on it).
  void BecomeDurable(TrxId id) { BecomeDurable(id, 0); }

  // --- implicit locks
  bool IsActive(TrxId id) const;
  // Calls `visit` while the transaction is sure to stay active; false when it is not.
  bool IfActive(TrxId id, const std::function<void(ChangingTransaction&)>& visit) const;
  // The LSN that must be durable for views to see `id`: Lsn(0) when they do already or it is
  // active.
  Lsn PendingCommitLsn(TrxId id) const;
  // The same for all transactions that have ended.
  Lsn LatestPendingCommitLsn() const;
  // All transactions below it have ended, and all views made from now on see them.
  TrxId SettledLimit() const;

  // The LSN at which the last of those that have ended, and views do not see yet, ended; Lsn(0)
  // when there is none.
  Lsn LastEndLsn() const;

  // --- views
  // The view is the caller's until CloseView.
  const ReadView* OpenView();
  void CloseView(const ReadView* view);
  // As the oldest open view, here or on a reader instance, or one made now.
  ReadView OldestView();
  // Least LSN of the open views; Lsn::Max() when there is none.
  Lsn OldestViewLsn() const;
  // Readers use nothing older than `horizon`; Lsn::Max() without readers. From the first call on
  // the present is kept for them.
  void SetReaderHorizon(Lsn horizon);
  // Replica: the views made so far are of no use any more.
  void VoidViews();
  bool IsVoid(const ReadView& view) const { return view.made <= void_.load(); }

  // --- orphans
  void Orphan(const std::shared_ptr<ChangingTransaction>& transaction);
  std::shared_ptr<ChangingTransaction> TakeOrphan();
  bool HasOrphans() const;
  // Returns when there may be an orphan, or after `timeout_us`.
  void WaitForOrphan(int64_t timeout_us);
  void WakeOrphanWaiter();

  std::vector<std::shared_ptr<ChangingTransaction>> ListActive() const;
  uint64_t next_number() const;
  uint64_t memory_bytes() const;

  // --- replica
  // Unfinished transactions as of a consistency point: what a replica starts from.
  std::string EncodeUnseen(Lsn* at);
  Status LoadUnseen(std::string_view encoded);
  // A begin mark. Ids between the last one known and this one may begin later; those below
  // `floor` will not any more.
  void NoteBegin(TrxId id, TrxId floor);
  // Of a commit or rollback mark at or under the replica's point.
  void NoteEnd(TrxId id);
  // All marks at or below `lsn` have been noted.
  void NoteApplied(Lsn lsn);

 private:
  struct OpenedView : ReadView {
    std::list<OpenedView>::iterator place;
  };
  static constexpr size_t kSpareViews = 64;

  void MakeView(ReadView* view) REQUIRES(mutex_);
  ReadView MakeView() REQUIRES(mutex_);
  // What has ended at or below `durable` leaves unseen_.
  void SeeUpTo(Lsn durable) REQUIRES(mutex_);
  void UpdateLeast() REQUIRES(mutex_);

  static constexpr uint64_t kStep = 4096;
  static constexpr uint64_t kReserve = 1024;  // more than threads that can be between the two calls

  Store* const store_;
  Mutex bound_mutex_{LockRank::kDictionaryCache};
  std::atomic<uint64_t> bound_{0};
  std::atomic<uint64_t> next_{1};
  std::atomic<uint64_t> least_active_{~uint64_t{0}};
  std::atomic<uint64_t> least_unseen_{~uint64_t{0}};
  std::atomic<uint64_t> begin_floor_{0};
  mutable Mutex mutex_{LockRank::kTransactions};
  // Every transaction comes and goes in most of these: their nodes are used again.
  std::pmr::unsynchronized_pool_resource nodes_ GUARDED_BY(mutex_);
  std::pmr::map<TrxId, std::shared_ptr<ChangingTransaction>> active_ GUARDED_BY(mutex_){&nodes_};
  // Commit LSN, Lsn(0) while active.
  std::pmr::map<TrxId, Lsn> unseen_ GUARDED_BY(mutex_){&nodes_};
  // Members of unseen_ that have ended.
  std::pmr::map<Lsn, TrxId> ended_at_ GUARDED_BY(mutex_){&nodes_};
  // Active, but the end may be in the log already.
  std::pmr::set<TrxId> ending_ GUARDED_BY(mutex_){&nodes_};
  // Active, and no begin mark in the log.
  std::pmr::set<TrxId> not_begun_ GUARDED_BY(mutex_){&nodes_};
  // Replica: members of unseen_ that have not begun.
  std::pmr::set<TrxId> gaps_ GUARDED_BY(mutex_){&nodes_};
  // Of commits that are not durable.
  std::pmr::set<uint64_t> pending_numbers_ GUARDED_BY(mutex_){&nodes_};
  std::list<OpenedView> views_ GUARDED_BY(mutex_);        // oldest first
  std::list<OpenedView> spare_views_ GUARDED_BY(mutex_);  // closed; for the next ones
  uint64_t views_made_ GUARDED_BY(mutex_) = 0;
  std::atomic<uint64_t> void_{0};  // views made up to this one are void
  // A view that no reader's view is older than, and one to follow it once readers have come past.
  std::optional<ReadView> reader_view_ GUARDED_BY(mutex_);
  std::optional<ReadView> next_reader_view_ GUARDED_BY(mutex_);
  Lsn noted_ GUARDED_BY(mutex_);  // replica: the marks up to here have been noted
  std::deque<std::shared_ptr<ChangingTransaction>> orphans_ GUARDED_BY(mutex_);
  ConditionVariable ended_;
  ConditionVariable orphaned_;
};

}  // namespace borealis::engine
