// Six nodes under a writer, crashes, lost disks, cut links and openings that die half-way, with the
// client's own rule for where the log ends. After every opening nothing acknowledged may be
// missing, and what any node serves must be the model's fold.
#include "storage_client/recovery_point.h"
#include "tests/unit/storage_node/test_cluster.h"

namespace borealis::storage_node {
namespace {

using storage_client::FindRecoveryPoint;
using storage_client::NodeAnswer;
using storage_client::RecoveryPoint;

constexpr size_t kNodes = 6;
constexpr size_t kWriteQuorum = 4;
constexpr uint64_t kPages = 3 * kTestPagesPerPg;

class Story {
 public:
  explicit Story(uint64_t seed) : random_(seed), cluster_(kNodes, seed) {
    cluster_.config.table_bytes = 500 + random_.Below(6000);
    cluster_.config.journal_file_bytes = 1 << 15;
    cluster_.config.merge_layers = 2 + random_.Below(3);
    cluster_.config.image_after_records = random_.Below(8);
    cluster_.config.retain_log_bytes = random_.Chance(0.5) ? 0 : 20'000;
    cluster_.config.fetch_bytes = static_cast<uint32_t>(1000 + random_.Below(60'000));
    cluster_.config.page_cache_pages = random_.Below(20);
    cluster_.BootAll();
    cluster_.config.new_cluster = false;
    Open();
  }

  void Run(int rounds) {
    for (int round = 0; round < rounds && !testing::Test::HasFatalFailure(); ++round) {
      switch (random_.Below(10)) {
        case 0:
          CrashOne();
          break;
        case 1:
          BootOne();
          break;
        case 2:
          HalfAnOpening();
          break;
        case 3:
          Open();
          break;
        case 4:
          CutLinks();
          break;
        case 5:
          cluster_.Pass(static_cast<int64_t>(random_.Below(600'000)));
          break;
        default:
          Write();
      }
      ReadSome();
    }
    Heal();
  }

 private:
  bool Up(size_t i) { return cluster_.machine(i).up; }
  size_t UpCount() {
    size_t count = 0;
    for (size_t i = 0; i < kNodes; ++i) {
      count += Up(i) && !cluster_.node(i).amnesiac() ? 1 : 0;
    }
    return count;
  }

  // A few records, each to a random set of nodes; works run as luck has it.
  void Write() {
    std::vector<std::string> batch;
    for (uint64_t i = 1 + random_.Below(6); i > 0; --i) {
      batch.push_back(log_.MakeRandom(random_, kPages));
      points_.push_back(log_.end());
    }
    if (random_.Chance(0.3)) {  // what was lost is sent again
      batch.clear();
      for (auto at = log_.records().upper_bound(vdl_); at != log_.records().end(); ++at) {
        batch.push_back(at->second);
      }
    }
    const double reach = random_.Unit();
    const Lsn pgmrpl = random_.Chance(0.1) ? vdl_ : Lsn(0);
    horizon_ = std::max(horizon_, pgmrpl);
    for (size_t i = 0; i < kNodes; ++i) {
      if (!Up(i) || !random_.Chance(0.4 + reach)) {
        continue;
      }
      cluster_.node(i).OnFrame(TestCluster::kClient,
                               cluster_.AppendFrame(batch, log_.epoch(), vdl_, pgmrpl));
      if (random_.Chance(0.8)) {
        cluster_.RunWork(i, Lane::kJournal);
      }
    }
    if (random_.Chance(0.5)) {
      cluster_.Settle();
    }
    TakeAnswers();
  }

  void TakeAnswers() {
    for (size_t i = 0; i < kNodes; ++i) {
      for (auto& sent : cluster_.machine(i).sent) {
        msg::AppendReply reply;
        if (sent.frame.type == static_cast<uint16_t>(MessageType::kAppendReply) &&
            reply.ParseFromString(sent.frame.body) && reply.outcome() == msg::OK) {
          for (const auto& segment : reply.segments()) {
            Lsn& scl = scls_[i][PgId(segment.pg())];
            scl = std::max(scl, Lsn(segment.scl()));
          }
        } else if (reply.outcome() == msg::FENCED) {
          EXPECT_GT(reply.volume_epoch(), log_.epoch());
        }
      }
      cluster_.machine(i).sent.clear();
    }
    for (auto at = log_.records().upper_bound(vdl_); at != log_.records().end(); ++at) {
      std::vector<Lsn> reached;
      for (size_t i = 0; i < kNodes; ++i) {
        reached.push_back(scls_[i][ViewVerifiedRecord(at->second).pg]);
      }
      std::sort(reached.rbegin(), reached.rend());
      if (reached[kWriteQuorum - 1] < at->first) {
        break;
      }
      vdl_ = at->first;
    }
  }

  void CrashOne() {
    const size_t i = random_.Below(kNodes);
    if (UpCount() <= kWriteQuorum || !Up(i) || cluster_.node(i).amnesiac()) {
      return;
    }
    // A disk goes only while all others are well: two losses at once are the limit.
    if (UpCount() == kNodes && random_.Chance(0.4)) {
      cluster_.LoseDisk(i);
    } else {
      cluster_.Kill(i);
    }
  }
  void BootOne() {
    const size_t i = random_.Below(kNodes);
    if (!Up(i)) {
      ASSERT_TRUE(cluster_.Boot(i).ok()) << cluster_.node(i).out_of_service_reason();
    }
  }
  void CutLinks() {
    const uint64_t mask = random_.Next();
    if (random_.Chance(0.5)) {
      cluster_.cut = nullptr;
    } else {
      cluster_.cut = [mask](NodeId from, NodeId to) {
        return ((mask >> (from.value() * 6 + to.value())) & 1) != 0;
      };
    }
  }

  // Seals all nodes that are up; the answers.
  std::vector<NodeAnswer> SealAll(uint64_t epoch, uint64_t opener) {
    std::vector<NodeAnswer> answers;
    for (size_t i = 0; i < kNodes; ++i) {
      if (!Up(i)) {
        continue;
      }
      TakeAnswers();
      const auto reply = cluster_.Seal(epoch, i, opener);
      if (reply.outcome() != msg::OK) {
        continue;
      }
      NodeAnswer answer;
      answer.slot = i;
      for (const auto& segment : reply.segments()) {
        storage_client::SegmentAnswer out;
        out.pg = PgId(segment.pg());
        out.scl = Lsn(segment.scl());
        out.vdl_told = Lsn(segment.vdl_told());
        out.last_at_vdl_told = Lsn(segment.last_at_vdl_told());
        out.tail = ParseTail(segment.tail()).value();
        answer.segments.push_back(std::move(out));
      }
      for (const auto& range : reply.annulled()) {
        answer.annulled.push_back(
            {Lsn(range.after()), Lsn(range.up_to()), VolumeEpoch(range.epoch())});
      }
      answers.push_back(std::move(answer));
    }
    return answers;
  }

  size_t TruncateAll(const RecoveryPoint& point, uint64_t epoch, size_t nodes_max) {
    std::vector<AnnulledRange> earlier;
    for (const auto& span : point.annulled) {
      if (span.epoch != VolumeEpoch(epoch)) {
        earlier.push_back({span.after, span.up_to, span.epoch});
      }
    }
    size_t truncated = 0;
    for (size_t i = 0; i < kNodes && truncated < nodes_max; ++i) {
      if (Up(i)) {
        TakeAnswers();
        truncated +=
            cluster_.Truncate(epoch, point.vdl, point.start, i, earlier).outcome() == msg::OK ? 1
                                                                                              : 0;
      }
    }
    return truncated;
  }

  void HalfAnOpening() {
    // From now on the writer is fenced at some nodes; somebody must open before it goes on.
    const uint64_t epoch = ++epoch_;
    const auto answers = SealAll(epoch, random_.Next());
    if (answers.size() >= kWriteQuorum) {
      const auto point = FindRecoveryPoint(answers, VolumeEpoch(epoch));
      ASSERT_TRUE(point.ok()) << point.status().ToString();
      ASSERT_GE(point->vdl, vdl_);
      TruncateAll(*point, epoch, random_.Below(kWriteQuorum));
    }
    Open();
  }

  void Open() {
    TakeAnswers();
    if (UpCount() < kWriteQuorum) {
      return;
    }
    const uint64_t epoch = ++epoch_;
    const auto answers = SealAll(epoch, random_.Next());
    ASSERT_GE(answers.size(), kWriteQuorum);
    const auto point = FindRecoveryPoint(answers, VolumeEpoch(epoch));
    ASSERT_TRUE(point.ok()) << point.status().ToString();
    ASSERT_GE(point->vdl, vdl_) << "an acknowledged record is lost";
    ASSERT_GE(TruncateAll(*point, epoch, kNodes), kWriteQuorum);
    std::erase_if(points_, [&](Lsn lsn) { return lsn > point->vdl; });
    log_.Reopen(epoch, point->vdl, point->start);
    for (const auto& [pg, tail] : point->tails) {
      ASSERT_EQ(tail, log_.last_of(pg)) << "pg " << pg.value();
    }
    scls_.clear();
    // As the opener does: up to the VDL every group is brought to a write quorum first.
    cluster_.cut = nullptr;
    for (int i = 0; i < 100 && !AtWriteQuorum(*point); ++i) {
      cluster_.Pass(100'000);
    }
    ASSERT_TRUE(AtWriteQuorum(*point));
    vdl_ = point->vdl;
  }

  bool AtWriteQuorum(const RecoveryPoint& point) {
    for (const auto& [pg, tail] : point.tails) {
      size_t reached = 0;
      for (size_t i = 0; i < kNodes; ++i) {
        reached += Up(i) && cluster_.Scl(pg, i) >= tail ? 1 : 0;
      }
      if (reached < kWriteQuorum) {
        return false;
      }
    }
    return true;
  }

  void ReadSome() {
    TakeAnswers();
    for (int k = 0; k < 6; ++k) {
      const size_t i = random_.Below(kNodes);
      if (!Up(i)) {
        continue;
      }
      Lsn at = vdl_;
      if (random_.Chance(0.4) && !points_.empty()) {
        at = std::min(vdl_, points_[random_.Below(points_.size())]);
      }
      const PageNo page(random_.Below(kPages));
      const PgId pg(static_cast<uint32_t>(page.value() / kTestPagesPerPg));
      Page got;
      const auto read = cluster_.Read(page, at, log_.NeededAt(pg, at), &got, i, log_.epoch());
      ++reads_[read.outcome()];
      if (read.outcome() == msg::OK) {
        const Page want = log_.Fold(page, at);
        ASSERT_EQ(got.lsn(), want.lsn())
            << "node " << i + 1 << " page " << page.value() << " at " << at.value();
        ASSERT_TRUE(got.view().substr(16) == want.view().substr(16));
      } else {
        ASSERT_NE(read.outcome(), msg::OUT_OF_SERVICE) << read.reason();
        // A copied segment may start above the horizon; nobody else may refuse.
        // One without its disk does not even know which groups it holds.
        ASSERT_TRUE(read.outcome() == msg::NOT_COMPLETE || read.outcome() == msg::COLLECTED ||
                    (read.outcome() == msg::UNKNOWN && cluster_.node(i).amnesiac()));
      }
    }
  }

  void Heal() {
    cluster_.cut = nullptr;
    for (size_t i = 0; i < kNodes; ++i) {
      if (!Up(i)) {
        ASSERT_TRUE(cluster_.Boot(i).ok());
      }
    }
    cluster_.Pass(3'000'000);
    Open();
    cluster_.Pass(3'000'000);
    TakeAnswers();
    for (size_t i = 0; i < kNodes; ++i) {
      ASSERT_TRUE(cluster_.node(i).in_service()) << cluster_.node(i).out_of_service_reason();
      for (uint32_t pg = 0; pg < 3; ++pg) {
        ASSERT_EQ(cluster_.Scl(PgId(pg), i), log_.last_of(PgId(pg)))
            << "node " << i + 1 << " pg " << pg;
      }
      for (uint64_t page = 0; page < kPages; page += 11) {
        cluster_.ExpectPage(log_, PageNo(page), vdl_, i);
      }
    }
    EXPECT_GT(reads_[msg::OK], reads_[msg::NOT_COMPLETE]);
  }

  Random random_;
  TestCluster cluster_;
  TestLog log_{0};
  uint64_t epoch_ = 0;
  std::map<size_t, std::map<PgId, Lsn>> scls_;
  Lsn vdl_;
  Lsn horizon_;
  std::vector<Lsn> points_;
  std::map<int, uint64_t> reads_;
};

TEST(OpeningTest, NothingAcknowledgedIsLostAndNothingVoidIsServed) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    Story story(seed);
    story.Run(60);
    if (HasFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace borealis::storage_node
