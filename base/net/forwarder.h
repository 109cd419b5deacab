// A TCP endpoint that forwards each connection to a target chosen when the connection arrives.
//
// Bytes pass unchanged both ways with bounded buffers, small ones while nothing moves; when either
// side ends, both end. While there is no target a new connection waits for one, up to a time limit:
// a failover looks like a delay to clients that connect during it. One thread. Targets may change
// at any time: connections to a target that is no longer listed are closed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace borealis {

struct ForwardTarget {
  std::string host;
  uint16_t port = 0;
  friend bool operator==(const ForwardTarget&, const ForwardTarget&) = default;
};

class Forwarder {
 public:
  struct Counters {
    uint64_t accepted = 0;
    uint64_t open = 0;
    uint64_t waiting = 0;  // for a target
    uint64_t refused = 0;  // no target in time
  };

  static std::unique_ptr<Forwarder> Create();
  virtual ~Forwarder() = default;

  // Opens an endpoint; `name` is used in SetTargets and in logs. Call before Start.
  virtual Status Listen(const std::string& name, const std::string& host, uint16_t port) = 0;
  // Replaces the targets of an endpoint; new connections go round-robin over them, skipping one
  // that does not answer. Connections to targets that are no longer listed are closed. Thread-safe.
  virtual void SetTargets(const std::string& name, std::vector<ForwardTarget> targets) = 0;
  virtual Counters counters(const std::string& name) const = 0;
  virtual void Start() = 0;
  virtual void Stop() = 0;
};

}  // namespace borealis
