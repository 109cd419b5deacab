// What information_schema and SHOW say of a column and of an index, in MySQL's words.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "row/time_zone.h"
#include "sql/catalog/table_descriptor.h"

namespace borealis::sql {

// COLUMNS.COLUMN_DEFAULT; absent when there is none, or it is NULL.
std::optional<std::string> DefaultText(const ColumnDescriptor& column, const row::TimeZone& zone);
// "CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP(3)".
std::string NowText(const ColumnDescriptor& column);
// COLUMNS.EXTRA.
std::string ExtraText(const ColumnDescriptor& column);
// COLUMNS.COLUMN_KEY: "PRI", "UNI", "MUL" or "".
std::string_view KeyText(const TableDescriptor& table, uint32_t column);
// The hidden column of a functional key part, or null.
const ColumnDescriptor* FunctionalPart(const TableDescriptor& table, const IndexPart& part);
// Characters and bytes of the longest value, for columns of text and bytes.
struct CharacterLengths {
  uint64_t characters = 0;
  uint64_t octets = 0;
};
std::optional<CharacterLengths> LengthsOf(const row::Type& type);
// COLUMNS.NUMERIC_PRECISION and NUMERIC_SCALE.
std::optional<uint64_t> NumericPrecision(const row::Type& type);
std::optional<uint64_t> NumericScale(const row::Type& type);

// A table's keys or constraints, in the order in which MySQL lists them.
template <class Named>
std::vector<const Named*> SortedByName(const std::vector<Named>& all) {
  std::vector<const Named*> sorted;
  for (const Named& one : all) {
    sorted.push_back(&one);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const Named* a, const Named* b) { return FoldName(a->name) < FoldName(b->name); });
  return sorted;
}

// "NO ACTION", "CASCADE", …
std::string_view ActionText(ForeignKeyAction action);
// The value of a table option as written, e.g. of "MAX_ROWS"; empty when it was not.
std::string TableOptionText(const TableDescriptor& table, std::string_view name);

}  // namespace borealis::sql
