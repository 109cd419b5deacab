#include "tests/sim/sim_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crc32c.h"
#include "base/fault.h"
#include "volume/edit.h"

namespace borealis::sim {

namespace {

std::string RandomBytes(Random& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>('a' + random.Below(26));
  }
  return bytes;
}

std::string RandomEdits(Random& random) {
  std::string edits;
  constexpr size_t kBody = kPageSize - kPageHeaderSize;
  if (random.Chance(0.05)) {
    AppendImageEdit(&edits, RandomBytes(random, 200 + random.Below(1000)));
  }
  const uint64_t count = 1 + random.Below(3);
  for (uint64_t i = 0; i < count; ++i) {
    const size_t length = 1 + random.Below(60);
    const size_t offset = kPageHeaderSize + random.Below(kBody - length);
    switch (random.Below(4)) {
      case 0:
        AppendFillEdit(&edits, offset, length, static_cast<uint8_t>(random.Below(256)));
        break;
      case 1:
        AppendMoveEdit(&edits, kPageHeaderSize + random.Below(kBody - length), offset, length);
        break;
      default:
        AppendWriteEdit(&edits, offset, RandomBytes(random, length));
    }
  }
  return edits;
}

}  // namespace

SimInstance::SimInstance(World& world, Network& network, Endpoint endpoint,
                         std::function<bool(NodeId)> is_up)
    : world_(world), network_(network), endpoint_(endpoint), is_up_(std::move(is_up)) {}

SimInstance::~SimInstance() {
  *alive_ = false;
  network_.Detach(endpoint_);
}

void SimInstance::Run(storage_client::NodeMachine* machine) {
  machine_ = machine;
  network_.Attach(endpoint_, [this](Endpoint from, const Frame& frame) {
    const std::optional<size_t> slot = SlotOf(NodeId(static_cast<uint32_t>(from)));
    if (slot.has_value()) {
      machine_->OnFrame(*slot, frame, world_.now_us());
      ArmTimer();
    }
  });
}

void SimInstance::ConnectNode(size_t slot, const StorageNodeAddress& node) {
  nodes_.resize(std::max(nodes_.size(), slot + 1));
  nodes_[slot] = node.node;
  After(0, [this, id = node.node] {
    if (is_up_(id)) {
      NodeUp(id);
    }
  });
}

std::optional<size_t> SimInstance::SlotOf(NodeId node) const {
  const auto found = std::find(nodes_.begin(), nodes_.end(), node);
  if (found == nodes_.end()) {
    return std::nullopt;
  }
  return static_cast<size_t>(found - nodes_.begin());
}

void SimInstance::NodeUp(NodeId node) {
  if (const std::optional<size_t> slot = SlotOf(node); slot.has_value()) {
    machine_->OnNodeUp(*slot, world_.now_us());
    ArmTimer();
  }
}

void SimInstance::NodeDown(NodeId node) {
  if (const std::optional<size_t> slot = SlotOf(node); slot.has_value()) {
    machine_->OnNodeDown(*slot, world_.now_us());
    ArmTimer();
  }
}

void SimInstance::SendToNode(size_t slot, Frame frame) {
  OnSends(frame);
  network_.Send(endpoint_, nodes_.at(slot).value(), std::move(frame));
}

void SimInstance::After(int64_t delay_us, std::function<void()> what) {
  world_.After(delay_us, [alive = alive_, what = std::move(what)] {
    if (*alive) {
      what();
    }
  });
}

void SimInstance::ArmTimer() {
  const int64_t deadline_us = machine_->NextDeadlineUs();
  if (deadline_us == storage_client::kNeverUs || deadline_us >= armed_at_us_) {
    return;
  }
  armed_at_us_ = deadline_us;
  After(std::max<int64_t>(deadline_us - world_.now_us(), 50), [this, deadline_us] {
    if (armed_at_us_ == deadline_us) {
      armed_at_us_ = storage_client::kNeverUs;
    }
    machine_->OnTimer(world_.now_us());
    ArmTimer();
  });
}

SimWriter::SimWriter(World& world, Network& network, Oracle& oracle,
                     const storage_client::VolumeSource& source,
                     const storage_client::ClientLimits& limits, const Workload& workload,
                     Endpoint endpoint, std::function<bool(NodeId)> is_up)
    : SimInstance(world, network, endpoint, std::move(is_up)),
      oracle_(oracle),
      workload_(workload),
      allocation_bytes_(limits.allocation_bytes),
      core_(source, limits, *this, *this, metrics_, world.random().Next()),
      clock_(world) {
  Run(&core_);
}

void SimWriter::Open(VolumeEpoch epoch) {
  world_.Note("open", endpoint_, epoch.value());
  core_.StartOpen({epoch, world_.random().Next() | 1}, world_.now_us());
  ArmTimer();
}

void SimWriter::OnOpened(const storage_client::OpenedVolume& opened) {
  world_.Note("opened", endpoint_, opened.epoch.value(), opened.vdl.value());
  oracle_.OnOpened(opened);
  std::map<PgId, Lsn> tails;
  for (const auto& [pg, group] : opened.groups) {
    tails[pg] = group.tail;
  }
  start_ = opened.start;
  log_ = std::make_unique<storage_client::LogBuffer>(opened.geometry.pages_per_pg, opened.epoch,
                                                     opened.start, std::move(tails));
  log_->SetHardLimit(opened.start + storage_client::kLsnSpan);
  After(world_.Between(0, 1'000), [this] { Work(); });
}

void SimWriter::OnOpenFailed(Status status) {
  world_.Note("open failed", endpoint_, static_cast<uint64_t>(status.code()));
  is_over_ = true;
}

void SimWriter::OnGeometryDecided(const Geometry& geometry) {
  world_.Note("geometry", endpoint_, geometry.version.epoch.value(), geometry.version.number);
  oracle_.OnGeometryDecided(geometry);
  if (reader_ != nullptr && reader_knows_all_) {
    reader_->HearGeometry(geometry);
  }
}

Status SimWriter::OrderSeat(const storage_client::SeatOrder& order) {
  const Status status = core_.OrderSeat(order, world_.now_us());
  world_.Note("order seat", order.pg.value(), order.holder.value(), order.successor.value());
  world_.Note("ordered", status.ok() ? 1 : 0);
  ArmTimer();
  return status;
}

Status SimWriter::AddNode(const StorageNodeAddress& node) {
  Status status = core_.AddNode(node, world_.now_us());
  ArmTimer();
  return status;
}

Status SimWriter::SetDraining(NodeId node, bool draining) {
  Status status = core_.SetDraining(node, draining, world_.now_us());
  ArmTimer();
  return status;
}

// The volume grows with what is written to it.
PageNo SimWriter::AnyPage() {
  const uint64_t in_use =
      workload_.first_pages + oracle_.record_count() / workload_.records_per_page;
  const uint64_t pages = std::min(in_use, workload_.pages);
  if (world_.Chance(0.03)) {
    favourite_ = world_.random().Below(pages);
  }
  if (world_.Chance(workload_.locality)) {
    return PageNo(std::min(pages - 1, favourite_ + world_.random().Below(4)));
  }
  return PageNo(world_.random().Below(pages));
}

void SimWriter::OnFenced(Status /*status*/) {
  world_.Note("fenced", endpoint_, epoch().value());
}

Lsn SimWriter::AppendOne() {
  Random& random = world_.random();
  std::vector<RecordDraft> drafts(1 + random.Below(workload_.records_max));
  std::vector<std::string> bodies;
  std::vector<uint32_t> crcs;
  for (RecordDraft& draft : drafts) {
    if (random.Chance(0.1)) {
      draft.kind = RecordKind::kTrxCommit;
      bodies.push_back(RandomBytes(random, 16));
    } else {
      draft.page = AnyPage();
      bodies.push_back(RandomEdits(random));
    }
    crcs.push_back(Crc32c(bodies.back()));
  }
  for (size_t i = 0; i < drafts.size(); ++i) {
    drafts[i].body = bodies[i];
  }
  const Lsn end = log_->Append(drafts, crcs, clock_.NowUs(), clock_.WallUs());
  const storage_client::LogChunkPtr chunk = log_->Take();
  oracle_.OnAppended(epoch(), *chunk);
  core_.OnAppended(chunk, world_.now_us());
  ArmTimer();
  return end;
}

void SimWriter::Work() {
  if (!is_working_ || world_.failed()) {
    return;
  }
  // A fenced writer goes on for a while, as one that does not know yet would.
  if (has_room()) {
    AppendOne();
  } else {
    COVER("sim.no_room");
  }
  if (world_.Chance(workload_.read_chance)) {
    ReadOne(false);
  }
  if (world_.Chance(0.05)) {
    core_.SetLowestReadPoint(oracle_.lowest_read_point());
  }
  // Bursts, and pauses between them.
  const int64_t pause_us =
      world_.Chance(0.5) ? world_.Between(0, 1'000) : world_.Between(0, workload_.pause_max_us);
  After(pause_us, [this] { Work(); });
}

void SimWriter::ReadOne(bool required) {
  const std::vector<Lsn>& points = oracle_.read_points();
  const auto end = std::upper_bound(points.begin(), points.end(), vdl());
  if (end == points.begin()) {
    return;
  }
  // Recent ones most of the time.
  const size_t known = static_cast<size_t>(end - points.begin());
  const size_t back =
      world_.random().Below(world_.Chance(0.7) ? std::min<size_t>(known, 4) : known);
  ReadAt(AnyPage(), points[known - 1 - back], required);
}

void SimWriter::ReadAt(PageNo page, Lsn read_point, bool required) {
  required_reads_open_ += required ? 1 : 0;
  core_.Read(
      {page}, read_point,
      [this, page, read_point, required](Status status, std::vector<SharedBytes> images) {
        required_reads_open_ -= required ? 1 : 0;
        if (status.ok()) {
          oracle_.CheckPage(page, read_point, images[0].view(),
                            fmt::format("the writer of epoch {}", epoch().value()));
        } else if (required && oracle_.MustAnswer(page, read_point) && !is_over()) {
          world_.Fail(fmt::format("6: read of page {} at {}: {}", page.value(), read_point.value(),
                                  status.ToString()));
        }
      },
      world_.now_us());
  ArmTimer();
}

void SimWriter::OnVdlAdvanced(Lsn vdl, std::span<const storage_client::PgTailAt> changed) {
  world_.Note("vdl", endpoint_, vdl.value());
  oracle_.OnVdl(epoch(), vdl);
  TellReader(changed);
}

void SimWriter::SetReader(SimReader* reader) {
  reader_ = reader;
  reader_knows_all_ = false;
}

void SimWriter::TellReader(std::span<const storage_client::PgTailAt> tails) {
  if (reader_ == nullptr) {
    return;
  }
  if (reader_knows_all_) {
    reader_->Hear(epoch(), vdl(), {tails.begin(), tails.end()});
  } else {
    reader_knows_all_ = true;
    reader_->HearGeometry(geometry());
    reader_->Hear(epoch(), vdl(), core_.Tails());
  }
}

SimReader::SimReader(World& world, Network& network, Oracle& oracle,
                     std::span<const StorageNodeAddress> seeds,
                     const storage_client::ReadLimits& limits, const Workload& workload,
                     Endpoint endpoint, std::function<bool(NodeId)> is_up)
    : SimInstance(world, network, endpoint, std::move(is_up)),
      oracle_(oracle),
      workload_(workload),
      core_(seeds, limits, *this, metrics_, world.random().Next()) {
  Run(&core_);
  After(0, [this] { Work(); });
}

void SimReader::HearGeometry(const Geometry& geometry) {
  After(3'000, [this, geometry] { core_.SetGeometry(geometry); });
}

void SimReader::Hear(VolumeEpoch epoch, Lsn vdl, std::vector<storage_client::PgTailAt> tails) {
  // A stream in order: equal delay for all.
  After(3'000, [this, epoch, vdl, tails = std::move(tails)] { core_.Advance(epoch, vdl, tails); });
}

void SimReader::Work() {
  const std::vector<Lsn>& points = oracle_.read_points();
  const auto end = std::upper_bound(points.begin(), points.end(), vdl());
  if (end != points.begin()) {
    const size_t known = static_cast<size_t>(end - points.begin());
    const Lsn at = points[known - 1 - world_.random().Below(std::min<size_t>(known, 8))];
    const PageNo page(world_.random().Below(workload_.pages));
    core_.Read(
        {page}, at,
        [this, page, at](Status status, std::vector<SharedBytes> images) {
          if (status.ok()) {
            oracle_.CheckPage(page, at, images[0].view(), "a reader");
          }
        },
        world_.now_us());
    ArmTimer();
  }
  After(world_.Between(5'000, 60'000), [this] { Work(); });
}

}  // namespace borealis::sim
