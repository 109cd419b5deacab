#include "server/net/tls.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/obs/log.h"
#include "base/os/random.h"

namespace borealis::server {

namespace {

constexpr const char* kCommonName = "Borealis_auto_generated_server_certificate";
constexpr long kCertificateSeconds = 10L * 365 * 24 * 3600;

using KeyPtr = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using CertificatePtr = std::unique_ptr<X509, void (*)(X509*)>;
using BioPtr = std::unique_ptr<BIO, int (*)(BIO*)>;

Status FromOpenSsl(std::string_view doing) {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof(text));
  ERR_clear_error();
  return Status::InvalidArgument(std::string(doing) + ": " + text);
}

std::string Contents(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<size_t>(size)};
}

bool AddExtension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  if (extension == nullptr) {
    return false;
  }
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool FillCertificate(X509* certificate, EVP_PKEY* key) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const std::string serial = SecureRandomBytes(8);
  const auto* common_name = reinterpret_cast<const unsigned char*>(kCommonName);
  return X509_set_version(certificate, 2) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate),
                                 *reinterpret_cast<const uint64_t*>(serial.data()) >> 1) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), kCertificateSeconds) != nullptr &&
         X509_set_pubkey(certificate, key) == 1 &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 &&
         AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         AddExtension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

KeyPtr KeyFromPem(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  return {PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
}

Result<std::string> MakeKey() {
  const KeyPtr key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const BioPtr pem(BIO_new(BIO_s_mem()), BIO_free);
  if (key == nullptr || pem == nullptr ||
      PEM_write_bio_PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return FromOpenSsl("make the server's private key");
  }
  return Contents(pem.get());
}

Result<std::string> MakeCertificate(const std::string& key_pem) {
  const KeyPtr key = KeyFromPem(key_pem);
  const CertificatePtr certificate(X509_new(), X509_free);
  const BioPtr pem(BIO_new(BIO_s_mem()), BIO_free);
  if (key == nullptr || certificate == nullptr || pem == nullptr ||
      !FillCertificate(certificate.get(), key.get()) ||
      PEM_write_bio_X509(pem.get(), certificate.get()) != 1) {
    return FromOpenSsl("make the server's certificate");
  }
  return Contents(pem.get());
}

// The first certificate is the server's, the others its chain.
bool UseCertificates(SSL_CTX* context, const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const CertificatePtr own(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
  if (own == nullptr || SSL_CTX_use_certificate(context, own.get()) != 1) {
    return false;
  }
  for (;;) {
    CertificatePtr next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
    if (next == nullptr) {
      ERR_clear_error();  // end of the file
      return true;
    }
    if (SSL_CTX_add0_chain_cert(context, next.get()) != 1) {
      return false;
    }
    next.release();
  }
}

bool UseKey(SSL_CTX* context, const std::string& pem) {
  const KeyPtr key = KeyFromPem(pem);
  return key != nullptr && SSL_CTX_use_PrivateKey(context, key.get()) == 1 &&
         SSL_CTX_check_private_key(context) == 1;
}

Result<std::shared_ptr<const TlsContext>> LoadTls(FileSystem& files, const std::string& directory) {
  const std::string certificate_path = directory + "/server-cert.pem";
  const std::string key_path = directory + "/server-key.pem";
  if (!files.Exists(key_path)) {
    if (files.Exists(certificate_path)) {
      return Status::NotFound(key_path + " is missing; it belongs to " + certificate_path);
    }
    ASSIGN_OR_RETURN(const std::string made, MakeKey());
    RETURN_IF_ERROR(WriteWholeFile(files, key_path, made));
  }
  ASSIGN_OR_RETURN(const std::string key, ReadWholeFile(files, key_path));
  if (!files.Exists(certificate_path)) {
    ASSIGN_OR_RETURN(const std::string made, MakeCertificate(key));
    RETURN_IF_ERROR(WriteWholeFile(files, certificate_path, made));
    LOG_INFO("made a self-signed certificate in {}", directory);
  }
  ASSIGN_OR_RETURN(const std::string certificate, ReadWholeFile(files, certificate_path));
  return TlsContext::FromPem(certificate, key);
}

Result<std::shared_ptr<const mysql::RsaKey>> LoadRsa(FileSystem& files,
                                                     const std::string& directory) {
  const std::string private_path = directory + "/private_key.pem";
  const std::string public_path = directory + "/public_key.pem";
  if (!files.Exists(private_path)) {
    ASSIGN_OR_RETURN(const std::shared_ptr<const mysql::RsaKey> made, mysql::RsaKey::Generate());
    RETURN_IF_ERROR(WriteWholeFile(files, public_path, made->public_pem()));
    RETURN_IF_ERROR(WriteWholeFile(files, private_path, made->PrivatePem()));
    return made;
  }
  ASSIGN_OR_RETURN(const std::string pem, ReadWholeFile(files, private_path));
  return mysql::RsaKey::FromPrivatePem(pem);
}

}  // namespace

TlsContext::~TlsContext() {
  SSL_CTX_free(ssl_);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::FromPem(const std::string& certificate_chain,
                                                              const std::string& private_key) {
  SSL_CTX* ssl = SSL_CTX_new(TLS_server_method());
  if (ssl == nullptr) {
    return FromOpenSsl("make a TLS context");
  }
  const std::shared_ptr<const TlsContext> context(new TlsContext(ssl));
  if (SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) != 1) {
    return FromOpenSsl("set the oldest TLS version");
  }
  SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Idle connections keep no record buffers; writes may be partial and retried from elsewhere.
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);  // tickets resume without memory here
  SSL_CTX_set_read_ahead(ssl, 1);
  if (!UseCertificates(ssl, certificate_chain)) {
    return FromOpenSsl("use the server's certificate");
  }
  if (!UseKey(ssl, private_key)) {
    return FromOpenSsl("use the server's private key");
  }
  return context;
}

Result<ServerKeys> LoadOrMakeKeys(FileSystem& files, const std::string& directory) {
  RETURN_IF_ERROR(files.CreateDirectories(directory));
  ServerKeys keys;
  ASSIGN_OR_RETURN(keys.tls, LoadTls(files, directory));
  ASSIGN_OR_RETURN(keys.rsa, LoadRsa(files, directory));
  return keys;
}

}  // namespace borealis::server
