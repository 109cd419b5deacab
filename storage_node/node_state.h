// What a node keeps in memory besides segments: of volumes, peers, appends on their way, the scrub.
//
// Plain data; the parts of the node (core.h) say what it means and keep it in order. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/net/transport.h"
#include "base/types.h"
#include "storage_node/journal.h"
#include "storage_node/known_geometry.h"
#include "storage_node/layer.h"
#include "storage_node/segment.h"

namespace borealis::storage_node {

// A copy of a segment's pages from its peers, under way; node_copy.cc.
struct SegmentCopy;
struct CopyPiece;

// What another member told of its segment.
struct Told {
  Lsn scl;    // the last time
  Lsn least;  // since we opened: what mending must reach
};
struct HeldSegment {
  std::unique_ptr<Segment> segment;
  std::map<NodeId, Told> told;
  Lsn gossiped;  // the SCL that we told last
  // Catching up: a peer had `behind_target` when we had not, since then.
  Lsn behind_target;
  int64_t behind_since_us = 0;
  bool urgent = false;    // an opener waits: no patience
  uint64_t fetch_id = 0;  // of the fetch under way, 0 for none
  int64_t fetch_sent_us = 0;
  size_t fetch_attempts = 0;
  size_t collected_answers = 0;  // peers in a row that have what we miss in images only
  bool needs_pages = false;      // all of them
  std::shared_ptr<SegmentCopy> copy;
  int64_t copy_not_before_us = 0;
};
struct HeldVolume {
  VolumeState state;
  std::map<PgId, HeldSegment> segments;
  // Seals under way: what the manifest that is being written says already.
  VolumeEpoch sealing_epoch;
  bool sealing_has_opener = false;
  uint64_t sealing_opener = 0;
  uint64_t append_count = 0;
  // The geometry that is durable here, and by it the groups, ascending, that we share with
  // others.
  KnownGeometry acting;
  std::map<NodeId, std::vector<PgId>> shared;
  bool tell_all = false;  // in the next gossip, to everybody
};
// A segment without a seat, until nothing needs it any more.
struct LeavingSegment {
  std::map<PgId, HeldSegment>::node_type node;
  bool out_of_manifest = false;
  HeldSegment& held() { return node.mapped(); }
};
// Statuses about one volume between a peer and us, since we opened.
struct PeerDialogue {
  uint64_t sent = 0;
  uint64_t received = 0;  // `sequence` of the last that came
  bool heard = false;
  bool missed = true;  // some may not have come: the peer is to tell all
  GeometryVersion version;
  bool decided = false;
};
struct PeerState {
  std::map<VolumeId, PeerDialogue> volumes;
  uint32_t volume_count = 0;
  bool heard = false;  // of all its volumes
  bool amnesiac = false;
  int64_t answered_us = 0;
};

struct ScrubTarget {
  VolumeId volume;
  PgId pg;
  uint64_t layer = 0;         // its number, or
  uint64_t journal_file = 0;  // that of a journal file
  uint64_t bytes = 0;
};
struct ScrubState {
  std::deque<ScrubTarget> targets;  // of the cycle, as yet
  uint64_t cycle_bytes = 0;
  bool begun = false;
  bool under_way = false;
  int64_t not_before_us = 0;
  std::shared_ptr<Layer> layer;  // of the first target; used by works only
  size_t next_block = 0;
};

// Appends on their way to the journal.
struct PendingRecord {
  Segment* segment = nullptr;
  uint32_t offset = 0;
  uint32_t length = 0;
};
struct AppendWaiter {
  PeerId peer = 0;  // none when `then` is set
  uint64_t request_id = 0;
  HeldVolume* volume = nullptr;
  VolumeEpoch epoch;
  std::vector<PgId> pgs;
  std::function<void()> then;
};
struct Gathering {
  BatchBuilder builder;
  std::vector<PendingRecord> records;
  std::vector<AppendWaiter> waiters;
  bool empty() const { return waiters.empty() && records.empty(); }
  void Clear() {
    records.clear();
    waiters.clear();
  }
};

}  // namespace borealis::storage_node
