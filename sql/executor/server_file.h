// Files of the server's machine that statements name, within what secure_file_priv allows: no file
// when it is NULL (the default), those below a directory, or all when it is empty.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/context/byte_source.h"

namespace borealis::sql {

class Session;

// The file that `name` means, without links. Error: 1290 where secure_file_priv forbids it.
Result<std::string> ServerFilePath(const Session& session, std::string_view name);
// Reads the file. Errors: 13 not there, 29 not readable, 1085 not a file.
Result<std::unique_ptr<ByteSource>> OpenServerFile(const std::string& path);

}  // namespace borealis::sql
