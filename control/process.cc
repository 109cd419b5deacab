#include "control/process.h"

#include <algorithm>

#include "base/net/call.h"
#include "base/obs/log.h"
#include "base/os/time.h"
#include "control/message_type.h"
#include "control/process_internal.h"
#include "control/security.h"
#include "volume/message_type.h"

namespace borealis::control {

namespace {

constexpr int64_t kTickUs = 50'000;
constexpr int64_t kPollInstancesEveryTicks = 2;  // and the endpoint process
constexpr int64_t kPollStorageEveryTicks = 10;
constexpr const char* kWriterKey = "writer";
// A node that came back counts as back after this part of the time that it may be silent.
constexpr int64_t kSettlePart = 10;
constexpr int64_t kSettleLeastUs = 1'000'000;

RepairLimits LimitsFor(const ClusterConfig& config) {
  RepairLimits limits;
  limits.repair_after_us = RepairAfterUs(config.options);
  limits.settle_us = std::max(limits.repair_after_us / kSettlePart, kSettleLeastUs);
  return limits;
}

// `type` is a MessageType, of control's messages or of the volume's.
template <class Type, class Body>
Frame MakeFrame(Type type, const Body& body, uint64_t request_id = 0) {
  Frame frame;
  frame.type = static_cast<uint16_t>(type);
  frame.request_id = request_id;
  body.SerializeToString(&frame.body);
  return frame;
}

InstanceReport ReportOf(const msg::InstanceStatusReply& reply) {
  InstanceReport report;
  report.role = reply.role();
  report.state = reply.state();
  report.can_read = reply.can_read();
  report.reason = reply.reason();
  report.volume_epoch = reply.volume_epoch();
  report.vcl = reply.vcl();
  report.vdl = reply.vdl();
  report.lag_ms = reply.lag_ms();
  report.protection_groups = reply.protection_groups();
  if (reply.has_write_stall()) {
    report.write_stall_ms = std::max<uint64_t>(reply.write_stall().for_ms(), 1);
    report.write_stall_pg = reply.write_stall().pg();
    report.write_stall_nodes.assign(reply.write_stall().nodes().begin(),
                                    reply.write_stall().nodes().end());
  }
  return report;
}

void AddTargets(const std::vector<ForwardTarget>& targets,
                google::protobuf::RepeatedPtrField<msg::Target>* to) {
  for (const ForwardTarget& target : targets) {
    msg::Target* added = to->Add();
    added->set_host(target.host);
    added->set_port(target.port);
  }
}

}  // namespace

Control::Control(std::string directory, std::string program, ClusterConfig config,
                 std::unique_ptr<StateStore> store)
    : directory_(std::move(directory)),
      config_(std::move(config)),
      store_(std::move(store)),
      supervisor_(directory_, std::move(program)),
      keeper_(LimitsFor(config_), SystemClock().NowUs()),
      transport_(Transport::Create(this)) {}

Status Control::Begin(const std::string& last_writer) {
  last_writer_ = last_writer;
  RETURN_IF_ERROR(transport_->Listen(config_.host, config_.control_port).status());
  manager_ = std::make_unique<ClusterManager>(config_, ManagerTimings(), last_writer, this);
  for (const InstanceConfig& instance : config_.instances) {
    Connect(instance.id, instance.host, instance.admin_port);
  }
  for (const StorageNodeConfig& node : config_.storage_nodes) {
    Connect(node.id, node.host, node.port);
  }
  Connect(std::string(kEndpointId), config_.host, config_.endpoint_admin_port);
  for (const auto& [name, peer] : peers_) {
    if (supervisor_.Adopt(name)) {
      manager_->AdoptRunning(name, SystemClock().NowUs());
    }
  }
  transport_->Start("control");
  transport_->Post([this] { Tick(); });
  return Status::Ok();
}

void Control::Connect(const std::string& name, const std::string& host, uint16_t port) {
  const PeerId peer = transport_->Connect(host, port);
  peers_[name] = peer;
  names_[peer] = name;
}

void Control::Tick() {
  const int64_t now_us = SystemClock().NowUs();
  ++tick_count_;
  WatchProcesses(now_us);
  if (tick_count_ % kPollInstancesEveryTicks == 0) {
    PollInstances();
  }
  if (tick_count_ % kPollStorageEveryTicks == 0) {
    PollStorage();
    SendGeometryOrders(now_us);
  }
  ForgetRemoved();
  manager_->SetVolumeWritable(CanBeWritten());
  manager_->OnTick(now_us);
  if (manager_->serving() && !config_.volume_made) {
    NoteVolumeMade();
  }
  if (manager_->all_gone()) {
    Leave();
    return;
  }
  transport_->After(kTickUs, [this] { Tick(); });
}

void Control::WatchProcesses(int64_t now_us) {
  for (const std::string& name : supervisor_.TakeEnded()) {
    if (const StorageNodeConfig* node = config_.FindStorageNode(name); node != nullptr) {
      keeper_.OnNodeDown(*node);
    }
    manager_->OnProcessGone(name, now_us);
  }
}

void Control::PollInstances() {
  msg::InstanceStatusRequest request;
  request.set_geometry_epoch(keeper_.version().epoch.value());
  request.set_geometry_number(keeper_.version().number);
  for (const InstanceConfig& instance : config_.instances) {
    if (supervisor_.Runs(instance.id)) {
      transport_->Send(peers_.at(instance.id),
                       MakeFrame(MessageType::kInstanceStatusRequest, request));
    }
  }
  const std::string endpoint(kEndpointId);
  if (supervisor_.Runs(endpoint)) {
    transport_->Send(peers_.at(endpoint),
                     MakeFrame(MessageType::kEndpointStatusRequest, msg::EndpointStatusRequest()));
  }
}

void Control::PollStorage() {
  borealis::msg::NodeStatusRequest request;
  request.set_volume_id(1);
  for (const StorageNodeConfig& node : config_.storage_nodes) {
    if (supervisor_.Runs(node.id)) {
      transport_->Send(peers_.at(node.id),
                       MakeFrame(borealis::MessageType::kNodeStatusRequest, request));
    }
  }
}

void Control::SendGeometryOrders(int64_t now_us) {
  const msg::GeometryOrders orders = keeper_.Plan(config_, now_us);
  if (orders.orders_size() > 0 && IsWriterInOffice(manager_->writer())) {
    transport_->Send(peers_.at(manager_->writer()),
                     MakeFrame(MessageType::kGeometryOrders, orders));
  }
}

void Control::ForgetRemoved() {
  std::erase_if(removed_, [this](const std::string& name) {
    if (supervisor_.Runs(name)) {
      return false;
    }
    const PeerId peer = peers_.at(name);
    transport_->Disconnect(peer);
    names_.erase(peer);
    peers_.erase(name);
    storage_services_.erase(name);
    manager_->ForgetStorageNode(name);
    return true;
  });
}

bool Control::CanBeWritten() const {
  std::set<uint32_t> reachable;
  for (const StorageNodeConfig& node : config_.storage_nodes) {
    if (IsReachable(node.id)) {
      reachable.insert(node.number);
    }
  }
  return keeper_.CanBeWritten(reachable);
}

bool Control::IsReachable(const std::string& name) const {
  const int64_t silent_us = manager_->SilentUs(name, SystemClock().NowUs());
  return supervisor_.Runs(name) && silent_us >= 0 && silent_us < kSilenceUs;
}

void Control::NoteVolumeMade() {
  config_.volume_made = true;
  if (Status status = SaveClusterConfig(RealFileSystem(), directory_, config_); !status.ok()) {
    config_.volume_made = false;
    LOG_ERROR("cannot note in cluster.json that the volume exists: {}", status.ToString());
  }
}

void Control::OnFrame(PeerId from, Frame frame) {
  if (frame.type == static_cast<uint16_t>(MessageType::kClusterCommand)) {
    msg::ClusterCommand command;
    if (command.ParseFromString(frame.body)) {
      transport_->Send(from,
                       MakeFrame(MessageType::kClusterReply, Execute(command), frame.request_id));
    }
  } else if (const auto found = names_.find(from); found != names_.end()) {
    OnAnswer(found->second, frame);
  }
}

void Control::OnAnswer(const std::string& name, const Frame& frame) {
  const int64_t now_us = SystemClock().NowUs();
  if (frame.type == static_cast<uint16_t>(MessageType::kInstanceStatusReply)) {
    if (msg::InstanceStatusReply reply; reply.ParseFromString(frame.body)) {
      OnInstanceStatus(name, reply, now_us);
    }
  } else if (frame.type == static_cast<uint16_t>(borealis::MessageType::kNodeStatusReply)) {
    if (borealis::msg::NodeStatusReply reply; reply.ParseFromString(frame.body)) {
      OnStorageStatus(name, reply, now_us);
    }
  } else if (frame.type == static_cast<uint16_t>(MessageType::kGeometryOrdersReply)) {
    if (msg::GeometryOrdersReply reply; reply.ParseFromString(frame.body)) {
      keeper_.OnOutcomes(reply, now_us);
    }
  } else if (frame.type == static_cast<uint16_t>(MessageType::kEndpointStatusReply)) {
    manager_->OnAnswer(name, /*in_order=*/true, now_us);
  }
}

void Control::OnInstanceStatus(const std::string& instance, const msg::InstanceStatusReply& reply,
                               int64_t now_us) {
  manager_->OnInstanceReport(instance, ReportOf(reply), now_us);
  if (!reply.geometry().empty() && IsWriterInOffice(instance)) {
    if (Status status = keeper_.OnWriterGeometry(reply.geometry(), now_us); !status.ok()) {
      LOG_ERROR("the geometry that {} tells: {}", instance, status.ToString());
    }
  }
}

void Control::OnStorageStatus(const std::string& name, const borealis::msg::NodeStatusReply& reply,
                              int64_t now_us) {
  manager_->OnAnswer(name, reply.out_of_service().empty(), now_us);
  storage_services_[name] = {reply.out_of_service(), reply.rebuilding()};
  if (const StorageNodeConfig* node = config_.FindStorageNode(name);
      node != nullptr && supervisor_.Runs(name)) {
    keeper_.OnNodeStatus(*node, reply, now_us);
  }
}

// What it says of the volume holds, and it can be given orders.
bool Control::IsWriterInOffice(const std::string& instance) const {
  const InstanceReport* report = manager_->report(instance);
  return instance == manager_->writer() && report != nullptr && report->role == "writer" &&
         report->state == "serving";
}

void Control::Start(const std::string& name) {
  std::string role = "storage";
  if (config_.FindInstance(name) != nullptr) {
    role = "server";
  } else if (name == kEndpointId) {
    role = "endpoint";
  }
  supervisor_.Start(name, role);
}

void Control::AssumeRole(const std::string& instance, const std::string& role,
                         const std::string& writer) {
  const InstanceConfig* target = config_.FindInstance(writer);
  msg::AssumeRole order;
  order.set_role(role);
  order.set_writer_instance(writer);
  order.set_writer_host(target->host);
  order.set_writer_admin_port(target->admin_port);
  transport_->Send(peers_.at(instance), MakeFrame(MessageType::kAssumeRole, order));
}

void Control::Retire(const std::string& instance) {
  msg::Retire order;
  order.set_grace_ms(1000);
  transport_->Send(peers_.at(instance), MakeFrame(MessageType::kRetire, order));
}

void Control::SetEndpointTargets(const std::vector<ForwardTarget>& cluster,
                                 const std::vector<ForwardTarget>& reader) {
  msg::EndpointTargets targets;
  AddTargets(cluster, targets.mutable_cluster());
  AddTargets(reader, targets.mutable_reader());
  transport_->Send(peers_.at(std::string(kEndpointId)),
                   MakeFrame(MessageType::kEndpointTargets, targets));
}

void Control::SaveWriter(const std::string& instance) {
  failovers_ += last_writer_.empty() || last_writer_ == instance ? 0 : 1;
  last_writer_ = instance;
  if (Status status = store_->Set(kWriterKey, instance); !status.ok()) {
    LOG_ERROR("cannot remember that {} is writer: {}", instance, status.ToString());
  }
}

Result<std::unique_ptr<ControlProcess>> ControlProcess::Start(const std::string& directory,
                                                              const std::string& program) {
  ASSIGN_OR_RETURN(ClusterConfig config, LoadClusterConfig(RealFileSystem(), directory));
  ASSIGN_OR_RETURN(auto store,
                   StateStore::Open(directory + "/" + std::string(kControlId) + "/state.db"));
  ASSIGN_OR_RETURN(const std::string last_writer, store->Get(kWriterKey));
  auto control = std::make_unique<Control>(directory, program, std::move(config), std::move(store));
  RETURN_IF_ERROR(control->Begin(last_writer));
  return std::unique_ptr<ControlProcess>(std::move(control));
}

}  // namespace borealis::control
