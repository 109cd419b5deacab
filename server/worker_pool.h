// The threads that run statements: about one runnable thread a core, however many sessions there
// are, and a spare for each one that waits.
//
// Tasks run in the order of submission. A worker that enters a BlockingScope (page miss, row lock,
// slow client) gives its place to another; when it comes back it runs on at once, so for a moment
// there may be more runnable threads than places; those that finish a task then step back.
// Threads are reused, last idle first, and end after a time without work.
//
// A task that computes for longer than stall_us while others wait loses its place too (a monitor
// looks): long queries then share the processors with the places under the system's scheduler,
// and short statements, logins and kills never queue behind them.
//
// INV-POOL-1  max_threads exceeds the number of tasks that can wait at once (sessions), or waiters
//             could use up all threads and the one they wait for would find none.
// Thread-safe. Tasks must not throw.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "base/os/thread.h"
#include "base/os/time.h"

namespace borealis::server {

class WorkerPool {
 public:
  struct Options {
    int runnable = 0;        // 0: one for each processor this process may use
    int max_threads = 8192;  // see INV-POOL-1
    int64_t stall_us = 10'000;
    int64_t idle_us = 30'000'000;  // a surplus thread ends after so long without work
  };
  struct Metrics {
    uint64_t queued = 0;        // waiting for a worker now
    uint64_t threads = 0;       // exist now
    uint64_t runnable = 0;      // in a place now: running a task and not waiting
    uint64_t blocked = 0;       // inside a BlockingScope now
    uint64_t tasks = 0;         // run since start
    uint64_t waits = 0;         // BlockingScopes entered since start
    uint64_t stalls = 0;        // tasks that lost their place for computing long, since start
    uint64_t threads_made = 0;  // since start
    uint64_t queued_us = 0;     // time all tasks together have waited for a worker
  };

  explicit WorkerPool(Options options);
  ~WorkerPool();  // stops
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void Start();
  // Runs what is queued, then joins all threads. Idempotent. Not from a worker.
  void Stop();

  // REQUIRES: started, and not stopped except from a task that runs meanwhile.
  void Submit(std::function<void()> task);
  // Changes the number of places while running (capacity scaling).
  void SetRunnable(int runnable);

  Metrics metrics() const;

 private:
  class Worker;
  struct Task {
    std::function<void()> run;
    int64_t queued_at_us;
  };

  void Run(Worker* worker);
  void RunOne(Worker* worker) REQUIRES(mutex_);
  // The worker is in a place, with work to do; or, false, its thread is to end.
  bool GetPlace(Worker* worker) REQUIRES(mutex_);
  void Monitor();
  // If there is work and a place, reserves the place for the worker returned, which must be woken.
  Worker* Claim() REQUIRES(mutex_);
  static void Wake(Worker* worker);
  void Enter(Worker* worker);
  void Leave(Worker* worker);

  const Options options_;
  mutable Mutex mutex_{LockRank::kLeaf};
  std::deque<Task> queue_ GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Worker>> workers_ GUARDED_BY(mutex_);
  std::vector<Worker*> idle_ GUARDED_BY(mutex_);                   // the last became idle last
  std::vector<std::unique_ptr<Worker>> ended_ GUARDED_BY(mutex_);  // to be joined
  int places_ GUARDED_BY(mutex_) = 1;
  int running_ GUARDED_BY(mutex_) = 0;  // places taken, or reserved for a worker being woken
  int blocked_ GUARDED_BY(mutex_) = 0;
  ConditionVariable monitor_wake_;
  bool monitor_asleep_ GUARDED_BY(mutex_) = false;
  Thread monitor_;
  bool started_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  Metrics totals_ GUARDED_BY(mutex_);
};

}  // namespace borealis::server
