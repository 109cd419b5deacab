#include "base/os/sim_file.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/invariant.h"

namespace borealis {

namespace {

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

// Content as programs see it, and what a crash would put back.
struct SimFileSystem::Inode {
  std::string live;
  uint64_t durable_size = 0;
  // Durable content of sectors that were written since the last flush.
  std::map<uint64_t, std::string> unflushed;
  // Durable content of sectors whose flush failed: no later flush writes them.
  std::map<uint64_t, std::string> lost;
  // Where the last two writes went, the last first.
  std::array<std::pair<uint64_t, uint64_t>, 2> written{};  // offset, size

  std::string Sector(uint64_t sector) const {
    std::string bytes(kSectorSize, '\0');
    const uint64_t offset = sector * kSectorSize;
    if (offset < live.size()) {
      live.copy(bytes.data(), kSectorSize, offset);
    }
    return bytes;
  }

  // Notes that sectors of [offset, offset + size) are about to change.
  void Touch(uint64_t offset, uint64_t size) {
    if (size == 0) {
      return;
    }
    for (uint64_t s = offset / kSectorSize; s <= (offset + size - 1) / kSectorSize; ++s) {
      if (auto lost_at = lost.find(s); lost_at != lost.end()) {
        unflushed.emplace(s, std::move(lost_at->second));
        lost.erase(lost_at);
      } else if (!unflushed.contains(s)) {
        unflushed.emplace(s, Sector(s));
      }
    }
  }

  void PutBack(uint64_t sector, const std::string& bytes) {
    const uint64_t offset = sector * kSectorSize;
    if (offset < live.size()) {
      const size_t size = std::min<uint64_t>(kSectorSize, live.size() - offset);
      std::memcpy(live.data() + offset, bytes.data(), size);
    }
  }
};

// `inode` null: the name goes.
struct SimFileSystem::NameChange {
  std::string path;
  InodePtr inode;
  std::string removed_path;  // a rename's source, which goes in the same step
};

class SimFileSystem::OpenFile final : public File {
 public:
  OpenFile(SimFileSystem* files, InodePtr inode, std::string path, bool writable)
      : files_(files),
        inode_(std::move(inode)),
        path_(std::move(path)),
        writable_(writable),
        generation_(files->generation_) {}

  Status ReadAt(uint64_t offset, size_t size, std::string* out) override {
    RETURN_IF_ERROR(Check(Operation::kRead));
    out->clear();
    if (offset < inode_->live.size()) {
      out->assign(inode_->live, offset, size);
    }
    if (files_->read_flip_chance_ > 0 && !out->empty() &&
        files_->random_.Chance(files_->read_flip_chance_)) {
      (*out)[files_->random_.Below(out->size())] ^=
          static_cast<char>(1 << files_->random_.Below(8));
    }
    return Status::Ok();
  }

  Status WriteAt(uint64_t offset, std::string_view bytes) override {
    RETURN_IF_ERROR(CheckWritable());
    if (Status status = Check(Operation::kWrite); !status.ok()) {
      Put(offset, bytes.substr(0, files_->random_.Below(bytes.size() + 1)));
      return status;
    }
    const uint64_t end = offset + bytes.size();
    const uint64_t grown = end > inode_->live.size() ? end - inode_->live.size() : 0;
    if (grown > 0 && files_->capacity_ != ~uint64_t{0} &&
        files_->UsedBytes() + grown > files_->capacity_) {
      return Status::NoSpace("write " + path_ + ": simulated disk is full");
    }
    Put(offset, bytes);
    inode_->written = {std::pair{offset, bytes.size()}, inode_->written[0]};
    return Status::Ok();
  }

  Status Sync() override {
    if (Status status = Check(Operation::kSync); !status.ok()) {
      for (auto& [sector, bytes] : inode_->unflushed) {
        if (files_->random_.Chance(0.5)) {
          inode_->lost.emplace(sector, std::move(bytes));
        }
      }
      inode_->unflushed.clear();
      return status;
    }
    inode_->unflushed.clear();
    inode_->durable_size = inode_->live.size();
    return Status::Ok();
  }

  Status Truncate(uint64_t size) override {
    RETURN_IF_ERROR(CheckWritable());
    RETURN_IF_ERROR(Check(Operation::kWrite));
    const uint64_t now = inode_->live.size();
    if (size < now) {
      inode_->Touch(size, now - size);
    }
    inode_->live.resize(size, '\0');
    return Status::Ok();
  }

  Status Preallocate(uint64_t size) override {
    RETURN_IF_ERROR(WriteAt(0, std::string(size, '\0')));
    return Sync();
  }

  Result<uint64_t> Size() override {
    RETURN_IF_ERROR(CheckOpen());
    return static_cast<uint64_t>(inode_->live.size());
  }

 private:
  Status CheckOpen() const {
    return generation_ == files_->generation_
               ? Status::Ok()
               : Status::IoError(path_ + ": opened before the machine crashed");
  }
  Status CheckWritable() const {
    return writable_ ? Status::Ok() : Status::IoError(path_ + ": opened for reading");
  }
  Status Check(Operation operation) {
    RETURN_IF_ERROR(CheckOpen());
    return files_->Ask(operation, path_);
  }
  void Put(uint64_t offset, std::string_view bytes) {
    if (bytes.empty()) {
      return;
    }
    inode_->Touch(offset, bytes.size());
    if (inode_->live.size() < offset + bytes.size()) {
      inode_->live.resize(offset + bytes.size(), '\0');
    }
    std::memcpy(inode_->live.data() + offset, bytes.data(), bytes.size());
  }

  SimFileSystem* const files_;
  const InodePtr inode_;
  const std::string path_;
  const bool writable_;
  const uint64_t generation_;
};

SimFileSystem::SimFileSystem(uint64_t seed) : random_(seed) {
  directories_.insert(".");
}
SimFileSystem::~SimFileSystem() = default;

Status SimFileSystem::Ask(Operation operation, const std::string& path) {
  ++counts_[operation];
  for (size_t i = 0; i < faults_.size(); ++i) {
    ArmedFault& fault = faults_[i];
    if (fault.operation == operation && path.find(fault.path_part) != std::string::npos &&
        --fault.countdown == 0) {
      Status failure(fault.code, path + ": simulated failure");
      faults_.erase(faults_.begin() + static_cast<ptrdiff_t>(i));
      return failure;
    }
  }
  return decider_ ? decider_(operation, path) : Status::Ok();
}

void SimFileSystem::SetName(const std::string& path, InodePtr inode) {
  if (inode == nullptr) {
    names_.erase(path);
  } else {
    names_[path] = inode;
  }
  name_changes_[DirectoryOf(path)].push_back({path, std::move(inode), {}});
}

Result<std::unique_ptr<File>> SimFileSystem::Open(const std::string& path, Mode mode) {
  RETURN_IF_ERROR(Ask(Operation::kOpen, path));
  auto at = names_.find(path);
  if (at == names_.end()) {
    if ((mode != Mode::kCreate && mode != Mode::kCreatePrivate) ||
        !directories_.contains(DirectoryOf(path))) {
      return Status::NotFound("open " + path + ": no such file");
    }
    SetName(path, std::make_shared<Inode>());
    at = names_.find(path);
  }
  return std::unique_ptr<File>(
      std::make_unique<OpenFile>(this, at->second, path, mode != Mode::kRead));
}

Status SimFileSystem::Rename(const std::string& from, const std::string& to) {
  RETURN_IF_ERROR(Ask(Operation::kRename, from));
  const auto at = names_.find(from);
  if (at == names_.end()) {
    return Status::NotFound("rename " + from + ": no such file");
  }
  const InodePtr inode = at->second;
  names_.erase(at);
  names_[to] = inode;
  name_changes_[DirectoryOf(to)].push_back({to, inode, from});
  return Status::Ok();
}

Status SimFileSystem::Remove(const std::string& path) {
  RETURN_IF_ERROR(Ask(Operation::kRemove, path));
  if (!names_.contains(path)) {
    return Status::NotFound("remove " + path + ": no such file");
  }
  SetName(path, nullptr);
  return Status::Ok();
}

Status SimFileSystem::CreateDirectories(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    directories_.insert(path.substr(0, slash));
    if (slash == std::string::npos) {
      return Status::Ok();
    }
  }
}

Status SimFileSystem::SyncDirectory(const std::string& path) {
  RETURN_IF_ERROR(Ask(Operation::kSyncDirectory, path));
  for (NameChange& change : name_changes_[path]) {
    durable_names_.erase(change.removed_path);
    if (change.inode == nullptr) {
      durable_names_.erase(change.path);
    } else {
      durable_names_[change.path] = change.inode;
    }
  }
  name_changes_.erase(path);
  return Status::Ok();
}

Result<std::vector<std::string>> SimFileSystem::List(const std::string& path) {
  if (!directories_.contains(path)) {
    return Status::NotFound("list " + path + ": no such directory");
  }
  std::vector<std::string> entries;
  for (const auto& [name, inode] : names_) {
    if (DirectoryOf(name) == path) {
      entries.push_back(name.substr(path == "." ? 0 : path.size() + 1));
    }
  }
  for (const std::string& directory : directories_) {
    if (directory != path && DirectoryOf(directory) == path && path != ".") {
      entries.push_back(directory.substr(path.size() + 1));
    }
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool SimFileSystem::Exists(const std::string& path) {
  return names_.contains(path) || directories_.contains(path);
}

Result<uint64_t> SimFileSystem::FreeBytes(const std::string& /*path*/) {
  const uint64_t used = UsedBytes();
  return used < capacity_ ? capacity_ - used : 0;
}

void SimFileSystem::Crash() {
  CrashKeeping(true);
}
void SimFileSystem::CrashLosingAll() {
  CrashKeeping(false);
}

void SimFileSystem::CrashKeeping(bool keep_some) {
  ++generation_;
  faults_.clear();
  for (auto& [directory, changes] : name_changes_) {
    const uint64_t kept = keep_some ? random_.Below(changes.size() + 1) : 0;
    changes.resize(kept);
    for (const NameChange& change : changes) {
      durable_names_.erase(change.removed_path);
      if (change.inode == nullptr) {
        durable_names_.erase(change.path);
      } else {
        durable_names_[change.path] = change.inode;
      }
    }
  }
  name_changes_.clear();
  names_ = durable_names_;
  const double keep = keep_some ? random_.Unit() : 0;
  std::set<Inode*> done;
  for (const auto& [name, inode] : names_) {
    if (!done.insert(inode.get()).second) {
      continue;
    }
    if (inode->live.size() != inode->durable_size && !(keep_some && random_.Chance(0.5))) {
      inode->live.resize(inode->durable_size, '\0');
    }
    for (const auto& [sector, bytes] : inode->unflushed) {
      if (!random_.Chance(keep)) {
        inode->PutBack(sector, bytes);
      }
    }
    for (const auto& [sector, bytes] : inode->lost) {
      inode->PutBack(sector, bytes);
    }
    inode->unflushed.clear();
    inode->lost.clear();
    inode->durable_size = inode->live.size();
  }
}

void SimFileSystem::FailNth(Operation operation, uint64_t nth, std::string path_part, Code code) {
  INVARIANT_GT(nth, 0U);
  faults_.push_back({operation, nth, std::move(path_part), code});
}

void SimFileSystem::FlipBit(const std::string& path, uint64_t offset, int bit) {
  const auto at = names_.find(path);
  INVARIANT(at != names_.end());
  INVARIANT_LT(offset, at->second->live.size());
  at->second->live[offset] ^= static_cast<char>(1 << bit);
}

std::string SimFileSystem::FlipRandomBit(const std::string& path_part) {
  std::vector<std::string> candidates;
  for (const auto& [name, inode] : names_) {
    if (!inode->live.empty() && name.find(path_part) != std::string::npos) {
      candidates.push_back(name);
    }
  }
  if (candidates.empty()) {
    return "";
  }
  const std::string& path = candidates[random_.Below(candidates.size())];
  const Inode& inode = *names_[path];
  const uint64_t at = random_.Below(inode.live.size());
  for (const auto& [offset, size] : inode.written) {
    if (at >= offset && at < offset + size) {
      return "";
    }
  }
  FlipBit(path, at, static_cast<int>(random_.Below(8)));
  return path;
}

uint64_t SimFileSystem::UsedBytes() const {
  uint64_t used = 0;
  for (const auto& [name, inode] : names_) {
    used += inode->live.size();
  }
  return used;
}

uint64_t SimFileSystem::Count(Operation operation) const {
  const auto at = counts_.find(operation);
  return at == counts_.end() ? 0 : at->second;
}

}  // namespace borealis
