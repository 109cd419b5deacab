// The cluster manager's decisions: which process should run, who is writer, where endpoints point.
//
// A single-threaded state machine without I/O: process states, heartbeats and commands come in,
// actions go out through ManagerEnvironment. control/process.h drives it with real processes; tests
// drive it with a script.
//
// Safety never depends on it. It may believe wrongly that the writer is gone: the instance that it
// promotes seals the volume with a new epoch, and the deposed writer can commit nothing more. What
// depends on it is that somebody is promoted soon, and only one at a time.
//
// INV-CTL-1  At most one instance is told to be writer at a time; a second is chosen only after the
//            first's process is gone.
// INV-CTL-2  The cluster endpoint points at an instance that says it serves as writer, or at
//            nothing.
// INV-CTL-3  A process that the operator stopped or killed by name stays down until it is started.
//
// Life of a process: it runs, and is proven once it has done what it is there for (an instance has
// served, a storage node was in service, the endpoint process has answered). When it is gone it is
// started again after a delay, unless held down by the operator. The delay is short for a process
// that was proven and doubles with every life that ends without: a writer that cannot open must not
// take a new volume epoch five times a second.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/net/forwarder.h"
#include "base/result.h"
#include "control/cluster_config.h"

namespace borealis::control {

enum class ProcessKind : uint8_t { kStorage, kInstance, kEndpoint };

// What an instance said of itself last.
struct InstanceReport {
  std::string role = "none";
  std::string state = "idle";
  std::string reason;
  bool can_read = false;  // of a reader: it has followed a writer, be it one that is gone
  uint64_t volume_epoch = 0;
  uint64_t vcl = 0;
  uint64_t vdl = 0;
  uint32_t protection_groups = 0;
  double lag_ms = 0;
  // Of a writer: a protection group that has no write quorum, since how long, and the nodes that it
  // lacks. 0 ms: writes go on.
  uint64_t write_stall_ms = 0;
  uint32_t write_stall_pg = 0;
  std::vector<uint32_t> write_stall_nodes;
  int64_t received_us = -1;  // -1: none since its process started
};

class ManagerEnvironment {
 public:
  virtual ~ManagerEnvironment() = default;
  // Starts the process if it does not run; a failure is reported through OnProcessGone.
  virtual void Start(const std::string& name) = 0;
  virtual void Terminate(const std::string& name) = 0;  // SIGTERM
  virtual void Kill(const std::string& name) = 0;       // SIGKILL
  virtual void AssumeRole(const std::string& instance, const std::string& role,
                          const std::string& writer) = 0;
  virtual void Retire(const std::string& instance) = 0;
  virtual void SetEndpointTargets(const std::vector<ForwardTarget>& cluster,
                                  const std::vector<ForwardTarget>& reader) = 0;
  // Remembers who is writer across restarts of control.
  virtual void SaveWriter(const std::string& instance) = 0;
};

struct ManagerTimings {
  int64_t heartbeat_timeout_us = 3'000'000;  // a silent instance is taken for hung and killed,
  int64_t storage_timeout_us = 30'000'000;   // so is a storage node: nobody waits for it alone
  int64_t start_grace_us = 60'000'000;       // how long a start or an opening may take
  int64_t stop_limit_us = 9'000'000;         // who has not stopped by then is killed
  int64_t restart_delay_us = 500'000;
  int64_t restart_delay_us_max = 10'000'000;
  int64_t role_repeat_us = 500'000;  // an unanswered AssumeRole or Retire is sent again
  int64_t cut_off_us = 10'000'000;   // a writer that makes nothing durable for so long is deposed,
  int64_t depose_pause_us = 60'000'000;  // and the next one not before so long after
  int failing_after = 3;                 // unproven lives in a row
};

class ClusterManager {
 public:
  // `last_writer` is what SaveWriter was told last, empty for a new cluster.
  ClusterManager(const ClusterConfig& config, const ManagerTimings& timings,
                 const std::string& last_writer, ManagerEnvironment* environment);

  // A storage node that joins the cluster: it is started like the others.
  void AddStorageNode(const std::string& name);
  // REQUIRES: a storage node that does not run.
  void ForgetStorageNode(const std::string& name);

  // A process that was found running when control started.
  void AdoptRunning(const std::string& name, int64_t now_us);
  void OnProcessGone(const std::string& name, int64_t now_us);
  void OnInstanceReport(const std::string& instance, const InstanceReport& report, int64_t now_us);
  // A storage node or the endpoint process has answered; `in_order`: and does its work.
  void OnAnswer(const std::string& name, bool in_order, int64_t now_us);
  // The endpoint process can be reached (again): it must be told its targets.
  void OnEndpointUp() { targets_sent_ = false; }
  // Whether storage, as far as is known, could make a volume writable for whoever opens it. While
  // it could not, no serving reader is promoted: it would give up its reads for nothing, and the
  // writer itself waits as well as any.
  void SetVolumeWritable(bool writable) { volume_writable_ = writable; }
  // Decides whatever the passing of time decides; call every 50 ms or so.
  void OnTick(int64_t now_us);

  // Commands. kNotFound: no such process; kInvalidArgument: it cannot be done, and why.
  Status StartByName(const std::string& name, int64_t now_us);
  Status StopByName(const std::string& name, int64_t now_us);
  Status KillByName(const std::string& name, int64_t now_us);
  // Retires the writer and promotes `target`, or the best reader when it is empty.
  Status Failover(const std::string& target, int64_t now_us);
  // Stops everything: instances first, then the rest once they are gone. all_gone() tells the end.
  void ShutDown(int64_t now_us);
  bool all_gone() const;

  const std::string& writer() const { return writer_; }
  // A statement can run at the cluster endpoint.
  bool serving() const;
  bool running(const std::string& name) const;
  const InstanceReport* report(const std::string& instance) const;
  // How long ago the process last answered in this life; -1: it has not yet.
  int64_t SilentUs(const std::string& name, int64_t now_us) const;
  // Why a process that does not run does not, in words.
  std::string WhyDown(const std::string& name, int64_t now_us) const;
  // Its last lives ended before it was of use, again and again.
  bool IsFailing(const std::string& name) const;

 private:
  struct Process {
    ProcessKind kind = ProcessKind::kStorage;
    bool running = false;
    bool held_down = false;
    int64_t started_us = 0;
    int64_t restart_at_us = 0;
    int64_t restart_delay_us = 0;
    bool proven = false;      // in this life
    bool was_proven = false;  // in the one before
    int failed_lives = 0;     // in a row
    InstanceReport report;    // of other processes: received_us only
    int64_t role_sent_us = -1;
    int64_t stop_sent_us = -1;  // while shutting down
  };

  void StartProcess(const std::string& name, int64_t now_us);
  Status HoldDown(const std::string& name);
  void RestartDue(int64_t now_us);
  void CheckHeartbeats(int64_t now_us);
  void DeposeCutOffWriter(int64_t now_us);
  void ChooseWriter(int64_t now_us);
  void AssignRoles(int64_t now_us);
  void RepeatRetire(int64_t now_us);
  void TellToStop(const std::string& name, Process& process, int64_t now_us);
  void PointEndpoints();
  bool IsServing(const std::string& instance, const std::string& role) const;
  std::string BestCandidate() const;
  std::string BestReader() const;
  void SetWriter(const std::string& instance);

  const ClusterConfig config_;
  const ManagerTimings timings_;
  ManagerEnvironment* const environment_;
  std::map<std::string, Process> processes_;
  std::string writer_;           // who is, or is being made, writer
  std::string failover_target_;  // who follows once writer_ is gone
  int64_t retire_sent_us_ = 0;
  bool volume_writable_ = true;
  int64_t not_writable_us_ = 0;  // when it was not the last time
  int64_t deposed_us_ = -1;
  bool shutting_down_ = false;
  int64_t last_tick_us_ = -1;
  std::vector<ForwardTarget> cluster_targets_;
  std::vector<ForwardTarget> reader_targets_;
  bool targets_sent_ = false;
};

}  // namespace borealis::control
