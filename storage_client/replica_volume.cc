#include "storage_client/replica_volume.h"

#include <atomic>

#include "base/coding.h"
#include "base/invariant.h"
#include "base/os/random.h"
#include "base/os/time.h"
#include "storage_client/node_driver.h"
#include "storage_client/replica_core.h"

namespace borealis::storage_client {

class ReplicaVolume::Shell {
 public:
  Shell(std::span<const StorageNodeAddress> seeds, const ReadLimits& limits)
      : core_(seeds, limits, driver_, metrics_,
              LoadLittle<uint64_t>(SecureRandomBytes(sizeof(uint64_t)).data())) {
    driver_.Start(&core_, "volume-reader");
  }
  ~Shell() { Close(); }

  void Close() {
    if (closed_.exchange(true)) {
      return;
    }
    // Posted works run in order: reads that were posted before are failed by it, and later ones are
    // refused in ReadPages or fail with it when the thread stops.
    std::atomic<bool> done{false};
    driver_.Post([&] {
      core_.Shutdown();
      done.store(true);
      done.notify_all();
    });
    done.wait(false);
    driver_.Stop();
  }

  void SetGeometry(const Geometry& geometry) {
    pages_per_pg_.store(geometry.pages_per_pg);
    driver_.Post([this, geometry] { core_.SetGeometry(geometry); });
  }

  void Advance(Lsn vdl, std::span<const PgTailAt> tails, VolumeEpoch epoch) {
    // The core has it before any read posted after the VDL became visible.
    driver_.Post([this, vdl, epoch, copy = std::vector<PgTailAt>(tails.begin(), tails.end())] {
      core_.Advance(epoch, vdl, copy);
    });
    uint64_t before = vdl_.load();
    while (before < vdl.value() && !vdl_.compare_exchange_weak(before, vdl.value())) {
    }
  }

  Status ReadPages(std::span<const PageNo> pages, Lsn read_point, Page* out) {
    if (closed_.load()) {
      return Status::Cancelled("the volume was closed");
    }
    return driver_.ReadBlocking(
        pages_per_pg_.load(), pages,
        [this, read_point](std::vector<PageNo> wanted, NodeDriver::ImagesDone done) {
          if (closed_.load()) {
            done(Status::Cancelled("the volume was closed"), {});
            return;
          }
          core_.Read(std::move(wanted), read_point, std::move(done), SystemClock().NowUs());
        },
        out);
  }

  void SetLowestReadPoint(Lsn lsn) {
    lowest_.store(lsn.value());
    driver_.Post([this, lsn] { core_.SetLowestReadPoint(lsn); });
  }

  Lsn vdl() const { return Lsn(vdl_.load(std::memory_order_acquire)); }
  Lsn lowest() const { return Lsn(lowest_.load()); }
  ClientMetricsSnapshot Metrics() const { return metrics_.Snapshot(); }

 private:
  ClientMetrics metrics_;
  NodeDriver driver_;
  ReplicaCore core_;
  std::atomic<uint64_t> pages_per_pg_{kPagesPerPgDefault};
  std::atomic<uint64_t> vdl_{0};
  std::atomic<uint64_t> lowest_{0};
  std::atomic<bool> closed_{false};
};

ReplicaVolume::ReplicaVolume(std::vector<StorageNodeAddress> seeds, ReadLimits limits)
    : shell_(std::make_unique<Shell>(seeds, limits)) {}
ReplicaVolume::~ReplicaVolume() = default;

void ReplicaVolume::Close() {
  shell_->Close();
}
void ReplicaVolume::SetGeometry(const Geometry& geometry) {
  shell_->SetGeometry(geometry);
}
void ReplicaVolume::Advance(Lsn vdl, std::span<const PgTailAt> tails, VolumeEpoch epoch) {
  shell_->Advance(vdl, tails, epoch);
}
Lsn ReplicaVolume::vdl() const {
  return shell_->vdl();
}
Status ReplicaVolume::ReadPage(PageNo page, Lsn read_point, Page* out) {
  return shell_->ReadPages({&page, 1}, read_point, out);
}
Status ReplicaVolume::ReadPages(std::span<const PageNo> pages, Lsn read_point, Page* out) {
  return shell_->ReadPages(pages, read_point, out);
}
void ReplicaVolume::SetLowestReadPoint(Lsn lsn) {
  shell_->SetLowestReadPoint(lsn);
}
Lsn ReplicaVolume::lowest_read_point() const {
  return shell_->lowest();
}
ClientMetricsSnapshot ReplicaVolume::Metrics() const {
  return shell_->Metrics();
}

}  // namespace borealis::storage_client
