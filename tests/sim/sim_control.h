// Control's part in a simulated cluster: the real repair decisions, fed over the simulated network.
//
// Asks every storage node for its status and the writer for its geometry, and gives the writer the
// orders of control's VolumeKeeper, whose patience is cut to the simulation's scale. Like the rest
// it is cut off, stopped, started anew without a memory, and for a while it takes a writer for the
// one in office that is not.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "control/volume_keeper.h"
#include "tests/sim/network.h"
#include "tests/sim/sim_writer.h"
#include "tests/sim/world.h"

namespace borealis::sim {

class SimControl {
 public:
  // `writer` tells the open one of the highest epoch, or null.
  SimControl(World& world, Network& network, Endpoint endpoint, std::function<SimWriter*()> writer);
  ~SimControl();

  // Of the configuration, from now on. Machines come in the order of their numbers.
  void AddMachine(const StorageNodeAddress& node);
  void NodeDown(size_t machine);
  // The operator wants a machine emptied, or no longer.
  void WishDraining(size_t machine, bool draining);
  // The process ends and comes back.
  void Restart();
  void Hang(int64_t for_us) { hangs_until_us_ = world_.now_us() + for_us; }

  control::RepairReport Report() const { return keeper_->Report(); }
  // It knows no lower version.
  bool Knows(const GeometryVersion& version) const { return keeper_->version() >= version; }

 private:
  void Tick();
  void AskNodes();
  void AskWriter();
  void OnFrame(Endpoint from, const Frame& frame);
  void SendOrders(Endpoint to);
  // Runs `what` with the writer at that endpoint, if it is still the open one and can be reached.
  void AtWriter(Endpoint endpoint, std::function<void(SimWriter*)> what);
  void Later(std::function<void()> what);

  World& world_;
  Network& network_;
  const Endpoint endpoint_;
  const std::function<SimWriter*()> writer_;
  control::ClusterConfig config_;
  std::unique_ptr<control::VolumeKeeper> keeper_;
  Endpoint office_ = 0;  // who it takes for the writer
  uint64_t life_ = 0;    // of the process
  uint64_t last_request_ = 0;
  int64_t hangs_until_us_ = 0;
};

}  // namespace borealis::sim
