// Many threads in one tree: inserts, updates, deletes, lookups, scans both ways, with splits and
// merges under them, in pools large and tiny; and reader instances that apply the writer's log.
#include <atomic>
#include <map>

#include "base/os/thread.h"
#include "tests/unit/engine/store_testing.h"
#include "tests/unit/engine/stress.h"

namespace borealis::engine {
namespace {

#if defined(BOREALIS_SANITIZED)
constexpr int kScale = 1;
#else
constexpr int kScale = 10;
#endif

// Keys with number % 16 == 15 are put in first and never removed.
constexpr uint64_t kKeys = 6000;
bool IsPermanent(uint64_t number) {
  return number % 16 == 15;
}

constexpr size_t kPrefix = 600;
std::string Padded(uint64_t number) {
  return LongKeyOf(number, kPrefix);
}

void PutPermanentKeys(BTree* tree) {
  for (uint64_t i = 15; i < kKeys; i += 16) {
    ASSERT_OK(InsertOne(tree, Padded(i), "permanent"));
  }
}

// A whole scan sees keys in order and every permanent one.
Status ScanOnce(const BTree& tree, bool forward) {
  Mtr mtr(tree.store());
  LeafCursor cursor(&tree, &mtr);
  RETURN_IF_ERROR(forward ? cursor.SeekFirst(LatchMode::kShared)
                          : cursor.SeekLast(LatchMode::kShared));
  SavedPosition position;
  std::string last;
  uint64_t permanent = 0;
  int steps = 0;
  while (cursor.valid()) {
    if (!last.empty() && (forward ? cursor.key() <= last : cursor.key() >= last)) {
      return Status::Internal("keys out of order in a scan");
    }
    last.assign(cursor.key());
    permanent += IsPermanent(LoadBig<uint64_t>(last.data() + kPrefix)) ? 1 : 0;
    if (++steps % 100 == 0) {
      // Let go and come back, as a statement does between rows.
      cursor.Save(&position);
      cursor.Release();
      bool same;
      RETURN_IF_ERROR(cursor.Restore(position, LatchMode::kShared, &same));
      if (!same) {
        if (forward) {
          continue;  // on the next one already
        }
        RETURN_IF_ERROR(cursor.Seek(position.key, SeekMode::kBefore, LatchMode::kShared));
        continue;
      }
    }
    RETURN_IF_ERROR(forward ? cursor.Next() : cursor.Prev());
  }
  return permanent == kKeys / 16
             ? Status::Ok()
             : Status::Internal("a scan missed permanent keys: " + std::to_string(permanent));
}

// Random row changes of the keys that belong to thread `me` of `all`, against a model of its own.
void ChangeRows(BTree* tree, uint64_t me, uint64_t all, int steps,
                std::map<std::string, std::string>* model, const StressTime& time = {}) {
  std::mt19937_64 random(me + 1);
  for (int step = 0; step < steps || time.GoesOn(); ++step) {
    uint64_t number = random() % kKeys;
    number = number / all * all + me;
    if (IsPermanent(number) || number >= kKeys) {
      continue;
    }
    const std::string key = Padded(number);
    const std::string value(random() % 900, static_cast<char>('a' + step % 26));
    const bool present = model->contains(key);
    const bool shrinking = step / 500 % 2 == 1;
    if (random() % 10 < (shrinking ? 7u : 3u)) {
      ASSERT_EQ(DeleteOne(tree, key).code(), present ? Code::kOk : Code::kNotFound);
      model->erase(key);
    } else if (present) {
      ASSERT_OK(UpdateOne(tree, key, value));
      (*model)[key] = value;
    } else {
      ASSERT_OK(InsertOne(tree, key, value));
      (*model)[key] = value;
    }
  }
}

void ReadRows(const BTree& tree, const std::atomic<bool>& stop, std::atomic<int>* rounds) {
  std::mt19937_64 random(99);
  std::string value;
  while (!stop.load()) {
    for (int i = 0; i < 200; ++i) {
      const uint64_t number = random() % (kKeys / 16) * 16 + 15;
      ASSERT_OK(tree.Get(Padded(number), &value));
      ASSERT_EQ(value, "permanent");
    }
    ASSERT_OK(ScanOnce(tree, *rounds % 2 == 0));
    ++*rounds;
  }
}

class ConcurrencyTest : public testing::TestWithParam<size_t> {};

TEST_P(ConcurrencyTest, EightThreads) {
  MemoryVolume volume;
  auto store = OpenStore(&volume, GetParam());
  BTree tree(store.get(), MakeTree(store.get()));
  PutPermanentKeys(&tree);
  constexpr uint64_t kWriters = 6;
  std::vector<std::map<std::string, std::string>> models(kWriters);
  std::atomic<bool> stop{false};
  std::atomic<int> rounds{0};
  const StressTime time;
  {
    std::vector<Thread> readers;
    for (int i = 0; i < 2; ++i) {
      readers.emplace_back("reader", [&] { ReadRows(tree, stop, &rounds); });
    }
    // Not without pause: a check keeps all structure changes waiting.
    readers.emplace_back("verifier", [&] {
      for (int seen = -1; !stop.load(); std::this_thread::yield()) {
        if (rounds == seen) {
          continue;
        }
        seen = rounds;
        Result<BTree::Shape> shape = tree.Verify();
        ASSERT_TRUE(shape.ok()) << shape.status().ToString();
      }
    });
    {
      std::vector<Thread> writers;
      for (uint64_t t = 0; t < kWriters; ++t) {
        writers.emplace_back(
            "writer", [&, t] { ChangeRows(&tree, t, kWriters, 1000 * kScale, &models[t], time); });
      }
    }
    stop = true;
  }
  EXPECT_GT(rounds.load(), 0);
  size_t expected = 0;
  for (uint64_t i = 15; i < kKeys; i += 16) {
    ++expected;
  }
  for (const auto& model : models) {
    expected += model.size();
    for (const auto& [key, value] : model) {
      std::string read;
      ASSERT_OK(tree.Get(key, &read));
      ASSERT_EQ(read, value);
    }
  }
  Result<BTree::Shape> shape = tree.Verify();
  ASSERT_TRUE(shape.ok()) << shape.status().ToString();
  EXPECT_EQ(shape->entries, expected);
  // No page is lost or held twice.
  EXPECT_EQ(store->space()->MeasureUsage()->allocated_pages,
            shape->leaf_pages + shape->inner_pages + 2);
}

INSTANTIATE_TEST_SUITE_P(Frames, ConcurrencyTest, testing::Values(4096, 64),
                         testing::PrintToStringParamName());

// Feeds a reader instance with what became durable since the last call.
class Feeder {
 public:
  Feeder(MemoryVolume* volume, Store* replica) : volume_(volume), replica_(replica) {}

  void Step() {
    const Lsn through = volume_->vdl();
    std::vector<RecordView> records;
    volume_->ForEachRecord(replica_->pool()->applied_lsn(), through,
                           [&](const RecordView& record) { records.push_back(record); });
    ASSERT_OK(replica_->pool()->ApplyLog(records, through));
  }

 private:
  MemoryVolume* const volume_;
  Store* const replica_;
};

class ReplicaTest : public testing::TestWithParam<size_t> {};

TEST_P(ReplicaTest, SeesWholeMiniTransactionsOnly) {
  MemoryVolume volume;
  auto store = OpenStore(&volume, 512);
  const PageNo root = MakeTree(store.get());
  BTree tree(store.get(), root);
  PutPermanentKeys(&tree);
  Result<std::unique_ptr<Store>> replica = Store::OpenReader(&volume, {GetParam() * kPageSize});
  ASSERT_TRUE(replica.ok()) << replica.status().ToString();
  const BTree copy(replica->get(), root);
  Feeder feeder(&volume, replica->get());
  feeder.Step();
  std::map<std::string, std::string> model;
  std::atomic<bool> stop{false};
  std::atomic<int> rounds{0};
  {
    std::vector<Thread> readers;
    for (int i = 0; i < 3; ++i) {
      readers.emplace_back("reader", [&] { ReadRows(copy, stop, &rounds); });
    }
    Thread applier("applier", [&] {
      while (!stop.load()) {
        feeder.Step();
        (*replica)->pool()->ReportReadPoint();
        Result<BTree::Shape> shape = copy.Verify();
        ASSERT_TRUE(shape.ok()) << shape.status().ToString();
      }
    });
    ChangeRows(&tree, 0, 1, 3000 * kScale, &model, StressTime());
    stop = true;
  }
  EXPECT_GT(rounds.load(), 0);
  feeder.Step();
  // Every page the reader has is the volume's, byte for byte.
  Result<Space::Usage> usage = store->space()->MeasureUsage();
  ASSERT_TRUE(usage.ok());
  uint64_t compared = 0;
  for (uint64_t i = 0; i <= usage->highest.value(); ++i) {
    PageGuard guard = (*replica)->pool()->FetchCached(PageNo(i), LatchMode::kShared);
    if (!guard.holds()) {
      continue;
    }
    Page expected;
    ASSERT_OK(volume.ReadPage(PageNo(i), volume.vdl(), &expected));
    ASSERT_EQ(guard.page().lsn(), expected.lsn());
    ASSERT_TRUE(guard.page().view().substr(kPageHeaderSize) ==
                expected.view().substr(kPageHeaderSize));
    ++compared;
  }
  EXPECT_GT(compared, 20u);
  for (const auto& [key, value] : model) {
    std::string read;
    ASSERT_OK(copy.Get(key, &read));
    ASSERT_EQ(read, value);
  }
  const BufferPoolCounters counters = (*replica)->pool()->counters();
  EXPECT_GT(counters.applied_records, 0u);
  EXPECT_TRUE(InsertOne(const_cast<BTree*>(&copy), "x", "y").Is(Code::kUnsupported));
}

INSTANTIATE_TEST_SUITE_P(Frames, ReplicaTest, testing::Values(4096, 64),
                         testing::PrintToStringParamName());

TEST(ReplicaPoolTest, DropAllStartsAfresh) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  const PageNo root = MakeTree(store.get());
  BTree tree(store.get(), root);
  ASSERT_OK(InsertOne(&tree, "a", "1"));
  Result<std::unique_ptr<Store>> replica = Store::OpenReader(&volume, {64 * kPageSize});
  ASSERT_TRUE(replica.ok());
  const BTree copy(replica->get(), root);
  std::string value;
  ASSERT_OK(copy.Get("a", &value));
  ASSERT_OK(UpdateOne(&tree, "a", "2"));
  ASSERT_OK(copy.Get("a", &value));
  EXPECT_EQ(value, "1");
  (*replica)->pool()->DropAll(volume.vdl());
  ASSERT_OK(copy.Get("a", &value));
  EXPECT_EQ(value, "2");
}

}  // namespace
}  // namespace borealis::engine
