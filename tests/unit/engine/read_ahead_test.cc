// Walks over leaves that are not cached, and what is read for them before they come to it.
#include "tests/unit/engine/store_testing.h"

namespace borealis::engine {
namespace {

TEST(ReadAheadTest, LongWalksReadAhead) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  BTree tree(store.get(), MakeTree(store.get()));
  for (uint64_t i = 0; i < 3000; ++i) {
    ASSERT_OK(InsertOne(&tree, LongKeyOf(i, 100), std::string(1500, 'v')));
  }
  const uint64_t leaves = tree.Verify()->leaf_pages;
  for (const bool forward : {true, false}) {
    auto cold = OpenStore(&volume, 64);
    BTree same(cold.get(), tree.root());
    Mtr mtr(cold.get());
    LeafCursor cursor(&same, &mtr);
    SavedPosition position;
    uint64_t entries = 0;
    ASSERT_OK(forward ? cursor.SeekFirst(LatchMode::kShared) : cursor.SeekLast(LatchMode::kShared));
    for (; cursor.valid(); ++entries) {
      cold->pool()->read_ahead().DrainForTesting();  // the model is quicker than any thread
      ASSERT_EQ(cursor.key(), LongKeyOf(forward ? entries : 2999 - entries, 100));
      if (entries % 5 == 0) {
        cursor.Save(&position);
        cursor.Release();
        bool at_same;
        ASSERT_OK(cursor.Restore(position, LatchMode::kShared, &at_same));
      }
      ASSERT_OK(forward ? cursor.Next() : cursor.Prev());
    }
    EXPECT_EQ(entries, 3000u);
    const BufferPoolCounters counters = cold->pool()->counters();
    EXPECT_GT(counters.prefetched, leaves * 9 / 10);
    EXPECT_LT(counters.misses, leaves / 10);
    EXPECT_LT(counters.prefetched + counters.misses, leaves + leaves / 10 + 10);
  }
}

// What is read ahead grows with the walk, ends with it, and is nothing when all is cached.
TEST(ReadAheadTest, ShortWalksReadLittleAhead) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  BTree tree(store.get(), MakeTree(store.get()));
  for (uint64_t i = 0; i < 3000; ++i) {
    ASSERT_OK(InsertOne(&tree, LongKeyOf(i, 100), std::string(1500, 'v')));
  }
  auto cold = OpenStore(&volume, 4096);
  BufferPool* const pool = cold->pool();
  const BTree same(cold.get(), tree.root());
  const auto walk = [&](uint64_t from, int leaves) {
    Mtr mtr(cold.get());
    LeafCursor cursor(&same, &mtr);
    ASSERT_OK(cursor.Seek(LongKeyOf(from, 100), SeekMode::kAtLeast, LatchMode::kShared));
    for (PageNo at = cursor.leaf()->number(); leaves > 0;) {
      ASSERT_OK(cursor.Next());
      ASSERT_TRUE(cursor.valid());
      if (cursor.leaf()->number() != at) {
        at = cursor.leaf()->number();
        pool->read_ahead().DrainForTesting();
        --leaves;
      }
    }
  };
  walk(0, 1);
  EXPECT_EQ(pool->counters().prefetched, 0u);
  walk(500, 2);
  EXPECT_LE(pool->counters().prefetched, 8u);
  EXPECT_GT(pool->counters().prefetched, 4u);
  const uint64_t before = pool->counters().prefetched;
  walk(1000, 40);
  EXPECT_GE(pool->counters().prefetched - before, 40u);
  EXPECT_LE(pool->counters().prefetched - before, 40u + 64u);
  const BufferPoolCounters walked = pool->counters();
  walk(1000, 40);
  EXPECT_LE(pool->counters().prefetched - walked.prefetched, 64u);
  EXPECT_EQ(pool->counters().misses, walked.misses);
}

TEST(ReadAheadTest, ReadingAheadFailsSilently) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  BTree tree(store.get(), MakeTree(store.get()));
  // Far more leaves than are ever read ahead.
  for (uint64_t i = 0; i < 3000; ++i) {
    ASSERT_OK(InsertOne(&tree, LongKeyOf(i, 100), std::string(1500, 'v')));
  }
  auto cold = OpenStore(&volume);
  const BTree same(cold.get(), tree.root());
  Mtr mtr(cold.get());
  LeafCursor cursor(&same, &mtr);
  ASSERT_OK(cursor.SeekFirst(LatchMode::kShared));
  Status status;
  while (status.ok() && cold->pool()->counters().misses < 6) {
    status = cursor.Next();
  }
  cold->pool()->read_ahead().DrainForTesting();
  volume.FailReadsWith(Status::Unavailable("test"));
  while (status.ok() && cursor.valid()) {
    status = cursor.Next();
  }
  EXPECT_TRUE(status.Is(Code::kUnavailable)) << "the walk itself meets the error";
  cold->pool()->read_ahead().DrainForTesting();
}

}  // namespace
}  // namespace borealis::engine
