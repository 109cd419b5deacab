// A simulated cluster and the operations that scenarios perform on it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/network.h"
#include "tests/sim/oracle.h"
#include "tests/sim/sim_control.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/sim_writer.h"
#include "tests/sim/world.h"

namespace borealis::sim {

struct ClusterShape {
  bool has_control = false;  // otherwise seats change by random orders
  bool is_wide = false;      // more machines than seats
};

class Cluster {
 public:
  // Six to twelve machines in three AZs; some of them are not in use yet (JoinNode).
  Cluster(World& world, const ClusterShape& shape);
  ~Cluster();

  World& world() { return world_; }
  Network& network() { return network_; }
  Oracle& oracle() { return oracle_; }
  // Machines, by index. Those from seeds() on run, but no writer has heard of them.
  size_t size() const { return nodes_.size(); }
  SimNode& node(size_t index) { return *nodes_[index]; }
  // Those in the AZ of this one.
  std::vector<size_t> AzOf(size_t index) const;
  size_t seeds() const { return source_.seeds.size(); }
  // One machine more in the configuration, and its writer is told.
  void JoinNode();
  // A seat of a random group, or of that one, gets a random successor, or loses the one that it
  // has.
  void OrderSeat(std::optional<PgId> pg = std::nullopt);
  // Null: nobody but OrderSeat changes seats.
  SimControl* control() { return control_.get(); }

  void BootNode(size_t slot);
  enum class Loss { kProcess, kProcessBeforeSync, kPower, kDisk };
  void CrashNode(size_t slot, Loss loss);

  // Epoch 0: the writer chooses. Its endpoint.
  Endpoint StartWriter(VolumeEpoch epoch);
  void CrashWriter(size_t index);
  // If it is still there.
  void CrashWriterAt(Endpoint endpoint);
  size_t writer_count() const { return writers_.size(); }
  // The open writer of the highest epoch; null when there is none.
  SimWriter* writer();
  // Some writer is opening the volume.
  bool is_opening() const;
  // Lets go of writers that are over, and starts one when there is none left.
  void Supervise();
  // Only the open writer of the highest epoch stays.
  void KeepNewestWriter();
  // What a cluster manager would hand out next.
  VolumeEpoch NextEpoch();

  // All nodes run and are in service, and no copy owes anything to a disk that was damaged.
  bool AllSound() const;
  // Nothing to and from this machine any more.
  void Isolate(size_t slot);
  // Machines of all holders of the group, or of all its successors, by the decided geometry.
  std::vector<size_t> MachinesOf(PgId pg, bool successors = false) const;
  size_t SeatsOf(size_t slot) const;
  // The machine follows a version that no majority is known to have yet.
  bool FollowsUndecided(size_t slot);
  // No seat is changing; every copy that a seat asks for ends where the log ends, and there is no
  // other.
  bool Converged(Lsn vdl);
  std::string DescribeNodes() const;
  // Reads every page at `lsn` from every holder directly and checks it.
  void ProbeAllCopies(Lsn lsn, VolumeEpoch epoch);

  // Damage to a disk is allowed on one node at a time, until it is mended.
  std::optional<size_t> damaged;
  uint64_t openings = 0;

 private:
  void SendProbe(uint64_t id, Lsn lsn, VolumeEpoch epoch);
  std::string DescribeSeats() const;
  std::function<bool(NodeId)> IsUp() const;

  World& world_;
  Network network_;
  Oracle oracle_;
  std::vector<StorageNodeAddress> machines_;
  storage_client::VolumeSource source_;  // seeds: those in use
  storage_client::ClientLimits limits_;
  Workload workload_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::vector<std::unique_ptr<SimWriter>> writers_;
  std::vector<std::unique_ptr<SimWriter>> stopped_;  // until no callback of theirs is on the stack
  std::unique_ptr<SimReader> reader_;
  std::unique_ptr<SimControl> control_;
  std::optional<storage_client::SeatOrder> last_order_;
  Endpoint next_endpoint_ = 100;
  bool writer_is_coming_ = false;
};

}  // namespace borealis::sim
