// Keeping real processes: they are started, adopted, signalled, found ended, and quoted. All that a
// test starts is killed when it ends.
#include "control/supervisor.h"

#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/os/file.h"
#include "base/os/time.h"

namespace borealis::control {
namespace {

constexpr int64_t kPatienceUs = 20'000'000;

class SupervisorTest : public ::testing::Test {
 protected:
  SupervisorTest() : directory_(::testing::TempDir() + "borealis_supervisor_XXXXXX") {
    ::mkdtemp(directory_.data());
    directory_ = CanonicalPath(directory_);
  }
  ~SupervisorTest() override {
    for (const ProcessIdentity& process : started_) {
      SignalProcess(process, SIGKILL);
    }
    std::filesystem::remove_all(directory_);
  }

  // A program that prints its arguments and stays, as a process without children, until a signal
  // ends it.
  std::string Staying() {
    const std::string path = directory_ + "/staying";
    const std::string fifo = directory_ + "/never_written";
    WriteProgram(path, "mkfifo " + fifo + " 2>/dev/null\necho \"$@\"\nread line < " + fifo + "\n");
    return path;
  }
  static void WriteProgram(const std::string& path, const std::string& script) {
    ASSERT_TRUE(WriteWholeFile(RealFileSystem(), path, "#!/bin/sh\n" + script).ok());
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  void Start(Supervisor& supervisor, const std::string& name) {
    supervisor.Start(name, "storage");
    const auto identity = IdentifyProcess(supervisor.PidOf(name));
    ASSERT_TRUE(identity.ok()) << name;
    started_.push_back(*identity);
  }
  // As the process itself does with ClaimDirectory.
  void WritePidFile(const std::string& directory, const std::string& name,
                    const ProcessIdentity& process) {
    ASSERT_TRUE(RealFileSystem().CreateDirectories(directory + "/" + name).ok());
    ASSERT_TRUE(WriteWholeFile(
                    RealFileSystem(), PidPath(directory, name),
                    std::to_string(process.pid) + " " + std::to_string(process.start_ticks) + "\n")
                    .ok());
  }

  static std::vector<std::string> EndedAtLast(Supervisor& supervisor) {
    const int64_t deadline_us = SystemClock().NowUs() + kPatienceUs;
    std::vector<std::string> ended = supervisor.TakeEnded();
    while (ended.empty() && SystemClock().NowUs() < deadline_us) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      ended = supervisor.TakeEnded();
    }
    return ended;
  }
  static bool Prints(const Supervisor& supervisor, const std::string& name,
                     const std::string& line) {
    const int64_t deadline_us = SystemClock().NowUs() + kPatienceUs;
    while (supervisor.LastWords(name) != line && SystemClock().NowUs() < deadline_us) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return supervisor.LastWords(name) == line;
  }

  using Names = std::vector<std::string>;
  std::string directory_;
  std::vector<ProcessIdentity> started_;
};

TEST_F(SupervisorTest, StartsAProcessAndTellsOnceOfItsEnd) {
  Supervisor supervisor(directory_, Staying());
  EXPECT_EQ(supervisor.PidOf("storage-1"), 0);
  ASSERT_NO_FATAL_FAILURE(Start(supervisor, "storage-1"));
  ASSERT_NO_FATAL_FAILURE(Start(supervisor, "storage-2"));
  EXPECT_TRUE(Prints(supervisor, "storage-1", "storage --dir " + directory_ + " --id storage-1"));
  EXPECT_EQ(supervisor.TakeEnded(), Names());

  supervisor.Signal("storage-1", SIGTERM);
  EXPECT_EQ(EndedAtLast(supervisor), Names{"storage-1"});
  EXPECT_EQ(supervisor.TakeEnded(), Names());
  EXPECT_FALSE(supervisor.Runs("storage-1"));
  EXPECT_TRUE(supervisor.Runs("storage-2"));
  EXPECT_EQ(supervisor.counters("storage-1").ends, 1U);
  EXPECT_EQ(supervisor.counters("storage-2").ends, 0U);

  ASSERT_NO_FATAL_FAILURE(Start(supervisor, "storage-1"));
  EXPECT_EQ(supervisor.counters("storage-1").starts, 2U);
}

TEST_F(SupervisorTest, AProcessThatCannotBeStartedCountsAsEnded) {
  Supervisor supervisor(directory_, directory_ + "/no_such_program");
  supervisor.Start("storage-1", "storage");
  EXPECT_TRUE(supervisor.Runs("storage-1"));
  EXPECT_EQ(supervisor.TakeEnded(), Names{"storage-1"});
  EXPECT_EQ(supervisor.counters("storage-1").starts, 0U);
  EXPECT_EQ(supervisor.counters("storage-1").ends, 1U);
}

TEST_F(SupervisorTest, LastWordsAreTheLastLineOfAllLives) {
  EXPECT_EQ(Supervisor(directory_, "/bin/false").LastWords("storage-1"), "it printed nothing");
  Supervisor silent(directory_, "/bin/false");
  silent.Start("storage-1", "storage");
  EXPECT_EQ(EndedAtLast(silent), Names{"storage-1"});
  EXPECT_EQ(silent.LastWords("storage-1"), "it printed nothing");

  const std::string talker = directory_ + "/talker";
  WriteProgram(talker, "seq 100000 101000\necho 'the disk is gone' >&2\necho\n");
  Supervisor talking(directory_, talker);
  talking.Start("storage-1", "storage");
  EXPECT_EQ(EndedAtLast(talking), Names{"storage-1"});
  EXPECT_EQ(talking.LastWords("storage-1"), "the disk is gone");

  // Nothing printed since: the words of the life before stand.
  silent.Start("storage-1", "storage");
  EXPECT_EQ(EndedAtLast(silent), Names{"storage-1"});
  EXPECT_EQ(silent.LastWords("storage-1"), "the disk is gone");
}

TEST_F(SupervisorTest, OneThatGaveWayToAnotherHasNotEnded) {
  Supervisor earlier(directory_, Staying());
  ASSERT_NO_FATAL_FAILURE(Start(earlier, "storage-1"));
  // Neither says who it is before the second has been started; then the first is quicker.
  Supervisor later(directory_, Staying());
  ASSERT_NO_FATAL_FAILURE(Start(later, "storage-1"));
  ASSERT_NE(later.PidOf("storage-1"), started_[0].pid);
  ASSERT_NO_FATAL_FAILURE(WritePidFile(directory_, "storage-1", started_[0]));
  ASSERT_TRUE(Prints(earlier, "storage-1", "storage --dir " + directory_ + " --id storage-1"));
  later.Signal("storage-1", SIGKILL);

  const int64_t deadline_us = SystemClock().NowUs() + kPatienceUs;
  while (later.PidOf("storage-1") != started_[0].pid && SystemClock().NowUs() < deadline_us) {
    EXPECT_EQ(later.TakeEnded(), Names());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(later.PidOf("storage-1"), started_[0].pid);
  later.Signal("storage-1", SIGTERM);
  EXPECT_EQ(EndedAtLast(later), Names{"storage-1"});
}

TEST_F(SupervisorTest, WhatAnEarlierSupervisorStartedIsAdopted) {
  Supervisor earlier(directory_, Staying());
  ASSERT_NO_FATAL_FAILURE(Start(earlier, "storage-1"));
  ASSERT_NO_FATAL_FAILURE(WritePidFile(directory_, "storage-1", started_[0]));
  ASSERT_TRUE(Prints(earlier, "storage-1", "storage --dir " + directory_ + " --id storage-1"));

  Supervisor later(directory_, Staying());
  EXPECT_FALSE(later.Adopt("storage-2"));
  EXPECT_TRUE(later.Adopt("storage-1"));
  EXPECT_EQ(later.PidOf("storage-1"), started_[0].pid);
  EXPECT_EQ(later.TakeEnded(), Names());

  // One that comes too late for Adopt is found by Start, and not started a second time.
  Supervisor last(directory_, Staying());
  ASSERT_NO_FATAL_FAILURE(Start(last, "storage-1"));
  EXPECT_EQ(last.PidOf("storage-1"), started_[0].pid);
  EXPECT_EQ(last.counters("storage-1").starts, 0U);

  later.Signal("storage-1", SIGKILL);
  EXPECT_EQ(EndedAtLast(later), Names{"storage-1"});
  EXPECT_FALSE(LivingProcess(directory_, "storage-1").has_value());
}

TEST_F(SupervisorTest, PidFilesOfOthersCountForNothing) {
  Supervisor supervisor(directory_, Staying());
  ASSERT_NO_FATAL_FAILURE(Start(supervisor, "storage-1"));
  ASSERT_TRUE(Prints(supervisor, "storage-1", "storage --dir " + directory_ + " --id storage-1"));
  const ProcessIdentity process = started_[0];
  ASSERT_NO_FATAL_FAILURE(WritePidFile(directory_, "storage-1", process));
  EXPECT_TRUE(LivingProcess(directory_, "storage-1").has_value());

  // The same file in a copied directory.
  const std::string copy = directory_ + "/copy";
  ASSERT_NO_FATAL_FAILURE(WritePidFile(copy, "storage-1", process));
  EXPECT_FALSE(LivingProcess(copy, "storage-1").has_value());

  // A process that has the pid of one that is gone.
  ASSERT_NO_FATAL_FAILURE(
      WritePidFile(directory_, "storage-1", {process.pid, process.start_ticks - 1}));
  EXPECT_FALSE(LivingProcess(directory_, "storage-1").has_value());

  ASSERT_TRUE(WriteWholeFile(RealFileSystem(), PidPath(directory_, "storage-1"), "damaged").ok());
  EXPECT_FALSE(LivingProcess(directory_, "storage-1").has_value());
}

TEST_F(SupervisorTest, ADirectoryIsClaimedOnce) {
  ASSERT_TRUE(RealFileSystem().CreateDirectories(directory_ + "/storage-1").ok());
  ASSERT_TRUE(ClaimDirectory(directory_, "storage-1").ok());
  const auto first = ReadWholeFile(RealFileSystem(), PidPath(directory_, "storage-1"));
  ASSERT_TRUE(first.ok());
  const ProcessIdentity self = ThisProcess();
  EXPECT_EQ(*first, std::to_string(self.pid) + " " + std::to_string(self.start_ticks) + "\n");

  const std::string marked = "the pid file of who claimed it";
  ASSERT_TRUE(WriteWholeFile(RealFileSystem(), PidPath(directory_, "storage-1"), marked).ok());
  const Status refused = ClaimDirectory(directory_, "storage-1");
  EXPECT_TRUE(refused.Is(Code::kUnavailable)) << refused.ToString();
  EXPECT_EQ(*ReadWholeFile(RealFileSystem(), PidPath(directory_, "storage-1")), marked);
}

}  // namespace
}  // namespace borealis::control
