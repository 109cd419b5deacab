// What must hold, checked against a plain model of the log while a simulated cluster runs.
//
// The model keeps every record that any writer appended, which epochs opened and where they cut the
// log, and the highest VDL at which anybody was answered. LSNs are unique over all epochs, so one
// map holds them all; a record is void when a higher epoch opened below it. Numbers are those of
// "What must always hold" in docs/volume.md.
#pragma once

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
  // Versions of the geometry: no two with one number, no seat that makes two steps at once, none
  // that goes to a node before that has told of all that was answered when it was to follow
  // (INV-GEO-2).
  void OnGeometryDecided(const Geometry& geometry);
  // 5: what a node acknowledges must survive its crash, as long as it has a seat: records, seals,
  // truncations and versions of the geometry. `has` is the version that the node knows.
  // 3: it has no part in an epoch for which it has not truncated.
  void OnNodeReply(size_t slot, const GeometryVersion& has, const Frame& frame);
  // What an opener asks for: it truncates only when enough nodes have answered its seal.
  void OnInstanceRequest(const Frame& frame);
  void OnNodeRestarted(size_t slot, const std::vector<storage_node::SegmentSummary>& segments,
                       VolumeEpoch epoch, const GeometryVersion& has);
  // The node's disk was damaged or replaced: it may come back without what it owes. But it must not
  // answer a seal before its peers have given back what was answered on its word (INV-NOD-7).
  void ForgetNode(size_t slot);

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
  // The volume exists.
  bool was_opened() const { return !opened_epochs_.empty(); }
  // The highest that was decided, in the slots of whoever decided it.
  const Geometry& geometry() const { return geometry_; }
  uint64_t seats_moved() const { return seats_moved_; }
  // Whether enough holders of the page's group have the versions of this read point: a segment that
  // was filled from its peers has pages as of then, and none older.
  bool MustAnswer(PageNo page, Lsn read_point) const;

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

  // INV-GEO-1: a write quorum of the root group by `rule` has told that it has the version.
  void CheckIsHeld(const GeometryVersion& version, const Geometry& rule);
  // A seat of the group in the version before and in `to`.
  void CheckStep(PgId pg, const Seat& before, const Geometry& to, const Seat& seat);
  void NoteTold(size_t slot, const GeometryVersion& has, const Frame& frame);
  void CheckSealReply(size_t slot, const GeometryVersion& has, const Frame& frame);
  // The write rule: how far four seats of the group, each with all its nodes, have told.
  void NoteWritten(PgId pg);
  void CheckIsWritten(Lsn vdl, const std::string& who);
  bool Counts(size_t slot, PgId pg, const GeometryVersion& has) const;
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
  struct Promises {
    VolumeEpoch sealed;
    VolumeEpoch truncated;
    GeometryVersion version;
  };
  std::map<size_t, std::map<PgId, Lsn>> acknowledged_;
  std::map<size_t, std::map<PgId, Lsn>> owed_;  // by nodes whose disk was damaged
  std::map<size_t, Promises> promises_;
  std::map<size_t, VolumeEpoch> truncated_for_;  // by nodes, whatever became of their disks since
  std::map<PgId, Lsn> written_;                  // as of the last look
  std::map<VolumeEpoch, std::set<NodeId>> sealed_by_;
  std::set<VolumeEpoch> truncated_;
  std::map<GeometryVersion, std::string> decided_;  // as encoded
  Geometry geometry_;
  // The last decided version in which the node has no seat in the group.
  std::map<std::pair<size_t, PgId>, GeometryVersion> unseated_;
  std::map<size_t, GeometryVersion> versions_told_;  // by nodes
  // The highest SCL that a node with a seat has told, in whatever answer.
  std::map<std::pair<size_t, PgId>, Lsn> told_;
  std::map<std::pair<size_t, PgId>, Lsn> successors_need_;
  uint64_t seats_moved_ = 0;
  std::map<PgId, Lsn> history_from_;  // of groups with holders that came later
  uint64_t pages_checked_ = 0;
};

}  // namespace borealis::sim
