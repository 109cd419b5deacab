// Places where a test can make the impossible happen, and proof that rare paths were walked.
//
//   if (FAULT_POINT("journal.short_write")) …   true when a test or the simulator's seed says so
//   COVER("opener.union_had_hole");             counts that the path was reached
//   CRASH_POINT("btree.split");                 the process dies here when that is asked for
//   RACE_POINT("row_lock.row_seen");            a test has others take their steps here
//
// Names are "subject.event", unique in the tree. Nothing is armed in production: an unarmed point
// costs one relaxed load of a global. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace borealis {

class FaultRegistry {
 public:
  static FaultRegistry& Instance();

  // `decide` is asked at each visit of an armed run whether the named point fires.
  void Arm(std::function<bool(std::string_view name)> decide);
  void Disarm();
  bool armed() const { return armed_.load(std::memory_order_relaxed); }
  bool Fires(std::string_view name);

  // `visit` is called at each RACE_POINT, on the thread that passes it and with no mutex held;
  // null: no more. REQUIRES: nobody passes one meanwhile.
  void OnPass(std::function<void(std::string_view name)> visit);
  bool watched() const { return watched_.load(std::memory_order_relaxed); }
  void Pass(std::string_view name);

  void Cover(std::string_view name);
  // Visits of each COVER since the last reset.
  std::map<std::string, uint64_t, std::less<>> Coverage() const;
  void ResetCoverage();
  void EnableCoverage(bool on) { covering_.store(on, std::memory_order_relaxed); }
  bool covering() const { return covering_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> armed_{false};
  std::atomic<bool> watched_{false};
  std::atomic<bool> covering_{false};
};

// kill -9 of this process by itself.
[[noreturn]] void CrashHere(std::string_view name);
// For drills with real processes: arms the one crash point that the file `id` in the directory
// $BOREALIS_TEST_CRASHES names ("NAME VISIT": at which visit from now on), and removes the file.
// Without the variable or the file nothing happens.
void ArmCrashPointFromEnvironment(const std::string& id);

}  // namespace borealis

#define FAULT_POINT(name)                           \
  (::borealis::FaultRegistry::Instance().armed() && \
   ::borealis::FaultRegistry::Instance().Fires(name))

#define CRASH_POINT(name)          \
  do {                             \
    if (FAULT_POINT(name)) {       \
      ::borealis::CrashHere(name); \
    }                              \
  } while (false)

#define RACE_POINT(name)                                   \
  do {                                                     \
    if (::borealis::FaultRegistry::Instance().watched()) { \
      ::borealis::FaultRegistry::Instance().Pass(name);    \
    }                                                      \
  } while (false)

#define COVER(name)                                                \
  do {                                                             \
    auto& fault_registry_ = ::borealis::FaultRegistry::Instance(); \
    if (fault_registry_.covering()) {                              \
      fault_registry_.Cover(name);                                 \
    }                                                              \
  } while (false)
