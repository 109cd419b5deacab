// Random histories of interleaved transactions against a plain model: a map per snapshot. The same
// with purge at work, with crashes, and with readers that follow.
#include <map>
#include <optional>
#include <set>

#include "base/os/random.h"
#include "tests/support/follower.h"
#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

// Key → the two fields that follow it.
using Rows = std::map<std::string, std::string>;

// What one transaction should see: the rows committed when its view was made, and its own.
struct ModelSession {
  std::unique_ptr<Session> session;
  Isolation isolation;
  std::optional<Rows> snapshot;
  std::map<std::string, std::optional<std::string>> own;
  std::vector<std::pair<Savepoint, std::map<std::string, std::optional<std::string>>>> savepoints;
};

class ModelTest : public EngineTest, public ::testing::WithParamInterface<uint64_t> {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    Create("t", "0;1;2,1", {true, true, false});
  }
  void Begin(ModelSession* s, Random* random) {
    s->isolation = random->Chance(0.6) ? Isolation::kRepeatableRead : Isolation::kReadCommitted;
    s->snapshot.reset();
    s->own.clear();
    s->savepoints.clear();
    s->session = std::make_unique<Session>(
        engine_.get(), s->isolation, [](TransactionOptions* o) { o->lock_wait_timeout_us = 1; });
  }
  Rows Visible(const ModelSession& s) const {
    Rows rows = *s.snapshot;
    for (const auto& [key, value] : s.own) {
      if (value.has_value()) {
        rows[key] = *value;
      } else {
        rows.erase(key);
      }
    }
    return rows;
  }
  static std::string ByKey(const Rows& rows) {
    std::string text;
    for (const auto& [key, value] : rows) {
      text += (text.empty() ? "" : " ") + key + "|" + value;
    }
    return text;
  }
  static std::string ByField(const Rows& rows) {
    std::set<std::pair<std::string, std::string>> order;
    for (const auto& [key, value] : rows) {
      order.insert({K(Split(value, '|')[0]) + key, key + "|" + value});
    }
    std::string text;
    for (const auto& [by, row] : order) {
      text += (text.empty() ? "" : " ") + row;
    }
    return text;
  }
  void CheckReads(ModelSession* s, Random* random) {
    if (s->isolation == Isolation::kReadCommitted || !s->snapshot.has_value()) {
      s->snapshot = committed_;
    }
    const Rows rows = Visible(*s);
    ScanOptions options;
    options.reverse = random->Chance(0.3);
    const auto maybe_reversed = [&](std::string text) {
      if (!options.reverse) {
        return text;
      }
      std::vector<std::string> parts = Split(text, ' ');
      std::string reversed;
      for (size_t i = parts.size(); i > 0; --i) {
        reversed += (reversed.empty() ? "" : " ") + parts[i - 1];
      }
      return reversed;
    };
    switch (random->Below(3)) {
      case 0:
        ASSERT_EQ(s->session->Scan("t", options), maybe_reversed(ByKey(rows)));
        break;
      case 1:
        options.index_no = 1;
        ASSERT_EQ(s->session->Scan("t", options), maybe_reversed(ByField(rows)));
        break;
      default: {
        const std::string key = RandomKey(random);
        auto found = rows.find(key);
        ASSERT_EQ(s->session->Get("t", key), found == rows.end() ? "-" : key + "|" + found->second);
      }
    }
  }
  static std::string RandomKey(Random* random) { return std::to_string(100 + random->Below(25)); }
  static std::string RandomValue(Random* random) {
    std::string value = std::to_string(random->Below(40)) + "|" + std::to_string(random->Below(4));
    if (random->Chance(0.05)) {
      value += "|" + std::string(6000 + random->Below(20000), 'L');
    }
    return value;
  }
  void Change(ModelSession* s, Random* random) {
    const std::string key = RandomKey(random);
    const std::string value = RandomValue(random);
    Status status;
    std::map<std::string, std::optional<std::string>> own = s->own;
    switch (random->Below(4)) {
      case 0:
        status = s->session->Insert("t", key + "|" + value);
        own[key] = value;
        break;
      case 1:
        status = s->session->Update("t", key, key + "|" + value);
        own[key] = value;
        break;
      case 2: {
        const std::string to = RandomKey(random);
        status = s->session->Update("t", key, to + "|" + value);
        own[key] = std::nullopt;
        own[to] = value;
        break;
      }
      default:
        status = s->session->Delete("t", key);
        own[key] = std::nullopt;
    }
    if (status.ok()) {
      s->own = std::move(own);
      return;
    }
    ASSERT_TRUE(status.Is(Code::kAlreadyExists) || status.Is(Code::kNotFound) ||
                status.Is(Code::kTimedOut) || status.Is(Code::kDeadlock))
        << status.ToString();
    if (status.Is(Code::kDeadlock)) {
      s->session.reset();
    }
  }
  void Step(ModelSession* s, Random* random) {
    if (s->session == nullptr) {
      Begin(s, random);
      return;
    }
    const uint64_t what = random->Below(100);
    if (what < 45) {
      Change(s, random);
    } else if (what < 75) {
      CheckReads(s, random);
    } else if (what < 80) {
      s->savepoints.emplace_back(s->session->trx().SetSavepoint(), s->own);
    } else if (what < 85 && !s->savepoints.empty()) {
      const size_t to = random->Below(s->savepoints.size());
      ASSERT_OK(s->session->trx().RollbackTo(s->savepoints[to].first));
      s->own = s->savepoints[to].second;
      s->savepoints.resize(to + 1);
    } else if (what < 95) {
      ASSERT_OK(s->session->Commit());
      for (const auto& [key, value] : s->own) {
        if (value.has_value()) {
          committed_[key] = *value;
        } else {
          committed_.erase(key);
        }
      }
      s->session.reset();
    } else {
      ASSERT_OK(s->session->Rollback());
      s->session.reset();
    }
  }

  Rows committed_;
};

// INV-TRX-3, INV-UND-2, INV-ROW-2
TEST_P(ModelTest, SnapshotsAgreeWithTheModel) {
  Random random(GetParam());
  for (int round = 0; round < 4; ++round) {
    std::vector<ModelSession> sessions(5);
    for (int step = 0; step < 700 && !HasFailure(); ++step) {
      SCOPED_TRACE("round " + std::to_string(round) + " step " + std::to_string(step));
      Step(&sessions[random.Below(sessions.size())], &random);
      if (random.Chance(0.05)) {
        ASSERT_OK(engine_->RunBackground());
      }
      if (random.Chance(0.01)) {
        Check("t");
      }
    }
    if (HasFailure()) {
      return;
    }
    if (random.Chance(0.5)) {
      sessions.clear();
    } else {
      // Dies with transactions under way.
      const Lsn end = volume_->appended();
      std::unique_ptr<MemoryVolume> copy = volume_->CrashCopy(end);
      sessions.clear();
      engine_.reset();
      volume_ = std::move(copy);
      OpenEngine(TestOptions());
    }
    ASSERT_OK(engine_->RunBackground());
    EXPECT_EQ(ScanAll("t"), ByKey(committed_));
    EXPECT_EQ(ScanAll("t", 1), ByField(committed_));
    Check("t");
    EXPECT_EQ(engine_->counters().history_length, 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, ::testing::Range<uint64_t>(1, 9));

// ---------------------------------------------------------------------------------------------

class ReplicaModelTest : public ModelTest {};

TEST_P(ReplicaModelTest, ReadersSeeThePrefixThatTheyHaveApplied) {
  Random random(GetParam());
  Load("t", {"100|1|1", "101|2|2"});
  committed_ = {{"100", "1|1"}, {"101", "2|2"}};
  Session unfinished(engine_.get());
  ASSERT_OK(unfinished.Insert("t", "900|900|1"));
  Lsn at;
  const std::string hello = engine_->ActiveTransactions(&at);
  Follower follower(volume_.get());
  ASSERT_EQ(at, follower.vdl());
  engine_->SetReaderHorizon(at);
  Result<std::unique_ptr<Engine>> opened = Engine::OpenReplica(&follower, TestOptions(), hello);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  std::unique_ptr<Engine> replica = std::move(*opened);
  EXPECT_TRUE(replica->is_replica());
  EXPECT_EQ(Session(replica.get()).Scan("t"), "100|1|1 101|2|2");
  {
    Session s(replica.get());
    EXPECT_EQ(s.Insert("t", "1|1|1").user_errno(), 1836);
  }
  struct OldReader {
    std::unique_ptr<Session> session;
    Rows rows;
  };
  std::vector<ModelSession> sessions(4);
  std::vector<OldReader> readers;
  Rows applied = committed_;
  for (int step = 0; step < 1200 && !HasFailure(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    Step(&sessions[random.Below(sessions.size())], &random);
    if (random.Chance(0.1)) {
      ASSERT_OK(follower.Follow(replica.get()));
      applied = committed_;
      engine_->SetReaderHorizon(replica->OldestReadLsn());
    }
    if (random.Chance(0.1)) {
      ASSERT_OK(engine_->RunBackground());
    }
    if (random.Chance(0.1)) {
      ScanOptions options;
      options.index_no = 1;
      EXPECT_EQ(Session(replica.get()).Scan("t"), ByKey(applied));
      EXPECT_EQ(Session(replica.get()).Scan("t", options), ByField(applied));
    }
    if (random.Chance(0.05)) {
      OldReader reader;
      reader.session =
          std::make_unique<Session>(replica.get(), Isolation::kRepeatableRead,
                                    [](TransactionOptions* o) { o->consistent_snapshot = true; });
      reader.rows = applied;
      readers.push_back(std::move(reader));
    }
    if (!readers.empty() && random.Chance(0.2)) {
      const size_t which = random.Below(readers.size());
      ScanOptions options;
      options.index_no = random.Below(2);
      EXPECT_EQ(readers[which].session->Scan("t", options),
                options.index_no == 0 ? ByKey(readers[which].rows) : ByField(readers[which].rows));
      if (random.Chance(0.5)) {
        readers.erase(readers.begin() + static_cast<std::ptrdiff_t>(which));
      }
    }
  }
  readers.clear();
  sessions.clear();
  ASSERT_OK(unfinished.Commit());
  committed_["900"] = "900|1";
  ASSERT_OK(follower.Follow(replica.get()));
  EXPECT_EQ(Session(replica.get()).Scan("t"), ByKey(committed_));
  EXPECT_OK(replica->CheckTable(**replica->FindTable("test", "t")));
}

TEST_P(ReplicaModelTest, ReadersLearnOfSchemaChanges) {
  if (GetParam() != 1) {
    return;
  }
  Load("t", {"100|1|1"});
  Lsn at;
  const std::string hello = engine_->ActiveTransactions(&at);
  Follower follower(volume_.get());
  Result<std::unique_ptr<Engine>> opened = Engine::OpenReplica(&follower, TestOptions(), hello);
  ASSERT_TRUE(opened.ok());
  Engine& replica = **opened;
  Session reader(&replica);
  EXPECT_EQ(reader.Scan("t"), "100|1|1");
  Session older(&replica, Isolation::kRepeatableRead,
                [](TransactionOptions* o) { o->consistent_snapshot = true; });
  const uint64_t version = replica.dictionary_version();
  TableAlteration alteration;
  alteration.payload = "0;2";
  alteration.indexes = {{"PRIMARY", true, ""}, {"k2", false, ""}};
  alteration.rewrite = [](std::string_view from, std::string* to) {
    *to = std::string(from) + "|more";
    return Status::Ok();
  };
  ASSERT_OK(engine_->AlterTable({"test", "t"}, alteration, {}));
  Create("u", "0", {true});
  Load("u", {"1"});
  ASSERT_OK(follower.Follow(&replica));
  EXPECT_GT(replica.dictionary_version(), version);
  EXPECT_EQ(Session(&replica).Scan("t"), "100|1|1|more");
  EXPECT_EQ(Session(&replica).Scan("u"), "1");
  const std::string answer = older.Scan("t");
  EXPECT_NE(answer.find("definition has changed"), std::string::npos) << answer;
  ASSERT_OK(engine_->DropTables({{"test", "u"}}, {}));
  ASSERT_OK(follower.Follow(&replica));
  EXPECT_FALSE(replica.FindTable("test", "u").ok());
}

INSTANTIATE_TEST_SUITE_P(Seeds, ReplicaModelTest, ::testing::Range<uint64_t>(1, 5));

}  // namespace
}  // namespace borealis::engine::testing
