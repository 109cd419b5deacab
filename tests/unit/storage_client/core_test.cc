// ClientCore against hand-written answers: opening, shipping, durability, reads, fencing.
#include "base/crc32c.h"
#include "storage_client/client_core.h"
#include "storage_client/message_frame.h"
#include "volume/edit.h"

namespace borealis::storage_client {
namespace {

constexpr int64_t kMs = 1'000;
constexpr uint64_t kPagesPerPg = 10;

// Eight groups, all on the same six nodes.
Geometry SixNodes() {
  Geometry geometry;
  geometry.pages_per_pg = kPagesPerPg;
  geometry.version = {VolumeEpoch(0), 1};
  Group group;
  for (uint32_t i = 0; i < 6; ++i) {
    geometry.nodes.push_back(
        {NodeId(i + 1), std::string(1, static_cast<char>('a' + i / 2)), "", 0, false});
    group.seats.push_back({static_cast<Slot>(i), kNoSlot});
  }
  geometry.groups.assign(8, group);
  return geometry;
}

struct Sent {
  size_t slot;
  Frame frame;
};

// The world around a core: keeps what was sent and what was told.
class CoreTest : public ::testing::Test, public NodeLink, public ClientEvents {
 protected:
  CoreTest() : geometry_(SixNodes()) { NewCore(); }

  void NewCore() {
    core_ = std::make_unique<ClientCore>(VolumeSource{VolumeId(1), geometry_.nodes, {}}, limits_,
                                         *this, *this, metrics_, 1);
    for (size_t slot = 0; slot < 6; ++slot) {
      core_->OnNodeUp(slot, now_);
    }
  }

  void ConnectNode(size_t, const StorageNodeAddress&) override {}
  void OnGeometryDecided(const Geometry&) override {}
  void SendToNode(size_t slot, Frame frame) override { sent_.push_back({slot, std::move(frame)}); }
  void OnOpened(const OpenedVolume& opened) override { opened_ = opened; }
  void OnOpenFailed(Status status) override { failure_ = std::move(status); }
  void OnVdlAdvanced(Lsn vdl, std::span<const PgTailAt>) override { vdl_ = vdl; }
  void OnFenced(Status status) override { fenced_ = std::move(status); }

  // Takes what was sent of one type since the last call of Take for any type that matched.
  std::vector<Sent> Take(MessageType type) {
    std::vector<Sent> taken;
    std::vector<Sent> rest;
    for (Sent& sent : sent_) {
      (sent.frame.type == static_cast<uint16_t>(type) ? taken : rest).push_back(std::move(sent));
    }
    sent_ = std::move(rest);
    return taken;
  }
  template <class Message>
  static Message Parse(const Frame& frame) {
    Message message;
    EXPECT_TRUE(ParseBody(frame, &message));
    return message;
  }
  template <class Message>
  void Reply(const Sent& to, MessageType type, const Message& message,
             std::vector<SharedBytes> attachments = {}) {
    Frame frame = MakeFrame(type, to.frame.request_id, message);
    frame.attachments = std::move(attachments);
    core_->OnFrame(to.slot, frame, now_);
  }

  void SealOk(const Sent& to) {
    const auto request = Parse<msg::SealRequest>(to.frame);
    msg::SealReply reply;
    reply.set_volume_epoch(request.epoch());
    reply.set_geometry(EncodeGeometry(geometry_));
    Reply(to, MessageType::kSealReply, reply);
  }
  void TruncateOk(const Sent& to) {
    const auto request = Parse<msg::TruncateRequest>(to.frame);
    msg::TruncateReply reply;
    reply.set_volume_epoch(request.range().epoch());
    Reply(to, MessageType::kTruncateReply, reply);
  }
  void AppendOk(const Sent& to) {
    const auto request = Parse<msg::AppendRequest>(to.frame);
    msg::AppendReply reply;
    reply.set_volume_epoch(request.volume_epoch());
    std::string bytes;
    for (const SharedBytes& attachment : to.frame.attachments) {
      bytes += attachment.view();
    }
    std::map<uint32_t, uint64_t> scls;
    std::string_view rest = bytes;
    while (!rest.empty()) {
      const Result<RecordView> record = ParseRecord(rest);
      ASSERT_TRUE(record.ok());
      scls[record->pg.value()] = record->end.value();
      rest.remove_prefix(record->length);
    }
    for (const auto& [pg, scl] : scls) {
      msg::SegmentProgress* segment = reply.add_segments();
      segment->set_pg(pg);
      segment->set_scl(scl);
    }
    Reply(to, MessageType::kAppendReply, reply);
  }

  // Opens an empty volume in which `slots` nodes take part.
  void OpenEmpty(size_t slots = 6) {
    core_->StartOpen({VolumeEpoch(1), 42}, now_);
    for (const Sent& sent : Take(MessageType::kSealRequest)) {
      if (sent.slot < slots) {
        SealOk(sent);
      }
    }
    for (const Sent& sent : Take(MessageType::kTruncateRequest)) {
      if (sent.slot < slots) {
        TruncateOk(sent);
      }
    }
    ASSERT_TRUE(opened_.has_value());
    log_ = std::make_unique<LogBuffer>(kPagesPerPg, opened_->epoch, opened_->start,
                                       std::map<PgId, Lsn>());
    // What was sent to nodes that had not truncated yet, and late truncations.
    for (const Sent& sent : Take(MessageType::kTruncateRequest)) {
      if (sent.slot < slots) {
        TruncateOk(sent);
      }
    }
    sent_.clear();
  }

  Lsn Append(PageNo page, std::string_view bytes) {
    std::string edits;
    AppendWriteEdit(&edits, 64, bytes);
    RecordDraft draft;
    draft.page = page;
    draft.body = edits;
    const uint32_t crc = Crc32c(edits);
    const Lsn end = log_->Append({&draft, 1}, {&crc, 1}, now_, 0);
    core_->OnAppended(log_->Take(), now_);
    return end;
  }
  void AdvanceTime(int64_t by_us) {
    const int64_t until = now_ + by_us;
    while (core_->NextDeadlineUs() <= until) {
      now_ = std::max(now_, core_->NextDeadlineUs());
      core_->OnTimer(now_);
    }
    now_ = until;
  }

  const Geometry geometry_;
  ClientLimits limits_;
  ClientMetrics metrics_;
  int64_t now_ = 1'000'000;
  std::vector<Sent> sent_;
  std::optional<OpenedVolume> opened_;
  Status failure_;
  Status fenced_;
  Lsn vdl_;
  std::unique_ptr<ClientCore> core_;
  std::unique_ptr<LogBuffer> log_;
};

TEST_F(CoreTest, ThreeOfSixSealButDoNotOpen) {
  core_->StartOpen({VolumeEpoch(1), 42}, now_);
  for (const Sent& sent : Take(MessageType::kSealRequest)) {
    if (sent.slot < 3) {
      SealOk(sent);
    }
  }
  EXPECT_FALSE(core_->is_open());
  EXPECT_TRUE(Take(MessageType::kTruncateRequest).empty());
  EXPECT_NE(core_->DescribeOpening().find("3 of 6"), std::string::npos) << core_->DescribeOpening();
  // The fourth comes back: the next repetition reaches it.
  AdvanceTime(200 * kMs);
  std::vector<Sent> seals = Take(MessageType::kSealRequest);
  ASSERT_FALSE(seals.empty());
  EXPECT_GE(seals[0].slot, 3U);
  SealOk(seals[0]);
  EXPECT_EQ(Take(MessageType::kTruncateRequest).size(), 6U);
}

TEST_F(CoreTest, EpochIsOneAboveTheHighestSeen) {
  core_->StartOpen({VolumeEpoch(0), 42}, now_);
  uint64_t epoch = 4;
  for (const Sent& sent : Take(MessageType::kNodeStatusRequest)) {
    msg::NodeStatusReply reply;
    reply.set_volume_epoch(epoch++);
    reply.set_geometry(EncodeGeometry(geometry_));
    Reply(sent, MessageType::kNodeStatusReply, reply);
  }
  // Three answers were enough: 4, 5 and 6.
  std::vector<Sent> seals = Take(MessageType::kSealRequest);
  ASSERT_EQ(seals.size(), 6U);
  EXPECT_EQ(Parse<msg::SealRequest>(seals[0].frame).epoch(), 7U);
  // One knows a higher epoch yet: begin again above it.
  msg::SealReply fenced;
  fenced.set_outcome(msg::FENCED);
  fenced.set_volume_epoch(9);
  Reply(seals[5], MessageType::kSealReply, fenced);
  AdvanceTime(1000 * kMs);
  seals = Take(MessageType::kSealRequest);
  ASSERT_FALSE(seals.empty());
  EXPECT_EQ(Parse<msg::SealRequest>(seals.back().frame).epoch(), 10U);
  EXPECT_TRUE(failure_.ok());
}

TEST_F(CoreTest, AnOpenerThatHasItsEpochKeepsItThoughAMinorityWasSealedHigher) {
  core_->StartOpen({VolumeEpoch(0), 42}, now_);
  for (const Sent& sent : Take(MessageType::kNodeStatusRequest)) {
    msg::NodeStatusReply reply;
    reply.set_geometry(EncodeGeometry(geometry_));
    Reply(sent, MessageType::kNodeStatusReply, reply);
  }
  const std::vector<Sent> seals = Take(MessageType::kSealRequest);
  ASSERT_EQ(seals.size(), 6U);
  msg::SealReply fenced;
  fenced.set_outcome(msg::FENCED);
  fenced.set_volume_epoch(9);
  Reply(seals[5], MessageType::kSealReply, fenced);
  for (size_t slot = 0; slot < 4; ++slot) {
    SealOk(seals[slot]);
  }
  std::vector<Sent> truncations = Take(MessageType::kTruncateRequest);
  ASSERT_EQ(truncations.size(), 6U);
  TruncateOk(truncations[0]);
  AdvanceTime(2000 * kMs);
  EXPECT_TRUE(Take(MessageType::kSealRequest).empty());
  for (size_t slot = 1; slot < 4; ++slot) {
    TruncateOk(truncations[slot]);
  }
  ASSERT_TRUE(opened_.has_value());
  EXPECT_EQ(opened_->epoch, VolumeEpoch(1));
  EXPECT_EQ(opened_->geometry.version, (GeometryVersion{VolumeEpoch(1), 2}));
}

TEST_F(CoreTest, AnOpenerWithAGivenEpochGivesWayWhenAQuorumIsGone) {
  core_->StartOpen({VolumeEpoch(5), 42}, now_);
  msg::SealReply fenced;
  fenced.set_outcome(msg::FENCED);
  fenced.set_volume_epoch(5);  // the same epoch, bound to another opener
  fenced.set_geometry(EncodeGeometry(geometry_));
  std::vector<Sent> seals = Take(MessageType::kSealRequest);
  Reply(seals[0], MessageType::kSealReply, fenced);
  Reply(seals[1], MessageType::kSealReply, fenced);
  EXPECT_TRUE(failure_.ok());
  Reply(seals[2], MessageType::kSealReply, fenced);
  EXPECT_TRUE(failure_.Is(Code::kFenced));
}

TEST_F(CoreTest, OpeningPushesRecordsToAQuorumBeforeItEnds) {
  // One mini-transaction on two nodes only, never acknowledged; it may be kept, and is.
  LogBuffer old(kPagesPerPg, VolumeEpoch(1), Lsn(0), {});
  std::string edits;
  AppendWriteEdit(&edits, 64, "kept");
  RecordDraft draft;
  draft.page = PageNo(1);
  draft.body = edits;
  const uint32_t crc = Crc32c(edits);
  old.Append({&draft, 1}, {&crc, 1}, now_, 0);
  const LogChunkPtr chunk = old.Take();

  core_->StartOpen({VolumeEpoch(2), 42}, now_);
  for (const Sent& sent : Take(MessageType::kSealRequest)) {
    msg::SealReply reply;
    reply.set_volume_epoch(2);
    reply.set_geometry(EncodeGeometry(geometry_));
    msg::SegmentState* segment = reply.add_segments();
    if (sent.slot < 2) {
      std::string tail;
      Lsn back(0);
      for (const RecordSpan& record : chunk->records) {
        AppendTailEntry(
            &tail, {record.end, record.length, record.is_consistency_point, VolumeEpoch(1), back});
        back = record.end;
      }
      segment->set_tail(tail);
      segment->set_scl(chunk->end.value());
    }
    if (sent.slot < 5) {
      Reply(sent, MessageType::kSealReply, reply);
    }
  }
  for (const Sent& sent : Take(MessageType::kTruncateRequest)) {
    const auto request = Parse<msg::TruncateRequest>(sent.frame);
    EXPECT_EQ(request.range().after(), chunk->end.value());
    EXPECT_EQ(request.vdl(), 0U) << "a VDL is told only when the volume is open";
    msg::TruncateReply reply;
    reply.set_volume_epoch(2);
    msg::SegmentProgress* segment = reply.add_segments();
    segment->set_scl(sent.slot < 2 ? chunk->end.value() : 0);
    if (sent.slot < 5) {
      Reply(sent, MessageType::kTruncateReply, reply);
    }
  }
  EXPECT_FALSE(core_->is_open());
  const std::vector<Sent> fetches = Take(MessageType::kFetchRecordsRequest);
  ASSERT_GE(fetches.size(), 2U);
  for (const Sent& sent : fetches) {
    EXPECT_LT(sent.slot, 2U) << "asked of a node that has it";
    msg::FetchRecordsReply reply;
    Reply(sent, MessageType::kFetchRecordsReply, reply, {chunk->parts[0].bytes});
  }
  int pushed = 0;
  for (const Sent& sent : Take(MessageType::kAppendRequest)) {
    EXPECT_EQ(Parse<msg::AppendRequest>(sent.frame).volume_epoch(), 2U);
    AppendOk(sent);
    ++pushed;
  }
  EXPECT_GE(pushed, 2);
  ASSERT_TRUE(opened_.has_value());
  EXPECT_EQ(opened_->vdl, chunk->end);
}

TEST_F(CoreTest, CommitsAtTheFourthAnswerAndGathersWhileOneIsUnderWay) {
  OpenEmpty();
  const Lsn first = Append(PageNo(1), "a");
  std::vector<Sent> appends = Take(MessageType::kAppendRequest);
  ASSERT_EQ(appends.size(), 6U);
  EXPECT_EQ(appends[0].frame.attachments[0].view().data(),
            appends[5].frame.attachments[0].view().data())
      << "six nodes, one copy";
  Append(PageNo(1), "b");
  const Lsn third = Append(PageNo(12), "c");
  EXPECT_TRUE(Take(MessageType::kAppendRequest).empty()) << "gathers behind the one under way";
  for (int i = 0; i < 3; ++i) {
    AppendOk(appends[static_cast<size_t>(i)]);
  }
  EXPECT_EQ(vdl_, Lsn(0));
  AppendOk(appends[3]);
  EXPECT_EQ(vdl_, first);
  // Each that answered got the gathered ones in one request.
  appends = Take(MessageType::kAppendRequest);
  ASSERT_EQ(appends.size(), 4U);
  EXPECT_EQ(Parse<msg::AppendRequest>(appends[0].frame).parts_size(), 2);
  for (const Sent& sent : appends) {
    AppendOk(sent);
  }
  EXPECT_EQ(vdl_, third);
}

TEST_F(CoreTest, WhatIsNotAnsweredIsSentAgain) {
  OpenEmpty();
  const Lsn end = Append(PageNo(1), "a");
  sent_.clear();
  AdvanceTime(3000 * kMs);
  std::map<size_t, size_t> repeats;
  std::map<size_t, Sent> last;
  for (Sent& sent : Take(MessageType::kAppendRequest)) {
    if (!sent.frame.attachments.empty()) {
      ++repeats[sent.slot];
      last[sent.slot] = std::move(sent);
    }
  }
  ASSERT_EQ(repeats.size(), 6U);
  EXPECT_LE(repeats[0], 3U) << "at doubling intervals";
  for (size_t slot = 0; slot < 4; ++slot) {
    AppendOk(last[slot]);
    AppendOk(last[slot]);  // twice is as good as once
  }
  EXPECT_EQ(vdl_, end);
}

TEST_F(CoreTest, AReconnectedNodeGetsWhatItMissed) {
  OpenEmpty();
  core_->OnNodeDown(5, now_);
  const Lsn end = Append(PageNo(1), "a");
  for (const Sent& sent : Take(MessageType::kAppendRequest)) {
    EXPECT_NE(sent.slot, 5U);
    AppendOk(sent);
  }
  EXPECT_EQ(vdl_, end);
  sent_.clear();
  core_->OnNodeUp(5, now_);
  const std::vector<Sent> appends = Take(MessageType::kAppendRequest);
  ASSERT_EQ(appends.size(), 1U);
  EXPECT_EQ(appends[0].slot, 5U);
  EXPECT_FALSE(appends[0].frame.attachments.empty());
}

TEST_F(CoreTest, ANodeThatIsDownDoesNotHoldMemory) {
  limits_.shipper.retained_bytes_max = 1000;
  NewCore();
  OpenEmpty();
  core_->OnNodeDown(5, now_);
  for (int i = 0; i < 100; ++i) {
    Append(PageNo(1), "0123456789");
    for (const Sent& sent : Take(MessageType::kAppendRequest)) {
      AppendOk(sent);
    }
  }
  EXPECT_GT(metrics_.Snapshot().chunks_given_up, 50U);
  core_->OnNodeUp(5, now_);
  const std::vector<Sent> appends = Take(MessageType::kAppendRequest);
  ASSERT_EQ(appends.size(), 1U);
  EXPECT_LT(appends[0].frame.attachments.size(), 20U);
}

TEST_F(CoreTest, ANodeThatLostLogIsSentItAgain) {
  OpenEmpty();
  core_->OnNodeDown(5, now_);  // keeps the log in memory
  Append(PageNo(1), "a");
  for (const Sent& sent : Take(MessageType::kAppendRequest)) {
    AppendOk(sent);
  }
  Append(PageNo(1), "b");
  for (const Sent& sent : Take(MessageType::kAppendRequest)) {
    if (sent.slot != 0) {
      AppendOk(sent);
      continue;
    }
    msg::AppendReply reply;  // its disk was replaced
    reply.set_volume_epoch(1);
    msg::SegmentProgress* segment = reply.add_segments();
    segment->set_pg(0);
    segment->set_scl(0);
    Reply(sent, MessageType::kAppendReply, reply);
  }
  const std::vector<Sent> again = Take(MessageType::kAppendRequest);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].slot, 0U);
  EXPECT_EQ(again[0].frame.attachments.size(), 2U);
}

TEST_F(CoreTest, IdleNodesAreToldTheVdl) {
  OpenEmpty();
  const Lsn end = Append(PageNo(1), "a");
  for (const Sent& sent : Take(MessageType::kAppendRequest)) {
    AppendOk(sent);
  }
  AdvanceTime(150 * kMs);
  std::vector<Sent> notices = Take(MessageType::kAppendRequest);
  ASSERT_EQ(notices.size(), 6U);
  EXPECT_EQ(Parse<msg::AppendRequest>(notices[0].frame).vdl(), end.value());
  EXPECT_TRUE(notices[0].frame.attachments.empty());
}

TEST_F(CoreTest, ThreeHigherEpochsDeposeTheWriterOneDoesNot) {
  OpenEmpty();
  Append(PageNo(1), "a");
  msg::AppendReply fenced;
  fenced.set_outcome(msg::FENCED);
  fenced.set_volume_epoch(2);
  const std::vector<Sent> appends = Take(MessageType::kAppendRequest);
  Reply(appends[0], MessageType::kAppendReply, fenced);
  Reply(appends[1], MessageType::kAppendReply, fenced);
  EXPECT_TRUE(fenced_.ok());
  Reply(appends[2], MessageType::kAppendReply, fenced);
  EXPECT_TRUE(fenced_.Is(Code::kFenced));
  EXPECT_TRUE(core_->is_fenced());
}

TEST_F(CoreTest, ANodeJoinsOnlyAfterItHasTruncated) {
  OpenEmpty(4);
  Append(PageNo(1), "a");
  for (const Sent& sent : Take(MessageType::kAppendRequest)) {
    EXPECT_LT(sent.slot, 4U);
    AppendOk(sent);
  }
  AdvanceTime(600 * kMs);
  bool joined = false;
  for (const Sent& sent : Take(MessageType::kTruncateRequest)) {
    if (sent.slot == 5) {
      TruncateOk(sent);
      joined = true;
    }
  }
  ASSERT_TRUE(joined);
  bool got_log = false;
  for (const Sent& sent : Take(MessageType::kAppendRequest)) {
    got_log |= sent.slot == 5 && !sent.frame.attachments.empty();
  }
  EXPECT_TRUE(got_log);
}

// Reads, on a volume with one durable record of page 1, of which slot 5 does not know.
class CoreReadTest : public CoreTest {
 protected:
  void SetUp() override {
    limits_.reads.sample_chance = 0;
    NewCore();
    OpenEmpty();
    lsn_ = Append(PageNo(1), "a");
    for (const Sent& sent : Take(MessageType::kAppendRequest)) {
      if (sent.slot != 5) {
        AppendOk(sent);
      }
    }
    ASSERT_EQ(vdl_, lsn_);
  }
  void StartRead(PageNo page = PageNo(1)) {
    done_ = false;
    core_->Read(
        {page}, lsn_,
        [this](Status status, std::vector<SharedBytes> images) {
          done_ = true;
          status_ = std::move(status);
          images_ = std::move(images);
        },
        now_);
  }
  SharedBytes Image(Lsn lsn) const {
    auto page = std::make_unique<Page>();
    page->Clear();
    page->set_lsn(lsn);
    SealPage(page.get());
    return SharedBytes(std::string(page->view()));
  }
  void Answer(const Sent& to, msg::Outcome outcome, SharedBytes image = {}) {
    const auto request = Parse<msg::ReadPagesRequest>(to.frame);
    msg::ReadPagesReply reply;
    reply.set_volume_epoch(1);
    msg::PageRead* page = reply.add_pages();
    page->set_outcome(outcome);
    page->set_scl(outcome == msg::OK ? request.pages(0).needed_lsn() : 1);
    std::vector<SharedBytes> attachments;
    if (!image.empty()) {
      attachments.push_back(image);
    }
    Reply(to, MessageType::kReadPagesReply, reply, attachments);
  }

  Lsn lsn_;
  bool done_ = false;
  Status status_;
  std::vector<SharedBytes> images_;
};

TEST_F(CoreReadTest, OneRequestToACompleteSegment) {
  StartRead();
  const std::vector<Sent> reads = Take(MessageType::kReadPagesRequest);
  ASSERT_EQ(reads.size(), 1U);
  EXPECT_NE(reads[0].slot, 5U);
  EXPECT_EQ(Parse<msg::ReadPagesRequest>(reads[0].frame).pages(0).needed_lsn(), lsn_.value());
  Answer(reads[0], msg::OK, Image(lsn_));
  ASSERT_TRUE(done_);
  EXPECT_TRUE(status_.ok());
  EXPECT_EQ(images_[0].size(), kPageSize);
}

TEST_F(CoreReadTest, AGroupWithoutRecordsIsZeroesWithoutARequest) {
  StartRead(PageNo(77));
  EXPECT_TRUE(done_);
  EXPECT_TRUE(status_.ok());
  EXPECT_TRUE(Take(MessageType::kReadPagesRequest).empty());
}

TEST_F(CoreReadTest, RefusalsDamageAndFutureImagesGoToTheNextSegment) {
  StartRead();
  std::set<size_t> asked;
  std::vector<Sent> reads = Take(MessageType::kReadPagesRequest);
  asked.insert(reads[0].slot);
  Answer(reads[0], msg::NOT_COMPLETE);
  reads = Take(MessageType::kReadPagesRequest);
  ASSERT_EQ(reads.size(), 1U);
  asked.insert(reads[0].slot);
  std::string damaged(Image(lsn_).view());
  damaged[5000] ^= 1;
  Answer(reads[0], msg::OK, SharedBytes(damaged));
  reads = Take(MessageType::kReadPagesRequest);
  ASSERT_EQ(reads.size(), 1U);
  asked.insert(reads[0].slot);
  Answer(reads[0], msg::OK, Image(lsn_ + 1));
  reads = Take(MessageType::kReadPagesRequest);
  ASSERT_EQ(reads.size(), 1U);
  asked.insert(reads[0].slot);
  EXPECT_FALSE(done_);
  Answer(reads[0], msg::OK, Image(lsn_));
  EXPECT_TRUE(done_ && status_.ok());
  EXPECT_EQ(asked.size(), 4U);
}

TEST_F(CoreReadTest, ASlowOneIsHedgedAndTheFirstAnswerCounts) {
  StartRead();
  const std::vector<Sent> first = Take(MessageType::kReadPagesRequest);
  AdvanceTime(50 * kMs);
  const std::vector<Sent> second = Take(MessageType::kReadPagesRequest);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_NE(second[0].slot, first[0].slot);
  Answer(second[0], msg::OK, Image(lsn_));
  EXPECT_TRUE(done_ && status_.ok());
  Answer(first[0], msg::OK, Image(lsn_));  // late: nobody asks any more
  EXPECT_EQ(metrics_.Snapshot().read_hedges, 1U);
  // The slow one is not the first choice any more.
  StartRead();
  EXPECT_NE(Take(MessageType::kReadPagesRequest)[0].slot, first[0].slot);
}

TEST_F(CoreReadTest, WithoutAnAnswerItGivesUpAndSaysWhy) {
  StartRead();
  for (const Sent& sent : Take(MessageType::kReadPagesRequest)) {
    Answer(sent, msg::OUT_OF_SERVICE);
  }
  AdvanceTime(31'000 * kMs);
  ASSERT_TRUE(done_);
  EXPECT_TRUE(status_.Is(Code::kUnavailable));
  EXPECT_NE(status_.ToString().find("page 1"), std::string::npos) << status_.ToString();
}

}  // namespace
}  // namespace borealis::storage_client
