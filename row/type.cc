// Limits, protocol metadata and SQL text of types.
#include "row/type.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/invariant.h"
#include "row/collation.h"

namespace borealis::row {

namespace {

struct KindInfo {
  std::string_view name;
  MysqlTypeCode code;
  uint8_t signed_width;  // display characters, integers only
  uint8_t unsigned_width;
  uint64_t max_bytes;  // TEXT and BLOB
};

const KindInfo& Info(TypeKind kind) {
  using C = MysqlTypeCode;
  static constexpr KindInfo kInfo[] = {
      {"null", C::kNull, 0, 0, 0},
      {"tinyint", C::kTiny, 4, 3, 0},
      {"smallint", C::kShort, 6, 5, 0},
      {"mediumint", C::kInt24, 9, 8, 0},
      {"int", C::kLong, 11, 10, 0},
      {"bigint", C::kLongLong, 20, 20, 0},
      {"decimal", C::kNewDecimal, 0, 0, 0},
      {"float", C::kFloat, 12, 12, 0},
      {"double", C::kDouble, 22, 22, 0},
      {"bit", C::kBit, 0, 0, 0},
      {"year", C::kYear, 4, 4, 0},
      {"date", C::kDate, 10, 10, 0},
      {"time", C::kTime, 10, 10, 0},
      {"datetime", C::kDateTime, 19, 19, 0},
      {"timestamp", C::kTimestamp, 19, 19, 0},
      {"char", C::kString, 0, 0, 0},
      {"varchar", C::kVarString, 0, 0, 0},
      {"tinytext", C::kBlob, 0, 0, 0xFF},
      {"text", C::kBlob, 0, 0, 0xFFFF},
      {"mediumtext", C::kBlob, 0, 0, 0xFFFFFF},
      {"longtext", C::kBlob, 0, 0, 0xFFFFFFFF},
      {"binary", C::kString, 0, 0, 0},
      {"varbinary", C::kVarString, 0, 0, 0},
      {"tinyblob", C::kBlob, 0, 0, 0xFF},
      {"blob", C::kBlob, 0, 0, 0xFFFF},
      {"mediumblob", C::kBlob, 0, 0, 0xFFFFFF},
      {"longblob", C::kBlob, 0, 0, 0xFFFFFFFF},
      {"enum", C::kString, 0, 0, 0},
      {"set", C::kString, 0, 0, 0},
      {"json", C::kJson, 0, 0, 0xFFFFFFFF},
  };
  size_t index = static_cast<size_t>(kind);
  INVARIANT_LT(index, std::size(kInfo));
  return kInfo[index];
}

Type Make(TypeKind kind, uint32_t length = 0, uint8_t scale = 0,
          CollationId collation = kBinaryCollation) {
  Type type;
  type.kind = kind;
  type.length = length;
  type.scale = scale;
  type.collation = collation;
  return type;
}

int IntegerBits(TypeKind kind) {
  switch (kind) {
    case TypeKind::kTinyInt:
      return 8;
    case TypeKind::kSmallInt:
      return 16;
    case TypeKind::kMediumInt:
      return 24;
    case TypeKind::kInt:
      return 32;
    default:
      return 64;
  }
}

std::string QuotedMembers(const Type& type) {
  std::string text = "(";
  for (const std::string& member : *type.members) {
    text += text.size() > 1 ? ",'" : "'";
    for (char c : member) {
      text += c;
      if (c == '\'') {
        text += c;
      }
    }
    text += '\'';
  }
  return text + ")";
}

}  // namespace

Type Type::Integer(TypeKind kind, bool is_unsigned) {
  Type type = Make(kind);
  type.is_unsigned = is_unsigned;
  return type;
}
Type Type::Boolean() {
  return Make(TypeKind::kBigInt, 1);
}
Type Type::Decimal(uint32_t precision, uint8_t scale) {
  return Make(TypeKind::kDecimal, precision, scale);
}
Type Type::Double() {
  return Make(TypeKind::kDouble, 0, kFloatingScale);
}
Type Type::Float() {
  return Make(TypeKind::kFloat, 0, kFloatingScale);
}
Type Type::Bit(uint32_t bits) {
  Type type = Make(TypeKind::kBit, bits);
  type.is_unsigned = true;
  return type;
}
Type Type::Year() {
  Type type = Make(TypeKind::kYear, 4);
  type.is_unsigned = true;
  type.zerofill = true;
  return type;
}
Type Type::Date() {
  return Make(TypeKind::kDate);
}
Type Type::Time(uint8_t fsp) {
  return Make(TypeKind::kTime, 0, fsp);
}
Type Type::DateTime(uint8_t fsp) {
  return Make(TypeKind::kDateTime, 0, fsp);
}
Type Type::Timestamp(uint8_t fsp) {
  return Make(TypeKind::kTimestamp, 0, fsp);
}
Type Type::Char(uint32_t chars, CollationId collation) {
  return Make(TypeKind::kChar, chars, 0, collation);
}
Type Type::Varchar(uint32_t chars, CollationId collation) {
  return Make(TypeKind::kVarchar, chars, 0, collation);
}
Type Type::Text(TypeKind kind, CollationId collation) {
  return Make(kind, 0, 0, collation);
}
Type Type::Binary(uint32_t bytes) {
  return Make(TypeKind::kBinary, bytes);
}
Type Type::Varbinary(uint32_t bytes) {
  return Make(TypeKind::kVarbinary, bytes);
}
Type Type::Blob(TypeKind kind) {
  return Make(kind);
}
Type Type::Enum(TypeMembers members, CollationId collation) {
  Type type = Make(TypeKind::kEnum, 0, 0, collation);
  type.members = std::move(members);
  return type;
}
Type Type::Set(TypeMembers members, CollationId collation) {
  Type type = Make(TypeKind::kSet, 0, 0, collation);
  type.members = std::move(members);
  return type;
}
Type Type::Json() {
  return Make(TypeKind::kJson, 0, 0, kUtf8mb4Bin);
}

bool Type::operator==(const Type& other) const {
  return kind == other.kind && is_unsigned == other.is_unsigned && zerofill == other.zerofill &&
         nullable == other.nullable && scale == other.scale && collation == other.collation &&
         length == other.length &&
         (members == other.members ||
          (members != nullptr && other.members != nullptr && *members == *other.members));
}

uint64_t MaxLength(const Type& type) {
  uint64_t limit = Info(type.kind).max_bytes;
  if (limit != 0) {
    return type.length != 0 ? std::min<uint64_t>(limit, type.length) : limit;
  }
  return type.is_string() ? type.length : DisplayWidth(type);
}

uint32_t DisplayWidth(const Type& type) {
  const KindInfo& info = Info(type.kind);
  switch (type.kind) {
    case TypeKind::kDecimal:
      return type.length + (type.scale > 0 ? 1 : 0) + (type.is_unsigned ? 0 : 1);
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return type.length != 0 ? type.length : info.signed_width;
    case TypeKind::kTime:
    case TypeKind::kDateTime:
    case TypeKind::kTimestamp:
      return info.signed_width + (type.scale > 0 ? type.scale + 1U : 0U);
    case TypeKind::kBit:
      return type.length;
    case TypeKind::kEnum: {
      size_t longest = 0;
      for (const std::string& member : *type.members) {
        longest = std::max(longest, CharCount(member));
      }
      return static_cast<uint32_t>(longest);
    }
    case TypeKind::kSet: {
      size_t total = type.members->empty() ? 0 : type.members->size() - 1;
      for (const std::string& member : *type.members) {
        total += CharCount(member);
      }
      return static_cast<uint32_t>(total);
    }
    default:
      break;
  }
  if (type.is_integer() && type.length != 0) {
    return type.length;
  }
  if (type.is_string() || type.kind == TypeKind::kJson) {
    return static_cast<uint32_t>(type.length != 0 || info.max_bytes == 0 ? type.length
                                                                         : info.max_bytes);
  }
  return type.is_unsigned ? info.unsigned_width : info.signed_width;
}

uint32_t ColumnLengthBytes(const Type& type) {
  uint64_t characters = DisplayWidth(type);
  bool wide = type.has_collation() && type.collation != kBinaryCollation;
  return static_cast<uint32_t>(std::min<uint64_t>(characters * (wide ? 4 : 1), 0xFFFFFFFF));
}

MysqlTypeCode WireTypeCode(const Type& type) {
  return Info(type.kind).code;
}

uint16_t WireFlags(const Type& type) {
  uint16_t flags = 0;
  auto set = [&](bool on, MysqlColumnFlag flag) { flags |= on ? flag : 0; };
  set(!type.nullable, kNotNullFlag);
  set(type.is_numeric() && type.is_unsigned, kUnsignedFlag);
  set(type.is_numeric() && type.zerofill, kZerofillFlag);
  set(type.is_blob() || type.kind == TypeKind::kJson, kBlobFlag);
  set(type.kind == TypeKind::kEnum, kEnumFlag);
  set(type.kind == TypeKind::kSet, kSetFlag);
  bool bytewise = type.has_collation() && GetCollation(type.collation).is_bytewise();
  set(bytewise || type.is_temporal() || type.is_binary_string() || type.kind == TypeKind::kJson,
      kBinaryFlag);
  return flags;
}

uint16_t WireFlagsOfComputed(const Type& type) {
  const bool text = type.has_collation() && !GetCollation(type.collation).is_bytewise() &&
                    !type.is_binary_string();
  return static_cast<uint16_t>((type.nullable ? 0 : kNotNullFlag) |
                               (type.is_numeric() && type.is_unsigned ? kUnsignedFlag : 0) |
                               (text ? 0 : kBinaryFlag));
}

uint8_t WireDecimals(const Type& type) {
  return type.scale;
}

CollationId WireCollation(const Type& type) {
  if (type.kind == TypeKind::kJson) {
    return kBinaryCollation;
  }
  return type.has_collation() ? type.collation : kBinaryCollation;
}

int64_t MinSigned(const Type& type) {
  return INT64_MIN >> (64 - IntegerBits(type.kind));
}
int64_t MaxSigned(const Type& type) {
  return INT64_MAX >> (64 - IntegerBits(type.kind));
}
uint64_t MaxUnsigned(const Type& type) {
  return UINT64_MAX >> (64 - IntegerBits(type.kind));
}

std::string_view SqlName(TypeKind kind) {
  return Info(kind).name;
}

std::string SqlText(const Type& type) {
  std::string text(SqlName(type.kind));
  switch (type.kind) {
    case TypeKind::kDecimal:
      text += fmt::format("({},{})", type.length, type.scale);
      break;
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      if (type.scale != Type::kFloatingScale) {
        text += fmt::format("({},{})", type.length, type.scale);
      }
      break;
    case TypeKind::kBit:
    case TypeKind::kChar:
    case TypeKind::kVarchar:
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      text += fmt::format("({})", type.length);
      break;
    case TypeKind::kTime:
    case TypeKind::kDateTime:
    case TypeKind::kTimestamp:
      if (type.scale > 0) {
        text += fmt::format("({})", type.scale);
      }
      break;
    case TypeKind::kEnum:
    case TypeKind::kSet:
      text += QuotedMembers(type);
      break;
    default:
      if (type.is_integer() && type.zerofill) {
        text += fmt::format("({})", DisplayWidth(type));
      } else if (type.kind == TypeKind::kTinyInt && type.length == 1 && !type.is_unsigned) {
        text += "(1)";
      }
  }
  if (type.is_integer() || type.is_decimal() || type.is_floating()) {
    text += type.is_unsigned ? " unsigned" : "";
    text += type.zerofill ? " zerofill" : "";
  }
  return text;
}

}  // namespace borealis::row
