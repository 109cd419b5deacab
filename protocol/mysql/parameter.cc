#include "protocol/mysql/parameter.h"

#include "base/mysql_error.h"
#include "protocol/mysql/wire.h"

namespace borealis::mysql {

namespace {

constexpr uint8_t kUnsignedBit = 0x80;
constexpr uint64_t kMaxParameters = 65535;

ParameterValue Integer(ParameterType type, int64_t extended, uint64_t plain) {
  if (type.is_unsigned) {
    return plain;
  }
  return extended;
}

DateTime ReadDateTime(WireReader& reader) {
  DateTime value;
  const uint8_t size = reader.Int1();
  if (size == 0) {
    return value;
  }
  if (size != 4 && size != 7 && size != 11) {
    reader.Fail();
    return value;
  }
  value.year = reader.Int2();
  value.month = reader.Int1();
  value.day = reader.Int1();
  if (size >= 7) {
    value.hour = reader.Int1();
    value.minute = reader.Int1();
    value.second = reader.Int1();
  }
  if (size == 11) {
    value.microsecond = reader.Int4();
  }
  if (value.month > 12 || value.day > 31 || value.hour > 23 || value.minute > 59 ||
      value.second > 59 || value.microsecond > 999999) {
    reader.Fail();
  }
  return value;
}

TimeOfDay ReadTime(WireReader& reader) {
  TimeOfDay value;
  const uint8_t size = reader.Int1();
  if (size == 0) {
    return value;
  }
  if (size != 8 && size != 12) {
    reader.Fail();
    return value;
  }
  value.negative = reader.Int1() != 0;
  const uint32_t days = reader.Int4();
  const uint8_t hours = reader.Int1();
  value.minute = reader.Int1();
  value.second = reader.Int1();
  if (size == 12) {
    value.microsecond = reader.Int4();
  }
  // Larger values are for SQL to clamp to 838:59:59; these bounds only keep the sum in range.
  if (days > 1000000 || value.minute > 59 || value.second > 59 || value.microsecond > 999999) {
    reader.Fail();
    return value;
  }
  value.hour = days * 24 + hours;
  return value;
}

ParameterType ReadType(WireReader& reader) {
  ParameterType type;
  type.type = static_cast<ColumnType>(reader.Int1());
  type.is_unsigned = (reader.Int1() & kUnsignedBit) != 0;
  return type;
}

bool BitIsSet(std::string_view bitmap, size_t bit) {
  return (static_cast<unsigned char>(bitmap[bit / 8]) >> (bit % 8) & 1) != 0;
}

}  // namespace

ParameterValue DecodeBinaryValue(WireReader& reader, ParameterType type) {
  switch (type.type) {
    case ColumnType::kNull:
      return std::monostate{};
    case ColumnType::kTiny: {
      const uint8_t value = reader.Int1();
      return Integer(type, static_cast<int8_t>(value), value);
    }
    case ColumnType::kShort:
    case ColumnType::kYear: {
      const uint16_t value = reader.Int2();
      return Integer(type, static_cast<int16_t>(value), value);
    }
    case ColumnType::kLong:
    case ColumnType::kInt24: {
      const uint32_t value = reader.Int4();
      return Integer(type, static_cast<int32_t>(value), value);
    }
    case ColumnType::kLongLong: {
      const uint64_t value = reader.Int8();
      return Integer(type, static_cast<int64_t>(value), value);
    }
    case ColumnType::kFloat:
      return static_cast<double>(reader.Float());
    case ColumnType::kDouble:
      return reader.Double();
    case ColumnType::kDate:
    case ColumnType::kDateTime:
    case ColumnType::kTimestamp:
      return ReadDateTime(reader);
    case ColumnType::kTime:
      return ReadTime(reader);
    case ColumnType::kDecimal:
    case ColumnType::kVarchar:
    case ColumnType::kBit:
    case ColumnType::kJson:
    case ColumnType::kNewDecimal:
    case ColumnType::kEnum:
    case ColumnType::kSet:
    case ColumnType::kTinyBlob:
    case ColumnType::kMediumBlob:
    case ColumnType::kLongBlob:
    case ColumnType::kBlob:
    case ColumnType::kVarString:
    case ColumnType::kString:
    case ColumnType::kGeometry:
      return std::string(reader.LenEncString());
  }
  reader.Fail();
  return std::monostate{};
}

Status DecodeQueryAttributes(WireReader& reader, uint64_t count, std::vector<NamedParameter>* out) {
  if (count > kMaxParameters) {
    return UserError(ER_MALFORMED_PACKET);
  }
  const std::string_view nulls = reader.Bytes((count + 7) / 8);
  if (reader.Int1() != 1) {
    return UserError(ER_MALFORMED_PACKET);
  }
  std::vector<NamedParameter> attributes;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    NamedParameter& attribute = attributes.emplace_back();
    attribute.parameter.type = ReadType(reader);
    attribute.name = reader.LenEncString();
  }
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    if (!BitIsSet(nulls, i)) {
      attributes[i].parameter.value = DecodeBinaryValue(reader, attributes[i].parameter.type);
    }
  }
  if (!reader.ok()) {
    return UserError(ER_MALFORMED_PACKET);
  }
  *out = std::move(attributes);
  return Status::Ok();
}

Status ExecuteParameters::AddLongData(uint16_t parameter, std::string_view data,
                                      uint64_t max_size) {
  if (parameter >= long_data_.size()) {
    return UserError(ER_WRONG_ARGUMENTS, "mysqld_stmt_send_long_data");
  }
  LongData& slot = long_data_[parameter];
  if (slot.bytes.size() + data.size() > max_size) {
    return UserError(ER_NET_PACKET_TOO_LARGE);
  }
  slot.present = true;
  slot.bytes.append(data);
  return Status::Ok();
}

void ExecuteParameters::ResetLongData() {
  for (LongData& slot : long_data_) {
    slot = {};
  }
}

Status ExecuteParameters::Decode(std::string_view bytes, uint8_t flags, uint32_t capabilities,
                                 std::vector<Parameter>* values,
                                 std::vector<NamedParameter>* attributes) {
  values->assign(types_.size(), {});
  attributes->clear();
  WireReader reader(bytes);
  const bool with_attributes = (capabilities & kClientQueryAttributes) != 0;
  uint64_t total = types_.size();
  if (with_attributes && (total > 0 || (flags & kParameterCountAvailable) != 0)) {
    // With the flag the count includes attributes; without it clients repeat the statement's.
    total = (flags & kParameterCountAvailable) != 0 ? reader.LenEncInt() : total;
    if (!reader.ok() || total < types_.size() || total > kMaxParameters) {
      return UserError(ER_MALFORMED_PACKET);
    }
  }
  if (total == 0) {
    return Status::Ok();
  }
  const std::string_view nulls = reader.Bytes((total + 7) / 8);
  const bool bind = reader.Int1() == 1;
  std::vector<NamedParameter> extra(total - types_.size());
  if (!reader.ok() || (!bind && !extra.empty())) {
    return UserError(ER_MALFORMED_PACKET);
  }
  if (bind) {
    for (uint64_t i = 0; i < total && reader.ok(); ++i) {
      const ParameterType type = ReadType(reader);
      const std::string_view name = with_attributes && (flags & kParameterCountAvailable) != 0
                                        ? reader.LenEncString()
                                        : std::string_view();
      if (i < types_.size()) {
        types_[i] = type;
      } else {
        extra[i - types_.size()] = {std::string(name), {type, {}}};
      }
    }
    bound_ = reader.ok();
  }
  if (!bound_) {
    return reader.ok() ? UserError(ER_WRONG_ARGUMENTS, "mysqld_stmt_execute")
                       : UserError(ER_MALFORMED_PACKET);
  }
  for (uint64_t i = 0; i < total && reader.ok(); ++i) {
    if (i >= types_.size()) {
      Parameter& attribute = extra[i - types_.size()].parameter;
      if (!BitIsSet(nulls, i)) {
        attribute.value = DecodeBinaryValue(reader, attribute.type);
      }
      continue;
    }
    Parameter& parameter = (*values)[i];
    parameter.type = types_[i];
    if (long_data_[i].present) {
      parameter.value = std::move(long_data_[i].bytes);
    } else if (!BitIsSet(nulls, i)) {
      parameter.value = DecodeBinaryValue(reader, parameter.type);
    }
  }
  ResetLongData();
  if (!reader.ok()) {
    return UserError(ER_MALFORMED_PACKET);
  }
  *attributes = std::move(extra);
  return Status::Ok();
}

}  // namespace borealis::mysql
