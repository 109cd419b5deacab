#include "server/worker_pool.h"

#include <algorithm>
#include <string>

#include "base/invariant.h"
#include "base/os/blocking.h"

namespace borealis::server {

class WorkerPool::Worker final : public BlockingObserver {
 public:
  explicit Worker(WorkerPool* pool) : pool_(pool) {}
  void EnterBlocking() override { pool_->Enter(this); }
  void LeaveBlocking() override { pool_->Leave(this); }

  // Guarded by the pool's mutex.
  bool has_place = true;
  bool place_lent = false;         // inside a BlockingScope entered with a place
  int64_t computing_since_us = 0;  // 0: not running a task, or waiting
  ConditionVariable wake;
  Thread thread;

 private:
  WorkerPool* pool_;
};

WorkerPool::WorkerPool(Options options) : options_(options) {
  INVARIANT_GT(options.max_threads, 0);
}

WorkerPool::~WorkerPool() {
  Stop();
}

void WorkerPool::Start() {
  MutexLock lock(mutex_);
  INVARIANT(!started_);
  started_ = true;
  places_ = options_.runnable > 0 ? options_.runnable : HardwareThreads();
  monitor_ = Thread("worker-monitor", [this] { Monitor(); });
}

void WorkerPool::Stop() {
  std::vector<std::unique_ptr<Worker>> workers;
  {
    MutexLock lock(mutex_);
    if (!started_ || stopping_) {
      return;
    }
    stopping_ = true;
  }
  // Workers leave when the queue is empty; tasks may still submit tasks, which may make workers.
  for (bool ended = false;;) {
    {
      MutexLock lock(mutex_);
      for (auto& worker : ended_) {
        workers.push_back(std::move(worker));
      }
      ended_.clear();
      for (auto& worker : workers_) {
        worker->wake.NotifyOne();
        workers.push_back(std::move(worker));
      }
      workers_.clear();
      if (workers.empty()) {
        INVARIANT(queue_.empty());
        ended = true;
        monitor_wake_.NotifyOne();
      }
    }
    if (ended) {
      monitor_.Join();
      return;
    }
    for (auto& worker : workers) {
      worker->thread.Join();
    }
    workers.clear();
  }
}

void WorkerPool::Submit(std::function<void()> task) {
  Worker* worker = nullptr;
  {
    MutexLock lock(mutex_);
    INVARIANT(started_ && (!stopping_ || totals_.threads > 0));
    queue_.push_back({std::move(task), SystemClock().NowUs()});
    worker = Claim();
    if (worker == nullptr && monitor_asleep_) {
      monitor_wake_.NotifyOne();
    }
  }
  Wake(worker);
}

void WorkerPool::SetRunnable(int runnable) {
  INVARIANT_GT(runnable, 0);
  std::vector<Worker*> woken;
  {
    MutexLock lock(mutex_);
    places_ = runnable;
    for (Worker* worker = Claim(); worker != nullptr; worker = Claim()) {
      woken.push_back(worker);
    }
  }
  for (Worker* worker : woken) {
    Wake(worker);
  }
}

WorkerPool::Worker* WorkerPool::Claim() {
  if (queue_.empty() || running_ >= places_) {
    return nullptr;
  }
  Worker* worker = nullptr;
  if (!idle_.empty()) {
    worker = idle_.back();
    idle_.pop_back();
  } else {
    if (static_cast<int>(totals_.threads) >= options_.max_threads) {
      return nullptr;
    }
    workers_.push_back(std::make_unique<Worker>(this));
    worker = workers_.back().get();
    ++totals_.threads;
    ++totals_.threads_made;
    worker->thread = Thread("worker", [this, worker] { Run(worker); });
  }
  worker->has_place = true;
  ++running_;
  return worker;
}

void WorkerPool::Wake(Worker* worker) {
  if (worker != nullptr) {
    worker->wake.NotifyOne();
  }
}

void WorkerPool::Run(Worker* worker) {
  SetBlockingObserver(worker);
  mutex_.Lock();
  while (GetPlace(worker)) {
    RunOne(worker);
  }
  --totals_.threads;
  // Stop may have taken the worker over already; then it joins it. Others are joined by the next
  // thread that ends.
  std::vector<std::unique_ptr<Worker>> to_join;
  to_join.swap(ended_);
  const auto self = std::find_if(workers_.begin(), workers_.end(),
                                 [worker](const auto& other) { return other.get() == worker; });
  if (self != workers_.end()) {
    ended_.push_back(std::move(*self));
    workers_.erase(self);
  }
  mutex_.Unlock();
  SetBlockingObserver(nullptr);
}

void WorkerPool::RunOne(Worker* worker) {
  std::function<void()> run = std::move(queue_.front().run);
  const int64_t now_us = SystemClock().NowUs();
  ++totals_.tasks;
  totals_.queued_us += static_cast<uint64_t>(now_us - queue_.front().queued_at_us);
  queue_.pop_front();
  worker->computing_since_us = now_us;
  mutex_.Unlock();
  run();
  run = nullptr;  // what the task holds dies outside the mutex
  mutex_.Lock();
  worker->computing_since_us = 0;
}

bool WorkerPool::GetPlace(Worker* worker) {
  for (;;) {
    if (worker->has_place && (queue_.empty() || running_ > places_)) {
      --running_;
      worker->has_place = false;
    }
    if (!worker->has_place && !queue_.empty() && running_ < places_) {
      ++running_;
      worker->has_place = true;
    }
    if (worker->has_place) {
      return true;
    }
    if (stopping_ && queue_.empty()) {
      for (Worker* other : idle_) {
        other->wake.NotifyOne();
      }
      return false;
    }
    idle_.push_back(worker);
    const bool woken = worker->wake.WaitFor(mutex_, options_.idle_us);
    if (worker->has_place) {
      continue;  // Claim took it off the list; somebody may have been faster with the work
    }
    idle_.erase(std::find(idle_.begin(), idle_.end(), worker));
    if (!woken && static_cast<int>(totals_.threads) > places_) {
      return false;
    }
  }
}

void WorkerPool::Enter(Worker* worker) {
  Worker* successor = nullptr;
  {
    MutexLock lock(mutex_);
    ++blocked_;
    ++totals_.waits;
    worker->computing_since_us = 0;
    worker->place_lent = worker->has_place;
    if (worker->has_place) {
      worker->has_place = false;
      --running_;
      successor = Claim();
    }
  }
  Wake(successor);
}

void WorkerPool::Leave(Worker* worker) {
  MutexLock lock(mutex_);
  --blocked_;
  worker->computing_since_us = SystemClock().NowUs();
  if (worker->place_lent) {
    worker->has_place = true;
    ++running_;
  }
}

// Takes places from tasks that compute long, as long as others wait for one.
void WorkerPool::Monitor() {
  MutexLock lock(mutex_);
  for (;;) {
    if (stopping_ && totals_.threads == 0) {
      return;
    }
    if (queue_.empty() || running_ < places_) {
      monitor_asleep_ = true;
      monitor_wake_.Wait(mutex_);
      monitor_asleep_ = false;
      continue;
    }
    monitor_wake_.WaitFor(mutex_, options_.stall_us);
    const int64_t stalled_before_us = SystemClock().NowUs() - options_.stall_us;
    // Claim may add to workers_: by index, over those there are now.
    const size_t count = workers_.size();
    for (size_t i = 0; i < count && !queue_.empty(); ++i) {
      Worker* const worker = workers_[i].get();
      if (!worker->has_place || worker->computing_since_us == 0 ||
          worker->computing_since_us > stalled_before_us) {
        continue;
      }
      worker->has_place = false;
      --running_;
      ++totals_.stalls;
      Wake(Claim());
    }
  }
}

WorkerPool::Metrics WorkerPool::metrics() const {
  MutexLock lock(mutex_);
  Metrics now = totals_;
  now.queued = queue_.size();
  now.runnable = static_cast<uint64_t>(running_);
  now.blocked = static_cast<uint64_t>(blocked_);
  return now;
}

}  // namespace borealis::server
