// One simulated life of a cluster: six to twelve nodes, writers that come and go, a reader, a
// volume that grows, seats that change hands (by control's repair planner in one half of the seeds,
// by random orders in the other), faults; then calm in which it has to prove that it is alive, that
// nothing was lost, that every succession ends, that control has nothing left to repair, and that
// all copies agree. tests/sim/README.md lists faults, proofs and what they have caught.
#pragma once

#include <cstdint>
#include <string>

namespace borealis::sim {

struct RunOptions {
  uint64_t seed = 1;
  bool print_trace = false;
};

struct RunResult {
  std::string failure;  // empty when every oracle was content
  uint64_t trace_hash = 0;
  uint64_t events = 0;
  uint64_t records = 0;
  uint64_t pages_checked = 0;
  uint64_t openings = 0;
  uint64_t seats_moved = 0;
  bool has_control = false;  // and not random orders
  bool has_race = false;     // of openers
  int64_t virtual_us = 0;
};

RunResult RunScenario(const RunOptions& options);

}  // namespace borealis::sim
