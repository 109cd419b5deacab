// The engine's InstanceLock, and how work passes the gates that it closes.
#pragma once

#include <memory>
#include <span>

#include "base/result.h"
#include "engine/core.h"
#include "engine/instance_lock.h"
#include "engine/schema_change.h"

namespace borealis::engine {

// Under which the gates are among the metadata locks.
inline constexpr IndexId kInstanceGateIndex{2};

enum class InstanceGate : char { kChanges = 'w', kCommits = 'c', kDefinitions = 'd' };

// For as long as `owner` holds it (LeaveGate, or the release of all its metadata locks).
Status PassGate(Core* core, LockOwner* owner, InstanceGate gate, int64_t timeout_us);
void LeaveGate(Core* core, LockOwner* owner, InstanceGate gate);
// Of a key under kInstanceGateIndex.
InstanceGate GateOfKey(std::string_view key);

class HeldInstanceLock final : public InstanceLock {
 public:
  static Result<std::shared_ptr<InstanceLock>> Take(Core* core, InstanceLockKind kind,
                                                    const SchemaChangeOptions& how);
  ~HeldInstanceLock() override;

  // Around the holder's own passing of the gate that a backup lock closes: waits until nobody else
  // holds such a lock, and lets nobody take one until EndOwn. Errors: nothing has begun.
  Status BeginOwn();
  void EndOwn();

 private:
  HeldInstanceLock(Core* core, InstanceLockKind kind, const SchemaChangeOptions& how);

  Core* const core_;
  const InstanceLockKind kind_;
  const int64_t timeout_us_;
  LockOwner owner_;
};

}  // namespace borealis::engine
