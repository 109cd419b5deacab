// `borealis endpoint`: the cluster and reader endpoints of one cluster, as a process of its own so
// that connections outlive a restart of control. It knows nothing: control tells it where to
// forward, and it keeps to the last word when control is gone.
#pragma once

#include <memory>
#include <string>

#include "base/obs/metrics.h"
#include "base/result.h"

namespace borealis::control {

class EndpointProcess {
 public:
  // Listens at the two endpoints of DIRECTORY/cluster.json.
  static Result<std::unique_ptr<EndpointProcess>> Start(const std::string& directory);
  virtual ~EndpointProcess() = default;
  // Thread-safe.
  virtual void AddMetrics(MetricsPage* page) const = 0;
};

}  // namespace borealis::control
