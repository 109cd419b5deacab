// Keeps the processes of one cluster on this machine: starts them, finds those that an earlier
// control left running, signals them, notices their end, and tells what they printed last.
//
// It decides nothing: which process is to run, and how long to wait before one that ended is
// started again, is decided in control/manager.h. It remembers nothing either: a process says who
// it is by its pid file, and outlives the control that started it.
//
// Not thread-safe; on control's thread. The functions are for any process of the cluster.
//
// No two processes of one name ever work in one directory. Start looks for a living one first, and
// of two that were started all the same one ends at ClaimDirectory.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/os/process.h"
#include "base/result.h"

namespace borealis::control {

// Where a process of the cluster says who it is: DIRECTORY/NAME/pid holds "pid start_ticks".
std::string PidPath(const std::string& directory, const std::string& name);
// Claims DIRECTORY/NAME for this process, for as long as it lives, and writes its pid file. Refused
// while another process has it: two that write one directory would ruin it.
Status ClaimDirectory(const std::string& directory, const std::string& name);
// The living process of that name and cluster; nothing when there is none. A pid file in a copied
// directory tells of another cluster's process and counts for nothing.
std::optional<ProcessIdentity> LivingProcess(const std::string& directory, const std::string& name);

class Supervisor {
 public:
  // `directory` is the cluster's. `program` is the borealis binary that it starts the others with.
  Supervisor(std::string directory, std::string program)
      : directory_(std::move(directory)), program_(std::move(program)) {}

  // Keeps the process `name` from now on if it lives; false when it does not.
  bool Adopt(const std::string& name);
  // Starts `name` in its role, a subcommand of the program, unless it lives. A process that cannot
  // be started counts as one that ended at once.
  void Start(const std::string& name, const std::string& role);
  void Signal(const std::string& name, int signal) const;

  // The processes whose end it has not told of before. A name whose process ended while another of
  // it lives has not ended: it keeps that one.
  std::vector<std::string> TakeEnded();

  // Until TakeEnded tells of its end.
  bool Runs(const std::string& name) const { return running_.contains(name); }
  // 0 when it does not run.
  int PidOf(const std::string& name) const;
  // The last line that the process printed, for a message about its end.
  std::string LastWords(const std::string& name) const;

  struct Counters {
    uint64_t starts = 0;  // by this supervisor
    uint64_t ends = 0;    // whatever the reason
  };
  Counters counters(const std::string& name) const;

 private:
  std::string OwnDirectory(const std::string& name) const { return directory_ + "/" + name; }

  const std::string directory_;
  const std::string program_;
  std::map<std::string, ProcessIdentity> running_;
  std::map<std::string, Counters> counters_;
};

}  // namespace borealis::control
