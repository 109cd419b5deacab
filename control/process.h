// `borealis control`: the cluster manager driven with real processes, heartbeats and commands.
//
// Has the cluster manager (control/manager.h) decide and the supervisor (control/supervisor.h) keep
// the processes of one machine; asks instances and storage nodes for their state, keeps the
// endpoint process informed, and answers the operator's commands. Its only state is who is writer
// (a SQLite file in its directory); everything else it learns by asking. All work is on one
// transport thread.
#pragma once

#include <memory>
#include <string>

#include "base/obs/metrics.h"
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

}  // namespace borealis::control
