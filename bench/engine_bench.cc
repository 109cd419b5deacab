// Speed of the engine's interface on the plain volume model, with the pool hot and one thread: what
// a statement costs below SQL. Each iteration is one transaction with one statement. Counters:
// allocs is calls of operator new for each iteration; a change includes those of the model, which
// keeps the log in memory.
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <random>
#include <string>

#include <benchmark/benchmark.h>

#include "base/coding.h"
#include "engine/cursor.h"
#include "engine/engine.h"
#include "engine/row.h"
#include "tests/support/memory_volume.h"

namespace {
std::atomic<uint64_t> allocations{0};
}  // namespace

// Not inlined: the compiler would see malloc beside delete, and object.
[[gnu::noinline]] void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* const memory = std::malloc(size);
  if (memory == nullptr) {
    std::abort();
  }
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

namespace borealis::engine {
namespace {

// A row: id (8 bytes, the clustered key), k (8 bytes, an index), and 184 bytes that no index has.
constexpr size_t kField = 8;
constexpr size_t kRow = 200;
constexpr uint64_t kRows = 100'000;

class FixedLayout final : public RowLayout {
 public:
  Status BuildKey(size_t index_no, std::string_view row, IndexKey* out) const override {
    if (row.size() != kRow) {
      return Status::InvalidArgument("row of another size");
    }
    out->bytes.assign(row.substr(index_no * kField, kField));
    out->unique_prefix_size = index_no == 0 ? kField : 0;
    return Status::Ok();
  }
};

std::string KeyOf(uint64_t number) {
  std::string key;
  AppendBig(&key, number);
  return key;
}

std::string RowOf(uint64_t id, uint64_t k, char filler) {
  return KeyOf(id) + KeyOf(k) + std::string(kRow - 2 * kField, filler);
}

void Must(const Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    std::abort();
  }
}

struct Loaded {
  Loaded() {
    EngineOptions options;
    options.layouts = [](const TableDefinition&) -> Result<std::shared_ptr<const RowLayout>> {
      return std::shared_ptr<const RowLayout>(std::make_shared<FixedLayout>());
    };
    options.buffer_pool_bytes = size_t{1} << 30;
    options.background_threads = false;
    engine = std::move(Engine::Open(&volume, std::move(options))).value();
    Must(engine->CreateSchema({"bench", ""}, {}));
    TableDefinition definition;
    definition.schema = "bench";
    definition.name = "t";
    definition.indexes.resize(2);
    definition.indexes[0].name = "PRIMARY";
    definition.indexes[0].unique = true;
    definition.indexes[1].name = "k";
    table = std::move(engine->CreateTable(std::move(definition), {})).value();
    std::unique_ptr<Transaction> trx = engine->Begin({});
    table = *engine->OpenTable(*trx, "bench", "t", TableUse::kChange);
    for (uint64_t id = 0; id < kRows; ++id) {
      trx->BeginStatement();
      Must(Insert(*trx, *table, RowOf(2 * id, Hash(id), 'a'), nullptr));
    }
    Must(trx->CommitAndWait());
    Must(engine->RunBackground());
  }
  static uint64_t Hash(uint64_t number) { return number * 0x9E37'79B9'7F4A'7C15ULL; }

  MemoryVolume volume;
  std::unique_ptr<Engine> engine;
  TableRef table;
};

Loaded& Shared() {
  static Loaded loaded;
  return loaded;
}

// Runs `statement(trx, table, random)` in a transaction of its own for each iteration.
template <class Statement>
void Run(benchmark::State& state, Statement statement) {
  Loaded& loaded = Shared();
  std::mt19937_64 random(7);
  const uint64_t before = allocations.load();
  for (auto _ : state) {
    std::unique_ptr<Transaction> trx = loaded.engine->Begin({});
    const TableRef table = *loaded.engine->OpenTable(*trx, "bench", "t", TableUse::kChange);
    trx->BeginStatement();
    statement(*trx, table, random());
    Must(trx->CommitAndWait());
  }
  state.counters["allocs"] =
      static_cast<double>(allocations.load() - before) / static_cast<double>(state.iterations());
  Must(loaded.engine->RunBackground());  // purges what was changed
}

void BM_Nothing(benchmark::State& state) {
  Run(state, [](Transaction&, const TableRef&, uint64_t) {});
}
BENCHMARK(BM_Nothing);

void BM_PointRead(benchmark::State& state) {
  std::string row;
  Run(state, [&](Transaction& trx, const TableRef& table, uint64_t random) {
    Must(Get(trx, *table, KeyOf(random % kRows * 2), LockMode::kNone, WaitPolicy::kWait, &row));
  });
}
BENCHMARK(BM_PointRead);

void BM_Scan100(benchmark::State& state) {
  Run(state, [](Transaction& trx, const TableRef& table, uint64_t random) {
    ScanOptions options;
    options.range.lower = KeyOf(random % (kRows - 200) * 2);
    auto cursor = std::move(OpenCursor(trx, table, std::move(options))).value();
    for (int i = 0; i < 100; ++i) {
      if (!cursor->Next().value()) {
        std::abort();
      }
      benchmark::DoNotOptimize(cursor->row()->data());
    }
  });
}
BENCHMARK(BM_Scan100);

void BM_Insert(benchmark::State& state) {
  static uint64_t next = 2 * kRows;
  Run(state, [](Transaction& trx, const TableRef& table, uint64_t random) {
    Must(Insert(trx, *table, RowOf(next++, random, 'b'), nullptr));
  });
}
BENCHMARK(BM_Insert)->Iterations(50'000);

// The index on k stays as it is.
void BM_UpdateOther(benchmark::State& state) {
  Run(state, [](Transaction& trx, const TableRef& table, uint64_t random) {
    const uint64_t id = random % kRows;
    Must(Update(trx, *table, KeyOf(2 * id),
                RowOf(2 * id, Loaded::Hash(id), static_cast<char>('a' + random % 26)), nullptr));
  });
}
BENCHMARK(BM_UpdateOther)->Iterations(50'000);

void BM_UpdateIndexed(benchmark::State& state) {
  Run(state, [](Transaction& trx, const TableRef& table, uint64_t random) {
    const uint64_t id = kRows / 2 + random % (kRows / 2);
    Must(Update(trx, *table, KeyOf(2 * id), RowOf(2 * id, random, 'c'), nullptr));
  });
}
BENCHMARK(BM_UpdateIndexed)->Iterations(50'000);

}  // namespace
}  // namespace borealis::engine
