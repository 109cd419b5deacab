// Which transactions' changes a consistent read sees.
//
// A view sees the transactions whose commits were durable when it was made. It is immutable; that a
// transaction sees its own changes, too, is Snapshot's business.
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
  // Every transaction with a commit number below is seen.
  uint64_t low_limit_no = 0;
  Lsn lsn;            // durable log position when it was made
  uint64_t made = 0;  // views of one engine in the order in which they were made

  bool Sees(TrxId id) const {
    if (id < up_limit) {
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

// What a consistent read goes by: a view (none: READ UNCOMMITTED, the newest version counts) and
// the id of the transaction that reads.
struct Snapshot {
  const ReadView* view = nullptr;
  TrxId self;

  bool Sees(TrxId id) const {
    return view == nullptr || view->Sees(id) || (id == self && id != TrxId(0));
  }
};

}  // namespace borealis::engine
