// Test only: a bad disk under real storage processes. A shared library for LD_PRELOAD; nothing of
// the product links or knows it.
//
// It takes part in a process that was started with BOREALIS_TEST_FAULTS=DIR and `--id NAME`, and
// does what the lines of DIR/NAME.faults say, for paths that have /NAME/ in them, so that only the
// node's own directory is on the bad disk. The file is looked at again whenever it was replaced (at
// most every 20 ms), so that a drill breaks and mends the disk while the process runs:
//
//   <call> <effect> [times=N] [after=N] [path=PART]
//     call    write | sync | read | open | rename | any
//     effect  delay=MICROSECONDS | error=ERRNO | short | flip
//     times   so many calls, then the rule is over; after  so many calls are let through first;
//     path  only of files whose path has PART
//
// `short` writes or reads half of what was asked for. `flip` inverts a bit in the middle of what
// was read; the file stays as it is. Each call that a rule touched is counted in DIR/NAME.hits, one
// line a rule, so that a drill knows that its fault happened.
//
// A line `clock shift=SECONDS` sets the process's wall clock so much ahead (or back, where it is
// negative) of the machine's; the monotonic clock goes on as it does.
//
// DIR/NAME.netns, where it exists, is a network namespace that the process moves into before main()
// begins (tests/cluster/network.py).
#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace {

constexpr int64_t kLookAgainNs = 20'000'000;

template <class Function>
Function Next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

struct Rule {
  std::string call;
  std::string path;
  int64_t delay_us = 0;
  int error = 0;
  bool is_short = false;
  bool flips = false;
  int64_t after = 0;
  int64_t times = INT64_MAX;
  int64_t hits = 0;
};

// What one call is to suffer.
struct Suffering {
  int64_t delay_us = 0;
  int error = 0;
  bool is_short = false;
  bool flips = false;
};

// Through stdio and raw descriptors outside of the node's directory: never subject to itself.
std::string ReadSmall(const std::string& path) {
  static const auto open_file = Next<int (*)(const char*, int, ...)>("open");
  static const auto read_file = Next<ssize_t (*)(int, void*, size_t)>("read");
  std::string text;
  const int fd = open_file(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    char buffer[4096];
    for (ssize_t got = 0; (got = read_file(fd, buffer, sizeof(buffer))) > 0;) {
      text.append(buffer, static_cast<size_t>(got));
    }
    ::close(fd);
  }
  return text;
}

// The word after --id in this process's command line.
std::string OwnName() {
  const std::string line = ReadSmall("/proc/self/cmdline");
  const size_t at = line.find(std::string("\0--id\0", 6));
  return at == std::string::npos ? "" : std::string(line.c_str() + at + 6);
}

class Faults {
 public:
  Faults() {
    const char* directory = ::getenv("BOREALIS_TEST_FAULTS");
    name_ = OwnName();
    if (directory == nullptr || name_.empty()) {
      return;
    }
    base_ = std::string(directory) + "/" + name_;
    part_ = "/" + name_ + "/";
    EnterNamespace();
    active_ = true;
  }

  Suffering On(const char* call, const std::string& path) {
    Suffering suffering;
    if (!active_ || path.find(part_) == std::string::npos) {
      return suffering;
    }
    std::lock_guard lock(mutex_);
    Refresh();
    bool hit = false;
    for (Rule& rule : rules_) {
      if ((rule.call != "any" && rule.call != call) || path.find(rule.path) == std::string::npos) {
        continue;
      }
      if (rule.after > 0) {
        --rule.after;
        continue;
      }
      if (rule.times == 0) {
        continue;
      }
      --rule.times;
      ++rule.hits;
      hit = true;
      suffering.delay_us += rule.delay_us;
      suffering.error = rule.error != 0 ? rule.error : suffering.error;
      suffering.is_short |= rule.is_short;
      suffering.flips |= rule.flips;
    }
    if (hit) {
      WriteHits();
    }
    return suffering;
  }

  int64_t ClockShiftS() {
    if (!active_ || !mutex_.try_lock()) {  // another thread is looking: what it saw before will do
      return clock_shift_s_.load(std::memory_order_relaxed);
    }
    Refresh();
    mutex_.unlock();
    return clock_shift_s_.load(std::memory_order_relaxed);
  }

 private:
  void EnterNamespace() {
    std::string path = ReadSmall(base_ + ".netns");
    while (!path.empty() && path.back() == '\n') {
      path.pop_back();
    }
    if (path.empty()) {
      return;
    }
    const int fd = Next<int (*)(const char*, int, ...)>("open")(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || ::setns(fd, CLONE_NEWNET) != 0) {
      ::fprintf(stderr, "cannot enter the namespace %s: %s\n", path.c_str(), ::strerror(errno));
      ::_exit(1);
    }
    ::close(fd);
  }

  void Refresh() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const int64_t now_ns = int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
    if (now_ns - looked_ns_ < kLookAgainNs) {
      return;
    }
    looked_ns_ = now_ns;
    struct stat info {};
    const std::string path = base_ + ".faults";
    const ino_t inode = ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
    if (inode == inode_) {
      return;
    }
    inode_ = inode;
    rules_.clear();
    clock_shift_s_.store(0, std::memory_order_relaxed);
    const std::string text = ReadSmall(path);
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      AddRule(text.substr(at, end - at));
      at = end + 1;
    }
    WriteHits();
  }

  void AddRule(const std::string& line) {
    Rule rule;
    for (size_t at = 0; at < line.size();) {
      const size_t end = std::min(line.find(' ', at), line.size());
      const std::string word = line.substr(at, end - at);
      at = end + 1;
      const size_t equals = word.find('=');
      const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
      const std::string key = word.substr(0, equals);
      if (key == "delay") {
        rule.delay_us = ::atoll(value.c_str());
      } else if (key == "error") {
        rule.error = ::atoi(value.c_str());
      } else if (key == "times") {
        rule.times = ::atoll(value.c_str());
      } else if (key == "after") {
        rule.after = ::atoll(value.c_str());
      } else if (key == "path") {
        rule.path = value;
      } else if (key == "shift") {
        clock_shift_s_.store(::atoll(value.c_str()), std::memory_order_relaxed);
      } else if (key == "short") {
        rule.is_short = true;
      } else if (key == "flip") {
        rule.flips = true;
      } else {
        rule.call = key;
      }
    }
    if (!rule.call.empty()) {
      rules_.push_back(rule);
    }
  }

  void WriteHits() {
    static const auto write_file = Next<ssize_t (*)(int, const void*, size_t)>("write");
    std::string text;
    for (const Rule& rule : rules_) {
      text += std::to_string(rule.hits) + "\n";
    }
    // Renamed into place, so that whoever looks never meets half of it.
    const std::string path = base_ + ".hits";
    const std::string fresh = path + ".fresh";
    static const auto open_file = Next<int (*)(const char*, int, ...)>("open");
    static const auto rename_file = Next<int (*)(const char*, const char*)>("rename");
    const int fd = open_file(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0) {
      (void)!write_file(fd, text.data(), text.size());
      rename_file(fresh.c_str(), path.c_str());
      ::close(fd);
    }
  }

  std::string name_;
  std::string base_;
  std::string part_;
  bool active_ = false;
  std::mutex mutex_;
  int64_t looked_ns_ = 0;
  ino_t inode_ = 0;
  std::atomic<int64_t> clock_shift_s_{0};
  std::vector<Rule> rules_;
};

Faults& TheFaults() {
  static auto* faults = new Faults();  // outlives all threads
  return *faults;
}

// Before main(), while there is one thread: a namespace is entered by a thread, not by a process.
__attribute__((constructor)) void Begin() {
  TheFaults();
}

std::string PathOf(int fd) {
  char link[32];
  char path[4096];
  ::snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const ssize_t size = ::readlink(link, path, sizeof(path));
  return size > 0 ? std::string(path, static_cast<size_t>(size)) : std::string();
}

// Sleeps as long as the call is to last, and gives what else it is to suffer.
Suffering Suffer(const char* call, const std::string& path) {
  const int saved = errno;
  const Suffering suffering = TheFaults().On(call, path);
  if (suffering.delay_us > 0) {
    timespec time{suffering.delay_us / 1'000'000, suffering.delay_us % 1'000'000 * 1000};
    ::nanosleep(&time, nullptr);
  }
  errno = saved;
  return suffering;
}

bool Fails(const Suffering& suffering) {
  if (suffering.error != 0) {
    errno = suffering.error;
  }
  return suffering.error != 0;
}

size_t Halved(const Suffering& suffering, size_t size) {
  return suffering.is_short && size > 1 ? size / 2 : size;
}

}  // namespace

extern "C" {

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  static const auto next = Next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  const Suffering suffering = Suffer("write", PathOf(fd));
  return Fails(suffering) ? -1 : next(fd, bytes, Halved(suffering, size), offset);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  static const auto next = Next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  const Suffering suffering = Suffer("write", PathOf(fd));
  return Fails(suffering) ? -1 : next(fd, bytes, Halved(suffering, size), offset);
}

ssize_t pread(int fd, void* bytes, size_t size, off_t offset) {
  static const auto next = Next<ssize_t (*)(int, void*, size_t, off_t)>("pread");
  const Suffering suffering = Suffer("read", PathOf(fd));
  if (Fails(suffering)) {
    return -1;
  }
  const ssize_t got = next(fd, bytes, Halved(suffering, size), offset);
  if (suffering.flips && got > 0) {
    static_cast<char*>(bytes)[got / 2] ^= 1;
  }
  return got;
}

int fdatasync(int fd) {
  static const auto next = Next<int (*)(int)>("fdatasync");
  return Fails(Suffer("sync", PathOf(fd))) ? -1 : next(fd);
}

int fsync(int fd) {
  static const auto next = Next<int (*)(int)>("fsync");
  return Fails(Suffer("sync", PathOf(fd))) ? -1 : next(fd);
}

int clock_gettime(clockid_t clock, timespec* now) {
  static const auto next = Next<int (*)(clockid_t, timespec*)>("clock_gettime");
  const int outcome = next(clock, now);
  if (clock == CLOCK_REALTIME && outcome == 0) {
    now->tv_sec += TheFaults().ClockShiftS();
  }
  return outcome;
}

int rename(const char* from, const char* to) {
  static const auto next = Next<int (*)(const char*, const char*)>("rename");
  return Fails(Suffer("rename", to)) ? -1 : next(from, to);
}

int open(const char* path, int flags, ...) {
  static const auto next = Next<int (*)(const char*, int, ...)>("open");
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : mode_t{0};
  va_end(rest);
  return Fails(Suffer("open", path)) ? -1 : next(path, flags, mode);
}

}  // extern "C"
