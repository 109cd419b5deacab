// Virtual time: one queue of events, one seed, one trace.
//
// Everything that happens in a simulated run is an event of this queue, and every choice comes from
// its Random, so a seed gives the same run each time; the trace hash proves it.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/random.h"
#include "base/os/time.h"

namespace borealis::sim {

class World {
 public:
  World(uint64_t seed, bool print_trace) : random_(seed), print_trace_(print_trace) {}

  int64_t now_us() const { return now_us_; }
  Random& random() { return random_; }
  bool Chance(double p) { return random_.Chance(p); }
  // Uniform in [low, high].
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random_.Below(static_cast<uint64_t>(high - low + 1)));
  }

  void After(int64_t delay_us, std::function<void()> what);
  // Runs events up to `until_us`; stops early when an oracle failed or `done` says so.
  void RunUntil(int64_t until_us, const std::function<bool()>& done = {});

  // Mixes an event into the trace hash.
  void Note(std::string_view what, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0);
  uint64_t trace_hash() const { return hash_; }
  uint64_t event_count() const { return event_count_; }

  // An oracle's verdict; the first one counts and ends the run.
  void Fail(std::string why);
  bool failed() const { return !failure_.empty(); }
  const std::string& failure() const { return failure_; }

 private:
  struct Event {
    int64_t at_us;
    uint64_t sequence;
    std::function<void()> what;
    bool operator>(const Event& other) const {
      return at_us != other.at_us ? at_us > other.at_us : sequence > other.sequence;
    }
  };

  Random random_;
  const bool print_trace_;
  int64_t now_us_ = 1'000'000;
  uint64_t sequence_ = 0;
  uint64_t event_count_ = 0;
  uint64_t hash_ = 0xcbf29ce484222325;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::string failure_;
};

// A machine's clock: the same monotonic time for all, a wall clock of its own that jumps.
class WorldClock final : public Clock {
 public:
  explicit WorldClock(const World& world) : world_(world) {}
  int64_t NowUs() const override { return world_.now_us(); }
  int64_t WallUs() const override { return 1'700'000'000'000'000 + world_.now_us() + offset_us_; }
  void JumpWall(int64_t by_us) { offset_us_ += by_us; }

 private:
  const World& world_;
  int64_t offset_us_ = 0;
};

}  // namespace borealis::sim
