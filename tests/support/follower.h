// A reader instance's view of the writer's volume: a VDL of its own that follows on command.
#pragma once

#include <string>

#include "engine/engine.h"
#include "tests/support/memory_volume.h"

namespace borealis::engine::testing {

class Follower : public PageReader {
 public:
  explicit Follower(MemoryVolume* volume) : volume_(volume), vdl_(volume->vdl()) {}
  Lsn vdl() const override { return vdl_; }
  Status ReadPage(PageNo page, Lsn read_point, Page* out) override {
    return volume_->ReadPage(page, read_point, out);
  }
  Status ReadPages(std::span<const PageNo> pages, Lsn read_point, Page* out) override {
    return volume_->ReadPages(pages, read_point, out);
  }
  void SetLowestReadPoint(Lsn) override {}
  // Takes what has become durable since.
  Status Follow(Engine* replica) {
    const Lsn to = volume_->vdl();
    std::string records;
    volume_->ForEachRecord(vdl_, to, [&](const RecordView& r) { records.append(r.bytes); });
    vdl_ = to;
    return replica->ApplyLog(records, to);
  }
  // The stream was lost: goes to the present without what lies between.
  void Skip() { vdl_ = volume_->vdl(); }

 private:
  MemoryVolume* const volume_;
  Lsn vdl_;
};

}  // namespace borealis::engine::testing
