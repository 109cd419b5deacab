// The cluster's configuration: which processes there are, and where each one listens and keeps its
// data.
//
// It is the file `cluster.json` in the cluster's directory, written by `borealis cluster up` and
// read by every process at its start. Times and roles are not in it: they are control's state.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/os/file.h"
#include "base/result.h"

namespace borealis::control {

// Format of the directory as a whole; a directory of another version is refused, never touched.
inline constexpr int kDirectoryVersion = 2;

struct StorageNodeConfig {
  std::string id;       // "storage-1"
  uint32_t number = 0;  // NodeId, from 1
  std::string az;       // "az1"
  std::string host;
  uint16_t port = 0;
  uint16_t metrics_port = 0;
};

struct InstanceConfig {
  std::string id;  // "instance-1"
  int tier = 1;    // failover order, 0..15, lowest first
  std::string host;
  uint16_t port = 0;        // MySQL
  uint16_t admin_port = 0;  // control and replication
  uint16_t metrics_port = 0;
};

inline constexpr size_t kStorageNodesMax = 48;
inline constexpr std::string_view kControlId = "control";
inline constexpr std::string_view kEndpointId = "endpoint";

struct ClusterConfig {
  std::string host = "127.0.0.1";
  uint16_t cluster_port = 3306;
  uint16_t reader_port = 3307;
  uint16_t control_port = 0;
  uint16_t endpoint_admin_port = 0;
  // Where a process answers Prometheus, base/obs/metrics_server.h; 0: nowhere.
  uint16_t control_metrics_port = 0;
  uint16_t endpoint_metrics_port = 0;
  uint64_t buffer_pool_bytes = uint64_t{256} << 20;
  uint64_t pages_per_pg = 0;  // of the volume; fixed when the cluster is made
  // Set once the cluster has served for the first time. Until then an empty storage directory is a
  // new node; from then on it is a lost disk, and the node waits for its peers.
  bool volume_made = false;
  // Connections between its processes are mutual TLS, not only opened with the cluster's secret.
  // Fixed when the cluster is made.
  bool secure = false;
  std::string root_password_file;  // read when the volume is made; empty: no password
  std::vector<StorageNodeConfig> storage_nodes;
  std::vector<InstanceConfig> instances;       // the first is the first writer
  std::map<std::string, std::string> options;  // --option name=value, for every process

  const InstanceConfig* FindInstance(std::string_view id) const;
  const StorageNodeConfig* FindStorageNode(std::string_view id) const;
  // Of the process `id`, whatever it is; 0 when there is none.
  uint16_t MetricsPort(std::string_view id) const;
};

std::string ConfigPath(const std::string& directory);
// kInvalidArgument when the file is of another directory version (naming both) or malformed.
Result<ClusterConfig> LoadClusterConfig(FileSystem& files, const std::string& directory);
Status SaveClusterConfig(FileSystem& files, const std::string& directory,
                         const ClusterConfig& config);

// Options that control takes; the others are system variables.
//   storage_repair_after   seconds that a storage node may be silent before its segments move
bool IsControlOption(std::string_view name);
// kInvalidArgument when an option of control has a value that it cannot have.
Status CheckControlOption(const std::string& name, const std::string& value);
// REQUIRES: checked options.
int64_t RepairAfterUs(const std::map<std::string, std::string>& options);

// "256MiB", "1GiB", "65536": bytes.
Result<uint64_t> ParseSize(std::string_view text);

}  // namespace borealis::control
