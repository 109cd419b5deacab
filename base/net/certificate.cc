#include "base/net/certificate.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/coding.h"
#include "base/os/random.h"

namespace borealis {

namespace {

constexpr long kCertificateSeconds = 10L * 365 * 24 * 3600;
// Clocks differ: what was made now is valid already for a process whose clock is behind.
constexpr long kClockSkewSeconds = 3600;

using KeyPtr = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using CertificatePtr = std::unique_ptr<X509, void (*)(X509*)>;
using BioPtr = std::unique_ptr<BIO, int (*)(BIO*)>;

std::string Contents(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<size_t>(size)};
}

BioPtr OpenPem(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
}

KeyPtr KeyFromPem(const std::string& pem) {
  const BioPtr bio = OpenPem(pem);
  return {PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
}

CertificatePtr NextCertificate(BIO* bio) {
  return {PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), X509_free};
}

bool AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) {
    return false;
  }
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool FillCertificate(X509* certificate, const CertificateRequest& request, EVP_PKEY* key,
                     X509* issuer) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const uint64_t serial = LoadLittle<uint64_t>(SecureRandomBytes(8).data()) >> 1;
  const auto* common_name = reinterpret_cast<const unsigned char*>(request.common_name.c_str());
  const auto add = [&](int nid, const std::string& value) {
    return value.empty() || AddExtension(certificate, issuer, nid, value);
  };
  return X509_set_version(certificate, 2) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -kClockSkewSeconds) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), kCertificateSeconds) != nullptr &&
         X509_set_pubkey(certificate, key) == 1 &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
         add(NID_basic_constraints, request.is_authority ? "critical,CA:TRUE" : "CA:FALSE") &&
         add(NID_subject_alt_name, request.alternative_names) &&
         add(NID_ext_key_usage, request.extended_usage);
}

}  // namespace

Status FromOpenSsl(std::string_view doing) {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof(text));
  ERR_clear_error();
  return Status::InvalidArgument(std::string(doing) + ": " + text);
}

Result<std::string> MakePrivateKey() {
  const KeyPtr key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const BioPtr pem(BIO_new(BIO_s_mem()), BIO_free);
  if (key == nullptr || pem == nullptr ||
      PEM_write_bio_PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return FromOpenSsl("make a private key");
  }
  return Contents(pem.get());
}

Result<std::string> MakeCertificate(const CertificateRequest& request, const std::string& key,
                                    const std::string& authority_certificate,
                                    const std::string& authority_key) {
  const bool signs_itself = authority_key.empty();
  const KeyPtr own_key = KeyFromPem(key);
  const KeyPtr signing_key = KeyFromPem(signs_itself ? key : authority_key);
  const CertificatePtr authority = NextCertificate(OpenPem(authority_certificate).get());
  const CertificatePtr made(X509_new(), X509_free);
  const BioPtr pem(BIO_new(BIO_s_mem()), BIO_free);
  X509* issuer = signs_itself ? made.get() : authority.get();
  if (own_key == nullptr || signing_key == nullptr || made == nullptr || pem == nullptr ||
      issuer == nullptr || !FillCertificate(made.get(), request, own_key.get(), issuer) ||
      X509_sign(made.get(), signing_key.get(), EVP_sha256()) <= 0 ||
      PEM_write_bio_X509(pem.get(), made.get()) != 1) {
    return FromOpenSsl("make the certificate of " + request.common_name);
  }
  ERR_clear_error();  // of reading an absent authority
  return Contents(pem.get());
}

Status UseCertificateAndKey(ssl_ctx_st* context, const std::string& certificate_chain,
                            const std::string& private_key) {
  const BioPtr bio = OpenPem(certificate_chain);
  const CertificatePtr own = NextCertificate(bio.get());
  if (own == nullptr || SSL_CTX_use_certificate(context, own.get()) != 1) {
    return FromOpenSsl("use the certificate");
  }
  for (CertificatePtr next = NextCertificate(bio.get()); next != nullptr;
       next = NextCertificate(bio.get())) {
    if (SSL_CTX_add0_chain_cert(context, next.get()) != 1) {
      return FromOpenSsl("use the certificate's chain");
    }
    next.release();
  }
  ERR_clear_error();  // of the end of the file
  const KeyPtr key = KeyFromPem(private_key);
  if (key == nullptr || SSL_CTX_use_PrivateKey(context, key.get()) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return FromOpenSsl("use the private key");
  }
  return Status::Ok();
}

Status TrustAuthority(ssl_ctx_st* context, const std::string& authority_certificate) {
  const CertificatePtr authority = NextCertificate(OpenPem(authority_certificate).get());
  if (authority == nullptr ||
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1) {
    return FromOpenSsl("use the authority's certificate");
  }
  return Status::Ok();
}

}  // namespace borealis
