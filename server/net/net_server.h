// The listener: accepts clients on a TCP port and runs their connections on a few reactors.
//
// Reactors (one for each processor) own readiness and timers; statements run on the worker pool.
// Everything given to Create must outlive the server, and the pool must run until after Stop.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "protocol/mysql/auth.h"
#include "server/net/command_handler.h"
#include "server/net/connection_registry.h"
#include "server/net/net_counters.h"
#include "server/net/net_options.h"
#include "server/net/tls.h"

namespace borealis::server {

class WorkerPool;

class NetServer {
 public:
  struct Parts {
    NetOptions options;
    ServerKeys keys;  // see LoadOrMakeKeys; without `tls` only plain connections are offered
    mysql::AccountSource* accounts = nullptr;
    HandlerFactory* factory = nullptr;
    WorkerPool* pool = nullptr;
  };

  static std::unique_ptr<NetServer> Create(Parts parts);
  virtual ~NetServer() = default;  // stops

  // Binds and accepts. kIoError when the address cannot be bound.
  virtual Status Start() = 0;
  // Stops accepting, kills what is connected and waits for the end of every command in progress.
  // Idempotent. Not from a reactor or worker.
  virtual void Stop() = 0;
  // Stops accepting and leaves the connections alone: the first step of a shutdown that drains.
  virtual void StopAccepting() = 0;

  // The port bound; known after Start.
  virtual uint16_t port() const = 0;
  virtual ConnectionRegistry& connections() = 0;
  virtual const NetCounters& counters() const = 0;
  // FLUSH PRIVILEGES: cached proofs of passwords.
  virtual void ForgetProvedPasswords() = 0;
};

}  // namespace borealis::server
