// The lock table's own parts: locked ranges, queues of one lock, who is told to the wait graph.
#include "engine/trx/lock_table.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include "base/coding.h"
#include "base/os/random.h"
#include "base/os/thread.h"
#include "base/os/time.h"
#include "engine/trx/range_index.h"

namespace borealis::engine {
namespace {

std::string Number(uint64_t number) {
  std::string text;
  AppendBig(&text, static_cast<uint32_t>(number));
  return text;
}

std::unique_ptr<LockOwner> Owner(uint64_t id) {
  return std::make_unique<LockOwner>(id, id, nullptr);
}

constexpr IndexId kIndex(7);
constexpr LockWait kNoWait{WaitPolicy::kFail, 0};

LockedRange RandomRange(Random& random, uint64_t id, uint64_t keys, uint64_t width) {
  LockedRange range;
  range.id = id;
  const uint64_t lower = random.Below(keys);
  range.lower = Number(lower);
  range.upper = Number(lower + random.Below(width));
  range.lower_inclusive = random.Chance(0.5);
  range.upper_inclusive = random.Chance(0.5);
  range.no_upper = random.Chance(0.01);
  return range;
}

TEST(RangeIndexTest, FindsWhatABruteForceSearchFinds) {
  Random random(1);
  RangeIndex index;
  std::map<uint64_t, const LockedRange*> all;
  for (uint64_t step = 1; step <= 5000; ++step) {
    if (all.size() > 300 && random.Chance(0.55)) {
      auto victim = std::next(all.begin(), static_cast<int64_t>(random.Below(all.size())));
      index.Erase(victim->second);
      all.erase(victim);
    } else if (all.size() > 10 && random.Chance(0.3)) {
      auto moved = std::next(all.begin(), static_cast<int64_t>(random.Below(all.size())));
      const LockedRange bounds = RandomRange(random, 0, 500, 50);
      index.MoveUpperEnd(moved->second, bounds.upper, bounds.upper_inclusive, bounds.no_upper);
    } else {
      all[step] = index.Insert(RandomRange(random, step, 500, 50));
    }
    const std::string key = Number(random.Below(550));
    std::vector<uint64_t> expected;
    for (const auto& [id, range] : all) {
      if (range->Contains(key)) {
        expected.push_back(id);
      }
    }
    std::vector<uint64_t> found;
    index.VisitContaining(key, [&](const LockedRange& range) {
      found.push_back(range.id);
      return true;
    });
    std::sort(found.begin(), found.end());
    ASSERT_EQ(found, expected) << "step " << step;
    ASSERT_EQ(index.size(), all.size());
  }
}

// Owners take and give back few and many locks, with keys short and long, in an order of chance; a
// map says who has what. Memory is used again on the way, and all is gone at the end.
TEST(LockTableTest, HoldsWhatAMapOfLocksHolds) {
  constexpr uint64_t kOwners = 4;
  constexpr uint64_t kKeys = 400;
  Random random(3);
  WaitGraph graph(&SystemClock(), /*detect=*/true);
  LockTable table(&graph);
  const auto key_of = [](uint64_t number) {
    return std::string(number % 3 == 0 ? 100 : 4, 'k') + Number(number);
  };
  const uint64_t empty_bytes = table.memory_bytes();
  std::vector<std::unique_ptr<LockOwner>> owners;
  std::vector<std::map<uint64_t, bool>> held(kOwners);  // key, exclusively
  for (uint64_t i = 0; i < kOwners; ++i) {
    owners.push_back(Owner(i + 1));
  }
  const auto may_have = [&](size_t who, uint64_t key, bool exclusive) {
    for (size_t other = 0; other < kOwners; ++other) {
      const auto found = held[other].find(key);
      if (other != who && found != held[other].end() && (exclusive || found->second)) {
        return false;
      }
    }
    return true;
  };
  for (int step = 0; step < 50'000; ++step) {
    const size_t who = random.Below(kOwners);
    const uint64_t key = random.Below(step % 2 == 0 ? 12 : kKeys);
    const bool exclusive = random.Chance(0.3);
    if (random.Chance(0.002)) {
      table.ReleaseAll(owners[who].get());
      held[who].clear();
    } else if (random.Chance(0.4)) {
      table.UnlockRecord(owners[who].get(), kIndex, key_of(key));
      held[who].erase(key);
    } else {
      const LockMode mode = exclusive ? LockMode::kExclusive : LockMode::kShared;
      const auto locked = table.LockRecord(owners[who].get(), kIndex, key_of(key), mode, kNoWait);
      ASSERT_EQ(locked.ok(), may_have(who, key, exclusive)) << step;
      if (locked.ok()) {
        held[who][key] |= exclusive;
      }
    }
    ASSERT_EQ(owners[who]->record_locks.load(), held[who].size()) << step;
    ASSERT_EQ(owners[who]->CountLockSets(), held[who].empty() ? 0u : 1u) << step;
  }
  EXPECT_EQ(table.List().size(), held[0].size() + held[1].size() + held[2].size() + held[3].size());
  EXPECT_GT(table.memory_bytes(), empty_bytes + 100 * table.List().size());
  for (auto& owner : owners) {
    table.ReleaseAll(owner.get());
  }
  EXPECT_TRUE(table.List().empty());
}

// A hundred thousand ranges of three thousand owners: a walk over all of them for each of the
// inserts that look for theirs would take minutes.
TEST(LockTableTest, ManyRangesOfManyOwners) {
  constexpr uint64_t kRanges = 100'000;
  constexpr uint64_t kOwners = 3'000;
  WaitGraph graph(&SystemClock(), /*detect=*/true);
  LockTable table(&graph);
  std::vector<std::unique_ptr<LockOwner>> owners;
  for (uint64_t i = 0; i < kOwners; ++i) {
    owners.push_back(Owner(i + 1));
  }
  // Range i is (10i, 10i + 5).
  for (uint64_t i = 0; i < kRanges; ++i) {
    const uint64_t place = i * 7919 % kRanges;
    const std::string lower = Number(10 * place);
    const std::string upper = Number(10 * place + 5);
    table.LockGap(owners[place % kOwners].get(), kIndex, {lower, false, upper, false, false}, 0);
  }
  auto stranger = Owner(kOwners + 1);
  const auto insert = [&](LockOwner* owner, uint64_t number) {
    const std::string key = Number(number);
    Status status = table.BeginInsert(owner, kIndex, key, 0, kNoWait);
    if (status.ok()) {
      table.EndInsert(owner, kIndex);
    }
    return status.ok();
  };
  for (uint64_t i = 0; i < kRanges; ++i) {
    ASSERT_FALSE(insert(stranger.get(), 10 * i + 1)) << i;
    ASSERT_TRUE(insert(stranger.get(), 10 * i + 5)) << i;
    ASSERT_TRUE(insert(owners[i % kOwners].get(), 10 * i + 1)) << i;
  }
  for (auto& owner : owners) {
    table.ReleaseAll(owner.get());
  }
  for (uint64_t i = 0; i < kRanges; i += 97) {
    ASSERT_TRUE(insert(stranger.get(), 10 * i + 1)) << i;
  }
}

// INV-LCK-4: what a run of inserts announces keeps range locks and rival inserts out, and is not
// announced where another owner has a range.
TEST(LockTableTest, ARunOfInsertsStandsForAllItsKeys) {
  WaitGraph graph(&SystemClock(), true);
  LockTable locks(&graph);
  const auto inserter = Owner(1);
  const auto other = Owner(2);
  const std::string first = Number(10);
  const std::string last = Number(20);
  ASSERT_TRUE(locks.TryBeginInserts(inserter.get(), kIndex, first, last, /*unique=*/true));
  EXPECT_FALSE(locks.TryBeginInserts(other.get(), kIndex, last, Number(30), true));
  const std::string before = Number(9);
  EXPECT_TRUE(locks.TryBeginInserts(other.get(), kIndex, before, before, true));
  locks.EndInsert(other.get(), kIndex);
  std::atomic<int> entered = 0;
  const std::string within = Number(15);
  Thread rival("rival", [&] {
    EXPECT_TRUE(locks.BeginInsert(other.get(), kIndex, within, within.size(), kNoWait).ok());
    ++entered;
    locks.EndInsert(other.get(), kIndex);
  });
  const auto scanner = Owner(3);
  Thread scan("scan", [&] {
    const std::string lower = Number(12);
    const std::string upper = Number(13);
    locks.LockGap(scanner.get(), kIndex, {lower, true, upper, true, false}, 0);
    ++entered;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(entered, 0);
  locks.EndInsert(inserter.get(), kIndex);
  rival.Join();
  scan.Join();
  EXPECT_EQ(entered, 2);
  EXPECT_TRUE(locks.OthersLockRanges(inserter.get(), kIndex));
  EXPECT_FALSE(locks.OthersLockRanges(scanner.get(), kIndex));
  EXPECT_FALSE(locks.TryBeginInserts(inserter.get(), kIndex, first, last, true));
  EXPECT_TRUE(locks.TryBeginInserts(scanner.get(), kIndex, first, last, true));
  locks.EndInsert(scanner.get(), kIndex);
  locks.ReleaseAll(scanner.get());
}

// A waiter that runs on a thread of its own.
class Asking {
 public:
  Asking(LockTable* table, WaitGraph* graph, LockOwner* owner, std::string key, LockMode mode)
      : thread_("asking", [this, table, owner, key = std::move(key), mode] {
          outcome_ = table->LockRecord(owner, kIndex, key, mode, {}).status();
          done_.store(true);
        }) {
    while (!owner->waiting.load() && !done_.load()) {
      std::this_thread::yield();
    }
    (void)graph;
  }
  bool done() const { return done_.load(); }
  Status Join() {
    thread_.Join();
    return outcome_;
  }

 private:
  Status outcome_;
  std::atomic<bool> done_{false};
  Thread thread_;
};

class QueueTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (uint64_t i = 0; i < owners_.size(); ++i) {
      owners_[i] = Owner(i + 1);
    }
  }
  void TearDown() override {
    for (auto& owner : owners_) {
      table_.ReleaseAll(owner.get());
    }
  }
  LockOwner* owner(size_t i) { return owners_[i].get(); }
  Status Lock(size_t i, const std::string& key, LockMode mode) {
    return table_.LockRecord(owner(i), kIndex, key, mode, {}).status();
  }
  std::unique_ptr<Asking> Ask(size_t i, const std::string& key, LockMode mode) {
    return std::make_unique<Asking>(&table_, &graph_, owner(i), key, mode);
  }

  WaitGraph graph_{&SystemClock(), /*detect=*/true};
  LockTable table_{&graph_};
  std::array<std::unique_ptr<LockOwner>, 8> owners_;
};

// INV-LCK-5
TEST_F(QueueTest, ReadersBehindAWriterAreGrantedTogether) {
  ASSERT_TRUE(Lock(0, "a", LockMode::kShared).ok());
  auto writer = Ask(1, "a", LockMode::kExclusive);
  auto one = Ask(2, "a", LockMode::kShared);
  auto two = Ask(3, "a", LockMode::kShared);
  auto last = Ask(4, "a", LockMode::kExclusive);
  EXPECT_FALSE(writer->done() || one->done() || two->done() || last->done());
  table_.ReleaseAll(owner(0));
  ASSERT_TRUE(writer->Join().ok());
  EXPECT_FALSE(one->done() || two->done());
  table_.ReleaseAll(owner(1));
  ASSERT_TRUE(one->Join().ok());
  ASSERT_TRUE(two->Join().ok());
  EXPECT_FALSE(last->done());
  table_.ReleaseAll(owner(2));
  EXPECT_FALSE(last->done());
  table_.ReleaseAll(owner(3));
  ASSERT_TRUE(last->Join().ok());
}

// INV-LCK-2: each waiter tells the graph of the nearest in its way only; the circle through the far
// end of a queue is found all the same.
TEST_F(QueueTest, ACircleThroughTheWholeQueueIsFound) {
  ASSERT_TRUE(Lock(0, "a", LockMode::kExclusive).ok());
  ASSERT_TRUE(Lock(5, "b", LockMode::kExclusive).ok());
  owner(5)->weight.store(100);
  auto one = Ask(1, "a", LockMode::kExclusive);
  auto two = Ask(2, "a", LockMode::kShared);
  auto three = Ask(3, "a", LockMode::kShared);
  auto four = Ask(4, "a", LockMode::kExclusive);
  auto five = Ask(5, "a", LockMode::kExclusive);
  // The holder wants what the last in the queue has: somebody has to go, and the circle is that
  // of the holder and the last one with everybody between.
  for (size_t i = 1; i <= 4; ++i) {
    owner(i)->weight.store(50);
  }
  EXPECT_TRUE(Lock(0, "b", LockMode::kExclusive).Is(Code::kDeadlock));
  const std::optional<DeadlockInfo> deadlock = graph_.LatestDeadlock();
  ASSERT_TRUE(deadlock.has_value());
  EXPECT_EQ(deadlock->members.back().session_id, 1U);
  EXPECT_EQ(deadlock->victim, deadlock->members.size() - 1);
  table_.ReleaseAll(owner(0));
  ASSERT_TRUE(one->Join().ok());
  table_.ReleaseAll(owner(1));
  ASSERT_TRUE(two->Join().ok());
  ASSERT_TRUE(three->Join().ok());
  table_.ReleaseAll(owner(2));
  table_.ReleaseAll(owner(3));
  ASSERT_TRUE(four->Join().ok());
  table_.ReleaseAll(owner(4));
  ASSERT_TRUE(five->Join().ok());
}

// The last of three waiters waits for the two readers before it: when one of them gets its lock and
// another wait closes a circle through the other, that is seen.
TEST_F(QueueTest, AWriterWaitsForAllReadersBeforeIt) {
  ASSERT_TRUE(Lock(0, "a", LockMode::kExclusive).ok());
  ASSERT_TRUE(Lock(3, "b", LockMode::kExclusive).ok());
  auto one = Ask(1, "a", LockMode::kShared);
  auto two = Ask(2, "a", LockMode::kShared);
  auto writer = Ask(3, "a", LockMode::kExclusive);
  table_.ReleaseAll(owner(0));
  ASSERT_TRUE(one->Join().ok());
  ASSERT_TRUE(two->Join().ok());
  owner(3)->weight.store(10);
  EXPECT_TRUE(Lock(1, "b", LockMode::kExclusive).Is(Code::kDeadlock));
  EXPECT_TRUE(Lock(2, "b", LockMode::kExclusive).Is(Code::kDeadlock));
  table_.ReleaseAll(owner(1));
  table_.ReleaseAll(owner(2));
  ASSERT_TRUE(writer->Join().ok());
}

TEST_F(QueueTest, ATimedOutWaiterLeavesTheOthersInOrder) {
  ASSERT_TRUE(Lock(0, "a", LockMode::kShared).ok());
  Status timed_out;
  Thread impatient("impatient", [&] {
    timed_out =
        table_.LockRecord(owner(1), kIndex, "a", LockMode::kExclusive, {WaitPolicy::kWait, 200'000})
            .status();
  });
  while (!owner(1)->waiting.load()) {
    std::this_thread::yield();
  }
  auto reader = Ask(2, "a", LockMode::kShared);
  EXPECT_FALSE(reader->done());
  impatient.Join();
  EXPECT_TRUE(timed_out.Is(Code::kTimedOut));
  ASSERT_TRUE(reader->Join().ok());  // nobody is in its way any more
}

TEST_F(QueueTest, AnImplicitLockMadeExplicitIsWaitedFor) {
  ASSERT_TRUE(Lock(0, "a", LockMode::kShared).ok());
  auto waiter = Ask(1, "a", LockMode::kExclusive);
  table_.GrantImplicit(owner(2), kIndex, "a");
  EXPECT_FALSE(table_.IsContested(owner(2), kIndex, "a"));
  EXPECT_TRUE(table_.IsContested(owner(0), kIndex, "a"));
  table_.ReleaseAll(owner(0));
  EXPECT_FALSE(waiter->done());
  table_.ReleaseAll(owner(2));
  ASSERT_TRUE(waiter->Join().ok());
}

}  // namespace
}  // namespace borealis::engine
