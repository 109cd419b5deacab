// A storage node as a process runs it: the core wired to the network, to disk threads and a timer.
//
// Threads: the transport's, on which the core lives; one each for journal flushes, for the
// manifest, for writing layers and for reading them, so that neither a merge of seconds nor a slow
// read delays a commit. The core sees completions as posts on its own thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/obs/metrics.h"
#include "base/result.h"
#include "storage_node/node.h"
#include "volume/geometry.h"

namespace borealis::storage_node {

struct StorageProcessConfig {
  NodeId node{1};
  std::string az;
  std::string directory;
  std::string host = "127.0.0.1";
  uint16_t port = 0;  // 0 picks a free one
  // The other storage nodes of the cluster; this node itself may be among them.
  std::vector<StorageNodeAddress> peers;
  // Called once, on the core's thread, when the node can go on only after a restart.
  std::function<void(const std::string& reason)> on_broken;
  // Sizes, intervals, `new_cluster`; node, az, directory and peers are taken from above.
  NodeConfig tuning;
};

class StorageProcess {
 public:
  StorageProcess();
  ~StorageProcess();  // stops
  StorageProcess(const StorageProcess&) = delete;
  StorageProcess& operator=(const StorageProcess&) = delete;

  // Opens the directory, listens and serves. Returns the port.
  Result<uint16_t> Start(const StorageProcessConfig& config);
  // Works under way end, those waiting are dropped: what was acknowledged is durable anyway.
  void Stop();

  // Snapshots taken on the core's thread. REQUIRES: started.
  std::vector<SegmentSummary> Segments();
  NodeCounters Counters();
  void AddMetrics(MetricsPage* page);
  // Empty while in service.
  std::string OutOfServiceReason();

 private:
  class Shell;
  std::unique_ptr<Shell> shell_;
};

}  // namespace borealis::storage_node
