// AES_ENCRYPT and AES_DECRYPT in the modes of block_encryption_mode, and RANDOM_BYTES.
//
// A password becomes a key by folding, or by one of two functions that the call names.
#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/os/random.h"
#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

constexpr size_t kVectorBytes = 16;  // and of a block
constexpr size_t kOptionLimit = 256;
constexpr size_t kIterationsLimit = 6;
constexpr int kMinIterations = 1000;
constexpr int kMaxIterations = 65535;

// The arguments after the text, as OpenSSL needs them.
struct Cipher {
  const EVP_CIPHER* algorithm = nullptr;
  std::string key;
  std::string vector;
};

unsigned char* Bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* Bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Every byte of the password counts, however short the key.
std::string FoldedKey(std::string_view password, size_t size) {
  std::string key(size, '\0');
  for (size_t i = 0; i < password.size(); ++i) {
    key[i % size] ^= password[i];
  }
  return key;
}

// Options of a key function: 3238 where one is NULL or too long.
Status Option(const Args& args, size_t i, size_t limit, std::string* option) {
  if (i >= args.size()) {
    return {};
  }
  if (args.null(i)) {
    return UserError(ER_AES_INVALID_KDF_OPTION_SIZE, limit);
  }
  *option = args.Bytes(i);
  return option->size() < limit ? Status() : UserError(ER_AES_INVALID_KDF_OPTION_SIZE, limit);
}

Status HkdfKey(const Args& args, std::string password, std::string* key) {
  std::string salt;
  std::string info;
  RETURN_IF_ERROR(Option(args, 4, kOptionLimit, &salt));
  RETURN_IF_ERROR(Option(args, 5, kOptionLimit, &info));
  const std::unique_ptr<EVP_KDF, void (*)(EVP_KDF*)> kdf(
      EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_HKDF, nullptr), EVP_KDF_free);
  const std::unique_ptr<EVP_KDF_CTX, void (*)(EVP_KDF_CTX*)> context(EVP_KDF_CTX_new(kdf.get()),
                                                                     EVP_KDF_CTX_free);
  std::string digest = "SHA512";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, password.data(), password.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end()};
  const bool good = EVP_KDF_derive(context.get(), Bytes(*key), key->size(), params) == 1;
  return good ? Status() : Status::Internal("HKDF makes no key");
}

Status Pbkdf2Key(const Args& args, const std::string& password, std::string* key) {
  std::string salt;
  std::string iterations = std::to_string(kMinIterations);
  RETURN_IF_ERROR(Option(args, 4, kOptionLimit, &salt));
  RETURN_IF_ERROR(Option(args, 5, kIterationsLimit, &iterations));
  const int count = std::atoi(iterations.c_str());
  if (count < kMinIterations || count > kMaxIterations) {
    return UserError(ER_AES_INVALID_KDF_ITERATIONS);
  }
  const bool good =
      PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), Bytes(salt),
                        static_cast<int>(salt.size()), count, EVP_sha512(),
                        static_cast<int>(key->size()), Bytes(*key)) == 1;
  return good ? Status() : Status::Internal("PBKDF2 makes no key");
}

// `warn`: of a password that is longer than the key.
Status MakeKey(const Args& args, size_t size, bool warn, std::string* key) {
  const std::string password = args.Bytes(1);
  if (args.size() <= 3) {
    if (warn && password.size() > size) {
      args.context().conversion.Warn(UserError(ER_WARN_AES_KEY_SIZE, size));
    }
    *key = FoldedKey(password, size);
    return {};
  }
  std::string name;
  RETURN_IF_ERROR(Option(args, 3, kOptionLimit, &name));
  key->resize(size);
  if (name == "hkdf") {
    return HkdfKey(args, password, key);
  }
  return name == "pbkdf2_hmac" ? Pbkdf2Key(args, password, key)
                               : UserError(ER_AES_INVALID_KDF_NAME);
}

// OpenSSL calls cfb128 cfb.
const EVP_CIPHER* FindCipher(std::string mode) {
  constexpr std::string_view kCfb = "-cfb128";
  if (mode.ends_with(kCfb)) {
    mode.resize(mode.size() - 3);
  }
  const EVP_CIPHER* cipher = EVP_get_cipherbyname(mode.c_str());
  INVARIANT(cipher != nullptr);  // the variable was checked when it was set
  return cipher;
}

Status MakeCipher(const EvalCall& call, const Args& args, bool encrypt, Cipher* cipher) {
  const std::string_view name = call.function.def().name;
  cipher->algorithm = FindCipher(call.context.block_encryption_mode);
  if (EVP_CIPHER_get_iv_length(cipher->algorithm) == 0) {
    if (args.size() == 3) {
      call.context.conversion.Warn(UserError(WARN_OPTION_IGNORED, "IV"));
    }
  } else if (args.size() < 3) {
    return UserError(ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, name);
  } else {
    cipher->vector = args.null(2) ? "" : args.Bytes(2);
    if (cipher->vector.size() < kVectorBytes) {
      return UserError(ER_AES_INVALID_IV, name, kVectorBytes);
    }
  }
  const int key_size = EVP_CIPHER_get_key_length(cipher->algorithm);
  return MakeKey(args, static_cast<size_t>(key_size), encrypt, &cipher->key);
}

// False where the text is none that the key has made.
bool RunCipher(const Cipher& cipher, bool encrypt, const std::string& text, std::string* result) {
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(EVP_CIPHER_CTX_new(),
                                                                           EVP_CIPHER_CTX_free);
  result->resize(text.size() + kVectorBytes);
  int size = 0;
  int rest = 0;
  const bool good = EVP_CipherInit_ex(context.get(), cipher.algorithm, nullptr, Bytes(cipher.key),
                                      cipher.vector.empty() ? nullptr : Bytes(cipher.vector),
                                      encrypt ? 1 : 0) == 1 &&
                    EVP_CipherUpdate(context.get(), Bytes(*result), &size, Bytes(text),
                                     static_cast<int>(text.size())) == 1 &&
                    EVP_CipherFinal_ex(context.get(), Bytes(*result) + size, &rest) == 1;
  result->resize(good ? static_cast<size_t>(size + rest) : 0);
  return good;
}

template <bool kEncrypt>
Status EvalAes(const EvalCall& call, std::span<const Value> values, Value* out) {
  const Args args(call, values);
  *out = Value::Null();
  if (args.null(0) || args.null(1)) {
    return {};
  }
  Cipher cipher;
  RETURN_IF_ERROR(MakeCipher(call, args, kEncrypt, &cipher));
  const std::string text = args.Bytes(0);
  std::string result;
  if (text.size() <= INT32_MAX - kVectorBytes && RunCipher(cipher, kEncrypt, text, &result)) {
    *out = Value::String(std::move(result));
  }
  return {};
}

Status InferEncrypted(const InferInput& input, Type* type) {
  uint64_t bytes = BytesOf(input.args[0].type);
  if (input.settings.aes_pads) {
    bytes = (bytes / kVectorBytes + 1) * kVectorBytes;
  }
  *type = TextType(std::min<uint64_t>(bytes, UINT32_MAX), row::kBinaryCollation);
  return {};
}

Status InferDecrypted(const InferInput& input, Type* type) {
  *type = TextType(CharsOf(input.args[0].type), row::kBinaryCollation);
  return {};
}

constexpr uint32_t kMaxRandomBytes = 1024;

Status EvalRandomBytes(const EvalCall& call, std::span<const Value> values, Value* out) {
  const uint64_t count = Args(call, values).Bits(0);
  if (count == 0 || count > kMaxRandomBytes) {
    return UserError(ER_DATA_OUT_OF_RANGE, "length", call.function.def().name);
  }
  *out = Value::String(SecureRandomBytes(count));
  return {};
}

Status InferRandomBytes(const InferInput&, Type* type) {
  *type = Type::Varbinary(kMaxRandomBytes);
  return {};
}

}  // namespace

std::span<const FunctionDef> EncryptionFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "aes_encrypt",
       .min_args = 2,
       .max_args = 6,
       .infer = InferEncrypted,
       .eval = EvalAes<true>,
       .null_if_any_null = false},
      {.name = "aes_decrypt",
       .min_args = 2,
       .max_args = 6,
       .infer = InferDecrypted,
       .eval = EvalAes<false>,
       .null_if_any_null = false},
      {.name = "random_bytes",
       .min_args = 1,
       .max_args = 1,
       .infer = InferRandomBytes,
       .eval = EvalRandomBytes,
       .stability = Stability::kVolatile,
       .number_args = 1},
  };
  return kTable;
}

}  // namespace borealis::sql
