#include "sql/binder/column_type.h"

#include <fmt/format.h>

#include <map>

#include "base/mysql_error.h"
#include "row/collation.h"

namespace borealis::sql {
namespace {

using Kind = row::TypeKind;

constexpr uint64_t kRowBytesMax = 65535;
constexpr uint64_t kCharMax = 255;
constexpr size_t kEnumMembersMax = 65535;
constexpr size_t kSetMembersMax = 64;

class TypeResolver {
 public:
  TypeResolver(const TypeName& type, const ColumnTypeInput& input) : type_(type), input_(input) {}

  Result<row::Type> Resolve() {
    switch (type_.kind) {
      case TypeKind::kTinyInt:
        return Integer(Kind::kTinyInt);
      case TypeKind::kSmallInt:
        return Integer(Kind::kSmallInt);
      case TypeKind::kMediumInt:
        return Integer(Kind::kMediumInt);
      case TypeKind::kInt:
        return Integer(Kind::kInt);
      case TypeKind::kBigInt:
        return Integer(Kind::kBigInt);
      case TypeKind::kDecimal:
        return Decimal();
      case TypeKind::kFloat:
        return Floating(Kind::kFloat);
      case TypeKind::kDouble:
        return Floating(Kind::kDouble);
      case TypeKind::kBit:
        return Bit();
      case TypeKind::kYear:
        if (type_.length.has_value() && *type_.length != 4) {
          return UserError(ER_INVALID_YEAR_COLUMN_LENGTH);
        }
        return row::Type::Year();
      case TypeKind::kDate:
        return row::Type::Date();
      case TypeKind::kTime:
      case TypeKind::kDatetime:
      case TypeKind::kTimestamp:
        return Temporal();
      case TypeKind::kChar:
      case TypeKind::kVarchar:
      case TypeKind::kTinyText:
      case TypeKind::kText:
      case TypeKind::kMediumText:
      case TypeKind::kLongText:
      case TypeKind::kBinary:
      case TypeKind::kVarbinary:
      case TypeKind::kTinyBlob:
      case TypeKind::kBlob:
      case TypeKind::kMediumBlob:
      case TypeKind::kLongBlob:
        return StringType();
      case TypeKind::kEnum:
      case TypeKind::kSet:
        return Members();
      case TypeKind::kJson:
        return row::Type::Json();
      default:
        return UserError(ER_NOT_SUPPORTED_YET, "spatial data types");
    }
  }

 private:
  Result<row::Type> Integer(Kind kind) {
    row::Type type = row::Type::Integer(kind, type_.is_unsigned || type_.zerofill);
    type.zerofill = type_.zerofill;
    type.length = 0;
    if (type_.length.has_value()) {
      if (*type_.length > 255) {
        return UserError(ER_TOO_BIG_DISPLAYWIDTH, input_.column, 255);
      }
      bool is_bool = kind == Kind::kTinyInt && *type_.length == 1 && !type.is_unsigned;
      if (is_bool || type.zerofill) {
        type.length = static_cast<uint32_t>(*type_.length);
      }
    }
    if (type.zerofill && type.length == 0) {
      static constexpr uint32_t kWidths[] = {3, 5, 8, 10, 20};
      type.length = kWidths[static_cast<int>(kind) - static_cast<int>(Kind::kTinyInt)];
    }
    return type;
  }

  Result<row::Type> Decimal() {
    uint64_t precision = type_.length.value_or(10);
    uint64_t scale = type_.scale.value_or(0);
    if (scale > 30) {
      return UserError(ER_TOO_BIG_SCALE, scale, input_.column, 30);
    }
    if (precision > 65) {
      return UserError(ER_TOO_BIG_PRECISION, precision, input_.column, 65);
    }
    if (precision == 0 && scale == 0) {
      precision = 10;
    }
    if (precision < scale) {
      return UserError(ER_M_BIGGER_THAN_D, input_.column);
    }
    row::Type type =
        row::Type::Decimal(static_cast<uint32_t>(precision), static_cast<uint8_t>(scale));
    type.is_unsigned = type_.is_unsigned || type_.zerofill;
    type.zerofill = type_.zerofill;
    return type;
  }

  Result<row::Type> Floating(Kind kind) {
    row::Type type = kind == Kind::kFloat ? row::Type::Float() : row::Type::Double();
    if (type_.length.has_value() && !type_.scale.has_value()) {
      if (kind != Kind::kFloat || *type_.length > 53) {
        return UserError(ER_WRONG_FIELD_SPEC, input_.column);
      }
      type = *type_.length > 24 ? row::Type::Double() : row::Type::Float();
    } else if (type_.length.has_value()) {
      if (*type_.scale > 30) {
        return UserError(ER_TOO_BIG_SCALE, *type_.scale, input_.column, 30);
      }
      if (*type_.length > 255) {
        return UserError(ER_TOO_BIG_DISPLAYWIDTH, input_.column, 255);
      }
      if (*type_.length < *type_.scale) {
        return UserError(ER_M_BIGGER_THAN_D, input_.column);
      }
      type.length = static_cast<uint32_t>(*type_.length);
      type.scale = static_cast<uint8_t>(*type_.scale);
    }
    type.is_unsigned = type_.is_unsigned || type_.zerofill;
    type.zerofill = type_.zerofill;
    return type;
  }

  Result<row::Type> Bit() {
    uint64_t bits = type_.length.value_or(1);
    if (bits == 0) {
      return UserError(ER_INVALID_FIELD_SIZE, input_.column);
    }
    if (bits > 64) {
      return UserError(ER_TOO_BIG_DISPLAYWIDTH, input_.column, 64);
    }
    return row::Type::Bit(static_cast<uint32_t>(bits));
  }

  Result<row::Type> Temporal() {
    uint64_t fsp = type_.length.value_or(0);
    if (fsp > 6) {
      return UserError(ER_TOO_BIG_PRECISION, fsp, input_.column, 6);
    }
    auto digits = static_cast<uint8_t>(fsp);
    switch (type_.kind) {
      case TypeKind::kTime:
        return row::Type::Time(digits);
      case TypeKind::kDatetime:
        return row::Type::DateTime(digits);
      default:
        return row::Type::Timestamp(digits);
    }
  }

  // The collation of a text, ENUM or SET column; 63 when CHARACTER SET binary makes it bytes.
  Result<row::CollationId> TextCollation() {
    std::string_view charset = type_.charset;
    if (charset.empty() && type_.national) {
      charset = "utf8mb3";
    }
    ASSIGN_OR_RETURN(row::CollationId id,
                     ResolveCollation(charset, type_.collation, input_.collation));
    if (type_.binary_collation && type_.collation.empty()) {
      id = row::GetCollation(id).charset().binary_collation;
    }
    return id;
  }

  static bool IsBytes(TypeKind kind) {
    return kind >= TypeKind::kBinary && kind <= TypeKind::kLongBlob;
  }

  Result<row::Type> StringType() {
    row::CollationId collation = row::kBinaryCollation;
    if (!IsBytes(type_.kind)) {
      ASSIGN_OR_RETURN(collation, TextCollation());
    }
    bool bytes = collation == row::kBinaryCollation;
    uint64_t char_bytes =
        bytes ? 1 : static_cast<uint64_t>(row::GetCollation(collation).charset().max_bytes);
    switch (type_.kind) {
      case TypeKind::kChar:
      case TypeKind::kBinary: {
        uint64_t length = type_.length.value_or(1);
        if (length > kCharMax) {
          return UserError(ER_TOO_BIG_FIELDLENGTH, input_.column, kCharMax);
        }
        auto size = static_cast<uint32_t>(length);
        return bytes ? row::Type::Binary(size) : row::Type::Char(size, collation);
      }
      case TypeKind::kVarchar:
      case TypeKind::kVarbinary:
        return Varying(bytes, collation, char_bytes);
      default:
        return Large(bytes, collation, char_bytes);
    }
  }

  Result<row::Type> Varying(bool bytes, row::CollationId collation, uint64_t char_bytes) {
    uint64_t length = type_.length.value_or(1);
    if (length > kRowBytesMax / char_bytes) {
      if (row::IsStrict(input_.sql_mode)) {
        return UserError(ER_TOO_BIG_FIELDLENGTH, input_.column, kRowBytesMax / char_bytes);
      }
      row::Type large = SizedLarge(bytes, collation, length * char_bytes);
      if (input_.warnings != nullptr) {
        input_.warnings->AddWarning(
            row::WarningLevel::kNote, ER_AUTO_CONVERT,
            std::string(UserError(ER_AUTO_CONVERT, input_.column, bytes ? "VARBINARY" : "VARCHAR",
                                  bytes ? "BLOB" : "TEXT")
                            .message()));
      }
      return large;
    }
    auto size = static_cast<uint32_t>(length);
    return bytes ? row::Type::Varbinary(size) : row::Type::Varchar(size, collation);
  }

  // The smallest TEXT or BLOB that holds `bytes`.
  static row::Type SizedLarge(bool binary, row::CollationId collation, uint64_t bytes) {
    int step = bytes <= 0xFF ? 0 : bytes <= 0xFFFF ? 1 : bytes <= 0xFFFFFF ? 2 : 3;
    int first = static_cast<int>(binary ? Kind::kTinyBlob : Kind::kTinyText);
    auto kind = static_cast<Kind>(first + step);
    return binary ? row::Type::Blob(kind) : row::Type::Text(kind, collation);
  }

  Result<row::Type> Large(bool bytes, row::CollationId collation, uint64_t char_bytes) {
    if (type_.length.has_value() &&
        (type_.kind == TypeKind::kText || type_.kind == TypeKind::kBlob)) {
      if (*type_.length > 0xFFFFFFFF) {
        return UserError(ER_TOO_BIG_DISPLAYWIDTH, input_.column, 0xFFFFFFFFu);
      }
      if (*type_.length > 0) {
        return SizedLarge(bytes, collation, *type_.length * char_bytes);
      }
    }
    int step = 0;
    switch (type_.kind) {
      case TypeKind::kText:
      case TypeKind::kBlob:
        step = 1;
        break;
      case TypeKind::kMediumText:
      case TypeKind::kMediumBlob:
        step = 2;
        break;
      case TypeKind::kLongText:
      case TypeKind::kLongBlob:
        step = 3;
        break;
      default:
        break;
    }
    auto kind =
        static_cast<Kind>(static_cast<int>(bytes ? Kind::kTinyBlob : Kind::kTinyText) + step);
    return bytes ? row::Type::Blob(kind) : row::Type::Text(kind, collation);
  }

  Result<row::Type> Members() {
    bool is_set = type_.kind == TypeKind::kSet;
    ASSIGN_OR_RETURN(row::CollationId id, TextCollation());
    const row::Collation& collation = row::GetCollation(id);
    auto members = std::make_shared<std::vector<std::string>>();
    std::map<std::string, std::string> keys;  // to the member that had it first
    if (is_set && type_.values.size() > kSetMembersMax) {
      return UserError(ER_TOO_BIG_SET, input_.column);
    }
    if (!is_set && type_.values.size() > kEnumMembersMax) {
      return UserError(ER_TOO_MANY_FIELDS);
    }
    for (std::string member : type_.values) {
      if (id != row::kBinaryCollation) {
        while (!member.empty() && member.back() == ' ') {
          member.pop_back();
        }
      }
      if (row::CharCount(member) > kCharMax) {
        return UserError(ER_TOO_LONG_SET_ENUM_VALUE, input_.column);
      }
      if (is_set && member.find(',') != std::string::npos) {
        return UserError(ER_ILLEGAL_VALUE_FOR_TYPE, "set", member);
      }
      auto [first, fresh] = keys.try_emplace(collation.SortKey(member), member);
      if (!fresh) {
        Status duplicate = UserError(ER_DUPLICATED_VALUE_IN_TYPE, input_.column, first->second,
                                     is_set ? "SET" : "ENUM");
        if (row::IsStrict(input_.sql_mode)) {
          return duplicate;
        }
        if (input_.warnings != nullptr) {
          input_.warnings->AddWarning(duplicate);
        }
      }
      members->push_back(std::move(member));
    }
    return is_set ? row::Type::Set(std::move(members), id)
                  : row::Type::Enum(std::move(members), id);
  }

  const TypeName& type_;
  const ColumnTypeInput& input_;
};

}  // namespace

Result<row::CollationId> ResolveCollation(std::string_view charset, std::string_view collation,
                                          row::CollationId inherited) {
  const row::Charset* set = nullptr;
  if (charset == "default") {
    return inherited;
  }
  if (!charset.empty()) {
    set = row::FindCharset(charset);
    if (set == nullptr) {
      return UserError(ER_UNKNOWN_CHARACTER_SET, charset);
    }
  }
  if (!collation.empty() && collation != "default") {
    const row::Collation* found = row::FindCollation(collation);
    if (found == nullptr) {
      return UserError(ER_UNKNOWN_COLLATION, collation);
    }
    if (set != nullptr && found->charset().id != set->id) {
      return UserError(ER_COLLATION_CHARSET_MISMATCH, found->name(), set->name);
    }
    return found->id();
  }
  return set != nullptr ? set->default_collation : inherited;
}

Result<row::Type> ResolveColumnType(const TypeName& type, const ColumnTypeInput& input) {
  return TypeResolver(type, input).Resolve();
}

}  // namespace borealis::sql
