// Row locks: shared and exclusive locks on keys of an index, and locks on ranges between keys.
//
// Semantics are InnoDB's, with one difference of method: a gap is locked as a range of key bytes,
// not as "the space before record N". So nothing has to be inherited when records come and go, and
// a scan holds one range however many rows it passes. How wide a range is, is for those who lock
// it: from entry to entry around what was walked (row/cursor_locking.cc).
//
//   record locks   partitioned by hash(index, key); a queue per key (record_queue.h)
//   gap locks      per index, found by the keys that they contain (range_index.h); never conflict
//                  with each other; block inserts into them
//   insert marks   an insert announces its key before it changes the tree and takes the mark back
//                  afterwards. A gap lock that covers a mark waits for it (microseconds), so a scan
//                  that has locked a gap and then looks again sees every insert that was let in.
//                  Marks with the same unique prefix exclude each other, which makes "look for a
//                  duplicate, then insert" one step. A run of inserts announces all keys from its
//                  first to its last.
//
// Who gets a lock that another owner has given back may have to see what that one did: a commit
// lets go of its locks before it is durable, so before views see it. Releases leave an LSN behind,
// by key (hashed) or index, and those who lock against them collect it in LockOwner::met_lsn.
//
// The holder of a mark takes no lock and no other mark. Locks are taken with no page latch held.
//
// INV-LCK-3  Granted record locks of one key are compatible, except while an implicit lock is being
//            made explicit for an owner that had it all along (GrantImplicit).
// INV-LCK-4  While an insert mark stands, no other owner gets a gap lock over its key; while a gap
//            lock stands, no other owner gets an insert mark in it.
// Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "engine/cursor.h"
#include "engine/definition.h"
#include "engine/statistics.h"
#include "engine/trx/range_index.h"
#include "engine/trx/record_queue.h"
#include "engine/trx/wait_graph.h"

namespace borealis::engine {

enum class LockOutcome : uint8_t {
  kHeld,     // the owner had it (or more) before
  kGranted,  // at once
  kWaited,   // after waiting: look again at what is locked
  kSkipped,  // WaitPolicy::kSkip and somebody else has it
};

struct LockWait {
  WaitPolicy policy = WaitPolicy::kWait;
  int64_t timeout_us = 50'000'000;
};

// A range of key bytes, as KeyRange.
struct GapBounds {
  std::string_view lower;
  bool lower_inclusive = true;
  std::string_view upper;
  bool upper_inclusive = false;
  bool no_upper = false;
  // For lists only: `place` is a key's own place, and its end no entry.
  bool exclusive = true;
  bool place = false;
};

class LockTable {
 public:
  explicit LockTable(WaitGraph* graph) : graph_(graph) {}
  ~LockTable();

  // --- records. An owner of kChanging asks for nothing else of that key. Errors: kDeadlock,
  // kTimedOut (kFail: at once), kCancelled.
  Result<LockOutcome> LockRecord(LockOwner* owner, IndexId index, std::string_view key,
                                 LockMode mode, const LockWait& wait);
  // An exclusive lock becomes a shared one; no effect when not held.
  void Downgrade(LockOwner* owner, IndexId index, std::string_view key);
  // Gives one lock back; no effect when not held.
  void UnlockRecord(LockOwner* owner, IndexId index, std::string_view key);
  // The same unless somebody waits for it: the lock is implied by the row from now on.
  void DropImplied(LockOwner* owner, IndexId index, std::string_view key);
  // Whether another owner has a lock of this key or waits for one, and `owner` does not hold it
  // exclusively: then a change of what the key stands for has to wait. May be asked under a latch.
  bool IsContested(const LockOwner* owner, IndexId index, std::string_view key) const;
  // `owner` holds the key exclusively through the row's transaction id: makes that explicit.
  void GrantImplicit(LockOwner* owner, IndexId index, std::string_view key);
  // The same of a row that the owner is about to change back to what others wrote. Waits until
  // nobody else has the key: who was given it after the owner had dropped its lock looks at the row
  // next, and gives the key back as long as the row still names the owner.
  void GrantImplicitAlone(LockOwner* owner, IndexId index, std::string_view key);
  bool HoldsRecord(const LockOwner* owner, IndexId index, std::string_view key,
                   LockMode mode) const;

  // --- gaps
  // Locks a range against inserts of others. Waits only for insert marks. `range_id` is 0 for a new
  // range, or one that this gave before: then that range becomes these bounds (a superset).
  uint64_t LockGap(LockOwner* owner, IndexId index, const GapBounds& bounds, uint64_t range_id);

  // Announces an insert of `key`, waiting for gap locks of others. `unique_size`: length of the
  // prefix that must be unique, 0 for none. Errors as LockRecord. Afterwards EndInsert must follow
  // soon, and nothing that waits for another transaction in between; `key` has to stay until then.
  Status BeginInsert(LockOwner* owner, IndexId index, std::string_view key, size_t unique_size,
                     const LockWait& wait);
  // Announces inserts of keys from `first` to `last`, which have to stay until EndInsert; `unique`:
  // all of each key is. False, and nothing is announced, when another owner has a range of the
  // index locked or inserts among these: then go one by one.
  bool TryBeginInserts(LockOwner* owner, IndexId index, std::string_view first,
                       std::string_view last, bool unique);
  void EndInsert(LockOwner* owner, IndexId index);
  // Whether another owner has a range of the index locked.
  bool OthersLockRanges(const LockOwner* owner, IndexId index) const;

  // At the end of a transaction. `ended_at`: up to where the log has to be durable for others to
  // see all that the owner did and saw; 0 when they do anyway.
  void ReleaseAll(LockOwner* owner, Lsn ended_at = Lsn(0));

  std::vector<LockInfo> List() const;
  uint64_t memory_bytes() const;

 private:
  struct KeyHash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  // The highest ended_at of those who had locks here, of whatever mode, and of another than shared.
  struct Ended {
    Lsn any;
    Lsn not_shared;
  };
  static constexpr size_t kEndedSlots = 64;
  // By index id and key.
  using Queues = std::unordered_map<std::string, RecordQueue, KeyHash, std::equal_to<>>;
  struct Partition {
    mutable Mutex mutex{LockRank::kLockTable};
    std::array<Ended, kEndedSlots> ended GUARDED_BY(mutex);  // by hash of the key
    Queues queues GUARDED_BY(mutex);
    // Queues that nobody is in any more; the next ones take over their memory.
    std::vector<Queues::node_type> spare GUARDED_BY(mutex);
    uint64_t key_bytes GUARDED_BY(mutex) = 0;  // of the keys in queues
    uint32_t awaiting GUARDED_BY(mutex) = 0;   // owners in GrantImplicitAlone
    ConditionVariable released;                // for them
  };
  static constexpr size_t kSpareQueues = 16;
  struct Mark {
    LockOwner* owner = nullptr;
    std::string_view key;  // the inserter's own
    size_t unique_size = 0;
    std::string_view last;  // of a run; otherwise the key

    // Whether an insert of `other`, unique in its first bytes, has to wait for this one.
    bool Excludes(std::string_view other, size_t other_unique_size) const;
    bool Touches(const LockedRange& range) const {
      return !range.StartsAfter(last) && !range.EndsBefore(key);
    }
  };
  struct InsertWaiter {
    LockOwner* owner = nullptr;
    std::string key;
    std::vector<uint64_t> blockers;  // as the wait graph has them
  };
  struct IndexGaps {
    RangeIndex ranges;
    std::unordered_map<uint64_t, const LockedRange*> by_id;
    std::unordered_map<const LockOwner*, std::vector<uint64_t>> ids_of;
    std::vector<Mark> marks;
    std::vector<InsertWaiter> waiters;
    bool HasRangesBesides(const LockOwner* owner) const {
      return ids_of.size() > (ids_of.contains(owner) ? 1 : 0);
    }
    bool empty() const { return ranges.empty() && marks.empty() && waiters.empty(); }
  };
  using GapsByIndex = std::unordered_map<IndexId, IndexGaps>;
  struct GapPartition {
    mutable Mutex mutex{LockRank::kLockTable};
    ConditionVariable marks_changed;
    std::array<Lsn, kEndedSlots> ended GUARDED_BY(mutex);  // by index
    GapsByIndex indexes GUARDED_BY(mutex);
    // Of indexes with nothing in them any more; the next ones take over their memory.
    std::vector<GapsByIndex::node_type> spare GUARDED_BY(mutex);
  };
  static constexpr size_t kSpareGaps = 16;
  static constexpr size_t kPartitions = 64;

  // Index id and key in one piece, in place unless the key is long.
  class FullKey {
   public:
    FullKey(IndexId index, std::string_view key);
    FullKey(const FullKey&) = delete;
    FullKey& operator=(const FullKey&) = delete;
    operator std::string_view() const { return bytes_; }

   private:
    std::array<char, 64> short_;
    std::string long_;
    std::string_view bytes_;
  };
  static Queues::iterator FindQueue(Partition& partition, std::string_view full_key)
      REQUIRES(partition.mutex) {
    return partition.queues.find(full_key);
  }
  // The key's queue; a new one when there is none.
  static Queues::iterator QueueOf(Partition& partition, std::string_view full_key)
      REQUIRES(partition.mutex);
  static void RemoveQueue(Partition& partition, Queues::iterator queue) REQUIRES(partition.mutex);
  Partition& PartitionOf(std::string_view full_key) const;
  GapPartition& GapPartitionOf(IndexId index) const;
  static Ended& EndedAt(Partition& partition, std::string_view full_key) REQUIRES(partition.mutex);
  static Lsn& EndedAt(GapPartition& partition, IndexId index) REQUIRES(partition.mutex);
  static IndexGaps& GapsOf(GapPartition& partition, IndexId index) REQUIRES(partition.mutex);
  static void RemoveGapsIfEmpty(GapPartition& partition, IndexId index) REQUIRES(partition.mutex);
  // `owner` has got the lock.
  static void NoteMet(LockOwner* owner, Lsn ended_at);
  static void NoteMet(LockOwner* owner, const Ended& ended, LockMode mode) {
    NoteMet(owner, mode == LockMode::kShared ? ended.not_shared : ended.any);
  }
  static void NoteHeld(LockOwner* owner, const std::string* full_key);
  static void ForgetHeld(LockOwner* owner, const std::string* full_key);
  // Takes the owner's requests out of the key's queue. REQUIRES: partition locked.
  void Remove(Partition& partition, LockOwner* owner, std::string_view full_key,
              bool only_without_waiters, Lsn ended_at = Lsn(0));
  Result<LockOutcome> AfterWait(Partition& partition, LockOwner* owner, std::string_view full_key,
                                Status waited);
  static std::vector<uint64_t> GapBlockers(const IndexGaps& gaps, const LockOwner* owner,
                                           std::string_view key);
  // A new range, or with an id new bounds for the one that has it.
  const LockedRange* PlaceRange(IndexGaps* gaps, LockedRange range, uint64_t range_id);
  // Lets the insert go on, or tells the graph whom it has to wait for next.
  void UpdateInsert(const IndexGaps& gaps, InsertWaiter* waiter);
  void ReleaseGaps(LockOwner* owner, IndexId index, Lsn ended_at);
  void ListRecords(std::vector<LockInfo>* list) const;
  void ListGaps(std::vector<LockInfo>* list) const;

  WaitGraph* const graph_;
  std::atomic<uint64_t> next_range_id_{1};
  mutable std::array<Partition, kPartitions> partitions_;
  mutable std::array<GapPartition, 16> gap_partitions_;
};

}  // namespace borealis::engine
