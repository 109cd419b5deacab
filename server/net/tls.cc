#include "server/net/tls.h"

#include <openssl/ssl.h>

#include "base/net/certificate.h"
#include "base/obs/log.h"

namespace borealis::server {

namespace {

constexpr const char* kCommonName = "Borealis_auto_generated_server_certificate";

CertificateRequest OwnCertificate() {
  CertificateRequest request;
  request.common_name = kCommonName;
  request.alternative_names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  request.is_authority = true;  // of itself: clients may trust it by name
  return request;
}

Result<std::shared_ptr<const TlsContext>> LoadTls(FileSystem& files, const std::string& directory) {
  const std::string certificate_path = directory + "/server-cert.pem";
  const std::string key_path = directory + "/server-key.pem";
  if (!files.Exists(key_path)) {
    if (files.Exists(certificate_path)) {
      return Status::NotFound(key_path + " is missing; it belongs to " + certificate_path);
    }
    ASSIGN_OR_RETURN(const std::string made, MakePrivateKey());
    RETURN_IF_ERROR(WriteWholeFile(files, key_path, made, FileSystem::Mode::kCreatePrivate));
  }
  ASSIGN_OR_RETURN(const std::string key, ReadWholeFile(files, key_path));
  if (!files.Exists(certificate_path)) {
    ASSIGN_OR_RETURN(const std::string made, MakeCertificate(OwnCertificate(), key, "", ""));
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
    RETURN_IF_ERROR(
        WriteWholeFile(files, private_path, made->PrivatePem(), FileSystem::Mode::kCreatePrivate));
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
  RETURN_IF_ERROR(UseCertificateAndKey(ssl, certificate_chain, private_key));
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
