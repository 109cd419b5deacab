#include "tests/sql/runner/metadata_text.h"

#include <fmt/format.h>

#include <iterator>

#include "tests/sql/runner/sql_test_file.h"

namespace borealis::sqltest {
namespace {

std::string TypeName(unsigned type) {
  static constexpr std::string_view kFirst[] = {"DECIMAL", "TINY", "SHORT",     "LONG",     "FLOAT",
                                                "DOUBLE",  "NULL", "TIMESTAMP", "LONGLONG", "INT24",
                                                "DATE",    "TIME", "DATETIME",  "YEAR"};
  static constexpr unsigned kLastFrom = 245;
  static constexpr std::string_view kLast[] = {"JSON",       "NEWDECIMAL",  "ENUM",      "SET",
                                               "TINY_BLOB",  "MEDIUM_BLOB", "LONG_BLOB", "BLOB",
                                               "VAR_STRING", "STRING",      "GEOMETRY"};
  if (type < std::size(kFirst)) {
    return std::string(kFirst[type]);
  }
  if (type >= kLastFrom) {
    return std::string(kLast[type - kLastFrom]);
  }
  return type == 16 ? "BIT" : std::to_string(type);
}

// From the lowest bit on. The last, NUM, is the client library's own.
std::string FlagNames(unsigned flags) {
  static constexpr std::string_view kNames[] = {
      "NOT_NULL",  "PRI_KEY",  "UNIQUE_KEY",       "MULTIPLE_KEY",  "BLOB",
      "UNSIGNED",  "ZEROFILL", "BINARY",           "ENUM",          "AUTO_INCREMENT",
      "TIMESTAMP", "SET",      "NO_DEFAULT_VALUE", "ON_UPDATE_NOW", "PART_KEY"};
  std::string text;
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if ((flags >> i & 1) != 0) {
      text += fmt::format(" {}", kNames[i]);
    }
  }
  return text;
}

}  // namespace

std::string MetadataText(const ColumnMetadata& column) {
  const bool has_origin =
      !column.schema.empty() || !column.org_table.empty() || !column.org_name.empty();
  const std::string origin =
      has_origin ? fmt::format("{}.{}.{}", column.schema, column.org_table, column.org_name) : "";
  return fmt::format("{}\t{}\t{}\t{} length {} decimals {} collation {}{}", EscapeCell(column.name),
                     EscapeCell(origin), EscapeCell(column.table), TypeName(column.type),
                     column.length, column.decimals, column.collation, FlagNames(column.flags));
}

std::string MetadataText(uint64_t affected_rows, uint64_t insert_id, std::string_view info) {
  return fmt::format("affected rows {}, insert id {}, info {}", affected_rows, insert_id,
                     EscapeCell(info));
}

}  // namespace borealis::sqltest
