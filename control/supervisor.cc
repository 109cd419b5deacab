#include "control/supervisor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/obs/log.h"
#include "base/os/file.h"

namespace borealis::control {

namespace {

// How much of what a process printed is looked at for its last words.
constexpr uint64_t kLastWordsBytes = 2000;

}  // namespace

std::string PidPath(const std::string& directory, const std::string& name) {
  return directory + "/" + name + "/pid";
}

Status ClaimDirectory(const std::string& directory, const std::string& name) {
  const std::string own = directory + "/" + name;
  if (Status status = LockForLife(own + "/lock"); !status.ok()) {
    return Status::Unavailable(own + " is in use by another process (" +
                               std::string(status.message()) + ")");
  }
  const ProcessIdentity self = ThisProcess();
  return WriteWholeFile(RealFileSystem(), PidPath(directory, name),
                        fmt::format("{} {}\n", self.pid, self.start_ticks));
}

std::optional<ProcessIdentity> LivingProcess(const std::string& directory,
                                             const std::string& name) {
  const auto text = ReadWholeFile(RealFileSystem(), PidPath(directory, name));
  ProcessIdentity identity;
  if (!text.ok() ||
      std::sscanf(text->c_str(), "%d %lu", &identity.pid, &identity.start_ticks) != 2 ||
      !ProcessIsAlive(identity)) {
    return std::nullopt;
  }
  const std::vector<std::string> words = CommandLineOf(identity.pid);
  const bool ours = std::find(words.begin(), words.end(), directory) != words.end();
  return ours ? std::optional(identity) : std::nullopt;
}

bool Supervisor::Adopt(const std::string& name) {
  const auto living = LivingProcess(directory_, name);
  if (!living.has_value()) {
    return false;
  }
  LOG_INFO("{} runs already with pid {}", name, living->pid);
  running_[name] = *living;
  return true;
}

void Supervisor::Start(const std::string& name, const std::string& role) {
  // A control that was killed may have started it too late for us to have adopted it.
  if (Adopt(name)) {
    return;
  }
  const std::string own_directory = OwnDirectory(name);
  Status status = RealFileSystem().CreateDirectories(own_directory);
  if (status.ok()) {
    auto started = SpawnProcess({program_, role, "--dir", directory_, "--id", name},
                                own_directory + "/output");
    if (started.ok()) {
      LOG_INFO("started {} with pid {}", name, started->pid);
      running_[name] = *started;
      ++counters_[name].starts;
      return;
    }
    status = started.status();
  }
  LOG_ERROR("cannot start {}: {}", name, status.ToString());
  running_[name] = ProcessIdentity{};  // never alive: TakeEnded tells of it
}

void Supervisor::Signal(const std::string& name, int signal) const {
  const auto found = running_.find(name);
  if (found != running_.end()) {
    SignalProcess(found->second, signal);
  }
}

std::vector<std::string> Supervisor::TakeEnded() {
  std::vector<std::string> ended;
  for (const auto& [name, identity] : std::map(running_)) {
    // It may have given way to one that a control which was killed had started just before.
    if (ProcessIsAlive(identity) || Adopt(name)) {
      continue;
    }
    ended.push_back(name);
    ++counters_[name].ends;
    running_.erase(name);
  }
  return ended;
}

int Supervisor::PidOf(const std::string& name) const {
  const auto found = running_.find(name);
  return found == running_.end() ? 0 : found->second.pid;
}

std::string Supervisor::LastWords(const std::string& name) const {
  auto file = RealFileSystem().Open(OwnDirectory(name) + "/output", FileSystem::Mode::kRead);
  const auto size = file.ok() ? (*file)->Size() : Result<uint64_t>(uint64_t{0});
  std::string text;
  if (!size.ok() || *size == 0) {
    return "it printed nothing";
  }
  const uint64_t from = *size > kLastWordsBytes ? *size - kLastWordsBytes : 0;
  if (!(*file)->ReadAt(from, kLastWordsBytes, &text).ok()) {
    return "what it printed cannot be read";
  }
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text.substr(text.rfind('\n') + 1);
}

Supervisor::Counters Supervisor::counters(const std::string& name) const {
  const auto found = counters_.find(name);
  return found == counters_.end() ? Counters() : found->second;
}

}  // namespace borealis::control
