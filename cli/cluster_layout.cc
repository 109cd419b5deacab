#include "cli/cluster_layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <unistd.h>

#include <set>

#include "base/net/call.h"
#include "base/os/file.h"
#include "base/os/process.h"
#include "base/os/time.h"
#include "control/security.h"
#include "control/supervisor.h"
#include "volume/geometry.h"

namespace borealis::cli {

using control::ClusterConfig;

namespace {

constexpr size_t kAzCount = 3;
constexpr size_t kStorageNodesDefault = 6;
constexpr int64_t kKillWaitUs = 10'000'000;

ClusterConfig NewCluster(size_t storage_nodes) {
  ClusterConfig config;
  config.pages_per_pg = kPagesPerPgDefault;
  const size_t per_az = storage_nodes / kAzCount;
  for (size_t i = 0; i < storage_nodes; ++i) {
    config.storage_nodes.push_back({fmt::format("storage-{}", i + 1), static_cast<uint32_t>(i + 1),
                                    fmt::format("az{}", i / per_az + 1), config.host, 0});
  }
  return config;
}

void SetInstanceCount(ClusterConfig* config, size_t count) {
  while (config->instances.size() > count) {
    config->instances.pop_back();
  }
  while (config->instances.size() < count) {
    const auto number = config->instances.size() + 1;
    config->instances.push_back({fmt::format("instance-{}", number), 1, config->host, 0, 0});
  }
}

std::vector<std::string> ProcessNames(const ClusterConfig& config) {
  std::vector<std::string> names{std::string(control::kControlId),
                                 std::string(control::kEndpointId)};
  for (const auto& instance : config.instances) {
    names.push_back(instance.id);
  }
  for (const auto& node : config.storage_nodes) {
    names.push_back(node.id);
  }
  return names;
}

}  // namespace

Result<ClusterConfig> PlanCluster(const std::string& directory, const ClusterWishes& wishes) {
  auto existing = control::LoadClusterConfig(RealFileSystem(), directory);
  if (!existing.ok() && existing.status().code() != Code::kNotFound) {
    return existing.status();
  }
  const bool is_new = !existing.ok();
  if (is_new) {
    const auto entries = RealFileSystem().List(directory);
    if (entries.ok() && !entries->empty()) {
      return Status::InvalidArgument(
          directory +
          " holds other files and no cluster.json: choose an empty or new "
          "directory");
    }
  }
  if (!is_new && wishes.storage_nodes.has_value() &&
      *wishes.storage_nodes != existing->storage_nodes.size()) {
    return Status::InvalidArgument(
        fmt::format("the cluster in {} has {} storage nodes; others are added with: borealis "
                    "cluster add-storage",
                    directory, existing->storage_nodes.size()));
  }
  ClusterConfig config = is_new ? NewCluster(wishes.storage_nodes.value_or(kStorageNodesDefault))
                                : std::move(existing).value();
  if (is_new) {
    config.secure = wishes.secure;
  } else if (config.secure != wishes.secure) {
    return Status::InvalidArgument(fmt::format(
        "the cluster in {} was made {} --secure, and that is fixed: run cluster up {}", directory,
        config.secure ? "with" : "without", config.secure ? "with --secure" : "without it"));
  }
  config.cluster_port = wishes.port.value_or(config.cluster_port);
  config.reader_port = wishes.reader_port.value_or(config.reader_port);
  config.buffer_pool_bytes = wishes.buffer_pool_bytes.value_or(config.buffer_pool_bytes);
  for (const auto& [name, value] : wishes.options) {
    config.options[name] = value;
  }
  if (wishes.pages_per_pg.has_value() && *wishes.pages_per_pg != config.pages_per_pg) {
    if (!is_new) {
      return Status::InvalidArgument(
          "the size of protection groups is fixed when a cluster is made");
    }
    config.pages_per_pg = *wishes.pages_per_pg;
  }
  if (wishes.root_password_file.has_value()) {
    if (!RealFileSystem().Exists(*wishes.root_password_file)) {
      return Status::NotFound("no file " + *wishes.root_password_file + " to read a password from");
    }
    config.root_password_file = *wishes.root_password_file;
  }
  if (is_new || wishes.readers.has_value()) {
    SetInstanceCount(&config, 1 + wishes.readers.value_or(1));
  }
  return config;
}

std::string Differences(const ClusterConfig& wished, const ClusterConfig& running) {
  std::vector<std::string> lines;
  auto compare = [&](const char* option, const auto& wish, const auto& is) {
    if (wish != is) {
      lines.push_back(fmt::format("{} {} (it runs with {})", option, wish, is));
    }
  };
  compare("--port", wished.cluster_port, running.cluster_port);
  compare("--reader-port", wished.reader_port, running.reader_port);
  compare("--readers", wished.instances.size() - 1, running.instances.size() - 1);
  compare("--buffer-pool", wished.buffer_pool_bytes, running.buffer_pool_bytes);
  for (const auto& [name, value] : wished.options) {
    const auto found = running.options.find(name);
    compare("--option", name + "=" + value,
            name + "=" + (found == running.options.end() ? "(default)" : found->second));
  }
  return fmt::format("{}", fmt::join(lines, ", "));
}

Status SettlePorts(ClusterConfig* config) {
  for (const auto& [what, port, option] :
       {std::tuple{"cluster", config->cluster_port, "--port"},
        std::tuple{"reader", config->reader_port, "--reader-port"}}) {
    if (Status status = CheckPortFree(config->host, port); !status.ok()) {
      return Status::Unavailable(
          fmt::format("port {} for the {} endpoint cannot be used ({}); stop "
                      "what uses it, or choose another with {}",
                      port, what, status.message(), option));
    }
  }
  if (config->cluster_port == config->reader_port) {
    return Status::InvalidArgument("the two endpoints need two ports");
  }
  std::set<uint16_t> taken{config->cluster_port, config->reader_port};
  Status failure;
  auto settle = [&](uint16_t* port) {
    while (*port == 0 || taken.contains(*port) || !CheckPortFree(config->host, *port).ok()) {
      auto picked = PickFreePort(config->host);
      if (!picked.ok()) {
        failure = std::move(picked).status();
        return;
      }
      *port = *picked;
    }
    taken.insert(*port);
  };
  settle(&config->control_port);
  settle(&config->endpoint_admin_port);
  settle(&config->control_metrics_port);
  settle(&config->endpoint_metrics_port);
  for (auto& node : config->storage_nodes) {
    settle(&node.port);
    settle(&node.metrics_port);
  }
  for (auto& instance : config->instances) {
    settle(&instance.port);
    settle(&instance.admin_port);
    settle(&instance.metrics_port);
  }
  return failure;
}

Status WriteLayout(const std::string& directory, const ClusterConfig& config) {
  const std::string own = directory + "/" + std::string(control::kControlId);
  RETURN_IF_ERROR(RealFileSystem().CreateDirectories(own));
  RETURN_IF_ERROR(control::MakeSecurity(directory, config, ProcessNames(config)));
  return control::SaveClusterConfig(RealFileSystem(), directory, config);
}

std::vector<std::string> LivingProcesses(const std::string& directory,
                                         const ClusterConfig& config) {
  std::vector<std::string> living;
  for (const std::string& name : ProcessNames(config)) {
    if (control::LivingProcess(directory, name).has_value()) {
      living.push_back(name);
    }
  }
  return living;
}

void KillLeftovers(const std::string& directory, const ClusterConfig& config) {
  // Control first, so that it restarts nothing.
  for (const std::string& name : ProcessNames(config)) {
    if (const auto living = control::LivingProcess(directory, name); living.has_value()) {
      SignalProcess(*living, SIGKILL);
    }
  }
  const int64_t deadline_us = SystemClock().NowUs() + kKillWaitUs;
  while (!LivingProcesses(directory, config).empty() && SystemClock().NowUs() < deadline_us) {
    ::usleep(20'000);
  }
}

}  // namespace borealis::cli
