// The processes of a cluster, in the foreground: `borealis storage|server|control|endpoint`.
//
// Each writes its pid file and log into DIR/NAME/, runs until SIGTERM or SIGINT, and stops in
// order.
#include <unistd.h>

#include <functional>

#include "base/fault.h"
#include "base/obs/log.h"
#include "base/obs/metrics_server.h"
#include "base/os/file.h"
#include "base/os/memory.h"
#include "base/os/process.h"
#include "base/os/signals.h"
#include "base/os/thread.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "control/cluster_config.h"
#include "control/endpoint.h"
#include "control/process.h"
#include "control/security.h"
#include "control/supervisor.h"
#include "server/instance.h"
#include "storage_node/process.h"

namespace borealis::cli {

namespace {

// A process that has been told to stop and has not after this long is stuck; it holds nothing that
// a kill could lose.
constexpr unsigned kStopLimitS = 8;

// What a role runs; destroying `part` stops it.
struct RunningRole {
  std::shared_ptr<void> part;
  std::function<void(MetricsPage*)> add_metrics;
};

template <class Part>
RunningRole Running(std::shared_ptr<Part> part) {
  return {part, [raw = part.get()](MetricsPage* page) { raw->AddMetrics(page); }};
}

// The cluster that this process is of, after setting what it proves that with: before it has any
// connection.
Result<control::ClusterConfig> Join(const std::string& directory, const std::string& id) {
  ASSIGN_OR_RETURN(control::ClusterConfig config,
                   control::LoadClusterConfig(RealFileSystem(), directory));
  ASSIGN_OR_RETURN(auto security, control::LoadSecurity(directory, config, id));
  SetProcessSecurity(std::move(security));
  return config;
}

// Answers Prometheus. A process without metrics is better than none: failures are logged only.
std::unique_ptr<MetricsServer> ServeMetrics(const control::ClusterConfig& config,
                                            const std::string& id, const RunningRole& role) {
  const uint16_t port = config.MetricsPort(id);
  if (port == 0) {
    return nullptr;
  }
  auto server = MetricsServer::Start(config.host, port, [&role](MetricsPage* page) {
    AddProcessMetrics(page);
    role.add_metrics(page);
  });
  if (!server.ok()) {
    LOG_WARN("{}", server.status().message());
    return nullptr;
  }
  return std::move(*server);
}

// What every role has in common. `start` returns the role once it runs.
int RunRole(const Words& words, const std::string& fixed_id, const char* usage,
            const std::function<Result<RunningRole>(const std::string& directory,
                                                    const std::string& id)>& start) {
  BlockStopSignals();
  LimitAllocatorArenas();
  const auto arguments = Arguments::Parse(
      words, {{"dir", "DIR", "the cluster's directory"}, {"id", "NAME", "which one"}},
      /*positional_max=*/0);
  if (!arguments.ok()) {
    return UsageError(std::string(arguments.status().message()), usage);
  }
  const std::string id = fixed_id.empty() ? arguments->Get("id") : fixed_id;
  if (!arguments->Has("dir") || id.empty()) {
    return UsageError("--dir and --id are needed", usage);
  }
  const std::string directory = CanonicalPath(arguments->Get("dir"));
  Status status = RealFileSystem().CreateDirectories(directory + "/" + id);
  if (status.ok()) {
    status = control::ClaimDirectory(directory, id);
  }
  if (!status.ok()) {
    return Fail(status);
  }
  const auto config = Join(directory, id);
  if (!config.ok()) {
    return Fail(config.status());
  }
  OpenLog(directory + "/" + id + "/log", id, LogLevel::kInfo);
  LOG_INFO("{} starts with pid {}", id, ::getpid());
  auto role = start(directory, id);
  if (!role.ok()) {
    LOG_ERROR("cannot start: {}", role.status().ToString());
    return Fail(role.status());
  }
  std::unique_ptr<MetricsServer> metrics = ServeMetrics(*config, id, *role);
  const int signal = WaitForStopSignal();
  LOG_INFO("{} stops (signal {})", id, signal);
  ::alarm(kStopLimitS);
  metrics = nullptr;  // it asks the role
  role->part = nullptr;
  LOG_INFO("{} has stopped", id);
  return kExitDone;
}

// Control and the thread that ends this process when a `down` command has stopped everything.
class RunningControl {
 public:
  explicit RunningControl(std::shared_ptr<control::ControlProcess> control)
      : control_(std::move(control)), watcher_("down watcher", [this] {
          control_->WaitUntilDown();
          RequestStop();
        }) {}
  ~RunningControl() {
    control_->Leave();
    watcher_.Join();
  }
  void AddMetrics(MetricsPage* page) { control_->AddMetrics(page); }
  RunningControl(const RunningControl&) = delete;
  RunningControl& operator=(const RunningControl&) = delete;

 private:
  const std::shared_ptr<control::ControlProcess> control_;
  Thread watcher_;
};

}  // namespace

int RunStorage(const Words& words) {
  return RunRole(
      words, "", "usage: borealis storage --dir DIR --id NAME\n",
      [](const std::string& directory, const std::string& id) -> Result<RunningRole> {
        ASSIGN_OR_RETURN(const control::ClusterConfig config,
                         control::LoadClusterConfig(RealFileSystem(), directory));
        const control::StorageNodeConfig* self = config.FindStorageNode(id);
        if (self == nullptr) {
          return Status::NotFound("cluster.json names no storage node " + id);
        }
        storage_node::StorageProcessConfig process;
        process.directory = directory + "/" + id;
        process.node = NodeId(self->number);
        process.az = self->az;
        process.host = self->host;
        process.port = self->port;
        for (const control::StorageNodeConfig& peer : config.storage_nodes) {
          if (peer.number != self->number) {
            process.peers.push_back({NodeId(peer.number), peer.az, peer.host, peer.port});
          }
        }
        process.tuning.new_cluster = !config.volume_made;
        process.on_broken = [](const std::string& reason) {
          LOG_ERROR("ending, to be started again: {}", reason);
          RequestStop();
        };
        auto started = std::make_shared<storage_node::StorageProcess>();
        RETURN_IF_ERROR(started->Start(process).status());
        return Running(std::move(started));
      });
}

int RunServer(const Words& words) {
  return RunRole(words, "", "usage: borealis server --dir DIR --id NAME\n",
                 [](const std::string& directory, const std::string& id) -> Result<RunningRole> {
                   ArmCrashPointFromEnvironment(id);
                   ASSIGN_OR_RETURN(std::shared_ptr<server::Instance> started,
                                    server::Instance::Start(directory, id));
                   return Running(std::move(started));
                 });
}

int RunEndpoint(const Words& words) {
  return RunRole(
      words, std::string(control::kEndpointId), "usage: borealis endpoint --dir DIR\n",
      [](const std::string& directory, const std::string& /*id*/) -> Result<RunningRole> {
        ASSIGN_OR_RETURN(std::shared_ptr<control::EndpointProcess> started,
                         control::EndpointProcess::Start(directory));
        return Running(std::move(started));
      });
}

int RunControl(const Words& words) {
  // Before any thread: children are reaped by the system, ours and those of the threads.
  IgnoreChildExits();
  return RunRole(
      words, std::string(control::kControlId), "usage: borealis control --dir DIR\n",
      [](const std::string& directory, const std::string& /*id*/) -> Result<RunningRole> {
        ASSIGN_OR_RETURN(std::shared_ptr<control::ControlProcess> started,
                         control::ControlProcess::Start(directory, ThisProgram()));
        return Running(std::make_shared<RunningControl>(std::move(started)));
      });
}

}  // namespace borealis::cli
