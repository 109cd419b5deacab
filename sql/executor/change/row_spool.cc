// The stream: for each row its size (u32) and its values; for each value its kind (u8) and what it
// holds: 8 bytes, or for strings and decimals (as text, which keeps the scale) a size and bytes.
#include "sql/executor/change/row_spool.h"

#include <algorithm>
#include <bit>

#include "base/coding.h"
#include "base/fault.h"
#include "engine/sorted_runs.h"

namespace borealis::sql {

namespace {

using row::Value;
using row::ValueKind;

constexpr size_t kReadBytes = size_t{256} << 10;
constexpr size_t kSizeBytes = sizeof(uint32_t);

Status CutShort() {
  return Status::Corruption("rows in a temporary file are cut short");
}

void AppendValue(const Value& value, std::string* out) {
  out->push_back(static_cast<char>(value.kind()));
  switch (value.kind()) {
    case ValueKind::kNull:
      return;
    case ValueKind::kString:
      AppendSized(out, value.bytes());
      return;
    case ValueKind::kDecimal:
      AppendSized(out, value.decimal_value().ToString());
      return;
    case ValueKind::kDouble:
      AppendLittle(out, std::bit_cast<uint64_t>(value.double_value()));
      return;
    default:
      AppendLittle(out, static_cast<uint64_t>(value.raw_int()));
  }
}

// A string's value borrows what is read.
Result<Value> ReadValue(ByteReader* reader) {
  const auto kind = static_cast<ValueKind>(reader->Little<uint8_t>());
  switch (kind) {
    case ValueKind::kNull:
      return Value::Null();
    case ValueKind::kString:
      return Value::View(reader->Sized());
    case ValueKind::kDecimal: {
      row::Decimal number;
      if (row::Decimal::Parse(reader->Sized(), &number) != row::DecimalStatus::kOk) {
        return CutShort();
      }
      return Value::Dec(number);
    }
    default:
      break;
  }
  const auto bits = reader->Little<uint64_t>();
  const auto held = static_cast<int64_t>(bits);
  switch (kind) {
    case ValueKind::kInt:
      return Value::Int(held);
    case ValueKind::kUint:
      return Value::Uint(bits);
    case ValueKind::kDouble:
      return Value::Double(std::bit_cast<double>(bits));
    case ValueKind::kDate:
      return Value::Date(held);
    case ValueKind::kTime:
      return Value::Time(held);
    case ValueKind::kDateTime:
      return Value::DateTime(held);
    case ValueKind::kTimestamp:
      return Value::Timestamp(held);
    default:
      return CutShort();
  }
}

}  // namespace

Status RowSpool::Add(const std::vector<Value>& row) {
  const size_t begin = memory_.size();
  AppendLittle<uint32_t>(&memory_, 0);
  for (const Value& value : row) {
    AppendValue(value, &memory_);
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
    ASSIGN_OR_RETURN(Value value, ReadValue(&reader));
    if (!reader.ok()) {
      return CutShort();
    }
    row->push_back(std::move(value));
  }
  window_begin_ += kSizeBytes + size;
  return true;
}

}  // namespace borealis::sql
