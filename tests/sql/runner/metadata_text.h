// What a client is told about an answer besides its rows, as test files write it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace borealis::sqltest {

struct ColumnMetadata {
  std::string_view schema;
  std::string_view table;
  std::string_view org_table;
  std::string_view name;
  std::string_view org_name;
  unsigned type = 0;
  uint64_t length = 0;
  unsigned decimals = 0;
  unsigned collation = 0;
  unsigned flags = 0;
};

// "a  test.t1.a  t1  VAR_STRING length 40 decimals 0 collation 255 NOT_NULL": the name, where it
// comes from, the table's alias, and the rest, separated by tabs.
std::string MetadataText(const ColumnMetadata& column);

// "affected rows 2, insert id 1, info Records: 2  Duplicates: 0  Warnings: 0".
std::string MetadataText(uint64_t affected_rows, uint64_t insert_id, std::string_view info);

}  // namespace borealis::sqltest
