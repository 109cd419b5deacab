// The instance's keys: certificate and key for TLS, RSA key pair for passwords without TLS.
//
// As MySQL does, the first start makes what is missing in the instance's directory:
//   server-cert.pem, server-key.pem   self-signed, P-256 (a tenth of RSA's cost at each login)
//   private_key.pem, public_key.pem   RSA 2048, for caching_sha2_password
// An operator's own files are used as they are, RSA or EC, certificate chains included.
// TLS 1.2 is the oldest version accepted. Immutable after loading; thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/os/file.h"
#include "base/result.h"
#include "protocol/mysql/rsa_key.h"

struct ssl_ctx_st;

namespace borealis::server {

class TlsContext {
 public:
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* ssl() const { return ssl_; }

  static Result<std::shared_ptr<const TlsContext>> FromPem(const std::string& certificate_chain,
                                                           const std::string& private_key);

 private:
  explicit TlsContext(ssl_ctx_st* ssl) : ssl_(ssl) {}
  ssl_ctx_st* ssl_;
};

struct ServerKeys {
  std::shared_ptr<const TlsContext> tls;
  std::shared_ptr<const mysql::RsaKey> rsa;
};

// Reads the files, making those that are missing. Takes a fraction of a second the first time.
Result<ServerKeys> LoadOrMakeKeys(FileSystem& files, const std::string& directory);

}  // namespace borealis::server
