// What a storage node's thread spends on the foreground: appends like those of a sysbench
// read-write transaction, and page reads. The disk is left out: works are reported done undone.
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/crc32c.h"
#include "base/os/random.h"
#include "base/os/sim_file.h"
#include "storage_node/core.h"
#include "storage_node/node.h"
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

}  // namespace
}  // namespace borealis::storage_node
