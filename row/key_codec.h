// Tuples as byte strings that compare with memcmp: index keys.
//
// Each part is a flag byte, then its value: 00 NULL (sorts first), 01 a value. Then, by type:
//   integers, BIT, YEAR, ENUM, SET   big-endian in the column's width, sign bit flipped if signed
//   FLOAT, DOUBLE                    8 bytes big-endian, order-preserving; -0 is 0
//   DECIMAL                          the comparable form (row/decimal.h), any scale
//   DATE, TIME, DATETIME, TIMESTAMP  8 bytes big-endian, sign bit flipped
//   binary strings                   escaped bytes
//   text                             the collation's sort key, escaped
//   JSON                             its sort key (row/json/sort_key.h), escaped
// Escaped: every 00 becomes 00 FF, and 00 01 ends it, so that a string sorts before its extensions
// and tuples compare part by part. A descending part has all its bytes, the flag's too,
// complemented (NULL then sorts last, as in MySQL).
//
// INV-ROW-4  For keys of one schema: memcmp(EncodeKey(a), EncodeKey(b)) orders as the tuples a, b,
//            part by part; keys are equal only if all parts are equal under their collations.
// INV-ROW-5  EncodeKey of the first k values is a prefix of EncodeKey of all, and is a prefix of no
//            key whose first k values differ.
//
// Keys of text are not decodable: a sort key does not hold the text ("a" and "A" have one key under
// a case-insensitive collation). The row has the values. Keys of all other types decode, so an
// index on them can answer a query without the row (KeyPartDecodable).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "row/type.h"
#include "row/value.h"

namespace borealis::row {

struct KeyPart {
  Type type;
  bool descending = false;
  // Index on the first characters (bytes for binary strings); 0 is the whole value.
  uint32_t prefix_length = 0;
};

using KeySchema = std::vector<KeyPart>;

// Appends the key of `values`: one per part, or fewer for a prefix of the tuple. Values must be
// held as their parts' types hold them (row/value.h); an integer outside its part's width is
// kInvalidArgument. REQUIRES: values.size() <= schema.size().
Status EncodeKey(const KeySchema& schema, std::span<const Value> values, std::string* out);
// One part alone; EncodeKey is the concatenation.
Status EncodeKeyPart(const KeyPart& part, const Value& value, std::string* out);

// Where an integer of another type lies: below (-1) or above (1) all values that `type` holds, and
// has no key then, or among them (0). Other values are never outside.
int SideOfRange(const Type& type, const Value& value);

// The smallest byte string greater than every key that starts with `prefix`; nothing when there is
// none (prefix empty or all FF). The keys with that prefix are [prefix, KeyUpperBound(prefix)).
std::optional<std::string> KeyUpperBound(std::string_view prefix);

// Whether values of the part can be read back from the key exactly: not text, not cut to a prefix.
bool KeyPartDecodable(const KeyPart& part);
// Reads the parts of `key` in order. Undecodable parts are skipped and read as nullopt (NULL is
// still told apart: it reads as a null Value). Decimals come back with their part's scale.
// kCorruption when the bytes are not a key of that schema. Trailing bytes (an appended row id) go
// to `rest` when given, and are kCorruption when not.
Status DecodeKey(const KeySchema& schema, std::string_view key,
                 std::vector<std::optional<Value>>* values, std::string_view* rest = nullptr);

// Where each part of `key` ends, in order; bytes that follow the last part are not looked at. Needs
// no value, so it is the cheap way to compare two keys part by part. kCorruption as DecodeKey.
Status KeyPartEnds(const KeySchema& schema, std::string_view key, std::vector<size_t>* ends);

// The escaped form used for strings, for other keys that must nest byte strings in tuples.
void AppendEscaped(std::string_view bytes, std::string* out);

}  // namespace borealis::row
