// A simulated cluster and the operations that scenarios perform on it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/network.h"
#include "tests/sim/oracle.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/sim_writer.h"
#include "tests/sim/world.h"

namespace borealis::sim {

inline constexpr size_t kNodes = 6;

class Cluster {
 public:
  explicit Cluster(World& world);
  ~Cluster();

  World& world() { return world_; }
  Network& network() { return network_; }
  Oracle& oracle() { return oracle_; }
  SimNode& node(size_t slot) { return *nodes_[slot]; }
  size_t down_count() const;

  void BootNode(size_t slot);
  enum class Loss { kPower, kDisk };
  void CrashNode(size_t slot, Loss loss);

  // Epoch 0: the writer chooses.
  void StartWriter(VolumeEpoch epoch);
  void CrashWriter(size_t index);
  size_t writer_count() const { return writers_.size(); }
  // The open writer of the highest epoch; null when there is none.
  SimWriter* writer();
  // Lets go of writers that are over, and starts one when there is none left.
  void Supervise();
  // Only the open writer of the highest epoch stays.
  void KeepNewestWriter();
  // What a cluster manager would hand out next.
  VolumeEpoch NextEpoch();

  // All nodes run and are in service, and no copy owes anything to a disk that was damaged.
  bool AllSound() const;
  // Every copy of every group ends where the log ends.
  bool Converged(Lsn vdl) const;
  std::string DescribeNodes() const;
  // Reads every page at `lsn` from every node directly and checks it.
  void ProbeAllCopies(Lsn lsn, VolumeEpoch epoch);

  // Damage to a disk is allowed on one node at a time, until it is mended.
  std::optional<size_t> damaged;
  uint64_t openings = 0;

 private:
  void SendProbe(uint64_t id, Lsn lsn, VolumeEpoch epoch);

  World& world_;
  Network network_;
  Oracle oracle_;
  Geometry geometry_;
  storage_client::ClientLimits limits_;
  Workload workload_;
  std::array<std::unique_ptr<SimNode>, kNodes> nodes_;
  std::vector<std::unique_ptr<SimWriter>> writers_;
  std::vector<std::unique_ptr<SimWriter>> stopped_;  // until no callback of theirs is on the stack
  std::unique_ptr<SimReader> reader_;
  Endpoint next_endpoint_ = 100;
  bool writer_is_coming_ = false;
};

}  // namespace borealis::sim
