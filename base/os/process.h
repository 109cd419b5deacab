// Other processes of this machine: start, watch, signal, and recognise them after a restart of
// ours.
//
// A process is known by its pid and its start time (clock ticks since boot, from /proc), so that a
// pid that the system reused is never mistaken for the process that had it before. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace borealis {

struct ProcessIdentity {
  int pid = 0;
  uint64_t start_ticks = 0;
};

// Starts `arguments[0]` in a session of its own with the given arguments, standard input empty and
// both outputs appended to `output_path`. The child outlives us.
Result<ProcessIdentity> SpawnProcess(const std::vector<std::string>& arguments,
                                     const std::string& output_path);
// The identity of a living process; kNotFound when there is none with this pid.
Result<ProcessIdentity> IdentifyProcess(int pid);
ProcessIdentity ThisProcess();
// Whether exactly this process is alive (a zombie is not).
bool ProcessIsAlive(const ProcessIdentity& process);
// Sends a signal if exactly this process is alive; false when it is not.
bool SignalProcess(const ProcessIdentity& process, int signal);
// Lets the system reap our children by itself; call once in a process that starts others.
void IgnoreChildExits();
// The words that a process was started with; empty when they cannot be read.
std::vector<std::string> CommandLineOf(int pid);
// What this process has used so far, as far as the system tells.
struct ProcessUsage {
  double start_unix_seconds = 0;
  uint64_t resident_bytes = 0;
  int64_t cpu_us = 0;  // user and system
  uint64_t open_fds = 0;
};
ProcessUsage UsageOfThisProcess();
// Path of the running program.
std::string ThisProgram();

}  // namespace borealis
