// Changing rows: insert, update, delete, as parts of a transaction.
//
// Each call is atomic against crashes only with its transaction: a call that fails may have done
// part of its work; the caller undoes the statement with Transaction::RollbackTo. Duplicate checks
// wait for the transaction that holds the other row. All refuse a read-only transaction with
// kInvalidArgument.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/table.h"

namespace borealis::engine {

class Transaction;

// Which unique key was in the way.
struct DuplicateKey {
  size_t index_no = 0;
  std::string clustered_key;  // of the row that has it
};

// kAlreadyExists fills *duplicate: nothing was changed in the clustered index then, or it has been
// undone; the other row is locked (shared; exclusively when `lock_duplicate_exclusive`, which
// REPLACE and ON DUPLICATE KEY UPDATE want).
struct WriteOptions {
  bool lock_duplicate_exclusive = false;
};
Status Insert(Transaction& transaction, const Table& table, std::string_view row,
              DuplicateKey* duplicate, WriteOptions options = {});

// Replaces the row with this clustered key, locking it first when it is not yet. The clustered key
// may change with the row. kNotFound when there is no such row (any more). kAlreadyExists as above.
Status Update(Transaction& transaction, const Table& table, std::string_view clustered_key,
              std::string_view new_row, DuplicateKey* duplicate, WriteOptions options = {});

// kNotFound when there is no such row (any more).
Status Delete(Transaction& transaction, const Table& table, std::string_view clustered_key);

}  // namespace borealis::engine
