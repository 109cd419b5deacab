// The cluster's state as one object, for `borealis cluster status`: JSON with fixed keys (other
// programs rely on them) and one screen for people made from the same object.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/cluster_config.h"
#include "control/manager.h"
#include "control/repair_planner.h"

namespace borealis::control {

struct SegmentStatus {
  uint32_t pg = 0;
  std::string node;
  uint64_t scl = 0;
  std::string state;               // healthy, behind, repairing, lost
  std::optional<double> repaired;  // per cent, while repairing
  std::string successor_of;        // whom it is to follow; empty: it holds its seat
};

// What a storage node wrote since it started, and what it keeps; see volume/messages.proto.
struct StorageSpace {
  uint64_t record_bytes = 0;
  uint64_t journal_written_bytes = 0;
  uint64_t layer_written_bytes = 0;
  uint64_t journal_bytes = 0;
  uint64_t layer_bytes = 0;
  uint64_t layer_plain_bytes = 0;
  uint64_t logical_bytes = 0;
};

struct StorageNodeStatus {
  bool in_volume = false;  // the volume's geometry knows it
  bool draining = false;
  size_t segments = 0;  // seats, as holder or successor
  uint64_t free_bytes = 0;
  StorageSpace space;
};

struct ProcessStatus {
  int pid = 0;         // 0 when it does not run
  std::string state;   // stopped, starting, running, silent; of storage also rebuilding and
                       // "out of service"
  std::string reason;  // of every state but running
};

struct ClusterStatus {
  ClusterConfig config;
  std::string writer;
  std::map<std::string, ProcessStatus> processes;
  std::map<std::string, InstanceReport> reports;
  uint64_t volume_epoch = 0;
  uint64_t vcl = 0;
  uint64_t vdl = 0;
  uint32_t protection_groups = 0;
  std::map<std::string, StorageNodeStatus> storage;
  std::vector<SegmentStatus> segments;
  RepairReport repair;
  bool serving = false;
};

// Keys: endpoints.{cluster,reader}.{host,port}, instances[], storage_nodes[], control, volume,
// segments[], repair; see docs/operating.md.
std::string StatusJson(const ClusterStatus& status);
// What is not in order, in one line, from what StatusJson printed; empty when all is.
std::string StatusTroubles(const std::string& status_json);
// A screen made from what StatusJson printed. kInvalidArgument when it is not that.
Result<std::string> StatusScreen(const std::string& status_json);

}  // namespace borealis::control
