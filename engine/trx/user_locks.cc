#include "engine/trx/user_locks.h"

namespace borealis::engine {

uint64_t HolderOfUserLock(const Core& core, std::string_view name) {
  for (const LockInfo& lock : core.metadata.List()) {
    if (lock.index == kUserLockIndex && lock.granted && lock.key == name) {
      return lock.session_id;
    }
  }
  return 0;
}

HeldUserLocks::HeldUserLocks(Core* core, uint64_t session_id, std::function<bool()> killed)
    : core_(core), owner_(core->next_owner.fetch_add(1), session_id, std::move(killed)) {
  core_->graph.Join(owner_.id, owner_.id);
}

HeldUserLocks::~HeldUserLocks() {
  UnlockAll();
  core_->graph.Leave(owner_.id);
}

Status HeldUserLocks::Lock(std::string_view name, int64_t timeout_us) {
  if (const auto held = held_.find(name); held != held_.end()) {
    ++held->second;
    return Status::Ok();
  }
  LockWait wait;
  wait.policy = timeout_us > 0 ? WaitPolicy::kWait : WaitPolicy::kFail;
  wait.timeout_us = timeout_us;
  RETURN_IF_ERROR(
      core_->metadata.LockRecord(&owner_, kUserLockIndex, name, LockMode::kExclusive, wait)
          .status());
  held_.emplace(name, 1);
  return Status::Ok();
}

UserLocks::Release HeldUserLocks::Unlock(std::string_view name) {
  const auto held = held_.find(name);
  if (held == held_.end()) {
    return HolderOfUserLock(*core_, name) != 0 ? Release::kNotOurs : Release::kNobodys;
  }
  if (--held->second == 0) {
    core_->metadata.UnlockRecord(&owner_, kUserLockIndex, name);
    held_.erase(held);
  }
  return Release::kDone;
}

uint64_t HeldUserLocks::UnlockAll() {
  uint64_t count = 0;
  for (const auto& [name, times] : held_) {
    count += times;
    core_->metadata.UnlockRecord(&owner_, kUserLockIndex, name);
  }
  held_.clear();
  return count;
}

}  // namespace borealis::engine
