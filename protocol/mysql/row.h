// Rows of a result set, in the text encoding (COM_QUERY) or the binary one (prepared statements),
// behind one interface, so that who produces rows does not care which was asked for.
//
//   writer->Begin();
//   writer->AppendInt64(7); writer->AppendString("seven"); …      one call a column, in order
//   writer->End();
//
// Not thread-safe. A row that turns out to be impossible is taken back with Abandon.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/mysql/constants.h"
#include "protocol/mysql/packet.h"
#include "protocol/mysql/temporal.h"

namespace borealis::mysql {

// Decimals of a temporal or floating column that prints as many digits as the value has.
inline constexpr int kDecimalsAsNeeded = 31;

class RowWriter {
 public:
  virtual ~RowWriter() = default;

  virtual void Begin() = 0;
  virtual void AppendNull() = 0;
  // Integers of every width, YEAR included. In the binary encoding the column's type decides the
  // width; a value that does not fit is truncated to it, so give the column the type of its values.
  virtual void AppendInt64(int64_t value) = 0;
  virtual void AppendUint64(uint64_t value) = 0;
  virtual void AppendFloat(float value) = 0;
  // `decimals` < kDecimalsAsNeeded prints exactly as many digits (text encoding only).
  virtual void AppendDouble(double value, int decimals) = 0;
  void AppendDouble(double value) { AppendDouble(value, kDecimalsAsNeeded); }
  // Strings, blobs, decimals as text, JSON, ENUM, SET, BIT.
  virtual void AppendString(std::string_view bytes) = 0;
  virtual void AppendDate(const DateTime& value) = 0;
  // `decimals`: the column's fractional digits, 0 to 6.
  virtual void AppendDateTime(const DateTime& value, int decimals) = 0;
  virtual void AppendTime(const TimeOfDay& value, int decimals) = 0;
  virtual void End() = 0;
  virtual void Abandon() = 0;
};

class TextRowWriter final : public RowWriter {
 public:
  explicit TextRowWriter(PacketWriter* packets) : packets_(packets) {}

  void Begin() override { packets_->Begin(); }
  void AppendNull() override { packets_->body()->push_back('\xFB'); }
  void AppendInt64(int64_t value) override;
  void AppendUint64(uint64_t value) override;
  void AppendFloat(float value) override;
  using RowWriter::AppendDouble;
  void AppendDouble(double value, int decimals) override;
  void AppendString(std::string_view bytes) override;
  void AppendDate(const DateTime& value) override;
  void AppendDateTime(const DateTime& value, int decimals) override;
  void AppendTime(const TimeOfDay& value, int decimals) override;
  void End() override { packets_->End(); }
  void Abandon() override { packets_->Abandon(); }

 private:
  PacketWriter* packets_;
};

// 0x00, null bitmap (first bit at 2), values of the columns that are not NULL.
class BinaryRowWriter final : public RowWriter {
 public:
  BinaryRowWriter(PacketWriter* packets, std::vector<ColumnType> types);

  void Begin() override;
  void AppendNull() override;
  void AppendInt64(int64_t value) override { AppendUint64(static_cast<uint64_t>(value)); }
  void AppendUint64(uint64_t value) override;
  void AppendFloat(float value) override;
  using RowWriter::AppendDouble;
  void AppendDouble(double value, int decimals) override;
  void AppendString(std::string_view bytes) override;
  void AppendDate(const DateTime& value) override;
  void AppendDateTime(const DateTime& value, int decimals) override;
  void AppendTime(const TimeOfDay& value, int decimals) override;
  void End() override;
  void Abandon() override { packets_->Abandon(); }

 private:
  // The type of the column about to be appended; moves on to the next.
  ColumnType Take();

  PacketWriter* packets_;
  const std::vector<ColumnType> types_;
  size_t bitmap_offset_ = 0;
  size_t column_ = 0;
};

// As MySQL prints them: "2024-02-29", "2024-02-29 12:00:00.5…", "-838:59:59". For the text encoding
// and for columns of string type in the binary one. Append to `out`.
void AppendDateText(std::string* out, const DateTime& value);
void AppendDateTimeText(std::string* out, const DateTime& value, int decimals);
void AppendTimeText(std::string* out, const TimeOfDay& value, int decimals);

}  // namespace borealis::mysql
