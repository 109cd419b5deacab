#include "row/row_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/coding.h"
#include "base/invariant.h"
#include "row/held_internal.h"
#include "row/json/parse.h"
#include "row/json/view.h"

namespace borealis::row {

namespace {

constexpr uint8_t kFormat = 1;
constexpr uint8_t kWideOffsets = 1;
constexpr size_t kHeaderSize = 4;
constexpr uint32_t kDateShift = 41;  // a DATE's packed form has nothing below
constexpr size_t kNarrowLimit = 0x7FFF;
constexpr size_t kWideLimit = 0x7FFFFFFF;

// Bytes of a fixed-width type, 0 for a variable-width one.
uint8_t FixedWidth(const Type& type) {
  switch (type.kind) {
    case TypeKind::kFloat:
    case TypeKind::kDate:
      return 4;
    case TypeKind::kDouble:
      return 8;
    case TypeKind::kDecimal:
      return static_cast<uint8_t>(Decimal::FixedSize(static_cast<int>(type.length)));
    default:
      return IsHeldAsBits(type) ? BitsWidth(type) : 0;
  }
}

Status AppendFixedValue(const Type& type, uint8_t width, const Value& value, std::string* out) {
  if (type.is_decimal()) {
    Decimal decimal;
    RETURN_IF_ERROR(HeldDecimal(type, value, &decimal));
    Decimal fitted;
    if (decimal.FitTo(static_cast<int>(type.length), type.scale, &fitted) != DecimalStatus::kOk) {
      return NotHeld(type, value);
    }
    fitted.AppendFixed(static_cast<int>(type.length), type.scale, out);
    return {};
  }
  uint64_t bits;
  if (type.is_floating()) {
    double number;
    RETURN_IF_ERROR(HeldDouble(type, value, &number));
    bits = type.kind == TypeKind::kFloat ? std::bit_cast<uint32_t>(static_cast<float>(number))
                                         : std::bit_cast<uint64_t>(number);
  } else {
    int64_t held;
    RETURN_IF_ERROR(HeldInteger(type, value, &held));
    bits = static_cast<uint64_t>(held);
    if (type.kind == TypeKind::kDate) {
      if (held < 0 || (bits & ((uint64_t{1} << kDateShift) - 1)) != 0) {
        return NotHeld(type, value);
      }
      bits >>= kDateShift;
    }
  }
  char bytes[8];
  StoreLittle(bytes, bits);
  out->append(bytes, width);
  return {};
}

Result<Value> ReadFixedValue(const Type& type, std::string_view bytes) {
  if (type.is_decimal()) {
    Decimal decimal;
    if (!Decimal::ReadFixed(bytes, static_cast<int>(type.length), type.scale, &decimal)) {
      return Status::Corruption(fmt::format("decode {}: not a decimal", SqlText(type)));
    }
    return Value::Dec(decimal);
  }
  char buffer[8] = {};
  std::copy(bytes.begin(), bytes.end(), buffer);
  uint64_t bits = LoadLittle<uint64_t>(buffer);
  if (type.kind == TypeKind::kFloat) {
    return Value::Double(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  if (type.kind == TypeKind::kDouble) {
    return Value::Double(std::bit_cast<double>(bits));
  }
  if (type.kind == TypeKind::kDate) {
    return Value::Date(static_cast<int64_t>(bits << kDateShift));
  }
  if (!HasUnsignedBits(type) && bytes.size() < 8) {
    int shift = static_cast<int>(64 - bytes.size() * 8);
    bits = static_cast<uint64_t>(static_cast<int64_t>(bits << shift) >> shift);
  }
  return ValueOfBits(type, static_cast<int64_t>(bits));
}

// JSON may be stored as text (docs/formats/json.md): its first byte tells.
Result<Value> ReadVariableValue(const Type& type, std::string_view bytes, bool reference) {
  if (type.kind != TypeKind::kJson || reference || !IsJsonText(bytes)) {
    return Value::View(bytes);
  }
  JsonNode document;
  JsonError error;
  if (!ParseJson(bytes, &document, &error)) {
    return Status::Corruption("decode json: text that is no document");
  }
  ASSIGN_OR_RETURN(std::string binary, JsonBytes(document));
  return Value::String(std::move(binary));
}

bool BitAt(std::string_view bitmap, size_t i) {
  return (static_cast<uint8_t>(bitmap[i / 8]) >> (i % 8) & 1) != 0;
}

}  // namespace

RowSchema::RowSchema(std::vector<RowColumn> columns) : columns_(std::move(columns)) {
  INVARIANT_LE(columns_.size(), kMaxColumns);
  spots_.reserve(columns_.size() + 1);
  Spot spot{0, 0, 0};
  for (RowColumn& column : columns_) {
    column.default_value.Own();
    spot.width = FixedWidth(column.type);
    spots_.push_back(spot);
    spot.fixed_before += spot.width;
    spot.variable_before += spot.width == 0 ? 1 : 0;
  }
  spot.width = 0;
  spots_.push_back(spot);
}

RowSchema::RowSchema(std::vector<RowColumn> stored, std::vector<uint32_t> places)
    : RowSchema(std::move(stored)) {
  shown_ = std::move(places);
  column_at_.assign(columns_.size(), -1);
  for (size_t i = 0; i < shown_.size(); ++i) {
    INVARIANT_LT(shown_[i], columns_.size());
    INVARIANT_EQ(column_at_[shown_[i]], -1);
    column_at_[shown_[i]] = static_cast<int>(i);
  }
}

RowSchema::RowSchema(const std::vector<Type>& types)
    : RowSchema([&] {
        std::vector<RowColumn> columns;
        columns.reserve(types.size());
        for (const Type& type : types) {
          columns.push_back({type, Value()});
        }
        return columns;
      }()) {}

Status EncodeRow(const RowSchema& schema, std::span<const Value> values,
                 std::span<const bool> out_of_line, std::string* out) {
  const bool all = values.size() == schema.size();
  if (values.size() > schema.size() || (!all && !schema.shown_.empty()) ||
      (!out_of_line.empty() && out_of_line.size() != values.size())) {
    return Status::InvalidArgument(
        fmt::format("encode row: {} values for {} columns", values.size(), schema.size()));
  }
  // By place from here on.
  const size_t n = all ? schema.stored_size() : values.size();
  const Value null;
  const auto value_at = [&](size_t place) -> const Value& {
    const int column = schema.ColumnAt(place);
    return column < 0 ? null : values[static_cast<size_t>(column)];
  };
  size_t variable_size = 0;
  for (size_t i = 0; i < n; ++i) {
    const Value& value = value_at(i);
    if (!schema.StoresFixed(i) && !value.is_null()) {
      if (!value.is_string()) {
        return NotHeld(schema.columns_[i].type, value);
      }
      variable_size += value.bytes().size();
    }
  }
  if (variable_size > kWideLimit) {
    return Status::InvalidArgument("encode row: longer than 2 GiB");
  }
  bool wide = variable_size > kNarrowLimit;
  size_t start = out->size();
  const RowSchema::Spot& end = schema.spots_[n];
  out->reserve(start + kHeaderSize + (n + 7) / 8 + end.fixed_before +
               end.variable_before * (wide ? 4U : 2U) + variable_size);
  *out += static_cast<char>(kFormat);
  *out += static_cast<char>(wide ? kWideOffsets : 0);
  AppendLittle(out, static_cast<uint16_t>(n));
  size_t bitmap = out->size();
  out->append((n + 7) / 8, '\0');
  for (size_t i = 0; i < n; ++i) {
    const Value& value = value_at(i);
    if (value.is_null()) {
      (*out)[bitmap + i / 8] |= static_cast<char>(1 << (i % 8));
      out->append(schema.spots_[i].width, '\0');
    } else if (schema.StoresFixed(i)) {
      RETURN_IF_ERROR(
          AppendFixedValue(schema.columns_[i].type, schema.spots_[i].width, value, out));
    }
  }
  uint32_t offset = 0;
  for (size_t i = 0; i < n; ++i) {
    if (schema.StoresFixed(i)) {
      continue;
    }
    const Value& value = value_at(i);
    offset += value.is_null() ? 0 : static_cast<uint32_t>(value.bytes().size());
    bool reference = !out_of_line.empty() && !value.is_null() &&
                     out_of_line[static_cast<size_t>(schema.ColumnAt(i))];
    if (wide) {
      AppendLittle(out, offset | (reference ? 0x80000000U : 0));
    } else {
      AppendLittle(out, static_cast<uint16_t>(offset | (reference ? 0x8000U : 0)));
    }
  }
  for (size_t i = 0; i < n; ++i) {
    if (!schema.StoresFixed(i) && !value_at(i).is_null()) {
      out->append(value_at(i).bytes());
    }
  }
  return {};
}

uint32_t RowView::EndOffset(size_t variable_index) const {
  const char* at = bytes_.data() + offsets_start_ + variable_index * (wide_ ? 4 : 2);
  return wide_ ? LoadLittle<uint32_t>(at) : [&] {
    uint32_t narrow = LoadLittle<uint16_t>(at);
    return (narrow & 0x8000U) << 16 | (narrow & 0x7FFFU);
  }();
}

Result<RowView> RowView::Open(const RowSchema& schema, std::string_view bytes) {
  if (bytes.size() < kHeaderSize) {
    return Status::Corruption(fmt::format("open row: {} bytes", bytes.size()));
  }
  uint8_t format = static_cast<uint8_t>(bytes[0]);
  uint8_t flags = static_cast<uint8_t>(bytes[1]);
  if (format != kFormat || (flags & ~kWideOffsets) != 0) {
    return Status::Corruption(fmt::format("open row: format {} flags {}", format, flags));
  }
  RowView row(&schema, bytes);
  row.stored_ = LoadLittle<uint16_t>(bytes.data() + 2);
  row.wide_ = (flags & kWideOffsets) != 0;
  if (row.stored_ > schema.stored_size()) {
    return Status::Corruption(
        fmt::format("open row: {} columns, the schema has {}", row.stored_, schema.stored_size()));
  }
  const RowSchema::Spot& end = schema.spots_[row.stored_];
  row.fixed_start_ = static_cast<uint32_t>(kHeaderSize + (row.stored_ + 7) / 8);
  row.offsets_start_ = row.fixed_start_ + end.fixed_before;
  row.data_start_ = row.offsets_start_ + end.variable_before * (row.wide_ ? 4U : 2U);
  if (bytes.size() < row.data_start_) {
    return Status::Corruption(
        fmt::format("open row: {} bytes, its columns need {}", bytes.size(), row.data_start_));
  }
  uint32_t previous = 0;
  for (size_t i = 0; i < end.variable_before; ++i) {
    uint32_t offset = row.EndOffset(i) & 0x7FFFFFFF;
    if (offset < previous) {
      return Status::Corruption("open row: offsets go back");
    }
    previous = offset;
  }
  if (bytes.size() - row.data_start_ != previous) {
    return Status::Corruption(fmt::format("open row: {} bytes of data, offsets end at {}",
                                          bytes.size() - row.data_start_, previous));
  }
  return row;
}

bool RowView::IsNull(size_t column) const {
  DCHECK(column < schema_->size());
  const size_t place = schema_->Place(column);
  if (place >= stored_) {
    return schema_->column(column).default_value.is_null();
  }
  return BitAt(bytes_.substr(kHeaderSize), place);
}

bool RowView::IsOutOfLine(size_t column) const {
  DCHECK(column < schema_->size());
  const size_t place = schema_->Place(column);
  return place < stored_ && !schema_->StoresFixed(place) &&
         (EndOffset(schema_->spots_[place].variable_before) & 0x80000000U) != 0;
}

Result<Value> RowView::Get(size_t column) const {
  DCHECK(column < schema_->size());
  const size_t place = schema_->Place(column);
  if (place >= stored_) {
    return schema_->column(column).default_value.Borrow();
  }
  if (BitAt(bytes_.substr(kHeaderSize), place)) {
    return Value::Null();
  }
  const RowSchema::Spot& spot = schema_->spots_[place];
  if (spot.width != 0) {
    return ReadFixedValue(schema_->type(column),
                          bytes_.substr(fixed_start_ + spot.fixed_before, spot.width));
  }
  size_t index = spot.variable_before;
  uint32_t begin = index == 0 ? 0 : EndOffset(index - 1) & 0x7FFFFFFF;
  uint32_t end = EndOffset(index) & 0x7FFFFFFF;
  return ReadVariableValue(schema_->type(column), bytes_.substr(data_start_ + begin, end - begin),
                           IsOutOfLine(column));
}

Status RowView::GetAll(std::vector<Value>* values) const {
  values->clear();
  values->reserve(schema_->size());
  for (size_t i = 0; i < schema_->size(); ++i) {
    ASSIGN_OR_RETURN(Value value, Get(i));
    values->push_back(std::move(value));
  }
  return {};
}

Status EncodeColumn(const Type& type, const Value& value, std::string* out) {
  uint8_t width = FixedWidth(type);
  if (width != 0) {
    return AppendFixedValue(type, width, value, out);
  }
  if (!value.is_string()) {
    return NotHeld(type, value);
  }
  out->append(value.bytes());
  return {};
}

Result<Value> DecodeColumn(const Type& type, std::string_view bytes) {
  uint8_t width = FixedWidth(type);
  if (width == 0) {
    return ReadVariableValue(type, bytes, false);
  }
  if (bytes.size() != width) {
    return Status::Corruption(
        fmt::format("decode {}: {} bytes for {}", SqlText(type), bytes.size(), width));
  }
  return ReadFixedValue(type, bytes);
}

}  // namespace borealis::row
