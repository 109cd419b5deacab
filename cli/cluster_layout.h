// Making and checking a cluster's directory: what `cluster up` does before it starts anything.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/cluster_config.h"

namespace borealis::cli {

// What the operator asked for; absent members keep what the directory has, or the default.
struct ClusterWishes {
  std::optional<uint64_t> readers;
  std::optional<uint16_t> port;
  std::optional<uint16_t> reader_port;
  std::optional<uint64_t> buffer_pool_bytes;
  std::optional<uint64_t> pages_per_pg;
  std::optional<uint64_t> storage_nodes;  // a multiple of three
  std::optional<std::string> root_password_file;
  bool secure = false;  // absent means no: a cluster does not become another kind unasked
  std::map<std::string, std::string> options;
};

// The configuration to run with: the directory's own with the wishes applied, or a new one. Nothing
// is written yet. kInvalidArgument when a wish cannot be met by this directory.
Result<control::ClusterConfig> PlanCluster(const std::string& directory,
                                           const ClusterWishes& wishes);

// Where what is wished for differs from how the cluster runs, in the words of the command line;
// empty when it does not.
std::string Differences(const control::ClusterConfig& wished,
                        const control::ClusterConfig& running);

// Checks that every port can be listened at; picks other ports for processes of ours where needed
// (never for the two endpoints, whose ports the operator chose). kUnavailable names the port.
Status SettlePorts(control::ClusterConfig* config);

// Writes the layout: directories, what processes prove themselves with, and cluster.json last.
Status WriteLayout(const std::string& directory, const control::ClusterConfig& config);

// The processes of the cluster that are alive, whoever started them, by name.
std::vector<std::string> LivingProcesses(const std::string& directory,
                                         const control::ClusterConfig& config);
// Kills every living process of the cluster and waits until they are gone.
void KillLeftovers(const std::string& directory, const control::ClusterConfig& config);

}  // namespace borealis::cli
