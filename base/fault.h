// Places where a test can make the impossible happen, and proof that rare paths were walked.
//
//   if (FAULT_POINT("journal.short_write")) …   true when a test or the simulator's seed says so
//   COVER("opener.union_had_hole");             counts that the path was reached
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

  void Cover(std::string_view name);
  // Visits of each COVER since the last reset.
  std::map<std::string, uint64_t, std::less<>> Coverage() const;
  void ResetCoverage();
  void EnableCoverage(bool on) { covering_.store(on, std::memory_order_relaxed); }
  bool covering() const { return covering_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> armed_{false};
  std::atomic<bool> covering_{false};
};

}  // namespace borealis

#define FAULT_POINT(name)                           \
  (::borealis::FaultRegistry::Instance().armed() && \
   ::borealis::FaultRegistry::Instance().Fires(name))

#define COVER(name)                                                \
  do {                                                             \
    auto& fault_registry_ = ::borealis::FaultRegistry::Instance(); \
    if (fault_registry_.covering()) {                              \
      fault_registry_.Cover(name);                                 \
    }                                                              \
  } while (false)
