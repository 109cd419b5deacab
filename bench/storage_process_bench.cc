// Storage nodes as they run: processes with files, threads and sockets.
//
// How long a page read takes from question to answer beside what a bare round trip of the same
// bytes takes; what CPU an append costs a node, all its threads and the kernel's part included;
// how fast a new segment is filled by its peers. A node whose CPU is measured runs in a process of
// its own.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/mutex.h"
#include "base/net/transport.h"
#include "bench/storage_workload.h"
#include "storage_node/process.h"

namespace borealis::storage_node {
namespace {

StorageProcessConfig ConfigFor(NodeId node, const std::filesystem::path& root) {
  StorageProcessConfig config;
  config.node = node;
  config.az = "az";
  config.directory = (root / node.ToString()).string();
  config.tuning.new_cluster = true;
  config.tuning.repair_bytes_per_second = uint64_t{10} << 30;  // not what is measured
  return config;
}

class ScratchDirectory {
 public:
  ScratchDirectory()
      : path_(std::filesystem::temp_directory_path() /
              ("storage_bench_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
  }
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path path_;
};

// A process that serves on a port until its parent lets go of it.
class Child {
 public:
  // `serve` returns the port.
  explicit Child(const std::function<uint16_t()>& serve) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) {
      std::abort();
    }
    pid_ = ::fork();
    if (pid_ == 0) {
      const uint16_t port = serve();
      const bool told = ::write(ends[1], &port, sizeof(port)) == sizeof(port);
      while (told) {
        ::pause();
      }
      ::_exit(1);
    }
    if (::read(ends[0], &port_, sizeof(port_)) != sizeof(port_)) {
      std::abort();
    }
    ::close(ends[0]);
    ::close(ends[1]);
  }
  ~Child() { Stop(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  uint16_t port() const { return port_; }
  // User and system time, of all its threads, in seconds.
  double CpuSeconds() const {
    timespec time{};
    clockid_t clock{};
    if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
      std::abort();
    }
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  }
  // Of its threads of this name; nanoseconds since their start (/proc/…/schedstat).
  double ThreadCpuSeconds(std::string_view name) const {
    double nanoseconds = 0;
    const std::filesystem::path tasks = "/proc/" + std::to_string(pid_) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks)) {
      std::string comm;
      double ran = 0;
      std::ifstream(task.path() / "comm") >> comm;
      std::ifstream(task.path() / "schedstat") >> ran;
      nanoseconds += comm == name ? ran : 0;
    }
    return nanoseconds / 1e9;
  }

 private:
  void Stop() const {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid_ = 0;
  uint16_t port_ = 0;
};

// Questions to nodes, and waiting for as many answers.
class BenchClient final : public FrameHandler {
 public:
  BenchClient() : transport_(Transport::Create(this)) { transport_->Start("client"); }
  ~BenchClient() override { transport_->Stop(); }
  PeerId Connect(uint16_t port) { return transport_->Connect("127.0.0.1", port); }
  void OnFrame(PeerId /*from*/, Frame frame) override {
    MutexLock lock(mutex_);
    ++answers_;
    answered_ = std::max(answered_, frame.request_id);
    arrived_.NotifyAll();
  }
  // Until it is answered; again each second, for the first one may come before the connection.
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
  void AskAll(PeerId peer, std::vector<Frame> frames) {
    uint64_t goal = 0;
    {
      MutexLock lock(mutex_);
      goal = answers_ + frames.size();
    }
    for (Frame& frame : frames) {
      frame.request_id = ++asked_;
      transport_->Send(peer, std::move(frame));
    }
    MutexLock lock(mutex_);
    while (answers_ < goal) {
      arrived_.Wait(mutex_);
    }
  }

 private:
  Mutex mutex_{LockRank::kLeaf};
  ConditionVariable arrived_;
  uint64_t asked_ = 0;
  uint64_t answers_ = 0;
  uint64_t answered_ = 0;
  std::unique_ptr<Transport> transport_;
};

// Sends back what it gets: as many bytes as an answer with a page has.
class Echo final : public FrameHandler {
 public:
  Echo() : transport_(Transport::Create(this)), page_(std::string(kPageSize, 'p')) {
    transport_->Start("echo");
  }
  ~Echo() override { transport_->Stop(); }
  uint16_t Listen() { return transport_->Listen("127.0.0.1", 0).value(); }
  void OnFrame(PeerId from, Frame frame) override {
    frame.attachments = {page_};
    transport_->Send(from, std::move(frame));
  }

 private:
  std::unique_ptr<Transport> transport_;
  SharedBytes page_;
};

constexpr uint64_t kCachedPages = 1'000;

void BM_RoundTripOfAPage(benchmark::State& state) {
  const Child child([] { return (new Echo)->Listen(); });
  BenchClient client;
  const PeerId peer = client.Connect(child.port());
  const AppendMaker appends(kCachedPages);
  client.Ask(peer, appends.ReadOf(PageNo(1)));
  for (auto _ : state) {
    client.Ask(peer, appends.ReadOf(PageNo(1)));
  }
}
BENCHMARK(BM_RoundTripOfAPage)->UseRealTime();

// A node in a process of its own that has a few thousand transactions in its one segment.
class NodeBench {
 public:
  NodeBench()
      : child_([this] {
          auto* process = new StorageProcess;  // as long as the process lives
          return process->Start(ConfigFor(NodeId(1), scratch_.path())).value();
        }),
        peer_(client_.Connect(child_.port())) {
    client_.Ask(peer_, GeometryFrame(Groups(1)));
    Append(2'000, 1);
  }
  void Append(int64_t transactions, int64_t in_flight) {
    for (int64_t i = 0; i < transactions; i += in_flight) {
      std::vector<Frame> frames;
      for (int64_t k = 0; k < in_flight; ++k) {
        frames.push_back(appends_.Transaction());
      }
      client_.AskAll(peer_, std::move(frames));
    }
  }
  void Read(PageNo page) { client_.Ask(peer_, appends_.ReadOf(page)); }
  const Child& child() const { return child_; }

 private:
  const ScratchDirectory scratch_;
  const Child child_;
  BenchClient client_;
  const PeerId peer_;
  AppendMaker appends_{kCachedPages};
};

void BM_ReadPageOverLoopback(benchmark::State& state) {
  NodeBench bench;
  Random random(7);
  for (uint64_t page = 0; page < kCachedPages; ++page) {
    bench.Read(PageNo(page));
  }
  const double before = bench.child().CpuSeconds();
  for (auto _ : state) {
    bench.Read(PageNo(random.Below(kCachedPages)));
  }
  state.counters["node_cpu_us"] =
      (bench.child().CpuSeconds() - before) * 1e6 / static_cast<double>(state.iterations());
}
BENCHMARK(BM_ReadPageOverLoopback)->UseRealTime();

// Argument: how many transactions are sent before the first is answered. `layers_cpu_us` is the
// part of `node_cpu_us` that writes the records into layers later, in the background.
void BM_AppendAsInService(benchmark::State& state) {
  NodeBench bench;
  const double before = bench.child().CpuSeconds();
  const double layers_before = bench.child().ThreadCpuSeconds("layers");
  for (auto _ : state) {
    bench.Append(state.range(0), state.range(0));
  }
  const auto transactions = static_cast<double>(state.iterations() * state.range(0));
  state.counters["node_cpu_us"] = (bench.child().CpuSeconds() - before) * 1e6 / transactions;
  state.counters["layers_cpu_us"] =
      (bench.child().ThreadCpuSeconds("layers") - layers_before) * 1e6 / transactions;
  state.counters["tps"] = benchmark::Counter(transactions, benchmark::Counter::kIsRate);
}
BENCHMARK(BM_AppendAsInService)->Arg(1)->Arg(8)->Arg(64)->UseRealTime();

// Three of a group's six holders, and a node that is to succeed to a seat of one that is gone.
class FillBench {
 public:
  static constexpr size_t kSources = 3;
  static constexpr uint64_t kPagesPerAppend = 64;

  explicit FillBench(uint64_t page_count) : appends_(page_count), geometry_(Groups(1)) {
    for (size_t i = 0; i < kSources; ++i) {
      const uint16_t port = Start(&sources_[i], NodeId(static_cast<uint32_t>(i + 1)));
      geometry_.nodes[i].port = port;
      peers_.push_back(client_.Connect(port));
    }
    TellAll(GeometryFrame(geometry_));
    for (uint64_t page = 0; page < page_count; page += kPagesPerAppend) {
      TellAll(appends_.Images(page, kPagesPerAppend));
    }
    TellAll(appends_.Images(0, 1));  // tells the VDL of the one before
  }
  ~FillBench() {
    for (StorageProcess& source : sources_) {
      source.Stop();
    }
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
    TellAll(GeometryFrame(geometry_));
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
    StorageProcessConfig config = ConfigFor(node, scratch_.path());
    config.tuning.retain_log_bytes = uint64_t{16} << 20;
    return process->Start(config).value();
  }
  void TellAll(const Frame& frame) {
    for (const PeerId peer : peers_) {
      client_.Ask(peer, frame);
    }
  }

  const ScratchDirectory scratch_;
  AppendMaker appends_;
  Geometry geometry_;
  BenchClient client_;
  std::array<StorageProcess, kSources> sources_;
  std::vector<PeerId> peers_;
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

}  // namespace
}  // namespace borealis::storage_node
