// sim: runs simulated clusters from seeds.
//
//   sim --seed N [--trace]            one seed, with its events
//   sim --seeds 500 [--first 1]       a range, on all cores; a failing seed is named with its
//   replay sim --seed N --twice              the same seed twice: the traces must be equal
//
// Every worker is a process of its own, so that an INVARIANT that aborts is reported with its seed
// like any other failure.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
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
  bool coverage = true;
};

// Rare paths that the default seeds are expected to walk; those that none walked are named.
constexpr std::string_view kExpected[] = {"client.fenced",
                                          "client.fenced_by_few",
                                          "client.node_joined_late",
                                          "keeper.changes_gathered",
                                          "keeper.node_did_not_know_its_seat",
                                          "opener.fenced",
                                          "opener.had_to_replicate",
                                          "opener.half_a_mini_transaction_at_the_end",
                                          "opener.lists_differ",
                                          "opener.pushed_records",
                                          "opener.raised_its_epoch",
                                          "opener.union_had_hole",
                                          "opener.void_record_in_tail",
                                          "opener.walk_jumped_annulled",
                                          "reads.asked_blindly",
                                          "reads.damaged_image",
                                          "reads.hedged",
                                          "shipper.append_timed_out",
                                          "shipper.gave_up_on_slow_node",
                                          "seats.finished",
                                          "shipper.scl_went_back",
                                          "shipper.waits_for_a_group",
                                          "tracker.segment_lost_log",
                                          "journal.damage_before_good_batch",
                                          "node.annulled_by_gossip",
                                          "node.append_fenced",
                                          "node.damaged_layer",
                                          "node.failed_flush",
                                          "node.fenced_while_flushing",
                                          "node.fetched_records",
                                          "node.seal_fenced",
                                          "node.void_record_refused",
                                          "segment.later_epoch_cuts_chain"};

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
  int64_t virtual_us;
};

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
    } else if (name == "--no-coverage") {
      options.coverage = false;
    } else {
      fmt::print(stderr,
                 "usage: sim [--seed N [--trace] [--twice]] [--seeds N] [--first N] "
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

// Seeds first + worker, first + worker + jobs, …
void Work(const Options& options, unsigned worker, WorkerState* state, FILE* coverage) {
  FaultRegistry::Instance().EnableCoverage(options.coverage);
  while (state->seed < options.first + options.seeds) {
    const RunResult result = RunScenario({state->seed, options.print_trace});
    state->events += result.events;
    state->records += result.records;
    state->pages_checked += result.pages_checked;
    state->openings += result.openings;
    state->seats_moved += result.seats_moved;
    state->virtual_us += result.virtual_us;
    if (!result.failure.empty()) {
      ReportFailure(state->seed, result.failure);
      ++state->failed;
    } else if (options.twice) {
      const RunResult again = RunScenario({state->seed, false});
      if (again.trace_hash != result.trace_hash || again.events != result.events) {
        ReportFailure(state->seed, "two runs of one seed differ");
        ++state->failed;
      }
      fmt::print("seed {}: trace {:016x}\n", state->seed, result.trace_hash);
    }
    ++state->done;
    state->seed += options.jobs;
  }
  for (const auto& [name, count] : FaultRegistry::Instance().Coverage()) {
    fmt::print(coverage, "{} {}\n", name, count);
  }
  std::fflush(coverage);
  (void)worker;
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
      Work(shared, worker, &states[worker], coverage[worker]);
      std::fflush(stdout);
      _exit(0);
    }
  };
  for (unsigned worker = 0; worker < jobs; ++worker) {
    states[worker].seed = options.first + worker;
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
      ++states[worker].failed;
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
  return sum.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace borealis::sim

int main(int argc, char** argv) {
  return borealis::sim::Main(argc, argv);
}
