#include "control/manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/invariant.h"
#include "base/obs/log.h"

namespace borealis::control {

ClusterManager::ClusterManager(const ClusterConfig& config, const ManagerTimings& timings,
                               const std::string& last_writer, ManagerEnvironment* environment)
    : config_(config), timings_(timings), environment_(environment), writer_(last_writer) {
  for (const StorageNodeConfig& node : config_.storage_nodes) {
    processes_[node.id].kind = ProcessKind::kStorage;
  }
  for (const InstanceConfig& instance : config_.instances) {
    processes_[instance.id].kind = ProcessKind::kInstance;
  }
  processes_[std::string(kEndpointId)].kind = ProcessKind::kEndpoint;
  for (auto& [name, process] : processes_) {
    process.restart_delay_us = timings_.restart_delay_us;
  }
  if (config_.FindInstance(writer_) == nullptr) {
    INVARIANT(!config_.instances.empty());
    SetWriter(config_.instances.front().id);
  }
}

void ClusterManager::AddStorageNode(const std::string& name) {
  Process& process = processes_[name];
  process.kind = ProcessKind::kStorage;
  process.restart_delay_us = timings_.restart_delay_us;
}

void ClusterManager::ForgetStorageNode(const std::string& name) {
  const auto found = processes_.find(name);
  INVARIANT(found != processes_.end() && found->second.kind == ProcessKind::kStorage);
  INVARIANT(!found->second.running);
  processes_.erase(found);
}

void ClusterManager::AdoptRunning(const std::string& name, int64_t now_us) {
  Process& process = processes_.at(name);
  process.running = true;
  process.started_us = now_us;
}

void ClusterManager::OnProcessGone(const std::string& name, int64_t now_us) {
  Process& process = processes_.at(name);
  if (!process.running) {
    return;
  }
  process.running = false;
  process.report = InstanceReport();
  process.role_sent_us = -1;
  process.was_proven = std::exchange(process.proven, false);
  process.failed_lives = process.was_proven ? 0 : process.failed_lives + 1;
  // A process that was of use, or lived long, starts with a fresh back-off.
  if (process.was_proven || now_us - process.started_us > timings_.restart_delay_us_max) {
    process.restart_delay_us = timings_.restart_delay_us;
  }
  process.restart_at_us = now_us + process.restart_delay_us;
  process.restart_delay_us = std::min(process.restart_delay_us * 2, timings_.restart_delay_us_max);
  if (process.kind == ProcessKind::kEndpoint) {
    targets_sent_ = false;
  }
  if (!shutting_down_ && !process.held_down) {
    LOG_WARN("{} is gone; it starts again in {} ms", name, (process.restart_at_us - now_us) / 1000);
  }
  OnTick(now_us);
}

void ClusterManager::OnInstanceReport(const std::string& instance, const InstanceReport& report,
                                      int64_t now_us) {
  Process& process = processes_.at(instance);
  if (!process.running) {
    return;  // a late message of a process that has gone since
  }
  const bool changed = process.report.role != report.role || process.report.state != report.state;
  process.report = report;
  process.report.received_us = now_us;
  process.proven |= report.state == "serving";
  if (changed) {
    LOG_INFO("{} is {} {}{}{}", instance, report.state, report.role,
             report.reason.empty() ? "" : ": ", report.reason);
    OnTick(now_us);
  }
}

void ClusterManager::OnAnswer(const std::string& name, bool in_order, int64_t now_us) {
  Process& process = processes_.at(name);
  if (process.running) {
    process.report.received_us = now_us;
    process.proven |= in_order;
  }
}

void ClusterManager::OnTick(int64_t now_us) {
  // After a pause of our own (a stopped process, a suspended machine) silence means nothing.
  if (last_tick_us_ >= 0 && now_us - last_tick_us_ > timings_.heartbeat_timeout_us / 3) {
    for (auto& [name, process] : processes_) {
      process.started_us = now_us;
      process.report.received_us = process.report.received_us >= 0 ? now_us : -1;
    }
  }
  last_tick_us_ = now_us;
  if (!shutting_down_) {
    CheckHeartbeats(now_us);
    DeposeCutOffWriter(now_us);
    ChooseWriter(now_us);
    RestartDue(now_us);
    AssignRoles(now_us);
    RepeatRetire(now_us);
  } else {
    ShutDown(now_us);
  }
  PointEndpoints();
}

void ClusterManager::RestartDue(int64_t now_us) {
  for (auto& [name, process] : processes_) {
    if (!process.running && !process.held_down && now_us >= process.restart_at_us) {
      StartProcess(name, now_us);
    }
  }
}

void ClusterManager::StartProcess(const std::string& name, int64_t now_us) {
  Process& process = processes_.at(name);
  process.running = true;
  process.started_us = now_us;
  process.report = InstanceReport();
  process.role_sent_us = -1;
  environment_->Start(name);
}

// A process that runs but does not answer is as good as gone, and in the way: it may hold its port.
void ClusterManager::CheckHeartbeats(int64_t now_us) {
  for (auto& [name, process] : processes_) {
    const bool heard = process.report.received_us >= 0;
    const bool storage = process.kind == ProcessKind::kStorage;
    if (!process.running || (storage && !heard)) {
      continue;  // a storage node may have much to read before it answers
    }
    const int64_t silent_us = now_us - (heard ? process.report.received_us : process.started_us);
    const int64_t limit_us = storage ? timings_.storage_timeout_us : timings_.heartbeat_timeout_us;
    if (silent_us > (heard ? limit_us : timings_.start_grace_us)) {
      LOG_WARN("{} has not answered for {} ms; killing it", name, silent_us / 1000);
      environment_->Kill(name);
      process.started_us = now_us;  // not again at once, should it take a moment to go
      process.report.received_us = -1;
    }
  }
}

// What it waits for, storage nodes enough, control can reach: so the writer's own way to them is
// cut, and another instance need not wait. Nothing that it was answered is lost with it.
void ClusterManager::DeposeCutOffWriter(int64_t now_us) {
  not_writable_us_ = volume_writable_ ? not_writable_us_ : now_us;
  const int64_t stalled_us =
      static_cast<int64_t>(processes_.at(writer_).report.write_stall_ms) * 1000;
  const bool deposed_lately = deposed_us_ >= 0 && now_us - deposed_us_ < timings_.depose_pause_us;
  if (!IsServing(writer_, "writer") || !failover_target_.empty() || deposed_lately ||
      std::min(stalled_us, now_us - not_writable_us_) < timings_.cut_off_us) {
    return;
  }
  const std::string next = BestReader();
  if (next.empty()) {
    return;
  }
  LOG_WARN("{} has made nothing durable for {} s, and storage can be reached: {} takes over",
           writer_, stalled_us / 1'000'000, next);
  deposed_us_ = now_us;
  failover_target_ = next;
  environment_->Kill(writer_);
}

// INV-CTL-1: only when the writer's process is gone is another one chosen.
void ClusterManager::ChooseWriter(int64_t now_us) {
  const Process& current = processes_.at(writer_);
  if (current.running) {
    return;
  }
  std::string next = failover_target_;
  if (next.empty() || !processes_.at(next).running) {
    next = BestCandidate();
    if (!volume_writable_ && !current.held_down && !next.empty() &&
        processes_.at(next).report.can_read) {
      next = writer_;
    }
  }
  failover_target_.clear();
  if (next.empty() || next == writer_) {
    // Nobody to promote: the writer itself comes back, at once if it had been serving.
    if (!current.held_down && current.was_proven) {
      processes_.at(writer_).restart_at_us = std::min(current.restart_at_us, now_us);
    }
    return;
  }
  LOG_INFO("promoting {} in place of {}", next, writer_);
  SetWriter(next);
}

// The running reader with the lowest tier; among equals the one that is least behind.
std::string ClusterManager::BestCandidate() const {
  const InstanceConfig* best = nullptr;
  for (const InstanceConfig& instance : config_.instances) {
    const Process& process = processes_.at(instance.id);
    if (!process.running || process.report.received_us < 0 || process.report.state == "failed") {
      continue;
    }
    if (best == nullptr || instance.tier < best->tier ||
        (instance.tier == best->tier && process.report.vdl > processes_.at(best->id).report.vdl)) {
      best = &instance;
    }
  }
  return best == nullptr ? std::string() : best->id;
}

// In service, not counting the writer itself; empty when there is none.
std::string ClusterManager::BestReader() const {
  const InstanceConfig* best = nullptr;
  for (const InstanceConfig& instance : config_.instances) {
    if (instance.id != writer_ && IsServing(instance.id, "reader") &&
        (best == nullptr || instance.tier < best->tier)) {
      best = &instance;
    }
  }
  return best == nullptr ? std::string() : best->id;
}

void ClusterManager::SetWriter(const std::string& instance) {
  writer_ = instance;
  environment_->SaveWriter(instance);
}

void ClusterManager::AssignRoles(int64_t now_us) {
  for (auto& [name, process] : processes_) {
    if (process.kind != ProcessKind::kInstance || !process.running ||
        process.report.received_us < 0) {
      continue;
    }
    const std::string wanted = name == writer_ ? "writer" : "reader";
    if (wanted == "reader" && !IsServing(writer_, "writer")) {
      continue;  // nothing to follow yet
    }
    const bool asked_lately =
        process.role_sent_us >= 0 && now_us - process.role_sent_us < timings_.role_repeat_us;
    // A reader is told again now and then: the address of the writer may have changed.
    const bool settled = process.report.role == wanted && wanted == "writer";
    if (!settled && !asked_lately) {
      process.role_sent_us = now_us;
      environment_->AssumeRole(name, wanted, writer_);
    }
  }
}

// The order may have been lost with the connection.
void ClusterManager::RepeatRetire(int64_t now_us) {
  if (!failover_target_.empty() && processes_.at(writer_).running &&
      now_us - retire_sent_us_ >= timings_.role_repeat_us) {
    retire_sent_us_ = now_us;
    environment_->Retire(writer_);
  }
}

bool ClusterManager::IsServing(const std::string& instance, const std::string& role) const {
  const Process& process = processes_.at(instance);
  return process.running && process.report.role == role && process.report.state == "serving";
}

// INV-CTL-2.
void ClusterManager::PointEndpoints() {
  std::vector<ForwardTarget> cluster;
  std::vector<ForwardTarget> readers;
  for (const InstanceConfig& instance : config_.instances) {
    if (instance.id == writer_ && IsServing(instance.id, "writer")) {
      cluster.push_back({instance.host, instance.port});
    } else if (IsServing(instance.id, "reader")) {
      readers.push_back({instance.host, instance.port});
    }
  }
  if (readers.empty()) {
    readers = cluster;
  }
  // Without a writer no reader is up to date, and one that was is better than none.
  for (const InstanceConfig& instance : config_.instances) {
    const Process& process = processes_.at(instance.id);
    if (cluster.empty() && process.running && process.report.can_read &&
        !IsServing(instance.id, "reader")) {
      readers.push_back({instance.host, instance.port});
    }
  }
  const bool endpoint_runs = processes_.at(std::string(kEndpointId)).running;
  if (endpoint_runs &&
      (!targets_sent_ || cluster != cluster_targets_ || readers != reader_targets_)) {
    cluster_targets_ = cluster;
    reader_targets_ = readers;
    targets_sent_ = true;
    environment_->SetEndpointTargets(cluster, readers);
  }
}

Status ClusterManager::StartByName(const std::string& name, int64_t now_us) {
  const auto found = processes_.find(name);
  if (found == processes_.end()) {
    return Status::NotFound("no process is named " + name);
  }
  Process& process = found->second;
  process.held_down = false;
  process.restart_delay_us = timings_.restart_delay_us;
  if (!process.running) {
    StartProcess(name, now_us);
  }
  return Status::Ok();
}

Status ClusterManager::StopByName(const std::string& name, int64_t /*now_us*/) {
  RETURN_IF_ERROR(HoldDown(name));
  if (running(name)) {
    environment_->Terminate(name);
  }
  return Status::Ok();
}

Status ClusterManager::KillByName(const std::string& name, int64_t /*now_us*/) {
  RETURN_IF_ERROR(HoldDown(name));
  if (running(name)) {
    environment_->Kill(name);
  }
  return Status::Ok();
}

// INV-CTL-3.
Status ClusterManager::HoldDown(const std::string& name) {
  const auto found = processes_.find(name);
  if (found == processes_.end()) {
    return Status::NotFound("no process is named " + name);
  }
  found->second.held_down = true;
  return Status::Ok();
}

Status ClusterManager::Failover(const std::string& target, int64_t now_us) {
  const std::string next = target.empty() ? BestReader() : target;
  if (next.empty()) {
    return Status::InvalidArgument("there is no reader in service to promote");
  }
  if (config_.FindInstance(next) == nullptr) {
    return Status::NotFound("no instance is named " + next);
  }
  if (next == writer_) {
    return Status::InvalidArgument(next + " is the writer already");
  }
  if (!processes_.at(next).running) {
    return Status::InvalidArgument(next + " is not running");
  }
  failover_target_ = next;
  LOG_INFO("failover by command: {} retires, {} follows", writer_, next);
  if (processes_.at(writer_).running) {
    retire_sent_us_ = now_us;
    environment_->Retire(writer_);
  }
  return Status::Ok();
}

void ClusterManager::ShutDown(int64_t now_us) {
  shutting_down_ = true;
  bool instances_gone = true;
  for (auto& [name, process] : processes_) {
    if (process.kind == ProcessKind::kInstance && process.running) {
      instances_gone = false;
      TellToStop(name, process, now_us);
    }
  }
  if (!instances_gone) {
    return;
  }
  // Storage and endpoint go last: instances may still be writing their last records.
  for (auto& [name, process] : processes_) {
    if (process.running) {
      TellToStop(name, process, now_us);
    }
  }
}

// Politely first; what has not stopped after a while is hung, and holds nothing that a kill could
// lose.
void ClusterManager::TellToStop(const std::string& name, Process& process, int64_t now_us) {
  if (process.stop_sent_us < 0) {
    process.stop_sent_us = now_us;
    environment_->Terminate(name);
  } else if (now_us - process.stop_sent_us > timings_.stop_limit_us) {
    process.stop_sent_us = now_us;
    LOG_WARN("{} does not stop; killing it", name);
    environment_->Kill(name);
  }
}

bool ClusterManager::all_gone() const {
  return std::none_of(processes_.begin(), processes_.end(),
                      [](const auto& entry) { return entry.second.running; });
}

bool ClusterManager::serving() const {
  return IsServing(writer_, "writer") && targets_sent_ && !cluster_targets_.empty();
}

bool ClusterManager::running(const std::string& name) const {
  return processes_.at(name).running;
}

int64_t ClusterManager::SilentUs(const std::string& name, int64_t now_us) const {
  const int64_t heard_us = processes_.at(name).report.received_us;
  return heard_us < 0 ? -1 : now_us - heard_us;
}

std::string ClusterManager::WhyDown(const std::string& name, int64_t now_us) const {
  const Process& process = processes_.at(name);
  if (process.held_down) {
    return "stopped by command";
  }
  const int64_t tenths = (std::max<int64_t>(process.restart_at_us - now_us, 0) + 99'999) / 100'000;
  return fmt::format("starts again in {}.{} s", tenths / 10, tenths % 10);
}

bool ClusterManager::IsFailing(const std::string& name) const {
  const Process& process = processes_.at(name);
  return !process.held_down && !process.proven && process.failed_lives >= timings_.failing_after;
}

const InstanceReport* ClusterManager::report(const std::string& instance) const {
  const auto found = processes_.find(instance);
  return found == processes_.end() || found->second.report.received_us < 0 ? nullptr
                                                                           : &found->second.report;
}

}  // namespace borealis::control
