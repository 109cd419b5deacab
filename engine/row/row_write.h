// Parts of changing a row that inserts of several rows share (row_batch.cc).
#pragma once

#include <string_view>

#include "base/result.h"
#include "engine/row.h"
#include "engine/trx/engine_transaction.h"

namespace borealis::engine {

// Puts a row's clustered entry there, alone, waiting for whatever has to be waited for.
// kAlreadyExists fills *duplicate.
Status InsertClusteredRow(EngineTransaction& transaction, const Table& table, std::string_view key,
                          std::string_view row, LockMode duplicate_lock, DuplicateKey* duplicate);

// Ends a change that began at `before`: takes back what a failed one has done; a deadlock victim is
// rolled back entirely.
Status SettleChange(EngineTransaction& transaction, Savepoint before, Status status);

// kInvalidArgument when a key is longer than an index takes.
Status CheckIndexKey(std::string_view key);

}  // namespace borealis::engine
