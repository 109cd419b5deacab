// Files of the server's machine that statements name, within what secure_file_priv allows: no file
// when it is NULL (the default), those below a directory, or all when it is empty.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/context/byte_source.h"

namespace borealis {
class File;
}

namespace borealis::sql {

class Session;

// The file that `name` means, without links. Error: 1290 where secure_file_priv forbids it.
Result<std::string> ServerFilePath(const Session& session, std::string_view name);
// Where rows go that are too many for memory.
std::string TemporaryDirectory(const Session& session);
// Reads the file. Errors: 13 not there, 29 not readable, 1085 not a file.
Result<std::unique_ptr<ByteSource>> OpenServerFile(const std::string& path);

// A new file that statements write from its beginning to its end. Unless Finish succeeds nothing is
// left of it. Used by one thread.
class NewServerFile {
 public:
  // Errors: 1086 there is a file of the name, 1 it cannot be made.
  static Result<std::unique_ptr<NewServerFile>> Create(const std::string& path);
  ~NewServerFile();

  Status Append(std::string_view bytes);
  Status Finish();

 private:
  NewServerFile(std::unique_ptr<File> file, std::string path);
  Status Flush();

  std::unique_ptr<File> file_;  // null once finished
  const std::string path_;
  uint64_t written_ = 0;
  std::string buffer_;
};

}  // namespace borealis::sql
