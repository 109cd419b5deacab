// The volume of a session's temporary tables, alone and under an engine whose pool is far smaller
// than its data.
#include "engine/local_volume.h"

#include <map>

#include "base/fault.h"
#include "base/os/random.h"
#include "tests/unit/engine/engine_fixture.h"
#include "volume/edit.h"

namespace borealis::engine::testing {
namespace {

constexpr const char* kDirectory = "/tmp";

Lsn AppendEdit(LocalVolume* volume, uint64_t page, std::string_view edits) {
  RecordDraft draft;
  draft.page = PageNo(page);
  draft.body = edits;
  return volume->Append({&draft, 1});
}

std::string WriteEdit(size_t offset, std::string_view bytes) {
  std::string edits;
  AppendWriteEdit(&edits, offset, bytes);
  return edits;
}

TEST(LocalVolumeTest, EverythingIsDurableAtOnce) {
  LocalVolume volume(kDirectory);
  EXPECT_EQ(volume.vdl(), Lsn(0));
  const Lsn end = AppendEdit(&volume, 3, WriteEdit(100, "abc"));
  EXPECT_EQ(volume.vdl(), end);
  bool done = false;
  volume.WhenDurable(end, [&done](Status status) { done = status.ok(); });
  EXPECT_TRUE(done);
  Page page;
  ASSERT_OK(volume.ReadPage(PageNo(3), end, &page));
  EXPECT_EQ(page.lsn(), end);
  EXPECT_EQ(page.view().substr(100, 3), "abc");
  ASSERT_OK(volume.ReadPage(PageNo(2), end, &page));
  EXPECT_TRUE(IsAllZero(page.view()));
  EXPECT_EQ(*volume.file_bytes(), 0u);
}

// Pages with edits in memory, in the file and in both, against a model.
TEST(LocalVolumeTest, PagesAreTheSumOfTheirEdits) {
  constexpr uint64_t kPages = 50;
  LocalVolume volume(kDirectory, /*pending_max=*/4096);
  std::map<uint64_t, Page> model;
  Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_OK(volume.WaitForRoom());
    const uint64_t number = random.Below(kPages);
    Page& page = model[number];
    std::string edits;
    if (random.Chance(0.02)) {
      AppendImageEdit(&edits, "image " + std::to_string(i));
    } else if (random.Chance(0.01)) {
      edits = kEmptyingEdits;
    }
    if (edits.empty() || random.Chance(0.5)) {
      edits += WriteEdit(kPageHeaderSize + random.Below(16'000), std::to_string(i));
    }
    ASSERT_OK(ApplyEdits(edits, &page));
    page.set_lsn(AppendEdit(&volume, number, edits));
    if (i % 100 == 0) {
      const uint64_t read = random.Below(kPages);
      Page found;
      ASSERT_OK(volume.ReadPage(PageNo(read), volume.vdl(), &found));
      ASSERT_EQ(found.lsn(), model[read].lsn());
      ASSERT_EQ(found.view().substr(kPageHeaderSize), model[read].view().substr(kPageHeaderSize));
    }
  }
  EXPECT_LE(volume.pending_bytes(), 4096u + 512u);
  EXPECT_LE(*volume.file_bytes(), kPages * kPageSize);
}

class LocalEngineTest : public ::testing::Test {
 protected:
  static constexpr int kRows = 3000;
  static std::string Key(int i) { return std::to_string(10'000 + i); }
  static std::string Row(int i, int version, size_t filler) {
    return Key(i) + "|" + std::to_string(version) + "|" + std::to_string(i * 7919 % kRows) + "|" +
           std::string(filler, static_cast<char>('a' + i % 26));
  }
  void SetUp() override {
    EngineOptions options = TestOptions(/*background=*/false);
    options.buffer_pool_bytes = 1;  // 64 pages
    volume_ = std::make_unique<LocalVolume>(kDirectory, size_t{64} << 10);
    Result<std::unique_ptr<Engine>> engine = Engine::Open(volume_.get(), std::move(options));
    ASSERT_OK(engine.status());
    engine_ = std::move(engine).value();
    ASSERT_OK(engine_->CreateSchema({"test", ""}, {}));
    ASSERT_OK(engine_->CreateTable(MakeDefinition("t", "0;1;2", {true, false, true}), {}).status());
  }
  void TearDown() override { FaultRegistry::Instance().Disarm(); }
  Status Load(size_t filler) {
    Session session(engine_.get());
    for (int i = 0; i < kRows; ++i) {
      RETURN_IF_ERROR(session.Insert("t", Row(i, 0, filler)));
    }
    return session.Commit();
  }
  void ExpectRows(int version, size_t filler) {
    Session session(engine_.get());
    for (int i = 0; i < kRows; ++i) {
      ASSERT_EQ(session.Get("t", Key(i)), Row(i, version, filler));
    }
    Result<TableRef> table = engine_->FindTable("test", "t");
    ASSERT_OK(engine_->CheckTable(**table));
  }

  std::unique_ptr<LocalVolume> volume_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(LocalEngineTest, DataFarBeyondThePool) {
  ASSERT_OK(Load(1500));
  ExpectRows(0, 1500);
  EXPECT_GT(*volume_->file_bytes(), kRows * 1500u);
}

TEST_F(LocalEngineTest, ARollbackFindsWhatWasEvicted) {
  ASSERT_OK(Load(1500));
  {
    Session session(engine_.get());
    for (int i = 0; i < kRows; ++i) {
      ASSERT_OK(session.Update("t", Key(i), Row(i, 1, 1200)));
    }
    ASSERT_OK(session.Rollback());
  }
  ASSERT_OK(engine_->RunBackground());
  ExpectRows(0, 1500);
}

TEST_F(LocalEngineTest, LongValuesAndTheirHistory) {
  for (int i = 0; i < 40; ++i) {
    Session session(engine_.get());
    ASSERT_OK(session.Insert("t", Row(i, 0, 100'000)));
    ASSERT_OK(session.Update("t", Key(i), Row(i, 1, 150'000)));
    ASSERT_OK(session.Commit());
  }
  ASSERT_OK(engine_->RunBackground());
  const uint64_t once = *volume_->file_bytes();
  Session reader(engine_.get());
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(reader.Get("t", Key(i)), Row(i, 1, 150'000));
  }
  ASSERT_OK(reader.Commit());
  // What is purged is used again.
  for (int round = 0; round < 20; ++round) {
    Session session(engine_.get());
    for (int i = 0; i < 40; ++i) {
      ASSERT_OK(session.Update("t", Key(i), Row(i, round, 150'000)));
    }
    ASSERT_OK(session.Commit());
    ASSERT_OK(engine_->RunBackground());
  }
  EXPECT_LT(*volume_->file_bytes(), once * 4);
}

// A statement that finds the file full fails, what it did can be undone, and when there is room
// again everything goes on.
TEST_F(LocalEngineTest, AFullFile) {
  ASSERT_OK(Load(300));
  FaultRegistry::Instance().Arm(
      [](std::string_view point) { return point == "local_volume.full"; });
  {
    Session session(engine_.get());
    Status status;
    for (int i = 0; i < kRows && status.ok(); ++i) {
      status = session.Update("t", Key(i), Row(i, 1, 300));
    }
    EXPECT_EQ(status.code(), Code::kNoSpace) << status.ToString();
    ASSERT_OK(session.Rollback());
  }
  FaultRegistry::Instance().Disarm();
  ExpectRows(0, 300);
  Session session(engine_.get());
  for (int i = 0; i < kRows; ++i) {
    ASSERT_OK(session.Update("t", Key(i), Row(i, 2, 300)));
  }
  ASSERT_OK(session.Commit());
  ExpectRows(2, 300);
}

}  // namespace
}  // namespace borealis::engine::testing
