// MySQL data types as values: what a column, an expression or a parameter is.
//
// A Type is plain data, cheap to copy (the members of an ENUM or SET are shared). The same struct
// serves the catalog, the binder, row and key formats and result metadata. TypeKind numbers are
// stored in the catalog: never renumber.
//
// INV-ROW-1  Text is UTF-8 everywhere inside the server (values, rows, registers). A character set
//            other than utf8mb4 restricts which characters a value may hold and what LENGTH and HEX
//            see; it never changes how a value is stored.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace borealis::row {

using CollationId = uint16_t;  // MySQL's collation numbers; constants in row/collation.h

enum class TypeKind : uint8_t {
  kNull = 0,  // the type of a bare NULL
  kTinyInt = 1,
  kSmallInt = 2,
  kMediumInt = 3,
  kInt = 4,
  kBigInt = 5,
  kDecimal = 6,
  kFloat = 7,
  kDouble = 8,
  kBit = 9,
  kYear = 10,
  kDate = 11,
  kTime = 12,
  kDateTime = 13,
  kTimestamp = 14,
  kChar = 15,
  kVarchar = 16,
  kTinyText = 17,
  kText = 18,
  kMediumText = 19,
  kLongText = 20,
  kBinary = 21,
  kVarbinary = 22,
  kTinyBlob = 23,
  kBlob = 24,
  kMediumBlob = 25,
  kLongBlob = 26,
  kEnum = 27,
  kSet = 28,
  kJson = 29,
};

// Type codes of the wire protocol's column definitions.
enum class MysqlTypeCode : uint8_t {
  kTiny = 1,
  kShort = 2,
  kLong = 3,
  kFloat = 4,
  kDouble = 5,
  kNull = 6,
  kTimestamp = 7,
  kLongLong = 8,
  kInt24 = 9,
  kDate = 10,
  kTime = 11,
  kDateTime = 12,
  kYear = 13,
  kBit = 16,
  kJson = 245,
  kNewDecimal = 246,
  kEnum = 247,
  kSet = 248,
  kBlob = 252,
  kVarString = 253,
  kString = 254,
};

// Flags of the wire protocol's column definitions. Those that depend on the table (PRI_KEY, …, and
// TIMESTAMP, which is of columns that set themselves) are added by who knows it.
enum MysqlColumnFlag : uint16_t {
  kNotNullFlag = 1,
  kPriKeyFlag = 2,
  kUniqueKeyFlag = 4,
  kMultipleKeyFlag = 8,
  kBlobFlag = 16,
  kUnsignedFlag = 32,
  kZerofillFlag = 64,
  kBinaryFlag = 128,
  kEnumFlag = 256,
  kAutoIncrementFlag = 512,
  kTimestampFlag = 1024,
  kSetFlag = 2048,
  kNoDefaultValueFlag = 4096,
  kOnUpdateNowFlag = 8192,
  kPartKeyFlag = 16384,
  kNumFlag = 32768,
};

using TypeMembers = std::shared_ptr<const std::vector<std::string>>;

struct Type {
  TypeKind kind = TypeKind::kNull;
  bool is_unsigned = false;
  bool zerofill = false;
  bool nullable = true;
  // DECIMAL: digits after the point. FLOAT and DOUBLE: likewise, or kFloatingScale. TIME, DATETIME,
  // TIMESTAMP: fractional digits, 0 to 6. Otherwise 0.
  uint8_t scale = 0;
  // 63 (binary) for everything that is not text.
  CollationId collation = 63;
  // CHAR, VARCHAR and other text: characters. BINARY, VARBINARY, BLOBs: bytes. DECIMAL: digits in
  // all. BIT: bits. Integers: the declared display width, 0 when none. TEXT and BLOB columns: 0
  // means the kind's own limit.
  uint32_t length = 0;
  // ENUM and SET only, in order of definition; number 1 is members[0].
  TypeMembers members;

  static constexpr uint8_t kFloatingScale = 31;

  static Type Null() { return {}; }
  static Type Integer(TypeKind kind, bool is_unsigned = false);
  static Type Int() { return Integer(TypeKind::kInt); }
  static Type BigInt(bool is_unsigned = false) { return Integer(TypeKind::kBigInt, is_unsigned); }
  static Type Boolean();  // what predicates return: BIGINT that displays one digit
  static Type Decimal(uint32_t precision, uint8_t scale);
  static Type Double();
  static Type Float();
  static Type Bit(uint32_t bits);
  static Type Year();
  static Type Date();
  static Type Time(uint8_t fsp = 0);
  static Type DateTime(uint8_t fsp = 0);
  static Type Timestamp(uint8_t fsp = 0);
  static Type Char(uint32_t chars, CollationId collation);
  static Type Varchar(uint32_t chars, CollationId collation);
  static Type Text(TypeKind kind, CollationId collation);
  static Type Binary(uint32_t bytes);
  static Type Varbinary(uint32_t bytes);
  static Type Blob(TypeKind kind);
  static Type Enum(TypeMembers members, CollationId collation);
  static Type Set(TypeMembers members, CollationId collation);
  static Type Json();

  Type NotNull() const {
    Type copy = *this;
    copy.nullable = false;
    return copy;
  }
  Type Nullable(bool is_nullable = true) const {
    Type copy = *this;
    copy.nullable = is_nullable;
    return copy;
  }

  bool is_null() const { return kind == TypeKind::kNull; }
  bool is_integer() const { return kind >= TypeKind::kTinyInt && kind <= TypeKind::kBigInt; }
  bool is_decimal() const { return kind == TypeKind::kDecimal; }
  bool is_floating() const { return kind == TypeKind::kFloat || kind == TypeKind::kDouble; }
  bool is_numeric() const { return kind >= TypeKind::kTinyInt && kind <= TypeKind::kYear; }
  // Numbers held as a 64-bit integer when computed with: integers, BIT, YEAR.
  bool is_integral() const {
    return is_integer() || kind == TypeKind::kBit || kind == TypeKind::kYear;
  }
  bool is_temporal() const { return kind >= TypeKind::kDate && kind <= TypeKind::kTimestamp; }
  bool has_date() const { return is_temporal() && kind != TypeKind::kTime; }
  // CHAR to LONGTEXT (characters) and BINARY to LONGBLOB (bytes).
  bool is_string() const { return kind >= TypeKind::kChar && kind <= TypeKind::kLongBlob; }
  bool is_text() const { return kind >= TypeKind::kChar && kind <= TypeKind::kLongText; }
  bool is_binary_string() const { return kind >= TypeKind::kBinary && kind <= TypeKind::kLongBlob; }
  // TEXT and BLOB of any size (not JSON).
  bool is_blob() const {
    return (kind >= TypeKind::kTinyText && kind <= TypeKind::kLongText) ||
           (kind >= TypeKind::kTinyBlob && kind <= TypeKind::kLongBlob);
  }
  bool is_enum_or_set() const { return kind == TypeKind::kEnum || kind == TypeKind::kSet; }
  // Compared and shown through a collation.
  bool has_collation() const { return is_text() || is_enum_or_set(); }

  bool operator==(const Type& other) const;
};

// Longest value: characters for CHAR and VARCHAR, bytes for all other strings.
uint64_t MaxLength(const Type& type);
// Bytes of the value's text as the protocol reports in "column length".
uint32_t ColumnLengthBytes(const Type& type);
// Characters needed to show any value; 11 for INT.
uint32_t DisplayWidth(const Type& type);
MysqlTypeCode WireTypeCode(const Type& type);
uint16_t WireFlags(const Type& type);
// The same of what is computed, no column of a table.
uint16_t WireFlagsOfComputed(const Type& type);
// "decimals" of a column definition: scale, fsp, or 31 for a floating-point number without scale.
uint8_t WireDecimals(const Type& type);
// Collation number of a column definition; 63 for numbers and temporals.
CollationId WireCollation(const Type& type);

// Inclusive limits of an integer type. REQUIRES: is_integer().
int64_t MinSigned(const Type& type);
int64_t MaxSigned(const Type& type);
uint64_t MaxUnsigned(const Type& type);

// As SHOW CREATE TABLE writes it, without collation, nullability or default: "varchar(20)",
// "int unsigned", "decimal(10,2)", "enum('a','b')", "tinyint(1)", "datetime(3)".
std::string SqlText(const Type& type);
// As information_schema.COLUMNS.DATA_TYPE: "varchar", "int".
std::string_view SqlName(TypeKind kind);

}  // namespace borealis::row
