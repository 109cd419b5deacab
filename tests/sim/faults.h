// What goes wrong in a simulated life: random faults, and openings at the worst moment.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tests/sim/cluster.h"
#include "tests/sim/world.h"

namespace borealis::sim {

class Faults {
 public:
  Faults(World& world, Cluster& cluster) : world_(world), cluster_(cluster) {}

  // Faults and orders for seats from now until then; of a storm, or only orders and slowness.
  void Begin(int64_t until_us, bool is_storm);
  // Two holders of a group, and perhaps a successor, fall behind; then the writer dies and many of
  // those that are ahead go, so that an opener has to do with the others.
  void SplitOpening();
  // A writer opens while one or two of the root group are out of reach, and dies with its first
  // commit: an opener meets nodes that know of its truncation and others that do not, and nothing
  // durable tells of its VDL.
  void EndInFirstCommit();
  // A seat goes to another node, and of the version that says so its former holder hears alone: the
  // writer dies, and openers who know nothing of it begin with the one before. In a calm.
  void TellLeaverAlone();
  // No more faults, and those that last are over.
  void CalmDown();
  void BringBack();
  // The operator wants every machine to have segments again.
  void StopDraining();
  bool is_calm() const { return is_calm_; }
  // The machine stops, hangs, or cannot be reached.
  void TakeDown(size_t slot);

  uint64_t races() const { return races_; }
  size_t AnyNode() { return world_.random().Below(cluster_.size()); }
  std::vector<size_t> AllNodes() const;

 private:
  void ScheduleFault(int64_t until_us);
  void ScheduleOrder(int64_t until_us);
  void OneFault();
  void BootSoon(size_t slot, int64_t within_us);
  void CrashSome();
  void KillThenCrash(size_t slot, int64_t give_up_us);
  void CrashAsItHasCopied(size_t slot, int64_t give_up_us,
                          std::optional<uint64_t> before = std::nullopt);
  void CutSome();
  void SlowSome();
  void DamageDisk();
  void LoseDiskBesideLaggard(size_t lost);
  void FailReads(size_t slot);
  void FailDisk();
  void FillDisk();
  void RaceToOpen();
  void CrashAnyWriter();
  void TroubleControl();
  // Any seat to another node of its AZ; absent when there is none.
  std::optional<storage_client::SeatOrder> AnyMove();
  void SwapThereAndBack();
  void SwapBack(storage_client::SeatOrder order, Endpoint writer, int64_t give_up_us);
  void CutFromPeers(size_t slot, std::optional<size_t> except = std::nullopt);
  void MoveLowestReadPoint();
  void Append(int64_t for_us);

  World& world_;
  Cluster& cluster_;
  bool is_calm_ = false;
  uint64_t races_ = 0;
};

}  // namespace borealis::sim
