// Trees filled from ascending entries: equal to trees filled one by one, whole at every point.
#include "engine/store/bulk_load.h"

#include "tests/unit/engine/store_testing.h"

namespace borealis::engine {
namespace {

struct Shape {
  const char* name;
  int entries;
  size_t prefix;  // bytes that all keys share
  size_t value_max;
  int height;
};

class BulkLoadTest : public testing::TestWithParam<Shape> {
 protected:
  static std::string ValueOf(int i, size_t max) {
    return std::string((static_cast<size_t>(i) * 7919) % (max + 1),
                       static_cast<char>('a' + i % 26));
  }
};

TEST_P(BulkLoadTest, HoldsWhatWasAppended) {
  const Shape& shape = GetParam();
  MemoryVolume volume;
  auto store = OpenStore(&volume, 256);
  BTree tree(store.get(), MakeTree(store.get(), 7));
  {
    BulkLoad load(&tree, 7);
    for (int i = 0; i < shape.entries; ++i) {
      ASSERT_OK(load.Append(LongKeyOf(static_cast<uint64_t>(i) * 3, shape.prefix),
                            ValueOf(i, shape.value_max)));
    }
    ASSERT_OK(load.Finish());
  }
  Result<BTree::Shape> found = tree.Verify();
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_EQ(found->entries, static_cast<uint64_t>(shape.entries));
  EXPECT_EQ(found->height, shape.height);
  if (found->leaf_pages > 20) {
    EXPECT_GT(found->used_bytes, found->leaf_pages * node::kCapacity * 3 / 4);
    EXPECT_LE(found->used_bytes, found->leaf_pages * node::kCapacity * 15 / 16);
  }
  std::string value;
  for (int i = 0; i < shape.entries; ++i) {
    ASSERT_OK(tree.Get(LongKeyOf(static_cast<uint64_t>(i) * 3, shape.prefix), &value));
    ASSERT_EQ(value, ValueOf(i, shape.value_max));
  }
  // It takes changes like any other.
  for (int i = 0; i < shape.entries; ++i) {
    ASSERT_OK(InsertOne(&tree, LongKeyOf(static_cast<uint64_t>(i) * 3 + 1, shape.prefix), "new"));
    ASSERT_OK(DeleteOne(&tree, LongKeyOf(static_cast<uint64_t>(i) * 3, shape.prefix)));
  }
  found = tree.Verify();
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_EQ(found->entries, static_cast<uint64_t>(shape.entries));
}

// INV-BLK-1
TEST_P(BulkLoadTest, WhatACrashLeavesIsATreeThatCanBeFreed) {
  const Shape& shape = GetParam();
  // What is not durable has to fit into the log.
  const int entries = std::min<int>(
      shape.entries, static_cast<int>(2'000'000 / (shape.prefix + shape.value_max / 2 + 20)));
  MemoryVolume volume;
  PageNo root;
  uint64_t before = 0;
  Lsn start;
  {
    auto store = OpenStore(&volume, 256);
    root = MakeTree(store.get(), 7);
    before = store->space()->MeasureUsage()->allocated_pages;
    volume.HoldDurability();
    start = volume.appended();
    BTree tree(store.get(), root);
    BulkLoad load(&tree, 7);
    for (int i = 0; i < entries; ++i) {
      ASSERT_OK(load.Append(LongKeyOf(static_cast<uint64_t>(i), shape.prefix),
                            ValueOf(i, shape.value_max)));
    }
    ASSERT_OK(load.Finish());
  }
  std::vector<Lsn> points;
  volume.ForEachRecord(start, volume.appended(), [&](const RecordView& record) {
    if (record.is_consistency_point) {
      points.push_back(record.end);
    }
  });
  EXPECT_EQ(points.empty(), shape.entries == 0);
  for (size_t i = 0; i < points.size(); i += 1 + points.size() / 40) {
    std::unique_ptr<MemoryVolume> copy = volume.CrashCopy(points[i]);
    auto store = OpenStore(copy.get(), 256);
    BTree tree(store.get(), root);
    Result<BTree::Shape> found = tree.Verify();
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    for (bool cleared = false; !cleared;) {
      Mtr mtr(store.get());
      ASSERT_OK(mtr.StartWriting());
      Result<bool> step = tree.ClearStep(&mtr, 64);
      ASSERT_TRUE(step.ok());
      mtr.Commit();
      cleared = *step;
    }
    EXPECT_EQ(store->space()->MeasureUsage()->allocated_pages, before);
  }
  volume.Release();
}

INSTANTIATE_TEST_SUITE_P(Shapes, BulkLoadTest,
                         testing::Values(Shape{"none", 0, 0, 10, 1}, Shape{"one", 1, 0, 10, 1},
                                         Shape{"few", 300, 0, 10, 1},
                                         Shape{"many", 50'000, 0, 40, 2},
                                         Shape{"long", 4'000, 0, 3'000, 2},
                                         Shape{"tall", 2'500, 2'000, 100, 4}),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace borealis::engine
