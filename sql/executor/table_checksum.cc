#include "sql/executor/table_checksum.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <string>
#include <vector>

#include "row/collation.h"
#include "row/convert.h"
#include "row/temporal.h"
#include "sql/ast/print.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

uint32_t Crc32(std::string_view bytes) {
  static constexpr std::array<uint32_t, 256> kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < table.size(); ++i) {
      uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) {
        crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0);
      }
      table[i] = crc;
    }
    return table;
  }();
  uint32_t crc = ~uint32_t{0};
  for (const char byte : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<uint8_t>(byte)) & 0xFF];
  }
  return ~crc;
}

void AppendLittle(uint64_t value, size_t bytes, std::string* out) {
  for (size_t i = 0; i < bytes; ++i) {
    out->push_back(static_cast<char>(value >> (8 * i)));
  }
}

void AppendBig(uint64_t value, size_t bytes, std::string* out) {
  for (size_t i = bytes; i-- > 0;) {
    out->push_back(static_cast<char>(value >> (8 * i)));
  }
}

// Microseconds to the digits kept.
void AppendFraction(int64_t micros, int digits, std::string* out) {
  static constexpr int64_t kUnits[] = {1, 10000, 100, 1};  // by bytes
  const auto bytes = static_cast<size_t>(digits + 1) / 2;
  if (bytes != 0) {
    AppendBig(static_cast<uint64_t>(micros / kUnits[bytes]), bytes, out);
  }
}

void AppendDateTime(int64_t packed, int digits, std::string* out) {
  constexpr uint64_t kOffset = uint64_t{1} << 39;
  AppendBig(static_cast<uint64_t>(packed >> 24) + kOffset, 5, out);
  AppendFraction(packed & 0xFFFFFF, digits, out);
}

void AppendTimestamp(int64_t micros, int digits, std::string* out) {
  AppendBig(static_cast<uint64_t>(micros / row::kMicrosPerSecond), 4, out);
  AppendFraction(micros % row::kMicrosPerSecond, digits, out);
}

// Whole seconds and fraction are one number, of which a negative time is the complement.
void AppendTime(int64_t time, int digits, std::string* out) {
  const row::TemporalParts parts = row::UnpackTime(time);
  const auto seconds = static_cast<uint64_t>(parts.hour << 12 | parts.minute << 6 | parts.second);
  std::string positive;
  AppendBig(seconds + (uint64_t{1} << 23), 3, &positive);
  AppendFraction(parts.microsecond, digits, &positive);
  if (!parts.negative) {
    out->append(positive);
    return;
  }
  uint64_t number = 0;
  for (const char byte : positive) {
    number = number << 8 | static_cast<uint8_t>(byte);
  }
  const uint64_t zero = uint64_t{1} << (8 * positive.size() - 1);
  AppendBig(zero - (number - zero), positive.size(), out);
}

// Digits in groups of nine, each a number of four bytes, the incomplete groups at the ends; the
// sign is the first bit, and a negative number the complement.
void AppendDecimal(const row::Decimal& value, const row::Type& type, std::string* out) {
  static constexpr size_t kBytes[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
  constexpr size_t kGroup = 9;
  std::string text = value.ToString();
  if (value.negative()) {
    text.erase(0, 1);
  }
  const size_t point = std::min(text.find('.'), text.size());
  const size_t whole_digits = type.length - type.scale;
  std::string whole = text.substr(0, point);
  std::string fraction = point < text.size() ? text.substr(point + 1) : "";
  whole = whole.size() < whole_digits ? std::string(whole_digits - whole.size(), '0') + whole
                                      : whole.substr(whole.size() - whole_digits);
  fraction.resize(type.scale, '0');
  std::string bytes;
  const auto append = [&bytes](std::string_view digits) {
    uint64_t number = 0;
    for (const char digit : digits) {
      number = number * 10 + static_cast<uint64_t>(digit - '0');
    }
    AppendBig(number, kBytes[digits.size()], &bytes);
  };
  const size_t odd = whole.size() % kGroup;
  append(std::string_view(whole).substr(0, odd));
  for (size_t at = odd; at < whole.size(); at += kGroup) {
    append(std::string_view(whole).substr(at, kGroup));
  }
  for (size_t at = 0; at < fraction.size(); at += kGroup) {
    append(std::string_view(fraction).substr(at, kGroup));
  }
  if (value.negative() && !value.is_zero()) {
    for (char& byte : bytes) {
      byte = static_cast<char>(~byte);
    }
  }
  bytes[0] = static_cast<char>(bytes[0] ^ 0x80);
  out->append(bytes);
}

size_t IntegerBytes(const row::Type& type) {
  switch (type.kind) {
    case row::TypeKind::kTinyInt:
      return 1;
    case row::TypeKind::kSmallInt:
      return 2;
    case row::TypeKind::kMediumInt:
      return 3;
    case row::TypeKind::kInt:
      return 4;
    default:
      return 8;
  }
}

size_t MemberBytes(const row::Type& type) {
  const size_t members = type.members == nullptr ? 0 : type.members->size();
  if (type.kind == row::TypeKind::kEnum) {
    return members > 255 ? 2 : 1;
  }
  const size_t bytes = (members + 7) / 8;
  return bytes > 4 ? 8 : bytes;
}

std::string EncodedText(const row::Value& value, const row::Type& type) {
  const std::string text = row::ToText(value, type);
  return type.is_text() ? row::GetCollation(type.collation).charset().Encode(text) : text;
}

// CHAR and BINARY fill their places.
void AppendPadded(const row::Value& value, const row::Type& type, std::string* out) {
  const bool is_text = type.is_text();
  const auto char_bytes =
      is_text ? static_cast<size_t>(row::GetCollation(type.collation).charset().max_bytes) : 1;
  std::string bytes = value.is_null() ? "" : EncodedText(value, type);
  bytes.resize(type.length * char_bytes, is_text ? ' ' : '\0');
  out->append(bytes);
}

// As MySQL holds a column; NULL: a column without a default.
void AppendColumn(const row::Value& value, const row::Type& type, std::string* out) {
  const int64_t number = value.kind() == row::ValueKind::kInt ||
                                 value.kind() == row::ValueKind::kUint || value.is_temporal()
                             ? value.raw_int()
                             : 0;
  const double real = value.kind() == row::ValueKind::kDouble ? value.double_value() : 0;
  switch (type.kind) {
    case row::TypeKind::kTinyInt:
    case row::TypeKind::kSmallInt:
    case row::TypeKind::kMediumInt:
    case row::TypeKind::kInt:
    case row::TypeKind::kBigInt:
      return AppendLittle(static_cast<uint64_t>(number), IntegerBytes(type), out);
    case row::TypeKind::kDecimal:
      return AppendDecimal(value.is_null() ? row::Decimal() : value.decimal_value(), type, out);
    case row::TypeKind::kFloat:
      return AppendLittle(std::bit_cast<uint32_t>(static_cast<float>(real)), 4, out);
    case row::TypeKind::kDouble:
      return AppendLittle(std::bit_cast<uint64_t>(real), 8, out);
    case row::TypeKind::kBit:
      return AppendBig(static_cast<uint64_t>(number), (type.length + 7) / 8, out);
    case row::TypeKind::kYear:
      return AppendLittle(static_cast<uint64_t>(number == 0 ? 0 : number - 1900), 1, out);
    case row::TypeKind::kDate: {
      const row::TemporalParts date = row::UnpackDateTime(number);
      return AppendLittle(static_cast<uint64_t>(date.year << 9 | date.month << 5 | date.day), 3,
                          out);
    }
    case row::TypeKind::kTime:
      return AppendTime(number, type.scale, out);
    case row::TypeKind::kDateTime:
      return AppendDateTime(number, type.scale, out);
    case row::TypeKind::kTimestamp:
      return AppendTimestamp(number, type.scale, out);
    case row::TypeKind::kEnum:
    case row::TypeKind::kSet:
      return AppendLittle(static_cast<uint64_t>(number), MemberBytes(type), out);
    case row::TypeKind::kChar:
    case row::TypeKind::kBinary:
      return AppendPadded(value, type, out);
    case row::TypeKind::kJson:
      out->append(value.is_null() ? "null" : EncodedText(value, type));
      return;
    default:
      if (!value.is_null()) {
        out->append(EncodedText(value, type));
      }
  }
}

class Summer final : public ResultSink {
 public:
  explicit Summer(const TableDescriptor& table) {
    bool variable = false;
    for (const ColumnDescriptor& column : table.columns) {
      if (!column.hidden) {
        columns_.push_back(&column);
        variable |= column.type.is_blob() || column.type.kind == row::TypeKind::kVarchar ||
                    column.type.kind == row::TypeKind::kVarbinary ||
                    column.type.kind == row::TypeKind::kJson;
      }
    }
    // Where all columns have fixed lengths a bit is set aside.
    first_bit_ = variable ? 0 : 1;
  }

  const std::vector<const ColumnDescriptor*>& columns() const { return columns_; }
  uint32_t sum() const { return sum_; }

  Status OnColumns(std::span<const ResultColumn> /*columns*/) override { return {}; }
  void OnDone(const OkInfo& /*ok*/) override {}
  void OnError(const Status& /*error*/, uint16_t /*status*/) override {}

  Status OnRow(std::span<const row::Value> row) override {
    image_ = NullBits(row);
    for (size_t i = 0; i < row.size(); ++i) {
      const ColumnDescriptor& column = *columns_[i];
      const bool by_default =
          row[i].is_null() && column.default_value.kind == DefaultKind::kLiteral;
      AppendColumn(by_default ? column.default_value.value : row[i], column.type, &image_);
    }
    sum_ += Crc32(image_);
    return {};
  }

 private:
  std::string NullBits(std::span<const row::Value> row) const {
    std::string bits;
    size_t bit = first_bit_;
    const auto set = [&bits](size_t at) {
      bits[at / 8] = static_cast<char>(bits[at / 8] | 1 << (at % 8));
    };
    if (first_bit_ != 0) {
      bits.push_back(1);
    }
    for (size_t i = 0; i < row.size(); ++i) {
      if (!columns_[i]->type.nullable) {
        continue;
      }
      bits.resize(bit / 8 + 1);
      if (row[i].is_null()) {
        set(bit);
      }
      ++bit;
    }
    // The last byte's bits beyond the columns are set; with none beyond, all of it is.
    for (size_t at = bit % 8; !bits.empty() && at < 8; ++at) {
      set((bits.size() - 1) * 8 + at);
    }
    return bits;
  }

  std::vector<const ColumnDescriptor*> columns_;
  size_t first_bit_ = 0;
  uint32_t sum_ = 0;
  std::string image_;
};

}  // namespace

Result<uint32_t> TableChecksum(StatementRun& run, const TableDescriptor& table) {
  Summer summer(table);
  std::string columns;
  for (const ColumnDescriptor* column : summer.columns()) {
    columns += (columns.empty() ? "" : ", ") + QuoteIdentifier(column->name);
  }
  RETURN_IF_ERROR(run.session.RunQueryText(
      fmt::format("SELECT {} FROM {}.{}", columns, QuoteIdentifier(table.schema),
                  QuoteIdentifier(table.name)),
      summer));
  return summer.sum();
}

}  // namespace borealis::sql
