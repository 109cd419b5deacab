// `borealis server`: one DB instance. Starts without a role, takes the one that control gives it,
// and serves MySQL clients with it.
//
//   none --AssumeRole(reader)--> reader --AssumeRole(writer)--> writer --deposed, Retire--> (exit)
//     `--------AssumeRole(writer)-----------------------------^
//
// Threads: the admin transport (heartbeats, orders, replication), one role thread (opening a role
// blocks), the listener's reactors, the worker pool. A writer that a newer epoch has deposed ends
// its process: there is no way back that could serve a stale page (docs/architecture.md).
#pragma once

#include <memory>
#include <string>

#include "base/obs/metrics.h"
#include "base/result.h"

namespace borealis::server {

class Instance {
 public:
  // Reads DIRECTORY/cluster.json; keeps keys, pid and log in DIRECTORY/ID/. When it returns the
  // instance answers control; sessions are refused until it has a role. `version` as clients see
  // it.
  static Result<std::unique_ptr<Instance>> Start(const std::string& directory,
                                                 const std::string& id);
  virtual ~Instance() = default;
  // Thread-safe.
  virtual void AddMetrics(MetricsPage* page) const = 0;
  // Closes sessions and gives up the role. Idempotent.
  virtual void Stop() = 0;
};

}  // namespace borealis::server
