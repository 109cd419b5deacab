// Purge: clears away what no read view can need any more, and frees undo.
//
// Walks each undo stream from its purge position. A log may be taken when its commit number is
// below every open view's limit and its commit LSN is not above the readers' horizon. Every step
// can be repeated, so the position is written back only now and then: after a crash some logs are
// purged again, which changes nothing.
//
//   change record:  entries listed as given up → removed if no version needs them
//                   delete mark → the ghost's index entries, then the ghost, if still that ghost
//                   off-page part of the old version → freed; a flag in the record says so
//
// INV-TRX-3 (read_view.h). One thread.
#pragma once

#include "base/result.h"
#include "engine/core.h"

namespace borealis::engine {

class Purge {
 public:
  explicit Purge(Core* core);
  // One pass over all streams, at most `max_logs` of each; true when something was done.
  Result<bool> Pass(size_t max_logs);

 private:
  Result<bool> PassStream(size_t stream, size_t max_logs);
  Status PurgeRecord(TrxId trx, const UndoRecord& record, const UndoPosition& place);
  Status PurgeGhost(TrxId trx, const Table& table, const UndoRecord& record,
                    const UndoPosition& place);
  Status FreeOldReference(const UndoRecord& record, const UndoPosition& place);

  Core* const core_;
  LockOwner owner_;
  ReadView oldest_;
};

}  // namespace borealis::engine
