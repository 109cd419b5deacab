// One simulated life of a cluster: six to twelve nodes, writers that come and go, a reader, a
// volume that grows, seats that change hands, faults; then calm in which it has to prove that it is
// alive, that nothing was lost, that every succession ends, and that all copies agree.
//
// Faults of a seed: nodes crash (losing or tearing what was not flushed), hang, run slow, lose
// their disk or single bits of it (one node at a time: more is more than the design bears); writes
// and flushes fail; links are cut one way or both, AZs isolated; frames are lost, repeated,
// delayed, reordered, damaged; writers crash, and several open the volume at once, sometimes with
// one epoch; wall clocks jump.
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
  int64_t virtual_us = 0;
};

RunResult RunScenario(const RunOptions& options);

}  // namespace borealis::sim
