// sim: runs simulated clusters from seeds.
//
//   sim --seed N [--trace]            one seed, with its events
//   sim --seeds 500 [--first 1]       a range, on all cores; a failing seed is named with its
//                                     replay
//   sim --seeds 10 --twice            each of them twice, in two processes: the traces must be
//   equal,
//                                     and the seeds must cover a race of openers, a seat that moves
//                                     and control's planner
//   sim --seeds 500 --stop            no further than the first seed that fails
//
// Every worker is a process of its own, so that an INVARIANT that aborts is reported with its seed
// like any other failure.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/fault.h"
#include "base/obs/log.h"
#include "base/os/time.h"
#include "tests/sim/scenario.h"

namespace borealis::sim {
namespace {

struct Options {
  uint64_t first = 1;
  uint64_t seeds = 1;
  unsigned jobs = 0;
  bool print_trace = false;
  bool twice = false;
  bool stop = false;
  bool hash_only = false;
  bool coverage = true;
};

// Rare paths that the default seeds are expected to walk; those that none walked are named.
constexpr std::string_view kExpected[] = {"client.fenced",
                                          "client.fenced_by_few",
                                          "client.node_joined_late",
                                          "journal.damage_before_good_batch",
                                          "keeper.changes_gathered",
                                          "keeper.node_did_not_know_its_seat",
                                          "merge.edits_do_not_apply",
                                          "node.annulled_by_gossip",
                                          "node.append_fenced",
                                          "node.append_not_a_member",
                                          "node.copy_abandoned",
                                          "node.copy_peer_replaced",
                                          "node.copy_piece_refused",
                                          "node.crowded",
                                          "node.damaged_layer",
                                          "node.failed_flush",
                                          "node.fenced_while_flushing",
                                          "node.fetch_collected",
                                          "node.fetched_records",
                                          "node.geometry_fenced",
                                          "node.geometry_told_by_gossip",
                                          "node.layer_work_failed",
                                          "node.read_collected",
                                          "node.salvage",
                                          "node.scrub_found_a_bad_journal_file",
                                          "node.scrub_found_a_bad_layer",
                                          "node.seal_fenced",
                                          "node.segment_copied",
                                          "node.segment_dropped",
                                          "node.void_record_refused",
                                          "opener.fenced",
                                          "opener.had_to_replicate",
                                          "opener.half_a_mini_transaction_at_the_end",
                                          "opener.lists_differ",
                                          "opener.pushed_records",
                                          "opener.raised_its_epoch",
                                          "opener.union_had_hole",
                                          "opener.void_record_in_tail",
                                          "opener.walk_jumped_annulled",
                                          "reads.answered_below_needed_scl",
                                          "reads.asked_blindly",
                                          "reads.damaged_image",
                                          "reads.hedged",
                                          "seats.finished",
                                          "segment.chain_passed_void_record",
                                          "segment.later_epoch_cuts_chain",
                                          "shipper.append_timed_out",
                                          "shipper.gave_up_on_slow_node",
                                          "shipper.scl_went_back",
                                          "shipper.waits_for_a_group",
                                          "sim.no_room",
                                          "sim.node_replaced",
                                          "sim.restarted_broken_node",
                                          "sim.split_opening",
                                          "tracker.answer_of_a_former_member",
                                          "tracker.scl_beyond_the_log",
                                          "tracker.segment_lost_log"};

// What workers tell their parent, in shared memory.
struct WorkerState {
  uint64_t seed;
  uint64_t done;
  uint64_t failed;
  uint64_t events;
  uint64_t records;
  uint64_t pages_checked;
  uint64_t openings;
  uint64_t seats_moved;
  uint64_t with_control;
  uint64_t with_race;
  uint64_t lowest_failed;  // seed; kNone
  int64_t virtual_us;
};
constexpr uint64_t kNone = UINT64_MAX;

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const auto number = [&]() -> uint64_t {
      return i + 1 < argc ? std::strtoull(argv[++i], nullptr, 10) : 0;
    };
    if (name == "--seed") {
      options.first = number();
      options.seeds = 1;
    } else if (name == "--seeds") {
      options.seeds = number();
    } else if (name == "--first") {
      options.first = number();
    } else if (name == "--jobs") {
      options.jobs = static_cast<unsigned>(number());
    } else if (name == "--trace") {
      options.print_trace = true;
    } else if (name == "--twice") {
      options.twice = true;
    } else if (name == "--stop") {
      options.stop = true;
    } else if (name == "--hash") {
      options.hash_only = true;
    } else if (name == "--no-coverage") {
      options.coverage = false;
    } else {
      fmt::print(stderr,
                 "usage: sim [--seed N [--trace]] [--seeds N] [--first N] [--twice] [--stop] "
                 "[--jobs N] [--no-coverage]\n");
      std::exit(2);
    }
  }
  if (options.jobs == 0) {
    options.jobs = std::max(1U, std::thread::hardware_concurrency());
  }
  return options;
}

void ReportFailure(uint64_t seed, const std::string& what) {
  fmt::print("seed {}: {}\n  replay: sim --seed {} --trace\n", seed, what, seed);
  std::fflush(stdout);
}

std::string TraceOf(const RunResult& result) {
  return fmt::format("{:016x} {}", result.trace_hash, result.events);
}

// As another process of this program sees the seed.
std::string TraceInAnotherProcess(uint64_t seed) {
  char path[4096] = {};
  if (readlink("/proc/self/exe", path, sizeof path - 1) <= 0) {
    return "no path";
  }
  FILE* pipe = popen(fmt::format("'{}' --seed {} --hash", path, seed).c_str(), "r");
  char line[128] = {};
  const bool has_line = pipe != nullptr && std::fgets(line, sizeof line, pipe) != nullptr;
  const bool ended_well = pipe != nullptr && pclose(pipe) == 0;
  return has_line && ended_well ? std::string(line, std::strcspn(line, "\n")) : "no answer";
}

void NoteFailed(WorkerState* state) {
  ++state->failed;
  state->lowest_failed = std::min(state->lowest_failed, state->seed);
}

// Whether another worker has found a lower seed that fails, and that is enough.
bool MayStop(const Options& options, const WorkerState* states, uint64_t seed) {
  return options.stop && std::any_of(states, states + options.jobs, [&](const WorkerState& state) {
           return state.lowest_failed < seed;
         });
}

// Seeds first + worker, first + worker + jobs, …
void Work(const Options& options, unsigned worker, WorkerState* states, FILE* coverage) {
  WorkerState* state = &states[worker];
  FaultRegistry::Instance().EnableCoverage(options.coverage);
  while (state->seed < options.first + options.seeds && !MayStop(options, states, state->seed)) {
    const RunResult result = RunScenario({state->seed, options.print_trace});
    state->events += result.events;
    state->records += result.records;
    state->pages_checked += result.pages_checked;
    state->openings += result.openings;
    state->seats_moved += result.seats_moved;
    state->virtual_us += result.virtual_us;
    state->with_control += result.has_control && result.seats_moved > 0 ? 1 : 0;
    state->with_race += result.has_race ? 1 : 0;
    if (!result.failure.empty()) {
      ReportFailure(state->seed, result.failure);
      NoteFailed(state);
    } else if (options.twice) {
      const std::string again = TraceInAnotherProcess(state->seed);
      if (again != TraceOf(result)) {
        ReportFailure(state->seed, fmt::format("two runs differ: {}, {}", TraceOf(result), again));
        NoteFailed(state);
      }
    }
    ++state->done;
    state->seed += options.jobs;
  }
  for (const auto& [name, count] : FaultRegistry::Instance().Coverage()) {
    fmt::print(coverage, "{} {}\n", name, count);
  }
  std::fflush(coverage);
}

void ReportCoverage(const std::vector<FILE*>& files) {
  std::map<std::string, uint64_t> counts;
  for (FILE* file : files) {
    std::rewind(file);
    char name[128];
    unsigned long long count = 0;
    while (std::fscanf(file, "%127s %llu", name, &count) == 2) {
      counts[name] += count;
    }
  }
  fmt::print("covered:");
  for (const auto& [name, count] : counts) {
    fmt::print(" {}={}", name, count);
  }
  fmt::print("\n");
  std::string missing;
  for (std::string_view name : kExpected) {
    if (!counts.contains(std::string(name))) {
      missing += fmt::format(" {}", name);
    }
  }
  fmt::print("never reached:{}\n", missing.empty() ? " nothing that was expected" : missing);
}

int Main(int argc, char** argv) {
  const Options options = Parse(argc, argv);
  if (options.hash_only) {
    OpenLog("/dev/null", "sim", LogLevel::kError);
    const RunResult result = RunScenario({options.first, false});
    fmt::print("{}\n", TraceOf(result));
    return result.failure.empty() ? 0 : 1;
  }
  OpenLog(options.print_trace ? "" : "/dev/null", "sim",
          options.print_trace ? LogLevel::kDebug : LogLevel::kError);
  const int64_t start_us = SystemClock().NowUs();
  const unsigned jobs = static_cast<unsigned>(std::min<uint64_t>(options.jobs, options.seeds));
  Options shared = options;
  shared.jobs = jobs;
  auto* states =
      static_cast<WorkerState*>(mmap(nullptr, sizeof(WorkerState) * jobs, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::vector<FILE*> coverage;
  std::vector<pid_t> pids(jobs);
  const auto start_worker = [&](unsigned worker) {
    std::fflush(stdout);
    pids[worker] = fork();
    if (pids[worker] == 0) {
      Work(shared, worker, states, coverage[worker]);
      std::fflush(stdout);
      _exit(0);
    }
  };
  for (unsigned worker = 0; worker < jobs; ++worker) {
    states[worker].seed = options.first + worker;
    states[worker].lowest_failed = kNone;
    coverage.push_back(std::tmpfile());
    start_worker(worker);
  }
  for (unsigned running = jobs; running > 0;) {
    int status = 0;
    const pid_t pid = wait(&status);
    for (unsigned worker = 0; worker < jobs; ++worker) {
      if (pids[worker] != pid) {
        continue;
      }
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        --running;
        continue;
      }
      ReportFailure(states[worker].seed, "the process died: see the message above");
      NoteFailed(&states[worker]);
      ++states[worker].done;
      states[worker].seed += jobs;
      start_worker(worker);
    }
  }
  WorkerState sum{};
  for (unsigned worker = 0; worker < jobs; ++worker) {
    sum.done += states[worker].done;
    sum.failed += states[worker].failed;
    sum.events += states[worker].events;
    sum.records += states[worker].records;
    sum.pages_checked += states[worker].pages_checked;
    sum.openings += states[worker].openings;
    sum.seats_moved += states[worker].seats_moved;
    sum.with_control += states[worker].with_control;
    sum.with_race += states[worker].with_race;
    sum.virtual_us += states[worker].virtual_us;
  }
  fmt::print(
      "{} seeds in {:.1f} s ({:.0f} s of virtual time): {} failed; {} events, {} records, {} "
      "openings, {} seats moved, {} pages checked\n",
      sum.done, static_cast<double>(SystemClock().NowUs() - start_us) / 1e6,
      static_cast<double>(sum.virtual_us) / 1e6, sum.failed, sum.events, sum.records, sum.openings,
      sum.seats_moved, sum.pages_checked);
  if (options.coverage && options.seeds > 1) {
    ReportCoverage(coverage);
  }
  if (options.twice && (sum.seats_moved == 0 || sum.with_control == 0 || sum.with_race == 0)) {
    fmt::print(
        "these seeds show too little: {} seats moved, {} with control's planner, {} with a "
        "race of openers\n",
        sum.seats_moved, sum.with_control, sum.with_race);
    return 1;
  }
  return sum.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace borealis::sim

int main(int argc, char** argv) {
  return borealis::sim::Main(argc, argv);
}
