#include "tests/sim/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "storage_client/message_frame.h"

namespace borealis::sim {

namespace {
constexpr uint64_t kPagesPerPg = 10;
constexpr size_t kAzs = 3;
constexpr size_t kMachinesMax = 12;
constexpr VolumeId kVolume{1};
constexpr Endpoint kReaderEndpoint = 90;
constexpr Endpoint kProbeEndpoint = 91;
constexpr Endpoint kControlEndpoint = 92;
constexpr Endpoint kEndpointsMax = 300;
// A probe's request id: node times this, plus page.
constexpr uint64_t kProbeStride = 1000;

// Of the first `seeds` machines of the configuration, which begin with the cluster; later ones find
// an empty disk in a cluster that exists.
storage_node::NodeConfig NodeConfigOf(const StorageNodeAddress& self, size_t seeds,
                                      uint64_t cached_pages) {
  storage_node::NodeConfig config;
  config.node = self.node;
  config.az = self.az;
  config.directory = "data";
  for (uint32_t other = 1; other <= seeds; ++other) {
    if (NodeId(other) != self.node) {
      config.peers.emplace_back(other);
    }
  }
  config.new_cluster = self.node.value() <= seeds;
  // Small enough that layers, merges and journal recycling happen within seconds.
  config.journal_file_bytes = 128u << 10;
  config.table_bytes = 24u << 10;
  config.memory_bytes = 160u << 10;
  config.journal_bytes = 512u << 10;
  config.page_cache_pages = cached_pages;
  config.merge_layers = 3;
  config.image_after_records = 8;
  config.retain_log_bytes = 64u << 10;
  config.fetch_bytes = 16u << 10;
  config.scrub_interval_us = 4'000'000;
  return config;
}
}  // namespace

Cluster::Cluster(World& world, const ClusterShape& shape)
    : world_(world), network_(world), oracle_(world) {
  const size_t machines = shape.is_wide        ? kSeats + 3 + world_.random().Below(4)
                          : world_.Chance(0.5) ? kSeats
                                               : kSeats + world_.random().Below(7);
  for (uint32_t i = 0; i < std::min(machines, kMachinesMax); ++i) {
    machines_.push_back(
        {NodeId(i + 1), std::string(1, static_cast<char>('a' + i % kAzs)), "", 0, false});
  }
  const size_t seeds = kSeats + world_.random().Below(machines_.size() - kSeats + 1);
  source_.seeds.assign(machines_.begin(), machines_.begin() + static_cast<std::ptrdiff_t>(seeds));
  limits_.allocation_bytes = 96u << 10;
  limits_.shipper.batch_bytes_max = 16u << 10;
  limits_.shipper.pipeline_bytes = 4u << 10;
  limits_.shipper.retained_bytes_max = 32u << 10;
  limits_.shipper.timeout_us = 300'000;
  limits_.shipper.timeout_us_max = 2'000'000;
  limits_.opener.push_bytes = 8u << 10;
  limits_.reads.give_up_us = 8'000'000;
  limits_.reads.sample_chance = 0.2;
  const uint64_t cached_pages = world_.Chance(0.3) ? 0 : 16;
  for (const StorageNodeAddress& machine : machines_) {
    nodes_.push_back(std::make_unique<SimNode>(world_, network_, oracle_,
                                               NodeConfigOf(machine, seeds, cached_pages)));
  }
  reader_ = std::make_unique<SimReader>(world_, network_, oracle_, source_.seeds, limits_.reads,
                                        workload_, kReaderEndpoint, IsUp());
  if (shape.has_control) {
    control_ = std::make_unique<SimControl>(world_, network_, kControlEndpoint,
                                            [this] { return writer(); });
    for (const StorageNodeAddress& node : source_.seeds) {
      control_->AddMachine(node);
    }
  }
  for (size_t index = 0; index < nodes_.size(); ++index) {
    BootNode(index);
  }
}

std::function<bool(NodeId)> Cluster::IsUp() const {
  return [this](NodeId node) { return nodes_[node.value() - 1]->is_up(); };
}

std::vector<size_t> Cluster::AzOf(size_t index) const {
  std::vector<size_t> same;
  for (size_t other = index % kAzs; other < nodes_.size(); other += kAzs) {
    same.push_back(other);
  }
  return same;
}

void Cluster::JoinNode() {
  if (seeds() == machines_.size()) {
    return;
  }
  source_.seeds.push_back(machines_[seeds()]);
  world_.Note("join", seeds());
  if (control_ != nullptr) {
    control_->AddMachine(source_.seeds.back());
  } else if (SimWriter* now = writer(); now != nullptr) {
    now->AddNode(source_.seeds.back()).IgnoreError();
  }
}

void Cluster::OrderSeat(std::optional<PgId> pg) {
  SimWriter* now = writer();
  if (now == nullptr) {
    return;
  }
  using Kind = storage_client::SeatOrder::Kind;
  if (last_order_.has_value() && world_.Chance(0.6)) {
    // Back at once: who left a moment ago comes again, as successor of who took its place, or of
    // whom it was to follow.
    if (world_.Chance(0.5)) {
      last_order_->kind = Kind::kReplace;
      std::swap(last_order_->holder, last_order_->successor);
    } else {
      last_order_->kind = last_order_->kind == Kind::kReplace ? Kind::kWithdraw : Kind::kReplace;
    }
    now->OrderSeat(*last_order_).IgnoreError();
    return;
  }
  const Geometry& geometry = now->geometry();
  storage_client::SeatOrder order;
  order.pg =
      pg.value_or(PgId(static_cast<uint32_t>(world_.random().Below(geometry.groups.size()))));
  if (!geometry.Has(order.pg)) {
    return;
  }
  const Seat& seat = geometry.group(order.pg).seats[world_.random().Below(kSeats)];
  order.holder = geometry.nodes[seat.holder].node;
  order.kind = seat.changing() ? Kind::kWithdraw : Kind::kReplace;
  const std::vector<size_t> az = AzOf(order.holder.value() - 1);
  order.successor = machines_[az[world_.random().Below(az.size())]].node;
  last_order_ = order;
  now->OrderSeat(order).IgnoreError();
  if (world_.Chance(0.1)) {
    now->SetDraining(order.holder, world_.Chance(0.5)).IgnoreError();
  }
}

Cluster::~Cluster() = default;

void Cluster::BootNode(size_t slot) {
  if (nodes_[slot]->is_up()) {
    return;
  }
  nodes_[slot]->Boot();
  reader_->NodeUp(machines_[slot].node);
  for (const auto& writer : writers_) {
    writer->NodeUp(machines_[slot].node);
  }
}

void Cluster::CrashNode(size_t slot, Loss loss) {
  if (!nodes_[slot]->is_up()) {
    return;
  }
  if (loss == Loss::kDisk) {
    nodes_[slot]->CrashAndLoseDisk();
  } else if (loss == Loss::kPower) {
    nodes_[slot]->Crash();
  } else if (loss == Loss::kProcessBeforeSync) {
    nodes_[slot]->KillBeforeSync();
  } else {
    nodes_[slot]->Kill();
  }
  // A dead process resets its connections; a dead machine says nothing.
  if (world_.Chance(0.7)) {
    reader_->NodeDown(machines_[slot].node);
    for (const auto& writer : writers_) {
      writer->NodeDown(machines_[slot].node);
    }
    if (control_ != nullptr) {
      control_->NodeDown(slot);
    }
  }
}

Endpoint Cluster::StartWriter(VolumeEpoch epoch) {
  source_.make_new.reset();
  if (!oracle_.was_opened()) {
    source_.make_new = storage_client::VolumeSource::NewVolume{kPagesPerPg};
  }
  writers_.push_back(std::make_unique<SimWriter>(world_, network_, oracle_, source_, limits_,
                                                 workload_, next_endpoint_++, IsUp()));
  SimWriter& writer = *writers_.back();
  writer.SetReader(reader_.get());
  writer.Open(epoch);
  ++openings;
  return writer.endpoint();
}

void Cluster::CrashWriter(size_t index) {
  world_.Note("writer crash", writers_[index]->endpoint());
  writers_.erase(writers_.begin() + static_cast<std::ptrdiff_t>(index));
}

void Cluster::CrashWriterAt(Endpoint endpoint) {
  for (size_t index = 0; index < writers_.size(); ++index) {
    if (writers_[index]->endpoint() == endpoint) {
      CrashWriter(index);
      return;
    }
  }
}

SimWriter* Cluster::writer() {
  SimWriter* newest = nullptr;
  for (const auto& writer : writers_) {
    if (writer->is_open() && (newest == nullptr || writer->epoch() > newest->epoch())) {
      newest = writer.get();
    }
  }
  return newest;
}

bool Cluster::is_opening() const {
  return std::any_of(writers_.begin(), writers_.end(),
                     [](const auto& writer) { return !writer->is_open() && !writer->is_over(); });
}

void Cluster::Supervise() {
  std::erase_if(writers_,
                [&](const auto& writer) { return writer->is_over() && world_.Chance(0.2); });
  const bool has_one = std::any_of(writers_.begin(), writers_.end(),
                                   [](const auto& writer) { return !writer->is_over(); });
  if (!has_one && !writer_is_coming_) {
    writer_is_coming_ = true;
    world_.After(world_.Between(0, 300'000), [this] {
      writer_is_coming_ = false;
      StartWriter(VolumeEpoch(0));
    });
  }
}

bool Cluster::FollowsUndecided(size_t slot) {
  return node(slot).is_up() &&
         node(slot).node().geometry_version(kVolume) > oracle_.geometry().version;
}

void Cluster::KeepNewestWriter() {
  SimWriter* newest = writer();
  std::erase_if(writers_, [&](const auto& writer) { return writer.get() != newest; });
}

VolumeEpoch Cluster::NextEpoch() {
  VolumeEpoch highest;
  for (const auto& node : nodes_) {
    if (node->is_up()) {
      highest = std::max(highest, node->node().epoch(kVolume));
    }
  }
  return VolumeEpoch(highest.value() + 1);
}

bool Cluster::AllSound() const {
  return std::all_of(nodes_.begin(), nodes_.end(),
                     [](const auto& node) { return node->is_sound(); });
}

void Cluster::Isolate(size_t slot) {
  for (Endpoint other = 1; other < kEndpointsMax; ++other) {
    network_.Cut(slot + 1, other);
    network_.Cut(other, slot + 1);
  }
}

std::vector<size_t> Cluster::MachinesOf(PgId pg, bool successors) const {
  std::vector<size_t> machines;
  const Geometry& geometry = oracle_.geometry();
  for (const Seat& seat : geometry.group(pg).seats) {
    const Slot slot = successors ? seat.successor : seat.holder;
    if (slot != kNoSlot) {
      machines.push_back(geometry.nodes[slot].node.value() - 1);
    }
  }
  return machines;
}

size_t Cluster::SeatsOf(size_t machine) const {
  const Geometry& geometry = oracle_.geometry();
  const std::optional<Slot> slot = geometry.SlotOf(machines_[machine].node);
  return slot.has_value() ? geometry.GroupsOf(*slot).size() : 0;
}

bool Cluster::Converged(Lsn vdl) {
  std::map<std::pair<NodeId, PgId>, Lsn> scls;
  for (const auto& node : nodes_) {
    if (!node->is_sound()) {
      return false;
    }
    for (const storage_node::SegmentSummary& segment : node->node().Segments()) {
      scls[{NodeId(static_cast<uint32_t>(node->slot() + 1)), segment.pg}] = segment.scl;
    }
  }
  for (uint32_t pg = 0; pg < oracle_.geometry().groups.size(); ++pg) {
    for (size_t machine : MachinesOf(PgId(pg))) {
      const NodeId holder = machines_[machine].node;
      const auto scl = scls.find({holder, PgId(pg)});
      const Lsn has = scl == scls.end() ? Lsn(0) : scl->second;
      if (has != oracle_.LastOfGroup(PgId(pg), vdl)) {
        return false;
      }
      scls.erase({holder, PgId(pg)});
    }
  }
  return scls.empty() && writer() != nullptr && writer()->changing_seats() == 0;
}

std::string Cluster::DescribeNodes() const {
  std::string text;
  for (const auto& node : nodes_) {
    text += fmt::format("\n  node {}: ", node->slot() + 1);
    if (!node->is_up()) {
      text += "down";
      continue;
    }
    text += fmt::format("geometry {} epoch {} vdl_told {} {}",
                        node->node().geometry_version(kVolume).ToString(),
                        node->node().epoch(kVolume).value(), node->node().vdl_told(kVolume).value(),
                        node->node().out_of_service_reason());
    for (const storage_node::SegmentSummary& segment : node->node().Segments()) {
      text += fmt::format(" | pg {} scl {} of {} {}", segment.pg.value(), segment.scl.value(),
                          segment.highest_seen.value(), segment.state);
    }
  }
  for (const auto& writer : writers_) {
    text += fmt::format("\n  writer {}: epoch {} vdl {} {}", writer->endpoint(),
                        writer->epoch().value(), writer->vdl().value(), writer->Describe());
  }
  text += DescribeSeats();
  text += "\n  the log:";
  for (PgId pg : oracle_.Groups()) {
    text += fmt::format(" pg {} ends at {}", pg.value(),
                        oracle_.LastOfGroup(pg, oracle_.answered()).value());
  }
  return text;
}

std::string Cluster::DescribeSeats() const {
  const Geometry& geometry = oracle_.geometry();
  std::string text = fmt::format("\n  geometry {}:", geometry.version.ToString());
  for (size_t pg = 0; pg < geometry.groups.size(); ++pg) {
    text += fmt::format(" pg {} on", pg);
    for (const Seat& seat : geometry.groups[pg].seats) {
      text += fmt::format(" {}", geometry.nodes[seat.holder].node.value());
      if (seat.changing()) {
        text += fmt::format(">{}", geometry.nodes[seat.successor].node.value());
      }
    }
  }
  return text;
}

void Cluster::SendProbe(uint64_t id, Lsn lsn, VolumeEpoch epoch) {
  const PageNo page(id % kProbeStride);
  msg::ReadPagesRequest request;
  request.set_volume_id(kVolume.value());
  request.set_volume_epoch(epoch.value());
  request.set_read_point(lsn.value());
  msg::PageWanted* wanted = request.add_pages();
  wanted->set_page(page.value());
  wanted->set_needed_lsn(oracle_.LastOfGroup(oracle_.geometry().PgOf(page), lsn).value());
  network_.Send(kProbeEndpoint, id / kProbeStride,
                storage_client::MakeFrame(MessageType::kReadPagesRequest, id, request));
}

void Cluster::ProbeAllCopies(Lsn lsn, VolumeEpoch epoch) {
  std::set<uint64_t> open;
  std::string last_refusal;
  network_.Attach(kProbeEndpoint, [&](Endpoint from, const Frame& frame) {
    msg::ReadPagesReply reply;
    if (!storage_client::ParseBody(frame, &reply) || reply.pages_size() != 1) {
      world_.Fail(fmt::format("node {} answers a read with something else", from));
      return;
    }
    const PageNo page(frame.request_id % kProbeStride);
    if (reply.pages(0).outcome() != msg::OK || frame.attachments.empty()) {
      last_refusal =
          fmt::format("node {} refuses page {} at {}: {} {}", from, page.value(), lsn.value(),
                      msg::Outcome_Name(reply.pages(0).outcome()), reply.pages(0).reason());
      return;
    }
    open.erase(frame.request_id);
    oracle_.CheckPage(page, lsn, frame.attachments[0].view(),
                      fmt::format("a probe of node {}", from));
  });
  for (uint64_t number = 0; number < workload_.pages; ++number) {
    const PgId pg = oracle_.geometry().PgOf(PageNo(number));
    if (oracle_.LastOfGroup(pg, lsn) > Lsn(0)) {
      for (size_t machine : MachinesOf(pg)) {
        open.insert((machine + 1) * kProbeStride + number);
      }
    }
  }
  // A bit that rotted may be found only now; then the copy has to be mended by its peers.
  const int64_t give_up_us = world_.now_us() + 30'000'000;
  while (!open.empty() && !world_.failed() && world_.now_us() < give_up_us) {
    for (uint64_t id : open) {
      SendProbe(id, lsn, epoch);
    }
    world_.RunUntil(world_.now_us() + 200'000);
  }
  network_.Detach(kProbeEndpoint);
  if (!open.empty()) {
    world_.Fail(fmt::format("{} pages are refused for 30 s: {}", open.size(), last_refusal));
  }
}

}  // namespace borealis::sim
