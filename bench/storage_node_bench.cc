// What a storage node's thread spends on the foreground: appends like those of a sysbench
// read-write transaction, and page reads. The disk is left out: works are reported done undone.
// And what compression of layers costs and saves. With disk, threads and sockets:
// storage_process_bench.cc.
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/coding.h"
#include "base/os/random.h"
#include "base/os/sim_file.h"
#include "bench/storage_workload.h"
#include "storage_node/core.h"
#include "storage_node/node.h"

namespace borealis::storage_node {
namespace {

constexpr uint64_t kPages = 20'000;

class BenchClock final : public Clock {
 public:
  int64_t NowUs() const override { return now_us; }
  int64_t WallUs() const override { return now_us; }
  int64_t now_us = 1'000'000;
};

class Bench final : public NodeEnvironment {
 public:
  explicit Bench(size_t group_count = 1) : files_(1) {
    NodeConfig config;
    config.directory = "d";
    config.new_cluster = true;
    config.memory_bytes = uint64_t{4} << 30;
    node_ = std::make_unique<Node>(config, *this, files_, clock_);
    if (!node_->Open().ok()) {
      std::abort();
    }
    node_->OnFrame(1, GeometryFrame(Groups(group_count)));
    FinishWorks();
  }
  void Send(PeerId, Frame frame) override { benchmark::DoNotOptimize(frame.body.data()); }
  void SendToNode(NodeId, Frame) override {}
  void Start(Lane, uint64_t id, std::function<Status()>) override { started_.push_back(id); }
  void FinishWorks() {
    std::vector<uint64_t> done;
    done.swap(started_);
    for (const uint64_t id : done) {
      node_->OnWorkDone(id, Status::Ok());
    }
  }

  Node& node() { return *node_; }
  AppendMaker& appends() { return appends_; }
  void AdvanceUs(int64_t us) { clock_.now_us += us; }

 private:
  BenchClock clock_;
  SimFileSystem files_;
  std::unique_ptr<Node> node_;
  std::vector<uint64_t> started_;
  AppendMaker appends_{kPages};
};

// Argument: how many transactions gather in a batch.
void BM_Append(benchmark::State& state) {
  Bench bench;
  const auto batch = static_cast<size_t>(state.range(0));
  std::vector<Frame> frames;
  for (int64_t i = 0; i < state.max_iterations; ++i) {
    frames.push_back(bench.appends().Transaction());
  }
  size_t at = 0;
  for (auto _ : state) {
    bench.node().OnFrame(1, std::move(frames[at]));
    if (++at % batch == 0) {
      bench.FinishWorks();
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(bench.appends().lsn().value()));
}
BENCHMARK(BM_Append)->Arg(1)->Arg(8)->Iterations(40'000);

void BM_ReadPage(benchmark::State& state) {
  Bench bench;
  for (int i = 0; i < 20'000; ++i) {
    bench.node().OnFrame(1, bench.appends().Transaction());
    bench.FinishWorks();
  }
  Random random(7);
  const auto span = static_cast<uint64_t>(state.range(0));
  for (auto _ : state) {
    bench.node().OnFrame(1, bench.appends().ReadOf(PageNo(random.Below(span))));
  }
}
BENCHMARK(BM_ReadPage)->Arg(1'000)->Arg(kPages);  // from the cache; mostly from the table

// A timer tick, 200 of which a node has each second, when nothing happens. Argument: its groups.
void BM_IdleTick(benchmark::State& state) {
  const auto group_count = static_cast<size_t>(state.range(0));
  const Geometry geometry = Groups(group_count);
  Bench bench(group_count);
  for (uint32_t pg = 0; pg < group_count; ++pg) {
    bench.node().OnFrame(1, bench.appends().FirstOf(geometry, PgId(pg)));
    bench.FinishWorks();
  }
  for (auto _ : state) {
    bench.AdvanceUs(5'000);
    bench.node().OnTimer();
    bench.FinishWorks();
  }
}
BENCHMARK(BM_IdleTick)->Arg(1)->Arg(1'000);

// A page as the engine's B+tree has it: slots at the end, rows like sysbench's (an id, a number,
// groups of random digits, spaces up to the column's width), two thirds full.
std::string TreePage(Random& random, uint64_t number) {
  constexpr size_t kRowBytes = 4 + 4 + 120 + 60;
  std::string content;
  std::string slots;
  for (uint64_t row = 0; content.size() < kPageSize * 2 / 3; ++row) {
    AppendLittle(&slots, static_cast<uint16_t>(content.size()));
    AppendLittle(&content, static_cast<uint32_t>(number * 60 + row));
    AppendLittle(&content, static_cast<uint32_t>(random.Below(1'000'000)));
    const size_t end = content.size() - 8 + kRowBytes;
    for (int group = 0; group < 15; ++group) {
      content += std::to_string(10'000'000'000 + random.Below(89'999'999'999)) + "-";
    }
    content.resize(std::max(content.size(), end), ' ');
  }
  Page page;
  page.Clear();
  std::memcpy(page.bytes + 16, content.data(), content.size());
  std::memcpy(page.bytes + kPageSize - slots.size(), slots.data(), slots.size());
  page.set_lsn(Lsn(1000));
  SealPage(&page);
  return std::string(page.view());
}

constexpr size_t kLayerPages = 2'048;

// A layer of images in memory.
class LayerBench {
 public:
  LayerBench() : files_(1) {
    Random random(1);
    for (size_t i = 0; i < kLayerPages; ++i) {
      images_.push_back(TreePage(random, i));
    }
    if (!files_.CreateDirectories("d").ok()) {
      std::abort();
    }
  }
  LayerInfo Write() {
    LayerInfo info;
    info.number = 1;
    info.up_to = Lsn(1000);
    LayerWriter writer(files_, "d", info);
    bool ok = writer.Create().ok();
    for (size_t i = 0; i < images_.size(); ++i) {
      ok &= writer.Add({PageNo(i), Lsn(1000), true, images_[i]}).ok();
    }
    auto written = writer.Finish();
    if (!ok || !written.ok()) {
      std::abort();
    }
    return *written;
  }
  std::shared_ptr<Layer> Open(const LayerInfo& info) {
    return Layer::Open(files_, "d", info).value();
  }

 private:
  SimFileSystem files_;
  std::vector<std::string> images_;
};

void BM_WriteLayer(benchmark::State& state) {
  LayerBench bench;
  LayerInfo info;
  for (auto _ : state) {
    info = bench.Write();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kLayerPages * kPageSize));
  state.counters["ratio"] =
      static_cast<double>(kLayerPages * kPageSize) / static_cast<double>(info.bytes);
}
BENCHMARK(BM_WriteLayer)->Unit(benchmark::kMillisecond);

void BM_ReadLayerPage(benchmark::State& state) {
  LayerBench bench;
  const auto layer = bench.Open(bench.Write());
  Random random(7);
  for (auto _ : state) {
    std::vector<std::shared_ptr<const std::string>> blocks;
    std::vector<LayerEntry> entries;
    const PageNo page(random.Below(kLayerPages));
    if (!layer->ReadPage(page, Lsn(0), Lsn(2000), &blocks, &entries).ok()) {
      std::abort();
    }
    benchmark::DoNotOptimize(entries.data());
  }
}
BENCHMARK(BM_ReadLayerPage);

}  // namespace
}  // namespace borealis::storage_node
