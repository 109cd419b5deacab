// The RSA key with which clients hide a password on a connection without TLS
// (caching_sha2_password): the client asks for the public key, encrypts with OAEP, the server
// decrypts. Immutable after creation; thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace borealis::mysql {

class RsaKey {
 public:
  // Takes a tenth of a second or more.
  static Result<std::shared_ptr<const RsaKey>> Generate(int bits = 2048);
  static Result<std::shared_ptr<const RsaKey>> FromPrivatePem(std::string_view pem);
  ~RsaKey();
  RsaKey(const RsaKey&) = delete;
  RsaKey& operator=(const RsaKey&) = delete;

  const std::string& public_pem() const { return public_pem_; }
  std::string PrivatePem() const;
  std::optional<std::string> Decrypt(std::string_view cipher) const;
  // What a client does with public_pem; for tests.
  std::optional<std::string> Encrypt(std::string_view plain) const;

 private:
  explicit RsaKey(void* key);

  void* key_;  // EVP_PKEY, kept out of this header
  std::string public_pem_;
};

}  // namespace borealis::mysql
