#include "tests/sim/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/fault.h"
#include "tests/sim/cluster.h"

namespace borealis::sim {

namespace {

constexpr int64_t kMs = 1'000;
constexpr int64_t kSecond = 1'000 * kMs;

class Scenario {
 public:
  explicit Scenario(const RunOptions& options)
      : world_(options.seed, options.print_trace), cluster_(world_) {}

  RunResult Run();

 private:
  void Watch();
  void ScheduleFault(int64_t until_us);
  void ScheduleOrder(int64_t until_us);
  void OneFault();
  void CrashSome();
  void CutSome();
  void DamageDisk();
  void FailDisk();
  void RaceToOpen();
  void MoveLowestReadPoint();

  void CalmDown();
  void Settle();
  void LiveWithLosses();
  void TakeDown(size_t slot);
  void BringBack();
  void ProveProgress(const std::string& when);
  void ProveReads(const std::string& when);
  void ProveAgreement();

  size_t AnyNode() { return world_.random().Below(cluster_.size()); }
  std::vector<size_t> AllNodes() const;

  World world_;
  Cluster cluster_;
  bool is_calm_ = false;
};

// The operator: restarts what is out of service, keeps a writer going.
void Scenario::Watch() {
  for (size_t slot = 0; slot < cluster_.size(); ++slot) {
    SimNode& node = cluster_.node(slot);
    const bool is_broken = node.is_broken();
    if (is_broken && world_.Chance(is_calm_ ? 1.0 : 0.1)) {
      COVER("sim.restarted_broken_node");
      cluster_.CrashNode(slot, Cluster::Loss::kPower);
      cluster_.BootNode(slot);
    }
  }
  cluster_.Supervise();
  world_.After(50 * kMs, [this] { Watch(); });
}

void Scenario::ScheduleFault(int64_t until_us) {
  world_.After(world_.Between(20 * kMs, 500 * kMs), [this, until_us] {
    if (world_.now_us() < until_us && !is_calm_) {
      OneFault();
      ScheduleFault(until_us);
    }
  });
}

// Control: repairs, drains, balances, changes its mind.
void Scenario::ScheduleOrder(int64_t until_us) {
  world_.After(world_.Between(20 * kMs, 600 * kMs), [this, until_us] {
    if (world_.now_us() < until_us && !is_calm_) {
      cluster_.OrderSeat();
      ScheduleOrder(until_us);
    }
  });
}

void Scenario::OneFault() {
  switch (world_.random().Below(15)) {
    case 0:
    case 1:
    case 2:
      return CrashSome();
    case 3:
      cluster_.node(AnyNode()).Hang(world_.Between(50 * kMs, 2 * kSecond));
      return;
    case 4:
    case 5:
      return CutSome();
    case 6: {
      NetworkFaults faults;
      faults.loss = world_.Chance(0.5) ? 0.1 * world_.random().Unit() : 0;
      faults.repeat = world_.Chance(0.5) ? 0.1 * world_.random().Unit() : 0;
      faults.straggle = world_.Chance(0.5) ? 0.1 * world_.random().Unit() : 0;
      faults.flip = world_.Chance(0.3) ? 0.05 * world_.random().Unit() : 0;
      cluster_.network().SetFaults(faults);
      return;
    }
    case 7:
      if (world_.Chance(0.5)) {
        cluster_.node(AnyNode()).SetDiskSlow(world_.Between(1, 100));
      } else {
        cluster_.network().SetSlow(AnyNode() + 1, world_.Between(1, 100));
      }
      return;
    case 8:
      return FailDisk();
    case 9:
    case 10:
      if (cluster_.writer_count() > 0) {
        cluster_.CrashWriter(world_.random().Below(cluster_.writer_count()));
      }
      return;
    case 11:
      return RaceToOpen();
    case 12:
      return DamageDisk();
    case 13:
      cluster_.node(AnyNode()).JumpWallClock(world_.Between(-3600 * kSecond, 3600 * kSecond));
      return MoveLowestReadPoint();
    case 14:
      return cluster_.JoinNode();
    default:
      return;
  }
}

std::vector<size_t> Scenario::AllNodes() const {
  std::vector<size_t> all(cluster_.size());
  std::iota(all.begin(), all.end(), size_t{0});
  return all;
}

void Scenario::CrashSome() {
  // Mostly one, sometimes an AZ, now and then everything.
  std::vector<size_t> slots = {AnyNode()};
  if (world_.Chance(0.1)) {
    slots = AllNodes();
  } else if (world_.Chance(0.2)) {
    slots = cluster_.AzOf(slots[0]);
  }
  for (size_t slot : slots) {
    cluster_.CrashNode(slot, Cluster::Loss::kPower);
    world_.After(world_.Between(1 * kMs, 2 * kSecond), [this, slot] { cluster_.BootNode(slot); });
  }
}

void Scenario::CutSome() {
  std::vector<Endpoint> inside;
  const size_t node = AnyNode();
  if (world_.Chance(0.3)) {
    for (size_t other : cluster_.AzOf(node)) {
      inside.push_back(other + 1);
    }
  } else {
    inside = {node + 1};
  }
  const bool both_ways = world_.Chance(0.6);
  const bool inwards = world_.Chance(0.5);
  for (Endpoint in : inside) {
    for (Endpoint out = 1; out < 200; out = out == cluster_.size() ? 90 : out + 1) {
      if (std::find(inside.begin(), inside.end(), out) != inside.end() || world_.Chance(0.2)) {
        continue;
      }
      if (both_ways || inwards) {
        cluster_.network().Cut(out, in);
      }
      if (both_ways || !inwards) {
        cluster_.network().Cut(in, out);
      }
    }
  }
  world_.After(world_.Between(50 * kMs, 2 * kSecond), [this] {
    if (!is_calm_) {
      cluster_.network().Heal();
    }
  });
}

// Bits rot or the disk is replaced, on one node until that is mended.
void Scenario::DamageDisk() {
  if (cluster_.damaged.has_value()) {
    return;
  }
  const size_t slot = AnyNode();
  SimNode& node = cluster_.node(slot);
  cluster_.damaged = slot;
  if (world_.Chance(0.3)) {
    cluster_.CrashNode(slot, Cluster::Loss::kDisk);
    world_.After(world_.Between(1 * kMs, kSecond), [this, slot] { cluster_.BootNode(slot); });
    return;
  }
  const std::string path = node.files().FlipRandomBit(world_.Chance(0.5) ? "journal" : "layer");
  world_.Note("flip", slot, path.size());
  cluster_.oracle().ForgetNode(slot);
  if (world_.Chance(0.5)) {
    cluster_.CrashNode(slot, Cluster::Loss::kPower);
    world_.After(world_.Between(1 * kMs, kSecond), [this, slot] { cluster_.BootNode(slot); });
  }
}

void Scenario::FailDisk() {
  using Operation = SimFileSystem::Operation;
  const Operation operations[] = {Operation::kSync, Operation::kWrite, Operation::kRename,
                                  Operation::kSyncDirectory, Operation::kOpen};
  cluster_.node(AnyNode()).files().FailNth(operations[world_.random().Below(5)],
                                           1 + world_.random().Below(8), "",
                                           world_.Chance(0.3) ? Code::kNoSpace : Code::kIoError);
}

void Scenario::RaceToOpen() {
  // Two at once; now and then with one and the same epoch, as after a restored cluster manager.
  const VolumeEpoch epoch = world_.Chance(0.4) ? cluster_.NextEpoch() : VolumeEpoch(0);
  const int64_t starters = world_.Between(1, 2);
  for (int64_t i = 0; i < starters && cluster_.writer_count() < 4; ++i) {
    world_.After(world_.Between(0, 20 * kMs), [this, epoch] { cluster_.StartWriter(epoch); });
  }
}

void Scenario::MoveLowestReadPoint() {
  const std::vector<Lsn>& points = cluster_.oracle().read_points();
  if (points.size() > 8) {
    cluster_.oracle().RaiseLowestReadPoint(
        points[world_.random().Below(points.size() - points.size() / 4)]);
  }
}

void Scenario::CalmDown() {
  world_.Note("calm");
  is_calm_ = true;
  BringBack();
}

void Scenario::BringBack() {
  cluster_.network().Heal();
  for (size_t slot = 0; slot < cluster_.size(); ++slot) {
    cluster_.node(slot).SetDiskSlow(1);
    cluster_.node(slot).Hang(0);
    cluster_.BootNode(slot);
  }
}

// Every node comes back into service by itself, mended where it was damaged, every seat that is
// changing hands gets there, and of openers with one epoch, who may each have half of the nodes
// that are left, none is under way any more.
void Scenario::Settle() {
  const auto settled = [this] {
    SimWriter* writer = cluster_.writer();
    return cluster_.AllSound() && writer != nullptr && writer->changing_seats() == 0 &&
           !cluster_.is_opening() && !cluster_.damaged.has_value();
  };
  const int64_t give_up_us = world_.now_us() + 40 * kSecond;
  while (!world_.failed() && !settled() && world_.now_us() < give_up_us) {
    world_.RunUntil(world_.now_us() + 100 * kMs);
    if (cluster_.damaged.has_value() && cluster_.AllSound()) {
      // Whatever was damaged must have been noticed when it is read: restart and see.
      const size_t slot = *cluster_.damaged;
      cluster_.CrashNode(slot, Cluster::Loss::kPower);
      cluster_.BootNode(slot);
      world_.RunUntil(world_.now_us() + 300 * kMs);
      if (cluster_.node(slot).is_sound()) {
        cluster_.damaged.reset();
      }
    }
  }
  if (!settled()) {
    world_.Fail(
        "6: not all nodes are in service, or seats still change, 40 s after the last fault" +
        cluster_.DescribeNodes());
  }
}

void Scenario::TakeDown(size_t slot) {
  switch (world_.random().Below(3)) {
    case 0:
      cluster_.CrashNode(slot, Cluster::Loss::kPower);
      return;
    case 1:
      cluster_.node(slot).Hang(100 * kSecond);
      return;
    default:
      for (Endpoint other = 1; other < 300; ++other) {
        cluster_.network().Cut(slot + 1, other);
        cluster_.network().Cut(other, slot + 1);
      }
  }
}

// 6: two nodes, or an AZ, may go without a failed write, one more without a failed read.
void Scenario::LiveWithLosses() {
  std::vector<size_t> order = AllNodes();
  for (size_t i = order.size() - 1; i > 0; --i) {
    std::swap(order[i], order[world_.random().Below(i + 1)]);
  }
  size_t gone = 2;
  if (world_.Chance(0.4)) {
    const std::vector<size_t> az = cluster_.AzOf(order[0]);
    std::stable_partition(order.begin(), order.end(), [&](size_t node) {
      return std::find(az.begin(), az.end(), node) != az.end();
    });
    gone = az.size();
  }
  for (size_t i = 0; i < gone; ++i) {
    TakeDown(order[i]);
  }
  ProveProgress("with two nodes or an AZ gone");
  ProveReads("with two nodes or an AZ gone");
  if (world_.Chance(0.5) && !world_.failed()) {
    TakeDown(order[gone]);
    ProveReads("with one more node gone");
  }
  BringBack();
  for (size_t slot = 0; slot < cluster_.size(); ++slot) {
    if (SimWriter* writer = cluster_.writer(); writer != nullptr) {
      writer->NodeUp(NodeId(static_cast<uint32_t>(slot + 1)));
    }
  }
}

void Scenario::ProveProgress(const std::string& when) {
  const int64_t since_us = world_.now_us();
  // A writer that opens the volume anew, sometimes: opening has to work, too.
  if (world_.Chance(0.3)) {
    cluster_.StartWriter(VolumeEpoch(0));
    world_.RunUntil(world_.now_us() + 500 * kMs);
  }
  Lsn goal;
  VolumeEpoch epoch;
  const auto reached = [&] {
    SimWriter* writer = cluster_.writer();
    if (writer == nullptr) {
      return false;
    }
    if (writer->epoch() != epoch) {
      epoch = writer->epoch();
      goal = writer->AppendOne();
    }
    return writer->vdl() >= goal;
  };
  while (!world_.failed() && !reached() && world_.now_us() < since_us + 20 * kSecond) {
    world_.RunUntil(world_.now_us() + 50 * kMs);
  }
  if (!reached()) {
    world_.Fail(fmt::format("6: no commit for 20 s {}{}", when, cluster_.DescribeNodes()));
  }
}

void Scenario::ProveReads(const std::string& when) {
  SimWriter* writer = cluster_.writer();
  if (writer == nullptr || world_.failed()) {
    return;
  }
  for (int i = 0; i < 10; ++i) {
    writer->ReadOne(true);
  }
  const int64_t since_us = world_.now_us();
  while (!world_.failed() && cluster_.writer() == writer && writer->reads_open() > 0 &&
         world_.now_us() < since_us + 10 * kSecond) {
    world_.RunUntil(world_.now_us() + 20 * kMs);
  }
  if (cluster_.writer() == writer && writer->reads_open() > 0) {
    world_.Fail(fmt::format("6: reads hang for 10 s {}{}", when, cluster_.DescribeNodes()));
  }
}

// In the end all copies of all pages are equal, and equal to the model.
void Scenario::ProveAgreement() {
  Settle();
  ProveProgress("at the end");
  if (world_.failed()) {
    return;
  }
  cluster_.KeepNewestWriter();
  SimWriter* writer = cluster_.writer();
  const Lsn end = writer->AppendOne();
  writer->StopWorkload();
  const int64_t give_up_us = world_.now_us() + 30 * kSecond;
  const auto agreed = [&] {
    return writer->is_open() && writer->vdl() >= end && cluster_.Converged(writer->vdl());
  };
  while (!world_.failed() && !agreed() && world_.now_us() < give_up_us) {
    world_.RunUntil(world_.now_us() + 100 * kMs);
  }
  if (!agreed()) {
    world_.Fail("copies do not agree 30 s after the last write" + cluster_.DescribeNodes());
  }
  if (!world_.failed()) {
    cluster_.ProbeAllCopies(writer->vdl(), writer->epoch());
    ProveReads("at the end");
  }
}

RunResult Scenario::Run() {
  cluster_.StartWriter(VolumeEpoch(0));
  world_.After(50 * kMs, [this] { Watch(); });
  world_.RunUntil(world_.now_us() + world_.Between(0, 500 * kMs));
  const int64_t rounds = world_.Between(1, 3);
  for (int64_t round = 0; round < rounds && !world_.failed(); ++round) {
    is_calm_ = false;
    const int64_t until_us = world_.now_us() + world_.Between(1 * kSecond, 6 * kSecond);
    ScheduleFault(until_us);
    ScheduleOrder(until_us);
    world_.RunUntil(until_us);
    if (world_.failed()) {
      break;
    }
    CalmDown();
    Settle();
    if (!world_.failed()) {
      LiveWithLosses();
    }
  }
  if (!world_.failed()) {
    ProveAgreement();
  }
  RunResult result;
  result.failure = world_.failure();
  result.trace_hash = world_.trace_hash();
  result.events = world_.event_count();
  result.records = cluster_.oracle().record_count();
  result.pages_checked = cluster_.oracle().pages_checked();
  result.openings = cluster_.openings;
  result.seats_moved = cluster_.oracle().seats_moved();
  result.virtual_us = world_.now_us();
  return result;
}

}  // namespace

RunResult RunScenario(const RunOptions& options) {
  Scenario scenario(options);
  return scenario.Run();
}

}  // namespace borealis::sim
