// Rows of a query that are all read before the first is used: INSERT … SELECT from the table that
// it inserts into. The first kMemoryBytes stay in memory, the rest go to a temporary file, which
// goes with the spool.
//
// Values come back as they went in: kind by kind, whatever their types say of them. One thread.
//
//   Add()      for each row, then
//   Next()     for each row
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/os/file.h"
#include "base/result.h"
#include "row/value.h"

namespace borealis::sql {

class RowSpool {
 public:
  static constexpr size_t kMemoryBytes = size_t{4} << 20;

  explicit RowSpool(std::string temporary_directory) : directory_(std::move(temporary_directory)) {}
  RowSpool(const RowSpool&) = delete;
  RowSpool& operator=(const RowSpool&) = delete;

  Status Add(const std::vector<row::Value>& row);
  // The next row; its values are valid until the next call. False at the end.
  Result<bool> Next(std::vector<row::Value>* row);

  // Of rows that are not in memory.
  uint64_t file_bytes() const { return file_bytes_; }

 private:
  // Has `size` bytes of the stream at hand, or what is left of it.
  Status Fill(size_t size);

  const std::string directory_;
  // The stream: what is in the file, then what is in memory.
  std::unique_ptr<File> file_;  // null: all is in memory
  uint64_t file_bytes_ = 0;
  std::string memory_;
  // What the reader has at hand of the stream, up to `read_bytes_` of it.
  std::string window_;
  size_t window_begin_ = 0;
  uint64_t read_bytes_ = 0;
};

}  // namespace borealis::sql
