// Encodings and digests: HEX, BASE64, CONV, MD5, SHA, CRC32, UUID text.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cmath>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

int HexDigit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

Status EvalHex(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  const Type& type = args.type(0);
  if (type.is_numeric() || type.is_null()) {
    return SetText(call, fmt::format("{:X}", args.Bits(0)), out);
  }
  return SetText(call, HexOf(args.Bytes(0), true), out);
}

Status InferTwice(const InferInput& input, Type* type) {
  const Type& a = input.args[0].type;
  uint64_t chars =
      a.is_string() ? CharsOf(a) * (a.is_text() ? 8 : 2) : std::max<uint64_t>(16, CharsOf(a) * 2);
  *type = TextType(std::min<uint64_t>(chars, UINT32_MAX), input.settings.collation_connection);
  return {};
}

Status EvalUnhex(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string text = Args(call, values).TextCopy(0);
  if (text.size() % 2 != 0) {
    text.insert(0, "0");
  }
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    int high = HexDigit(text[i]);
    int low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) {
      WarnOfArgument(call, "string", row::Printable(text));
      *out = Value::Null();
      return {};
    }
    bytes += static_cast<char>(high << 4 | low);
  }
  return SetText(call, std::move(bytes), out);
}

Status InferBytes(const InferInput& input, Type* type) {
  *type = TextType(std::min<uint64_t>(CharsOf(input.args[0].type) * 4, UINT32_MAX),
                   row::kBinaryCollation);
  return {};
}

std::string InBase(uint64_t number, int base) {
  std::string digits;
  do {
    int digit = static_cast<int>(number % static_cast<uint64_t>(base));
    digits += static_cast<char>(digit < 10 ? '0' + digit : 'A' + digit - 10);
    number /= static_cast<uint64_t>(base);
  } while (number != 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

// The number that `text` starts with; 0 with warning 1292 without a digit. What is too large is all
// ones, or 0 where it is below 0.
uint64_t NumberInBase(const EvalCall& call, std::string_view text, uint64_t base) {
  size_t pos = std::min(text.find_first_not_of(" \t\n\v\f\r"), text.size());
  const bool negative = pos < text.size() && text[pos] == '-';
  pos += negative || (pos < text.size() && text[pos] == '+') ? 1 : 0;
  const size_t start = pos;
  uint64_t number = 0;
  bool overflow = false;
  for (; pos < text.size(); ++pos) {
    const char c = text[pos];
    const uint64_t digit = c >= '0' && c <= '9' ? static_cast<uint64_t>(c - '0')
                           : (c | 32) >= 'a' && (c | 32) <= 'z'
                               ? static_cast<uint64_t>((c | 32) - 'a' + 10)
                               : 99;
    if (digit >= base) {
      break;
    }
    overflow |= number > (UINT64_MAX - digit) / base;
    number = number * base + digit;
  }
  if (overflow || pos == start) {
    call.context.conversion.Warn(
        UserError(ER_TRUNCATED_WRONG_VALUE, "DECIMAL", row::Printable(text)));
    return overflow && !negative ? UINT64_MAX : 0;
  }
  return negative ? ~number + 1 : number;
}

// From one base to another; a negative base means signed.
Status ConvertBase(const EvalCall& call, std::string_view text, int64_t from, int64_t to,
                   Value* out) {
  auto valid = [](int64_t base) {
    return (base >= 2 && base <= 36) || (base <= -2 && base >= -36);
  };
  if (!valid(from) || !valid(to) || text.empty()) {
    *out = Value::Null();
    return {};
  }
  const uint64_t number = NumberInBase(call, text, static_cast<uint64_t>(from < 0 ? -from : from));
  std::string result;
  if (to < 0 && static_cast<int64_t>(number) < 0) {
    result = "-" + InBase(~number + 1, static_cast<int>(-to));
  } else {
    result = InBase(number, static_cast<int>(to < 0 ? -to : to));
  }
  return SetText(call, std::move(result), out);
}

// The digits to convert; a BIT counts as its number.
std::string_view Digits(const Args& args, std::string* buffer) {
  if (args.type(0).kind == row::TypeKind::kBit) {
    *buffer = std::to_string(args.Bits(0));
    return *buffer;
  }
  return args.Text(0, buffer);
}

Status EvalConv(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string buffer;
  return ConvertBase(call, Digits(args, &buffer), args.Int(1), args.Int(2), out);
}

// BIN(x) and OCT(x) are CONV(x, 10, base).
template <int kBase>
Status EvalInBase(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string buffer;
  return ConvertBase(call, Digits(Args(call, values), &buffer), 10, kBase, out);
}

std::string Digest(const EVP_MD* algorithm, std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  int good = EVP_Digest(bytes.data(), bytes.size(), digest, &size, algorithm, nullptr);
  INVARIANT(good == 1);
  return HexOf({reinterpret_cast<const char*>(digest), size}, false);
}

template <const EVP_MD* (*kAlgorithm)()>
Status EvalDigest(const EvalCall& call, std::span<const Value> values, Value* out) {
  return SetText(call, Digest(kAlgorithm(), Args(call, values).Bytes(0)), out);
}

Status EvalSha2(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  const EVP_MD* algorithm = nullptr;
  switch (args.Int(1)) {
    case 0:
    case 256:
      algorithm = EVP_sha256();
      break;
    case 224:
      algorithm = EVP_sha224();
      break;
    case 384:
      algorithm = EVP_sha384();
      break;
    case 512:
      algorithm = EVP_sha512();
      break;
    default:
      call.context.conversion.Warn(UserError(ER_WRONG_PARAMETERS_TO_NATIVE_FCT, "sha2"));
      *out = Value::Null();
      return {};
  }
  return SetText(call, Digest(algorithm, args.Bytes(0)), out);
}

Status EvalCrc32(const EvalCall& call, std::span<const Value> values, Value* out) {
  uint32_t crc = 0xFFFFFFFF;
  for (char byte : Args(call, values).Bytes(0)) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0);
    }
  }
  *out = Value::Uint(static_cast<uint32_t>(~crc));
  return {};
}

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Lines of 76 characters, as MySQL.
Status EvalToBase64(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string bytes = Args(call, values).Bytes(0);
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t chunk = 0;
    size_t count = std::min<size_t>(3, bytes.size() - i);
    for (size_t j = 0; j < 3; ++j) {
      chunk = chunk << 8 | (j < count ? static_cast<uint8_t>(bytes[i + j]) : 0);
    }
    if (i > 0 && i % 57 == 0) {
      text += '\n';
    }
    for (size_t j = 0; j < 4; ++j) {
      text += j <= count ? kBase64[chunk >> (18 - 6 * j) & 63] : '=';
    }
  }
  return SetText(call, std::move(text), out);
}

Status EvalFromBase64(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string buffer;
  std::string bytes;
  uint32_t chunk = 0;
  int count = 0;
  int padding = 0;
  *out = Value::Null();
  for (char c : Args(call, values).Text(0, &buffer)) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      continue;
    }
    size_t digit = kBase64.find(c);
    if (c == '=' && count >= 2) {
      ++padding;
      digit = 0;
    } else if (digit == std::string_view::npos || padding > 0) {
      return {};
    }
    chunk = chunk << 6 | static_cast<uint32_t>(digit);
    if (++count == 4) {
      for (int j = 0; j < 3 - padding; ++j) {
        bytes += static_cast<char>(chunk >> (16 - 8 * j));
      }
      chunk = 0;
      count = 0;
    }
  }
  return count != 0 ? Status() : SetText(call, std::move(bytes), out);
}

// "6ccd780c-baba-1026-9564-5b8c656024db", without dashes, or in braces, to 16 bytes.
bool ParseUuid(std::string_view text, std::string* bytes) {
  if (text.size() == 38 && text.front() == '{' && text.back() == '}') {
    text = text.substr(1, 36);
  }
  bool dashes = text.size() == 36;
  if (!dashes && text.size() != 32) {
    return false;
  }
  bytes->clear();
  for (size_t i = 0; i < text.size();) {
    if (dashes && (i == 8 || i == 13 || i == 18 || i == 23)) {
      if (text[i++] != '-') {
        return false;
      }
    }
    int high = HexDigit(text[i]);
    int low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) {
      return false;
    }
    *bytes += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return true;
}

Status EvalIsUuid(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string buffer;
  std::string bytes;
  *out = Value::Bool(ParseUuid(Args(call, values).Text(0, &buffer), &bytes));
  return {};
}

// The time's high part first, so that UUIDs of one machine ascend.
std::string SwapTime(std::string_view b, bool back) {
  std::string swapped;
  if (back) {
    swapped.append(b.substr(4, 4)).append(b.substr(2, 2)).append(b.substr(0, 2));
  } else {
    swapped.append(b.substr(6, 2)).append(b.substr(4, 2)).append(b.substr(0, 4));
  }
  return swapped.append(b.substr(8));
}

Status EvalUuidToBin(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string text = args.TextCopy(0);
  std::string bytes;
  if (!ParseUuid(text, &bytes)) {
    return UserError(ER_WRONG_VALUE_FOR_TYPE, "string", row::Printable(text), "uuid_to_bin");
  }
  if (args.size() > 1 && args.Bool(1)) {
    bytes = SwapTime(bytes, false);
  }
  *out = Value::String(std::move(bytes));
  return {};
}

Status EvalBinToUuid(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string bytes = args.TextCopy(0);
  if (bytes.size() != 16) {
    return UserError(ER_WRONG_VALUE_FOR_TYPE, "string", row::Printable(bytes), "bin_to_uuid");
  }
  if (args.size() > 1 && args.Bool(1)) {
    bytes = SwapTime(bytes, true);
  }
  std::string hex = HexOf(bytes, false);
  for (size_t dash : {8, 13, 18, 23}) {
    hex.insert(dash, "-");
  }
  *out = Value::String(std::move(hex));
  return {};
}

template <uint32_t kBytes>
Status InferVarbinary(const InferInput&, Type* type) {
  *type = Type::Varbinary(kBytes);
  return {};
}

}  // namespace

std::span<const FunctionDef> EncodingFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "hex", .min_args = 1, .max_args = 1, .infer = InferTwice, .eval = EvalHex},
      {.name = "unhex", .min_args = 1, .max_args = 1, .infer = InferBytes, .eval = EvalUnhex},
      {.name = "bin",
       .min_args = 1,
       .max_args = 1,
       .infer = InferAscii<64>,
       .eval = EvalInBase<2>,
       .number_args = 1},
      {.name = "oct",
       .min_args = 1,
       .max_args = 1,
       .infer = InferAscii<64>,
       .eval = EvalInBase<8>,
       .number_args = 1},
      {.name = "conv",
       .min_args = 3,
       .max_args = 3,
       .infer = InferAscii<65>,
       .eval = EvalConv,
       .number_args = 0b111},
      {.name = "md5",
       .min_args = 1,
       .max_args = 1,
       .infer = InferAscii<32>,
       .eval = EvalDigest<EVP_md5>},
      {.name = "sha",
       .min_args = 1,
       .max_args = 1,
       .infer = InferAscii<40>,
       .eval = EvalDigest<EVP_sha1>},
      {.name = "sha1",
       .min_args = 1,
       .max_args = 1,
       .infer = InferAscii<40>,
       .eval = EvalDigest<EVP_sha1>},
      {.name = "sha2",
       .min_args = 2,
       .max_args = 2,
       .infer = InferAscii<128>,
       .eval = EvalSha2,
       .number_args = 0b10},
      {.name = "crc32",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigIntOf<10, true>,
       .eval = EvalCrc32,
       .total = true},
      {.name = "to_base64",
       .min_args = 1,
       .max_args = 1,
       .infer = InferTwice,
       .eval = EvalToBase64},
      {.name = "from_base64",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBytes,
       .eval = EvalFromBase64},
      {.name = "is_uuid",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBoolean,
       .eval = EvalIsUuid,
       .total = true},
      {.name = "uuid_to_bin",
       .min_args = 1,
       .max_args = 2,
       .infer = InferVarbinary<16>,
       .eval = EvalUuidToBin,
       .number_args = 0b10},
      {.name = "bin_to_uuid",
       .min_args = 1,
       .max_args = 2,
       .infer = InferAscii<36>,
       .eval = EvalBinToUuid,
       .number_args = 0b10},
  };
  return kTable;
}

}  // namespace borealis::sql
