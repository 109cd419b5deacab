// One machine with a storage node: the real node core on a simulated disk.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/os/sim_file.h"
#include "storage_node/node.h"
#include "tests/sim/network.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

namespace borealis::sim {

class SimNode final : public storage_node::NodeEnvironment {
 public:
  SimNode(World& world, Network& network, Oracle& oracle, storage_node::NodeConfig config);
  ~SimNode() override;

  // Starts the process; checks that what was acknowledged is there (5).
  void Boot();
  // Power off. What was on its way to the disk may be there in part, or whole.
  void Crash();
  // The process dies and the machine goes on: what was written and not flushed can be read.
  void Kill();
  // The same, between the write and the sync of the journal if a flush is under way.
  void KillBeforeSync();
  bool is_flushing() const;
  // Power off, and a new disk.
  void CrashAndLoseDisk();
  // Stops answering, keeps its state and its disk.
  void Hang(int64_t for_us);

  // NodeEnvironment.
  void Send(PeerId to, Frame frame) override;
  void SendToNode(NodeId to, Frame frame) override;
  void Start(storage_node::Lane lane, uint64_t id, std::function<Status()> work) override;

  bool is_up() const { return node_ != nullptr; }
  bool is_sound() const { return is_up() && node_->in_service() && !node_->amnesiac(); }
  // Out of service until somebody restarts it; an amnesiac, on the other hand, mends itself.
  bool is_broken() const;
  storage_node::Node& node() { return *node_; }
  SimFileSystem& files() { return *files_; }
  Endpoint endpoint() const { return config_.node.value(); }
  // Its index in the cluster; not a slot of any instance.
  size_t slot() const { return config_.node.value() - 1; }
  // Disk operations take this many times longer; all, or those of one lane.
  void SetDiskSlow(int64_t factor) {
    disk_slow_ = factor;
    lane_slow_.clear();
  }
  void SetLaneSlow(storage_node::Lane lane, int64_t factor) { lane_slow_[lane] = factor; }
  // Its disk was damaged: it may find at a restart that it has lost something. (5 holds otherwise.)
  void SetMayForget(bool may) { may_forget_ = may; }
  void JumpWallClock(int64_t by_us) { clock_.JumpWall(by_us); }

 private:
  struct Work {
    uint64_t id;
    std::function<Status()> run;
    Status outcome;
    bool has_run = false;
  };

  void RunNext(storage_node::Lane lane);
  void DoPartOfWork();
  bool ManifestSaysWhole();
  void Tick();
  void OnFrame(Endpoint from, Frame frame);
  void Stop();

  World& world_;
  Network& network_;
  Oracle& oracle_;
  storage_node::NodeConfig config_;
  WorldClock clock_;
  std::unique_ptr<SimFileSystem> files_;
  std::unique_ptr<storage_node::Node> node_;
  uint64_t generation_ = 0;  // of the process: events of an earlier one are dropped
  int64_t hangs_until_us_ = 0;
  int64_t disk_slow_ = 1;
  std::map<storage_node::Lane, int64_t> lane_slow_;
  bool may_forget_ = false;
  std::map<storage_node::Lane, std::deque<Work>> lanes_;
};

}  // namespace borealis::sim
