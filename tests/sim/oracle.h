// What must hold, checked against a plain model of the log while a simulated cluster runs.
//
// The model keeps every record that any writer appended, which epochs opened and where they cut the
// log, and the highest VDL at which anybody was answered. LSNs are unique over all epochs, so one
// map holds them all; a record is void when a higher epoch opened below it. Numbers are those of
// "What must always hold" in docs/volume.md.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage_client/log_buffer.h"
#include "storage_client/opener.h"
#include "storage_node/node.h"
#include "tests/sim/world.h"
#include "volume/page.h"

namespace borealis::sim {

class Oracle {
 public:
  explicit Oracle(World& world) : world_(world) {}

  void OnAppended(VolumeEpoch epoch, const storage_client::LogChunk& chunk);
  void OnOpened(const storage_client::OpenedVolume& opened);
  // 1, 3, 4: the writer of `epoch` says so; from now on everything up to it was answered.
  void OnVdl(VolumeEpoch epoch, Lsn vdl);
  // 2, 7: the bytes of a page as read at `read_point`. True when they are right.
  bool CheckPage(PageNo page, Lsn read_point, std::string_view bytes, const std::string& who);
  // 5: what a node acknowledges must survive its crash.
  void OnNodeReply(size_t slot, const Frame& frame);
  void OnNodeRestarted(size_t slot, const std::vector<storage_node::SegmentSummary>& segments);
  // The node's disk was damaged or replaced: it owes nothing.
  void ForgetNode(size_t slot) { acknowledged_[slot].clear(); }

  // VDLs that somebody had and that may still be read at, ascending.
  const std::vector<Lsn>& read_points() const { return read_points_; }
  Lsn lowest_read_point() const { return lowest_read_point_; }
  void RaiseLowestReadPoint(Lsn lsn);
  Lsn answered() const { return answered_; }
  // The group's last valid record at or under `lsn`; 0 for none.
  Lsn LastOfGroup(PgId pg, Lsn lsn) const;
  std::vector<PgId> Groups() const;
  uint64_t pages_checked() const { return pages_checked_; }
  uint64_t record_count() const { return records_.size(); }

 private:
  struct ModelRecord {
    Lsn start;
    VolumeEpoch epoch;
    PgId pg;
    PageNo page;
    bool is_consistency_point = false;
    SharedBytes bytes;
  };
  struct PageModel {
    std::map<Lsn, const ModelRecord*> records;  // valid ones
    std::map<Lsn, std::unique_ptr<Page>> images;
  };
  struct Opening {
    Lsn vdl;
    Lsn start;
  };

  bool IsVoid(Lsn end, VolumeEpoch epoch) const;
  void Void(Lsn end, const ModelRecord& record);
  void NoteAnswered(Lsn vdl);

  World& world_;
  std::map<Lsn, ModelRecord> records_;  // by end
  std::map<PageNo, PageModel> pages_;
  std::map<PgId, std::map<Lsn, const ModelRecord*>> groups_;  // valid ones
  std::map<VolumeEpoch, Opening> openings_;
  std::set<VolumeEpoch> opened_epochs_;  // and those that opened too late to matter
  std::map<VolumeEpoch, Lsn> vdls_;
  Lsn answered_;
  std::vector<Lsn> read_points_;
  Lsn lowest_read_point_;
  std::array<std::map<PgId, Lsn>, 6> acknowledged_;
  uint64_t pages_checked_ = 0;
};

}  // namespace borealis::sim
