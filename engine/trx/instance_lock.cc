#include "engine/trx/instance_lock.h"

#include <string>

#include "base/invariant.h"

namespace borealis::engine {

namespace {

// A gate has several keys, so that those who pass it do not all meet at one; who closes it takes
// all of them.
constexpr uint64_t kLanes = 16;

std::string GateKey(InstanceGate gate, uint64_t lane) {
  return {static_cast<char>(gate), static_cast<char>(lane)};
}

std::string LaneOf(const LockOwner& owner, InstanceGate gate) {
  return GateKey(gate, owner.id % kLanes);
}

std::span<const InstanceGate> GatesOf(InstanceLockKind kind) {
  static constexpr InstanceGate kRead[] = {InstanceGate::kChanges, InstanceGate::kCommits};
  static constexpr InstanceGate kBackup[] = {InstanceGate::kDefinitions};
  return kind == InstanceLockKind::kRead ? std::span<const InstanceGate>(kRead) : kBackup;
}

LockWait WaitFor(int64_t timeout_us) {
  LockWait wait;
  wait.timeout_us = timeout_us;
  return wait;
}

}  // namespace

Status PassGate(Core* core, LockOwner* owner, InstanceGate gate, int64_t timeout_us) {
  return core->metadata
      .LockRecord(owner, kInstanceGateIndex, LaneOf(*owner, gate), LockMode::kChanging,
                  WaitFor(timeout_us))
      .status();
}

void LeaveGate(Core* core, LockOwner* owner, InstanceGate gate) {
  core->metadata.UnlockRecord(owner, kInstanceGateIndex, LaneOf(*owner, gate));
}

InstanceGate GateOfKey(std::string_view key) {
  INVARIANT(!key.empty());
  return static_cast<InstanceGate>(key.front());
}

HeldInstanceLock::HeldInstanceLock(Core* core, InstanceLockKind kind,
                                   const SchemaChangeOptions& how)
    : core_(core),
      kind_(kind),
      timeout_us_(how.metadata_wait_timeout_us > 0 ? how.metadata_wait_timeout_us
                                                   : core->options.metadata_wait_timeout_us),
      owner_(core->next_owner.fetch_add(1), how.session_id, how.killed) {
  owner_.weight.store(LockOwner::kSpared);
}

HeldInstanceLock::~HeldInstanceLock() {
  core_->metadata.ReleaseAll(&owner_);
}

Result<std::shared_ptr<InstanceLock>> HeldInstanceLock::Take(Core* core, InstanceLockKind kind,
                                                             const SchemaChangeOptions& how) {
  std::shared_ptr<HeldInstanceLock> lock(new HeldInstanceLock(core, kind, how));
  for (const InstanceGate gate : GatesOf(kind)) {
    for (uint64_t lane = 0; lane < kLanes; ++lane) {
      RETURN_IF_ERROR(core->metadata
                          .LockRecord(&lock->owner_, kInstanceGateIndex, GateKey(gate, lane),
                                      LockMode::kShared, WaitFor(lock->timeout_us_))
                          .status());
    }
  }
  // Those who have passed let go before what they did is seen (INV-TRX-8, INV-TRX-10).
  if (const Lsn met(lock->owner_.met_lsn.load()); met != Lsn(0)) {
    RETURN_IF_ERROR(core->store->volume()->WaitDurable(met));
  }
  return std::shared_ptr<InstanceLock>(std::move(lock));
}

Status HeldInstanceLock::BeginOwn() {
  INVARIANT(kind_ == InstanceLockKind::kBackup);
  for (uint64_t lane = 0; lane < kLanes; ++lane) {
    Status upgraded =
        core_->metadata
            .LockRecord(&owner_, kInstanceGateIndex, GateKey(InstanceGate::kDefinitions, lane),
                        LockMode::kExclusive, WaitFor(timeout_us_))
            .status();
    if (!upgraded.ok()) {
      EndOwn();
      return upgraded;
    }
  }
  return Status::Ok();
}

void HeldInstanceLock::EndOwn() {
  for (uint64_t lane = 0; lane < kLanes; ++lane) {
    core_->metadata.Downgrade(&owner_, kInstanceGateIndex,
                              GateKey(InstanceGate::kDefinitions, lane));
  }
}

}  // namespace borealis::engine
