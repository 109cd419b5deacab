// The elastic worker pool: places, waits, order, reuse.
#include "server/worker_pool.h"

#include "base/os/blocking.h"

namespace borealis::server {
namespace {

// Some work the compiler cannot leave out.
void BusyLoop(int rounds) {
  static std::atomic<int> sum{0};
  for (int i = 0; i < rounds; ++i) {
    sum.fetch_add(i, std::memory_order_relaxed);
  }
}

// Counts down to an event.
class Gate {
 public:
  explicit Gate(int count) : count_(count) {}
  void Arrive() {
    MutexLock lock(mutex_);
    --count_;
    changed_.NotifyAll();
  }
  void Wait() {
    MutexLock lock(mutex_);
    while (count_ > 0) {
      changed_.Wait(mutex_);
    }
  }

 private:
  Mutex mutex_{LockRank::kVolume};
  ConditionVariable changed_;
  int count_;
};

WorkerPool::Options Places(int runnable, int max_threads = 64) {
  WorkerPool::Options options;
  options.runnable = runnable;
  options.max_threads = max_threads;
  return options;
}

TEST(WorkerPoolTest, RunsInOrderOnOnePlace) {
  WorkerPool pool(Places(1));
  pool.Start();
  std::vector<int> order;  // one place: one thread at a time
  Gate done(100);
  for (int i = 0; i < 100; ++i) {
    pool.Submit([&order, &done, i] {
      order.push_back(i);
      done.Arrive();
    });
  }
  done.Wait();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(order[static_cast<size_t>(i)], i);
  }
  EXPECT_EQ(pool.metrics().threads_made, 1U);
  EXPECT_EQ(pool.metrics().tasks, 100U);
}

TEST(WorkerPoolTest, NoMoreTasksRunThanThereArePlaces) {
  WorkerPool pool(Places(2));
  pool.Start();
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  Gate done(200);
  for (int i = 0; i < 200; ++i) {
    pool.Submit([&] {
      const int now = ++inside;
      int seen = most.load();
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      BusyLoop(2000);
      --inside;
      done.Arrive();
    });
  }
  done.Wait();
  EXPECT_LE(most.load(), 2);
  EXPECT_LE(pool.metrics().threads_made, 2U);
}

TEST(WorkerPoolTest, WaitersGiveTheirPlaceAway) {
  WorkerPool pool(Places(1));
  pool.Start();
  // Ten tasks wait for the eleventh, which runs on the same single place.
  Gate waiting(10);
  Gate release(1);
  Gate done(11);
  for (int i = 0; i < 10; ++i) {
    pool.Submit([&] {
      waiting.Arrive();
      {
        BlockingScope outer;
        BlockingScope nested;
        release.Wait();
      }
      done.Arrive();
    });
  }
  waiting.Wait();
  pool.Submit([&] {
    release.Arrive();
    done.Arrive();
  });
  done.Wait();
  const WorkerPool::Metrics metrics = pool.metrics();
  EXPECT_EQ(metrics.blocked, 0U);
  EXPECT_EQ(metrics.waits, 10U);
  EXPECT_LE(metrics.threads_made, 11U);
}

TEST(WorkerPoolTest, ThreadsAreReusedAcrossWaits) {
  WorkerPool pool(Places(2));
  pool.Start();
  for (int round = 0; round < 200; ++round) {
    Gate release(1);
    Gate done(2);
    pool.Submit([&] {
      BlockingScope waiting;
      release.Wait();
      done.Arrive();
    });
    pool.Submit([&] {
      release.Arrive();
      done.Arrive();
    });
    done.Wait();
  }
  EXPECT_LE(pool.metrics().threads_made, 20U) << "of 200 waits";
}

TEST(WorkerPoolTest, ThreadsAreBounded) {
  WorkerPool pool(Places(1, 3));
  pool.Start();
  Gate started(3);
  Gate release(1);
  Gate done(8);
  std::atomic<int> inside{0};
  for (int i = 0; i < 8; ++i) {
    pool.Submit([&] {
      ++inside;
      if (inside <= 3) {
        started.Arrive();
      }
      BlockingScope waiting;
      release.Wait();
      done.Arrive();
    });
  }
  started.Wait();
  EXPECT_EQ(pool.metrics().threads, 3U);
  EXPECT_EQ(pool.metrics().queued, 5U);
  release.Arrive();
  done.Wait();
}

TEST(WorkerPoolTest, SurplusThreadsEnd) {
  WorkerPool::Options options = Places(1);
  options.idle_us = 20'000;
  WorkerPool pool(options);
  pool.Start();
  Gate waiting(5);
  Gate release(1);
  Gate done(5);
  for (int i = 0; i < 5; ++i) {
    pool.Submit([&] {
      waiting.Arrive();
      {
        BlockingScope scope;
        release.Wait();
      }
      done.Arrive();
    });
  }
  waiting.Wait();
  EXPECT_EQ(pool.metrics().threads, 5U);
  release.Arrive();
  done.Wait();
  const int64_t until = SystemClock().NowUs() + 10'000'000;
  Mutex mutex(LockRank::kServer);
  ConditionVariable never;
  while (pool.metrics().threads > 1 && SystemClock().NowUs() < until) {
    MutexLock lock(mutex);
    never.WaitFor(mutex, 5'000);
  }
  EXPECT_EQ(pool.metrics().threads, 1U);
}

TEST(WorkerPoolTest, LongComputationsDoNotHoldUpShortTasks) {
  WorkerPool pool(Places(2));
  pool.Start();
  std::atomic<bool> stop{false};
  Gate computing(4);
  Gate ended(4);
  for (int i = 0; i < 4; ++i) {  // twice as many as there are places, none of them waits
    pool.Submit([&] {
      computing.Arrive();
      while (!stop) {
        BusyLoop(100);
      }
      ended.Arrive();
    });
  }
  computing.Wait();
  EXPECT_GE(pool.metrics().stalls, 2U);
  for (int i = 0; i < 50; ++i) {
    Gate done(1);
    pool.Submit([&] { done.Arrive(); });
    done.Wait();
  }
  EXPECT_LE(pool.metrics().stalls, 4U) << "a task loses its place once";
  stop = true;
  ended.Wait();
  std::vector<int> order;
  Gate after(3);
  pool.SetRunnable(1);
  for (int i = 0; i < 3; ++i) {
    pool.Submit([&, i] {
      order.push_back(i);
      after.Arrive();
    });
  }
  after.Wait();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
  pool.Stop();
  EXPECT_EQ(pool.metrics().runnable, 0U);
}

TEST(WorkerPoolTest, WaitsAndStallsMix) {
  WorkerPool::Options options = Places(2);
  options.stall_us = 200;
  WorkerPool pool(options);
  pool.Start();
  Gate done(400);
  Mutex mutex(LockRank::kServer);
  ConditionVariable never;
  for (int i = 0; i < 400; ++i) {
    pool.Submit([&, i] {
      if (i % 3 == 0) {
        BusyLoop(20000);
      }
      if (i % 2 == 0) {
        BlockingScope waiting;
        MutexLock lock(mutex);
        never.WaitFor(mutex, 300);
      }
      if (i % 5 == 0) {
        BusyLoop(20000);
      }
      done.Arrive();
    });
  }
  done.Wait();
  pool.Stop();
  const WorkerPool::Metrics metrics = pool.metrics();
  EXPECT_EQ(metrics.tasks, 400U);
  EXPECT_EQ(metrics.runnable, 0U) << "every place was given back";
  EXPECT_EQ(metrics.blocked, 0U);
  EXPECT_EQ(metrics.threads, 0U);
}

TEST(WorkerPoolTest, StopRunsWhatIsQueuedAndWhatThatSubmits) {
  std::atomic<int> ran{0};
  WorkerPool pool(Places(2));
  pool.Start();
  for (int i = 0; i < 50; ++i) {
    pool.Submit([&] {
      ++ran;
      pool.Submit([&] { ++ran; });
    });
  }
  pool.Stop();
  pool.Stop();
  EXPECT_EQ(ran.load(), 100);
}

TEST(WorkerPoolTest, MorePlacesTakeEffectWhileRunning) {
  WorkerPool pool(Places(1));
  pool.Start();
  Gate both(2);
  Gate done(2);
  for (int i = 0; i < 2; ++i) {
    pool.Submit([&] {
      both.Arrive();
      both.Wait();  // without a BlockingScope: needs two places
      done.Arrive();
    });
  }
  pool.SetRunnable(2);
  done.Wait();
}

TEST(BlockingScopeTest, DoesNothingOnOtherThreads) {
  BlockingScope scope;
  BlockingScope nested;
}

}  // namespace
}  // namespace borealis::server
