#include "control/status.h"

#include <fmt/format.h>

#include <algorithm>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace borealis::control {

namespace json = boost::json;

namespace {

std::string Text(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

const ProcessStatus& ProcessOf(const ClusterStatus& status, std::string_view name) {
  static const ProcessStatus none{0, "stopped", ""};
  const auto found = status.processes.find(std::string(name));
  return found == status.processes.end() ? none : found->second;
}

json::object InstanceJson(const ClusterStatus& status, const InstanceConfig& instance) {
  const ProcessStatus& process = ProcessOf(status, instance.id);
  const auto report = status.reports.find(instance.id);
  // What an instance said of itself counts while it answers.
  const bool known = report != status.reports.end() && process.state == "running";
  return {{"id", instance.id},
          {"role", instance.id == status.writer ? "writer" : "reader"},
          {"tier", instance.tier},
          {"pid", process.pid},
          {"host", instance.host},
          {"port", instance.port},
          {"state", known ? report->second.state : process.state},
          {"lag_ms", known ? report->second.lag_ms : 0.0},
          {"vdl", known ? report->second.vdl : 0},
          {"reason", known ? report->second.reason : process.reason},
          {"metrics_port", instance.metrics_port}};
}

json::object SpaceJson(const StorageSpace& space) {
  return {{"record_bytes", space.record_bytes},
          {"journal_written_bytes", space.journal_written_bytes},
          {"layer_written_bytes", space.layer_written_bytes},
          {"journal_bytes", space.journal_bytes},
          {"layer_bytes", space.layer_bytes},
          {"layer_plain_bytes", space.layer_plain_bytes},
          {"logical_bytes", space.logical_bytes}};
}

json::object StorageNodeJson(const ClusterStatus& status, const StorageNodeConfig& node) {
  const ProcessStatus& process = ProcessOf(status, node.id);
  const auto found = status.storage.find(node.id);
  const StorageNodeStatus storage =
      found == status.storage.end() ? StorageNodeStatus() : found->second;
  return {{"id", node.id},
          {"az", node.az},
          {"pid", process.pid},
          {"host", node.host},
          {"port", node.port},
          {"state", process.state},
          {"reason", process.reason},
          {"metrics_port", node.metrics_port},
          {"segments", storage.segments},
          {"free_bytes", storage.free_bytes},
          {"space", SpaceJson(storage.space)},
          {"draining", storage.draining},
          {"in_volume", storage.in_volume}};
}

// Whether statements that write get through, and if not, what they wait for.
json::object WritesJson(const ClusterStatus& status) {
  const InstanceConfig* writer = status.config.FindInstance(status.writer);
  const auto found = status.reports.find(status.writer);
  if (writer == nullptr || found == status.reports.end() || found->second.role != "writer" ||
      ProcessOf(status, status.writer).state != "running" || found->second.state != "serving") {
    const std::string reason =
        writer == nullptr ? "" : Text(InstanceJson(status, *writer), "reason");
    return {{"state", "no writer"},
            {"reason", reason.empty() || writer == nullptr ? "" : writer->id + ": " + reason}};
  }
  const InstanceReport& report = found->second;
  if (report.write_stall_ms == 0) {
    return {{"state", "going on"}, {"reason", ""}};
  }
  std::string lacking;
  for (const StorageNodeConfig& node : status.config.storage_nodes) {
    if (std::ranges::find(report.write_stall_nodes, node.number) ==
        report.write_stall_nodes.end()) {
      continue;
    }
    const std::string& state = ProcessOf(status, node.id).state;
    lacking += fmt::format("{}{}{}", lacking.empty() ? "" : ", ", node.id,
                           state == "running" ? "" : " (" + state + ")");
  }
  return {{"state", "waiting"},
          {"reason", fmt::format("protection group {} is short of a write quorum for {:.0f} s; no "
                                 "acknowledgement from {}",
                                 report.write_stall_pg,
                                 static_cast<double>(report.write_stall_ms) / 1000, lacking)}};
}

json::object SegmentJson(const SegmentStatus& segment) {
  json::object row = {
      {"pg", segment.pg}, {"node", segment.node}, {"scl", segment.scl}, {"state", segment.state}};
  if (segment.repaired.has_value()) {
    row["repaired"] = *segment.repaired;
  }
  if (!segment.successor_of.empty()) {
    row["successor_of"] = segment.successor_of;
  }
  return row;
}

uint64_t Number(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  boost::system::error_code error;
  const auto number = found != nullptr ? found->to_number<uint64_t>(error) : 0;
  return error ? 0 : number;
}

double Real(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  boost::system::error_code error;
  const auto number = found != nullptr ? found->to_number<double>(error) : 0.0;
  return error ? 0.0 : number;
}

// "healthy 5, behind 1" for the segments of one node.
std::string SegmentSummary(const json::array& segments, const std::string& node) {
  std::map<std::string, int> counts;
  uint64_t scl = 0;
  for (const json::value& value : segments) {
    const json::object& segment = value.as_object();
    if (Text(segment, "node") == node) {
      ++counts[Text(segment, "state")];
      scl = std::max(scl, Number(segment, "scl"));
    }
  }
  std::string summary;
  for (const auto& [state, count] : counts) {
    summary += fmt::format("{}{} {}", summary.empty() ? "" : ", ", count, state);
  }
  return counts.empty() ? "no segments" : fmt::format("{:<22} scl {}", summary, scl);
}

bool Flag(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  return found != nullptr && found->is_bool() && found->get_bool();
}

std::string Size(uint64_t bytes) {
  return bytes >> 40 != 0 ? fmt::format("{:.1f} TiB", static_cast<double>(bytes >> 30) / 1024)
                          : fmt::format("{:.1f} GiB", static_cast<double>(bytes >> 20) / 1024);
}

// "writes wait: …", where they do.
std::string WritesLine(const json::object& root) {
  const json::value* found = root.if_contains("writes");
  if (found == nullptr || !found->is_object() || Text(found->get_object(), "state") != "waiting") {
    return "";
  }
  return "writes wait: " + Text(found->get_object(), "reason");
}

// What else there is to say of a storage node.
std::string StorageRemarks(const json::object& node) {
  std::string remarks = fmt::format("  {} free", Size(Number(node, "free_bytes")));
  if (const uint64_t left = Number(node, "segments"); Flag(node, "draining")) {
    remarks += left == 0 ? "  drained: may be removed"
                         : fmt::format("  draining: {} segment{} left", left, left == 1 ? "" : "s");
  }
  const std::string reason = Text(node, "reason");
  return remarks + (reason.empty() ? "" : "  " + reason);
}

// "16 GiB of pages in 12 GiB of layers and 1 GiB of journals; 4.2 bytes written for each of log",
// all nodes together; empty when none has said anything yet.
std::string SpaceLine(const json::array& nodes) {
  StorageSpace all;
  for (const json::value& value : nodes) {
    const json::value* found = value.as_object().if_contains("space");
    if (found != nullptr && found->is_object()) {
      const json::object& space = found->get_object();
      all.record_bytes += Number(space, "record_bytes");
      all.journal_written_bytes += Number(space, "journal_written_bytes");
      all.layer_written_bytes += Number(space, "layer_written_bytes");
      all.journal_bytes += Number(space, "journal_bytes");
      all.layer_bytes += Number(space, "layer_bytes");
      all.logical_bytes += Number(space, "logical_bytes");
    }
  }
  if (all.journal_bytes + all.layer_bytes == 0) {
    return "";
  }
  std::string line =
      fmt::format("space             {} of pages in {} of layers and {} of journals",
                  Size(all.logical_bytes), Size(all.layer_bytes), Size(all.journal_bytes));
  if (all.record_bytes > 0) {
    line += fmt::format("; {:.1f} bytes written for each of log",
                        static_cast<double>(all.journal_written_bytes + all.layer_written_bytes) /
                            static_cast<double>(all.record_bytes));
  }
  return line + "\n";
}

// "repairing: 3 of 12 segments, 41 %", where repairs are under way or wait.
std::string RepairLine(const json::object& root) {
  const json::value* found = root.if_contains("repair");
  if (found == nullptr || !found->is_object() || Number(found->get_object(), "wanted") == 0) {
    return "";
  }
  const json::object& repair = found->get_object();
  const std::string blocked = Text(repair, "blocked");
  return fmt::format("\nrepairing: {} of {} segments, {:.0f} %{}\n", Number(repair, "changing"),
                     Number(repair, "wanted"), Real(repair, "percent"),
                     blocked.empty() ? "" : "; waiting: " + blocked);
}

}  // namespace

std::string StatusJson(const ClusterStatus& status) {
  const ClusterConfig& config = status.config;
  json::array instances;
  for (const InstanceConfig& instance : config.instances) {
    instances.push_back(InstanceJson(status, instance));
  }
  json::array nodes;
  for (const StorageNodeConfig& node : config.storage_nodes) {
    nodes.push_back(StorageNodeJson(status, node));
  }
  json::array segments;
  for (const SegmentStatus& segment : status.segments) {
    segments.push_back(SegmentJson(segment));
  }
  const json::object cluster_endpoint = {{"host", config.host}, {"port", config.cluster_port}};
  const json::object reader_endpoint = {{"host", config.host}, {"port", config.reader_port}};
  const ProcessStatus& endpoint = ProcessOf(status, kEndpointId);
  const json::object root = {
      {"serving", status.serving},
      {"endpoints", {{"cluster", cluster_endpoint}, {"reader", reader_endpoint}}},
      {"endpoint_process",
       {{"pid", endpoint.pid},
        {"state", endpoint.state},
        {"reason", endpoint.reason},
        {"metrics_port", config.endpoint_metrics_port}}},
      {"instances", std::move(instances)},
      {"storage_nodes", std::move(nodes)},
      {"control",
       {{"pid", ProcessOf(status, kControlId).pid},
        {"host", config.host},
        {"port", config.control_port},
        {"metrics_port", config.control_metrics_port}}},
      {"volume",
       {{"epoch", status.volume_epoch},
        {"vcl", status.vcl},
        {"vdl", status.vdl},
        {"protection_groups", status.protection_groups}}},
      {"writes", WritesJson(status)},
      {"segments", std::move(segments)},
      {"repair",
       {{"changing", status.repair.changing},
        {"wanted", status.repair.wanted},
        {"percent", status.repair.part * 100},
        {"blocked", status.repair.blocked}}}};
  return json::serialize(root);
}

std::string StatusTroubles(const std::string& status_json) {
  boost::system::error_code error;
  const json::value parsed = json::parse(status_json, error);
  const json::object* root = parsed.if_object();
  std::string troubles;
  auto look = [&](const json::object& process, std::string_view name, std::string_view normal) {
    const std::string state = Text(process, "state");
    if (state != normal) {
      const std::string reason = Text(process, "reason");
      troubles += fmt::format("{}{} {}{}", troubles.empty() ? "" : "; ", name, state,
                              reason.empty() ? "" : " (" + reason + ")");
    }
  };
  if (error || root == nullptr) {
    return troubles;
  }
  for (const auto& [list, normal] :
       {std::pair{"storage_nodes", "running"}, std::pair{"instances", "serving"}}) {
    const json::value* processes = root->if_contains(list);
    if (processes == nullptr || !processes->is_array()) {
      continue;
    }
    for (const json::value& process : processes->get_array()) {
      if (process.is_object()) {
        look(process.get_object(), Text(process.get_object(), "id"), normal);
      }
    }
  }
  if (const json::value* endpoint = root->if_contains("endpoint_process");
      endpoint != nullptr && endpoint->is_object()) {
    look(endpoint->get_object(), kEndpointId, "running");
  }
  if (const std::string writes = WritesLine(*root); !writes.empty()) {
    troubles += (troubles.empty() ? "" : "; ") + writes;
  }
  return troubles;
}

Result<std::string> StatusScreen(const std::string& status_json) {
  boost::system::error_code error;
  const json::value parsed = json::parse(status_json, error);
  const json::object* root = parsed.if_object();
  if (error || root == nullptr || !root->contains("endpoints") || !root->contains("segments")) {
    return Status::InvalidArgument("not a cluster status");
  }
  const json::object& endpoints = root->at("endpoints").as_object();
  const json::object& cluster = endpoints.at("cluster").as_object();
  const json::object& reader = endpoints.at("reader").as_object();
  const json::object& volume = root->at("volume").as_object();
  const json::array& segments = root->at("segments").as_array();
  std::string screen = fmt::format(
      "cluster endpoint  {}:{}{}\nreader endpoint   {}:{}\n"
      "volume            epoch {}, durable to {}, {} protection group{}\n",
      Text(cluster, "host"), Number(cluster, "port"),
      root->at("serving").as_bool() ? "" : "   (not serving)", Text(reader, "host"),
      Number(reader, "port"), Number(volume, "epoch"), Number(volume, "vdl"),
      Number(volume, "protection_groups"), Number(volume, "protection_groups") == 1 ? "" : "s");
  screen += SpaceLine(root->at("storage_nodes").as_array()) + "\n";
  screen += fmt::format("{:<14}{:<9}{:<10}{:>8}  {:<22}{}\n", "INSTANCE", "ROLE", "STATE", "PID",
                        "ADDRESS", "LAG");
  for (const json::value& value : root->at("instances").as_array()) {
    const json::object& instance = value.as_object();
    screen += fmt::format("{:<14}{:<9}{:<10}{:>8}  {:<22}{}{}\n", Text(instance, "id"),
                          Text(instance, "role"), Text(instance, "state"), Number(instance, "pid"),
                          fmt::format("{}:{}", Text(instance, "host"), Number(instance, "port")),
                          Text(instance, "role") == "reader"
                              ? fmt::format("{:.1f} ms", Real(instance, "lag_ms"))
                              : "-",
                          Text(instance, "reason").empty() ? "" : "  " + Text(instance, "reason"));
  }
  screen += fmt::format("\n{:<14}{:<9}{:<10}{:>8}  {:<22}{}\n", "STORAGE NODE", "AZ", "STATE",
                        "PID", "ADDRESS", "SEGMENTS");
  for (const json::value& value : root->at("storage_nodes").as_array()) {
    const json::object& node = value.as_object();
    screen += fmt::format("{:<14}{:<9}{:<15}{:>8}  {:<22}{}\n", Text(node, "id"), Text(node, "az"),
                          Text(node, "state"), Number(node, "pid"),
                          fmt::format("{}:{}", Text(node, "host"), Number(node, "port")),
                          SegmentSummary(segments, Text(node, "id")) + StorageRemarks(node));
  }
  const std::string writes = WritesLine(*root);
  return screen + (writes.empty() ? "" : "\n" + writes + "\n") + RepairLine(*root);
}

}  // namespace borealis::control
