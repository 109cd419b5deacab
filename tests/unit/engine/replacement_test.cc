// Which pages stay: the hot set against scans, uses in one go, pages that come back, read-ahead.
#include <vector>

#include "tests/unit/engine/store_testing.h"

namespace borealis::engine {
namespace {

Status AcceptAll(PageNo, const Page&) {
  return Status::Ok();
}

constexpr uint64_t kFrames = 1024;
constexpr uint64_t kFar = 1'000'000;  // pages that nothing else asks for begin here

class ReplacementTest : public testing::Test {
 protected:
  ReplacementTest() : pool_(&volume_, &volume_, kFrames * kPageSize, &AcceptAll) {}

  void Use(uint64_t page) { ASSERT_TRUE(pool_.Fetch(PageNo(page), LatchMode::kShared).ok()); }
  void UseAll(uint64_t begin, uint64_t end) {
    for (uint64_t page = begin; page < end; ++page) {
      Use(page);
    }
  }
  // Pages never asked for before, as by a scan: each several times in one go.
  void Scan(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i, ++next_far_) {
      for (int row = 0; row < 5; ++row) {
        Use(next_far_);
      }
    }
  }
  uint64_t CountCached(uint64_t begin, uint64_t end) const {
    uint64_t count = 0;
    for (uint64_t page = begin; page < end; ++page) {
      count += pool_.IsCached(PageNo(page)) ? 1 : 0;
    }
    return count;
  }
  uint64_t misses() const { return pool_.counters().misses; }

  MemoryVolume volume_;
  BufferPool pool_;
  uint64_t next_far_ = kFar;
};

// With one clock over all frames not one page of the hot set would be left after the scan.
TEST_F(ReplacementTest, AScanOfTenPoolsLeavesTheHotSet) {
  constexpr uint64_t kHot = kFrames / 2;
  for (int round = 0; round < 4; ++round) {
    UseAll(0, kHot);
    Scan(kFrames / 4);
  }
  const uint64_t before = misses();
  UseAll(0, kHot);
  EXPECT_EQ(misses(), before) << "the hot set is cached to begin with";
  Scan(10 * kFrames);
  const uint64_t scanned = misses();
  EXPECT_EQ(scanned, before + 10 * kFrames);
  UseAll(0, kHot);
  const double hit_rate = 1.0 - static_cast<double>(misses() - scanned) / kHot;
  EXPECT_GT(hit_rate, 0.99);
}

TEST_F(ReplacementTest, TheHotSetIsServedWhileScansGoOn) {
  constexpr uint64_t kHot = kFrames / 2;
  for (int round = 0; round < 20; ++round) {
    UseAll(0, kHot);
  }
  uint64_t hot_misses = 0;
  for (uint64_t round = 0; round < 200; ++round) {
    Scan(kFrames / 8);
    const uint64_t before = misses();
    // Each page of the hot set once for every sixteen rounds, that is two pools of scan.
    UseAll(round % 16 * kHot / 16, (round % 16 + 1) * kHot / 16);
    hot_misses += misses() - before;
  }
  EXPECT_LT(hot_misses, 200 * kHot / 16 / 100) << "of so many hundred uses";
}

// What was hot gives way to what is.
TEST_F(ReplacementTest, AnotherHotSetTakesOver) {
  constexpr uint64_t kHot = kFrames * 5 / 8;
  for (int round = 0; round < 20; ++round) {
    UseAll(0, kHot);
  }
  Scan(2 * kFrames);
  ASSERT_GT(CountCached(0, kHot), kHot * 9 / 10);
  for (int round = 0; round < 20; ++round) {
    UseAll(10'000, 10'000 + kHot);
  }
  Scan(kFrames);
  EXPECT_GT(CountCached(10'000, 10'000 + kHot), kHot * 9 / 10);
}

// A set that fits the pool is cached entirely, however it is asked for.
TEST_F(ReplacementTest, ALoopThatFitsIsCached) {
  Scan(3 * kFrames);
  for (int round = 0; round < 10; ++round) {
    UseAll(0, kFrames * 9 / 10);
  }
  const uint64_t before = misses();
  UseAll(0, kFrames * 9 / 10);
  EXPECT_LT(misses() - before, kFrames / 10);
}

TEST_F(ReplacementTest, UsesInOneGoDoNotProtect) {
  Scan(8 * kFrames);
  const BufferPoolCounters counters = pool_.counters();
  EXPECT_EQ(counters.promotions, 0u);
  EXPECT_EQ(counters.protected_frames, 0u);
}

TEST_F(ReplacementTest, WhatComesBackSoonIsProtected) {
  Scan(2 * kFrames);
  Use(7);
  while (pool_.IsCached(PageNo(7))) {
    Scan(1);
  }
  Use(7);
  EXPECT_EQ(pool_.counters().remembered, 1u);
  Scan(4 * kFrames);
  EXPECT_TRUE(pool_.IsCached(PageNo(7)));
  Use(8);
  Scan(4 * kFrames);
  Use(8);
  EXPECT_EQ(pool_.counters().remembered, 1u) << "that was too long ago";
}

// INV-BUF-5.
TEST_F(ReplacementTest, ReadAheadLeavesTheHotSetAndStaysWithinItsPart) {
  constexpr uint64_t kHot = kFrames / 2;
  for (int round = 0; round < 4; ++round) {
    UseAll(0, kHot);
    Scan(kFrames / 4);
  }
  std::vector<PageNo> ahead;
  for (uint64_t i = 0; i < 4 * kFrames; ++i) {
    ahead.push_back(PageNo(next_far_++));
  }
  for (size_t i = 0; i < ahead.size(); i += pool_.prefetch_max()) {
    pool_.Prefetch(std::span<const PageNo>(ahead).subspan(i, pool_.prefetch_max()));
  }
  EXPECT_EQ(CountCached(0, kHot), kHot);
  const uint64_t unused = CountCached(ahead.front().value(), next_far_);
  EXPECT_GT(unused, 0u);
  EXPECT_LE(unused, kFrames / 8);
  // They are asked for, and make room for others.
  for (const PageNo page : ahead) {
    if (pool_.IsCached(page)) {
      Use(page.value());
    }
  }
  const uint64_t read = pool_.counters().prefetched;
  pool_.Prefetch(std::span<const PageNo>(ahead).last(pool_.prefetch_max()));
  EXPECT_EQ(pool_.counters().prefetched, read + pool_.prefetch_max());
}

TEST_F(ReplacementTest, CountsWhatWasReadAheadInVain) {
  std::vector<PageNo> ahead;
  for (uint64_t i = 0; i < pool_.prefetch_max(); ++i) {
    ahead.push_back(PageNo(i));
  }
  pool_.Prefetch(ahead);
  Use(0);
  Scan(2 * kFrames);
  EXPECT_EQ(pool_.counters().prefetched, ahead.size());
  EXPECT_EQ(pool_.counters().prefetched_unused, ahead.size() - 1);
}

}  // namespace
}  // namespace borealis::engine
