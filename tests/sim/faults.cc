#include "tests/sim/faults.h"

#include <algorithm>
#include <numeric>

#include "base/fault.h"

namespace borealis::sim {

namespace {
constexpr int64_t kMs = 1'000;
constexpr int64_t kSecond = 1'000 * kMs;
}  // namespace

void Faults::Begin(int64_t until_us, bool is_storm) {
  is_calm_ = false;
  if (is_storm) {
    ScheduleFault(until_us);
  }
  ScheduleOrder(until_us);
}

void Faults::ScheduleFault(int64_t until_us) {
  world_.After(world_.Between(20 * kMs, 500 * kMs), [this, until_us] {
    if (world_.now_us() < until_us && !is_calm_) {
      OneFault();
      ScheduleFault(until_us);
    }
  });
}

// Where there is no control that decides: orders that make no sense, often several in a row.
void Faults::ScheduleOrder(int64_t until_us) {
  const int64_t pause_us =
      world_.Chance(0.6) ? world_.Between(1 * kMs, 40 * kMs) : world_.Between(20 * kMs, 600 * kMs);
  world_.After(pause_us, [this, until_us] {
    if (world_.now_us() < until_us && !is_calm_) {
      if (cluster_.control() == nullptr) {
        cluster_.OrderSeat();
      } else if (world_.Chance(0.2)) {
        TroubleControl();
      }
      ScheduleOrder(until_us);
    }
  });
}

void Faults::TroubleControl() {
  SimControl* control = cluster_.control();
  switch (world_.random().Below(4)) {
    case 0:
      return control->Restart();
    case 1:
      return control->Hang(world_.Between(50 * kMs, 3 * kSecond));
    default:
      return control->WishDraining(AnyNode(), world_.Chance(0.5));
  }
}

void Faults::OneFault() {
  switch (world_.random().Below(19)) {
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
      return SlowSome();
    case 8:
      return FailDisk();
    case 9:
    case 10:
      return CrashAnyWriter();
    case 11:
      return RaceToOpen();
    case 12:
      return DamageDisk();
    case 13:
      cluster_.node(AnyNode()).JumpWallClock(world_.Between(-3600 * kSecond, 3600 * kSecond));
      return MoveLowestReadPoint();
    case 14:
      return cluster_.JoinNode();
    case 15:
      return FillDisk();
    case 16:
      return KillThenCrash(AnyNode(), world_.now_us() + 50 * kMs);
    case 17:
      return SwapThereAndBack();
    case 18:
      return CrashAsItHasCopied(AnyNode(), world_.now_us() + 2 * kSecond);
    default:
      return;
  }
}

std::optional<storage_client::SeatOrder> Faults::AnyMove() {
  const Geometry& geometry = cluster_.oracle().geometry();
  storage_client::SeatOrder order;
  order.pg = PgId(static_cast<uint32_t>(world_.random().Below(geometry.groups.size())));
  const std::vector<size_t> machines = cluster_.MachinesOf(order.pg);
  const size_t holder = machines[world_.random().Below(machines.size())];
  std::vector<size_t> others = cluster_.AzOf(holder);
  std::erase_if(others, [&](size_t other) {
    return std::find(machines.begin(), machines.end(), other) != machines.end();
  });
  if (others.empty()) {
    return std::nullopt;
  }
  order.holder = NodeId(static_cast<uint32_t>(holder + 1));
  order.successor = NodeId(static_cast<uint32_t>(others[world_.random().Below(others.size())] + 1));
  return order;
}

// A seat goes to another node and back, while what its holder answered as such is still on its way;
// and the peers, from whom it is to get the segment anew, are out of its reach.
void Faults::SwapThereAndBack() {
  SimWriter* writer = cluster_.writer();
  if (writer == nullptr || cluster_.control() != nullptr) {
    return;
  }
  const std::optional<storage_client::SeatOrder> order = AnyMove();
  if (!order.has_value() || !writer->OrderSeat(*order).ok()) {
    return;
  }
  cluster_.network().SetLate(order->holder.value(), writer->endpoint(),
                             world_.Between(50 * kMs, 500 * kMs));
  SwapBack(*order, writer->endpoint(), world_.now_us() + kSecond);
}

void Faults::SwapBack(storage_client::SeatOrder order, Endpoint endpoint, int64_t give_up_us) {
  world_.After(1 * kMs, [this, order, endpoint, give_up_us] {
    SimWriter* writer = cluster_.writer();
    if (is_calm_ || writer == nullptr || writer->endpoint() != endpoint ||
        world_.now_us() > give_up_us) {
      return;
    }
    const size_t former = order.holder.value() - 1;
    const std::vector<size_t> holders = cluster_.MachinesOf(order.pg);
    if (std::find(holders.begin(), holders.end(), former) != holders.end()) {
      return SwapBack(order, endpoint, give_up_us);
    }
    COVER("sim.seat_there_and_back");
    storage_client::SeatOrder back = order;
    std::swap(back.holder, back.successor);
    writer->OrderSeat(back).IgnoreError();
    CutFromPeers(former);
    world_.After(world_.Between(300 * kMs, 600 * kMs), [this] {
      if (!is_calm_) {
        cluster_.network().Heal();
      }
    });
  });
}

std::vector<size_t> Faults::AllNodes() const {
  std::vector<size_t> all(cluster_.size());
  std::iota(all.begin(), all.end(), size_t{0});
  return all;
}

// In a calm all that is down is so for a reason.
void Faults::BootSoon(size_t slot, int64_t within_us) {
  world_.After(world_.Between(1 * kMs, within_us), [this, slot] {
    if (!is_calm_) {
      cluster_.BootNode(slot);
    }
  });
}

void Faults::CrashSome() {
  // Mostly one, sometimes an AZ, now and then everything.
  std::vector<size_t> slots = {AnyNode()};
  if (world_.Chance(0.1)) {
    slots = AllNodes();
  } else if (world_.Chance(0.2)) {
    slots = cluster_.AzOf(slots[0]);
  }
  const Cluster::Loss loss = world_.Chance(0.3) ? Cluster::Loss::kProcess : Cluster::Loss::kPower;
  for (size_t slot : slots) {
    cluster_.CrashNode(slot, loss);
    BootSoon(slot, 2 * kSecond);
  }
}

// A process dies with a batch written and not flushed, finds the batch when it starts, tells of it,
// and then the power goes.
void Faults::KillThenCrash(size_t slot, int64_t give_up_us) {
  const SimNode& node = cluster_.node(slot);
  if (is_calm_ || !node.is_up() || world_.now_us() > give_up_us) {
    return;
  }
  if (!node.is_flushing()) {
    world_.After(100, [this, slot, give_up_us] { KillThenCrash(slot, give_up_us); });
    return;
  }
  COVER("sim.killed_before_sync");
  cluster_.CrashNode(slot, Cluster::Loss::kProcessBeforeSync);
  cluster_.BootNode(slot);
  world_.After(world_.Between(1 * kMs, 10 * kMs), [this, slot] {
    if (!is_calm_) {
      cluster_.CrashNode(slot, Cluster::Loss::kPower);
      BootSoon(slot, kSecond);
    }
  });
}

// Power goes when a segment has just been copied from its peers, and manifests take their time.
void Faults::CrashAsItHasCopied(size_t slot, int64_t give_up_us, std::optional<uint64_t> before) {
  SimNode& node = cluster_.node(slot);
  if (is_calm_ || world_.now_us() > give_up_us) {
    return;
  }
  const uint64_t copied = node.is_up() ? node.node().Counters().segments_copied : 0;
  if (!before.has_value()) {
    node.SetLaneSlow(storage_node::Lane::kManifest, 20);
  }
  if (!before.has_value() || copied <= *before) {
    world_.After(
        500, [this, slot, give_up_us, copied] { CrashAsItHasCopied(slot, give_up_us, copied); });
    return;
  }
  COVER("sim.crashed_after_a_copy");
  world_.After(world_.Between(0, 20 * kMs), [this, slot] {
    if (!is_calm_) {
      cluster_.CrashNode(slot, Cluster::Loss::kPower);
      BootSoon(slot, kSecond);
    }
  });
}

// Links of a node or of an AZ, both ways or one way only.
void Faults::CutSome() {
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

void Faults::SlowSome() {
  constexpr storage_node::Lane kLanes[] = {
      storage_node::Lane::kJournal, storage_node::Lane::kManifest, storage_node::Lane::kLayers};
  switch (world_.random().Below(3)) {
    case 0:
      return cluster_.node(AnyNode()).SetDiskSlow(world_.Between(1, 100));
    case 1:
      return cluster_.network().SetSlow(AnyNode() + 1, world_.Between(1, 100));
    default:
      for (size_t slot : AllNodes()) {
        if (world_.Chance(0.4)) {
          cluster_.node(slot).SetLaneSlow(kLanes[world_.random().Below(3)], world_.Between(1, 60));
        }
      }
  }
}

// Bits rot, sectors cannot be read or the disk is replaced, on one node until that is mended.
void Faults::DamageDisk() {
  if (cluster_.damaged.has_value()) {
    return;
  }
  const size_t slot = AnyNode();
  SimNode& node = cluster_.node(slot);
  cluster_.damaged = slot;
  if (world_.Chance(0.3)) {
    if (world_.Chance(0.4)) {
      return LoseDiskBesideLaggard(slot);
    }
    cluster_.CrashNode(slot, Cluster::Loss::kDisk);
    return BootSoon(slot, kSecond);
  }
  cluster_.oracle().ForgetNode(slot);
  node.SetMayForget(true);
  if (world_.Chance(0.3)) {
    return FailReads(slot);
  }
  const bool of_journal = world_.Chance(0.4);
  for (int64_t bits = of_journal ? 1 : world_.Between(1, 6); bits > 0; --bits) {
    const std::string path = node.files().FlipRandomBit(of_journal ? "journal" : "layer");
    world_.Note("flip", slot, path.size());
  }
  if (world_.Chance(0.5)) {
    cluster_.CrashNode(slot, Cluster::Loss::kPower);
    BootSoon(slot, kSecond);
  }
}

// Of its peers, the one with the new disk meets only one at first, who lags; and an opener asks it.
void Faults::LoseDiskBesideLaggard(size_t lost) {
  size_t laggard = AnyNode();
  laggard = laggard == lost ? (lost + 1) % cluster_.size() : laggard;
  cluster_.Isolate(laggard);
  world_.After(world_.Between(20 * kMs, 200 * kMs), [this, lost, laggard] {
    if (is_calm_ || cluster_.damaged != lost) {
      return;
    }
    cluster_.CrashNode(lost, Cluster::Loss::kDisk);
    cluster_.network().Heal();
    CutFromPeers(lost, laggard);
    CutFromPeers(laggard, lost);
    cluster_.BootNode(lost);
    world_.After(world_.Between(10 * kMs, 200 * kMs), [this] {
      if (!is_calm_ && cluster_.writer_count() < 4) {
        cluster_.StartWriter(VolumeEpoch(0));
      }
    });
    world_.After(world_.Between(200 * kMs, 500 * kMs), [this] {
      if (!is_calm_) {
        cluster_.network().Heal();
      }
    });
  });
}

void Faults::CutFromPeers(size_t slot, std::optional<size_t> except) {
  for (size_t other : AllNodes()) {
    if (other != slot && other != except) {
      cluster_.network().Cut(slot + 1, other + 1);
      cluster_.network().Cut(other + 1, slot + 1);
    }
  }
}

void Faults::FailReads(size_t slot) {
  const bool of_journal = world_.Chance(0.5);
  if (of_journal) {
    cluster_.CrashNode(slot, Cluster::Loss::kPower);  // it is read at a start only
  }
  const int64_t count = world_.Between(1, 3);
  for (int64_t i = 0; i < count; ++i) {
    cluster_.node(slot).files().FailNth(SimFileSystem::Operation::kRead,
                                        1 + world_.random().Below(8),
                                        of_journal ? "journal" : "layer");
  }
  cluster_.BootNode(slot);
}

void Faults::FailDisk() {
  using Operation = SimFileSystem::Operation;
  const Operation operations[] = {Operation::kSync, Operation::kWrite, Operation::kRename,
                                  Operation::kSyncDirectory, Operation::kOpen};
  SimNode& node = cluster_.node(AnyNode());
  if (node.is_up()) {
    const Operation operation = operations[world_.random().Below(5)];
    // A file that is there and cannot be opened for an I/O error is a damaged one (FailReads).
    const bool no_space = operation == Operation::kOpen || world_.Chance(0.3);
    node.files().FailNth(operation, 1 + world_.random().Below(8), "",
                         no_space ? Code::kNoSpace : Code::kIoError);
  }
}

// Somebody else's files, for a while.
void Faults::FillDisk() {
  SimNode& node = cluster_.node(AnyNode());
  node.files().SetCapacity(node.files().UsedBytes() + world_.random().Below(200u << 10));
  world_.Note("disk full", node.endpoint());
  world_.After(world_.Between(100 * kMs, 3 * kSecond),
               [&node] { node.files().SetCapacity(~uint64_t{0}); });
}

void Faults::CrashAnyWriter() {
  if (cluster_.writer_count() > 0) {
    cluster_.CrashWriter(world_.random().Below(cluster_.writer_count()));
  }
}

// Two at once; now and then with one and the same epoch, as after a restored cluster manager. Some
// die on the way.
void Faults::RaceToOpen() {
  ++races_;
  const VolumeEpoch epoch = world_.Chance(0.4) ? cluster_.NextEpoch() : VolumeEpoch(0);
  const int64_t starters = world_.Between(1, 2);
  for (int64_t i = 0; i < starters && cluster_.writer_count() < 4; ++i) {
    world_.After(world_.Between(0, 20 * kMs), [this, epoch] {
      const Endpoint opener = cluster_.StartWriter(epoch);
      if (world_.Chance(0.4)) {
        world_.After(world_.Between(0, 15 * kMs),
                     [this, opener] { cluster_.CrashWriterAt(opener); });
      }
    });
  }
}

void Faults::MoveLowestReadPoint() {
  const std::vector<Lsn>& points = cluster_.oracle().read_points();
  if (points.size() > 8) {
    cluster_.oracle().RaiseLowestReadPoint(
        points[world_.random().Below(points.size() - points.size() / 4)]);
  }
}

void Faults::Append(int64_t for_us) {
  const int64_t until_us = world_.now_us() + for_us;
  while (world_.now_us() < until_us && !world_.failed()) {
    if (SimWriter* writer = cluster_.writer(); writer != nullptr && writer->has_room()) {
      writer->AppendOne();
    }
    world_.RunUntil(std::min(until_us, world_.now_us() + world_.Between(0, 3 * kMs)));
  }
}

void Faults::SplitOpening() {
  const Geometry& geometry = cluster_.oracle().geometry();
  if (geometry.groups.empty() || cluster_.writer() == nullptr) {
    world_.RunUntil(world_.now_us() + 100 * kMs);
    return;
  }
  COVER("sim.split_opening");
  const PgId pg(static_cast<uint32_t>(world_.random().Below(geometry.groups.size())));
  const std::vector<size_t> root = cluster_.MachinesOf(kRootGroup);
  std::vector<size_t> holders = cluster_.MachinesOf(pg);
  for (size_t i = holders.size() - 1; i > 0; --i) {
    std::swap(holders[i], holders[world_.random().Below(i + 1)]);
  }
  if (world_.Chance(0.7)) {  // the root group, without which nothing opens, suffers less
    std::stable_partition(holders.begin(), holders.end(), [&](size_t holder) {
      return std::find(root.begin(), root.end(), holder) != root.end();
    });
  }
  const size_t behind = 1 + world_.random().Below(2);
  const auto order = [this, pg] {
    for (int64_t i = world_.Between(0, 2); i > 0; --i) {
      cluster_.OrderSeat(pg);
    }
  };
  order();
  Append(world_.Between(0, 10 * kMs));
  for (size_t i = 0; i < behind; ++i) {
    cluster_.Isolate(holders[i]);
  }
  order();
  Append(world_.Between(0, 10 * kMs));
  if (world_.Chance(0.5)) {
    for (size_t successor : cluster_.MachinesOf(pg, /*successors=*/true)) {
      cluster_.Isolate(successor);
    }
  }
  Append(world_.Between(0, 30 * kMs));
  while (cluster_.writer_count() > 0) {
    cluster_.CrashWriter(0);
  }
  cluster_.network().Heal();
  const size_t ahead = world_.Between(2, 4);
  for (size_t i = 0; i < ahead; ++i) {
    TakeDown(holders[holders.size() - 1 - i]);
  }
  for (int64_t i = world_.Between(1, 2); i > 0; --i) {
    cluster_.StartWriter(VolumeEpoch(0));
  }
  world_.RunUntil(world_.now_us() + world_.Between(20 * kMs, 400 * kMs));
  BringBack();
  world_.RunUntil(world_.now_us() + world_.Between(20 * kMs, 400 * kMs));
}

void Faults::EndInFirstCommit() {
  std::vector<size_t> behind = cluster_.MachinesOf(kRootGroup);
  for (size_t i = behind.size(); i > 1; --i) {
    std::swap(behind[i - 1], behind[world_.random().Below(i)]);
  }
  behind.resize(std::min(behind.size(), 1 + world_.random().Below(2)));
  for (size_t slot : behind) {
    cluster_.Isolate(slot);
  }
  const auto crash_all = [this] {
    while (cluster_.writer_count() > 0) {
      cluster_.CrashWriter(0);
    }
  };
  crash_all();
  cluster_.StartWriter(VolumeEpoch(0));
  world_.RunUntil(world_.now_us() + kSecond, [this] { return cluster_.writer() != nullptr; });
  if (SimWriter* writer = cluster_.writer(); writer != nullptr) {
    const Lsn opened_at = writer->vdl();
    writer->AppendOne();
    world_.RunUntil(world_.now_us() + 20 * kMs,
                    [&] { return cluster_.writer() != writer || writer->vdl() > opened_at; });
    COVER("sim.writer_ends_in_its_first_commit");
  }
  crash_all();
  cluster_.network().Heal();
  cluster_.StartWriter(VolumeEpoch(0));
  world_.RunUntil(world_.now_us() + world_.Between(20 * kMs, 400 * kMs));
}

void Faults::TellLeaverAlone() {
  SimWriter* const writer = cluster_.writer();
  const std::optional<storage_client::SeatOrder> order = AnyMove();
  if (!order.has_value() || writer == nullptr || !writer->OrderSeat(*order).ok()) {
    return;
  }
  const Endpoint endpoint = writer->endpoint();
  const size_t leaver = order->holder.value() - 1;
  world_.RunUntil(world_.now_us() + kSecond,
                  [&] { return !cluster_.MachinesOf(order->pg, /*successors=*/true).empty(); });
  CutFromPeers(leaver);
  for (size_t slot : AllNodes()) {
    cluster_.network().SetLate(endpoint, slot + 1, slot == leaver ? 0 : 300 * kMs);
  }
  world_.RunUntil(world_.now_us() + 3 * kSecond, [&] { return cluster_.FollowsUndecided(leaver); });
  if (cluster_.FollowsUndecided(leaver)) {
    COVER("sim.leaver_heard_alone");
  }
  cluster_.CrashWriterAt(endpoint);
  cluster_.network().LoseWhatIsUnderWay(endpoint);
  const auto open_without = [this](std::initializer_list<size_t> out_of_reach) {
    cluster_.network().Heal();
    for (size_t slot : out_of_reach) {
      cluster_.Isolate(slot);
    }
    const Endpoint opener = cluster_.StartWriter(VolumeEpoch(0));
    world_.RunUntil(world_.now_us() + kSecond, [this] { return cluster_.writer() != nullptr; });
    Append(20 * kMs);
    return opener;
  };
  // The seat cannot get on without its successor, so the former holder has it again.
  const size_t successor = order->successor.value() - 1;
  cluster_.CrashWriterAt(open_without({leaver, successor}));
  open_without({successor});
  cluster_.network().Heal();
}

void Faults::CalmDown() {
  world_.Note("calm");
  is_calm_ = true;
  if (SimControl* control = cluster_.control(); control != nullptr) {
    control->Hang(0);
  }
  BringBack();
}

void Faults::StopDraining() {
  if (SimControl* control = cluster_.control(); control != nullptr) {
    for (size_t slot : AllNodes()) {
      control->WishDraining(slot, false);
    }
  }
}

void Faults::BringBack() {
  cluster_.network().Heal();
  for (size_t slot : AllNodes()) {
    SimNode& node = cluster_.node(slot);
    node.files().SetCapacity(~uint64_t{0});
    node.SetDiskSlow(1);
    node.Hang(0);
    cluster_.BootNode(slot);
  }
}

void Faults::TakeDown(size_t slot) {
  switch (world_.random().Below(3)) {
    case 0:
      cluster_.CrashNode(slot, Cluster::Loss::kPower);
      return;
    case 1:
      cluster_.node(slot).Hang(100 * kSecond);
      return;
    default:
      cluster_.Isolate(slot);
  }
}

}  // namespace borealis::sim
