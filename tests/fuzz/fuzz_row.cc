// Rows and keys. Damaged bytes are refused or read as values; what was read can be stored again and
// reads the same; the order of keys is the order of values.
#include <cmath>

#include "base/coding.h"
#include "row/collation.h"
#include "row/json/view.h"
#include "row/key_codec.h"
#include "row/row_codec.h"
#include "row/temporal.h"
#include "tests/fuzz/fuzz.h"

namespace borealis::fuzz {

namespace {

using row::KeyPart;
using row::KeySchema;
using row::RowSchema;
using row::RowView;
using row::Type;
using row::TypeKind;
using row::Value;

row::TypeMembers Members() {
  return std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"a", "b", "c"});
}

const std::vector<Type>& AllTypes() {
  static const std::vector<Type> types = {
      Type::Integer(TypeKind::kTinyInt),
      Type::Integer(TypeKind::kMediumInt, true),
      Type::Int(),
      Type::BigInt(),
      Type::BigInt(true),
      Type::Decimal(10, 2),
      Type::Decimal(65, 30),
      Type::Float(),
      Type::Double(),
      Type::Bit(13),
      Type::Year(),
      Type::Date(),
      Type::Time(6),
      Type::DateTime(6),
      Type::Timestamp(3),
      Type::Char(10, row::kUtf8mb4_0900AiCi),
      Type::Varchar(20, row::kUtf8mb4GeneralCi),
      Type::Text(TypeKind::kText, row::kUtf8mb4Bin),
      Type::Varbinary(20),
      Type::Blob(TypeKind::kBlob),
      Type::Enum(Members(), row::kUtf8mb4_0900AiCi),
      Type::Set(Members(), row::kUtf8mb4_0900AiCi),
      Type::Json(),
  };
  return types;
}

// Takes values out of the input's bytes; zeroes once they are used up.
class Source {
 public:
  explicit Source(std::string_view bytes) : bytes_(bytes) {}
  uint64_t Number(size_t width) {
    uint64_t number = 0;
    for (size_t i = 0; i < width; ++i) {
      number = number << 8 | Byte();
    }
    return number;
  }
  std::string Text(size_t size_max) {
    std::string text;
    for (size_t size = Byte() % (size_max + 1); size > 0; --size) {
      text.push_back(static_cast<char>(Byte()));
    }
    return text;
  }
  std::string_view rest() const { return bytes_; }

 private:
  uint8_t Byte() {
    if (bytes_.empty()) {
      return 0;
    }
    const auto byte = static_cast<uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte;
  }
  std::string_view bytes_;
};

int64_t Within(uint64_t number, int64_t low, int64_t high) {
  const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  return static_cast<int64_t>(static_cast<uint64_t>(low) +
                              (span == ~uint64_t{0} ? number : number % (span + 1)));
}

// Valid UTF-8 of few different characters, so that strings share prefixes.
std::string SomeText(Source& source) {
  static const std::string_view kPieces[] = {"a",  "A",  "b", " ", "é",   "e",
                                             "\t", "日", "😀", "ß", "\x01"};
  std::string text;
  for (const char c : source.Text(6)) {
    text += kPieces[static_cast<uint8_t>(c) % std::size(kPieces)];
  }
  return text;
}

Value TemporalFrom(const Type& type, Source& source) {
  row::TemporalParts parts{.year = static_cast<int>(source.Number(2) % 10000),
                           .month = static_cast<int>(source.Number(1) % 13),
                           .day = static_cast<int>(source.Number(1) % 32)};
  if (type.kind == TypeKind::kDate) {
    return Value::Date(row::PackDate(parts));
  }
  parts.hour = static_cast<int64_t>(source.Number(1) % 24);
  parts.second = static_cast<int>(source.Number(1) % 60);
  parts.microsecond = static_cast<int>(source.Number(3) % 1'000'000);
  return Value::DateTime(row::PackDateTime(parts));
}

Value ValueFrom(const Type& type, Source& source) {
  if (source.Number(1) % 8 == 0) {
    return Value::Null();
  }
  if (type.is_integer()) {
    const uint64_t number = source.Number(source.Number(1) % 2 == 0 ? 1 : 8);
    return type.is_unsigned
               ? Value::Uint(row::MaxUnsigned(type) == ~uint64_t{0}
                                 ? number
                                 : number % (row::MaxUnsigned(type) + 1))
               : Value::Int(Within(number, row::MinSigned(type), row::MaxSigned(type)));
  }
  switch (type.kind) {
    case TypeKind::kDecimal: {
      row::Decimal wide;
      row::Decimal fitted;
      row::Decimal::Parse(std::to_string(static_cast<int64_t>(source.Number(8))) + "e-" +
                              std::to_string(source.Number(1) % 30),
                          &wide);
      wide.FitTo(static_cast<int>(type.length), type.scale, &fitted);
      return Value::Dec(fitted);
    }
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      const uint64_t bits = source.Number(8);
      double number = 0;
      std::memcpy(&number, &bits, sizeof number);
      number = std::isfinite(number) ? number : static_cast<double>(bits % 1000);
      if (type.kind == TypeKind::kFloat) {
        number = std::fabs(number) > 1e38 ? 1.5 : static_cast<float>(number);
      }
      return Value::Double(number);
    }
    case TypeKind::kBit:
      return Value::Uint(source.Number(2) % (1 << 13));
    case TypeKind::kYear:
      return Value::Uint(1901 + source.Number(1) % 255);
    case TypeKind::kEnum:
      return Value::Uint(source.Number(1) % 4);
    case TypeKind::kSet:
      return Value::Uint(source.Number(1) % 8);
    case TypeKind::kTime:
      return Value::Time(Within(source.Number(8), -row::kMaxTime, row::kMaxTime));
    case TypeKind::kTimestamp:
      return Value::Timestamp(Within(source.Number(8), 0, row::kMaxTimestamp));
    case TypeKind::kDate:
    case TypeKind::kDateTime:
      return TemporalFrom(type, source);
    case TypeKind::kJson:
      return Value::String(row::JsonBytes(row::JsonNode::String(SomeText(source))).value());
    default:
      return Value::String(type.is_text() ? SomeText(source) : source.Text(6));
  }
}

int Sign(bool less, bool greater) {
  return less ? -1 : (greater ? 1 : 0);
}

// SQL's order of two values of one type, NULL first, without the codec.
int Order(const Type& type, const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) {
    return Sign(a.is_null() && !b.is_null(), b.is_null() && !a.is_null());
  }
  switch (a.kind()) {
    case row::ValueKind::kUint:
      return Sign(a.uint_value() < b.uint_value(), a.uint_value() > b.uint_value());
    case row::ValueKind::kDouble:
      return Sign(a.double_value() < b.double_value(), a.double_value() > b.double_value());
    case row::ValueKind::kDecimal:
      return row::Decimal::Compare(a.decimal_value(), b.decimal_value());
    case row::ValueKind::kString: {
      const int order = type.is_text()
                            ? row::FindCollation(type.collation)->Compare(a.bytes(), b.bytes())
                            : a.bytes().compare(b.bytes());
      return Sign(order<0, order> 0);
    }
    default:
      return Sign(a.raw_int() < b.raw_int(), a.raw_int() > b.raw_int());
  }
}

bool SameValue(const Value& a, const Value& b) {
  if (a.kind() == row::ValueKind::kDouble && b.kind() == row::ValueKind::kDouble) {
    return a.double_value() == b.double_value();  // -0 is 0
  }
  return a.Identical(b);
}

RowSchema SchemaFrom(Source& source) {
  std::vector<Type> types;
  for (uint64_t count = source.Number(1) % 12; count > 0; --count) {
    types.push_back(AllTypes()[source.Number(1) % AllTypes().size()]);
  }
  return RowSchema(types);
}

class RowTarget final : public Target {
 public:
  std::vector<std::string> Seeds() override {
    std::vector<std::string> seeds;
    for (uint8_t kind = 0; kind < 3; ++kind) {
      for (int salt = 0; salt < 12; ++salt) {
        std::string seed(1, static_cast<char>(kind));
        for (int i = 0; i < 120; ++i) {
          seed.push_back(static_cast<char>(i < 16 ? i * 5 + salt * 3 : i * salt * 37 + i / 9));
        }
        seeds.push_back(seed);
      }
    }
    // Stored rows: the schema, then the bytes.
    for (int salt = 1; salt < 20; ++salt) {
      std::string head(1, '\3');
      for (int i = 0; i < 13; ++i) {
        head.push_back(static_cast<char>(i == 0 ? 11 : i * salt));
      }
      Source source(std::string_view(head).substr(1));
      const RowSchema schema = SchemaFrom(source);
      std::string noise;
      for (int i = 0; i < 200; ++i) {
        noise.push_back(static_cast<char>(i * 91 + salt * i));
      }
      Source values_source(noise);
      std::vector<Value> values;
      for (size_t i = 0; i < schema.size(); ++i) {
        values.push_back(ValueFrom(schema.type(i), values_source));
      }
      std::string bytes;
      if (row::EncodeRow(schema, values, &bytes).ok()) {
        head.resize(2 + schema.size());
        seeds.push_back(head + bytes);
      }
    }
    return seeds;
  }

  void Run(std::string_view input) override {
    if (input.empty()) {
      return;
    }
    Source source(input.substr(1));
    switch (static_cast<uint8_t>(input[0]) % 4) {
      case 0:
        RoundTrip(source);
        return;
      case 1:
        KeyOrder(source);
        return;
      case 2:
        DamagedKey(source);
        return;
      default:
        DamagedRow(source);
    }
  }

 private:
  static void RoundTrip(Source& source) {
    const RowSchema schema = SchemaFrom(source);
    std::vector<Value> values;
    for (size_t i = 0; i < schema.size(); ++i) {
      values.push_back(ValueFrom(schema.type(i), source));
    }
    std::string bytes;
    FUZZ_CHECK(row::EncodeRow(schema, values, &bytes).ok(), "values of their types are refused");
    const Result<RowView> view = RowView::Open(schema, bytes);
    FUZZ_CHECK(view.ok(), "an encoded row does not open");
    std::vector<Value> read;
    FUZZ_CHECK(view->GetAll(&read).ok() && read.size() == values.size(),
               "an encoded row does not read");
    for (size_t i = 0; i < values.size(); ++i) {
      FUZZ_CHECK(SameValue(values[i], read[i]),
                 values[i].ToString() + " reads as " + read[i].ToString());
    }
  }

  static void DamagedRow(Source& source) {
    const RowSchema schema = SchemaFrom(source);
    const Result<RowView> view = RowView::Open(schema, source.rest());
    if (!view.ok()) {
      FUZZ_CHECK(view.status().Is(Code::kCorruption), "refused with another code");
      return;
    }
    std::vector<Value> values;
    if (!view->GetAll(&values).ok()) {
      return;
    }
    for (size_t i = 0; i < schema.size(); ++i) {
      FUZZ_CHECK(view->IsNull(i) == values[i].is_null() || view->stored_columns() <= i,
                 "null or not");
    }
  }

  static KeySchema KeySchemaFrom(Source& source) {
    KeySchema schema;
    for (uint64_t count = 1 + source.Number(1) % 4; count > 0; --count) {
      const Type& type = AllTypes()[source.Number(1) % AllTypes().size()];
      if (type.kind != TypeKind::kJson) {
        schema.push_back({type, source.Number(1) % 3 == 0, 0});
      }
    }
    return schema;
  }

  static void KeyOrder(Source& source) {
    const KeySchema schema = KeySchemaFrom(source);
    std::vector<Value> a;
    std::vector<Value> b;
    int order = 0;
    for (const KeyPart& part : schema) {
      a.push_back(ValueFrom(part.type, source));
      b.push_back(source.Number(1) % 2 == 0 ? a.back() : ValueFrom(part.type, source));
      if (order == 0) {
        order = Order(part.type, a.back(), b.back()) * (part.descending ? -1 : 1);
      }
    }
    std::string key_a;
    std::string key_b;
    FUZZ_CHECK(row::EncodeKey(schema, a, &key_a).ok() && row::EncodeKey(schema, b, &key_b).ok(),
               "refused");
    const int got = key_a.compare(key_b);
    std::string what;
    for (size_t i = 0; i < a.size(); ++i) {
      what += row::SqlText(schema[i].type) + ": " + a[i].ToString() + " " + b[i].ToString() + "; ";
    }
    FUZZ_CHECK(Sign(got<0, got> 0) == order, "INV-ROW-4: " + what);
    std::string prefix;  // INV-ROW-5
    FUZZ_CHECK(row::EncodeKey(schema, std::span<const Value>(a).first(a.empty() ? 0 : a.size() - 1),
                              &prefix)
                   .ok(),
               "prefix");
    FUZZ_CHECK(key_a.starts_with(prefix), "INV-ROW-5");
    std::vector<std::optional<Value>> read;
    FUZZ_CHECK(row::DecodeKey(schema, key_a, &read).ok(), "an encoded key does not decode");
    for (size_t i = 0; i < a.size(); ++i) {
      FUZZ_CHECK(!read[i].has_value() || Order(schema[i].type, *read[i], a[i]) == 0,
                 "a part decodes to another value");
      FUZZ_CHECK(read[i].has_value() || !row::KeyPartDecodable(schema[i]),
                 "a decodable part does not decode");
    }
  }

  // Any bytes as a key: refused, or read as values whose key is those bytes.
  static void DamagedKey(Source& source) {
    const KeySchema schema = KeySchemaFrom(source);
    std::vector<Value> values;
    std::string key;
    Source value_source(source.rest());
    for (const KeyPart& part : schema) {
      values.push_back(ValueFrom(part.type, value_source));
    }
    FUZZ_CHECK(row::EncodeKey(schema, values, &key).ok(), "refused");
    const uint64_t flip = source.Number(2);
    if (!key.empty()) {
      key[flip % key.size()] = static_cast<char>(source.Number(1));
    }
    for (const std::string_view bytes :
         {std::string_view(key), std::string_view(key).substr(0, key.size() / 2), source.rest()}) {
      std::vector<std::optional<Value>> read;
      std::string_view rest;
      (void)row::DecodeKey(schema, bytes, &read, &rest);
      (void)row::KeyUpperBound(bytes);
    }
  }
};

}  // namespace

Target& TheTarget() {
  static RowTarget target;
  return target;
}

}  // namespace borealis::fuzz
