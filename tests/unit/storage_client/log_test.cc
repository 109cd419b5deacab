// LSN assignment, durability bookkeeping and tails: LogBuffer, QuorumTracker, PgTails.
#include "base/crc32c.h"
#include "base/os/random.h"
#include "storage_client/log_buffer.h"
#include "storage_client/pg_tails.h"
#include "storage_client/quorum_tracker.h"
#include "volume/edit.h"

namespace borealis::storage_client {
namespace {

constexpr uint64_t kPagesPerPg = 10;
constexpr int64_t kSecond = 1'000'000;
constexpr uint64_t kAnyRequest = 1;

TEST(LogBufferTest, RecordsTileTheLineAndChainWithinGroups) {
  LogBuffer buffer(kPagesPerPg, VolumeEpoch(3), Lsn(1000), {{PgId(1), Lsn(900)}});
  std::string edits;
  AppendWriteEdit(&edits, 64, "payload");
  const std::vector<uint32_t> crcs(3, Crc32c(edits));
  std::vector<RecordDraft> drafts(3);
  drafts[0].page = PageNo(15);
  drafts[1].page = PageNo(3);
  drafts[2].page = PageNo(16);
  for (RecordDraft& draft : drafts) {
    draft.body = edits;
  }
  const Lsn end = buffer.Append(drafts, crcs, 5, 99);
  EXPECT_EQ(end, drafts[2].end);
  const LogChunkPtr chunk = buffer.Take();
  ASSERT_NE(chunk, nullptr);
  EXPECT_EQ(buffer.Take(), nullptr);
  EXPECT_EQ(chunk->start, Lsn(1000));
  EXPECT_EQ(chunk->end, end);

  // In LSN order: the clock mark, then the three, tiling [1000, end).
  Lsn at(1000);
  std::map<PgId, Lsn> tails{{PgId(1), Lsn(900)}};
  std::vector<RecordKind> kinds;
  const SharedBytes ordered = chunk->InLsnOrder();
  std::string_view rest = ordered.view();
  while (!rest.empty()) {
    const Result<RecordView> record = ParseRecord(rest);
    ASSERT_TRUE(record.ok());
    EXPECT_EQ(record->start(), at);
    EXPECT_EQ(record->pg_back_link, tails[record->pg]);
    EXPECT_EQ(record->epoch, VolumeEpoch(3));
    tails[record->pg] = record->end;
    kinds.push_back(record->kind);
    at = record->end;
    rest.remove_prefix(record->length);
  }
  EXPECT_EQ(at, end);
  ASSERT_EQ(kinds.size(), 4U);
  EXPECT_EQ(kinds[0], RecordKind::kClockMark);
  ASSERT_EQ(chunk->parts.size(), 2U);
  EXPECT_EQ(chunk->parts[1].last_end, end);
}

TEST(LogBufferTest, MarksTheClockOnceASecond) {
  LogBuffer buffer(kPagesPerPg, VolumeEpoch(1), Lsn(0), {});
  std::string edits;
  AppendWriteEdit(&edits, 64, "x");
  const uint32_t crc = Crc32c(edits);
  int marks = 0;
  for (int64_t now = 0; now < 5 * kSecond; now += kSecond / 10) {
    RecordDraft draft;
    draft.page = PageNo(1);
    draft.body = edits;
    buffer.Append({&draft, 1}, {&crc, 1}, now, now);
    const LogChunkPtr chunk = buffer.Take();
    for (const RecordSpan& record : chunk->records) {
      marks += record.length == RecordSize(8) ? 1 : 0;
    }
  }
  EXPECT_EQ(marks, 5);
}

TEST(QuorumTrackerTest, VdlFollowsTheFourthSegmentAndStopsAtConsistencyPoints) {
  QuorumTracker tracker(Lsn(0), Lsn(0));
  tracker.AddGroup(PgId(0), SixWayQuorums().write, Lsn(0), {});
  tracker.AddGroup(PgId(1), SixWayQuorums().write, Lsn(0), {});
  LogBuffer buffer(kPagesPerPg, VolumeEpoch(1), Lsn(0), {});
  std::string edits;
  AppendWriteEdit(&edits, 64, "x");
  const std::vector<uint32_t> crcs(2, Crc32c(edits));
  std::vector<RecordDraft> two(2);
  two[0].page = PageNo(1);
  two[1].page = PageNo(11);
  two[0].body = two[1].body = edits;
  const Lsn first = buffer.Append(two, crcs, 0, 0);
  const Lsn first_in_pg0 = two[0].end;
  const Lsn second = buffer.Append(two, crcs, 0, 0);
  const Lsn second_in_pg0 = two[0].end;
  tracker.OnAppended(*buffer.Take());

  for (size_t slot = 0; slot < 3; ++slot) {
    tracker.OnProgress(PgId(0), slot, second_in_pg0, kAnyRequest);
    tracker.OnProgress(PgId(1), slot, second, kAnyRequest);
  }
  EXPECT_FALSE(tracker.Advance());
  EXPECT_EQ(tracker.vdl(), Lsn(0));
  const auto short_of_one = tracker.WaitsFor();
  ASSERT_TRUE(short_of_one.has_value());
  EXPECT_EQ(short_of_one->pg, PgId(0));
  EXPECT_EQ(short_of_one->lacking, SegmentSet{0b111000});
  tracker.OnProgress(PgId(0), 4, second_in_pg0, kAnyRequest);
  // PG 0 is at quorum; the first mini-transaction still waits for its half in PG 1. The clock mark,
  // a mini-transaction of its own, is through.
  EXPECT_TRUE(tracker.Advance());
  EXPECT_EQ(tracker.vcl(), first_in_pg0);
  EXPECT_LT(tracker.vdl(), first_in_pg0);
  tracker.OnProgress(PgId(1), 5, first, kAnyRequest);
  EXPECT_TRUE(tracker.Advance());
  EXPECT_EQ(tracker.vdl(), first);
  EXPECT_EQ(tracker.vcl(), second_in_pg0);
  ASSERT_EQ(tracker.changed_tails().size(), 2U);
  EXPECT_EQ(tracker.changed_tails()[0].tail, first_in_pg0);
  EXPECT_EQ(tracker.WaitsFor().value().pg, PgId(1));
  tracker.OnProgress(PgId(1), 5, second, kAnyRequest);
  EXPECT_TRUE(tracker.Advance());
  EXPECT_EQ(tracker.vdl(), second);
  EXPECT_FALSE(tracker.WaitsFor().has_value());
}

TEST(QuorumTrackerTest, LossAndLiesNeverMoveTheVdlBackOrBeyondTheLog) {
  LogBuffer buffer(kPagesPerPg, VolumeEpoch(1), Lsn(0), {});
  std::string edits;
  AppendWriteEdit(&edits, 64, "x");
  const uint32_t crc = Crc32c(edits);
  RecordDraft draft;
  draft.page = PageNo(1);
  draft.body = edits;
  const Lsn end = buffer.Append({&draft, 1}, {&crc, 1}, 0, 0);
  QuorumTracker tracker(Lsn(0), Lsn(0));
  tracker.AddGroup(PgId(0), SixWayQuorums().write, Lsn(0), {});
  tracker.OnAppended(*buffer.Take());
  for (size_t slot = 0; slot < 6; ++slot) {
    tracker.OnProgress(PgId(0), slot, end + 1000, kAnyRequest);  // nobody can have that
  }
  EXPECT_FALSE(tracker.Advance());
  for (size_t slot = 0; slot < 4; ++slot) {
    tracker.OnProgress(PgId(0), slot, end, kAnyRequest);
  }
  EXPECT_TRUE(tracker.Advance());
  tracker.OnLoss(PgId(0), 0, Lsn(0));
  EXPECT_FALSE(tracker.Advance());
  EXPECT_EQ(tracker.vdl(), end);
  EXPECT_EQ(tracker.scl(PgId(0), 0), Lsn(0));
}

// One record of each mini-transaction in group 0; its end.
Lsn AppendTo(LogBuffer* buffer, PageNo page) {
  std::string edits;
  AppendWriteEdit(&edits, 64, "x");
  const uint32_t crc = Crc32c(edits);
  RecordDraft draft;
  draft.page = page;
  draft.body = edits;
  return buffer->Append({&draft, 1}, {&crc, 1}, 0, 0);
}

TEST(QuorumTrackerTest, WhatCountedStaysWhenTheQuorumChangesAndLaterWritesNeedTheSuccessor) {
  LogBuffer buffer(kPagesPerPg, VolumeEpoch(1), Lsn(0), {});
  QuorumTracker tracker(Lsn(0), Lsn(0));
  tracker.AddGroup(PgId(0), SixWayQuorums().write, Lsn(0), {});
  const Lsn first = AppendTo(&buffer, PageNo(1));
  tracker.OnAppended(*buffer.Take());
  for (size_t slot : {0, 1, 2, 5}) {
    tracker.OnProgress(PgId(0), slot, first, 1);
  }
  // Slot 6 is to follow slot 5.
  const auto both = QuorumExpression::AtLeast(
      4, 0b011111, {QuorumExpression::AtLeast(2, SegmentBit(5) | SegmentBit(6))});
  tracker.SetQuorum(PgId(0), both);
  EXPECT_EQ(tracker.pgcl(PgId(0)), first);
  EXPECT_TRUE(tracker.Advance());
  EXPECT_EQ(tracker.vdl(), first);

  const Lsn second = AppendTo(&buffer, PageNo(1));
  tracker.OnAppended(*buffer.Take());
  for (size_t slot : {0, 1, 2, 5}) {
    tracker.OnProgress(PgId(0), slot, second, 101);
  }
  EXPECT_FALSE(tracker.Advance());
  tracker.OnProgress(PgId(0), 6, second, 101);  // it does not know of its seat yet
  EXPECT_FALSE(tracker.Advance());
  tracker.CountFrom(6, 101);
  tracker.OnProgress(PgId(0), 6, second, 100);
  EXPECT_FALSE(tracker.Advance());
  tracker.OnProgress(PgId(0), 6, second, 101);
  EXPECT_TRUE(tracker.Advance());
  EXPECT_EQ(tracker.vdl(), second);
  // It takes the seat over; who had it has nothing any more.
  tracker.SetQuorum(PgId(0), QuorumExpression::AtLeast(4, 0b1011111));
  EXPECT_EQ(tracker.scl(PgId(0), 5), Lsn(0));
  tracker.OnProgress(PgId(0), 5, second, 300);
  EXPECT_EQ(tracker.scl(PgId(0), 5), Lsn(0));
  EXPECT_EQ(tracker.scl(PgId(0), 6), second);
}

TEST(QuorumTrackerTest, RecordsOfAGroupThatIsNotDecidedWait) {
  LogBuffer buffer(kPagesPerPg, VolumeEpoch(1), Lsn(0), {});
  QuorumTracker tracker(Lsn(0), Lsn(0));
  tracker.AddGroup(PgId(0), SixWayQuorums().write, Lsn(0), {});
  const Lsn end = AppendTo(&buffer, PageNo(11));
  const LogChunkPtr chunk = buffer.Take();
  tracker.OnAppended(*chunk);
  for (size_t slot = 0; slot < 6; ++slot) {
    tracker.OnProgress(PgId(0), slot, chunk->parts[0].last_end, kAnyRequest);
    tracker.OnProgress(PgId(1), slot, end, kAnyRequest);
  }
  EXPECT_TRUE(tracker.Advance());  // the clock mark, in group 0
  EXPECT_LT(tracker.vdl(), end);
  tracker.AddGroup(PgId(1), SixWayQuorums().write, Lsn(0), {});
  EXPECT_FALSE(tracker.Advance());
  for (size_t slot = 0; slot < 4; ++slot) {
    tracker.OnProgress(PgId(1), slot, end, kAnyRequest);
  }
  EXPECT_TRUE(tracker.Advance());
  EXPECT_EQ(tracker.vdl(), end);
}

TEST(PgTailsTest, ReadPointsThatWereNeverHeardOfAreSafe) {
  PgTails tails;
  tails.Advance(PgId(0), Lsn(0), Lsn(120), Lsn(100));
  // A reader that jumps: there may be records of the group between 120 and 480.
  tails.Advance(PgId(0), Lsn(130), Lsn(500), Lsn(480));
  EXPECT_EQ(*tails.Needed(PgId(0), Lsn(130)), Lsn(100));
  EXPECT_EQ(*tails.Needed(PgId(0), Lsn(131)), Lsn(480));
  EXPECT_EQ(*tails.Needed(PgId(0), Lsn(600)), Lsn(480));
}

TEST(PgTailsTest, NeededIsNeverBelowTheTruthAndExactWhenRecent) {
  Random random(7);
  PgTails tails;
  std::map<Lsn, Lsn> truth;  // vdl → tail
  Lsn vdl(0);
  Lsn tail(0);
  for (int i = 0; i < 2000; ++i) {
    const Lsn before = vdl;
    vdl = vdl + 1 + random.Below(50);
    const bool has_new = random.Chance(0.3);
    if (has_new) {
      tail = vdl - random.Below(vdl - before);
    }
    if (tail > Lsn(0)) {
      // Not told when nothing changed.
      if (has_new) {
        tails.Advance(PgId(0), before, vdl, tail);
      }
      truth[vdl] = tail;
    }
  }
  size_t exact = 0;
  for (const auto& [at, expected] : truth) {
    const Lsn needed = *tails.Needed(PgId(0), at);
    EXPECT_GE(needed, expected);
    EXPECT_LE(needed, tail);
    exact += needed == expected ? 1 : 0;
  }
  EXPECT_EQ(*tails.Needed(PgId(0), vdl), tail);
  EXPECT_GT(exact, 60U);
  EXPECT_FALSE(tails.Needed(PgId(9), vdl).has_value());
}

}  // namespace
}  // namespace borealis::storage_client
