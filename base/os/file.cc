#include "base/os/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace borealis {

namespace {

Status FromErrno(std::string_view verb, const std::string& path) {
  const int error = errno;
  char buffer[128];
  std::string text =
      std::string(verb) + " " + path + ": " + strerror_r(error, buffer, sizeof(buffer));
  if (error == ENOENT) {
    return Status::NotFound(std::move(text));
  }
  if (error == ENOSPC || error == EDQUOT) {
    return Status::NoSpace(std::move(text));
  }
  // Nothing is wrong with the file: whoever asks may ask again.
  if (error == EMFILE || error == ENFILE || error == ENOMEM || error == EACCES || error == EPERM) {
    return Status::Unavailable(std::move(text));
  }
  return Status::IoError(std::move(text));
}

class RealFile final : public File {
 public:
  RealFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~RealFile() override { ::close(fd_); }

  Status ReadAt(uint64_t offset, size_t size, std::string* out) override {
    out->resize(size);
    size_t done = 0;
    while (done < size) {
      const ssize_t got =
          ::pread(fd_, out->data() + done, size - done, static_cast<off_t>(offset + done));
      if (got < 0) {
        if (errno == EINTR) {
          continue;
        }
        return FromErrno("read", path_);
      }
      if (got == 0) {
        break;
      }
      done += static_cast<size_t>(got);
    }
    out->resize(done);
    return Status::Ok();
  }

  Status WriteAt(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (put < 0) {
        if (errno == EINTR) {
          continue;
        }
        return FromErrno("write", path_);
      }
      bytes.remove_prefix(static_cast<size_t>(put));
      offset += static_cast<uint64_t>(put);
    }
    return Status::Ok();
  }

  Status Sync() override {
    return ::fdatasync(fd_) == 0 ? Status::Ok() : FromErrno("flush", path_);
  }

  Status Truncate(uint64_t size) override {
    return ::ftruncate(fd_, static_cast<off_t>(size)) == 0 ? Status::Ok()
                                                           : FromErrno("truncate", path_);
  }

  // Zeroes are written, not only reserved: an fallocated extent costs a journal transaction at the
  // first write into it, which is what preallocation is to avoid.
  Status Preallocate(uint64_t size) override {
    const std::string zeroes(1 << 20, '\0');
    for (uint64_t offset = 0; offset < size; offset += zeroes.size()) {
      const auto part = static_cast<size_t>(std::min<uint64_t>(zeroes.size(), size - offset));
      RETURN_IF_ERROR(WriteAt(offset, std::string_view(zeroes).substr(0, part)));
    }
    return ::fsync(fd_) == 0 ? Status::Ok() : FromErrno("flush", path_);
  }

  Result<uint64_t> Size() override {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) {
      return FromErrno("stat", path_);
    }
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  const int fd_;
  const std::string path_;
};

class RealFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, Mode mode) override {
    int flags = O_CLOEXEC;
    flags |= mode == Mode::kRead ? O_RDONLY : O_RDWR;
    flags |= mode == Mode::kCreate || mode == Mode::kCreatePrivate ? O_CREAT : 0;
    const int fd = ::open(path.c_str(), flags, mode == Mode::kCreatePrivate ? 0600 : 0640);
    if (fd < 0) {
      return FromErrno("open", path);
    }
    return std::unique_ptr<File>(std::make_unique<RealFile>(fd, path));
  }

  Status Rename(const std::string& from, const std::string& to) override {
    return ::rename(from.c_str(), to.c_str()) == 0 ? Status::Ok() : FromErrno("rename", from);
  }

  Status Remove(const std::string& path) override {
    return ::unlink(path.c_str()) == 0 ? Status::Ok() : FromErrno("remove", path);
  }

  Status CreateDirectories(const std::string& path) override {
    for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
      const std::string part = path.substr(0, slash);
      if (::mkdir(part.c_str(), 0750) != 0 && errno != EEXIST) {
        return FromErrno("create directory", part);
      }
      if (slash == std::string::npos) {
        return Status::Ok();
      }
    }
  }

  Status SyncDirectory(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
      return FromErrno("open directory", path);
    }
    const int outcome = ::fsync(fd);
    Status status = outcome == 0 ? Status::Ok() : FromErrno("flush directory", path);
    ::close(fd);
    return status;
  }

  Result<std::vector<std::string>> List(const std::string& path) override {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) {
      return FromErrno("list", path);
    }
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(directory)) {  // NOLINT(concurrency-mt-unsafe)
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") {
        names.emplace_back(name);
      }
    }
    ::closedir(directory);
    std::sort(names.begin(), names.end());
    return names;
  }

  bool Exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  Result<uint64_t> FreeBytes(const std::string& path) override {
    struct statvfs info {};
    if (::statvfs(path.c_str(), &info) != 0) {
      return FromErrno("stat file system of", path);
    }
    return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  }
};

}  // namespace

FileSystem& RealFileSystem() {
  static RealFiles files;
  return files;
}

Status LockForLife(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) {
    return FromErrno("open", path);
  }
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const bool taken = errno == EWOULDBLOCK;
    Status status = FromErrno("lock", path);
    ::close(fd);
    return taken ? Status::Unavailable(path + " is locked") : status;
  }
  return Status::Ok();  // the descriptor stays open: the lock goes with the process
}

std::string CanonicalPath(const std::string& path) {
  std::error_code error;
  std::string canonical =
      std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error).string();
  if (error) {
    canonical = path;
  }
  while (canonical.size() > 1 && canonical.back() == '/') {
    canonical.pop_back();
  }
  return canonical;
}

Status CheckPrivate(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return FromErrno("look at", path);
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Status::InvalidArgument(path + " can be read by others than its owner: chmod 600 " +
                                   path);
  }
  return Status::Ok();
}

Result<std::string> ReadWholeFile(FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(auto file, files.Open(path, FileSystem::Mode::kRead));
  ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  std::string bytes;
  RETURN_IF_ERROR(file->ReadAt(0, size, &bytes));
  return bytes;
}

Status WriteWholeFile(FileSystem& files, const std::string& path, std::string_view bytes,
                      FileSystem::Mode mode) {
  const std::string temporary = path + ".new";
  {
    ASSIGN_OR_RETURN(auto file, files.Open(temporary, mode));
    RETURN_IF_ERROR(file->Truncate(0));
    RETURN_IF_ERROR(file->WriteAt(0, bytes));
    RETURN_IF_ERROR(file->Sync());
  }
  RETURN_IF_ERROR(files.Rename(temporary, path));
  const size_t slash = path.rfind('/');
  return files.SyncDirectory(slash == std::string::npos ? "." : path.substr(0, slash));
}

}  // namespace borealis
