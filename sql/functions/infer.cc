// Inference of result types that several functions share.
#include <algorithm>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {

using row::Type;
using row::TypeKind;

Status InferBoolean(const InferInput&, Type* type) {
  *type = Type::Boolean();
  return {};
}

Status InferBigInt(const InferInput&, Type* type) {
  *type = Type::BigInt();
  return {};
}

Status InferUnsignedBigInt(const InferInput&, Type* type) {
  *type = Type::BigInt(true);
  return {};
}

Status InferDouble(const InferInput&, Type* type) {
  *type = Type::Double();
  return {};
}

Status InferDate(const InferInput&, Type* type) {
  *type = Type::Date();
  return {};
}

Status InferLikeFirst(const InferInput& input, Type* type) {
  *type = TextType(CharsOf(input.args[0].type), input.settings.collation);
  return {};
}

Status InferConcat(const InferInput& input, Type* type) {
  const bool binary = input.settings.collation == row::kBinaryCollation;
  uint64_t units = 0;
  for (const FunctionArg& arg : input.args) {
    units += binary ? BytesOf(arg.type) : CharsOf(arg.type);
  }
  *type = TextType(units, input.settings.collation);
  return {};
}

Status InferLongText(const InferInput& input, Type* type) {
  *type = TextType(UINT32_MAX, input.settings.collation);
  return {};
}

Type TextType(uint64_t chars, row::CollationId collation) {
  bool binary = collation == row::kBinaryCollation;
  uint64_t bytes =
      chars * static_cast<uint64_t>(binary ? 1 : row::GetCollation(collation).charset().max_bytes);
  if (bytes <= 65535) {
    uint32_t length = static_cast<uint32_t>(chars);
    return binary ? Type::Varbinary(length) : Type::Varchar(length, collation);
  }
  if (bytes <= 0xFFFFFF) {
    return binary ? Type::Blob(TypeKind::kMediumBlob)
                  : Type::Text(TypeKind::kMediumText, collation);
  }
  return binary ? Type::Blob(TypeKind::kLongBlob) : Type::Text(TypeKind::kLongText, collation);
}

uint64_t CharsOf(const Type& type) {
  if (type.is_null()) {
    return 0;
  }
  return type.is_string() ? row::MaxLength(type) : row::DisplayWidth(type);
}

uint64_t BytesOf(const Type& type) {
  return type.is_string() ? row::ColumnLengthBytes(type) : CharsOf(type);
}

namespace {

// A width counts the sign.
uint32_t BigIntDigits(const Type& type) {
  const uint32_t most = type.is_unsigned ? 20 : 19;
  const uint32_t sign = type.is_unsigned ? 0 : 1;
  return type.length == 0 || type.zerofill ? most
                                           : std::clamp<uint32_t>(type.length - sign, 1, most);
}

// The widest of two or more, all of one sign.
Type WidestInteger(const Type& a, const Type& b) {
  Type widest = a.kind < b.kind ? b : a;
  if (widest.kind == TypeKind::kBigInt) {
    widest.length = std::max(row::DisplayWidth(a), row::DisplayWidth(b));
  }
  widest.zerofill = false;
  return widest;
}

}  // namespace

uint32_t IntegerDigitsOf(const Type& type) {
  if (type.is_decimal()) {
    return type.length - type.scale;
  }
  if (type.has_date()) {
    return type.kind == TypeKind::kDate ? 8 : 14;
  }
  switch (type.kind) {
    case TypeKind::kNull:
      return 0;
    case TypeKind::kTime:
      return 7;
    case TypeKind::kYear:
      return 4;
    case TypeKind::kTinyInt:
      return 3;
    case TypeKind::kSmallInt:
      return 5;
    case TypeKind::kMediumInt:
      return type.is_unsigned ? 8 : 7;
    case TypeKind::kInt:
      return 10;
    case TypeKind::kBigInt:
      return BigIntDigits(type);
    default:
      return 20;
  }
}

uint32_t ScaleOf(const Type& type) {
  return type.is_decimal() || type.is_temporal() ? type.scale : 0;
}

Type DecimalType(uint64_t integer_digits, uint32_t scale) {
  scale = std::min<uint32_t>(scale, 30);
  uint64_t precision = std::clamp<uint64_t>(integer_digits + scale, 1, 65);
  return Type::Decimal(static_cast<uint32_t>(std::max<uint64_t>(precision, scale)),
                       static_cast<uint8_t>(scale));
}

namespace {

// Digits after the point that a floating-point number shows which is made of the type.
uint8_t FloatingScaleOf(const Type& type) {
  if (type.is_floating() || type.is_decimal() || type.is_temporal()) {
    return type.scale;
  }
  return type.is_integral() || type.is_null() ? 0 : Type::kFloatingScale;
}

// MySQL's rules depend on the order: of BIGINT and FLOAT comes DOUBLE.
bool StaysFloat(const Type& a, const Type& b) {
  const auto is_small = [](const Type& type) {
    return type.kind == TypeKind::kTinyInt || type.kind == TypeKind::kSmallInt ||
           type.kind == TypeKind::kMediumInt || type.kind == TypeKind::kYear;
  };
  if (a.kind == TypeKind::kFloat) {
    return b.kind == TypeKind::kFloat || b.kind == TypeKind::kBigInt || is_small(b);
  }
  return b.kind == TypeKind::kFloat && is_small(a);
}

}  // namespace

Type FloatingOver(const Type& a, const Type& b) {
  Type type = StaysFloat(a, b) ? Type::Float() : Type::Double();
  const uint8_t scale = std::max(FloatingScaleOf(a), FloatingScaleOf(b));
  if (scale < Type::kFloatingScale) {
    const auto before_point = [](const Type& part) {
      return row::DisplayWidth(part) -
             std::min<uint32_t>(row::DisplayWidth(part), FloatingScaleOf(part));
    };
    type.scale = scale;
    type.length = std::max(before_point(a), before_point(b)) + scale;
  }
  return type;
}

Type DoubleLike(const Type& operand) {
  Type type = Type::Double();
  type.scale = FloatingScaleOf(operand);
  type.length = type.scale < Type::kFloatingScale ? 17U + type.scale : 0;
  return type;
}

Type DoubleLike(const Type& a, const Type& b) {
  Type type = FloatingOver(a, b);
  type.kind = TypeKind::kDouble;
  return type;
}

NumberClass NumberClassOf(const Type& type) {
  if (type.is_integral() || type.is_null() || type.is_enum_or_set()) {
    return type.is_enum_or_set() ? NumberClass::kDouble : NumberClass::kInteger;
  }
  if (type.is_decimal()) {
    return NumberClass::kDecimal;
  }
  if (type.is_temporal()) {
    return type.scale > 0 ? NumberClass::kDecimal : NumberClass::kInteger;
  }
  return NumberClass::kDouble;
}

bool IsUnsignedNumber(const Type& type) {
  return (type.is_numeric() && type.is_unsigned) || type.kind == TypeKind::kBit;
}

uint8_t FspOf(const Type& type) {
  if (type.is_temporal()) {
    return type.scale;
  }
  if (type.is_decimal()) {
    return std::min<uint8_t>(type.scale, 6);
  }
  return type.is_string() || type.is_floating() ? 6 : 0;
}

uint8_t FspOf(const FunctionArg& arg) {
  if (arg.constant == nullptr || !arg.constant->is_string() || !arg.type.is_string()) {
    return FspOf(arg.type);
  }
  row::ParsedTemporal parsed;
  std::string_view text = arg.constant->bytes();
  if (row::ParseDateTime(text, row::kModeAllowInvalidDates, &parsed) ==
          row::TemporalStatus::kInvalid ||
      !parsed.has_time) {
    row::ParseTime(text, &parsed);
  }
  return static_cast<uint8_t>(parsed.fraction_digits);
}

Type CommonResult(std::span<const FunctionArg> args, row::CollationId collation) {
  bool all_temporal = true;
  bool all_numbers = true;
  bool any = false;
  Type floating;
  bool is_double = false;
  bool is_decimal = false;
  bool any_unsigned = false;
  bool any_signed = false;
  uint32_t integer_digits = 0;
  uint32_t scale = 0;
  uint64_t chars = 0;
  Type first;
  Type integer;
  bool all_integers = true;
  bool same_kind = true;
  uint8_t fsp = 0;
  for (const FunctionArg& arg : args) {
    const Type& type = arg.type;
    if (type.is_null()) {
      continue;
    }
    same_kind &= !any || first.kind == type.kind;
    all_integers &= type.is_integer();
    integer = any && all_integers ? WidestInteger(integer, type) : type;
    floating = any ? FloatingOver(floating, type) : type;
    first = any ? first : type;
    any = true;
    all_temporal &= type.is_temporal();
    all_numbers &= type.is_numeric();
    is_double |= type.is_floating();
    is_decimal |= type.is_decimal();
    bool is_unsigned = IsUnsignedNumber(type);
    any_unsigned |= is_unsigned;
    any_signed |= !is_unsigned;
    integer_digits = std::max(integer_digits, IntegerDigitsOf(type));
    scale = std::max(scale, ScaleOf(type));
    fsp = std::max(fsp, type.is_temporal() ? type.scale : uint8_t{0});
    chars = std::max(chars, CharsOf(type));
  }
  if (!any) {
    return Type::Null();
  }
  if (all_temporal) {
    if (same_kind && first.kind != TypeKind::kTimestamp) {
      first.scale = fsp;
      return first;
    }
    return Type::DateTime(fsp);
  }
  if (all_numbers) {
    if (is_double) {
      return floating;
    }
    if (is_decimal || (any_unsigned && any_signed)) {
      return DecimalType(integer_digits, scale);
    }
    return all_integers ? integer : Type::BigInt(any_unsigned);
  }
  if (same_kind && first.kind == TypeKind::kJson) {
    return first;
  }
  return TextType(chars, collation);
}

}  // namespace borealis::sql
