// The process control as a class: process.cc watches and commands the others, process_commands.cc
// does what the operator commands, process_report.cc tells of the cluster.
//
// All state is the transport's thread's, but for whether it is down.
#pragma once

#include <signal.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/net/transport.h"
#include "control/cluster_config.h"
#include "control/manager.h"
#include "control/messages.pb.h"
#include "control/process.h"
#include "control/state_store.h"
#include "control/status.h"
#include "control/supervisor.h"
#include "control/volume_keeper.h"
#include "volume/messages.pb.h"

namespace borealis::control {

// A process that has not answered for longer counts as unreachable.
inline constexpr int64_t kSilenceUs = 3'000'000;

class Control final : public ControlProcess, public FrameHandler, public ManagerEnvironment {
 public:
  Control(std::string directory, std::string program, ClusterConfig config,
          std::unique_ptr<StateStore> store);
  ~Control() override { transport_->Stop(); }

  Status Begin(const std::string& last_writer);

  void WaitUntilDown() override {
    MutexLock lock(mutex_);
    while (!down_) {
      changed_.Wait(mutex_);
    }
  }
  void Leave() override {
    MutexLock lock(mutex_);
    down_ = true;
    changed_.NotifyAll();
  }

  void AddMetrics(MetricsPage* page) override;

  // FrameHandler, on the transport's thread.
  void OnFrame(PeerId from, Frame frame) override;
  void OnPeerUp(PeerId peer) override {
    if (const auto found = names_.find(peer);
        found != names_.end() && found->second == kEndpointId) {
      manager_->OnEndpointUp();
    }
  }

  // ManagerEnvironment, on the transport's thread.
  void Start(const std::string& name) override;
  void Terminate(const std::string& name) override { supervisor_.Signal(name, SIGTERM); }
  void Kill(const std::string& name) override { supervisor_.Signal(name, SIGKILL); }
  void AssumeRole(const std::string& instance, const std::string& role,
                  const std::string& writer) override;
  void Retire(const std::string& instance) override;
  void SetEndpointTargets(const std::vector<ForwardTarget>& cluster,
                          const std::vector<ForwardTarget>& reader) override;
  void SaveWriter(const std::string& instance) override;

 private:
  void Connect(const std::string& name, const std::string& host, uint16_t port);

  // What is done again and again.
  void Tick();
  void WatchProcesses(int64_t now_us);
  void PollInstances();
  void PollStorage();
  void SendGeometryOrders(int64_t now_us);
  void ForgetRemoved();
  bool CanBeWritten() const;
  bool IsReachable(const std::string& name) const;
  void NoteVolumeMade();

  // What the others answer.
  void OnAnswer(const std::string& name, const Frame& frame);
  void OnInstanceStatus(const std::string& instance, const msg::InstanceStatusReply& reply,
                        int64_t now_us);
  void OnStorageStatus(const std::string& name, const borealis::msg::NodeStatusReply& reply,
                       int64_t now_us);
  bool IsWriterInOffice(const std::string& instance) const;

  // What the operator commands.
  msg::ClusterReply Execute(const msg::ClusterCommand& command);
  Result<std::string> AddStorage(const std::string& az);
  std::string NextStorageName(uint32_t* number) const;
  Result<bool> Drain(const std::string& name, bool draining);
  Status RemoveStorage(const std::string& name, int64_t now_us);

  // What is told of the cluster.
  ClusterStatus CurrentStatus() const;
  ProcessStatus StatusOf(const std::string& name) const;
  std::string Hopeless() const;
  void AddOwnMetrics(MetricsPage* page) const;

  const std::string directory_;
  ClusterConfig config_;
  const std::unique_ptr<StateStore> store_;
  Supervisor supervisor_;  // on the transport's thread
  VolumeKeeper keeper_;    // on the transport's thread
  std::unique_ptr<Transport> transport_;

  // On the transport's thread.
  std::unique_ptr<ClusterManager> manager_;
  std::map<std::string, PeerId> peers_;  // admin connections by process name
  std::map<PeerId, std::string> names_;
  struct StorageService {
    std::string out_of_service;  // why, as it said last
    bool rebuilding = false;
  };
  std::map<std::string, StorageService> storage_services_;
  std::set<std::string> removed_;  // storage nodes that are only waited for to end
  int64_t tick_count_ = 0;
  uint64_t failovers_ = 0;
  std::string last_writer_;

  Mutex mutex_{LockRank::kLeaf};
  ConditionVariable changed_;
  bool down_ GUARDED_BY(mutex_) = false;
};

}  // namespace borealis::control
