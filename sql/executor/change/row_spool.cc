// The stream: for each row its size (u32) and its values (row/value_bytes.h).
#include "sql/executor/change/row_spool.h"

#include <algorithm>

#include "base/coding.h"
#include "base/fault.h"
#include "engine/sorted_runs.h"
#include "row/value_bytes.h"

namespace borealis::sql {

namespace {

using row::Value;

constexpr size_t kReadBytes = size_t{256} << 10;
constexpr size_t kSizeBytes = sizeof(uint32_t);

Status CutShort() {
  return Status::Corruption("rows in a temporary file are cut short");
}

}  // namespace

Status RowSpool::Add(const std::vector<Value>& row) {
  const size_t begin = memory_.size();
  AppendLittle<uint32_t>(&memory_, 0);
  for (const Value& value : row) {
    row::AppendValue(value, &memory_);
  }
  StoreLittle(memory_.data() + begin, static_cast<uint32_t>(memory_.size() - begin - kSizeBytes));
  if (memory_.size() < kMemoryBytes) {
    return Status::Ok();
  }
  COVER("row_spool.spilled");
  if (file_ == nullptr) {
    ASSIGN_OR_RETURN(file_, engine::OpenTemporaryFile(directory_));
  }
  RETURN_IF_ERROR(file_->WriteAt(file_bytes_, memory_));
  file_bytes_ += memory_.size();
  memory_.clear();
  return Status::Ok();
}

Status RowSpool::Fill(size_t size) {
  if (window_.size() - window_begin_ >= size) {
    return Status::Ok();
  }
  window_.erase(0, window_begin_);
  window_begin_ = 0;
  while (window_.size() < size) {
    const size_t wanted = std::max(size - window_.size(), kReadBytes);
    if (read_bytes_ < file_bytes_) {
      std::string piece;
      RETURN_IF_ERROR(file_->ReadAt(read_bytes_,
                                    std::min<uint64_t>(wanted, file_bytes_ - read_bytes_), &piece));
      if (piece.empty()) {
        return CutShort();
      }
      window_.append(piece);
      read_bytes_ += piece.size();
      continue;
    }
    const auto piece = std::string_view(memory_).substr(read_bytes_ - file_bytes_, wanted);
    if (piece.empty()) {
      return Status::Ok();
    }
    window_.append(piece);
    read_bytes_ += piece.size();
  }
  return Status::Ok();
}

Result<bool> RowSpool::Next(std::vector<Value>* row) {
  RETURN_IF_ERROR(Fill(kSizeBytes));
  if (window_.size() == window_begin_) {
    return false;
  }
  if (window_.size() - window_begin_ < kSizeBytes) {
    return CutShort();
  }
  const size_t size = LoadLittle<uint32_t>(window_.data() + window_begin_);
  RETURN_IF_ERROR(Fill(kSizeBytes + size));
  if (window_.size() - window_begin_ < kSizeBytes + size) {
    return CutShort();
  }
  ByteReader reader(std::string_view(window_).substr(window_begin_ + kSizeBytes, size));
  row->clear();
  while (!reader.empty()) {
    ASSIGN_OR_RETURN(Value value, row::ReadValue(&reader));
    row->push_back(std::move(value));
  }
  window_begin_ += kSizeBytes + size;
  return true;
}

}  // namespace borealis::sql
