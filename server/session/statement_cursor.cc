#include "server/session/statement_cursor.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "base/fault.h"
#include "engine/sorted_runs.h"

namespace borealis::server {

namespace {

constexpr size_t kReadBytes = size_t{64} << 10;

std::vector<mysql::ColumnType> TypesOf(std::span<const mysql::ColumnDefinition> columns) {
  std::vector<mysql::ColumnType> types;
  types.reserve(columns.size());
  for (const mysql::ColumnDefinition& column : columns) {
    types.push_back(column.type);
  }
  return types;
}

}  // namespace

StatementCursor::StatementCursor(std::string temporary_directory,
                                 std::span<const mysql::ColumnDefinition> columns)
    : directory_(std::move(temporary_directory)),
      rows_(&packets_, TypesOf(columns)),
      reader_(std::numeric_limits<uint32_t>::max()) {}

Status StatementCursor::OnRowAdded() {
  if (memory_.size() < kMemoryBytes) {
    return Status::Ok();
  }
  COVER("statement_cursor.spilled");
  if (file_ == nullptr) {
    ASSIGN_OR_RETURN(file_, engine::OpenTemporaryFile(directory_));
  }
  RETURN_IF_ERROR(file_->WriteAt(file_bytes_, memory_));
  file_bytes_ += memory_.size();
  memory_.clear();
  if (memory_.capacity() > 2 * kMemoryBytes) {  // of one large row
    memory_.shrink_to_fit();
  }
  return Status::Ok();
}

Result<bool> StatementCursor::Next(std::string_view* row) {
  while (true) {
    ASSIGN_OR_RETURN(const bool whole, reader_.Next(&next_read_, row));
    if (whole) {
      return true;
    }
    ASSIGN_OR_RETURN(const bool more, ReadMore());
    if (!more) {
      return reader_.empty() ? Result<bool>(false)
                             : Status::Corruption("rows of a cursor are cut short");
    }
  }
}

Result<bool> StatementCursor::ReadMore() {
  std::string from_file;
  std::string_view piece;
  if (read_bytes_ < file_bytes_) {
    const size_t size = std::min<uint64_t>(kReadBytes, file_bytes_ - read_bytes_);
    RETURN_IF_ERROR(file_->ReadAt(read_bytes_, size, &from_file));
    if (from_file.empty()) {
      return Status::Corruption("rows of a cursor are cut short");
    }
    piece = from_file;
  } else {
    piece = std::string_view(memory_).substr(read_bytes_ - file_bytes_, kReadBytes);
  }
  if (piece.empty()) {
    return false;
  }
  std::memcpy(reader_.Space(piece.size()).data(), piece.data(), piece.size());
  reader_.Added(piece.size());
  read_bytes_ += piece.size();
  return true;
}

}  // namespace borealis::server
