// Speed of the store on the plain volume model: point lookups, inserts, scans, and the log that
// changes write (counters redo_B: record bytes per change, with their headers).
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/coding.h"
#include "engine/store/btree.h"
#include "engine/store/leaf_cursor.h"
#include "engine/store/store.h"
#include "tests/support/memory_volume.h"

namespace borealis::engine {
namespace {

constexpr size_t kRow = 192;

std::string KeyOf(uint64_t number) {
  std::string key;
  AppendBig(&key, number);
  return key;
}

// A tree of `rows` entries of 200 bytes, inserted in random order.
template <class VolumeModel = MemoryVolume>
struct Loaded {
  explicit Loaded(uint64_t rows, size_t pool_bytes = size_t{1} << 30) {
    store = std::move(Store::OpenWriter(&volume, {pool_bytes})).value();
    Mtr mtr(store.get());
    (void)mtr.StartWriting().ok();
    root = *BTree::Create(&mtr, 1);
    mtr.Commit();
    tree = std::make_unique<BTree>(store.get(), root);
    std::mt19937_64 random(1);
    for (uint64_t i = 0; i < rows; ++i) {
      keys.push_back(KeyOf(random()));
      Add(keys.back());
    }
  }

  uint64_t Add(const std::string& key) {
    Mtr mtr(store.get());
    if (!mtr.StartWriting().ok() || !tree->Insert(&mtr, key, std::string(kRow, 'v')).ok()) {
      std::abort();
    }
    mtr.Commit();
    return mtr.logged_bytes();
  }

  VolumeModel volume;
  std::unique_ptr<Store> store;
  PageNo root;
  std::unique_ptr<BTree> tree;
  std::vector<std::string> keys;
};

Loaded<>& Shared() {
  static Loaded<> loaded(200'000);
  return loaded;
}

void BM_PointLookup(benchmark::State& state) {
  Loaded<>& loaded = Shared();
  std::mt19937_64 random(static_cast<uint64_t>(state.thread_index()) + 1);
  uint64_t bytes = 0;
  for (auto _ : state) {
    Mtr mtr(loaded.store.get());
    LeafCursor cursor(loaded.tree.get(), &mtr);
    bool exact;
    if (!cursor.SeekLeaf(loaded.keys[random() % loaded.keys.size()], LatchMode::kShared, &exact)
             .ok() ||
        !exact) {
      std::abort();
    }
    bytes += cursor.value().size();
  }
  benchmark::DoNotOptimize(bytes);
  if (state.thread_index() == 0) {
    state.counters["height"] = loaded.tree->Verify()->height;
  }
}
BENCHMARK(BM_PointLookup);
BENCHMARK(BM_PointLookup)->Threads(2)->UseRealTime();

// Lookups in a small working set: what the latches and the hash table cost, without cache misses.
void BM_PointLookupHot(benchmark::State& state) {
  Loaded<>& loaded = Shared();
  for (auto _ : state) {
    Mtr mtr(loaded.store.get());
    LeafCursor cursor(loaded.tree.get(), &mtr);
    bool exact;
    benchmark::DoNotOptimize(cursor.SeekLeaf(loaded.keys[7], LatchMode::kShared, &exact).ok());
  }
}
BENCHMARK(BM_PointLookupHot);

// A page in the pool, found, latched and let go: what every step of a descent pays.
void BM_FetchHit(benchmark::State& state) {
  Loaded<>& loaded = Shared();
  BufferPool* const pool = loaded.store->pool();
  uint64_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(pool->Fetch(PageNo(2 + (++at & 63)), LatchMode::kShared).ok());
  }
}
BENCHMARK(BM_FetchHit);

// Storage a network away: each request takes a while, whatever it asks for.
class DistantVolume final : public MemoryVolume {
 public:
  Status ReadPage(PageNo page, Lsn read_point, Page* out) override {
    std::this_thread::sleep_for(std::chrono::microseconds(delay_us));
    return MemoryVolume::ReadPage(page, read_point, out);
  }
  Status ReadPages(std::span<const PageNo> pages, Lsn read_point, Page* out) override {
    std::this_thread::sleep_for(std::chrono::microseconds(delay_us));
    return MemoryVolume::ReadPages(pages, read_point, out);
  }
  std::atomic<int64_t> delay_us{0};
};

// A table several times the pool, read from end to end; a row is worth some 50 ns of a statement's
// work, so that there is something to overlap reading with.
void BM_ColdScan(benchmark::State& state) {
  static Loaded<DistantVolume> loaded(200'000, size_t{16} << 20);
  loaded.volume.delay_us = state.range(0);
  const BufferPoolCounters before = loaded.store->pool()->counters();
  uint64_t rows = 0;
  for (auto _ : state) {
    Mtr mtr(loaded.store.get());
    LeafCursor cursor(loaded.tree.get(), &mtr);
    (void)cursor.SeekFirst(LatchMode::kShared).ok();
    while (cursor.valid()) {
      uint64_t sum = 0;
      for (const char c : cursor.value()) {
        sum = sum * 31 + static_cast<unsigned char>(c);
      }
      benchmark::DoNotOptimize(sum);
      ++rows;
      (void)cursor.Next().ok();
    }
  }
  const BufferPoolCounters counters = loaded.store->pool()->counters();
  state.SetItemsProcessed(static_cast<int64_t>(rows));
  const auto each = [&](uint64_t now, uint64_t then) {
    return static_cast<double>(now - then) / static_cast<double>(state.iterations());
  };
  state.counters["misses"] = each(counters.misses, before.misses);
  state.counters["prefetched"] = each(counters.prefetched, before.prefetched);
}
BENCHMARK(BM_ColdScan)->Arg(100)->Arg(500)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_Scan(benchmark::State& state) {
  Loaded<>& loaded = Shared();
  uint64_t rows = 0;
  for (auto _ : state) {
    Mtr mtr(loaded.store.get());
    LeafCursor cursor(loaded.tree.get(), &mtr);
    (void)cursor.SeekFirst(LatchMode::kShared).ok();
    while (cursor.valid()) {
      benchmark::DoNotOptimize(cursor.value().data());
      ++rows;
      (void)cursor.Next().ok();
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(rows));
}
BENCHMARK(BM_Scan);

void Insert(benchmark::State& state, bool ascending) {
  Loaded<> loaded(20'000);
  std::mt19937_64 random(2);
  uint64_t next = ~uint64_t{0} / 2;
  uint64_t logged = 0;
  for (auto _ : state) {
    logged += loaded.Add(KeyOf(ascending ? ++next : random()));
  }
  state.counters["redo_B"] = static_cast<double>(logged) / static_cast<double>(state.iterations());
}
void BM_InsertRandom(benchmark::State& state) {
  Insert(state, false);
}
void BM_InsertAscending(benchmark::State& state) {
  Insert(state, true);
}
BENCHMARK(BM_InsertRandom)->Iterations(100'000);
BENCHMARK(BM_InsertAscending)->Iterations(100'000);

void BM_UpdateInPlace(benchmark::State& state) {
  Loaded<> loaded(20'000);
  std::mt19937_64 random(2);
  uint64_t logged = 0;
  std::string value(kRow, 'v');
  for (auto _ : state) {
    Mtr mtr(loaded.store.get());
    const uint64_t number = random();
    StoreLittle(value.data() + 40, number);
    if (!mtr.StartWriting().ok() ||
        !loaded.tree->Update(&mtr, loaded.keys[number % loaded.keys.size()], value).ok()) {
      std::abort();
    }
    mtr.Commit();
    logged += mtr.logged_bytes();
  }
  state.counters["redo_B"] = static_cast<double>(logged) / static_cast<double>(state.iterations());
}
BENCHMARK(BM_UpdateInPlace)->Iterations(100'000);

}  // namespace
}  // namespace borealis::engine
