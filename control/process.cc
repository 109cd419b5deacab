#include "control/process.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <future>
#include <map>
#include <set>

#include "base/mutex.h"
#include "base/net/call.h"
#include "base/net/transport.h"
#include "base/obs/log.h"
#include "base/os/file.h"
#include "base/os/process.h"
#include "base/os/time.h"
#include "control/cluster_config.h"
#include "control/manager.h"
#include "control/message_type.h"
#include "control/messages.pb.h"
#include "control/security.h"
#include "control/state_store.h"
#include "control/status.h"
#include "control/supervisor.h"
#include "control/volume_keeper.h"
#include "volume/message_type.h"
#include "volume/messages.pb.h"

namespace borealis::control {

namespace {

constexpr int64_t kTickUs = 50'000;
constexpr int64_t kPollInstancesEveryTicks = 2;  // and the endpoint process
constexpr int64_t kPollStorageEveryTicks = 10;
// A process that has not answered for longer counts as unreachable.
constexpr int64_t kSilenceUs = 3'000'000;
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

class Control final : public ControlProcess, public FrameHandler, public ManagerEnvironment {
 public:
  Control(std::string directory, std::string program, ClusterConfig config,
          std::unique_ptr<StateStore> store)
      : directory_(std::move(directory)),
        config_(std::move(config)),
        store_(std::move(store)),
        supervisor_(directory_, std::move(program)),
        keeper_(LimitsFor(config_), SystemClock().NowUs()),
        transport_(Transport::Create(this)) {}
  ~Control() override { transport_->Stop(); }

  Status Begin(const std::string& last_writer);

  void WaitUntilDown() override {
    MutexLock lock(mutex_);
    while (!down_) {
      changed_.Wait(mutex_);
    }
  }
  void Leave() override {
    MutexLock lock(mutex_);
    down_ = true;
    changed_.NotifyAll();
  }

  void AddMetrics(MetricsPage* page) override;

  // FrameHandler, on the transport's thread.
  void OnFrame(PeerId from, Frame frame) override;
  void OnPeerUp(PeerId peer) override {
    if (const auto found = names_.find(peer);
        found != names_.end() && found->second == kEndpointId) {
      manager_->OnEndpointUp();
    }
  }

  // ManagerEnvironment, on the transport's thread.
  void Start(const std::string& name) override;
  void Terminate(const std::string& name) override { supervisor_.Signal(name, SIGTERM); }
  void Kill(const std::string& name) override { supervisor_.Signal(name, SIGKILL); }
  void AssumeRole(const std::string& instance, const std::string& role,
                  const std::string& writer) override;
  void Retire(const std::string& instance) override;
  void SetEndpointTargets(const std::vector<ForwardTarget>& cluster,
                          const std::vector<ForwardTarget>& reader) override;
  void SaveWriter(const std::string& instance) override;

 private:
  void Connect(const std::string& name, const std::string& host, uint16_t port);

  // What is done again and again.
  void Tick();
  void WatchProcesses(int64_t now_us);
  void PollInstances();
  void PollStorage();
  void SendGeometryOrders(int64_t now_us);
  void ForgetRemoved();
  bool CanBeWritten() const;
  bool IsReachable(const std::string& name) const;
  void NoteVolumeMade();

  // What the others answer.
  void OnAnswer(const std::string& name, const Frame& frame);
  void OnInstanceStatus(const std::string& instance, const msg::InstanceStatusReply& reply,
                        int64_t now_us);
  void OnStorageStatus(const std::string& name, const borealis::msg::NodeStatusReply& reply,
                       int64_t now_us);
  bool IsWriterInOffice(const std::string& instance) const;

  // What the operator commands.
  msg::ClusterReply Execute(const msg::ClusterCommand& command);
  Result<std::string> AddStorage(const std::string& az);
  std::string NextStorageName(uint32_t* number) const;
  Result<bool> Drain(const std::string& name, bool draining);
  Status RemoveStorage(const std::string& name, int64_t now_us);

  // What is told of the cluster.
  ClusterStatus CurrentStatus() const;
  ProcessStatus StatusOf(const std::string& name) const;
  std::string Hopeless() const;
  void AddOwnMetrics(MetricsPage* page) const;

  const std::string directory_;
  ClusterConfig config_;
  const std::unique_ptr<StateStore> store_;
  Supervisor supervisor_;  // on the transport's thread
  VolumeKeeper keeper_;    // on the transport's thread
  std::unique_ptr<Transport> transport_;

  // On the transport's thread.
  std::unique_ptr<ClusterManager> manager_;
  std::map<std::string, PeerId> peers_;  // admin connections by process name
  std::map<PeerId, std::string> names_;
  struct StorageService {
    std::string out_of_service;  // why, as it said last
    bool rebuilding = false;
  };
  std::map<std::string, StorageService> storage_services_;
  std::set<std::string> removed_;  // storage nodes that are only waited for to end
  int64_t tick_count_ = 0;
  uint64_t failovers_ = 0;
  std::string last_writer_;

  Mutex mutex_{LockRank::kLeaf};
  ConditionVariable changed_;
  bool down_ GUARDED_BY(mutex_) = false;
};

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

}  // namespace

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
