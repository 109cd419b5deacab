// Keys and X.509 certificates, made and parsed: for what clients see (server/net/tls.h) and for
// the connections between the cluster's own processes (base/net/security.h). Keys are P-256.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

struct ssl_ctx_st;

namespace borealis {

struct CertificateRequest {
  std::string common_name = {};
  std::string alternative_names = {};  // "DNS:localhost,IP:127.0.0.1"; empty: none
  bool is_authority = false;           // signs others
  std::string extended_usage = {};     // "serverAuth,clientAuth"; empty: any
};

// Both as PEM. kInvalidArgument with OpenSSL's words when it refuses.
Result<std::string> MakePrivateKey();
// The certificate of `key`, signed by the authority's key or, when that is empty, by itself.
Result<std::string> MakeCertificate(const CertificateRequest& request, const std::string& key,
                                    const std::string& authority_certificate,
                                    const std::string& authority_key);

// Gives a TLS context the certificate (what follows it is its chain) and its private key.
Status UseCertificateAndKey(ssl_ctx_st* context, const std::string& certificate_chain,
                            const std::string& private_key);
// The context believes certificates of this authority and no others.
Status TrustAuthority(ssl_ctx_st* context, const std::string& authority_certificate);

// OpenSSL's last error as a Status.
Status FromOpenSsl(std::string_view doing);

}  // namespace borealis
