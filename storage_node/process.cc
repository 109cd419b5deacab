#include "storage_node/process.h"

#include <array>
#include <deque>
#include <future>
#include <map>

#include "base/mutex.h"
#include "base/net/transport.h"
#include "base/obs/log.h"
#include "base/os/thread.h"
#include "base/os/time.h"
#include "volume/message_type.h"

namespace borealis::storage_node {

namespace {

constexpr int64_t kTickUs = 5'000;
constexpr size_t kLaneCount = 5;
constexpr const char* kLaneNames[kLaneCount] = {"journal", "manifest", "layers", "reads",
                                                "fetches"};

// Runs works one at a time, in order, on a thread of its own.
class LaneThread {
 public:
  void Start(const std::string& name) {
    thread_ = Thread(name, [this] { Run(); });
  }
  void Add(std::function<void()> work) {
    {
      MutexLock lock(mutex_);
      queue_.push_back(std::move(work));
    }
    changed_.NotifyOne();
  }
  void Stop() {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.NotifyAll();
    thread_.Join();
  }

 private:
  void Run() {
    while (true) {
      std::function<void()> work;
      {
        MutexLock lock(mutex_);
        while (queue_.empty() && !stopping_) {
          changed_.Wait(mutex_);
        }
        if (stopping_) {
          return;
        }
        work = std::move(queue_.front());
        queue_.pop_front();
      }
      work();
    }
  }

  Mutex mutex_{LockRank::kLeaf};
  ConditionVariable changed_;
  std::deque<std::function<void()>> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  Thread thread_;
};

// How long append requests with records wait for their answers. On the transport's thread, but for
// durations().
class AppendTimer {
 public:
  void OnRequest(PeerId from, const Frame& frame) {
    if (frame.type != static_cast<uint16_t>(MessageType::kAppendRequest) ||
        frame.attachments.empty()) {
      return;
    }
    if (since_us_.size() >= kOpenMax) {  // of writers that went away, perhaps
      since_us_.clear();
    }
    since_us_[{from, frame.request_id}] = SystemClock().NowUs();
  }
  void OnReply(PeerId to, const Frame& frame) {
    if (frame.type != static_cast<uint16_t>(MessageType::kAppendReply)) {
      return;
    }
    if (const auto found = since_us_.find({to, frame.request_id}); found != since_us_.end()) {
      durations_.Observe(SystemClock().NowUs() - found->second);
      since_us_.erase(found);
    }
  }
  const DurationHistogram& durations() const { return durations_; }

 private:
  static constexpr size_t kOpenMax = 16'384;
  std::map<std::pair<PeerId, uint64_t>, int64_t> since_us_;
  DurationHistogram durations_;
};

void AddCounters(const NodeCounters& counters, MetricsPage* page) {
  page->Counter("borealis_storage_appends_total", "Append requests taken.", counters.appends);
  const auto records = [&](const char* outcome, uint64_t count) {
    page->Counter("borealis_storage_records_total", "Log records received, by what became of them.",
                  count, {{"outcome", outcome}});
  };
  records("taken", counters.records_taken);
  records("repeated", counters.records_repeated);
  records("void", counters.records_void);
  page->Counter("borealis_storage_record_bytes_total", "Bytes of log taken, each record once.",
                counters.record_bytes);
  page->Counter("borealis_storage_journal_flushes_total", "Flushes of the journal.",
                counters.flushes);
  page->Counter("borealis_storage_journal_written_bytes_total", "Bytes written to the journal.",
                counters.flushed_bytes);
  page->Gauge("borealis_storage_journal_bytes", "Journal on disk now.",
              static_cast<double>(counters.journal_bytes));
  page->Counter("borealis_storage_page_reads_total", "Pages read for instances.",
                counters.page_reads);
  page->Counter("borealis_storage_page_cache_hits_total", "Of these, found in memory.",
                counters.page_cache_hits);
  page->Counter("borealis_storage_page_read_records_total", "Log records applied to build pages.",
                counters.page_read_records);
  page->Counter("borealis_storage_page_read_layers_total", "Layers read to build pages.",
                counters.page_read_layers);
  page->Counter("borealis_storage_gossip_fetches_total",
                "Requests to peers for records that this node missed.", counters.fetches);
  page->Counter("borealis_storage_segments_copied_total", "Segments copied from peers.",
                counters.segments_copied);
  page->Counter("borealis_storage_pages_copied_total", "Pages of these.", counters.pages_copied);
  page->Counter("borealis_storage_scrubbed_bytes_total", "Bytes read to verify them.",
                counters.scrubbed_bytes);
  page->Counter("borealis_storage_scrub_cycles_total", "Times that everything was read.",
                counters.scrub_cycles);
  page->Counter("borealis_storage_scrub_damage_total", "Bad layers and journal files found so.",
                counters.scrub_damage);
  page->Counter("borealis_storage_layers_written_total", "Layers written from records.",
                counters.layers_written);
  page->Counter("borealis_storage_layer_merges_total", "Merges of layers.", counters.layer_merges);
  const auto written = [&](const char* from, uint64_t bytes) {
    page->Counter("borealis_storage_layer_written_bytes_total",
                  "Bytes of layers written, by what they were made from.", bytes, {{"from", from}});
  };
  written("tables", counters.layer_bytes_from_tables);
  written("merges", counters.layer_bytes_from_merges);
  written("copies", counters.layer_bytes_from_copies);
  page->Gauge("borealis_storage_layer_bytes", "Layers on disk now.",
              static_cast<double>(counters.layer_bytes));
  page->Gauge("borealis_storage_layer_plain_bytes", "The same before compression.",
              static_cast<double>(counters.layer_plain_bytes));
  page->Gauge("borealis_storage_logical_bytes",
              "16 KiB for each page kept here that has anything on it.",
              static_cast<double>(counters.logical_bytes));
}

void AddSegments(const std::vector<SegmentSummary>& segments, MetricsPage* page) {
  for (const SegmentSummary& segment : segments) {
    const MetricLabels labels{{"volume", std::to_string(segment.volume.value())},
                              {"pg", std::to_string(segment.pg.value())}};
    const auto gauge = [&](const char* name, const char* help, uint64_t value) {
      page->Gauge(name, help, static_cast<double>(value), labels);
    };
    gauge("borealis_storage_segment_scl", "LSN up to which the segment is complete.",
          segment.scl.value());
    gauge("borealis_storage_segment_highest_seen", "Highest LSN of the group known here.",
          segment.highest_seen.value());
    gauge("borealis_storage_segment_layered_up_to", "LSN up to which records are in layers.",
          segment.layered_up_to.value());
    gauge("borealis_storage_segment_memory_records", "Records in memory only.",
          segment.records_in_memory);
    gauge("borealis_storage_segment_layers", "Layers of the segment.", segment.layer_count);
    page->Gauge("borealis_storage_segment_repaired", "Part that has come, while it is filled.",
                segment.repaired, labels);
    for (const char* state : {"healthy", "behind", "repairing", "lost"}) {
      page->Gauge("borealis_storage_segment_state", "1 for the state that the segment is in.",
                  segment.state == state ? 1 : 0, {labels[0], labels[1], {"state", state}});
    }
  }
}

}  // namespace

class StorageProcess::Shell final : public FrameHandler, public NodeEnvironment {
 public:
  explicit Shell(const StorageProcessConfig& config)
      : config_(config), transport_(Transport::Create(this)) {}

  ~Shell() override {
    for (LaneThread& lane : lanes_) {
      lane.Stop();
    }
    transport_->Stop();
  }

  Result<uint16_t> Run() {
    NodeConfig core = config_.tuning;
    core.node = config_.node;
    core.az = config_.az;
    core.directory = config_.directory;
    core.peers.clear();
    for (const StorageNodeAddress& peer : config_.peers) {
      if (peer.node != config_.node) {
        core.peers.push_back(peer.node);
      }
    }
    node_ = std::make_unique<Node>(core, *this, RealFileSystem(), SystemClock());
    for (size_t lane = 0; lane < kLaneCount; ++lane) {
      lanes_[lane].Start(kLaneNames[lane]);
    }
    for (const StorageNodeAddress& peer : config_.peers) {
      ConnectNode(peer);
    }
    // Completions are posted, and posts run only once the transport is started.
    RETURN_IF_ERROR(node_->Open());
    ASSIGN_OR_RETURN(const uint16_t port, transport_->Listen(config_.host, config_.port));
    transport_->Start("storage-" + config_.node.ToString());
    transport_->Post([this] { Tick(); });
    LOG_INFO("storage node {} in {} serves {}:{} from {}", config_.node.value(), config_.az,
             config_.host, port, config_.directory);
    return port;
  }

  // Runs `ask` on the core's thread and waits.
  template <class T>
  T Ask(std::function<T(Node&)> ask) {
    auto answer = std::make_shared<std::promise<T>>();
    auto result = answer->get_future();
    transport_->Post([this, answer, ask = std::move(ask)] { answer->set_value(ask(*node_)); });
    return result.get();
  }

  void AddMetrics(MetricsPage* page) const {
    transport_->AddMetrics(page);
    page->Histogram("borealis_storage_append_latency_seconds",
                    "From the arrival of an append request with records to its answer.",
                    append_timer_.durations().Take());
    for (size_t i = 0; i < kLaneCount; ++i) {
      page->Histogram("borealis_storage_disk_work_seconds",
                      "How long works on disk took, by thread; of the journal: flushes, which "
                      "appends wait for.",
                      lane_durations_[i].Take(), {{"lane", kLaneNames[i]}});
    }
  }

  // FrameHandler.
  void OnFrame(PeerId from, Frame frame) override {
    append_timer_.OnRequest(from, frame);
    node_->OnFrame(from, std::move(frame));
  }

  // NodeEnvironment.
  void Send(PeerId to, Frame frame) override {
    append_timer_.OnReply(to, frame);
    transport_->Send(to, std::move(frame));
  }
  void SendToNode(NodeId to, Frame frame) override {
    if (const auto peer = peers_.find(to); peer != peers_.end()) {
      transport_->Send(peer->second.peer, std::move(frame));
    }
  }
  void ConnectNode(const StorageNodeAddress& address) override {
    if (address.node == config_.node) {
      return;
    }
    Connection& known = peers_[address.node];
    if (known.host == address.host && known.port == address.port) {
      return;
    }
    if (known.peer != 0) {
      transport_->Disconnect(known.peer);
    }
    known = {address.host, address.port, transport_->Connect(address.host, address.port)};
  }
  void Start(Lane lane, uint64_t id, std::function<Status()> work) override {
    DurationHistogram& durations = lane_durations_[static_cast<size_t>(lane)];
    lanes_[static_cast<size_t>(lane)].Add([this, id, &durations, work = std::move(work)] {
      const int64_t start_us = SystemClock().NowUs();
      auto outcome = std::make_shared<Status>(work());
      durations.Observe(SystemClock().NowUs() - start_us);
      transport_->Post([this, id, outcome] { node_->OnWorkDone(id, std::move(*outcome)); });
    });
  }

 private:
  void Tick() {
    node_->OnTimer();
    if (node_->needs_restart() && config_.on_broken != nullptr && !told_broken_) {
      told_broken_ = true;
      config_.on_broken(node_->out_of_service_reason());
    }
    transport_->After(kTickUs, [this] { Tick(); });
  }

  const StorageProcessConfig config_;
  std::unique_ptr<Node> node_;
  bool told_broken_ = false;
  struct Connection {
    std::string host;
    uint16_t port = 0;
    PeerId peer = 0;
  };
  std::map<NodeId, Connection> peers_;
  AppendTimer append_timer_;
  std::array<DurationHistogram, kLaneCount> lane_durations_;
  std::array<LaneThread, kLaneCount> lanes_;
  std::unique_ptr<Transport> transport_;
};

StorageProcess::StorageProcess() = default;
StorageProcess::~StorageProcess() {
  Stop();
}

Result<uint16_t> StorageProcess::Start(const StorageProcessConfig& config) {
  auto shell = std::make_unique<Shell>(config);
  ASSIGN_OR_RETURN(const uint16_t port, shell->Run());
  shell_ = std::move(shell);
  return port;
}

void StorageProcess::Stop() {
  shell_.reset();
}

std::vector<SegmentSummary> StorageProcess::Segments() {
  return shell_->Ask<std::vector<SegmentSummary>>([](Node& node) { return node.Segments(); });
}
NodeCounters StorageProcess::Counters() {
  return shell_->Ask<NodeCounters>([](Node& node) { return node.Counters(); });
}

void StorageProcess::AddMetrics(MetricsPage* page) {
  shell_->AddMetrics(page);
  AddCounters(Counters(), page);
  AddSegments(Segments(), page);
  page->Gauge("borealis_storage_in_service", "0 while the node refuses to make promises.",
              OutOfServiceReason().empty() ? 1 : 0);
}

std::string StorageProcess::OutOfServiceReason() {
  return shell_->Ask<std::string>([](Node& node) { return node.out_of_service_reason(); });
}

}  // namespace borealis::storage_node
