#include "storage_client/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/invariant.h"
#include "base/mutex.h"
#include "base/obs/log.h"
#include "base/os/random.h"
#include "base/os/time.h"
#include "storage_client/node_driver.h"

namespace borealis::storage_client {

namespace {
uint64_t RandomId() {
  const std::string bytes = SecureRandomBytes(sizeof(uint64_t));
  return LoadLittle<uint64_t>(bytes.data()) | 1;
}
}  // namespace

class StorageClient::Shell final : private ClientEvents {
 public:
  Shell(ClientConfig config, std::function<void(const OpenProgress&)> on_progress)
      : config_(std::move(config)),
        on_progress_(std::move(on_progress)),
        core_(config_.volume, config_.limits, driver_, *this, metrics_, RandomId()) {}
  ~Shell() override { Close(); }

  Status Open();
  void Close();
  Status ReadPages(std::span<const PageNo> pages, Lsn read_point, Page* out);
  void SetLowestReadPoint(Lsn lsn);
  Status WaitForRoom();
  Lsn Append(std::span<RecordDraft> drafts);
  void WhenDurable(Lsn lsn, std::function<void(Status)> done);
  Status WaitDurable(Lsn lsn);
  Lsn Subscribe(LogSubscriber* subscriber);
  void Unsubscribe(LogSubscriber* subscriber);
  void OnDeposed(std::function<void(Status)> deposed);
  // Runs `change` with the core and the time, on the client's thread.
  Status Change(const std::function<Status(ClientCore&, int64_t)>& change);
  Geometry geometry() const;
  std::optional<WriteStall> Stall();

  Lsn vdl() const { return Lsn(vdl_.load(std::memory_order_acquire)); }
  Lsn vcl() const { return Lsn(vcl_.load(std::memory_order_relaxed)); }
  Lsn appended() const { return Lsn(appended_.load(std::memory_order_acquire)); }
  VolumeEpoch epoch() const { return VolumeEpoch(epoch_.load(std::memory_order_acquire)); }
  ClientMetricsSnapshot Metrics() const { return metrics_.Snapshot(); }

 private:
  // ClientEvents, on the client's thread.
  void OnOpenProgress(const OpenProgress& progress) override;
  void OnOpened(const OpenedVolume& opened) override;
  void OnOpenFailed(Status status) override;
  void OnVdlAdvanced(Lsn vdl, std::span<const PgTailAt> changed) override;
  void OnGeometryDecided(const Geometry& geometry) override;
  void OnFenced(Status status) override;

  void Drain();
  void EndWith(const Status& status);
  void RunOnThreadAndWait(const std::function<void()>& work);
  Lsn Floor() const { return std::max(vdl(), Lsn(start_.load(std::memory_order_relaxed))); }

  const ClientConfig config_;
  const std::function<void(const OpenProgress&)> on_progress_;
  ClientMetrics metrics_;
  NodeDriver driver_;
  ClientCore core_;

  std::atomic<uint64_t> vdl_{0};
  std::atomic<uint64_t> vcl_{0};
  std::atomic<uint64_t> start_{0};
  std::atomic<uint64_t> appended_{0};
  std::atomic<uint64_t> epoch_{0};
  std::atomic<uint64_t> pages_per_pg_{kPagesPerPgDefault};
  std::atomic<bool> drain_is_posted_{false};

  // Held by a thread that waits for the client's; so Close comes before or after, not between.
  Mutex outside_mutex_{LockRank::kLog};
  std::atomic<bool> is_closed_{false};

  Mutex log_mutex_{LockRank::kLog};
  std::unique_ptr<LogBuffer> log_ GUARDED_BY(log_mutex_);

  mutable Mutex mutex_{LockRank::kVolume};
  ConditionVariable changed_;
  std::multimap<Lsn, std::function<void(Status)>> waiting_ GUARDED_BY(mutex_);
  std::optional<Status> opened_ GUARDED_BY(mutex_);
  Status ended_ GUARDED_BY(mutex_);  // kFenced or kCancelled: nothing more becomes durable
  std::function<void(Status)> deposed_ GUARDED_BY(mutex_);
  std::string last_progress_ GUARDED_BY(mutex_);
  Geometry geometry_ GUARDED_BY(mutex_);

  // On the client's thread only.
  std::vector<LogSubscriber*> subscribers_;
  Lsn drained_;
};

Status StorageClient::Shell::Open() {
  driver_.Start(&core_, "volume-client");
  OpenRequest request;
  request.epoch = config_.epoch;
  request.opener_id = RandomId();
  driver_.Post([this, request] { core_.StartOpen(request, SystemClock().NowUs()); });
  const int64_t give_up_us = SystemClock().NowUs() + config_.open_timeout_us;
  MutexLock lock(mutex_);
  while (!opened_.has_value()) {
    if (config_.open_timeout_us == 0) {
      changed_.Wait(mutex_);
      continue;
    }
    const int64_t left_us = give_up_us - SystemClock().NowUs();
    if (left_us <= 0) {
      return Status::Unavailable(fmt::format("open volume: {}", last_progress_));
    }
    changed_.WaitFor(mutex_, left_us);
  }
  return *opened_;
}

void StorageClient::Shell::OnOpenProgress(const OpenProgress& progress) {
  LOG_INFO("opening volume {}: {}", config_.volume.volume.value(), progress.step);
  {
    MutexLock lock(mutex_);
    last_progress_ = progress.step;
  }
  if (on_progress_) {
    on_progress_(progress);
  }
}

void StorageClient::Shell::OnOpened(const OpenedVolume& opened) {
  LOG_INFO("volume {} opened by {}: epoch {} vdl {}, {} protection groups",
           config_.volume.volume.value(), config_.instance, opened.epoch.value(),
           opened.vdl.value(), opened.groups.size());
  std::map<PgId, Lsn> tails;
  for (const auto& [pg, group] : opened.groups) {
    tails[pg] = group.tail;
  }
  {
    MutexLock lock(log_mutex_);
    log_ = std::make_unique<LogBuffer>(opened.geometry.pages_per_pg, opened.epoch, opened.start,
                                       std::move(tails));
    log_->SetHardLimit(opened.start + kLsnSpan);
  }
  drained_ = opened.start;
  pages_per_pg_.store(opened.geometry.pages_per_pg);
  epoch_.store(opened.epoch.value());
  vdl_.store(opened.vdl.value());
  vcl_.store(opened.vdl.value());
  start_.store(opened.start.value());
  appended_.store(opened.start.value());
  MutexLock lock(mutex_);
  geometry_ = opened.geometry;
  opened_ = Status::Ok();
  changed_.NotifyAll();
}

void StorageClient::Shell::OnOpenFailed(Status status) {
  MutexLock lock(mutex_);
  opened_ = std::move(status);
  changed_.NotifyAll();
}

Lsn StorageClient::Shell::Append(std::span<RecordDraft> drafts) {
  // Most mini-transactions are small: their checksums fit the stack.
  std::array<uint32_t, 32> few;
  std::vector<uint32_t> many;
  std::span<uint32_t> crcs(few.data(), std::min(few.size(), drafts.size()));
  if (drafts.size() > few.size()) {
    many.resize(drafts.size());
    crcs = many;
  }
  for (size_t i = 0; i < drafts.size(); ++i) {
    crcs[i] = Crc32c(drafts[i].body);
  }
  const int64_t now_us = SystemClock().NowUs();
  const int64_t wall_us = SystemClock().WallUs();
  Lsn end;
  uint64_t bytes = 0;
  {
    MutexLock lock(log_mutex_);
    const Lsn before = log_->end();
    end = log_->Append(drafts, crcs, now_us, wall_us);
    bytes = end - before;
    appended_.store(end.value(), std::memory_order_release);
  }
  ClientMetrics::Add(metrics_.mini_transactions);
  ClientMetrics::Add(metrics_.records, drafts.size());
  ClientMetrics::Add(metrics_.log_bytes, bytes);
  if (!drain_is_posted_.exchange(true, std::memory_order_acq_rel)) {
    driver_.Post([this] { Drain(); });
  }
  return end;
}

void StorageClient::Shell::Drain() {
  drain_is_posted_.store(false, std::memory_order_release);
  LogChunkPtr chunk;
  {
    MutexLock lock(log_mutex_);
    log_->SetHardLimit(Floor() + kLsnSpan);
    chunk = log_->Take();
  }
  if (chunk == nullptr) {
    return;
  }
  drained_ = chunk->end;
  core_.OnAppended(chunk, SystemClock().NowUs());
  if (!subscribers_.empty()) {
    const SharedBytes records = chunk->InLsnOrder();
    for (LogSubscriber* subscriber : subscribers_) {
      subscriber->OnLog(chunk->start, chunk->end, records);
    }
  }
}

void StorageClient::Shell::OnVdlAdvanced(Lsn vdl, std::span<const PgTailAt> changed) {
  INVARIANT_GE(vdl.value(), vdl_.load(std::memory_order_relaxed));  // INV-VOL-2
  vdl_.store(vdl.value(), std::memory_order_release);
  vcl_.store(core_.vcl().value(), std::memory_order_relaxed);
  std::vector<std::function<void(Status)>> released;
  {
    MutexLock lock(mutex_);
    while (!waiting_.empty() && waiting_.begin()->first <= vdl) {
      released.push_back(std::move(waiting_.begin()->second));
      waiting_.erase(waiting_.begin());
    }
    changed_.NotifyAll();
  }
  for (auto& done : released) {
    done(Status::Ok());
  }
  for (LogSubscriber* subscriber : subscribers_) {
    subscriber->OnVdl(vdl, changed);
  }
}

void StorageClient::Shell::OnGeometryDecided(const Geometry& geometry) {
  LOG_INFO("volume {}: geometry {} with {} protection groups is decided",
           config_.volume.volume.value(), geometry.version.ToString(), geometry.groups.size());
  {
    MutexLock lock(mutex_);
    geometry_ = geometry;
  }
  for (LogSubscriber* subscriber : subscribers_) {
    subscriber->OnGeometry(geometry);
  }
}

Geometry StorageClient::Shell::geometry() const {
  MutexLock lock(mutex_);
  return geometry_;
}

std::optional<WriteStall> StorageClient::Shell::Stall() {
  std::optional<WriteStall> stall;
  if (appended() > Floor()) {
    RunOnThreadAndWait([&] { stall = core_.StallAt(SystemClock().NowUs()); });
  }
  return stall;
}

Status StorageClient::Shell::Change(const std::function<Status(ClientCore&, int64_t)>& change) {
  Status outcome = Status::Cancelled("the volume was closed");
  RunOnThreadAndWait([&] { outcome = change(core_, SystemClock().NowUs()); });
  return outcome;
}

void StorageClient::Shell::OnFenced(Status status) {
  LOG_WARN("volume {}: {}", config_.volume.volume.value(), status.ToString());
  std::function<void(Status)> deposed;
  {
    MutexLock lock(mutex_);
    deposed = std::move(deposed_);
    deposed_ = nullptr;
  }
  EndWith(status);
  if (deposed) {
    deposed(status);
  }
}

void StorageClient::Shell::OnDeposed(std::function<void(Status)> deposed) {
  {
    MutexLock lock(mutex_);
    if (ended_.ok()) {
      deposed_ = std::move(deposed);
      return;
    }
  }
  driver_.Post([deposed = std::move(deposed)] { deposed(Status::Fenced("deposed before")); });
}

void StorageClient::Shell::EndWith(const Status& status) {
  std::multimap<Lsn, std::function<void(Status)>> refused;
  {
    MutexLock lock(mutex_);
    if (ended_.ok()) {
      ended_ = status;
    }
    refused.swap(waiting_);
    changed_.NotifyAll();
  }
  for (auto& [lsn, done] : refused) {
    done(status);
  }
  for (LogSubscriber* subscriber : subscribers_) {
    subscriber->OnEnd(status);
  }
  subscribers_.clear();
}

void StorageClient::Shell::Close() {
  // On the client's thread, so that nothing is completed or delivered after it.
  RunOnThreadAndWait([this] {
    core_.Shutdown();
    EndWith(Status::Cancelled("the volume was closed"));
    is_closed_.store(true);
  });
  driver_.Stop();
}

// Does nothing once the client is closed: then there is no thread, and nobody to disturb.
void StorageClient::Shell::RunOnThreadAndWait(const std::function<void()>& work) {
  struct Done {
    Mutex mutex{LockRank::kLeaf};
    ConditionVariable changed;
    bool is_done = false;
  } done;
  MutexLock one_at_a_time(outside_mutex_);
  if (is_closed_.load()) {
    return;
  }
  driver_.Post([&] {
    work();
    MutexLock lock(done.mutex);
    done.is_done = true;
    done.changed.NotifyAll();
  });
  MutexLock lock(done.mutex);
  while (!done.is_done) {
    done.changed.Wait(done.mutex);
  }
}

Status StorageClient::Shell::WaitForRoom() {
  const auto is_full = [this] {
    // The floor first: it never passes what was appended later.
    const Lsn floor = Floor();
    return appended() - floor >= config_.limits.allocation_bytes;
  };
  MutexLock lock(mutex_);
  if (ended_.ok() && is_full()) {
    ClientMetrics::Add(metrics_.room_waits);
    const int64_t since_us = SystemClock().NowUs();
    while (ended_.ok() && is_full()) {
      changed_.Wait(mutex_);
    }
    ClientMetrics::Add(metrics_.room_wait_us,
                       static_cast<uint64_t>(SystemClock().NowUs() - since_us));
  }
  return ended_;
}

void StorageClient::Shell::WhenDurable(Lsn lsn, std::function<void(Status)> done) {
  Status outcome;
  {
    MutexLock lock(mutex_);
    if (lsn > vdl()) {
      if (ended_.ok()) {
        waiting_.emplace(lsn, std::move(done));
        return;
      }
      outcome = ended_;
    }
  }
  done(std::move(outcome));
}

Status StorageClient::Shell::WaitDurable(Lsn lsn) {
  struct Wait {
    Mutex mutex{LockRank::kLeaf};
    ConditionVariable changed;
    std::optional<Status> outcome;
  };
  const auto wait = std::make_shared<Wait>();
  WhenDurable(lsn, [wait](Status status) {
    MutexLock lock(wait->mutex);
    wait->outcome = std::move(status);
    wait->changed.NotifyAll();
  });
  MutexLock lock(wait->mutex);
  while (!wait->outcome.has_value()) {
    wait->changed.Wait(wait->mutex);
  }
  return *wait->outcome;
}

Status StorageClient::Shell::ReadPages(std::span<const PageNo> pages, Lsn read_point, Page* out) {
  {
    MutexLock lock(mutex_);
    if (!ended_.ok()) {
      return ended_;
    }
  }
  return driver_.ReadBlocking(
      pages_per_pg_.load(), pages,
      [this, read_point](std::vector<PageNo> wanted, NodeDriver::ImagesDone done) {
        core_.Read(std::move(wanted), read_point, std::move(done), SystemClock().NowUs());
      },
      out);
}

void StorageClient::Shell::SetLowestReadPoint(Lsn lsn) {
  driver_.Post([this, lsn] { core_.SetLowestReadPoint(lsn); });
}

Lsn StorageClient::Shell::Subscribe(LogSubscriber* subscriber) {
  Lsn from;
  RunOnThreadAndWait([&] {
    Drain();
    const std::vector<LogChunkPtr> undurable = core_.ChunksAboveVdl();
    from = undurable.empty() ? drained_ : undurable.front()->start;
    subscribers_.push_back(subscriber);
    subscriber->OnGeometry(core_.geometry());
    subscriber->OnVdl(vdl(), core_.Tails());
    for (const LogChunkPtr& chunk : undurable) {
      subscriber->OnLog(chunk->start, chunk->end, chunk->InLsnOrder());
    }
  });
  return from;
}

void StorageClient::Shell::Unsubscribe(LogSubscriber* subscriber) {
  RunOnThreadAndWait([&] { std::erase(subscribers_, subscriber); });
}

StorageClient::StorageClient(std::unique_ptr<Shell> shell) : shell_(std::move(shell)) {}
StorageClient::~StorageClient() = default;

Result<std::unique_ptr<StorageClient>> StorageClient::Open(
    ClientConfig config, std::function<void(const OpenProgress&)> on_progress) {
  auto shell = std::make_unique<Shell>(std::move(config), std::move(on_progress));
  RETURN_IF_ERROR(shell->Open());
  return std::unique_ptr<StorageClient>(new StorageClient(std::move(shell)));
}

void StorageClient::Close() {
  shell_->Close();
}
std::optional<WriteStall> StorageClient::Stall() const {
  return shell_->Stall();
}

Lsn StorageClient::vdl() const {
  return shell_->vdl();
}

Lsn StorageClient::vcl() const {
  return shell_->vcl();
}
Status StorageClient::ReadPage(PageNo page, Lsn read_point, Page* out) {
  return shell_->ReadPages({&page, 1}, read_point, out);
}
Status StorageClient::ReadPages(std::span<const PageNo> pages, Lsn read_point, Page* out) {
  return shell_->ReadPages(pages, read_point, out);
}
void StorageClient::SetLowestReadPoint(Lsn lsn) {
  shell_->SetLowestReadPoint(lsn);
}
Status StorageClient::WaitForRoom() {
  return shell_->WaitForRoom();
}
Lsn StorageClient::Append(std::span<RecordDraft> drafts) {
  return shell_->Append(drafts);
}
void StorageClient::WhenDurable(Lsn lsn, std::function<void(Status)> done) {
  shell_->WhenDurable(lsn, std::move(done));
}
Status StorageClient::WaitDurable(Lsn lsn) {
  return shell_->WaitDurable(lsn);
}
VolumeEpoch StorageClient::epoch() const {
  return shell_->epoch();
}
Lsn StorageClient::appended() const {
  return shell_->appended();
}
Lsn StorageClient::Subscribe(LogSubscriber* subscriber) {
  return shell_->Subscribe(subscriber);
}
void StorageClient::Unsubscribe(LogSubscriber* subscriber) {
  shell_->Unsubscribe(subscriber);
}
Status StorageClient::OrderSeat(const SeatOrder& order) {
  return shell_->Change(
      [&](ClientCore& core, int64_t now_us) { return core.OrderSeat(order, now_us); });
}
Status StorageClient::AddNode(const StorageNodeAddress& node) {
  return shell_->Change(
      [&](ClientCore& core, int64_t now_us) { return core.AddNode(node, now_us); });
}
Status StorageClient::SetDraining(NodeId node, bool draining) {
  return shell_->Change(
      [&](ClientCore& core, int64_t now_us) { return core.SetDraining(node, draining, now_us); });
}
Geometry StorageClient::geometry() const {
  return shell_->geometry();
}
void StorageClient::OnDeposed(std::function<void(Status)> deposed) {
  shell_->OnDeposed(std::move(deposed));
}
ClientMetricsSnapshot StorageClient::Metrics() const {
  return shell_->Metrics();
}

}  // namespace borealis::storage_client
