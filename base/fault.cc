#include "base/fault.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "base/mutex.h"

namespace borealis {

namespace {
struct FaultState {
  Mutex mutex{LockRank::kLeaf};
  std::function<bool(std::string_view)> decide;
  std::function<void(std::string_view)> visit;
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

void FaultRegistry::OnPass(std::function<void(std::string_view)> visit) {
  MutexLock lock(State().mutex);
  watched_.store(visit != nullptr, std::memory_order_relaxed);
  State().visit = std::move(visit);
}

void FaultRegistry::Pass(std::string_view name) {
  std::function<void(std::string_view)> visit;
  {
    MutexLock lock(State().mutex);
    visit = State().visit;
  }
  if (visit) {
    visit(name);
  }
}

void CrashHere(std::string_view name) {
  std::fprintf(stderr, "crash point %.*s\n", static_cast<int>(name.size()), name.data());
  std::fflush(stderr);
  std::raise(SIGKILL);
  std::abort();
}

void ArmCrashPointFromEnvironment(const std::string& id) {
  const char* const directory = std::getenv("BOREALIS_TEST_CRASHES");
  if (directory == nullptr) {
    return;
  }
  const std::string path = std::string(directory) + "/" + id;
  std::string name;
  uint64_t visit = 0;
  if (!(std::ifstream(path) >> name >> visit) || std::remove(path.c_str()) != 0) {
    return;
  }
  FaultRegistry::Instance().Arm([name, left = std::make_shared<uint64_t>(visit)](
                                    std::string_view at) { return at == name && --*left == 0; });
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
