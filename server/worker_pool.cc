#include "server/worker_pool.h"

#include <algorithm>
#include <string>

#include "base/invariant.h"
#include "base/os/blocking.h"

namespace borealis::server {

class WorkerPool::Worker final : public BlockingObserver {
 public:
  explicit Worker(WorkerPool* pool) : pool_(pool) {}
  void EnterBlocking() override { pool_->Enter(); }
  void LeaveBlocking() override { pool_->Leave(); }

  // Guarded by the pool's mutex.
  bool has_place = true;
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
  for (;;) {
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
        return;
      }
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
  for (;;) {
    if (queue_.empty() || running_ > places_) {
      if (!WaitForWork(worker)) {
        break;
      }
      continue;
    }
    std::function<void()> run = std::move(queue_.front().run);
    ++totals_.tasks;
    totals_.queued_us += static_cast<uint64_t>(SystemClock().NowUs() - queue_.front().queued_at_us);
    queue_.pop_front();
    mutex_.Unlock();
    run();
    run = nullptr;  // what the task holds dies outside the mutex
    mutex_.Lock();
  }
  --totals_.threads;
  // Stop may have taken the worker over already; then it joins it.
  const auto self = std::find_if(workers_.begin(), workers_.end(),
                                 [worker](const auto& other) { return other.get() == worker; });
  std::vector<std::unique_ptr<Worker>> to_join;
  to_join.swap(ended_);
  if (self != workers_.end()) {
    ended_.push_back(std::move(*self));
    workers_.erase(self);
  }
  mutex_.Unlock();
  SetBlockingObserver(nullptr);
}

// Gives the place up and waits for another. False when the thread is to end.
bool WorkerPool::WaitForWork(Worker* worker) {
  --running_;
  worker->has_place = false;
  if (stopping_ && queue_.empty()) {
    for (Worker* other : idle_) {
      other->wake.NotifyOne();
    }
    return false;
  }
  idle_.push_back(worker);
  while (!worker->has_place) {
    const bool woken = worker->wake.WaitFor(mutex_, options_.idle_us);
    if (worker->has_place) {
      break;
    }
    const bool surplus = !woken && static_cast<int>(totals_.threads) > places_;
    if ((stopping_ && queue_.empty()) || surplus) {
      idle_.erase(std::find(idle_.begin(), idle_.end(), worker));
      return false;
    }
  }
  return true;
}

void WorkerPool::Enter() {
  Worker* worker = nullptr;
  {
    MutexLock lock(mutex_);
    --running_;
    ++blocked_;
    ++totals_.waits;
    worker = Claim();
  }
  Wake(worker);
}

void WorkerPool::Leave() {
  MutexLock lock(mutex_);
  --blocked_;
  ++running_;
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
