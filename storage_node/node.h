// A storage node: keeps segments of volumes, takes log records in, gives pages out at any LSN.
//
// Node is a state machine on one thread. Frames, timer ticks and finished works go in; frames and
// works come out through NodeEnvironment. It never waits: what must reach the disk (journal
// batches, the manifest, layers), or be read from layers, is a work that the environment runs
// elsewhere and reports back, so the same code serves a process with threads and a simulator with
// virtual time. Only Open touches files on the node's own thread.
//
// Life of a record: OnFrame verifies it and puts it into the journal batch that is being gathered;
// one work writes and flushes a whole batch, whatever the number of segments (group commit), and
// while it runs the next batch gathers. After the flush the records enter their segments' tables
// (segment.h), SCLs advance over back links, and the appends of the batch are acknowledged. Full
// tables become layers (layer.h); journal files whose records all are in layers are used again.
//
// What always holds; tests and the simulator check it by these names:
// INV-NOD-1  A node acknowledges SCL s for a PG only when every valid record of the PG at or under
//            s is durable on its disk.
// INV-NOD-2  A request of a lower epoch than the highest sealed or written here changes nothing and
//            is answered FENCED; that epoch is durable before it is told to anybody.
// INV-NOD-3  Layers hold only records at or under both the SCL and a VDL that was told, so no
//            truncation ever reaches into a layer.
// INV-NOD-4  After a failed journal or manifest write nothing of it counts, and the node refuses
//            service, saying why, until it is opened again.
// INV-NOD-5  A void record (in an annulled range, of a lower epoch than the range) is in no SCL, no
//            page and no answer, in whatever order record and range arrived.
// INV-NOD-6  Bytes are verified after every read from disk or wire and before use.
// INV-NOD-7  A node that may have forgotten a promise (damaged journal, empty directory) is an
//            amnesiac, durably so, until it is mended: it answers no seal, no truncate, no writer's
//            geometry, and no append. node_mend.cc says when it is mended, and why that is enough.
// INV-NOD-8  A page read at an LSN at or above the retained horizon is the fold of exactly the
//            page's valid records up to that LSN; merging never drops what such a read needs.
// INV-NOD-9  A segment exists where a geometry that is durable here gives the node a seat. It goes
//            only when a decided one gives it none, and only that is ever forgotten (INV-GEO-1).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/net/frame.h"
#include "base/net/transport.h"
#include "base/os/file.h"
#include "base/os/time.h"
#include "base/status.h"
#include "base/types.h"
#include "volume/geometry.h"

namespace borealis::storage_node {

struct NodeConfig {
  NodeId node{1};
  std::string az;
  // Everything the node keeps is in here; made when absent.
  std::string directory;
  // Other nodes of the cluster, to learn from which volumes there are and their geometry. Whom it
  // shares groups with the geometry says.
  std::vector<NodeId> peers;

  uint64_t journal_file_bytes = uint64_t{64} << 20;
  // A segment's table becomes a layer at this size.
  uint64_t table_bytes = uint64_t{16} << 20;
  // Above this many bytes of records in memory, records that do not continue their chain are
  // dropped (and come again), and the largest tables become layers early.
  uint64_t memory_bytes = uint64_t{512} << 20;
  // Above this many bytes of journal, the segments that hold its oldest file are made into layers.
  uint64_t journal_bytes = uint64_t{1} << 30;
  uint64_t page_cache_pages = 4096;
  // That many neighbouring layers of like size are merged into one.
  size_t merge_layers = 4;
  // A page with more records than this under the horizon gets an image when layers are merged.
  size_t image_after_records = 32;
  // When so many pages were emptied, and they are an eighth of a segment's, its layers are merged
  // to give back what they took.
  size_t collect_pages_min = 64;
  // Records younger than this many bytes of log are kept as records even where images cover them,
  // so that a peer that lacks them can catch up record by record; a new segment further behind is
  // copied page by page.
  uint64_t retain_log_bytes = uint64_t{256} << 20;

  int64_t gossip_interval_us = 100'000;
  // A hole this old is fetched from a peer; younger ones are likely still on their way here.
  int64_t gossip_patience_us = 200'000;
  int64_t fetch_timeout_us = 1'000'000;
  uint32_t fetch_bytes = 1u << 20;
  // What is taken from peers to catch up and to fill segments, unless an opener waits for it.
  uint64_t repair_bytes_per_second = uint64_t{200} << 20;
  // How long it may take until everything on disk was read and verified once more …
  int64_t scrub_interval_us = int64_t{7} * 24 * 3600 * 1'000'000;
  // … unless that needs more than this.
  uint64_t scrub_bytes_per_second = uint64_t{32} << 20;
  // The cluster is being created: an empty directory is a new node, not a lost disk. Without it a
  // node that starts empty waits for its peers before it promises anything.
  bool new_cluster = false;
};

// Works of one lane run one at a time, in the order they were started; lanes run side by side.
enum class Lane : uint8_t {
  kJournal,   // one batch: a write and a flush
  kManifest,  // small file, atomically replaced
  kLayers,    // writes and merges of layers; may take seconds
  kReads,     // reads of layers that an instance waits for
  kFetches,   // reads of layers for peers
};

// What the node needs from the world. All calls come from the node's thread.
class NodeEnvironment {
 public:
  virtual ~NodeEnvironment() = default;
  // Both are best-effort.
  virtual void Send(PeerId to, Frame frame) = 0;
  virtual void SendToNode(NodeId to, Frame frame) = 0;
  // The geometry says where a node is reached: SendToNode must find it there from now on. Repeated
  // at will. An environment that finds nodes by their ids alone needs nothing.
  virtual void ConnectNode(const StorageNodeAddress& /*address*/) {}
  // Runs `work` off the node's thread and then calls Node::OnWorkDone(id, its outcome) on the
  // node's thread: later, never from inside Start, and never after the node was destroyed. `work`
  // touches only files and what it captured. A work of which the completion is never delivered
  // counts as under way; it may have had its effect on disk, in part or whole.
  virtual void Start(Lane lane, uint64_t id, std::function<Status()> work) = 0;
};

// For status screens, tests and the simulator's checks.
struct SegmentSummary {
  VolumeId volume;
  PgId pg;
  Lsn scl;
  Lsn highest_seen;   // here or at a peer
  Lsn layered_up_to;  // records at or under this are in layers
  Lsn horizon;        // page reads under this are refused as collected
  uint64_t records_in_memory = 0;
  size_t layer_count = 0;
  std::string state;    // healthy, behind, repairing, lost
  double repaired = 1;  // the part that has come, while it is being filled
};

struct NodeCounters {
  uint64_t appends = 0;
  uint64_t records_taken = 0;
  uint64_t records_repeated = 0;
  uint64_t records_void = 0;
  uint64_t record_bytes = 0;  // of records taken
  uint64_t flushes = 0;
  uint64_t flushed_bytes = 0;
  uint64_t page_reads = 0;
  uint64_t page_cache_hits = 0;
  uint64_t page_read_records = 0;  // applied to build them
  uint64_t page_read_layers = 0;   // read for them
  uint64_t fetches = 0;
  uint64_t segments_copied = 0;
  uint64_t pages_copied = 0;
  uint64_t layers_written = 0;
  uint64_t layer_merges = 0;
  uint64_t layer_bytes_from_tables = 0;  // written
  uint64_t layer_bytes_from_merges = 0;
  uint64_t layer_bytes_from_copies = 0;
  uint64_t scrubbed_bytes = 0;
  uint64_t scrub_cycles = 0;
  uint64_t scrub_damage = 0;       // bad layers and journal files that it found
  uint64_t journal_bytes = 0;      // now on disk
  uint64_t layer_bytes = 0;        // now on disk
  uint64_t layer_plain_bytes = 0;  // of their blocks, before compression
  uint64_t logical_bytes = 0;      // of pages with anything on them, about
};

class Node {
 public:
  // `environment`, `files` and `clock` must outlive the node; `files` must bear use from the lanes.
  Node(NodeConfig config, NodeEnvironment& environment, FileSystem& files, const Clock& clock);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Reads manifest, layers and journal. Blocks. Call once, before anything else; after a failure
  // the node answers every request OUT_OF_SERVICE. A directory in use by another id is refused.
  Status Open();

  void OnFrame(PeerId from, Frame frame);
  // Call every few milliseconds.
  void OnTimer();
  void OnWorkDone(uint64_t id, Status outcome);

  bool in_service() const;
  // Whether INV-NOD-7 holds the node back.
  bool amnesiac() const;
  std::string out_of_service_reason() const;
  // Whether only a restart puts the node into service again: after a failed write, nothing but
  // reading the files tells what is in them.
  bool needs_restart() const;
  VolumeEpoch epoch(VolumeId volume) const;
  Lsn vdl_told(VolumeId volume) const;
  // The one that is durable here, by which the node goes; {0, 0} when there is none.
  GeometryVersion geometry_version(VolumeId volume) const;
  std::vector<SegmentSummary> Segments() const;
  NodeCounters Counters() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace borealis::storage_node
