#include "storage_client/replica_core.h"

#include <algorithm>

#include "base/invariant.h"
#include "base/obs/log.h"
#include "storage_client/message_frame.h"
#include "volume/page.h"

namespace borealis::storage_client {

ReplicaCore::ReplicaCore(std::span<const StorageNodeAddress> seeds, const ReadLimits& limits,
                         NodeLink& link, ClientMetrics& metrics, uint64_t seed)
    : table_(seeds, link),
      reads_(
          geometry_, limits,
          [this](PgId pg, size_t slot) {
            const auto found = scls_.find(pg);
            return found == scls_.end() ? Lsn(0) : found->second[slot];
          },
          [this](PgId pg) {
            return geometry_.Has(pg) ? up_ & geometry_.group(pg).Members() : SegmentSet{0};
          },
          [this](PgId pg, size_t slot, Lsn scl, uint64_t) {
            Lsn& known = scls_[pg][slot];
            known = std::max(known, scl);
          },
          link, ids_, metrics, seed) {}

void ReplicaCore::SetGeometry(const Geometry& geometry) {
  if (geometry.version < geometry_.version) {
    return;
  }
  // The writer knows the nodes' addresses at least as well as our configuration does.
  for (const StorageNodeAddress& node : geometry.nodes) {
    if (table_.SlotOf(node.node).has_value()) {
      table_.Add(node);
    }
  }
  Result<Geometry> rebased = table_.Rebase(geometry);
  if (!rebased.ok()) {
    LOG_ERROR("geometry {}: {}", geometry.version.ToString(), rebased.status().ToString());
    return;
  }
  geometry_ = std::move(*rebased);
}

void ReplicaCore::Advance(VolumeEpoch epoch, Lsn vdl, std::span<const PgTailAt> tails) {
  if (epoch < epoch_ || vdl < vdl_) {
    return;
  }
  if (epoch > epoch_) {
    // What segments held above the new epoch's truncation is void: learn their SCLs anew.
    epoch_ = epoch;
    scls_.clear();
    reads_.SetEpoch(epoch);
  }
  for (const PgTailAt& tail : tails) {
    tails_.Advance(tail.pg, vdl_, vdl, tail.tail);
  }
  vdl_ = vdl;
}

void ReplicaCore::Read(std::vector<PageNo> pages, Lsn read_point, ReadDone done, int64_t now_us) {
  INVARIANT_LE(read_point, vdl_);
  reads_.Start(std::move(pages), read_point, tails_, std::move(done), now_us);
}

void ReplicaCore::OnFrame(size_t slot, const Frame& frame, int64_t now_us) {
  msg::ReadPagesReply reply;
  if (frame.type == static_cast<uint16_t>(MessageType::kReadPagesReply) &&
      ParseBody(frame, &reply)) {
    reads_.OnReply(slot, frame.request_id, reply, frame.attachments, now_us);
  }
}

void ReplicaCore::OnNodeUp(size_t slot, int64_t /*now_us*/) {
  up_ |= SegmentBit(slot);
}

void ReplicaCore::OnNodeDown(size_t slot, int64_t now_us) {
  up_ &= ~SegmentBit(slot);
  reads_.OnNodeDown(slot, now_us);
}

void ReplicaCore::Shutdown() {
  reads_.FailAll(Status::Cancelled("the volume is closing"));
}

}  // namespace borealis::storage_client
