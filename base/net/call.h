// One request and its reply over a connection of its own: for commands and tests, not for hot
// paths.
#pragma once

#include <cstdint>
#include <string>

#include "base/net/frame.h"
#include "base/net/security.h"
#include "base/result.h"

namespace borealis {

// Connects to host:port, proves itself, sends `request` and waits for the frame that echoes its
// request id. kUnavailable when nobody listens, or nobody of this cluster; kTimedOut when no answer
// came within `timeout_us` in all.
Result<Frame> CallOnce(const std::string& host, uint16_t port, const Frame& request,
                       int64_t timeout_us, std::shared_ptr<const PeerSecurity> security);

// Whether a listener could be opened at host:port now; kUnavailable says why not.
Status CheckPortFree(const std::string& host, uint16_t port);
// A port that was free a moment ago.
Result<uint16_t> PickFreePort(const std::string& host);

}  // namespace borealis
