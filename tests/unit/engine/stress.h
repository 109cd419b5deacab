// The long form of tests with many threads: BOREALIS_STRESS_SECONDS=300 makes each of them go on
// for so long. Unset, they take the steps that they name.
#pragma once

#include <chrono>
#include <cstdlib>

namespace borealis::engine {

class StressTime {
 public:
  StressTime() {
    const char* const seconds = std::getenv("BOREALIS_STRESS_SECONDS");
    ends_ = std::chrono::steady_clock::now() +
            std::chrono::seconds(seconds != nullptr ? std::atol(seconds) : 0);
  }
  bool GoesOn() const { return std::chrono::steady_clock::now() < ends_; }

 private:
  std::chrono::steady_clock::time_point ends_;
};

}  // namespace borealis::engine
