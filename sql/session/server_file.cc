#include "sql/session/server_file.h"

#include <fmt/format.h>

#include <cerrno>

#include "base/mutex.h"
#include "base/mysql_error.h"
#include "base/os/blocking.h"
#include "base/os/file.h"
#include "sql/session/session.h"

namespace borealis::sql {

namespace {

constexpr size_t kPieceBytes = size_t{256} << 10;

class ServerFile final : public ByteSource {
 public:
  ServerFile(std::unique_ptr<File> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  Result<std::string_view> Next() override {
    BlockingScope reading;
    const Status read = file_->ReadAt(offset_, kPieceBytes, &piece_);
    if (!read.ok()) {
      return UserError(EE_READ, path_, EIO, read.message());
    }
    offset_ += piece_.size();
    return std::string_view(piece_);
  }

 private:
  const std::unique_ptr<File> file_;
  const std::string path_;
  uint64_t offset_ = 0;
  std::string piece_;
};

}  // namespace

std::string TemporaryDirectory(const Session& session) {
  const SystemVariables* variables = session.environment().variables;
  if (variables == nullptr) {
    return "/tmp";
  }
  const auto value = variables->Get(session, VariableScope::kGlobal, "tmpdir");
  return value.ok() ? std::string(value->value.bytes()) : "/tmp";
}

Result<std::string> ServerFilePath(const Session& session, std::string_view name) {
  const Status refused = UserError(ER_OPTION_PREVENTS_STATEMENT, "--secure-file-priv");
  if (session.environment().variables == nullptr) {
    return refused;
  }
  ASSIGN_OR_RETURN(
      const TypedValue allowed,
      session.environment().variables->Get(session, VariableScope::kGlobal, "secure_file_priv"));
  if (allowed.value.is_null()) {
    return refused;
  }
  // As below a data directory that is the root.
  std::string path = name.starts_with('/') ? "" : "/";
  if (name.find('/') == std::string_view::npos) {
    path += session.database() + "/";
  }
  path = CanonicalPath(path.append(name));
  const std::string_view directory = allowed.value.bytes();
  if (directory.empty()) {
    return path;
  }
  std::string below = CanonicalPath(std::string(directory));
  below += below.ends_with('/') ? "" : "/";
  return path.starts_with(below) ? Result<std::string>(std::move(path)) : refused;
}

Result<std::unique_ptr<ByteSource>> OpenServerFile(const std::string& path) {
  BlockingScope opening;
  FileSystem& files = RealFileSystem();
  if (files.List(path).ok()) {
    return UserError(ER_TEXTFILE_NOT_READABLE, path);
  }
  Result<std::unique_ptr<File>> file = files.Open(path, FileSystem::Mode::kRead);
  if (file.status().Is(Code::kNotFound)) {
    return UserError(EE_STAT, path, ENOENT, "No such file or directory");
  }
  if (!file.ok()) {
    return UserError(EE_FILENOTFOUND, path, EACCES, "Permission denied");
  }
  return std::unique_ptr<ByteSource>(std::make_unique<ServerFile>(std::move(file).value(), path));
}

Result<std::unique_ptr<NewServerFile>> NewServerFile::Create(const std::string& path) {
  // Of two statements that want to make the same file one finds it there.
  static Mutex creating{LockRank::kLeaf};
  BlockingScope opening;
  MutexLock lock(creating);
  FileSystem& files = RealFileSystem();
  if (files.Exists(path)) {
    return UserError(ER_FILE_EXISTS_ERROR, path);
  }
  Result<std::unique_ptr<File>> file = files.Open(path, FileSystem::Mode::kCreate);
  if (!file.ok()) {
    return Status::User(
        1, fmt::format("Can't create/write to file '{}' ({})", path, file.status().message()));
  }
  return std::unique_ptr<NewServerFile>(new NewServerFile(std::move(file).value(), path));
}

NewServerFile::NewServerFile(std::unique_ptr<File> file, std::string path)
    : file_(std::move(file)), path_(std::move(path)) {}

NewServerFile::~NewServerFile() {
  if (file_ != nullptr) {
    file_.reset();
    RealFileSystem().Remove(path_).IgnoreError();
  }
}

Status NewServerFile::Append(std::string_view bytes) {
  buffer_ += bytes;
  return buffer_.size() < kPieceBytes ? Status::Ok() : Flush();
}

Status NewServerFile::Flush() {
  BlockingScope writing;
  const Status status = file_->WriteAt(written_, buffer_);
  if (!status.ok()) {
    return Status::User(3, fmt::format("Error writing file '{}' ({})", path_, status.message()));
  }
  written_ += buffer_.size();
  buffer_.clear();
  return Status::Ok();
}

Status NewServerFile::Finish() {
  RETURN_IF_ERROR(buffer_.empty() ? Status::Ok() : Flush());
  file_.reset();
  return Status::Ok();
}

}  // namespace borealis::sql
