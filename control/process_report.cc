// What is told of the cluster: the status object, why nothing can be served, metrics.
#include <fmt/format.h>

#include <future>

#include "base/os/process.h"
#include "base/os/time.h"
#include "control/process_internal.h"

namespace borealis::control {

ClusterStatus Control::CurrentStatus() const {
  ClusterStatus status;
  status.config = config_;
  status.writer = manager_->writer();
  status.serving = manager_->serving();
  status.processes[std::string(kControlId)] = {ThisProcess().pid, "running", ""};
  for (const auto& [name, peer] : peers_) {
    status.processes[name] = StatusOf(name);
    if (const InstanceReport* report = manager_->report(name);
        report != nullptr && status.processes[name].pid != 0) {
      status.reports[name] = *report;
    }
  }
  if (const InstanceReport* writer = manager_->report(manager_->writer()); writer != nullptr) {
    status.volume_epoch = writer->volume_epoch;
    status.vcl = writer->vcl;
    status.vdl = writer->vdl;
    status.protection_groups = writer->protection_groups;
  }
  std::map<std::string, bool> reachable;
  for (const StorageNodeConfig& node : config_.storage_nodes) {
    reachable[node.id] = IsReachable(node.id);
  }
  keeper_.Describe(reachable, &status);
  return status;
}

ProcessStatus Control::StatusOf(const std::string& name) const {
  const int64_t now_us = SystemClock().NowUs();
  if (!supervisor_.Runs(name)) {
    std::string reason = manager_->WhyDown(name, now_us);
    if (manager_->IsFailing(name)) {
      reason += ": " + supervisor_.LastWords(name);
    }
    return {0, "stopped", std::move(reason)};
  }
  ProcessStatus status{supervisor_.PidOf(name), "running", ""};
  const int64_t silent_us = manager_->SilentUs(name, now_us);
  const auto storage = storage_services_.find(name);
  if (silent_us < 0) {
    status.state = "starting";
  } else if (silent_us > kSilenceUs) {
    status.state = "silent";
    status.reason = fmt::format("has not answered for {} s", silent_us / 1'000'000);
  } else if (storage != storage_services_.end() && !storage->second.out_of_service.empty()) {
    status.state = storage->second.rebuilding ? "rebuilding" : "out of service";
    status.reason = storage->second.out_of_service;
  }
  return status;
}

// Without any instance, or three storage nodes, or the endpoint process nothing can be served.
std::string Control::Hopeless() const {
  std::string words;
  size_t instances = 0;
  size_t nodes = 0;
  for (const auto& [name, peer] : peers_) {
    if (manager_->IsFailing(name)) {
      instances += config_.FindInstance(name) != nullptr ? 1 : 0;
      nodes += config_.FindStorageNode(name) != nullptr ? 1 : 0;
      words += fmt::format("{}{} ends right after its start: {}", words.empty() ? "" : "\n", name,
                           supervisor_.LastWords(name));
    }
  }
  const bool hopeless = instances == config_.instances.size() ||
                        nodes * 2 >= config_.storage_nodes.size() ||
                        manager_->IsFailing(std::string(kEndpointId));
  return hopeless ? words : "";
}

void Control::AddMetrics(MetricsPage* page) {
  transport_->AddMetrics(page);
  std::promise<void> done;
  transport_->Post([this, page, &done] {
    AddOwnMetrics(page);
    done.set_value();
  });
  done.get_future().wait();
}

void Control::AddOwnMetrics(MetricsPage* page) const {
  page->Gauge("borealis_cluster_serving", "1 when a statement can run at the cluster endpoint.",
              manager_->serving() ? 1 : 0);
  page->Counter("borealis_cluster_failovers_total",
                "Times another instance was made writer, since control started.", failovers_);
  keeper_.AddMetrics(page);
  for (const auto& [name, peer] : peers_) {
    const MetricLabels labels{{"process", name}};
    const std::string now = StatusOf(name).state;
    for (const char* state :
         {"stopped", "starting", "running", "silent", "out of service", "rebuilding"}) {
      page->Gauge("borealis_process_state", "1 for the state that the process is in.",
                  now == state ? 1 : 0, {{"process", name}, {"state", state}});
    }
    const Supervisor::Counters counters = supervisor_.counters(name);
    page->Counter("borealis_process_starts_total", "Starts by control, since control started.",
                  counters.starts, labels);
    page->Counter("borealis_process_ends_total",
                  "Ends of the process, whatever the reason, since control started.", counters.ends,
                  labels);
  }
  for (const InstanceConfig& instance : config_.instances) {
    page->Gauge("borealis_instance_is_writer", "1 for the instance that is to be writer.",
                instance.id == manager_->writer() ? 1 : 0, {{"process", instance.id}});
  }
}

}  // namespace borealis::control
