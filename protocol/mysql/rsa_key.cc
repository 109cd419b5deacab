#include "protocol/mysql/rsa_key.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace borealis::mysql {

namespace {

using ContextPtr = std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)>;
using BioPtr = std::unique_ptr<BIO, void (*)(BIO*)>;

EVP_PKEY* Key(void* key) {
  return static_cast<EVP_PKEY*>(key);
}

BioPtr NewBio() {
  BioPtr bio(BIO_new(BIO_s_mem()), BIO_free_all);
  INVARIANT(bio != nullptr);
  return bio;
}

std::string TakeBytes(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<size_t>(size)};
}

}  // namespace

RsaKey::RsaKey(void* key) : key_(key) {
  const BioPtr bio = NewBio();
  INVARIANT(PEM_write_bio_PUBKEY(bio.get(), Key(key_)) == 1);
  public_pem_ = TakeBytes(bio.get());
}

RsaKey::~RsaKey() {
  EVP_PKEY_free(Key(key_));
}

Result<std::shared_ptr<const RsaKey>> RsaKey::Generate(int bits) {
  EVP_PKEY* key = EVP_RSA_gen(static_cast<unsigned>(bits));
  if (key == nullptr) {
    return Status::Internal("generate an RSA key");
  }
  return std::shared_ptr<const RsaKey>(new RsaKey(key));
}

Result<std::shared_ptr<const RsaKey>> RsaKey::FromPrivatePem(std::string_view pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free_all);
  EVP_PKEY* key =
      bio == nullptr ? nullptr : PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr);
  if (key == nullptr) {
    return Status::InvalidArgument("not a private key in PEM form");
  }
  if (EVP_PKEY_base_id(key) != EVP_PKEY_RSA) {
    EVP_PKEY_free(key);
    return Status::InvalidArgument("not an RSA key");
  }
  return std::shared_ptr<const RsaKey>(new RsaKey(key));
}

std::string RsaKey::PrivatePem() const {
  const BioPtr bio = NewBio();
  INVARIANT(PEM_write_bio_PrivateKey(bio.get(), Key(key_), nullptr, nullptr, 0, nullptr, nullptr) ==
            1);
  return TakeBytes(bio.get());
}

std::optional<std::string> RsaKey::Decrypt(std::string_view cipher) const {
  const ContextPtr context(EVP_PKEY_CTX_new(Key(key_), nullptr), EVP_PKEY_CTX_free);
  const auto* in = reinterpret_cast<const unsigned char*>(cipher.data());
  size_t size = 0;
  if (context == nullptr || EVP_PKEY_decrypt_init(context.get()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) <= 0 ||
      EVP_PKEY_decrypt(context.get(), nullptr, &size, in, cipher.size()) <= 0) {
    return std::nullopt;
  }
  std::string plain(size, '\0');
  if (EVP_PKEY_decrypt(context.get(), reinterpret_cast<unsigned char*>(plain.data()), &size, in,
                       cipher.size()) <= 0) {
    return std::nullopt;
  }
  plain.resize(size);
  return plain;
}

std::optional<std::string> RsaKey::Encrypt(std::string_view plain) const {
  const ContextPtr context(EVP_PKEY_CTX_new(Key(key_), nullptr), EVP_PKEY_CTX_free);
  const auto* in = reinterpret_cast<const unsigned char*>(plain.data());
  size_t size = 0;
  if (context == nullptr || EVP_PKEY_encrypt_init(context.get()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) <= 0 ||
      EVP_PKEY_encrypt(context.get(), nullptr, &size, in, plain.size()) <= 0) {
    return std::nullopt;
  }
  std::string cipher(size, '\0');
  if (EVP_PKEY_encrypt(context.get(), reinterpret_cast<unsigned char*>(cipher.data()), &size, in,
                       plain.size()) <= 0) {
    return std::nullopt;
  }
  cipher.resize(size);
  return cipher;
}

}  // namespace borealis::mysql
