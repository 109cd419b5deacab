#include "sql/context/computed_column.h"

#include "row/collation.h"

namespace borealis::sql {
namespace {

// MySQL has these texts in utf8mb3.
constexpr row::CollationId kCollation = row::kUtf8mb3GeneralCi;
constexpr uint64_t kBytesOfChar = 3;
constexpr uint64_t kVarcharBytes = 65535;
constexpr uint64_t kMediumTextBytes = 0xFFFFFF;

ResultColumn Computed(std::string_view name, row::Type type) {
  ResultColumn column;
  column.name = name;
  column.type = std::move(type);
  column.computed = true;
  return column;
}

}  // namespace

ResultColumn TextColumn(std::string_view name, uint64_t chars, bool nullable) {
  const uint64_t bytes = chars * kBytesOfChar;
  row::Type type = row::Type::Varchar(static_cast<uint32_t>(chars), kCollation);
  if (bytes > kVarcharBytes) {
    type.kind = bytes <= kMediumTextBytes ? row::TypeKind::kMediumText : row::TypeKind::kLongText;
  }
  return Computed(name, type.Nullable(nullable));
}

ResultColumn NumberColumn(std::string_view name, row::Type type, uint32_t width) {
  type.length = width;
  return Computed(name, std::move(type));
}

}  // namespace borealis::sql
