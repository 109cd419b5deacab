// `borealis control`: the cluster manager driven with real processes, heartbeats and commands.
//
// Starts and watches the processes of one machine (children, and what an earlier control left
// running), asks instances and storage nodes for their state, keeps the endpoint process informed,
// and answers the operator's commands. Its only state is who is writer (a SQLite file in its
// directory); everything else it learns by asking. All work is on one transport thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/obs/metrics.h"
#include "base/os/process.h"
#include "base/result.h"

namespace borealis::control {

class ControlProcess {
 public:
  // `directory` holds cluster.json. `program` is the borealis binary that it starts the others
  // with.
  static Result<std::unique_ptr<ControlProcess>> Start(const std::string& directory,
                                                       const std::string& program);
  virtual ~ControlProcess() = default;
  // Waits for control's thread; not from it.
  virtual void AddMetrics(MetricsPage* page) = 0;
  // Blocks until a `down` command has stopped every process.
  virtual void WaitUntilDown() = 0;
  // Stops watching without stopping anything (SIGTERM to control alone).
  virtual void Leave() = 0;
};

// Where a process of the cluster says who it is: DIRECTORY/NAME/pid holds "pid start_ticks".
std::string PidPath(const std::string& directory, const std::string& name);
// Claims DIRECTORY/NAME for this process, for as long as it lives, and writes its pid file. Refused
// while another process has it: two that write one directory would ruin it.
Status ClaimDirectory(const std::string& directory, const std::string& name);
// The living process of that name and cluster; nothing when there is none. A pid file in a copied
// directory tells of another cluster's process and counts for nothing.
std::optional<ProcessIdentity> LivingProcess(const std::string& directory, const std::string& name);

}  // namespace borealis::control
