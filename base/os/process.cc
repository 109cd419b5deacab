#include "base/os/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/os/file.h"
#include "base/os/time.h"

extern char** environ;

namespace borealis {

namespace {

// The fields after the command name in /proc/PID/stat, which may itself hold blanks and brackets.
Result<std::vector<std::string>> StatFields(int pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  // /proc files have no size: read a generous piece.
  ASSIGN_OR_RETURN(auto file, RealFileSystem().Open(path, FileSystem::Mode::kRead));
  std::string text;
  RETURN_IF_ERROR(file->ReadAt(0, 4096, &text));
  const size_t close = text.rfind(')');
  if (close == std::string::npos) {
    return Status::IoError("cannot parse " + path);
  }
  std::vector<std::string> fields;
  for (size_t at = close + 2; at < text.size();) {
    const size_t end = text.find(' ', at);
    fields.push_back(text.substr(at, end == std::string::npos ? end : end - at));
    if (end == std::string::npos) {
      break;
    }
    at = end + 1;
  }
  return fields;
}

constexpr size_t kStateField = 0;        // "state" is the first after the name
constexpr size_t kStartTicksField = 19;  // "starttime", field 22 of proc(5)
constexpr size_t kRssField = 21;         // "rss", in pages

// When this process started, in Unix time: found once, so that it stays the same.
double StartUnixSeconds() {
  static const double start = [] {
    timespec since_boot{};
    ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
    const double age_s = static_cast<double>(since_boot.tv_sec) +
                         static_cast<double>(since_boot.tv_nsec) / 1e9 -
                         static_cast<double>(ThisProcess().start_ticks) /
                             static_cast<double>(::sysconf(_SC_CLK_TCK));
    return static_cast<double>(SystemClock().WallUs()) / 1e6 - age_s;
  }();
  return start;
}

int64_t ToUs(const timeval& time) {
  return int64_t{time.tv_sec} * 1'000'000 + time.tv_usec;
}

}  // namespace

Result<ProcessIdentity> IdentifyProcess(int pid) {
  auto fields = StatFields(pid);
  if (!fields.ok() || fields->size() <= kStartTicksField || (*fields)[kStateField] == "Z" ||
      (*fields)[kStateField] == "X") {
    return Status::NotFound("no process " + std::to_string(pid));
  }
  ProcessIdentity identity;
  identity.pid = pid;
  const std::string& ticks = (*fields)[kStartTicksField];
  std::from_chars(ticks.data(), ticks.data() + ticks.size(), identity.start_ticks);
  return identity;
}

ProcessIdentity ThisProcess() {
  return IdentifyProcess(::getpid()).value();
}

bool ProcessIsAlive(const ProcessIdentity& process) {
  if (process.pid <= 0) {
    return false;
  }
  auto now = IdentifyProcess(process.pid);
  return now.ok() && now->start_ticks == process.start_ticks;
}

bool SignalProcess(const ProcessIdentity& process, int signal) {
  return ProcessIsAlive(process) && ::kill(process.pid, signal) == 0;
}

Result<ProcessIdentity> SpawnProcess(const std::vector<std::string>& arguments,
                                     const std::string& output_path) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output_path.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0640);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  // A child that inherits our sockets keeps our ports taken after we are gone.
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  sigset_t defaults;
  sigfillset(&defaults);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  int pid = 0;
  const int error = posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    char buffer[128];
    return Status::IoError("start " + arguments[0] + ": " +
                           strerror_r(error, buffer, sizeof(buffer)));
  }
  auto identity = IdentifyProcess(pid);
  if (!identity.ok()) {
    return Status::IoError(arguments[0] + " ended at once; see " + output_path);
  }
  return identity;
}

std::vector<std::string> CommandLineOf(int pid) {
  std::vector<std::string> words;
  auto file =
      RealFileSystem().Open("/proc/" + std::to_string(pid) + "/cmdline", FileSystem::Mode::kRead);
  std::string text;
  if (!file.ok() || !(*file)->ReadAt(0, 1u << 17, &text).ok()) {
    return words;
  }
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\0', at);
    words.push_back(text.substr(at, end == std::string::npos ? end : end - at));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return words;
}

void IgnoreChildExits() {
  ::signal(SIGCHLD, SIG_IGN);
}

ProcessUsage UsageOfThisProcess() {
  ProcessUsage usage;
  usage.start_unix_seconds = StartUnixSeconds();
  if (const auto fields = StatFields(::getpid()); fields.ok() && fields->size() > kRssField) {
    const std::string& pages = (*fields)[kRssField];
    std::from_chars(pages.data(), pages.data() + pages.size(), usage.resident_bytes);
    usage.resident_bytes *= static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0) {
    usage.cpu_us = ToUs(used.ru_utime) + ToUs(used.ru_stime);
  }
  if (const auto descriptors = RealFileSystem().List("/proc/self/fd"); descriptors.ok()) {
    usage.open_fds = descriptors->size();
  }
  return usage;
}

std::string ThisProgram() {
  char path[4096];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof(path));
  return size > 0 ? std::string(path, static_cast<size_t>(size)) : std::string();
}

}  // namespace borealis
