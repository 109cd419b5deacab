// Storage nodes in one thread: a simulated disk each, frames in a queue, works run when told.
//
// TestLog plays the writer: it makes records with LSNs and back links and remembers them, so that a
// page can be folded from them independently of any node (the model).
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "base/invariant.h"
#include "base/os/random.h"
#include "base/os/sim_file.h"
#include "storage_node/core.h"
#include "storage_node/node.h"
#include "volume/edit.h"
#include "volume/record.h"
#include "volume/tail.h"

namespace borealis::storage_node {

class TestClock final : public Clock {
 public:
  int64_t NowUs() const override { return now_us; }
  int64_t WallUs() const override { return now_us; }
  int64_t now_us = 1'000'000;
};

constexpr VolumeId kVolume{1};
constexpr uint64_t kTestPagesPerPg = 64;

// The writer's side.
class TestLog {
 public:
  explicit TestLog(uint64_t epoch = 1) : epoch_(epoch) {}

  // One record; returns its bytes.
  std::string Make(PageNo page, const std::string& edits, bool cpl = true) {
    const PgId pg(static_cast<uint32_t>(page.value() / kTestPagesPerPg));
    RecordDraft draft;
    draft.page = page;
    draft.body = edits;
    const Lsn end = next_ + RecordSize(edits.size());
    std::string bytes;
    AppendRecord(&bytes, draft, Crc32c(edits),
                 {end, VolumeEpoch(epoch_), last_of_pg_[pg], pg, cpl});
    last_of_pg_[pg] = end;
    next_ = end;
    records_[end] = bytes;
    return bytes;
  }
  std::string MakeWrite(PageNo page, size_t offset, const std::string& what) {
    std::string edits;
    AppendWriteEdit(&edits, offset, what);
    return Make(page, edits);
  }
  // A random edit, now and then a whole image, or one of nothing.
  std::string MakeRandom(Random& random, uint64_t page_count) {
    std::string edits;
    const size_t at = 16 + random.Below(16000);
    switch (random.Below(12)) {
      case 0:
        AppendImageEdit(&edits, std::string(random.Chance(0.3) ? 0 : random.Below(300),
                                            static_cast<char>(random.Next())));
        break;
      case 1:
        AppendMoveEdit(&edits, 16 + random.Below(8000), 16 + random.Below(8000), random.Below(300));
        break;
      case 2:
        AppendFillEdit(&edits, at, random.Below(16384 - at), static_cast<uint8_t>(random.Next()));
        break;
      default:
        AppendWriteEdit(&edits, at,
                        std::string(1 + random.Below(200), static_cast<char>(random.Next())));
    }
    return Make(PageNo(random.Below(page_count)), edits);
  }

  Lsn end() const { return next_; }
  Lsn last_of(PgId pg) const {
    const auto at = last_of_pg_.find(pg);
    return at == last_of_pg_.end() ? Lsn(0) : at->second;
  }
  // The PG's last record at or under `lsn`.
  Lsn NeededAt(PgId pg, Lsn lsn) const {
    for (auto at = records_.upper_bound(lsn); at != records_.begin();) {
      --at;
      if (ViewVerifiedRecord(at->second).pg == pg) {
        return at->first;
      }
    }
    return Lsn(0);
  }
  // The model: the fold of the page's records up to `lsn`.
  Page Fold(PageNo page, Lsn lsn) const {
    Page folded;
    folded.Clear();
    for (const auto& [end, bytes] : records_) {
      const RecordView record = ViewVerifiedRecord(bytes);
      if (end <= lsn && record.page == page) {
        EXPECT_TRUE(ApplyRecord(record, &folded).ok());
      }
    }
    return folded;
  }
  // As an opener does: everything above `vdl` is void, LSNs go on at `start`.
  void Reopen(uint64_t epoch, Lsn vdl, Lsn start) {
    records_.erase(records_.upper_bound(vdl), records_.end());
    last_of_pg_.clear();
    for (const auto& [end, bytes] : records_) {
      last_of_pg_[ViewVerifiedRecord(bytes).pg] = end;
    }
    epoch_ = epoch;
    next_ = start;
  }
  const std::map<Lsn, std::string>& records() const { return records_; }
  uint64_t epoch() const { return epoch_; }

 private:
  uint64_t epoch_;
  Lsn next_{0};
  std::map<PgId, Lsn> last_of_pg_;
  std::map<Lsn, std::string> records_;
};

struct SentFrame {
  PeerId to = 0;
  Frame frame;
};

class TestCluster {
 public:
  struct Machine final : NodeEnvironment {
    Machine(TestCluster* c, NodeId i, uint64_t seed) : cluster(c), id(i), files(seed) {}
    void Send(PeerId to, Frame frame) override {
      if (to >= kNodePeerBase) {
        SendToNode(NodeId(static_cast<uint32_t>(to - kNodePeerBase)), std::move(frame));
      } else {
        sent.push_back({to, std::move(frame)});
      }
    }
    void SendToNode(NodeId to, Frame frame) override {
      cluster->wire_.push_back({id, to, std::move(frame)});
    }
    void ConnectNode(const StorageNodeAddress& address) override {
      connected[address.node] = address;
    }
    void Start(Lane lane, uint64_t work_id, std::function<Status()> work) override {
      works[lane].push_back({work_id, std::move(work)});
    }

    TestCluster* const cluster;
    const NodeId id;
    SimFileSystem files;
    std::unique_ptr<Node> node;
    std::deque<SentFrame> sent;  // to clients
    std::map<Lane, std::deque<std::pair<uint64_t, std::function<Status()>>>> works;
    std::map<NodeId, StorageNodeAddress> connected;
    bool up = false;
    bool hold_manifests = false;  // their works wait
  };

  static constexpr PeerId kClient = 7;
  static constexpr PeerId kNodePeerBase = 1000;

  explicit TestCluster(size_t count, uint64_t seed = 1) {
    config.table_bytes = 1 << 20;
    config.journal_file_bytes = 1 << 18;
    config.directory = "disk";
    config.new_cluster = true;
    geometry = FirstGeometry(count);
    for (size_t i = 1; i <= count; ++i) {
      const NodeId id(static_cast<uint32_t>(i));
      machines_.push_back(std::make_unique<Machine>(this, id, seed * 100 + i));
    }
  }

  // Kept on the first six nodes of six or more, some of which may never come to be; eight groups.
  static Geometry FirstGeometry(size_t machine_count) {
    Geometry first;
    first.volume = kVolume;
    first.pages_per_pg = kTestPagesPerPg;
    first.version = {VolumeEpoch(1), 1};
    for (uint32_t i = 0; i < std::max(machine_count, kSeats); ++i) {
      first.nodes.push_back({NodeId(i + 1), "az" + std::to_string(i % 3), "127.0.0.1",
                             static_cast<uint16_t>(9 + i), false});
    }
    Group group;
    for (Slot slot = 0; slot < kSeats; ++slot) {
      group.seats.push_back({slot, kNoSlot});
    }
    first.groups.assign(8, group);
    return first;
  }
  // As the writer of that epoch does; from a peer when it is 0.
  msg::GeometryReply TellGeometry(const Geometry& told, bool decided, uint64_t epoch = 1,
                                  size_t index = 0) {
    return Ask<msg::GeometryReply>(MessageType::kGeometryUpdate,
                                   GeometryUpdate(told, decided, epoch), index);
  }
  static msg::GeometryUpdate GeometryUpdate(const Geometry& told, bool decided, uint64_t epoch) {
    msg::GeometryUpdate update;
    update.set_volume_id(kVolume.value());
    update.set_volume_epoch(epoch);
    update.set_geometry(EncodeGeometry(told));
    update.set_decided(decided);
    return update;
  }

  // Opens with `config`.
  Status Boot(size_t index) {
    Machine& machine = *machines_[index];
    NodeConfig mine = config;
    mine.node = machine.id;
    for (const auto& other : machines_) {
      if (other->id != machine.id) {
        mine.peers.push_back(other->id);
      }
    }
    machine.works.clear();
    machine.node = std::make_unique<Node>(mine, machine, machine.files, clock);
    machine.up = true;
    return machine.node->Open();
  }
  void BootAll() {
    for (size_t i = 0; i < machines_.size(); ++i) {
      ASSERT_TRUE(Boot(i).ok());
      ASSERT_EQ(TellGeometry(geometry, /*decided=*/true, 1, i).outcome(), msg::OK);
    }
  }
  // The plug is pulled.
  void Kill(size_t index, bool lose_all = false) {
    Machine& machine = *machines_[index];
    machine.node.reset();
    machine.works.clear();
    machine.sent.clear();
    machine.up = false;
    lose_all ? machine.files.CrashLosingAll() : machine.files.Crash();
  }
  void LoseDisk(size_t index) {
    Kill(index);
    SimFileSystem& files = machines_[index]->files;
    for (const std::string& name : files.List("disk").value()) {
      ASSERT_TRUE(files.Remove("disk/" + name).ok());
    }
    ASSERT_TRUE(files.SyncDirectory("disk").ok());
  }

  Node& node(size_t index = 0) { return *machines_[index]->node; }
  Machine& machine(size_t index = 0) { return *machines_[index]; }
  SimFileSystem& files(size_t index = 0) { return machines_[index]->files; }

  // Runs one work of the lane, if there is one.
  bool RunWork(size_t index, Lane lane) {
    auto& queue = machines_[index]->works[lane];
    if (queue.empty() || (lane == Lane::kManifest && machines_[index]->hold_manifests)) {
      return false;
    }
    auto [id, work] = std::move(queue.front());
    queue.pop_front();
    const Status outcome = work();
    machines_[index]->node->OnWorkDone(id, outcome);
    return true;
  }
  // All works and frames between nodes, until nothing moves.
  void Settle(size_t steps_max = 100000) {
    for (bool moved = true; moved && steps_max > 0; --steps_max) {
      moved = false;
      for (size_t i = 0; i < machines_.size(); ++i) {
        if (machines_[i]->up) {
          for (const Lane lane :
               {Lane::kJournal, Lane::kManifest, Lane::kLayers, Lane::kReads, Lane::kFetches}) {
            moved |= RunWork(i, lane);
          }
        }
      }
      if (!wire_.empty()) {
        moved = true;
        Wired wired = std::move(wire_.front());
        wire_.pop_front();
        for (auto& machine : machines_) {
          if (machine->id == wired.to && machine->up && (!cut || !cut(wired.from, wired.to)) &&
              (!cut_frame || !cut_frame(wired.from, wired.to, wired.frame))) {
            machine->node->OnFrame(kNodePeerBase + wired.from.value(), std::move(wired.frame));
            break;
          }
        }
      }
    }
  }
  // Lets time pass in ticks, settling after each.
  void Pass(int64_t us, int64_t tick_us = 20'000) {
    for (const int64_t end = clock.now_us + us; clock.now_us < end;) {
      clock.now_us += tick_us;
      for (auto& machine : machines_) {
        if (machine->up) {
          machine->node->OnTimer();
        }
      }
      Settle();
    }
  }

  Frame AppendFrame(const std::vector<std::string>& records, uint64_t epoch, Lsn vdl = Lsn(0),
                    Lsn pgmrpl = Lsn(0)) {
    msg::AppendRequest request;
    request.set_volume_id(kVolume.value());
    request.set_volume_epoch(epoch);
    request.set_vdl(vdl.value());
    request.set_pgmrpl(pgmrpl.value());
    std::map<PgId, std::string> parts;
    for (const std::string& record : records) {
      parts[ViewVerifiedRecord(record).pg] += record;
    }
    Frame frame;
    for (auto& [pg, bytes] : parts) {
      msg::AppendPart* part = request.add_parts();
      part->set_pg(pg.value());
      part->set_size_bytes(static_cast<uint32_t>(bytes.size()));
      frame.attachments.emplace_back(std::move(bytes));
    }
    const auto attachments = std::move(frame.attachments);
    frame = MakeFrame(MessageType::kAppendRequest, ++request_id_, request);
    frame.attachments = attachments;
    return frame;
  }
  void SendAppend(const std::vector<std::string>& records, uint64_t epoch, Lsn vdl = Lsn(0),
                  size_t index = 0) {
    node(index).OnFrame(kClient, AppendFrame(records, epoch, vdl));
  }
  // Sends, runs works, returns the answer.
  msg::AppendReply Append(const std::vector<std::string>& records, uint64_t epoch, Lsn vdl = Lsn(0),
                          size_t index = 0, Lsn pgmrpl = Lsn(0)) {
    node(index).OnFrame(kClient, AppendFrame(records, epoch, vdl, pgmrpl));
    Settle();
    return Take<msg::AppendReply>(index);
  }
  // The oldest answer to the client; it must be there and of that type.
  template <class Reply>
  Reply Take(size_t index = 0, Frame* frame = nullptr) {
    Reply reply;
    auto& sent = machines_[index]->sent;
    EXPECT_FALSE(sent.empty()) << "no answer";
    if (!sent.empty()) {
      EXPECT_TRUE(reply.ParseFromString(sent.front().frame.body));
      if (frame != nullptr) {
        *frame = std::move(sent.front().frame);
      }
      sent.pop_front();
    }
    return reply;
  }
  template <class Reply, class Request>
  Reply Ask(MessageType type, const Request& request, size_t index = 0, Frame* frame = nullptr) {
    const uint64_t id = ++request_id_;
    node(index).OnFrame(kClient, MakeFrame(type, id, request));
    Settle();
    auto& sent = machines_[index]->sent;
    const auto at = std::find_if(sent.begin(), sent.end(),
                                 [&](const SentFrame& s) { return s.frame.request_id == id; });
    EXPECT_TRUE(at != sent.end()) << "no answer";
    Reply reply;
    if (at != sent.end()) {
      EXPECT_TRUE(reply.ParseFromString(at->frame.body));
      if (frame != nullptr) {
        *frame = std::move(at->frame);
      }
      sent.erase(at);
    }
    return reply;
  }
  msg::SealReply Seal(uint64_t epoch, size_t index = 0, uint64_t opener = 1) {
    msg::SealRequest request;
    request.set_volume_id(kVolume.value());
    request.set_epoch(epoch);
    request.set_opener_id(opener);
    return Ask<msg::SealReply>(MessageType::kSealRequest, request, index);
  }
  msg::TruncateReply Truncate(uint64_t epoch, Lsn vdl, Lsn up_to, size_t index = 0,
                              const std::vector<AnnulledRange>& earlier = {}) {
    msg::TruncateRequest request;
    request.set_volume_id(kVolume.value());
    request.mutable_range()->set_after(vdl.value());
    request.mutable_range()->set_up_to(up_to.value());
    request.mutable_range()->set_epoch(epoch);
    for (const AnnulledRange& range : earlier) {
      auto* out = request.add_annulled();
      out->set_after(range.after.value());
      out->set_up_to(range.up_to.value());
      out->set_epoch(range.epoch.value());
    }
    *request.add_annulled() = request.range();
    return Ask<msg::TruncateReply>(MessageType::kTruncateRequest, request, index);
  }
  msg::PageRead Read(PageNo page, Lsn read_point, Lsn needed, Page* out, size_t index = 0,
                     uint64_t epoch = 1) {
    msg::ReadPagesRequest request;
    request.set_volume_id(kVolume.value());
    request.set_volume_epoch(epoch);
    request.set_read_point(read_point.value());
    auto* wanted = request.add_pages();
    wanted->set_page(page.value());
    wanted->set_needed_lsn(needed.value());
    Frame frame;
    const auto reply =
        Ask<msg::ReadPagesReply>(MessageType::kReadPagesRequest, request, index, &frame);
    EXPECT_EQ(reply.pages_size(), 1);
    if (reply.pages(0).outcome() == msg::OK) {
      EXPECT_EQ(frame.attachments.at(0).size(), kPageSize);
      std::memcpy(out->bytes, frame.attachments.at(0).view().data(), kPageSize);
      EXPECT_TRUE(PageIsIntact(*out));
    }
    return reply.pages(0);
  }
  // Reads the page at `read_point` and compares it with the model.
  void ExpectPage(const TestLog& log, PageNo page, Lsn read_point, size_t index = 0) {
    const PgId pg(static_cast<uint32_t>(page.value() / kTestPagesPerPg));
    Page got;
    const auto read =
        Read(page, read_point, log.NeededAt(pg, read_point), &got, index, log.epoch());
    ASSERT_EQ(read.outcome(), msg::OK)
        << msg::Outcome_Name(read.outcome()) << " " << read.reason() << " page " << page.value()
        << " at " << read_point.value() << " scl " << read.scl();
    Page want = log.Fold(page, read_point);
    SealPage(&want);
    if (want.lsn() == Lsn(0)) {
      EXPECT_EQ(got.lsn(), Lsn(0));
    }
    EXPECT_EQ(got.lsn(), want.lsn());
    EXPECT_TRUE(got.view().substr(16) == want.view().substr(16))
        << "page " << page.value() << " at " << read_point.value();
  }
  Lsn Scl(PgId pg = PgId(0), size_t index = 0) {
    for (const SegmentSummary& segment : node(index).Segments()) {
      if (segment.pg == pg) {
        return segment.scl;
      }
    }
    return Lsn(0);
  }
  SegmentSummary Summary(PgId pg = PgId(0), size_t index = 0) {
    for (const SegmentSummary& segment : node(index).Segments()) {
      if (segment.pg == pg) {
        return segment;
      }
    }
    return {};
  }

  TestClock clock;
  NodeConfig config;
  Geometry geometry;
  // Whether frames between two nodes are lost.
  std::function<bool(NodeId from, NodeId to)> cut;
  std::function<bool(NodeId from, NodeId to, const Frame& frame)> cut_frame;

 private:
  struct Wired {
    NodeId from;
    NodeId to;
    Frame frame;
  };
  std::vector<std::unique_ptr<Machine>> machines_;
  std::deque<Wired> wire_;
  uint64_t request_id_ = 0;
};

}  // namespace borealis::storage_node
