#include "tests/sim/scenario.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/fault.h"
#include "tests/sim/cluster.h"
#include "tests/sim/faults.h"

namespace borealis::sim {

namespace {

constexpr int64_t kMs = 1'000;
constexpr int64_t kSecond = 1'000 * kMs;
// Two hops and two turns of a journal take 5 ms at worst, and some wait for another's turn.
constexpr int64_t kSlowCommitUs = 12 * kMs;

class Scenario {
 public:
  explicit Scenario(const RunOptions& options)
      : world_(options.seed, options.print_trace),
        style_(ChooseStyle(world_)),
        cluster_(world_, {style_.has_control, style_.has_splits && world_.Chance(0.7)}),
        faults_(world_, cluster_) {}

  RunResult Run();

 private:
  // What a seed is mostly about.
  struct Style {
    bool has_control = false;
    bool has_splits = false;
  };
  static Style ChooseStyle(World& world);

  void Watch();
  void Trouble();
  void Settle();
  void LiveWithLosses();
  void LiveWithoutQuorum();
  void LiveWithASlowNode();
  void ReplaceWhatIsGone();
  void ProveProgress(const std::string& when);
  void ProveReads(const std::string& when);
  void ProveAgreement();
  // Control knows of nothing that is left to do.
  bool IsRepaired();

  void Announce();
  std::vector<size_t> Shuffled(std::vector<size_t> nodes);
  int64_t CommitOnce(SimWriter* writer);

  World world_;
  const Style style_;
  Cluster cluster_;
  Faults faults_;
};

Scenario::Style Scenario::ChooseStyle(World& world) {
  Style style;
  style.has_control = world.Chance(0.5);
  style.has_splits = world.Chance(0.4);
  return style;
}

// The operator: restarts what is out of service, keeps a writer going.
void Scenario::Watch() {
  for (size_t slot = 0; slot < cluster_.size(); ++slot) {
    SimNode& node = cluster_.node(slot);
    const bool is_broken = node.is_broken();
    if (is_broken && world_.Chance(faults_.is_calm() ? 1.0 : 0.1)) {
      COVER("sim.restarted_broken_node");
      const bool process_only = world_.Chance(0.5);
      cluster_.CrashNode(slot, process_only ? Cluster::Loss::kProcess : Cluster::Loss::kPower);
      cluster_.BootNode(slot);
    }
  }
  cluster_.Supervise();
  world_.After(50 * kMs, [this] { Watch(); });
}

std::vector<size_t> Scenario::Shuffled(std::vector<size_t> nodes) {
  for (size_t i = nodes.size() - 1; i > 0; --i) {
    std::swap(nodes[i], nodes[world_.random().Below(i + 1)]);
  }
  return nodes;
}

// Every node comes back into service by itself, mended where it was damaged, every seat that is
// changing hands gets there, and of openers with one epoch, who may each have half of the nodes
// that are left, none is under way any more.
void Scenario::Settle() {
  const auto settled = [this] {
    SimWriter* writer = cluster_.writer();
    return cluster_.AllSound() && writer != nullptr && writer->changing_seats() == 0 &&
           !cluster_.is_opening() && !cluster_.damaged.has_value() && IsRepaired();
  };
  faults_.StopDraining();
  const int64_t give_up_us = world_.now_us() + 40 * kSecond;
  while (!world_.failed() && !settled() && world_.now_us() < give_up_us) {
    world_.RunUntil(world_.now_us() + 100 * kMs);
    faults_.StopDraining();
    if (cluster_.damaged.has_value() && cluster_.AllSound()) {
      // Whatever was damaged must have been noticed when it is read: restart and see.
      const size_t slot = *cluster_.damaged;
      cluster_.CrashNode(slot, Cluster::Loss::kPower);
      cluster_.BootNode(slot);
      world_.RunUntil(world_.now_us() + 300 * kMs);
      if (cluster_.node(slot).is_sound()) {
        cluster_.damaged.reset();
        cluster_.node(slot).SetMayForget(false);
      }
    }
  }
  if (!settled()) {
    world_.Fail(
        "6: not all nodes are in service, or seats still change, 40 s after the last fault" +
        cluster_.DescribeNodes());
  }
}

// 6: two nodes, or an AZ, may go without a failed write, one more without a failed read.
void Scenario::LiveWithLosses() {
  std::vector<size_t> order = Shuffled(faults_.AllNodes());
  size_t gone = 2;
  if (world_.Chance(0.4)) {
    const std::vector<size_t> az = cluster_.AzOf(order[0]);
    std::stable_partition(order.begin(), order.end(), [&](size_t node) {
      return std::find(az.begin(), az.end(), node) != az.end();
    });
    gone = az.size();
  }
  for (size_t i = 0; i < gone; ++i) {
    faults_.TakeDown(order[i]);
  }
  ProveProgress("with two nodes or an AZ gone");
  ProveReads("with two nodes or an AZ gone");
  if (world_.Chance(0.5) && !world_.failed()) {
    faults_.TakeDown(order[gone]);
    ProveReads("with one more node gone");
  }
  faults_.BringBack();
  Announce();
}

// Connections come back at once.
void Scenario::Announce() {
  for (size_t slot = 0; slot < cluster_.size(); ++slot) {
    if (SimWriter* writer = cluster_.writer(); writer != nullptr) {
      writer->NodeUp(NodeId(static_cast<uint32_t>(slot + 1)));
    }
  }
}

// Four of the six are gone that hold the root group: nothing can be opened, nothing is answered
// that is not written, what can be read is right, the rest fails or waits. Then they come back.
void Scenario::LiveWithoutQuorum() {
  const std::vector<size_t> holders = Shuffled(cluster_.MachinesOf(kRootGroup));
  for (size_t i = 0; i < 4; ++i) {
    faults_.TakeDown(holders[i]);
  }
  world_.RunUntil(world_.now_us() + 1'500 * kMs);  // whatever was on its way has come
  SimWriter* writer = cluster_.writer();
  const VolumeEpoch epoch = writer == nullptr ? VolumeEpoch(0) : writer->epoch();
  const Endpoint opener = cluster_.StartWriter(VolumeEpoch(0));
  writer = cluster_.writer();
  if (writer != nullptr) {
    for (int i = 0; i < 5; ++i) {
      writer->ReadOne(false);  // the oracle judges what is answered
    }
  }
  world_.RunUntil(world_.now_us() + world_.Between(100 * kMs, kSecond));
  if (SimWriter* now = cluster_.writer(); now != nullptr && now->epoch() > epoch) {
    world_.Fail(fmt::format("epoch {} was opened with four of the root group's nodes gone{}",
                            now->epoch().value(), cluster_.DescribeNodes()));
  }
  if (world_.Chance(0.5)) {
    cluster_.CrashWriterAt(opener);
  }
  faults_.BringBack();
  Announce();
  ProveProgress("after four nodes came back");
}

// How long one commit takes; 0 when the writer changed meanwhile.
int64_t Scenario::CommitOnce(SimWriter* writer) {
  const int64_t since_us = world_.now_us();
  const Lsn end = writer->AppendOne();
  const auto is_over = [&] { return cluster_.writer() != writer || writer->vdl() >= end; };
  world_.RunUntil(since_us + kSecond, is_over);
  return cluster_.writer() == writer ? world_.now_us() - since_us : 0;
}

// One node is ten times slower than the rest, and nothing else is wrong: commits go on at their
// pace.
void Scenario::LiveWithASlowNode() {
  world_.RunUntil(world_.now_us() + kSecond);  // for those who are behind
  const size_t slow = faults_.AnyNode();
  cluster_.node(slow).SetDiskSlow(10);
  if (world_.Chance(0.5)) {
    cluster_.network().SetSlow(slow + 1, 10);
  }
  for (int i = 0; i < 20 && !world_.failed(); ++i) {
    SimWriter* writer = cluster_.writer();
    if (writer == nullptr || writer->changing_seats() > 0) {
      break;
    }
    const int64_t took_us = CommitOnce(writer);
    if (took_us > kSlowCommitUs && writer->changing_seats() == 0) {
      world_.Fail(fmt::format("6: a commit takes {} us while node {} is slow{}", took_us, slow + 1,
                              cluster_.DescribeNodes()));
    }
  }
  faults_.BringBack();
}

// A node of an AZ that has another one for its segments is gone for good: control replaces it
// everywhere. It may turn up again later, with what it had.
void Scenario::ReplaceWhatIsGone() {
  SimControl* control = cluster_.control();
  std::vector<size_t> candidates;
  for (size_t node = 0; node < cluster_.seeds(); ++node) {
    const std::vector<size_t> az = cluster_.AzOf(node);
    const auto in_use = std::ranges::count_if(az, [&](size_t n) { return n < cluster_.seeds(); });
    if (in_use > 2 && cluster_.SeatsOf(node) > 0) {
      candidates.push_back(node);
    }
  }
  if (control == nullptr || candidates.empty()) {
    return;
  }
  const size_t gone = candidates[world_.random().Below(candidates.size())];
  const bool is_in_the_way = world_.Chance(0.5);
  faults_.TakeDown(gone);
  const auto is_replaced = [&] {
    SimWriter* writer = cluster_.writer();
    return cluster_.SeatsOf(gone) == 0 && writer != nullptr && writer->changing_seats() == 0;
  };
  const int64_t give_up_us = world_.now_us() + 40 * kSecond;
  while (!world_.failed() && !is_replaced() && world_.now_us() < give_up_us) {
    if (is_in_the_way && world_.Chance(0.02)) {
      control->Restart();
    }
    world_.RunUntil(world_.now_us() + 100 * kMs);
  }
  if (!is_replaced()) {
    world_.Fail(fmt::format("control has not replaced node {} in 40 s: {}{}", gone + 1,
                            control->Report().blocked, cluster_.DescribeNodes()));
  }
  COVER("sim.node_replaced");
  faults_.BringBack();
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
  while (!world_.failed() && cluster_.writer() == writer && writer->required_reads_open() > 0 &&
         world_.now_us() < since_us + 10 * kSecond) {
    world_.RunUntil(world_.now_us() + 20 * kMs);
  }
  if (cluster_.writer() == writer && writer->required_reads_open() > 0) {
    world_.Fail(fmt::format("6: reads hang for 10 s {}{}", when, cluster_.DescribeNodes()));
  }
}

bool Scenario::IsRepaired() {
  SimControl* control = cluster_.control();
  return control == nullptr ||
         (control->Knows(cluster_.oracle().geometry().version) && control->Report().wanted == 0 &&
          std::ranges::none_of(cluster_.oracle().geometry().nodes, &StorageNodeAddress::draining));
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

void Scenario::Trouble() {
  const bool is_storm = !style_.has_splits || world_.Chance(0.5);
  const int64_t least_us = is_storm ? kSecond : 200 * kMs;
  const int64_t until_us =
      world_.now_us() + world_.Between(least_us, is_storm ? 5 * kSecond : kSecond);
  faults_.Begin(until_us, is_storm);
  world_.RunUntil(until_us);
  if (style_.has_splits) {
    const int64_t splits = world_.Between(1, 4);
    for (int64_t i = 0; i < splits && !world_.failed(); ++i) {
      world_.Chance(0.7) ? faults_.SplitOpening() : faults_.EndInFirstCommit();
    }
  }
  faults_.CalmDown();
}

RunResult Scenario::Run() {
  cluster_.StartWriter(VolumeEpoch(0));
  world_.After(50 * kMs, [this] { Watch(); });
  world_.RunUntil(world_.now_us() + world_.Between(0, 500 * kMs));
  const int64_t rounds = world_.Between(1, 3);
  for (int64_t round = 0; round < rounds && !world_.failed(); ++round) {
    Trouble();
    Settle();
    if (!world_.failed() && world_.Chance(0.7)) {
      LiveWithLosses();
    } else if (!world_.failed()) {
      LiveWithoutQuorum();
    }
  }
  if (!world_.failed() && world_.Chance(0.3)) {
    Settle();
    LiveWithASlowNode();
  }
  if (!world_.failed() && world_.Chance(0.4)) {
    Settle();
    ReplaceWhatIsGone();
  }
  if (!world_.failed() && !style_.has_control) {
    Settle();
    faults_.TellLeaverAlone();
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
  result.has_control = style_.has_control;
  result.has_race = faults_.races() > 0;
  result.virtual_us = world_.now_us();
  return result;
}

}  // namespace

RunResult RunScenario(const RunOptions& options) {
  Scenario scenario(options);
  return scenario.Run();
}

}  // namespace borealis::sim
