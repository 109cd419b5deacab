#include "tests/sim/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "storage_client/message_frame.h"

namespace borealis::sim {

namespace {
constexpr uint64_t kPagesPerPg = 10;
constexpr Endpoint kReaderEndpoint = 90;
constexpr Endpoint kProbeEndpoint = 91;
// A probe's request id: node times this, plus page.
constexpr uint64_t kProbeStride = 1000;

storage_node::NodeConfig NodeConfigOf(size_t slot) {
  storage_node::NodeConfig config;
  config.node = NodeId(static_cast<uint32_t>(slot + 1));
  config.az = std::string(1, static_cast<char>('a' + slot / 2));
  config.directory = "data";
  for (uint32_t other = 1; other <= kNodes; ++other) {
    if (other != slot + 1) {
      config.peers.emplace_back(other);
    }
  }
  config.pages_per_pg = kPagesPerPg;
  config.new_cluster = true;
  // Small enough that layers, merges and journal recycling happen within seconds.
  config.journal_file_bytes = 128u << 10;
  config.table_bytes = 24u << 10;
  config.memory_bytes = 1u << 20;
  config.journal_bytes = 512u << 10;
  config.page_cache_pages = 16;
  config.merge_layers = 3;
  config.image_after_records = 8;
  config.retain_log_bytes = 64u << 10;
  config.fetch_bytes = 16u << 10;
  return config;
}
}  // namespace

Cluster::Cluster(World& world) : world_(world), network_(world), oracle_(world) {
  geometry_.pages_per_pg = kPagesPerPg;
  for (uint32_t i = 0; i < kNodes; ++i) {
    geometry_.nodes.push_back(
        {NodeId(i + 1), std::string(1, static_cast<char>('a' + i / 2)), "", 0});
  }
  limits_.allocation_bytes = 96u << 10;
  limits_.shipper.batch_bytes_max = 16u << 10;
  limits_.shipper.pipeline_bytes = 4u << 10;
  limits_.shipper.retained_bytes_max = 32u << 10;
  limits_.shipper.timeout_us = 300'000;
  limits_.shipper.timeout_us_max = 2'000'000;
  limits_.opener.push_bytes = 8u << 10;
  limits_.reads.give_up_us = 8'000'000;
  limits_.reads.sample_chance = 0.2;
  for (size_t slot = 0; slot < kNodes; ++slot) {
    nodes_[slot] = std::make_unique<SimNode>(world_, network_, oracle_, NodeConfigOf(slot));
  }
  reader_ = std::make_unique<SimReader>(world_, network_, oracle_, geometry_, limits_.reads,
                                        workload_, kReaderEndpoint);
  for (size_t slot = 0; slot < kNodes; ++slot) {
    BootNode(slot);
  }
}

Cluster::~Cluster() = default;

size_t Cluster::down_count() const {
  return static_cast<size_t>(
      std::count_if(nodes_.begin(), nodes_.end(), [](const auto& node) { return !node->is_up(); }));
}

void Cluster::BootNode(size_t slot) {
  if (nodes_[slot]->is_up()) {
    return;
  }
  nodes_[slot]->Boot();
  reader_->NodeUp(slot);
  for (const auto& writer : writers_) {
    writer->NodeUp(slot);
  }
}

void Cluster::CrashNode(size_t slot, Loss loss) {
  if (!nodes_[slot]->is_up()) {
    return;
  }
  if (loss == Loss::kDisk) {
    nodes_[slot]->CrashAndLoseDisk();
  } else {
    nodes_[slot]->Crash();
  }
  // A dead process resets its connections; a dead machine says nothing.
  if (world_.Chance(0.7)) {
    reader_->NodeDown(slot);
    for (const auto& writer : writers_) {
      writer->NodeDown(slot);
    }
  }
}

void Cluster::StartWriter(VolumeEpoch epoch) {
  writers_.push_back(std::make_unique<SimWriter>(world_, network_, oracle_, geometry_, limits_,
                                                 workload_, next_endpoint_++));
  SimWriter& writer = *writers_.back();
  for (size_t slot = 0; slot < kNodes; ++slot) {
    if (nodes_[slot]->is_up()) {
      writer.NodeUp(slot);
    }
  }
  writer.SetReader(reader_.get());
  writer.Open(epoch);
  ++openings;
}

void Cluster::CrashWriter(size_t index) {
  world_.Note("writer crash", writers_[index]->endpoint());
  writers_.erase(writers_.begin() + static_cast<std::ptrdiff_t>(index));
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

void Cluster::KeepNewestWriter() {
  SimWriter* newest = writer();
  std::erase_if(writers_, [&](const auto& writer) { return writer.get() != newest; });
}

VolumeEpoch Cluster::NextEpoch() {
  VolumeEpoch highest;
  for (const auto& node : nodes_) {
    if (node->is_up()) {
      highest = std::max(highest, node->node().epoch(geometry_.volume));
    }
  }
  return VolumeEpoch(highest.value() + 1);
}

bool Cluster::AllSound() const {
  return std::all_of(nodes_.begin(), nodes_.end(),
                     [](const auto& node) { return node->is_sound(); });
}

bool Cluster::Converged(Lsn vdl) const {
  for (const auto& node : nodes_) {
    if (!node->is_sound()) {
      return false;
    }
    std::map<PgId, Lsn> scls;
    for (const storage_node::SegmentSummary& segment : node->node().Segments()) {
      scls[segment.pg] = segment.scl;
    }
    for (PgId pg : oracle_.Groups()) {
      if (scls[pg] != oracle_.LastOfGroup(pg, vdl)) {
        return false;
      }
    }
  }
  return true;
}

std::string Cluster::DescribeNodes() const {
  std::string text;
  for (const auto& node : nodes_) {
    text += fmt::format("\n  node {}: ", node->slot() + 1);
    if (!node->is_up()) {
      text += "down";
      continue;
    }
    text += fmt::format("epoch {} vdl_told {} {}", node->node().epoch(geometry_.volume).value(),
                        node->node().vdl_told(geometry_.volume).value(),
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
  text += "\n  the log:";
  for (PgId pg : oracle_.Groups()) {
    text += fmt::format(" pg {} ends at {}", pg.value(),
                        oracle_.LastOfGroup(pg, oracle_.answered()).value());
  }
  return text;
}

void Cluster::SendProbe(uint64_t id, Lsn lsn, VolumeEpoch epoch) {
  const PageNo page(id % kProbeStride);
  msg::ReadPagesRequest request;
  request.set_volume_id(geometry_.volume.value());
  request.set_volume_epoch(epoch.value());
  request.set_read_point(lsn.value());
  msg::PageWanted* wanted = request.add_pages();
  wanted->set_page(page.value());
  wanted->set_needed_lsn(oracle_.LastOfGroup(geometry_.PgOf(page), lsn).value());
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
    for (size_t slot = 0; slot < kNodes; ++slot) {
      if (oracle_.LastOfGroup(geometry_.PgOf(PageNo(number)), lsn) > Lsn(0)) {
        open.insert((slot + 1) * kProbeStride + number);
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
