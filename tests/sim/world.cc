#include "tests/sim/world.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/invariant.h"

namespace borealis::sim {

void World::After(int64_t delay_us, std::function<void()> what) {
  INVARIANT_GE(delay_us, 0);
  events_.push({now_us_ + delay_us, ++sequence_, std::move(what)});
}

void World::RunUntil(int64_t until_us, const std::function<bool()>& done) {
  while (!failed() && !events_.empty() && events_.top().at_us <= until_us) {
    if (done && done()) {
      return;
    }
    // The queue hands out const references only; the event is popped before anything looks again.
    Event event = std::move(const_cast<Event&>(events_.top()));
    events_.pop();
    now_us_ = event.at_us;
    ++event_count_;
    event.what();
  }
  if (!failed()) {
    now_us_ = std::max(now_us_, until_us);
  }
}

void World::Note(std::string_view what, uint64_t a, uint64_t b, uint64_t c) {
  const auto mix = [this](uint64_t value) {
    hash_ = (hash_ ^ value) * 0x100000001b3;
    hash_ ^= hash_ >> 29;
  };
  mix(static_cast<uint64_t>(now_us_));
  for (char byte : what) {
    mix(static_cast<uint8_t>(byte));
  }
  mix(a);
  mix(b);
  mix(c);
  if (print_trace_) {
    fmt::print("{:>10.6f} {} {} {} {}\n", static_cast<double>(now_us_) / 1e6, what, a, b, c);
  }
}

void World::Fail(std::string why) {
  if (failure_.empty()) {
    failure_ = fmt::format("at {:.6f} s: {}", static_cast<double>(now_us_) / 1e6, why);
  }
}

}  // namespace borealis::sim
