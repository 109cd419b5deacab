#include "sql/executor/show/column_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "row/collation.h"
#include "row/convert.h"

namespace borealis::sql {
namespace {

std::string BitText(uint64_t bits) {
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + (bits & 1)));
    bits >>= 1;
  } while (bits != 0);
  return "b'" + digits + "'";
}

std::string HexText(std::string_view bytes) {
  std::string text = "0x";
  for (const char byte : bytes) {
    text += fmt::format("{:02X}", static_cast<unsigned char>(byte));
  }
  return text;
}

// Without a primary key the first unique index over NOT NULL columns stands in for it.
const IndexDescriptor* PrimaryOrPromoted(const TableDescriptor& table) {
  for (const IndexDescriptor& index : table.indexes) {
    if (index.kind == IndexKind::kPrimary) {
      return &index;
    }
  }
  for (const IndexDescriptor& index : table.indexes) {
    if (index.kind == IndexKind::kUnique &&
        std::none_of(index.parts.begin(), index.parts.end(), [&](const IndexPart& part) {
          const ColumnDescriptor& column = table.columns[part.column];
          return column.type.nullable || column.hidden || part.prefix_length != 0;
        })) {
      return &index;
    }
  }
  return nullptr;
}

}  // namespace

std::string NowText(const ColumnDescriptor& column) {
  return column.type.scale == 0 ? "CURRENT_TIMESTAMP"
                                : fmt::format("CURRENT_TIMESTAMP({})", column.type.scale);
}

std::optional<std::string> DefaultText(const ColumnDescriptor& column, const row::TimeZone& zone) {
  const ColumnDefault& value = column.default_value;
  switch (value.kind) {
    case DefaultKind::kNone:
      return std::nullopt;
    case DefaultKind::kNow:
      return NowText(column);
    case DefaultKind::kExpression:
      return value.text;
    case DefaultKind::kLiteral:
      break;
  }
  if (value.value.is_null()) {
    return std::nullopt;
  }
  if (column.type.kind == row::TypeKind::kBit) {
    return BitText(static_cast<uint64_t>(value.value.raw_int()));
  }
  if (column.type.is_binary_string()) {
    // MySQL keeps this text as a C string, without what follows a zero byte.
    const std::string_view bytes = value.value.bytes();
    return HexText(bytes.substr(0, bytes.find('\0')));
  }
  return row::ToText(value.value, column.type, zone);
}

std::string ExtraText(const ColumnDescriptor& column) {
  std::string text;
  const auto add = [&text](std::string_view word) {
    text += text.empty() ? "" : " ";
    text += word;
  };
  if (column.auto_increment) {
    add("auto_increment");
  }
  if (column.default_value.kind == DefaultKind::kNow ||
      column.default_value.kind == DefaultKind::kExpression) {
    add("DEFAULT_GENERATED");
  }
  if (column.on_update_now) {
    add("on update " + NowText(column));
  }
  if (column.generated != GeneratedKind::kNone) {
    add(column.generated == GeneratedKind::kStored ? "STORED GENERATED" : "VIRTUAL GENERATED");
  }
  if (column.invisible) {
    add("INVISIBLE");
  }
  return text;
}

std::string_view KeyText(const TableDescriptor& table, uint32_t column) {
  if (const IndexDescriptor* primary = PrimaryOrPromoted(table); primary != nullptr) {
    for (const IndexPart& part : primary->parts) {
      if (part.column == column) {
        return "PRI";
      }
    }
  }
  // The first index that begins with the column decides.
  for (const IndexDescriptor& index : table.indexes) {
    if (index.kind != IndexKind::kRowId && !index.parts.empty() &&
        index.parts[0].column == column) {
      return index.unique() && index.parts.size() == 1 ? "UNI" : "MUL";
    }
  }
  return "";
}

const ColumnDescriptor* FunctionalPart(const TableDescriptor& table, const IndexPart& part) {
  const ColumnDescriptor& column = table.columns[part.column];
  return column.hidden && column.generated != GeneratedKind::kNone ? &column : nullptr;
}

std::optional<CharacterLengths> LengthsOf(const row::Type& type) {
  if (type.is_enum_or_set()) {
    uint64_t longest = 0;
    uint64_t total = 0;
    for (const std::string& member : *type.members) {
      const uint64_t chars = row::CharCount(member);
      longest = std::max(longest, chars);
      total += chars + (total == 0 ? 0 : 1);  // a comma before each further one
    }
    const uint64_t chars = type.kind == row::TypeKind::kEnum ? longest : total;
    const auto bytes = static_cast<uint64_t>(row::GetCollation(type.collation).charset().max_bytes);
    return CharacterLengths{chars, chars * bytes};
  }
  if (!type.is_string()) {
    return std::nullopt;
  }
  const uint64_t length = row::MaxLength(type);
  if (type.kind == row::TypeKind::kChar || type.kind == row::TypeKind::kVarchar) {
    const auto bytes = static_cast<uint64_t>(row::GetCollation(type.collation).charset().max_bytes);
    return CharacterLengths{length, length * bytes};
  }
  return CharacterLengths{length, length};
}

std::optional<uint64_t> NumericPrecision(const row::Type& type) {
  switch (type.kind) {
    case row::TypeKind::kTinyInt:
      return 3;
    case row::TypeKind::kSmallInt:
      return 5;
    case row::TypeKind::kMediumInt:
      return 7;
    case row::TypeKind::kInt:
      return 10;
    case row::TypeKind::kBigInt:
      return type.is_unsigned ? 20 : 19;
    case row::TypeKind::kDecimal:
    case row::TypeKind::kBit:
      return type.length;
    case row::TypeKind::kFloat:
      return type.length != 0 ? type.length : 12;
    case row::TypeKind::kDouble:
      return type.length != 0 ? type.length : 22;
    default:
      return std::nullopt;
  }
}

std::optional<uint64_t> NumericScale(const row::Type& type) {
  if (type.is_integer() || type.is_decimal()) {
    return type.scale;
  }
  if (type.is_floating() && type.scale != row::Type::kFloatingScale) {
    return type.scale;
  }
  return std::nullopt;
}

std::string_view ActionText(ForeignKeyAction action) {
  switch (action) {
    case ForeignKeyAction::kRestrict:
      return "RESTRICT";
    case ForeignKeyAction::kCascade:
      return "CASCADE";
    case ForeignKeyAction::kSetNull:
      return "SET NULL";
    case ForeignKeyAction::kSetDefault:
      return "SET DEFAULT";
    case ForeignKeyAction::kNoAction:
      break;
  }
  return "NO ACTION";
}

std::string TableOptionText(const TableDescriptor& table, std::string_view name) {
  if (name == "ROW_FORMAT") {
    return table.row_format;
  }
  for (const auto& [option, value] : table.options) {
    if (option == name) {
      return value;
    }
  }
  return "";
}

}  // namespace borealis::sql
