// Which transactions' changes a consistent read sees.
//
// A view sees the transactions whose commits were durable when it was made, and its own. It is
// immutable but for its creator's id, which comes with the creator's first change.
//
// INV-TRX-2  A commit that is not durable is not seen (transaction.h).
// INV-TRX-3  Purge removes only what every open view sees as gone: it works on transactions whose
//            commit number is below the low_limit_no of the oldest view.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/types.h"

namespace borealis::engine {

struct ReadView {
  TrxId up_limit;             // every id below is seen
  TrxId low_limit;            // no id from here on is seen
  std::vector<TrxId> unseen;  // ascending, those between that are not seen
  TrxId creator;              // seen; 0 for none
  // Every transaction with a commit number below is seen.
  uint64_t low_limit_no = 0;
  Lsn lsn;  // durable log position when it was made

  bool Sees(TrxId id) const {
    if (id < up_limit || (id == creator && id != TrxId(0))) {
      return true;
    }
    if (id >= low_limit) {
      return false;
    }
    return !std::binary_search(unseen.begin(), unseen.end(), id);
  }
  // Sees everything that a page holds whose highest transaction id is this.
  bool SeesAllUpTo(uint64_t max_trx_id) const { return TrxId(max_trx_id) < up_limit; }
};

}  // namespace borealis::engine
