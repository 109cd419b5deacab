// What a storage node's thread spends on the foreground: appends like those of a sysbench
// read-write transaction, and page reads. The disk is left out: works are reported done undone.
// And how fast a new segment is filled by peers, with files, threads and sockets as in service;
// what compression of layers costs and saves.
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/mutex.h"
#include "base/net/transport.h"
#include "base/os/random.h"
#include "base/os/sim_file.h"
#include "storage_node/core.h"
#include "storage_node/node.h"
#include "storage_node/process.h"
#include "volume/edit.h"
#include "volume/record.h"

namespace borealis::storage_node {
namespace {

constexpr int kRecordsPerTransaction = 20;
constexpr size_t kEditBytes = 110;
constexpr uint64_t kPages = 20'000;

class Bench final : public NodeEnvironment {
 public:
  Bench() : files_(1) {
    NodeConfig config;
    config.directory = "d";
    config.new_cluster = true;
    config.memory_bytes = uint64_t{4} << 30;
    node_ = std::make_unique<Node>(config, *this, files_, SystemClock());
    if (!node_->Open().ok()) {
      std::abort();
    }
    TellGeometry();
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

  // One transaction's append, with LSNs that follow those before.
  Frame Transaction() {
    std::string bytes;
    for (int i = 0; i < kRecordsPerTransaction; ++i) {
      std::string edits;
      AppendWriteEdit(&edits, 16 + random_.Below(16'000), std::string(kEditBytes, 'x'));
      RecordDraft draft;
      draft.page = PageNo(random_.Below(kPages));
      draft.body = edits;
      const Lsn end = lsn_ + RecordSize(edits.size());
      AppendRecord(&bytes, draft, Crc32c(edits),
                   {end, VolumeEpoch(1), lsn_, PgId(0), i + 1 == kRecordsPerTransaction});
      lsn_ = end;
    }
    msg::AppendRequest request;
    request.set_volume_id(1);
    request.set_volume_epoch(1);
    request.set_vdl(lsn_.value());
    auto* part = request.add_parts();
    part->set_size_bytes(static_cast<uint32_t>(bytes.size()));
    Frame frame = MakeFrame(MessageType::kAppendRequest, 1, request);
    frame.attachments.emplace_back(std::move(bytes));
    return frame;
  }
  // One group, on this node and five others.
  void TellGeometry() {
    Geometry geometry;
    geometry.version = {VolumeEpoch(1), 1};
    Group group;
    for (Slot slot = 0; slot < kSeats; ++slot) {
      geometry.nodes.push_back({NodeId(slot + 1U), "az", "127.0.0.1", 1, false});
      group.seats.push_back({slot, kNoSlot});
    }
    geometry.groups.push_back(group);
    msg::GeometryUpdate update;
    update.set_volume_id(1);
    update.set_volume_epoch(1);
    update.set_geometry(EncodeGeometry(geometry));
    update.set_decided(true);
    node_->OnFrame(1, MakeFrame(MessageType::kGeometryUpdate, 1, update));
    FinishWorks();
  }
  Node& node() { return *node_; }
  Lsn lsn() const { return lsn_; }

 private:
  SimFileSystem files_;
  std::unique_ptr<Node> node_;
  std::vector<uint64_t> started_;
  Random random_{1};
  Lsn lsn_{0};
};

// Argument: how many transactions gather in a batch.
void BM_Append(benchmark::State& state) {
  Bench bench;
  const auto batch = static_cast<size_t>(state.range(0));
  std::vector<Frame> frames;
  for (int64_t i = 0; i < state.max_iterations; ++i) {
    frames.push_back(bench.Transaction());
  }
  size_t at = 0;
  for (auto _ : state) {
    bench.node().OnFrame(1, std::move(frames[at]));
    if (++at % batch == 0) {
      bench.FinishWorks();
    }
  }
  state.SetBytesProcessed(state.iterations() * kRecordsPerTransaction *
                          static_cast<int64_t>(kEditBytes + 53));
}
BENCHMARK(BM_Append)->Arg(1)->Arg(8)->Iterations(40'000);

void BM_ReadPage(benchmark::State& state) {
  Bench bench;
  for (int i = 0; i < 20'000; ++i) {
    bench.node().OnFrame(1, bench.Transaction());
    bench.FinishWorks();
  }
  Random random(7);
  const auto span = static_cast<uint64_t>(state.range(0));
  for (auto _ : state) {
    msg::ReadPagesRequest request;
    request.set_volume_id(1);
    request.set_volume_epoch(1);
    request.set_read_point(bench.lsn().value());
    auto* wanted = request.add_pages();
    wanted->set_page(random.Below(span));
    wanted->set_needed_lsn(bench.lsn().value());
    bench.node().OnFrame(1, MakeFrame(MessageType::kReadPagesRequest, 1, request));
  }
}
BENCHMARK(BM_ReadPage)->Arg(1'000)->Arg(kPages);  // from the cache; mostly from the table

// One question at a time to storage processes.
class BenchClient final : public FrameHandler {
 public:
  BenchClient() : transport_(Transport::Create(this)) { transport_->Start("client"); }
  ~BenchClient() override { transport_->Stop(); }
  PeerId Connect(uint16_t port) { return transport_->Connect("127.0.0.1", port); }
  void OnFrame(PeerId /*from*/, Frame frame) override {
    MutexLock lock(mutex_);
    answered_ = std::max(answered_, frame.request_id);
    arrived_.NotifyAll();
  }
  void Ask(PeerId peer, Frame frame) {
    frame.request_id = ++asked_;
    transport_->Send(peer, frame);
    MutexLock lock(mutex_);
    while (answered_ < asked_) {
      if (!arrived_.WaitFor(mutex_, 1'000'000)) {
        transport_->Send(peer, frame);
      }
    }
  }

 private:
  Mutex mutex_{LockRank::kLeaf};
  ConditionVariable arrived_;
  uint64_t asked_ = 0;
  uint64_t answered_ = 0;
  std::unique_ptr<Transport> transport_;
};

// Three of a group's six holders, and a node that is to succeed to a seat of one that is gone.
class FillBench {
 public:
  static constexpr size_t kSources = 3;
  static constexpr uint64_t kPagesPerAppend = 64;

  explicit FillBench(uint64_t page_count)
      : root_(std::filesystem::temp_directory_path() / ("fill_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(root_);
    geometry_.version = {VolumeEpoch(1), 1};
    Group group;
    for (Slot slot = 0; slot < kSeats; ++slot) {
      geometry_.nodes.push_back({NodeId(slot + 1U), "az", "127.0.0.1", 1, false});
      group.seats.push_back({slot, kNoSlot});
    }
    geometry_.groups.push_back(group);
    for (size_t i = 0; i < kSources; ++i) {
      const uint16_t port = Start(&sources_[i], NodeId(static_cast<uint32_t>(i + 1)));
      geometry_.nodes[i].port = port;
      peers_.push_back(client_.Connect(port));
    }
    TellGeometry();
    for (uint64_t page = 0; page < page_count; page += kPagesPerAppend) {
      Append(page);
    }
    Append(0);  // tells the VDL of the one before
  }
  ~FillBench() {
    for (StorageProcess& source : sources_) {
      source.Stop();
    }
    std::filesystem::remove_all(root_);
  }

  // Fills a new node; returns how long that took.
  double Fill() {
    StorageProcess fresh;
    geometry_.nodes.push_back({NodeId(7 + fills_), "az", "127.0.0.1", 0, false});
    geometry_.nodes.back().port = Start(&fresh, geometry_.nodes.back().node);
    geometry_.groups[0].seats[5].successor = static_cast<Slot>(kSeats + fills_);
    ++geometry_.version.number;
    ++fills_;
    peers_.push_back(client_.Connect(geometry_.nodes.back().port));
    const int64_t began_us = SystemClock().NowUs();
    TellGeometry();
    while (fresh.Counters().segments_copied == 0) {
      ::usleep(2'000);
    }
    const double took = static_cast<double>(SystemClock().NowUs() - began_us) / 1e6;
    peers_.pop_back();
    fresh.Stop();
    return took;
  }

 private:
  uint16_t Start(StorageProcess* process, NodeId node) {
    StorageProcessConfig config;
    config.node = node;
    config.az = "az";
    config.directory = (root_ / node.ToString()).string();
    config.tuning.new_cluster = true;
    config.tuning.retain_log_bytes = uint64_t{16} << 20;
    config.tuning.repair_bytes_per_second = uint64_t{10} << 30;  // not what is measured
    const auto port = process->Start(config);
    if (!port.ok()) {
      std::abort();
    }
    return *port;
  }
  void TellGeometry() {
    msg::GeometryUpdate update;
    update.set_volume_id(1);
    update.set_volume_epoch(1);
    update.set_geometry(EncodeGeometry(geometry_));
    update.set_decided(true);
    for (const PeerId peer : peers_) {
      client_.Ask(peer, MakeFrame(MessageType::kGeometryUpdate, 0, update));
    }
  }
  void Append(uint64_t first_page) {
    std::string bytes;
    msg::AppendRequest request;
    request.set_volume_id(1);
    request.set_volume_epoch(1);
    request.set_vdl(lsn_.value());
    for (uint64_t i = 0; i < kPagesPerAppend; ++i) {
      std::string content;
      while (content.size() < kPageSize - 400) {
        content += std::to_string(random_.Next());
      }
      std::string edits;
      AppendImageEdit(&edits, content);
      RecordDraft draft;
      draft.page = PageNo(first_page + i);
      draft.body = edits;
      const Lsn end = lsn_ + RecordSize(edits.size());
      AppendRecord(&bytes, draft, Crc32c(edits), {end, VolumeEpoch(1), lsn_, PgId(0), true});
      lsn_ = end;
    }
    request.add_parts()->set_size_bytes(static_cast<uint32_t>(bytes.size()));
    Frame frame = MakeFrame(MessageType::kAppendRequest, 0, request);
    frame.attachments.emplace_back(std::move(bytes));
    for (const PeerId peer : peers_) {
      client_.Ask(peer, frame);
    }
  }

  const std::filesystem::path root_;
  Geometry geometry_;
  BenchClient client_;
  std::array<StorageProcess, kSources> sources_;
  std::vector<PeerId> peers_;
  Random random_{1};
  Lsn lsn_{0};
  uint32_t fills_ = 0;
};

// Argument: pages of the group.
void BM_FillSegment(benchmark::State& state) {
  const auto page_count = static_cast<uint64_t>(state.range(0));
  FillBench bench(page_count);
  for (auto _ : state) {
    state.SetIterationTime(bench.Fill());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(page_count * kPageSize));
}
BENCHMARK(BM_FillSegment)
    ->Arg(16'384)
    ->Iterations(3)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

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
