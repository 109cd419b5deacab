// COMPRESS and its inverse: four bytes of length, low first, and then what zlib makes of the bytes.
#include <zlib.h>

#include <algorithm>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

constexpr size_t kLengthBytes = 4;
constexpr uint32_t kLengthMask = 0x3FFFFFFF;

// The length that `bytes` begins with. None where nothing follows it: NULL or 0, and 1259.
bool DecodeLength(const EvalCall& call, std::string_view bytes, uint32_t* length) {
  if (bytes.size() <= kLengthBytes) {
    call.context.conversion.Warn(UserError(ER_ZLIB_Z_DATA_ERROR));
    return false;
  }
  *length = 0;
  for (size_t i = kLengthBytes; i-- > 0;) {
    *length = *length << 8 | static_cast<uint8_t>(bytes[i]);
  }
  *length &= kLengthMask;
  return true;
}

Status EvalCompress(const EvalCall& call, std::span<const Value> values, Value* out) {
  const std::string bytes = Args(call, values).Bytes(0);
  if (bytes.empty()) {
    *out = Value::View("");
    return {};
  }
  uLongf size = compressBound(bytes.size());
  std::string result(kLengthBytes + size, '\0');
  for (size_t i = 0; i < kLengthBytes; ++i) {
    result[i] = static_cast<char>((bytes.size() & kLengthMask) >> (8 * i));
  }
  const int status = compress(reinterpret_cast<Bytef*>(result.data()) + kLengthBytes, &size,
                              reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  INVARIANT(status == Z_OK);  // there is room enough
  result.resize(kLengthBytes + size);
  if (result.back() == ' ') {
    result += '.';  // a CHAR column would lose the blank
  }
  return SetText(call, std::move(result), out);
}

Status ZlibError(int status) {
  switch (status) {
    case Z_BUF_ERROR:
      return UserError(ER_ZLIB_Z_BUF_ERROR);
    case Z_MEM_ERROR:
      return UserError(ER_ZLIB_Z_MEM_ERROR);
    default:
      return UserError(ER_ZLIB_Z_DATA_ERROR);
  }
}

Status EvalUncompress(const EvalCall& call, std::span<const Value> values, Value* out) {
  const std::string bytes = Args(call, values).Bytes(0);
  if (bytes.empty()) {
    *out = Value::View("");
    return {};
  }
  *out = Value::Null();
  uint32_t length = 0;
  if (!DecodeLength(call, bytes, &length)) {
    return {};
  }
  if (length > call.context.max_allowed_packet) {
    call.context.conversion.Warn(
        UserError(ER_TOO_BIG_FOR_UNCOMPRESS, call.context.max_allowed_packet));
    return {};
  }
  std::string result(length, '\0');
  uLongf size = length;
  const int status = uncompress(reinterpret_cast<Bytef*>(result.data()), &size,
                                reinterpret_cast<const Bytef*>(bytes.data()) + kLengthBytes,
                                bytes.size() - kLengthBytes);
  if (status != Z_OK) {
    call.context.conversion.Warn(ZlibError(status));
    return {};
  }
  result.resize(size);
  *out = Value::String(std::move(result));
  return {};
}

Status EvalUncompressedLength(const EvalCall& call, std::span<const Value> values, Value* out) {
  const std::string bytes = Args(call, values).Bytes(0);
  uint32_t length = 0;
  if (!bytes.empty() && !DecodeLength(call, bytes, &length)) {
    length = 0;
  }
  return SetInt(out, length);
}

Status InferCompress(const InferInput& input, Type* type) {
  const uint64_t bound = compressBound(BytesOf(input.args[0].type)) + kLengthBytes + 1;
  *type = TextType(std::min<uint64_t>(bound, UINT32_MAX), row::kBinaryCollation);
  return {};
}

Status InferUncompress(const InferInput&, Type* type) {
  *type = Type::Blob(row::TypeKind::kLongBlob);
  return {};
}

}  // namespace

std::span<const FunctionDef> CompressionFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "compress",
       .min_args = 1,
       .max_args = 1,
       .infer = InferCompress,
       .eval = EvalCompress},
      {.name = "uncompress",
       .min_args = 1,
       .max_args = 1,
       .infer = InferUncompress,
       .eval = EvalUncompress},
      {.name = "uncompressed_length",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigInt,
       .eval = EvalUncompressedLength,
       .total = true},
  };
  return kTable;
}

}  // namespace borealis::sql
