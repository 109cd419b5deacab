// Where an opener ends the log: FindRecoveryPoint on every read quorum of random histories.
#include <bit>

#include "base/os/random.h"
#include "storage_client/recovery_point.h"
#include "volume/quorum.h"

namespace borealis::storage_client {
namespace {

struct ModelRecord {
  Lsn end;
  uint32_t length;
  PgId pg;
  bool is_consistency_point;
  Lsn back_link;
  SegmentSet holders;
};

// A writer's log with who holds what; `told` is the VDL that each node heard.
struct History {
  std::vector<ModelRecord> records;
  Lsn durable;  // highest VDL by quorum
  Lsn start;
  std::vector<Lsn> told = std::vector<Lsn>(6);
  std::vector<AnnulledSpan> annulled;
};

History MakeHistory(uint64_t seed) {
  Random random(seed);
  History history;
  const bool reopened = random.Chance(0.5);
  history.start = reopened ? Lsn(5000) : Lsn(0);
  if (reopened) {
    history.annulled.push_back({Lsn(0), Lsn(5000), VolumeEpoch(2)});
  }
  Lsn at = history.start;
  std::map<PgId, Lsn> tails;
  // Per-segment: what it holds is a prefix of its group with, now and then, a hole.
  std::vector<std::map<PgId, int>> patience(6);
  for (int mtr = 0; mtr < 20; ++mtr) {
    const uint64_t size = 1 + random.Below(3);
    for (uint64_t i = 0; i < size; ++i) {
      ModelRecord record;
      record.length = static_cast<uint32_t>(50 + random.Below(50));
      record.end = at + record.length;
      record.pg = PgId(static_cast<uint32_t>(random.Below(3)));
      record.back_link = tails[record.pg];
      record.is_consistency_point = i + 1 == size;
      const double chance = mtr < 10 ? 0.95 : 0.6;
      record.holders = 0;
      for (int slot = 0; slot < 6; ++slot) {
        record.holders |= random.Chance(chance) ? SegmentSet{1} << slot : 0;
      }
      tails[record.pg] = record.end;
      at = record.end;
      history.records.push_back(record);
    }
  }
  // A segment's SCL counts, so durable = the prefix where SCLs make a quorum in each group.
  for (const ModelRecord& record : history.records) {
    SegmentSet complete = 0;
    for (int slot = 0; slot < 6; ++slot) {
      bool all = true;
      for (const ModelRecord& below : history.records) {
        all = all &&
              (below.pg != record.pg || below.end > record.end || (below.holders >> slot & 1) != 0);
      }
      complete |= all ? SegmentSet{1} << slot : 0;
    }
    if (!SixWayQuorums().write.SatisfiedBy(complete)) {
      break;
    }
    if (record.is_consistency_point) {
      history.durable = record.end;
    }
  }
  for (Lsn& told : history.told) {
    told = Lsn(0);
    for (const ModelRecord& record : history.records) {
      if (record.is_consistency_point && record.end <= history.durable && random.Chance(0.3)) {
        told = record.end;
      }
    }
  }
  return history;
}

NodeAnswer AnswerOf(const History& history, size_t slot) {
  NodeAnswer answer;
  answer.slot = slot;
  answer.annulled = history.annulled;
  for (uint32_t pg = 0; pg < 3; ++pg) {
    SegmentAnswer segment;
    segment.pg = PgId(pg);
    segment.vdl_told = history.told[slot];
    bool complete = true;
    for (const ModelRecord& record : history.records) {
      if (record.pg != PgId(pg)) {
        continue;
      }
      const bool holds = (record.holders >> slot & 1) != 0;
      complete = complete && holds;
      segment.scl = complete ? record.end : segment.scl;
      if (!holds) {
        continue;
      }
      if (record.end <= segment.vdl_told) {
        segment.last_at_vdl_told = record.end;
      } else {
        segment.tail.push_back({record.end, record.length, record.is_consistency_point,
                                VolumeEpoch(2), record.back_link});
      }
    }
    answer.segments.push_back(segment);
  }
  return answer;
}

TEST(RecoveryPointTest, EveryReadQuorumKeepsWhatWasDurableAndEndsAtAConsistencyPoint) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const History history = MakeHistory(seed);
    for (SegmentSet answered = 0; answered < 64; ++answered) {
      if (!SixWayQuorums().read.SatisfiedBy(answered)) {
        continue;
      }
      std::vector<NodeAnswer> answers;
      for (size_t slot = 0; slot < 6; ++slot) {
        if ((answered >> slot & 1) != 0) {
          answers.push_back(AnswerOf(history, slot));
        }
      }
      const Result<RecoveryPoint> point = FindRecoveryPoint(answers, VolumeEpoch(3));
      ASSERT_TRUE(point.ok()) << point.status().ToString();
      ASSERT_GE(point->vdl, history.durable) << "seed " << seed << " answered " << answered;
      std::map<PgId, Lsn> tails;
      bool is_consistency_point = point->vdl == Lsn(0);
      for (const ModelRecord& record : history.records) {
        if (record.end <= point->vdl) {
          tails[record.pg] = record.end;
        }
        is_consistency_point |= record.end == point->vdl && record.is_consistency_point;
      }
      ASSERT_TRUE(is_consistency_point);
      ASSERT_EQ(point->tails, tails) << "seed " << seed << " answered " << answered;
      ASSERT_GE(point->start, std::max(history.records.back().end, history.start));
      ASSERT_EQ(point->annulled.back().after, point->vdl);
      ASSERT_EQ(point->annulled.back().up_to, point->start);
    }
  }
}

NodeAnswer OneSegment(size_t slot, Lsn told, std::vector<TailEntry> tail,
                      std::vector<AnnulledSpan> annulled) {
  SegmentAnswer segment;
  segment.vdl_told = told;
  segment.last_at_vdl_told = told;
  segment.tail = std::move(tail);
  return {slot, {segment}, std::move(annulled)};
}

TEST(RecoveryPointTest, RecordsInAnnulledRangesAreVoid) {
  const TailEntry stray{Lsn(150), 50, true, VolumeEpoch(1), Lsn(100)};
  const AnnulledSpan span{Lsn(100), Lsn(1000), VolumeEpoch(2)};
  const TailEntry fresh{Lsn(1060), 60, true, VolumeEpoch(2), Lsn(100)};
  const std::vector<NodeAnswer> answers = {OneSegment(0, Lsn(100), {stray}, {}),
                                           OneSegment(1, Lsn(100), {fresh}, {span}),
                                           OneSegment(2, Lsn(100), {}, {})};
  const Result<RecoveryPoint> point = FindRecoveryPoint(answers, VolumeEpoch(3));
  ASSERT_TRUE(point.ok());
  EXPECT_EQ(point->vdl, Lsn(1060));
  ASSERT_EQ(point->annulled.size(), 2U);
  EXPECT_EQ(point->annulled[0].up_to, Lsn(1000));
  EXPECT_GT(point->start, Lsn(1060));
}

TEST(RecoveryPointTest, ALaterListSupersedesWhatADeadOpenerLeft) {
  // Epoch 2 decided on 100 and died; epoch 3 saw the record at 150, kept it and opened.
  const TailEntry kept{Lsn(150), 50, true, VolumeEpoch(1), Lsn(100)};
  const TailEntry fresh{Lsn(9060), 60, true, VolumeEpoch(3), Lsn(150)};
  const AnnulledSpan dead{Lsn(100), Lsn(5000), VolumeEpoch(2)};
  const AnnulledSpan live{Lsn(150), Lsn(9000), VolumeEpoch(3)};
  const std::vector<NodeAnswer> answers = {OneSegment(0, Lsn(100), {}, {dead}),
                                           OneSegment(1, Lsn(100), {kept}, {live}),
                                           OneSegment(2, Lsn(100), {kept, fresh}, {live})};
  const Result<RecoveryPoint> point = FindRecoveryPoint(answers, VolumeEpoch(4));
  ASSERT_TRUE(point.ok());
  EXPECT_EQ(point->vdl, Lsn(9060));
}

TEST(RecoveryPointTest, AnEmptyVolumeOpensAtZeroAndReopeningDoesNotGrowTheList) {
  const Result<RecoveryPoint> first = FindRecoveryPoint(std::vector<NodeAnswer>(3), VolumeEpoch(1));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->vdl, Lsn(0));
  EXPECT_EQ(first->start, Lsn(kLsnSpan));
  std::vector<NodeAnswer> answers(3);
  answers[1].annulled = first->annulled;
  const Result<RecoveryPoint> second = FindRecoveryPoint(answers, VolumeEpoch(2));
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->annulled.size(), 1U);
  EXPECT_EQ(second->start, Lsn(2 * kLsnSpan));
}

}  // namespace
}  // namespace borealis::storage_client
