#include "base/net/security.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include "base/mutex.h"
#include "base/net/certificate.h"

namespace borealis {

namespace {

struct ProcessWide {
  Mutex mutex{LockRank::kLeaf};
  std::shared_ptr<const PeerSecurity> security GUARDED_BY(mutex) = PeerSecurity::None();
};

ProcessWide& TheProcess() {
  static ProcessWide process;
  return process;
}

}  // namespace

std::shared_ptr<const PeerSecurity> PeerSecurity::None() {
  return std::shared_ptr<const PeerSecurity>(new PeerSecurity());
}

Result<std::shared_ptr<const PeerSecurity>> PeerSecurity::FromSecret(std::string secret) {
  if (secret.size() != kClusterSecretSize) {
    return Status::InvalidArgument(fmt::format("a cluster's secret has {} bytes, this one {}",
                                               kClusterSecretSize, secret.size()));
  }
  std::shared_ptr<PeerSecurity> security(new PeerSecurity());
  security->secret_ = std::move(secret);
  return std::shared_ptr<const PeerSecurity>(std::move(security));
}

Result<std::shared_ptr<const PeerSecurity>> PeerSecurity::FromCertificates(
    const std::string& authority, const std::string& certificate, const std::string& key) {
  std::shared_ptr<PeerSecurity> security(new PeerSecurity());
  security->tls_ = SSL_CTX_new(TLS_method());
  SSL_CTX* const tls = security->tls_;
  if (tls == nullptr || SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) != 1) {
    return FromOpenSsl("make a TLS context");
  }
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // Every connection verifies: nothing is resumed.
  SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(tls, 0);
  SSL_CTX_set_options(tls, SSL_OP_NO_TICKET);
  SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  RETURN_IF_ERROR(TrustAuthority(tls, authority));
  RETURN_IF_ERROR(UseCertificateAndKey(tls, certificate, key));
  return std::shared_ptr<const PeerSecurity>(std::move(security));
}

PeerSecurity::~PeerSecurity() {
  OPENSSL_cleanse(secret_.data(), secret_.size());
  SSL_CTX_free(tls_);
}

void SetProcessSecurity(std::shared_ptr<const PeerSecurity> security) {
  ProcessWide& process = TheProcess();
  MutexLock lock(process.mutex);
  process.security = std::move(security);
}

std::shared_ptr<const PeerSecurity> ProcessSecurity() {
  ProcessWide& process = TheProcess();
  MutexLock lock(process.mutex);
  return process.security;
}

}  // namespace borealis
