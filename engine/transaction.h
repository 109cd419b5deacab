// A transaction as SQL sees it: isolation, statements, savepoints, commit and rollback.
//
// InnoDB's behaviour is the specification. Reads of a transaction go through its read view (see
// cursor.h); changes through row.h. A transaction gets its TrxId at its first change; a read-only
// one never touches the volume.
//
//   kIdle --first use--> kActive --Commit()--> kCommitted
//                           |----Rollback(), deadlock victim--> kRolledBack
//
// Thread-safety: one thread at a time, except Interrupt() and the const accessors marked so.
//
// INV-TRX-1  A commit is answered (done called with Ok) only when the volume has made it durable.
// INV-TRX-2  New read views see a commit only once it is durable; locking reads and changes see it
//            as soon as its locks are released.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/types.h"

namespace borealis::engine {

class TableLocks;
class UserLocks;

enum class Isolation : uint8_t {
  kReadUncommitted,
  kReadCommitted,
  kRepeatableRead,
  kSerializable,
};

struct TransactionOptions {
  Isolation isolation = Isolation::kRepeatableRead;
  bool read_only = false;
  // START TRANSACTION WITH CONSISTENT SNAPSHOT: the read view is made at once (REPEATABLE READ).
  bool consistent_snapshot = false;
  // A single autocommitted statement: plain reads need no locks under SERIALIZABLE.
  bool autocommit = false;
  // innodb_lock_wait_timeout; 0 uses the engine's default.
  int64_t lock_wait_timeout_us = 0;
  // lock_wait_timeout for metadata locks; 0 uses the engine's default.
  int64_t metadata_wait_timeout_us = 0;
  // Asked about ten times a second during waits; true makes the wait fail with kCancelled.
  std::function<bool()> killed;
  // LOCK TABLES of the session that is in force; null: none.
  std::shared_ptr<const TableLocks> table_locks;
  // The running statement's text, for reports of deadlocks; asked on the transaction's own thread.
  std::function<std::string()> statement;
  // What the session holds of user-level locks, if it has any to do with them.
  std::shared_ptr<const UserLocks> user_locks;
  // innodb_snapshot_isolation: under REPEATABLE READ a row that has been changed since the read
  // view was made is not locked: the transaction is rolled back as a deadlock's victim.
  bool snapshot_isolation = false;
  // Shown in lists of transactions and locks: the session's connection id.
  uint64_t session_id = 0;
};

// A point inside a transaction's changes; valid until the transaction goes back before it or ends.
struct Savepoint {
  uint64_t undo_count = 0;
};

enum class TransactionState : uint8_t { kIdle, kActive, kCommitted, kRolledBack };

class Transaction {
 public:
  virtual ~Transaction() = default;  // rolls back when still active
  Transaction() = default;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  virtual TransactionState state() const = 0;  // any thread
  virtual TrxId id() const = 0;                // any thread; 0 before the first change
  virtual const TransactionOptions& options() const = 0;
  // Rows changed so far.
  virtual uint64_t change_count() const = 0;  // any thread

  // Starts a statement: under READ COMMITTED the next consistent read makes a new read view. The
  // savepoint undoes this statement alone.
  virtual Savepoint BeginStatement() = 0;
  // The statement has ended, well or not, and its transaction goes on: it does not keep a lock on
  // the instance waiting any more (instance_lock.h).
  virtual void EndStatement() = 0;
  virtual Savepoint SetSavepoint() const = 0;
  // Undoes the changes made after `savepoint`; locks stay. Fails only when the volume does.
  virtual Status RollbackTo(Savepoint savepoint) = 0;

  // Waits until everything that this transaction's locks have met is durable, as a client has to
  // before it is told of it: it could be lost otherwise, or be unknown to the next view of another
  // session (INV-TRX-2). Costs next to nothing when there is nothing new to wait for.
  virtual Status AwaitWhatItMet() = 0;
  // Makes the read view now if there is none (REPEATABLE READ and above).
  virtual Status MakeReadView() = 0;
  // SET TRANSACTION ISOLATION LEVEL between transactions is a new transaction; inside a transaction
  // nothing changes. The timeouts of waits may change at any time.
  virtual void set_wait_timeouts_us(int64_t row_lock_us, int64_t metadata_us) = 0;

  // Before Commit of a transaction of several statements: waits while a lock on the instance keeps
  // commits out. kTimedOut: the transaction goes on as it was; kDeadlock: it is rolled back.
  virtual Status PassToCommit() = 0;
  // Commits, releases the locks, and calls `done` when the commit is durable (INV-TRX-1): at once
  // for a transaction that changed nothing, otherwise possibly from an internal thread, which must
  // not be held up. kFenced or kCancelled: the outcome is decided by the next writer's recovery.
  virtual void Commit(std::function<void(Status)> done) = 0;
  // Commits and blocks until durable.
  virtual Status CommitAndWait() = 0;
  // Undoes everything and releases the locks. Harmless after the end.
  virtual Status Rollback() = 0;

  // Ends it as Rollback does, but leaves much to undo to the background: for a session that ends.
  // The locks on rows stay until that is done.
  virtual void Abandon() = 0;
  // The session has taken its first user-level lock while the transaction is open.
  virtual void Join(std::shared_ptr<const UserLocks> locks) = 0;

  // Makes a wait of this transaction, now or next, fail with kCancelled. Any thread.
  virtual void Interrupt() = 0;
  // Forgets an Interrupt that hit no wait.
  virtual void ClearInterrupt() = 0;

  // Commit LSN once committed with changes: what a reader must have applied to see it.
  virtual Lsn commit_lsn() const = 0;
};

}  // namespace borealis::engine
