#include "control/cluster_config.h"

#include <fmt/format.h>

#include <charconv>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace borealis::control {

namespace json = boost::json;

namespace {

constexpr std::string_view kRepairAfter = "storage_repair_after";
constexpr int64_t kRepairAfterDefaultS = 60;
constexpr uint64_t kRepairAfterMaxS = 7 * 24 * 3600;

json::object ToJson(const StorageNodeConfig& node) {
  return {{"id", node.id},     {"number", node.number}, {"az", node.az},
          {"host", node.host}, {"port", node.port},     {"metrics_port", node.metrics_port}};
}

json::object ToJson(const InstanceConfig& instance) {
  return {{"id", instance.id},
          {"tier", instance.tier},
          {"host", instance.host},
          {"port", instance.port},
          {"admin_port", instance.admin_port},
          {"metrics_port", instance.metrics_port}};
}

// Reads typed members of one JSON object and remembers the first that is missing or of a wrong
// kind.
class ObjectReader {
 public:
  explicit ObjectReader(const json::value& value) : object_(value.if_object()) {}

  std::string String(std::string_view key) {
    const json::value* found = Find(key);
    const json::string* text = found != nullptr ? found->if_string() : nullptr;
    return text != nullptr ? std::string(*text) : Missing<std::string>(key);
  }
  uint64_t Number(std::string_view key, uint64_t max) {
    const json::value* found = Find(key);
    boost::system::error_code error;
    const auto number = found != nullptr ? found->to_number<uint64_t>(error) : 0;
    return found != nullptr && !error && number <= max ? number : Missing<uint64_t>(key);
  }
  uint16_t Port(std::string_view key) { return static_cast<uint16_t>(Number(key, 65535)); }
  // 0 where a configuration from before there was such a port has none.
  uint16_t OptionalPort(std::string_view key) { return Find(key) != nullptr ? Port(key) : 0; }
  const json::array* Array(std::string_view key) {
    const json::value* found = Find(key);
    const json::array* array = found != nullptr ? found->if_array() : nullptr;
    return array != nullptr ? array : Missing<const json::array*>(key);
  }
  const json::value* Find(std::string_view key) {
    return object_ != nullptr ? object_->if_contains(key) : nullptr;
  }
  const std::string& missing() const { return missing_; }

 private:
  template <class T>
  T Missing(std::string_view key) {
    if (missing_.empty()) {
      missing_ = key;
    }
    return T{};
  }

  const json::object* object_;
  std::string missing_;
};

Status Malformed(const std::string& path, std::string_view key) {
  return Status::InvalidArgument(
      fmt::format("{}: member \"{}\" is missing or malformed", path, key));
}

}  // namespace

const InstanceConfig* ClusterConfig::FindInstance(std::string_view id) const {
  for (const InstanceConfig& instance : instances) {
    if (instance.id == id) {
      return &instance;
    }
  }
  return nullptr;
}

const StorageNodeConfig* ClusterConfig::FindStorageNode(std::string_view id) const {
  for (const StorageNodeConfig& node : storage_nodes) {
    if (node.id == id) {
      return &node;
    }
  }
  return nullptr;
}

uint16_t ClusterConfig::MetricsPort(std::string_view id) const {
  if (const StorageNodeConfig* node = FindStorageNode(id); node != nullptr) {
    return node->metrics_port;
  }
  if (const InstanceConfig* instance = FindInstance(id); instance != nullptr) {
    return instance->metrics_port;
  }
  return id == kControlId ? control_metrics_port : id == kEndpointId ? endpoint_metrics_port : 0;
}

std::string ConfigPath(const std::string& directory) {
  return directory + "/cluster.json";
}

Result<ClusterConfig> LoadClusterConfig(FileSystem& files, const std::string& directory) {
  const std::string path = ConfigPath(directory);
  ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(files, path));
  boost::system::error_code error;
  const json::value root = json::parse(text, error);
  if (error) {
    return Status::InvalidArgument(path + " is not JSON: " + error.message());
  }
  ObjectReader reader(root);
  const uint64_t version = reader.Number("directory_version", 1'000'000);
  if (reader.missing().empty() && version != kDirectoryVersion) {
    return Status::InvalidArgument(
        fmt::format("{} was made by a version of Borealis with directory format {}; this one reads "
                    "format {}. Nothing was changed.",
                    directory, version, kDirectoryVersion));
  }
  ClusterConfig config;
  config.host = reader.String("host");
  config.cluster_port = reader.Port("cluster_port");
  config.reader_port = reader.Port("reader_port");
  config.control_port = reader.Port("control_port");
  config.endpoint_admin_port = reader.Port("endpoint_admin_port");
  config.control_metrics_port = reader.OptionalPort("control_metrics_port");
  config.endpoint_metrics_port = reader.OptionalPort("endpoint_metrics_port");
  config.buffer_pool_bytes = reader.Number("buffer_pool_bytes", uint64_t{1} << 50);
  config.pages_per_pg = reader.Number("pages_per_pg", uint64_t{1} << 40);
  config.volume_made = reader.Number("volume_made", 1) == 1;
  if (reader.Find("secure") != nullptr) {  // clusters made before there was a choice have none
    config.secure = reader.Number("secure", 1) == 1;
  }
  config.root_password_file = reader.String("root_password_file");
  const json::array* nodes = reader.Array("storage_nodes");
  const json::array* instances = reader.Array("instances");
  if (!reader.missing().empty()) {
    return Malformed(path, reader.missing());
  }
  for (const json::value& value : *nodes) {
    ObjectReader member(value);
    config.storage_nodes.push_back({member.String("id"),
                                    static_cast<uint32_t>(member.Number("number", 1 << 20)),
                                    member.String("az"), member.String("host"), member.Port("port"),
                                    member.OptionalPort("metrics_port")});
    if (!member.missing().empty()) {
      return Malformed(path, "storage_nodes." + member.missing());
    }
  }
  for (const json::value& value : *instances) {
    ObjectReader member(value);
    config.instances.push_back({member.String("id"), static_cast<int>(member.Number("tier", 15)),
                                member.String("host"), member.Port("port"),
                                member.Port("admin_port"), member.OptionalPort("metrics_port")});
    if (!member.missing().empty()) {
      return Malformed(path, "instances." + member.missing());
    }
  }
  if (const json::value* options = reader.Find("options"); options && options->is_object()) {
    for (const auto& [name, value] : options->get_object()) {
      if (value.is_string()) {
        config.options[std::string(name)] = value.get_string();
      }
    }
  }
  return config;
}

Status SaveClusterConfig(FileSystem& files, const std::string& directory,
                         const ClusterConfig& config) {
  json::array nodes;
  for (const StorageNodeConfig& node : config.storage_nodes) {
    nodes.push_back(ToJson(node));
  }
  json::array instances;
  for (const InstanceConfig& instance : config.instances) {
    instances.push_back(ToJson(instance));
  }
  json::object options;
  for (const auto& [name, value] : config.options) {
    options[name] = value;
  }
  const json::object root = {{"directory_version", kDirectoryVersion},
                             {"host", config.host},
                             {"cluster_port", config.cluster_port},
                             {"reader_port", config.reader_port},
                             {"control_port", config.control_port},
                             {"endpoint_admin_port", config.endpoint_admin_port},
                             {"control_metrics_port", config.control_metrics_port},
                             {"endpoint_metrics_port", config.endpoint_metrics_port},
                             {"buffer_pool_bytes", config.buffer_pool_bytes},
                             {"pages_per_pg", config.pages_per_pg},
                             {"volume_made", config.volume_made ? 1 : 0},
                             {"secure", config.secure ? 1 : 0},
                             {"root_password_file", config.root_password_file},
                             {"storage_nodes", std::move(nodes)},
                             {"instances", std::move(instances)},
                             {"options", std::move(options)}};
  return WriteWholeFile(files, ConfigPath(directory), json::serialize(root) + "\n");
}

bool IsControlOption(std::string_view name) {
  return name == kRepairAfter;
}

Status CheckControlOption(const std::string& name, const std::string& value) {
  uint64_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error != std::errc() || end != value.data() + value.size() || seconds < 1 ||
      seconds > kRepairAfterMaxS) {
    return Status::InvalidArgument(
        fmt::format("{} takes 1 to {} seconds, not '{}'", name, kRepairAfterMaxS, value));
  }
  return Status::Ok();
}

int64_t RepairAfterUs(const std::map<std::string, std::string>& options) {
  const auto found = options.find(std::string(kRepairAfter));
  int64_t seconds = kRepairAfterDefaultS;
  if (found != options.end()) {
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), seconds);
  }
  return seconds * 1'000'000;
}

Result<uint64_t> ParseSize(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  int shift = -1;
  if (unit.empty() || unit == "B") {
    shift = 0;
  } else if (unit == "KiB" || unit == "K" || unit == "k") {
    shift = 10;
  } else if (unit == "MiB" || unit == "M") {
    shift = 20;
  } else if (unit == "GiB" || unit == "G") {
    shift = 30;
  }
  if (error != std::errc() || shift < 0 || number > (~uint64_t{0} >> shift)) {
    return Status::InvalidArgument(
        fmt::format("\"{}\" is not a size; write for example 256MiB or 2GiB", text));
  }
  return number << shift;
}

}  // namespace borealis::control
