// The engine's UserLocks: an owner of metadata locks that is no transaction.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "engine/core.h"
#include "engine/user_locks.h"

namespace borealis::engine {

// Under which the names are locked among the metadata locks; tables are under 0.
inline constexpr IndexId kUserLockIndex{1};

// The session that holds the name; 0: nobody. Looks through the metadata locks: whoever was granted
// a lock holds it before its thread knows.
uint64_t HolderOfUserLock(const Core& core, std::string_view name);

class HeldUserLocks final : public UserLocks {
 public:
  HeldUserLocks(Core* core, uint64_t session_id, std::function<bool()> killed);
  ~HeldUserLocks() override;

  Status Lock(std::string_view name, int64_t timeout_us) override;
  Release Unlock(std::string_view name) override;
  uint64_t UnlockAll() override;
  uint64_t party() const override { return owner_.id; }

 private:
  Core* const core_;
  LockOwner owner_;
  std::map<std::string, uint64_t, std::less<>> held_;  // and how many times
};

}  // namespace borealis::engine
