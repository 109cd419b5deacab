#include "protocol/mysql/password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstdio>
#include <initializer_list>
#include <memory>

#include "base/invariant.h"
#include "base/os/random.h"

namespace borealis::mysql {

namespace {

constexpr std::string_view kSha2Prefix = "$A$";
constexpr size_t kSha2RoundsDigits = 3;
constexpr size_t kSha2SaltSize = 20;
constexpr size_t kSha2CryptSize = 43;
constexpr size_t kSha2StoredSize =
    kSha2Prefix.size() + kSha2RoundsDigits + 1 + kSha2SaltSize + kSha2CryptSize;
constexpr uint32_t kSha2Rounds = 5000;
constexpr size_t kNativeStoredSize = 41;
constexpr size_t kSha1Size = 20;

// One digest context, reused for many digests.
class Digest {
 public:
  explicit Digest(const EVP_MD* type) : type_(type), context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    INVARIANT(context_ != nullptr);
    Reset();
  }
  Digest& Add(std::string_view bytes) {
    INVARIANT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
    return *this;
  }
  // The digest of what was added since the last Finish.
  std::string Finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out;
    unsigned size = 0;
    INVARIANT(EVP_DigestFinal_ex(context_.get(), out.data(), &size) == 1);
    Reset();
    return {reinterpret_cast<const char*>(out.data()), size};
  }

 private:
  void Reset() { INVARIANT(EVP_DigestInit_ex(context_.get(), type_, nullptr) == 1); }

  const EVP_MD* type_;
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

std::string Sha1(std::initializer_list<std::string_view> parts) {
  Digest digest(EVP_sha1());
  for (std::string_view part : parts) {
    digest.Add(part);
  }
  return digest.Finish();
}

std::string Sha256(std::initializer_list<std::string_view> parts) {
  Digest digest(EVP_sha256());
  for (std::string_view part : parts) {
    digest.Add(part);
  }
  return digest.Finish();
}

std::string Xor(std::string_view a, std::string_view b) {
  INVARIANT_EQ(a.size(), b.size());
  std::string out(a);
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<char>(out[i] ^ b[i]);
  }
  return out;
}

bool SecretsEqual(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return -1;
}

// The 20 bytes of "*<40 hex>", or empty.
std::string DecodeNative(std::string_view stored) {
  if (stored.size() != kNativeStoredSize || stored[0] != '*') {
    return {};
  }
  std::string bytes;
  for (size_t i = 1; i < kNativeStoredSize; i += 2) {
    const int high = HexDigit(stored[i]);
    const int low = HexDigit(stored[i + 1]);
    if (high < 0 || low < 0) {
      return {};
    }
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

// The first `size` bytes of `bytes` repeated.
std::string Repeat(std::string_view bytes, size_t size) {
  std::string out;
  out.reserve(size + bytes.size());
  while (out.size() < size) {
    out.append(bytes);
  }
  out.resize(size);
  return out;
}

// crypt's own base 64: least significant six bits first.
void AppendCrypt64(std::string* out, uint32_t bits, int characters) {
  static constexpr std::string_view kAlphabet =
      "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (; characters > 0; --characters, bits >>= 6) {
    out->push_back(kAlphabet[bits & 0x3F]);
  }
}

struct Sha2Stored {
  uint32_t rounds = 0;
  std::string_view salt;
  std::string_view crypt;
};

bool ParseSha2Stored(std::string_view stored, Sha2Stored* parts) {
  if (stored.size() != kSha2StoredSize || !stored.starts_with(kSha2Prefix)) {
    return false;
  }
  stored.remove_prefix(kSha2Prefix.size());
  uint32_t thousands = 0;
  for (size_t i = 0; i < kSha2RoundsDigits; ++i) {
    const int digit = HexDigit(stored[i]);
    if (digit < 0) {
      return false;
    }
    thousands = thousands * 16 + static_cast<uint32_t>(digit);
  }
  if (stored[kSha2RoundsDigits] != '$' || thousands < 5) {
    return false;
  }
  parts->rounds = thousands * 1000;
  parts->salt = stored.substr(kSha2RoundsDigits + 1, kSha2SaltSize);
  parts->crypt = stored.substr(kSha2RoundsDigits + 1 + kSha2SaltSize);
  return true;
}

}  // namespace

std::string NativeStoredCredential(std::string_view password) {
  if (password.empty()) {
    return {};
  }
  const std::string twice = Sha1({Sha1({password})});
  std::string stored = "*";
  for (unsigned char byte : twice) {
    char hex[3];
    std::snprintf(hex, sizeof(hex), "%02X", byte);
    stored += hex;
  }
  return stored;
}

std::string NativeResponse(std::string_view password, std::string_view scramble) {
  if (password.empty()) {
    return {};
  }
  const std::string once = Sha1({password});
  return Xor(once, Sha1({scramble, Sha1({once})}));
}

bool CheckNativeResponse(std::string_view response, std::string_view scramble,
                         std::string_view stored) {
  if (stored.empty()) {
    return response.empty();
  }
  const std::string twice = DecodeNative(stored);
  if (twice.empty() || response.size() != kSha1Size) {
    return false;
  }
  const std::string once = Xor(response, Sha1({scramble, twice}));
  return SecretsEqual(Sha1({once}), twice);
}

std::string Sha256Crypt(std::string_view password, std::string_view salt, uint32_t rounds) {
  Digest digest(EVP_sha256());
  const std::string alternate = digest.Add(password).Add(salt).Add(password).Finish();
  digest.Add(password).Add(salt).Add(Repeat(alternate, password.size()));
  for (size_t bits = password.size(); bits > 0; bits >>= 1) {
    digest.Add((bits & 1) != 0 ? std::string_view(alternate) : password);
  }
  std::string state = digest.Finish();

  for (size_t i = 0; i < password.size(); ++i) {
    digest.Add(password);
  }
  const std::string p = Repeat(digest.Finish(), password.size());
  for (size_t i = 0; i < 16U + static_cast<unsigned char>(state[0]); ++i) {
    digest.Add(salt);
  }
  const std::string s = Repeat(digest.Finish(), salt.size());

  for (uint32_t round = 0; round < rounds; ++round) {
    const bool odd = (round & 1) != 0;
    digest.Add(odd ? p : state);
    if (round % 3 != 0) {
      digest.Add(s);
    }
    if (round % 7 != 0) {
      digest.Add(p);
    }
    digest.Add(odd ? state : p);
    state = digest.Finish();
  }

  const auto byte = [&state](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(state[i]));
  };
  std::string out;
  size_t a = 0;
  size_t b = 10;
  size_t c = 20;
  for (int group = 0; group < 10; ++group) {
    AppendCrypt64(&out, byte(a) << 16 | byte(b) << 8 | byte(c), 4);
    const size_t next = c + 1;
    c = b + 1;
    b = a + 1;
    a = next;
  }
  AppendCrypt64(&out, byte(31) << 8 | byte(30), 3);
  return out;
}

std::string Sha2StoredCredential(std::string_view password) {
  if (password.empty()) {
    return {};
  }
  // Seven-bit, without NUL and '$', so that the credential survives as text in a system table.
  std::string salt = SecureRandomBytes(kSha2SaltSize);
  for (char& byte : salt) {
    byte = static_cast<char>(byte & 0x7F);
    if (byte == '\0' || byte == '$') {
      byte = static_cast<char>(byte + 1);
    }
  }
  return std::string(kSha2Prefix) + "005$" + salt + Sha256Crypt(password, salt, kSha2Rounds);
}

bool CheckSha2Password(std::string_view password, std::string_view stored) {
  if (stored.empty() || password.empty()) {
    return stored.empty() && password.empty();
  }
  Sha2Stored parts;
  if (password.size() > kMaxPasswordSize || !ParseSha2Stored(stored, &parts)) {
    return false;
  }
  return SecretsEqual(Sha256Crypt(password, parts.salt, parts.rounds), parts.crypt);
}

std::string Sha2FastDigest(std::string_view password) {
  return Sha256({Sha256({password})});
}

std::string Sha2Response(std::string_view password, std::string_view scramble) {
  if (password.empty()) {
    return {};
  }
  const std::string once = Sha256({password});
  return Xor(once, Sha256({Sha256({once}), scramble}));
}

bool CheckSha2Response(std::string_view response, std::string_view scramble,
                       std::string_view fast_digest) {
  if (response.size() != kSha2DigestSize || fast_digest.size() != kSha2DigestSize) {
    return false;
  }
  const std::string once = Xor(response, Sha256({fast_digest, scramble}));
  return SecretsEqual(Sha256({once}), fast_digest);
}

bool CheckStoredPassword(std::string_view plugin, std::string_view password,
                         std::string_view stored) {
  if (plugin == kSha2Plugin) {
    return CheckSha2Password(password, stored);
  }
  return plugin == kNativePlugin && SecretsEqual(NativeStoredCredential(password), stored);
}

std::string StoredCredential(std::string_view plugin, std::string_view password) {
  if (plugin == kSha2Plugin) {
    return Sha2StoredCredential(password);
  }
  return plugin == kNativePlugin ? NativeStoredCredential(password) : std::string();
}

bool IsStoredCredential(std::string_view plugin, std::string_view stored) {
  if (plugin == kSha2Plugin) {
    Sha2Stored parts;
    return stored.empty() || ParseSha2Stored(stored, &parts);
  }
  return plugin == kNativePlugin && (stored.empty() || !DecodeNative(stored).empty());
}

std::string Sha2Cache::Find(std::string_view account, std::string_view stored) const {
  MutexLock lock(mutex_);
  const auto it = entries_.find(std::string(account));
  return it != entries_.end() && it->second.stored == stored ? it->second.digest : std::string();
}

void Sha2Cache::Put(std::string_view account, std::string_view stored, std::string digest) {
  MutexLock lock(mutex_);
  entries_[std::string(account)] = {std::string(stored), std::move(digest)};
}

void Sha2Cache::Clear() {
  MutexLock lock(mutex_);
  entries_.clear();
}

}  // namespace borealis::mysql
