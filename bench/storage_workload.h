// What benchmarks of storage nodes send them: a volume of one protection group, and the appends and
// reads of a writer that has it.
#pragma once

#include <string>

#include "base/crc32c.h"
#include "base/os/random.h"
#include "storage_node/core.h"
#include "volume/edit.h"
#include "volume/geometry.h"
#include "volume/record.h"

namespace borealis::storage_node {

constexpr int kRecordsPerTransaction = 20;
constexpr size_t kEditBytes = 110;

// Groups that are held by nodes 1 to 6 of one AZ.
inline Geometry Groups(size_t count) {
  Geometry geometry;
  geometry.version = {VolumeEpoch(1), 1};
  Group group;
  for (Slot slot = 0; slot < kSeats; ++slot) {
    geometry.nodes.push_back({NodeId(slot + 1U), "az", "127.0.0.1", 1, false});
    group.seats.push_back({slot, kNoSlot});
  }
  geometry.groups.assign(count, group);
  return geometry;
}

inline Frame GeometryFrame(const Geometry& geometry) {
  msg::GeometryUpdate update;
  update.set_volume_id(1);
  update.set_volume_epoch(1);
  update.set_geometry(EncodeGeometry(geometry));
  update.set_decided(true);
  return MakeFrame(MessageType::kGeometryUpdate, 1, update);
}

// Appends to group 0, with LSNs that follow those before.
class AppendMaker {
 public:
  explicit AppendMaker(uint64_t pages) : pages_(pages) {}

  // Like that of a sysbench read-write transaction: small changes of pages here and there.
  Frame Transaction() {
    std::string bytes;
    for (int i = 0; i < kRecordsPerTransaction; ++i) {
      std::string edits;
      AppendWriteEdit(&edits, 16 + random_.Below(16'000), std::string(kEditBytes, 'x'));
      Add(PageNo(random_.Below(pages_)), edits, i + 1 == kRecordsPerTransaction, &bytes);
    }
    return Append(std::move(bytes), lsn_);
  }
  // `count` whole pages of digits, which compress to half.
  Frame Images(uint64_t first_page, uint64_t count) {
    const Lsn vdl = lsn_;
    std::string bytes;
    for (uint64_t i = 0; i < count; ++i) {
      std::string content;
      while (content.size() < kPageSize - 400) {
        content += std::to_string(random_.Next());
      }
      std::string edits;
      AppendImageEdit(&edits, content);
      Add(PageNo(first_page + i), edits, true, &bytes);
    }
    return Append(std::move(bytes), vdl);
  }
  // The first record of the group. REQUIRES: only once for each.
  Frame FirstOf(const Geometry& geometry, PgId pg) {
    std::string edits;
    AppendWriteEdit(&edits, 16, "first");
    std::string bytes;
    RecordDraft draft;
    draft.page = PageNo(pg.value() * geometry.pages_per_pg);
    draft.body = edits;
    const Lsn end = lsn_ + RecordSize(edits.size());
    AppendRecord(&bytes, draft, Crc32c(edits), {end, VolumeEpoch(1), Lsn(0), pg, true});
    lsn_ = end;
    return Append(std::move(bytes), lsn_, pg);
  }
  // A read of the page as of the last append.
  Frame ReadOf(PageNo page) const {
    msg::ReadPagesRequest request;
    request.set_volume_id(1);
    request.set_volume_epoch(1);
    request.set_read_point(lsn_.value());
    auto* wanted = request.add_pages();
    wanted->set_page(page.value());
    wanted->set_needed_lsn(lsn_.value());
    return MakeFrame(MessageType::kReadPagesRequest, 1, request);
  }
  Lsn lsn() const { return lsn_; }

 private:
  void Add(PageNo page, const std::string& edits, bool is_last, std::string* bytes) {
    RecordDraft draft;
    draft.page = page;
    draft.body = edits;
    const Lsn end = lsn_ + RecordSize(edits.size());
    AppendRecord(bytes, draft, Crc32c(edits), {end, VolumeEpoch(1), lsn_, PgId(0), is_last});
    lsn_ = end;
  }
  static Frame Append(std::string bytes, Lsn vdl, PgId pg = PgId(0)) {
    msg::AppendRequest request;
    request.set_volume_id(1);
    request.set_volume_epoch(1);
    request.set_vdl(vdl.value());
    msg::AppendPart* part = request.add_parts();
    part->set_pg(pg.value());
    part->set_size_bytes(static_cast<uint32_t>(bytes.size()));
    Frame frame = MakeFrame(MessageType::kAppendRequest, 1, request);
    frame.attachments.emplace_back(std::move(bytes));
    return frame;
  }

  const uint64_t pages_;
  Random random_{1};
  Lsn lsn_{0};
};

}  // namespace borealis::storage_node
