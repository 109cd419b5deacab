// What the operator commands: starting and stopping processes, storage nodes that come and go.
#include <fmt/format.h>

#include <algorithm>

#include "base/net/call.h"
#include "base/obs/log.h"
#include "base/os/file.h"
#include "base/os/time.h"
#include "control/process_internal.h"
#include "control/security.h"

namespace borealis::control {

msg::ClusterReply Control::Execute(const msg::ClusterCommand& command) {
  const int64_t now_us = SystemClock().NowUs();
  Status status;
  msg::ClusterReply reply;
  if (!command.directory().empty() && command.directory() != directory_) {
    status = Status::InvalidArgument(
        fmt::format("at port {} answers the cluster in {}", config_.control_port, directory_));
  } else if (command.verb() == "status") {
    reply.set_hopeless(Hopeless());
    reply.set_status_json(StatusJson(CurrentStatus()));
    reply.set_writer(manager_->writer());
    reply.set_serving(manager_->serving());
  } else if (command.verb() == "start") {
    status = manager_->StartByName(command.name(), now_us);
  } else if (command.verb() == "stop") {
    status = manager_->StopByName(command.name(), now_us);
  } else if (command.verb() == "kill") {
    status = manager_->KillByName(command.name(), now_us);
  } else if (command.verb() == "failover") {
    status = manager_->Failover(command.target(), now_us);
  } else if (command.verb() == "down") {
    manager_->ShutDown(now_us);
  } else if (command.verb() == "add-storage") {
    const Result<std::string> added = AddStorage(command.name());
    status = added.status();
    reply.set_name(added.ok() ? *added : "");
  } else if (command.verb() == "drain" || command.verb() == "undrain") {
    const Result<bool> done = Drain(command.name(), command.verb() == "drain");
    status = done.status();
    reply.set_pending(done.ok() && !*done);
  } else if (command.verb() == "remove-storage") {
    status = RemoveStorage(command.name(), now_us);
  } else {
    status = Status::InvalidArgument("unknown command " + command.verb());
  }
  if (command.verb() != "status") {
    LOG_INFO("command {} {}{}: {}", command.verb(), command.name(), command.target(),
             status.ToString());
  }
  reply.set_ok(status.ok());
  reply.set_reason(std::string(status.message()));
  return reply;
}

// The node is started at the next tick, and the writer told until its geometry has it.
Result<std::string> Control::AddStorage(const std::string& az) {
  if (std::ranges::find(config_.storage_nodes, az, &StorageNodeConfig::az) ==
      config_.storage_nodes.end()) {
    return Status::InvalidArgument("there is no availability zone " + az);
  }
  if (config_.storage_nodes.size() >= kStorageNodesMax) {
    return Status::InvalidArgument(
        fmt::format("there are {} storage nodes already", kStorageNodesMax));
  }
  if (!config_.volume_made) {
    return Status::Unavailable("the cluster has not come into service yet");
  }
  StorageNodeConfig node;
  node.id = NextStorageName(&node.number);
  node.az = az;
  node.host = config_.host;
  ASSIGN_OR_RETURN(node.port, PickFreePort(node.host));
  ASSIGN_OR_RETURN(node.metrics_port, PickFreePort(node.host));
  RETURN_IF_ERROR(MakeSecurity(directory_, config_, {node.id}));
  ClusterConfig wider = config_;
  wider.storage_nodes.push_back(node);
  RETURN_IF_ERROR(SaveClusterConfig(RealFileSystem(), directory_, wider));
  config_ = std::move(wider);
  Connect(node.id, node.host, node.port);
  manager_->AddStorageNode(node.id);
  return node.id;
}

// Never the name of a node that was: its directory may still be there.
std::string Control::NextStorageName(uint32_t* number) const {
  const auto name = [number] { return fmt::format("storage-{}", *number); };
  *number = keeper_.HighestNumber();
  for (const StorageNodeConfig& node : config_.storage_nodes) {
    *number = std::max(*number, node.number);
  }
  do {
    ++*number;
  } while (peers_.contains(name()) || RealFileSystem().Exists(directory_ + "/" + name()));
  return name();
}

Result<bool> Control::Drain(const std::string& name, bool draining) {
  const StorageNodeConfig* node = config_.FindStorageNode(name);
  if (node == nullptr) {
    return Status::NotFound("there is no storage node " + name);
  }
  return keeper_.SetDraining(*node, draining);
}

Status Control::RemoveStorage(const std::string& name, int64_t now_us) {
  const StorageNodeConfig* node = config_.FindStorageNode(name);
  if (node == nullptr) {
    return Status::NotFound("there is no storage node " + name);
  }
  RETURN_IF_ERROR(keeper_.MayRemove(*node));
  ClusterConfig narrower = config_;
  std::erase_if(narrower.storage_nodes,
                [&](const StorageNodeConfig& other) { return other.id == name; });
  RETURN_IF_ERROR(SaveClusterConfig(RealFileSystem(), directory_, narrower));
  config_ = std::move(narrower);
  removed_.insert(name);
  // It has nothing that a kill could lose.
  return manager_->running(name) ? manager_->KillByName(name, now_us)
                                 : manager_->StopByName(name, now_us);
}

}  // namespace borealis::control
