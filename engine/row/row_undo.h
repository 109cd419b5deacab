// Taking back one change of a row: rollback's unit of work.
#pragma once

#include "base/result.h"
#include "base/types.h"
#include "engine/trx/undo_log.h"
#include "engine/trx/undo_record.h"

namespace borealis::engine {

struct Core;
class LockOwner;

// Undoes the change that `record` (the last of `log`, at `position`) describes and removes the
// record. Index entries go first, then the row together with the record; each step can be repeated,
// so a crash in between does no harm: a row whose roll pointer is not this record is undone
// already. REQUIRES: the transaction `trx` holds the row. `owner`, if set, goes on and has locks on
// entries that vanish given back.
Status UndoChange(Core& core, TrxId trx, LockOwner* owner, const UndoRecord& record,
                  const UndoPosition& position, UndoLog* log);

}  // namespace borealis::engine
