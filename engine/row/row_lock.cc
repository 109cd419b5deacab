#include "engine/row/row_lock.h"

#include "base/fault.h"

namespace borealis::engine {

Status LockRow(EngineTransaction& transaction, const Table& table, std::string_view clustered_key,
               LockMode mode, WaitPolicy policy, RowLockResult* result) {
  Core& core = transaction.core();
  const IndexId index = table.definition().indexes[kClusteredIndex].id;
  result->waited = false;
  for (;;) {
    ASSIGN_OR_RETURN(result->exists, ReadNewest(table, clustered_key, &result->newest));
    const TrxId writer = result->newest.header.trx;
    if (result->exists && writer == transaction.id() && writer != TrxId(0)) {
      result->outcome = LockOutcome::kHeld;
      return Status::Ok();
    }
    if (result->exists && core.transactions->IsActive(writer)) {
      // Give the writer the lock that it has anyway, then wait for it.
      core.transactions->IfActive(writer, [&](ChangingTransaction& holder) {
        core.locks.GrantImplicit(holder.owner.get(), index, clustered_key);
      });
    }
    ASSIGN_OR_RETURN(result->outcome,
                     core.locks.LockRecord(transaction.owner(), index, clustered_key, mode,
                                           transaction.row_wait(policy)));
    if (result->outcome == LockOutcome::kSkipped) {
      return Status::Ok();
    }
    if (result->outcome == LockOutcome::kWaited) {
      result->waited = true;
    }
    ASSIGN_OR_RETURN(result->exists, ReadNewest(table, clustered_key, &result->newest));
    const TrxId now = result->newest.header.trx;
    if (!result->exists) {
      // Locks belong to rows; the place of a row that is not there is a matter of gap locks.
      core.locks.UnlockRecord(transaction.owner(), index, clustered_key);
      return Status::Ok();
    }
    if (now == transaction.id() || !core.transactions->IsActive(now)) {
      transaction.NoteMet(now);
      return Status::Ok();
    }
    // Written between the look and the lock: by a writer that had dropped its explicit lock for the
    // implied one, or as a new row where a ghost was locked and then purged. Queue behind it.
    COVER("row_lock.writer_slipped_in");
    core.locks.UnlockRecord(transaction.owner(), index, clustered_key);
  }
}

}  // namespace borealis::engine
