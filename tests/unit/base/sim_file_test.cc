// The simulated file system: what a crash keeps, what it may not keep, and the faults.
#include "base/os/sim_file.h"

namespace borealis {
namespace {

using Mode = FileSystem::Mode;
using Operation = SimFileSystem::Operation;

std::unique_ptr<File> MustOpen(SimFileSystem& files, const std::string& path) {
  auto file = files.Open(path, Mode::kCreate);
  EXPECT_TRUE(file.ok());
  return std::move(file).value();
}

TEST(SimFileTest, CrashKeepsFlushedAndOnlyWholeSectorsOfTheRest) {
  bool kept_one = false;
  bool lost_one = false;
  for (uint64_t seed = 1; seed < 50; ++seed) {
    SimFileSystem files(seed);
    ASSERT_TRUE(files.CreateDirectories("d").ok());
    auto file = MustOpen(files, "d/a");
    ASSERT_TRUE(file->WriteAt(0, std::string(2048, 'a')).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(files.SyncDirectory("d").ok());
    ASSERT_TRUE(file->WriteAt(256, std::string(1024, 'b')).ok());
    files.Crash();
    std::string after;
    EXPECT_FALSE(file->ReadAt(0, 1, &after).ok());
    after = ReadWholeFile(files, "d/a").value();
    ASSERT_EQ(after.size(), 2048U);
    EXPECT_EQ(after.substr(0, 256), std::string(256, 'a'));
    EXPECT_EQ(after.substr(1280), std::string(768, 'a'));
    for (auto [from, to] : {std::pair{256, 512}, {512, 1024}, {1024, 1280}}) {
      const std::string part = after.substr(from, to - from);
      EXPECT_TRUE(part == std::string(to - from, 'a') || part == std::string(to - from, 'b'));
      (part.front() == 'b' ? kept_one : lost_one) = true;
    }
  }
  EXPECT_TRUE(kept_one && lost_one);
}

TEST(SimFileTest, NamesAreDurableOnlyAfterTheDirectoryWasFlushed) {
  SimFileSystem files(1);
  ASSERT_TRUE(files.CreateDirectories("d").ok());
  auto file = MustOpen(files, "d/a");
  ASSERT_TRUE(file->WriteAt(0, "x").ok() && file->Sync().ok());
  files.CrashLosingAll();
  EXPECT_FALSE(files.Exists("d/a"));
  ASSERT_TRUE(WriteWholeFile(files, "d/a", "old").ok());
  ASSERT_TRUE(WriteWholeFile(files, "d/a", "new").ok());
  files.CrashLosingAll();
  EXPECT_EQ(ReadWholeFile(files, "d/a").value(), "new");
  EXPECT_FALSE(files.Exists("d/a.new"));
  ASSERT_TRUE(files.Remove("d/a").ok());
  files.CrashLosingAll();
  EXPECT_TRUE(files.Exists("d/a"));
}

TEST(SimFileTest, ReplacingIsAtomicAtEveryCrash) {
  for (uint64_t seed = 1; seed < 200; ++seed) {
    SimFileSystem files(seed);
    Random random(seed);
    ASSERT_TRUE(files.CreateDirectories("d").ok());
    ASSERT_TRUE(WriteWholeFile(files, "d/a", std::string(3000, 'o')).ok());
    const auto operation = std::array{Operation::kWrite, Operation::kSync, Operation::kRename,
                                      Operation::kSyncDirectory}[random.Below(4)];
    files.FailNth(operation, 1);
    EXPECT_FALSE(WriteWholeFile(files, "d/a", std::string(4000, 'n')).ok());
    files.Crash();
    const std::string after = ReadWholeFile(files, "d/a").value();
    EXPECT_TRUE(after == std::string(3000, 'o') || after == std::string(4000, 'n'));
  }
}

TEST(SimFileTest, AFailedFlushIsNeverMadeGoodByALaterOne) {
  bool lost = false;
  for (uint64_t seed = 1; seed < 20; ++seed) {
    SimFileSystem files(seed);
    ASSERT_TRUE(files.CreateDirectories("d").ok());
    auto file = MustOpen(files, "d/a");
    ASSERT_TRUE(file->Preallocate(512).ok() && files.SyncDirectory("d").ok());
    ASSERT_TRUE(file->WriteAt(0, std::string(512, 'x')).ok());
    files.FailNth(Operation::kSync, 1);
    EXPECT_FALSE(file->Sync().ok());
    EXPECT_TRUE(file->Sync().ok());
    files.Crash();
    lost |= ReadWholeFile(files, "d/a").value() == std::string(512, '\0');
  }
  EXPECT_TRUE(lost);
}

TEST(SimFileTest, FullDiskAndFlippedBits) {
  SimFileSystem files(1);
  ASSERT_TRUE(files.CreateDirectories("d").ok());
  files.SetCapacity(1000);
  auto file = MustOpen(files, "d/a");
  ASSERT_TRUE(file->WriteAt(0, std::string(900, 'x')).ok());
  EXPECT_EQ(file->WriteAt(900, std::string(200, 'x')).code(), Code::kNoSpace);
  EXPECT_EQ(files.FreeBytes("d").value(), 100U);
  EXPECT_EQ(files.FlipRandomBit("/a"), "") << "it was written a moment ago";
  EXPECT_EQ(ReadWholeFile(files, "d/a").value(), std::string(900, 'x'));
  ASSERT_TRUE(file->WriteAt(0, "x").ok());
  ASSERT_TRUE(file->WriteAt(0, "x").ok());
  while (files.FlipRandomBit("/a").empty()) {
  }
  EXPECT_NE(ReadWholeFile(files, "d/a").value(), std::string(900, 'x'));
  EXPECT_EQ(files.List("d").value(), std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace borealis
