// The volume as a reader instance sees it: the threaded shell around ReplicaCore.
//
// Whoever receives the writer's stream calls SetGeometry and Advance; then pages can be read at
// that VDL and at earlier ones. After a failover the stream of the new writer continues with a
// higher epoch. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "storage_client/client_metrics.h"
#include "storage_client/page_read_scheduler.h"
#include "storage_client/pg_tails.h"
#include "storage_client/volume.h"
#include "volume/geometry.h"

namespace borealis::storage_client {

class ReplicaVolume final : public PageReader {
 public:
  // `seeds`: the storage nodes of the cluster's configuration.
  explicit ReplicaVolume(std::vector<StorageNodeAddress> seeds, ReadLimits limits = {});
  ~ReplicaVolume() override;
  // Reads under way get kCancelled; idempotent.
  void Close();

  // See ReplicaCore. Call it before the first Advance.
  void SetGeometry(const Geometry& geometry);
  // See ReplicaCore::Advance. vdl() has the new value when this returns.
  void Advance(Lsn vdl, std::span<const PgTailAt> tails, VolumeEpoch epoch);

  Lsn vdl() const override;
  Status ReadPage(PageNo page, Lsn read_point, Page* out) override;
  Status ReadPages(std::span<const PageNo> pages, Lsn read_point, Page* out) override;
  // Kept for whoever reports to the writer.
  void SetLowestReadPoint(Lsn lsn) override;
  Lsn lowest_read_point() const;

  ClientMetricsSnapshot Metrics() const;

 private:
  class Shell;
  std::unique_ptr<Shell> shell_;
};

}  // namespace borealis::storage_client
