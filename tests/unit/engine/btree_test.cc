// The B+tree against std::map: random operations of all sizes, splits and merges, cursors, crashes
// at every consistency point, estimates.
#include "engine/store/btree.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "base/os/thread.h"
#include "engine/store/structure_change.h"
#include "tests/unit/engine/store_testing.h"

namespace borealis::engine {
namespace {

using Model = std::map<std::string, std::string>;

void ExpectEqual(const BTree& tree, const Model& model) {
  Result<BTree::Shape> shape = tree.Verify();
  ASSERT_TRUE(shape.ok()) << shape.status().ToString();
  ASSERT_EQ(shape->entries, model.size());
  Mtr mtr(tree.store());
  LeafCursor cursor(&tree, &mtr);
  ASSERT_OK(cursor.SeekFirst(LatchMode::kShared));
  for (const auto& [key, value] : model) {
    ASSERT_TRUE(cursor.valid());
    ASSERT_EQ(cursor.key(), key);
    ASSERT_EQ(cursor.value(), value);
    ASSERT_OK(cursor.Next());
  }
  ASSERT_FALSE(cursor.valid());
}

// How keys and values of a run are drawn.
struct Mix {
  const char* name;
  uint64_t keys;   // size of the key space
  size_t prefix;   // bytes that all keys share
  size_t key_pad;  // bytes appended to a key, at most
  size_t value_max;
  int delete_weight;  // of 10
  int height;         // the tree gets at least so tall
};

#if defined(BOREALIS_SANITIZED)
constexpr int kPhase = 1500;
#else
constexpr int kPhase = 3000;
#endif

class BTreeRandom : public testing::TestWithParam<Mix> {};

std::string PadKey(uint64_t number, size_t prefix, size_t pad) {
  std::string key = LongKeyOf(number, prefix);
  key.append(pad == 0 ? 0 : (number * 2654435761u) % (pad + 1), 'k');
  return key;
}

TEST_P(BTreeRandom, EqualsMap) {
  const Mix& mix = GetParam();
  MemoryVolume volume;
  auto store = OpenStore(&volume, 256);
  BTree tree(store.get(), MakeTree(store.get()));
  Model model;
  std::mt19937_64 random(7);
  for (int step = 0; step < 4 * kPhase; ++step) {
    // Grow, then shrink, then grow again.
    const bool shrinking = (step / kPhase) % 2 == 1;
    const std::string key = PadKey(random() % mix.keys, mix.prefix, mix.key_pad);
    const size_t value_max = std::min(mix.value_max, MaxValueSize(key.size()));
    const std::string value(random() % (value_max + 1), static_cast<char>('a' + step % 26));
    const int dice = static_cast<int>(random() % 10);
    const int deletes = shrinking ? 10 - mix.delete_weight : mix.delete_weight;
    if (dice < deletes) {
      ASSERT_EQ(DeleteOne(&tree, key).code(), model.erase(key) ? Code::kOk : Code::kNotFound);
    } else if (dice % 2 == 0 && model.contains(key)) {
      ASSERT_OK(UpdateOne(&tree, key, value));
      model[key] = value;
    } else {
      const bool fresh = !model.contains(key);
      ASSERT_EQ(InsertOne(&tree, key, value).code(), fresh ? Code::kOk : Code::kAlreadyExists);
      if (fresh) {
        model[key] = value;
      }
    }
    if (step % 1000 == 999) {
      ExpectEqual(tree, model);
      if (HasFatalFailure()) {
        FAIL() << "at step " << step;
      }
    }
  }
  EXPECT_GE(tree.Verify()->height, mix.height);
  // Empty it: the tree shrinks back to its root, but for a leaf or two: one that became empty while
  // it was its parent's only child stays until something beside it is merged. Which ones those are
  // depends on splits, which depend on hints that go when a page is evicted.
  for (const auto& [key, value] : model) {
    ASSERT_OK(DeleteOne(&tree, key));
  }
  Result<BTree::Shape> shape = tree.Verify();
  ASSERT_TRUE(shape.ok()) << shape.status().ToString();
  EXPECT_EQ(shape->entries, 0u);
  EXPECT_LE(shape->leaf_pages, 2u);
  EXPECT_LE(shape->inner_pages, 1u);
  // Nothing else is left but the header and the bitmap.
  Result<Space::Usage> usage = store->space()->MeasureUsage();
  ASSERT_TRUE(usage.ok());
  EXPECT_EQ(usage->allocated_pages, 2 + shape->leaf_pages + shape->inner_pages);
}

INSTANTIATE_TEST_SUITE_P(
    Mixes, BTreeRandom,
    testing::Values(Mix{"Small", 3000, 0, 0, 40, 3, 2}, Mix{"Rows", 20000, 0, 4, 400, 2, 2},
                    Mix{"BigValues", 2000, 0, 0, kEntrySizeMax, 3, 2},
                    Mix{"MiddleKeys", 6000, 300, 300, 100, 2, 3},
                    Mix{"BigKeys", 4000, kKeySizeMax - 8, 0, 100, 2, 5},
                    Mix{"UnevenKeys", 4000, 10, kKeySizeMax - 18, 100, 2, 2},
                    Mix{"BigBoth", 1500, 2000, kKeySizeMax - 2008, kEntrySizeMax, 4, 4}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(BTreeTest, EmptyTree) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  BTree tree(store.get(), MakeTree(store.get()));
  std::string value;
  EXPECT_TRUE(tree.Get("a", &value).Is(Code::kNotFound));
  EXPECT_TRUE(DeleteOne(&tree, "a").Is(Code::kNotFound));
  EXPECT_TRUE(UpdateOne(&tree, "a", "b").Is(Code::kNotFound));
  Mtr mtr(store.get());
  LeafCursor cursor(&tree, &mtr);
  for (const SeekMode mode :
       {SeekMode::kAtLeast, SeekMode::kAfter, SeekMode::kAtMost, SeekMode::kBefore}) {
    ASSERT_OK(cursor.Seek("a", mode, LatchMode::kShared));
    EXPECT_FALSE(cursor.valid());
  }
  ASSERT_OK(cursor.SeekFirst(LatchMode::kShared));
  EXPECT_FALSE(cursor.valid());
  ASSERT_OK(cursor.SeekLast(LatchMode::kShared));
  EXPECT_FALSE(cursor.valid());
}

TEST(BTreeTest, EmptyKeyAndValueAreEntries) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  BTree tree(store.get(), MakeTree(store.get()));
  ASSERT_OK(InsertOne(&tree, "", ""));
  EXPECT_TRUE(InsertOne(&tree, "", "x").Is(Code::kAlreadyExists));
  std::string value = "?";
  ASSERT_OK(tree.Get("", &value));
  EXPECT_EQ(value, "");
}

TEST(BTreeTest, RefusesWhatDoesNotFit) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  BTree tree(store.get(), MakeTree(store.get()));
  EXPECT_TRUE(InsertOne(&tree, std::string(kKeySizeMax + 1, 'k'), "").Is(Code::kInvalidArgument));
  EXPECT_TRUE(InsertOne(&tree, "k", std::string(kEntrySizeMax, 'v')).Is(Code::kInvalidArgument));
  for (const size_t key_size : {size_t{0}, size_t{1}, size_t{127}, size_t{128}, kKeySizeMax}) {
    const std::string key(key_size, 'k');
    EXPECT_LE(EntrySize(key_size, MaxValueSize(key_size)), kEntrySizeMax);
    EXPECT_GT(EntrySize(key_size, MaxValueSize(key_size) + 1), kEntrySizeMax - 1);
    ASSERT_OK(InsertOne(&tree, key, std::string(MaxValueSize(key_size), 'v')));
  }
  EXPECT_TRUE(tree.Verify().ok());
}

TEST(BTreeTest, AscendingInsertsFillPages) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  BTree tree(store.get(), MakeTree(store.get()));
  for (uint64_t i = 0; i < 20000; ++i) {
    ASSERT_OK(InsertOne(&tree, KeyOf(i), std::string(100, 'v')));
  }
  Result<BTree::Shape> shape = tree.Verify();
  ASSERT_TRUE(shape.ok()) << shape.status().ToString();
  EXPECT_GT(shape->used_bytes, shape->leaf_pages * node::kCapacity * 95 / 100);
}

TEST(BTreeTest, DescendingInsertsAndDeletes) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  BTree tree(store.get(), MakeTree(store.get()));
  for (uint64_t i = 20000; i > 0; --i) {
    ASSERT_OK(InsertOne(&tree, KeyOf(i), std::string(100, 'v')));
  }
  ASSERT_TRUE(tree.Verify().ok());
  for (uint64_t i = 20000; i > 0; --i) {
    ASSERT_OK(DeleteOne(&tree, KeyOf(i)));
  }
  Result<BTree::Shape> shape = tree.Verify();
  ASSERT_TRUE(shape.ok()) << shape.status().ToString();
  EXPECT_EQ(shape->height, 1);
}

class CursorTest : public testing::Test {
 protected:
  CursorTest() : store_(OpenStore(&volume_)), tree_(store_.get(), MakeTree(store_.get())) {
    for (uint64_t i = 1; i <= 2000; ++i) {
      EXPECT_TRUE(InsertOne(&tree_, KeyOf(10 * i), std::string(90, 'v')).ok());
    }
  }

  MemoryVolume volume_;
  std::unique_ptr<Store> store_;
  BTree tree_;
};

TEST_F(CursorTest, SeekModes) {
  Mtr mtr(store_.get());
  LeafCursor cursor(&tree_, &mtr);
  const auto seek = [&](uint64_t key, SeekMode mode) -> uint64_t {
    EXPECT_TRUE(cursor.Seek(KeyOf(key), mode, LatchMode::kShared).ok());
    return cursor.valid() ? LoadBig<uint64_t>(cursor.key().data()) : 0;
  };
  for (uint64_t i = 2; i < 2000; ++i) {
    ASSERT_EQ(seek(10 * i, SeekMode::kAtLeast), 10 * i);
    ASSERT_EQ(seek(10 * i, SeekMode::kAfter), 10 * i + 10);
    ASSERT_EQ(seek(10 * i, SeekMode::kAtMost), 10 * i);
    ASSERT_EQ(seek(10 * i, SeekMode::kBefore), 10 * i - 10);
    ASSERT_EQ(seek(10 * i + 5, SeekMode::kAtLeast), 10 * i + 10);
    ASSERT_EQ(seek(10 * i + 5, SeekMode::kAfter), 10 * i + 10);
    ASSERT_EQ(seek(10 * i + 5, SeekMode::kAtMost), 10 * i);
    ASSERT_EQ(seek(10 * i + 5, SeekMode::kBefore), 10 * i);
  }
  EXPECT_EQ(seek(10, SeekMode::kBefore), 0u);
  EXPECT_EQ(seek(9, SeekMode::kAtMost), 0u);
  EXPECT_EQ(seek(20000, SeekMode::kAfter), 0u);
  EXPECT_EQ(seek(20001, SeekMode::kAtLeast), 0u);
}

TEST_F(CursorTest, WalksBothWays) {
  Mtr mtr(store_.get());
  LeafCursor cursor(&tree_, &mtr);
  ASSERT_OK(cursor.SeekLast(LatchMode::kShared));
  uint64_t expected = 20000;
  while (cursor.valid()) {
    ASSERT_EQ(cursor.key(), KeyOf(expected));
    expected -= 10;
    ASSERT_OK(cursor.Prev());
  }
  EXPECT_EQ(expected, 0u);
  ASSERT_OK(cursor.SeekFirst(LatchMode::kExclusive));
  while (cursor.valid()) {
    expected += 10;
    ASSERT_EQ(cursor.key(), KeyOf(expected));
    ASSERT_OK(cursor.Next());
  }
  EXPECT_EQ(expected, 20000u);
}

TEST_F(CursorTest, PeekNextLeafNamesTheNextKey) {
  Mtr mtr(store_.get());
  LeafCursor cursor(&tree_, &mtr);
  int ends = 0;
  for (uint64_t i = 1; i <= 2000; ++i) {
    bool exact;
    ASSERT_OK(cursor.SeekLeaf(KeyOf(10 * i + 1), LatchMode::kExclusive, &exact));
    ASSERT_FALSE(exact);
    if (!cursor.valid()) {
      ++ends;
      std::string key;
      Result<bool> found = cursor.PeekNextLeaf(&key);
      ASSERT_TRUE(found.ok());
      ASSERT_EQ(*found, i < 2000);
      if (*found) {
        EXPECT_EQ(key, KeyOf(10 * i + 10));
      }
    }
  }
  EXPECT_GT(ends, 5);
}

TEST_F(CursorTest, RestoresWithoutDescentWhenUnchanged) {
  SavedPosition position;
  {
    Mtr mtr(store_.get());
    LeafCursor cursor(&tree_, &mtr);
    ASSERT_OK(cursor.Seek(KeyOf(5000), SeekMode::kAtLeast, LatchMode::kShared));
    cursor.Save(&position);
  }
  const uint64_t hits = store_->pool()->counters().hits;
  {
    Mtr mtr(store_.get());
    LeafCursor cursor(&tree_, &mtr);
    bool same;
    ASSERT_OK(cursor.Restore(position, LatchMode::kShared, &same));
    EXPECT_TRUE(same);
    EXPECT_EQ(cursor.key(), KeyOf(5000));
  }
  EXPECT_EQ(store_->pool()->counters().hits, hits + 1);
  // The leaf changes: found again by key.
  ASSERT_OK(InsertOne(&tree_, KeyOf(4999), "x"));
  {
    Mtr mtr(store_.get());
    LeafCursor cursor(&tree_, &mtr);
    bool same;
    ASSERT_OK(cursor.Restore(position, LatchMode::kShared, &same));
    EXPECT_TRUE(same);
    EXPECT_EQ(cursor.key(), KeyOf(5000));
  }
  // The entry goes: the one after it.
  ASSERT_OK(DeleteOne(&tree_, KeyOf(5000)));
  {
    Mtr mtr(store_.get());
    LeafCursor cursor(&tree_, &mtr);
    bool same;
    ASSERT_OK(cursor.Restore(position, LatchMode::kShared, &same));
    EXPECT_FALSE(same);
    ASSERT_TRUE(cursor.valid());
    EXPECT_EQ(cursor.key(), KeyOf(5010));
  }
}

// A step to the left that has to let go of its leaf, in which another entry appears meanwhile.
TEST_F(CursorTest, PrevSeesWhatWasInsertedMeanwhile) {
  uint64_t left_last = 0;
  for (uint64_t i = 1; i < 2000 && left_last == 0; ++i) {
    Mtr mtr(store_.get());
    LeafCursor cursor(&tree_, &mtr);
    bool exact;
    ASSERT_OK(cursor.SeekLeaf(KeyOf(10 * i + 1), LatchMode::kShared, &exact));
    left_last = cursor.valid() ? 0 : 10 * i;
  }
  ASSERT_GT(left_last, 0u);
  ASSERT_OK(DeleteOne(&tree_, KeyOf(left_last + 10)));  // the right leaf now begins at +20
  std::atomic<bool> positioned{false};
  Mtr holder(store_.get());
  LeafCursor left(&tree_, &holder);
  ASSERT_OK(left.Seek(KeyOf(left_last), SeekMode::kAtLeast, LatchMode::kExclusive));
  Thread walker("walker", [&] {
    Mtr mtr(store_.get());
    LeafCursor cursor(&tree_, &mtr);
    ASSERT_OK(cursor.Seek(KeyOf(left_last + 20), SeekMode::kAtLeast, LatchMode::kShared));
    positioned = true;
    ASSERT_OK(cursor.Prev());
    ASSERT_TRUE(cursor.valid());
    EXPECT_EQ(cursor.key(), KeyOf(left_last + 15));
  });
  while (!positioned) {
    std::this_thread::yield();
  }
  // Gets the right leaf only once the walker has let go of it to wait for the left one. On a thread
  // of its own: one thread has one descent at a time (INV-BTR-4).
  Thread inserter("inserter",
                  [&] { ASSERT_OK(InsertOne(&tree_, KeyOf(left_last + 15), "meanwhile")); });
  inserter.Join();
  left.Release();
  walker.Join();
}

TEST_F(CursorTest, ChangesUnderTheCursor) {
  ASSERT_OK(DeleteOne(&tree_, KeyOf(700)));  // makes room
  Mtr mtr(store_.get());
  ASSERT_OK(mtr.StartWriting());
  LeafCursor cursor(&tree_, &mtr);
  bool exact;
  ASSERT_OK(cursor.SeekLeaf(KeyOf(705), LatchMode::kExclusive, &exact));
  ASSERT_FALSE(exact);
  ASSERT_OK(cursor.InsertHere(KeyOf(705), "new"));
  EXPECT_EQ(cursor.key(), KeyOf(705));
  cursor.PatchValue(1, "EW");
  EXPECT_EQ(cursor.value(), "nEW");
  cursor.RaiseMaxTrxId(77);
  EXPECT_EQ(cursor.max_trx_id(), 77u);
  mtr.Commit();
  std::string value;
  ASSERT_OK(tree_.Get(KeyOf(705), &value));
  EXPECT_EQ(value, "nEW");
}

TEST_F(CursorTest, FullLeafSendsToTheTree) {
  int full = 0;
  for (uint64_t i = 1; i < 1000; ++i) {
    Mtr mtr(store_.get());
    ASSERT_OK(mtr.StartWriting());
    LeafCursor cursor(&tree_, &mtr);
    bool exact;
    ASSERT_OK(cursor.SeekLeaf(KeyOf(10 * i + 3), LatchMode::kExclusive, &exact));
    Status status = cursor.InsertHere(KeyOf(10 * i + 3), std::string(300, 'w'));
    if (status.Is(Code::kRetry)) {
      ++full;
      cursor.Release();
      status = tree_.Insert(&mtr, KeyOf(10 * i + 3), std::string(300, 'w'), 9);
    }
    ASSERT_OK(status);
    mtr.Commit();
  }
  EXPECT_GT(full, 10);
  ASSERT_TRUE(tree_.Verify().ok());
}

TEST_F(CursorTest, Estimates) {
  Result<BTree::Estimate> size = tree_.EstimateSize();
  ASSERT_TRUE(size.ok());
  Result<BTree::Shape> shape = tree_.Verify();
  ASSERT_TRUE(shape.ok());
  EXPECT_EQ(size->height, shape->height);
  EXPECT_EQ(size->leaf_pages, shape->leaf_pages);
  EXPECT_NEAR(static_cast<double>(size->entries), 2000, 300);
  const auto range = [&](uint64_t from, uint64_t to) {
    const std::string low = KeyOf(from);
    const std::string high = KeyOf(to);
    const std::string_view low_view = low;
    const std::string_view high_view = high;
    Result<uint64_t> count = tree_.EstimateRange(&low_view, &high_view);
    EXPECT_TRUE(count.ok());
    return *count;
  };
  EXPECT_EQ(range(1000, 1000), 0u);
  EXPECT_EQ(range(1000, 1001), 1u);
  EXPECT_EQ(range(1000, 1100), 10u);
  EXPECT_EQ(range(1000, 3000), 200u);
  EXPECT_EQ(range(3000, 1000), 0u);
  EXPECT_EQ(range(1, 5), 0u);
  EXPECT_EQ(range(20001, 30000), 0u);
  EXPECT_NEAR(static_cast<double>(range(2000, 18000)), 1600, 160);
  EXPECT_NEAR(static_cast<double>(*tree_.EstimateRange(nullptr, nullptr)), 2000, 200);
}

TEST(BTreeTest, EstimatesOfATallTree) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  BTree tree(store.get(), MakeTree(store.get()));
  std::mt19937_64 random(3);
  for (int i = 0; i < 6000; ++i) {
    ASSERT_OK(InsertOne(&tree, LongKeyOf(random(), 700), "v"));
  }
  Result<BTree::Shape> shape = tree.Verify();
  ASSERT_TRUE(shape.ok());
  ASSERT_GE(shape->height, 4);
  Result<BTree::Estimate> size = tree.EstimateSize(32);
  ASSERT_TRUE(size.ok());
  EXPECT_NEAR(static_cast<double>(size->entries), 6000, 2000);
  const std::string low = LongKeyOf(uint64_t{1} << 62, 700);
  const std::string high = LongKeyOf(uint64_t{3} << 62, 700);
  const std::string_view low_view = low;
  const std::string_view high_view = high;
  Result<uint64_t> half = tree.EstimateRange(&low_view, &high_view);
  ASSERT_TRUE(half.ok());
  EXPECT_NEAR(static_cast<double>(*half), 3000, 900);
}

TEST(BTreeTest, ClearInSteps) {
  for (const bool visiting : {false, true}) {
    MemoryVolume volume;
    auto store = OpenStore(&volume, 128);
    BTree tree(store.get(), MakeTree(store.get()));
    for (uint64_t i = 0; i < 5000; ++i) {
      ASSERT_OK(InsertOne(&tree, LongKeyOf(i * 7919 % 5000, 800), "v"));
    }
    ASSERT_GE(tree.Verify()->height, 4);
    const uint64_t used = store->space()->MeasureUsage()->highest.value() + 1;
    ASSERT_GT(used, 300U);
    int steps = 0;
    uint64_t visited = 0;
    while (true) {
      Mtr mtr(store.get());
      ASSERT_OK(mtr.StartWriting());
      const BTree::EntryVisitor visit = [&](std::string_view, std::string_view) {
        ++visited;
        return Status::Ok();
      };
      Result<bool> done = tree.ClearStep(&mtr, 10, visiting ? visit : nullptr);
      mtr.Commit();
      ASSERT_TRUE(done.ok()) << done.status().ToString();
      ++steps;
      if (*done) {
        break;
      }
    }
    EXPECT_GT(steps, 10);
    EXPECT_EQ(visited, visiting ? 5000u : 0u);
    // Truncated: it works as an empty tree.
    ASSERT_OK(InsertOne(&tree, "a", "b"));
    ASSERT_OK(DeleteOne(&tree, "a"));
    EXPECT_EQ(tree.Verify()->height, 1);
    Mtr mtr(store.get());
    ASSERT_OK(mtr.StartWriting());
    ASSERT_OK(tree.DropRoot(&mtr));
    mtr.Commit();
    EXPECT_EQ(store->space()->MeasureUsage()->allocated_pages, 2u);
    // INV-SPC-3
    for (uint64_t number = 2; number < used; ++number) {
      Page page;
      ASSERT_OK(volume.ReadPage(PageNo(number), volume.vdl(), &page));
      EXPECT_TRUE(IsAllZero(page.view().substr(kPageHeaderSize))) << "page " << number;
    }
  }
}

// The log cut at any consistency point: the tree is whole and equals the model of that moment.
TEST(BTreeTest, WholeAfterACrashAnywhere) {
  MemoryVolume volume;
  auto store = OpenStore(&volume, 512);
  const PageNo root = MakeTree(store.get());
  BTree tree(store.get(), root);
  volume.HoldDurability();
  Model model;
  std::vector<std::pair<Lsn, Model>> moments;
  std::mt19937_64 random(11);
  for (int step = 0; step < 700; ++step) {
    const std::string key = LongKeyOf(random() % 300, 2000);
    const std::string value(random() % 1500, static_cast<char>('a' + step % 26));
    if (step % 500 > 350 || random() % 4 == 0) {
      if (DeleteOne(&tree, key).ok()) {
        model.erase(key);
      }
    } else if (model.contains(key)) {
      ASSERT_OK(UpdateOne(&tree, key, value));
      model[key] = value;
    } else {
      ASSERT_OK(InsertOne(&tree, key, value));
      model[key] = value;
    }
    moments.emplace_back(volume.appended(), model);
  }
  for (size_t i = 0; i < moments.size(); i += 7) {
    // Some bytes beyond the moment: a torn mini-transaction is not seen.
    auto copy = volume.CrashCopy(moments[i].first + (i % 3) * 20);
    auto after = OpenStore(copy.get(), 256);
    BTree reopened(after.get(), root);
    ExpectEqual(reopened, moments[i].second);
    ASSERT_FALSE(HasFatalFailure()) << "moment " << i;
    ASSERT_OK(InsertOne(&reopened, "after the crash", "v"));
    ASSERT_TRUE(reopened.Verify().ok());
  }
}

TEST(BTreeTest, FailedReadsLeaveTheTreeWhole) {
  MemoryVolume volume;
  auto store = OpenStore(&volume, 64);
  BTree tree(store.get(), MakeTree(store.get()));
  Model model;
  std::mt19937_64 random(5);
  int failures = 0;
  for (int step = 0; step < 6000; ++step) {
    if (step > 2000) {
      volume.FailReadsWith(random() % 4 == 0 ? Status::Unavailable("test") : Status::Ok());
    }
    const std::string key = LongKeyOf(random() % 3000, 1000);
    const std::string value(random() % 900, 'v');
    if (random() % 2 == 0) {
      const Status status = InsertOne(&tree, key, value);
      failures += status.Is(Code::kUnavailable) ? 1 : 0;
      if (status.ok()) {
        model[key] = value;
      }
    } else {
      const Status status = DeleteOne(&tree, key);
      failures += status.Is(Code::kUnavailable) ? 1 : 0;
      if (status.ok()) {
        model.erase(key);
      }
    }
  }
  volume.FailReadsWith(Status::Ok());
  EXPECT_GT(failures, 50);
  ExpectEqual(tree, model);
}

TEST(BTreeTest, InsertLogsLittleMoreThanTheRow) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  BTree tree(store.get(), MakeTree(store.get()));
  std::mt19937_64 random(1);
  for (int i = 0; i < 30; ++i) {
    ASSERT_OK(InsertOne(&tree, KeyOf(random()), std::string(192, 'v')));
  }
  const Lsn before = volume.appended();
  ASSERT_OK(InsertOne(&tree, KeyOf(random()), std::string(192, 'v')));
  EXPECT_LE(volume.appended() - before, 300u);
}

}  // namespace
}  // namespace borealis::engine
