// Locks on all of an instance: FLUSH TABLES WITH READ LOCK and LOCK INSTANCE FOR BACKUP.
//
// Each closes gates that work of certain kinds passes, one after the other:
//   changes       a statement that changes rows, from its first table to its end; what LOCK TABLES
//                 has locked for writing; a schema change
//   commits       the commit of what earlier statements have changed
//   definitions   a schema change
// A read lock closes the first two, in this order: a statement that is being waited for may need
// rows of a transaction that is about to commit. A backup lock closes the last.
// Gates are metadata locks: those who pass hold them as kChanging, those who close them share them.
// So many sessions may hold such a lock at once, waits are in the order of asking, and circles are
// found.
//
// INV-TRX-10  Once a read lock is held, every view made by anybody sees the same until it is
//             given back.
#pragma once

#include <cstdint>

namespace borealis::engine {

enum class InstanceLockKind : uint8_t { kRead, kBackup };

// The holder of a backup lock may change schemas itself (SchemaChangeOptions::backup_lock), while
// nobody else holds one. The holder of a read lock may change nothing, which is SQL's business.
class InstanceLock {
 public:
  virtual ~InstanceLock() = default;  // gives it back
  InstanceLock() = default;
  InstanceLock(const InstanceLock&) = delete;
  InstanceLock& operator=(const InstanceLock&) = delete;
};

}  // namespace borealis::engine
