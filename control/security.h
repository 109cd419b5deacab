// The files by which a cluster's processes know each other, in the cluster's directory:
//
//   DIR/secret                 32 random bytes (clusters made without --secure)
//   DIR/tls/ca-cert.pem        the cluster's own authority (--secure); ca-key.pem is its key, which
//   DIR/tls/ca-key.pem         only `cluster up` and `add-storage` read, to make
//   DIR/tls/NAME-cert.pem      the certificate of each process, named like it, and of the operator
//   DIR/tls/NAME-key.pem       and its key
//
// Keys and secret have mode 0600; one that others may read is refused.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/net/security.h"
#include "base/result.h"
#include "control/cluster_config.h"

namespace borealis::control {

// Whom the operator's commands connect as.
inline constexpr std::string_view kOperatorId = "operator";

// Makes what is missing for this cluster and these processes; changes nothing that is there.
Status MakeSecurity(const std::string& directory, const ClusterConfig& config,
                    const std::vector<std::string>& names);
// What the process `name` (or the operator) shows and asks for. kNotFound when it was never made.
Result<std::shared_ptr<const PeerSecurity>> LoadSecurity(const std::string& directory,
                                                         const ClusterConfig& config,
                                                         std::string_view name);

}  // namespace borealis::control
