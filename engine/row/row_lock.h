// Locking one row: explicit locks, and the implicit one of the transaction that wrote it last.
//
// A transaction that changed a row holds it through its id in the row's header. Whoever wants the
// row makes that lock explicit on the holder's behalf and queues behind it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/row/row_version.h"
#include "engine/trx/engine_transaction.h"

namespace borealis::engine {

struct RowLockResult {
  LockOutcome outcome = LockOutcome::kHeld;
  bool exists = false;  // an entry is there (it may be delete-marked)
  RowVersion newest;    // as read under the lock
  bool waited = false;
};

// Locks the row and reads its newest version under the lock. kSkipped (SKIP LOCKED) reads nothing.
// Nothing is locked when there is no entry.
Status LockRow(EngineTransaction& transaction, const Table& table, std::string_view clustered_key,
               LockMode mode, WaitPolicy policy, RowLockResult* result);

}  // namespace borealis::engine
