// By what a connection between processes of a cluster is known to be one: the cluster's secret,
// or certificates of the cluster's own authority (TLS 1.3, both sides). docs/formats/handshake.md.
//
// Every process sets its own once, at its start and before it makes a Transport; tests make
// several. Immutable, shared by all connections, thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;

namespace borealis {

inline constexpr size_t kClusterSecretSize = 32;

class PeerSecurity {
 public:
  // Trusts whoever connects: for unit tests.
  static std::shared_ptr<const PeerSecurity> None();
  // REQUIRES: kClusterSecretSize bytes, else kInvalidArgument.
  static Result<std::shared_ptr<const PeerSecurity>> FromSecret(std::string secret);
  // The authority's certificate, and this process' own with its key, as PEM.
  static Result<std::shared_ptr<const PeerSecurity>> FromCertificates(
      const std::string& authority, const std::string& certificate, const std::string& key);

  ~PeerSecurity();
  PeerSecurity(const PeerSecurity&) = delete;
  PeerSecurity& operator=(const PeerSecurity&) = delete;

  // Empty unless made FromSecret.
  const std::string& secret() const { return secret_; }
  // For both roles; null unless made FromCertificates.
  ssl_ctx_st* tls() const { return tls_; }

 private:
  PeerSecurity() = default;
  std::string secret_;
  ssl_ctx_st* tls_ = nullptr;
};

// What the Transports of this process use unless told otherwise; None() until it is set.
void SetProcessSecurity(std::shared_ptr<const PeerSecurity> security);
std::shared_ptr<const PeerSecurity> ProcessSecurity();

}  // namespace borealis
