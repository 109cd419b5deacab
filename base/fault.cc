#include "base/fault.h"

#include "base/mutex.h"

namespace borealis {

namespace {
struct FaultState {
  Mutex mutex{LockRank::kLeaf};
  std::function<bool(std::string_view)> decide;
  std::map<std::string, uint64_t, std::less<>> coverage;
};
FaultState& State() {
  static FaultState state;
  return state;
}
}  // namespace

FaultRegistry& FaultRegistry::Instance() {
  static FaultRegistry registry;
  return registry;
}

void FaultRegistry::Arm(std::function<bool(std::string_view)> decide) {
  MutexLock lock(State().mutex);
  State().decide = std::move(decide);
  armed_.store(true, std::memory_order_relaxed);
}

void FaultRegistry::Disarm() {
  MutexLock lock(State().mutex);
  armed_.store(false, std::memory_order_relaxed);
  State().decide = nullptr;
}

bool FaultRegistry::Fires(std::string_view name) {
  MutexLock lock(State().mutex);
  return State().decide && State().decide(name);
}

void FaultRegistry::Cover(std::string_view name) {
  MutexLock lock(State().mutex);
  auto found = State().coverage.find(name);
  if (found == State().coverage.end()) {
    found = State().coverage.emplace(std::string(name), 0).first;
  }
  ++found->second;
}

std::map<std::string, uint64_t, std::less<>> FaultRegistry::Coverage() const {
  MutexLock lock(State().mutex);
  return State().coverage;
}

void FaultRegistry::ResetCoverage() {
  MutexLock lock(State().mutex);
  State().coverage.clear();
}

}  // namespace borealis
