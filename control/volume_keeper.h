// What control knows of the volume, and what it has the writer do with it.
//
// Gathers the writer's geometry and the storage nodes' answers for the repair planner, and turns
// into orders what the planner decides and what the operator wants: nodes of the configuration that
// the geometry lacks are added, nodes are marked as draining. All of it is a wish that is repeated
// until the geometry shows it, so nothing has to be remembered across restarts of control, but for
// a drain that was asked for and not yet taken up; the command that asks waits for it.
//
// Without I/O; on control's thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/cluster_config.h"
#include "control/repair_planner.h"
#include "control/status.h"

namespace borealis {
class MetricsPage;
}
namespace borealis::msg {
class NodeStatusReply;
}
namespace borealis::control::msg {
class GeometryOrders;
class GeometryOrdersReply;
}  // namespace borealis::control::msg

namespace borealis::control {

class VolumeKeeper {
 public:
  VolumeKeeper(const RepairLimits& limits, int64_t now_us) : planner_(limits, now_us) {}

  // Of the writer in office, encoded. kCorruption when it is not a geometry.
  Status OnWriterGeometry(const std::string& bytes, int64_t now_us);
  void OnNodeStatus(const StorageNodeConfig& node, const borealis::msg::NodeStatusReply& reply,
                    int64_t now_us);
  void OnNodeDown(const StorageNodeConfig& node) { planner_.OnNodeDown(NodeId(node.number)); }
  void OnOutcomes(const msg::GeometryOrdersReply& reply, int64_t now_us);

  // What the writer is to be told now; call a few times a second.
  msg::GeometryOrders Plan(const ClusterConfig& config, int64_t now_us);

  // Whether every group has a write quorum among these nodes, by number, leaving out those that are
  // out of service. True while no geometry is known.
  bool CanBeWritten(const std::set<uint32_t>& reachable) const;

  // {0, 0} before the writer has told one.
  GeometryVersion version() const;
  bool Has(const StorageNodeConfig& node) const;

  // Whether the node is draining (or no longer is) by the decided geometry. If not, it is ordered;
  // ask again. The writer's refusal is told once, and ends it.
  Result<bool> SetDraining(const StorageNodeConfig& node, bool draining);
  // kInvalidArgument, with the reason, while the volume needs the node; kUnavailable while nobody
  // knows.
  Status MayRemove(const StorageNodeConfig& node) const;
  uint32_t HighestNumber() const;

  // Adds what it knows of storage nodes, segments and repairs. `reachable` tells which nodes
  // answer; segments of the others are lost, for now.
  void Describe(const std::map<std::string, bool>& reachable, ClusterStatus* status) const;
  RepairReport Report() const { return planner_.Report(); }
  void AddMetrics(MetricsPage* page) const;

 private:
  struct Wish {
    bool draining = false;
    std::string refusal;  // of the writer, and not yet told
  };
  struct Answer {
    StorageNodeFacts facts;
    std::string geometry;  // the highest it knows, encoded
    StorageSpace space;
  };
  const Geometry* Shown() const;
  void AddSegment(PgId pg, const StorageNodeConfig& node, const StorageNodeConfig* successor_of,
                  bool reachable, ClusterStatus* status) const;

  RepairPlanner planner_;
  std::map<uint32_t, Answer> answers_;  // by node number
  std::map<uint32_t, Wish> wishes_;
  // The highest that storage nodes told, decided or not: what can be shown while no writer tells.
  std::optional<Geometry> told_;
};

}  // namespace borealis::control
