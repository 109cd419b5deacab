// Shared by the files that implement functions: the tables, argument access, inference of types.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/mysql_error.h"
#include "sql/functions/function.h"

namespace borealis::sql {

// --- the tables, one per subject
// ------------------------------------------------------------------

std::span<const FunctionDef> AddressFunctions();
std::span<const FunctionDef> ArithmeticFunctions();
std::span<const FunctionDef> BitFunctions();
std::span<const FunctionDef> BitTextFunctions();
std::span<const FunctionDef> ComparisonFunctions();
std::span<const FunctionDef> CompressionFunctions();
std::span<const FunctionDef> DateFunctions();
std::span<const FunctionDef> DateArithmeticFunctions();
std::span<const FunctionDef> DigestFunctions();
std::span<const FunctionDef> EncodingFunctions();
std::span<const FunctionDef> EncryptionFunctions();
std::span<const FunctionDef> FormatFunctions();
std::span<const FunctionDef> FrameFunctions();
std::span<const FunctionDef> JsonChangeFunctions();
std::span<const FunctionDef> JsonCreateFunctions();
std::span<const FunctionDef> JsonOrderFunctions();
std::span<const FunctionDef> JsonReadFunctions();
std::span<const FunctionDef> JsonSchemaFunctions();
std::span<const FunctionDef> JsonSearchFunctions();
std::span<const FunctionDef> JsonValueFunctions();
std::span<const FunctionDef> LogicFunctions();
std::span<const FunctionDef> MathFunctions();
std::span<const FunctionDef> PerformanceFunctions();
std::span<const FunctionDef> RegexpFunctions();
std::span<const FunctionDef> ReplicationFunctions();
std::span<const FunctionDef> SessionFunctions();
std::span<const FunctionDef> StringFunctions();
std::span<const FunctionDef> TextSearchFunctions();

// --- arguments
// ------------------------------------------------------------------------------------

// The arguments of one call, read in the form a function wants, converted by MySQL's rules.
class Args {
 public:
  Args(const EvalCall& call, std::span<const row::Value> values) : call_(call), values_(values) {}

  size_t size() const { return values_.size(); }
  const row::Value& operator[](size_t i) const { return values_[i]; }
  const row::Type& type(size_t i) const { return call_.function.arg_types()[i]; }
  bool null(size_t i) const { return values_[i].is_null(); }
  EvalContext& context() const { return call_.context; }

  double Double(size_t i) const {
    return row::ToDouble(values_[i], type(i), call_.context.conversion);
  }
  row::Decimal Dec(size_t i) const {
    return row::ToDecimal(values_[i], type(i), call_.context.conversion);
  }
  int64_t Int(size_t i, bool* is_unsigned) const {
    return row::ToInteger(values_[i], type(i), call_.context.conversion, is_unsigned);
  }
  // Unsigned values beyond INT64_MAX become INT64_MAX.
  int64_t Int(size_t i) const {
    bool is_unsigned;
    int64_t value = Int(i, &is_unsigned);
    return is_unsigned && value < 0 ? INT64_MAX : value;
  }
  uint64_t Bits(size_t i) const {
    bool is_unsigned;
    return static_cast<uint64_t>(Int(i, &is_unsigned));
  }
  bool Bool(size_t i) const { return row::ToBool(values_[i], type(i), call_.context.conversion); }
  bool DateTime(size_t i, int64_t* packed) const {
    return row::ToDateTime(values_[i], type(i), call_.context.conversion, packed);
  }
  bool Time(size_t i, int64_t* time) const {
    return row::ToTime(values_[i], type(i), call_.context.conversion, time);
  }
  // The value's text; borrows from the value or from `buffer`.
  std::string_view Text(size_t i, std::string* buffer) const;
  std::string TextCopy(size_t i) const;
  // The bytes of the value's text as its character set has them.
  std::string Bytes(size_t i) const;

 private:
  const EvalCall& call_;
  std::span<const row::Value> values_;
};

// An owned text result; more than max_allowed_packet is NULL with warning 1301.
Status SetText(const EvalCall& call, std::string text, row::Value* out);
// Whether a result of that size may be built.
bool FitsPacket(const EvalCall& call, uint64_t bytes, row::Value* out);
// A number in the form of the function's result type (integer, decimal or double).
inline Status SetInt(row::Value* out, int64_t value) {
  *out = row::Value::Int(value);
  return {};
}
Status SetDouble(const EvalCall& call, std::span<const row::Value> args, double value,
                 row::Value* out);
// 1690, naming the call: "BIGINT value is out of range in 'name(args)'".
Status OutOfRange(const EvalCall& call, std::span<const row::Value> args,
                  std::string_view type_name);
// Warning 1411 of a function of one argument: the argument as it stands in the statement, or
// `value` where no statement is.
void WarnOfArgument(const EvalCall& call, std::string_view what, std::string_view value);
std::string HexOf(std::string_view bytes, bool upper);
// True for functions of text whose result or comparison is over bytes.
bool IsBinaryText(const EvalCall& call);

// --- inference
// ------------------------------------------------------------------------------------

Status InferBoolean(const InferInput& input, row::Type* type);
Status InferBigInt(const InferInput& input, row::Type* type);
Status InferUnsignedBigInt(const InferInput& input, row::Type* type);
// A BIGINT of which clients are told that it has so many characters, the sign included.
template <uint32_t kWidth, bool kUnsigned = false>
Status InferBigIntOf(const InferInput& /*input*/, row::Type* type) {
  *type = row::Type::BigInt(kUnsigned);
  type->length = kWidth;
  return {};
}
Status InferDouble(const InferInput& input, row::Type* type);
Status InferDate(const InferInput& input, row::Type* type);
// Text as long as the first argument's.
Status InferLikeFirst(const InferInput& input, row::Type* type);
// Text as long as all arguments together.
Status InferConcat(const InferInput& input, row::Type* type);
// Text without a known bound.
Status InferLongText(const InferInput& input, row::Type* type);
// N characters in the connection's collation.
template <uint32_t kChars>
Status InferAscii(const InferInput& input, row::Type* type) {
  *type = row::Type::Varchar(kChars, input.settings.collation_connection);
  return {};
}

// Text of up to `chars` characters (bytes when the collation is binary): VARCHAR, TEXT … or their
// binary forms.
row::Type TextType(uint64_t chars, row::CollationId collation);
// Characters an argument may have as text.
uint64_t CharsOf(const row::Type& type);
// Bytes of that text: a number's characters, a string's in its character set.
uint64_t BytesOf(const row::Type& type);
// Decimal digits before the point and after it of an exact type.
uint32_t IntegerDigitsOf(const row::Type& type);
uint32_t ScaleOf(const row::Type& type);
row::Type DecimalType(uint64_t integer_digits, uint32_t scale);
// The DOUBLE that arithmetic makes of a number, or of two: it shows as many digits after the point
// as they do.
row::Type DoubleLike(const row::Type& operand);
row::Type DoubleLike(const row::Type& a, const row::Type& b);
// How a value computes: integers exactly, decimals exactly, everything else as double. Temporals
// without fraction are integers, with fraction decimals; text is double.
enum class NumberClass : uint8_t { kInteger, kDecimal, kDouble };
NumberClass NumberClassOf(const row::Type& type);
bool IsUnsignedNumber(const row::Type& type);
// Fractional digits of a type taken as a time: its own, 6 for text and numbers with fraction.
uint8_t FspOf(const row::Type& type);
// The same of an argument: constant text counts the digits it has.
uint8_t FspOf(const FunctionArg& arg);
// A common type of several results, as COALESCE and GREATEST need.
row::Type CommonResult(std::span<const FunctionArg> args, row::CollationId collation);

}  // namespace borealis::sql
