// A data type as written in a column definition, CAST, JSON_TABLE or RETURNING.
//
// Synonyms are folded by the parser (INTEGER → kInt, BOOL → kTinyInt(1), DEC/FIXED/NUMERIC →
// kDecimal, CHARACTER VARYING → kVarchar, LONG → kMediumText …) as MySQL's grammar does; lengths
// and combinations are checked by the binder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace borealis::sql {

enum class TypeKind : uint8_t {
  kTinyInt,
  kSmallInt,
  kMediumInt,
  kInt,
  kBigInt,  // also CAST(… AS SIGNED|UNSIGNED)
  kDecimal,
  kFloat,
  kDouble,
  kBit,
  kDate,
  kTime,
  kDatetime,
  kTimestamp,
  kYear,
  kChar,
  kVarchar,
  kTinyText,
  kText,
  kMediumText,
  kLongText,
  kBinary,
  kVarbinary,
  kTinyBlob,
  kBlob,
  kMediumBlob,
  kLongBlob,
  kEnum,
  kSet,
  kJson,
  kGeometry,
  kPoint,
  kLineString,
  kPolygon,
  kMultiPoint,
  kMultiLineString,
  kMultiPolygon,
  kGeometryCollection,
};

struct TypeName {
  TypeKind kind = TypeKind::kInt;
  // Characters, bytes, display width, precision, or fractional seconds digits of temporal types.
  std::optional<uint64_t> length;
  std::optional<uint64_t> scale;
  bool is_unsigned = false;
  bool zerofill = false;
  bool national = false;          // NCHAR, NATIONAL VARCHAR: character set utf8mb3
  bool binary_collation = false;  // CHAR(5) BINARY: the _bin collation of the character set
  bool serial = false;            // SERIAL: BIGINT UNSIGNED NOT NULL AUTO_INCREMENT UNIQUE
  std::string charset;    // lower case; empty when not written; ASCII → latin1, UNICODE → ucs2,
                          // BYTE → binary
  std::string collation;  // lower case; COLLATE written as part of the type or column
  std::vector<std::string> values;  // ENUM and SET members
  std::optional<uint32_t> srid;
};

}  // namespace borealis::sql
