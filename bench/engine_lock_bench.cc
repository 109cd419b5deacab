// What row locks cost: changes of a row by its primary key, with and without an index entry to
// change, and one row that many sessions increment.
//
// HotRow runs its sessions as threads for a while; its counters are increments per second, and the
// fewest and the most that one session got: far apart, somebody starves.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/coding.h"
#include "engine/cursor.h"
#include "engine/engine.h"
#include "engine/row.h"
#include "engine/transaction.h"
#include "tests/support/memory_volume.h"

namespace borealis::engine {
namespace {

// Rows of 16 bytes and a filler: the primary key, an indexed number, and what no index has.
constexpr size_t kFiller = 100;

class Layout final : public RowLayout {
 public:
  Status BuildKey(size_t index_no, std::string_view row, IndexKey* out) const override {
    out->bytes = row.substr(index_no * 8, 8);
    out->unique_prefix_size = index_no == 0 ? 8 : 0;
    return Status::Ok();
  }
};

std::string Number(uint64_t number) {
  std::string text;
  AppendBig(&text, number);
  return text;
}

std::string Row(uint64_t id, uint64_t indexed, uint64_t plain) {
  return Number(id) + Number(indexed) + Number(plain) + std::string(kFiller, 'f');
}

void Check(const Status& status) {
  if (!status.ok()) {
    std::abort();
  }
}

struct World {
  explicit World(uint64_t rows) {
    EngineOptions options;
    options.layouts = [](const TableDefinition&) -> Result<std::shared_ptr<const RowLayout>> {
      return std::shared_ptr<const RowLayout>(std::make_shared<Layout>());
    };
    options.buffer_pool_bytes = size_t{256} << 20;
    options.background_threads = false;  // purge would be measured with it
    engine = std::move(Engine::Open(&volume, std::move(options))).value();
    SchemaDefinition schema;
    schema.name = "test";
    Check(engine->CreateSchema(schema, {}));
    TableDefinition definition;
    definition.schema = "test";
    definition.name = "t";
    definition.indexes.resize(2);
    definition.indexes[0].name = "PRIMARY";
    definition.indexes[0].unique = true;
    definition.indexes[1].name = "k";
    Check(engine->CreateTable(std::move(definition), {}).status());
    for (uint64_t i = 0; i < rows; ++i) {
      auto trx = engine->Begin({});
      Check(Insert(*trx, *Open(*trx), Row(i, i, 0), nullptr));
      Check(trx->CommitAndWait());
    }
  }

  TableRef Open(Transaction& trx) {
    return std::move(engine->OpenTable(trx, "test", "t", TableUse::kChange)).value();
  }

  MemoryVolume volume;
  std::unique_ptr<Engine> engine;
};

constexpr uint64_t kRows = 10'000;

void UpdateByKey(benchmark::State& state, bool indexed) {
  World world(kRows);
  uint64_t number = 0;
  for (auto _ : state) {
    const uint64_t id = number++ * 7919 % kRows;
    auto trx = world.engine->Begin({});
    Check(Update(*trx, *world.Open(*trx), Number(id), Row(id, indexed ? id + number : id, number),
                 nullptr));
    Check(trx->CommitAndWait());
  }
}

void PlainColumn(benchmark::State& state) {
  UpdateByKey(state, /*indexed=*/false);
}
BENCHMARK(PlainColumn)->Iterations(50'000);

void IndexedColumn(benchmark::State& state) {
  UpdateByKey(state, /*indexed=*/true);
}
BENCHMARK(IndexedColumn)->Iterations(50'000);

// Reads rows through the index with a shared lock; the index has all that is asked for.
void CoveringShared(benchmark::State& state) {
  World world(kRows);
  uint64_t number = 0;
  for (auto _ : state) {
    auto trx = world.engine->Begin({});
    ScanOptions options;
    options.index_no = 1;
    options.lock = LockMode::kShared;
    options.covering = true;
    options.range = KeyRange::Prefix(Number(number++ * 7919 % kRows));
    auto cursor = std::move(OpenCursor(*trx, world.Open(*trx), std::move(options))).value();
    Check(cursor->Next().status());
    Check(trx->CommitAndWait());
  }
}
BENCHMARK(CoveringShared)->Iterations(50'000);

void HotRow(benchmark::State& state) {
  World world(1);
  const auto sessions = static_cast<size_t>(state.range(0));
  std::vector<uint64_t> done(sessions);
  std::atomic<bool> stop{false};
  auto work = [&](size_t session) {
    while (!stop.load()) {
      auto trx = world.engine->Begin({});
      TableRef table = world.Open(*trx);
      std::string row;
      Check(Get(*trx, *table, Number(0), LockMode::kExclusive, WaitPolicy::kWait, &row));
      const uint64_t value = LoadBig<uint64_t>(row.data() + 16);
      Check(Update(*trx, *table, Number(0), Row(0, 0, value + 1), nullptr));
      Check(trx->CommitAndWait());
      ++done[session];
    }
  };
  for (auto _ : state) {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < sessions; ++i) {
      threads.emplace_back(work, i);
    }
    std::this_thread::sleep_for(std::chrono::seconds(5));
    stop.store(true);
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  uint64_t total = 0;
  for (uint64_t count : done) {
    total += count;
  }
  state.counters["increments/s"] = benchmark::Counter(static_cast<double>(total) / 5);
  state.counters["fewest"] = static_cast<double>(*std::min_element(done.begin(), done.end()));
  state.counters["most"] = static_cast<double>(*std::max_element(done.begin(), done.end()));
}
BENCHMARK(HotRow)->Arg(1)->Arg(10)->Arg(100)->Arg(1000)->Iterations(1)->UseRealTime();

}  // namespace
}  // namespace borealis::engine
