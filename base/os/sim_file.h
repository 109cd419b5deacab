// A file system in memory that loses what a machine loses when its plug is pulled.
//
// Every write is kept apart from what is durable until it is flushed. Crash() then decides sector
// by sector (512 bytes) which unflushed writes reached the medium, and keeps a random prefix of
// each directory's unflushed creations, renames and removals. A failed flush behaves as Linux's
// does: later reads see the data, later flushes succeed, and a crash loses it all the same.
//
// Faults are asked for by the test: operations that fail, a full disk, flipped bits at rest or on
// the way in. All randomness comes from the seed, so a run repeats exactly.
// Not thread-safe: a simulation is one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/os/file.h"
#include "base/os/random.h"

namespace borealis {

class SimFileSystem final : public FileSystem {
 public:
  static constexpr uint64_t kSectorSize = 512;
  enum class Operation { kRead, kWrite, kSync, kOpen, kRename, kRemove, kSyncDirectory };

  explicit SimFileSystem(uint64_t seed);
  ~SimFileSystem() override;

  Result<std::unique_ptr<File>> Open(const std::string& path, Mode mode) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  // Directories are durable at once.
  Status CreateDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& path) override;
  bool Exists(const std::string& path) override;
  Result<uint64_t> FreeBytes(const std::string& path) override;

  // The machine loses power and comes back: only what was durable, and random parts of what was
  // on its way, is left. Files opened before fail from now on; armed faults are forgotten.
  void Crash();
  // As Crash, but nothing that was not flushed survives.
  void CrashLosingAll();

  // The `nth` operation of that kind from now (1 = the next) on a path containing `path_part`
  // fails, once. A failed write may have written a part; a failed flush persists some sectors.
  void FailNth(Operation operation, uint64_t nth, std::string path_part = "",
               Code code = Code::kIoError);
  // Asked before every operation; anything but Ok makes it fail. Null: no questions.
  using FaultDecider = std::function<Status(Operation, const std::string& path)>;
  void SetFaultDecider(FaultDecider decider) { decider_ = std::move(decider); }
  // The disk's size; writes that need more fail with kNoSpace.
  void SetCapacity(uint64_t bytes) { capacity_ = bytes; }
  // Each read returns, with this probability, its bytes with one bit flipped.
  void SetReadFlipChance(double chance) { read_flip_chance_ = chance; }
  // Flips a bit at rest. REQUIRES: the file exists and is longer than `offset`.
  void FlipBit(const std::string& path, uint64_t offset, int bit);
  // Flips a random bit of a random non-empty file whose path contains `path_part`; the path, or
  // empty when there is none, or the bit is of the file's last two writes: what was written a
  // moment ago has not gone bad yet.
  std::string FlipRandomBit(const std::string& path_part);

  uint64_t UsedBytes() const;
  // Operations since the start: how a test counts flushes.
  uint64_t Count(Operation operation) const;

 private:
  struct Inode;
  struct NameChange;
  class OpenFile;
  using InodePtr = std::shared_ptr<Inode>;
  struct ArmedFault {
    Operation operation;
    uint64_t countdown;
    std::string path_part;
    Code code;
  };

  Status Ask(Operation operation, const std::string& path);
  void CrashKeeping(bool keep_some);
  void SetName(const std::string& path, InodePtr inode);

  Random random_;
  std::map<std::string, InodePtr> names_;
  std::map<std::string, InodePtr> durable_names_;
  // Unflushed changes of names by directory, oldest first.
  std::map<std::string, std::vector<NameChange>> name_changes_;
  std::set<std::string> directories_;
  std::vector<ArmedFault> faults_;
  FaultDecider decider_;
  std::map<Operation, uint64_t> counts_;
  uint64_t capacity_ = ~uint64_t{0};
  double read_flip_chance_ = 0;
  uint64_t generation_ = 0;
};

}  // namespace borealis
