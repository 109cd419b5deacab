#include "row/key_codec.h"

#include <fmt/format.h>

#include <bit>

#include "base/coding.h"
#include "base/invariant.h"
#include "row/collation.h"
#include "row/held_internal.h"
#include "row/json/sort_key.h"

namespace borealis::row {

namespace {

constexpr char kNullFlag = 0;
constexpr char kValueFlag = 1;
constexpr uint64_t kSignBit = uint64_t{1} << 63;

// More than the comparable form of any decimal has.
constexpr size_t kDecimalKeySizeMax = 64;

uint64_t OrderedDouble(double number) {
  uint64_t bits = std::bit_cast<uint64_t>(number == 0 ? 0.0 : number);
  return (bits & kSignBit) != 0 ? ~bits : bits | kSignBit;
}

double DoubleOfOrdered(uint64_t bits) {
  return std::bit_cast<double>((bits & kSignBit) != 0 ? bits & ~kSignBit : ~bits);
}

std::string_view Prefix(const KeyPart& part, std::string_view bytes) {
  if (part.prefix_length == 0) {
    return bytes;
  }
  bool characters = part.type.is_text() && part.type.collation != kBinaryCollation;
  return bytes.substr(0, characters ? OffsetOfChar(bytes, part.prefix_length) : part.prefix_length);
}

Status AppendAscending(const KeyPart& part, const Value& value, std::string* out) {
  const Type& type = part.type;
  if (value.is_null()) {
    *out += kNullFlag;
    return {};
  }
  *out += kValueFlag;
  if (type.is_decimal()) {
    Decimal decimal;
    RETURN_IF_ERROR(HeldDecimal(type, value, &decimal));
    decimal.AppendComparable(out);
    return {};
  }
  if (type.is_floating()) {
    double number;
    RETURN_IF_ERROR(HeldDouble(type, value, &number));
    AppendBig(out, OrderedDouble(number));
    return {};
  }
  if (IsHeldAsBits(type)) {
    int64_t held;
    RETURN_IF_ERROR(HeldInteger(type, value, &held));
    size_t width = BitsWidth(type);
    uint64_t bits = static_cast<uint64_t>(held) << (64 - width * 8);
    char bytes[8];
    StoreBig(bytes, HasUnsignedBits(type) ? bits : bits ^ kSignBit);
    out->append(bytes, width);
    return {};
  }
  if (!value.is_string()) {
    return NotHeld(type, value);
  }
  if (type.kind == TypeKind::kJson) {
    std::string key;
    AppendJsonSortKey(JsonView(value.bytes()), &key);
    AppendEscaped(key, out);
    return {};
  }
  std::string_view bytes = Prefix(part, value.bytes());
  if (type.is_text()) {
    const Collation* collation = FindCollation(type.collation);
    if (collation == nullptr) {
      return Status::InvalidArgument(fmt::format("encode key: collation {}", type.collation));
    }
    AppendEscaped(collation->SortKey(bytes), out);
  } else {
    AppendEscaped(bytes, out);
  }
  return {};
}

// Reads an escaped string; false when it does not end.
bool ReadEscaped(ByteReader* reader, std::string* out) {
  for (;;) {
    char byte = reader->Little<char>();
    if (!reader->ok()) {
      return false;
    }
    if (byte != '\0') {
      *out += byte;
      continue;
    }
    uint8_t next = reader->Little<uint8_t>();
    if (!reader->ok() || (next != 0xFF && next != 0x01)) {
      return false;
    }
    if (next == 0x01) {
      return true;
    }
    *out += '\0';
  }
}

// Reads one ascending part that is not NULL; false when malformed.
bool ReadPart(const KeyPart& part, ByteReader* reader, std::optional<Value>* value) {
  const Type& type = part.type;
  if (type.is_decimal()) {
    Decimal decimal;
    if (!Decimal::ReadComparable(reader, &decimal)) {
      return false;
    }
    if (decimal.scale() < type.scale) {
      decimal.Round(type.scale, &decimal);
    }
    *value = Value::Dec(decimal);
    return true;
  }
  if (type.is_floating()) {
    *value = Value::Double(DoubleOfOrdered(reader->Big<uint64_t>()));
    return reader->ok();
  }
  if (IsHeldAsBits(type)) {
    size_t width = BitsWidth(type);
    std::string_view bytes = reader->Bytes(width);
    if (!reader->ok()) {
      return false;
    }
    char buffer[8] = {};
    std::copy(bytes.begin(), bytes.end(), buffer);
    uint64_t bits = LoadBig<uint64_t>(buffer);
    int shift = static_cast<int>(64 - width * 8);
    int64_t held = HasUnsignedBits(type) ? static_cast<int64_t>(bits >> shift)
                                         : static_cast<int64_t>(bits ^ kSignBit) >> shift;
    *value = ValueOfBits(type, held);
    return true;
  }
  std::string bytes;
  if (!ReadEscaped(reader, &bytes)) {
    return false;
  }
  if (KeyPartDecodable(part)) {
    *value = Value::String(std::move(bytes));
  } else {
    *value = std::nullopt;
  }
  return true;
}

void Complement(std::string* bytes, size_t from) {
  for (size_t i = from; i < bytes->size(); ++i) {
    (*bytes)[i] = static_cast<char>(~(*bytes)[i]);
  }
}

// Bytes of a part that is not NULL, its flag left out; 0 when malformed. `mask` is FF for the
// complemented bytes of a descending part.
size_t PartSize(const KeyPart& part, std::string_view bytes, uint8_t mask) {
  const Type& type = part.type;
  const auto at = [&](size_t i) { return static_cast<uint8_t>(bytes[i]) ^ mask; };
  if (type.is_floating() || IsHeldAsBits(type)) {
    const size_t width = type.is_floating() ? sizeof(uint64_t) : BitsWidth(type);
    return width <= bytes.size() ? width : 0;
  }
  if (type.is_decimal()) {
    std::string plain(bytes.substr(0, kDecimalKeySizeMax));
    for (char& byte : plain) {
      byte = static_cast<char>(static_cast<uint8_t>(byte) ^ mask);
    }
    ByteReader reader(plain);
    Decimal decimal;
    return Decimal::ReadComparable(&reader, &decimal) ? plain.size() - reader.rest().size() : 0;
  }
  for (size_t i = 0; i + 1 < bytes.size(); ++i) {
    if (at(i) != 0) {
      continue;
    }
    if (at(i + 1) == 0x01) {
      return i + 2;
    }
    ++i;
  }
  return 0;
}

}  // namespace

Status KeyPartEnds(const KeySchema& schema, std::string_view key, std::vector<size_t>* ends) {
  ends->clear();
  size_t pos = 0;
  for (const KeyPart& part : schema) {
    const uint8_t mask = part.descending ? 0xFF : 0;
    const int flag = pos < key.size() ? static_cast<uint8_t>(key[pos]) ^ mask : -1;
    size_t size = 0;
    if (flag == kValueFlag) {
      size = PartSize(part, key.substr(pos + 1), mask);
    }
    if (flag != kNullFlag && size == 0) {
      return Status::Corruption(
          fmt::format("key of {} bytes is malformed in part {}", key.size(), ends->size()));
    }
    pos += 1 + size;
    ends->push_back(pos);
  }
  return {};
}

void AppendEscaped(std::string_view bytes, std::string* out) {
  for (;;) {
    size_t zero = bytes.find('\0');
    out->append(bytes.substr(0, zero));
    if (zero == std::string_view::npos) {
      break;
    }
    out->append("\0\xFF", 2);
    bytes.remove_prefix(zero + 1);
  }
  out->append("\0\x01", 2);
}

Status EncodeKeyPart(const KeyPart& part, const Value& value, std::string* out) {
  size_t start = out->size();
  RETURN_IF_ERROR(AppendAscending(part, value, out));
  if (part.descending) {
    Complement(out, start);
  }
  return {};
}

Status EncodeKey(const KeySchema& schema, std::span<const Value> values, std::string* out) {
  INVARIANT_LE(values.size(), schema.size());
  for (size_t i = 0; i < values.size(); ++i) {
    RETURN_IF_ERROR(EncodeKeyPart(schema[i], values[i], out));
  }
  return {};
}

std::optional<std::string> KeyUpperBound(std::string_view prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') {
    prefix.remove_suffix(1);
  }
  if (prefix.empty()) {
    return std::nullopt;
  }
  std::string bound(prefix);
  bound.back() = static_cast<char>(bound.back() + 1);
  return bound;
}

bool KeyPartDecodable(const KeyPart& part) {
  return !part.type.is_text() && part.type.kind != TypeKind::kJson && part.prefix_length == 0;
}

Status DecodeKey(const KeySchema& schema, std::string_view key,
                 std::vector<std::optional<Value>>* values, std::string_view* rest) {
  values->clear();
  values->reserve(schema.size());
  size_t pos = 0;
  std::string complemented;
  for (const KeyPart& part : schema) {
    std::string_view bytes = key.substr(pos);
    if (part.descending) {
      complemented.assign(bytes);
      Complement(&complemented, 0);
      bytes = complemented;
    }
    ByteReader reader(bytes);
    std::optional<Value> value;
    char flag = reader.Little<char>();
    bool good = reader.ok() && (flag == kNullFlag || flag == kValueFlag);
    if (good && flag == kNullFlag) {
      value = Value::Null();
    } else if (good) {
      good = ReadPart(part, &reader, &value);
    }
    if (!good) {
      return Status::Corruption(
          fmt::format("decode key: part {} of {} bytes", values->size(), key.size()));
    }
    pos += bytes.size() - reader.rest().size();
    values->push_back(std::move(value));
  }
  if (rest != nullptr) {
    *rest = key.substr(pos);
  } else if (pos != key.size()) {
    return Status::Corruption(fmt::format("decode key: {} bytes left over", key.size() - pos));
  }
  return {};
}

}  // namespace borealis::row
