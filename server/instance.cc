#include "server/instance.h"

#include <fmt/format.h>

#include <deque>

#include "base/mysql_error.h"
#include "base/net/transport.h"
#include "base/obs/log.h"
#include "base/os/file.h"
#include "base/os/random.h"
#include "base/os/signals.h"
#include "base/os/thread.h"
#include "base/os/time.h"
#include "control/cluster_config.h"
#include "control/message_type.h"
#include "control/messages.pb.h"
#include "server/accounts.h"
#include "server/geometry_orders.h"
#include "server/instance_metrics.h"
#include "server/net/net_server.h"
#include "server/plugin_credentials.h"
#include "server/role.h"
#include "server/server_info.h"
#include "server/session/sql_handler.h"
#include "server/worker_pool.h"
#include "sql/executor/create.h"
#include "sql/session/statement_counters.h"
#include "volume/message_type.h"
#include "volume/messages.pb.h"

namespace borealis::server {

namespace {

// Texts of large statements under way at once: a share of the buffer pool, since their trees take
// up to a hundred times the memory.
constexpr size_t kPoolPerStatementText = 128;
constexpr size_t kStatementTextLeast = size_t{2} << 20;
// Messages of orders that wait for the role thread; control repeats what is dropped.
constexpr size_t kGeometryWorksMax = 64;

using control::ClusterConfig;
using control::InstanceConfig;

// The storage nodes of the configuration, and whether the volume is still to be made.
storage_client::VolumeSource VolumeOf(const ClusterConfig& config) {
  storage_client::VolumeSource volume;
  for (const control::StorageNodeConfig& node : config.storage_nodes) {
    volume.seeds.push_back({NodeId(node.number), node.az, node.host, node.port});
  }
  if (!config.volume_made) {
    volume.make_new = {config.pages_per_pg};
  }
  return volume;
}

// A name for this server that stays: made at the first start, kept in the instance's directory.
Result<std::string> ServerUuid(const std::string& directory) {
  const std::string path = directory + "/server_uuid";
  if (RealFileSystem().Exists(path)) {
    return ReadWholeFile(RealFileSystem(), path);
  }
  const std::string bytes = SecureRandomBytes(16);
  std::string uuid;
  for (size_t i = 0; i < bytes.size(); ++i) {
    uuid += (i == 4 || i == 6 || i == 8 || i == 10) ? "-" : "";
    uuid += fmt::format("{:02x}", static_cast<uint8_t>(bytes[i]));
  }
  RETURN_IF_ERROR(WriteWholeFile(RealFileSystem(), path, uuid));
  return uuid;
}

// The first line of the operator's password file, without its end.
Result<std::string> ReadPassword(const std::string& path) {
  if (path.empty()) {
    return std::string();
  }
  ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(RealFileSystem(), path));
  return text.substr(0, text.find_first_of("\r\n"));
}

class InstanceProcess final : public Instance, public FrameHandler, public HandlerFactory {
 public:
  InstanceProcess(ClusterConfig config, InstanceConfig self, std::string cluster_directory)
      : config_(std::move(config)),
        self_(std::move(self)),
        cluster_directory_(std::move(cluster_directory)),
        directory_(cluster_directory_ + "/" + self_.id),
        gate_(std::max<size_t>(config_.buffer_pool_bytes / kPoolPerStatementText,
                               kStatementTextLeast)) {}
  ~InstanceProcess() override { Stop(); }

  Status Begin();
  void Stop() override;
  void AddMetrics(MetricsPage* page) const override;

  // FrameHandler: the admin transport's thread.
  void OnFrame(PeerId from, Frame frame) override;
  void OnPeerDown(PeerId peer) override;

  // HandlerFactory: workers.
  Result<std::unique_ptr<CommandHandler>> Open(const ConnectionPtr& connection,
                                               const LoginInfo& login) override;

 private:
  struct Order {
    std::string role;
    std::string writer_host;
    uint16_t writer_admin_port = 0;
  };
  // Changes of the geometry, and whom to answer.
  struct GeometryWork {
    control::msg::GeometryOrders orders;
    PeerId from = 0;
    uint64_t request_id = 0;
  };

  std::shared_ptr<Role> role() const;
  void SetState(const std::string& state, const std::string& reason);
  control::msg::InstanceStatusReply StatusReply(GeometryVersion known) const;
  void RunOrders();
  void Carry(const Order& order);
  void Carry(const GeometryWork& work);
  void BecomeWriter();
  void BecomeReader(const Order& order);
  Status CheckUserConnections(const LoginInfo& login) const;
  Status ApplyOptions();
  RoleParts Parts();
  storage_client::VolumeSource Volume() const;

  const ClusterConfig config_;
  const InstanceConfig self_;
  const std::string cluster_directory_;
  const std::string directory_;  // of this instance
  std::string root_password_;

  StatementGate gate_;
  sql::StatementCounters statements_;
  std::unique_ptr<WorkerPool> pool_;
  std::unique_ptr<ServerInfo> info_;
  std::unique_ptr<sql::ExecutorParts> executor_;
  PluginCredentials credentials_;
  std::unique_ptr<StoredAccounts> accounts_;
  std::unique_ptr<NetServer> net_;
  std::unique_ptr<Transport> admin_;
  Thread role_thread_;

  mutable Mutex mutex_{LockRank::kServer};
  ConditionVariable orders_changed_;
  std::deque<Order> orders_ GUARDED_BY(mutex_);
  std::deque<GeometryWork> geometry_works_ GUARDED_BY(mutex_);
  std::shared_ptr<Role> role_ GUARDED_BY(mutex_);
  std::string state_ GUARDED_BY(mutex_) = "idle";
  std::string reason_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
};

Status InstanceProcess::Begin() {
  ASSIGN_OR_RETURN(root_password_, ReadPassword(config_.root_password_file));
  ASSIGN_OR_RETURN(const std::string uuid, ServerUuid(directory_));
  ASSIGN_OR_RETURN(ServerKeys keys, LoadOrMakeKeys(RealFileSystem(), directory_));
  pool_ = std::make_unique<WorkerPool>(WorkerPool::Options());
  pool_->Start();
  info_ = std::make_unique<ServerInfo>(
      ServerInfo::Facts{self_.id, uuid, self_.port, config_.buffer_pool_bytes});
  executor_ = sql::MakeExecutorParts();
  accounts_ = std::make_unique<StoredAccounts>([this]() -> std::optional<StoredAccounts::Current> {
    const std::shared_ptr<Role> now = role();
    if (now == nullptr || !now->Report().can_read) {
      return std::nullopt;
    }
    return StoredAccounts::Current{now, now->environment()};
  });
  RETURN_IF_ERROR(ApplyOptions());
  NetServer::Parts parts;
  const auto option = [this](std::string_view name) {
    return executor_->variables->IntegerValue(name).value_or(0);
  };
  parts.options.require_secure_transport = option("require_secure_transport") != 0;
  parts.options.max_connections = static_cast<int>(option("max_connections"));
  parts.options.bind_address = self_.host;
  parts.options.port = self_.port;
  parts.keys = std::move(keys);
  parts.accounts = accounts_.get();
  parts.factory = this;
  parts.pool = pool_.get();
  net_ = NetServer::Create(std::move(parts));
  info_->Connect(net_.get(), pool_.get(), [this] { return role(); });
  RETURN_IF_ERROR(net_->Start());
  admin_ = Transport::Create(this);
  RETURN_IF_ERROR(admin_->Listen(self_.host, self_.admin_port).status());
  role_thread_ = Thread("role", [this] { RunOrders(); });
  admin_->Start("admin");
  LOG_INFO("{} answers at {}:{}", self_.id, self_.host, net_->port());
  return Status::Ok();
}

// --option name=value: global values from the start, checked as SET GLOBAL checks them.
Status InstanceProcess::ApplyOptions() {
  for (const auto& [name, value] : config_.options) {
    if (control::IsControlOption(name)) {
      continue;
    }
    if (Status status = executor_->variables->SetAtStart(name, value); !status.ok()) {
      return Status::InvalidArgument("--option " + name + "=" + value + ": " +
                                     std::string(status.message()));
    }
  }
  return Status::Ok();
}

void InstanceProcess::Stop() {
  {
    MutexLock lock(mutex_);
    if (stopping_) {
      return;
    }
    stopping_ = true;
    state_ = "closing";
    orders_changed_.NotifyAll();
  }
  if (net_ != nullptr) {
    net_->StopAccepting();
    net_->connections().KillAll();
  }
  if (const std::shared_ptr<Role> now = role(); now != nullptr) {
    now->Stop();  // fails what still waits, so that sessions can end
  }
  if (net_ != nullptr) {
    net_->Stop();
  }
  role_thread_.Join();
  if (admin_ != nullptr) {
    admin_->Stop();
  }
  {
    MutexLock lock(mutex_);
    role_ = nullptr;
  }
  if (pool_ != nullptr) {
    pool_->Stop();
  }
}

void InstanceProcess::AddMetrics(MetricsPage* page) const {
  admin_->AddMetrics(page);
  AddConnectionMetrics(net_->counters(), net_->connections().size(), page);
  AddWorkerMetrics(pool_->metrics(), page);
  AddStatementMetrics(statements_, page);
  const std::shared_ptr<Role> now = role();
  AddRoleMetrics(now.get(), page);
}

std::shared_ptr<Role> InstanceProcess::role() const {
  MutexLock lock(mutex_);
  return role_;
}

void InstanceProcess::SetState(const std::string& state, const std::string& reason) {
  MutexLock lock(mutex_);
  if (!stopping_) {
    state_ = state;
    reason_ = reason;
  }
}

void InstanceProcess::OnFrame(PeerId from, Frame frame) {
  using control::MessageType;
  Frame answer;
  answer.request_id = frame.request_id;
  if (frame.type == static_cast<uint16_t>(MessageType::kInstanceStatusRequest)) {
    control::msg::InstanceStatusRequest request;
    if (request.ParseFromString(frame.body)) {
      const GeometryVersion known{VolumeEpoch(request.geometry_epoch()), request.geometry_number()};
      answer.type = static_cast<uint16_t>(MessageType::kInstanceStatusReply);
      StatusReply(known).SerializeToString(&answer.body);
      admin_->Send(from, std::move(answer));
    }
  } else if (frame.type == static_cast<uint16_t>(MessageType::kAssumeRole)) {
    control::msg::AssumeRole order;
    if (order.ParseFromString(frame.body)) {
      MutexLock lock(mutex_);
      orders_.push_back(
          {order.role(), order.writer_host(), static_cast<uint16_t>(order.writer_admin_port())});
      orders_changed_.NotifyAll();
    }
  } else if (frame.type == static_cast<uint16_t>(MessageType::kGeometryOrders)) {
    GeometryWork work{{}, from, frame.request_id};
    MutexLock lock(mutex_);
    if (work.orders.ParseFromString(frame.body) && geometry_works_.size() < kGeometryWorksMax) {
      geometry_works_.push_back(std::move(work));
      orders_changed_.NotifyAll();
    }
  } else if (frame.type == static_cast<uint16_t>(MessageType::kRetire)) {
    LOG_INFO("retiring by order of control");
    RequestStop();
  } else if (frame.type == static_cast<uint16_t>(borealis::MessageType::kReplicaHello)) {
    const auto writer = std::dynamic_pointer_cast<WriterRole>(role());
    msg::ReplicaHello hello;
    if (writer != nullptr && hello.ParseFromString(frame.body)) {
      writer->OnReaderHello(admin_.get(), from, hello.instance());
    } else {
      admin_->Disconnect(from);  // it will come back, perhaps when there is a writer here
    }
  } else if (frame.type == static_cast<uint16_t>(borealis::MessageType::kReplicaStatus)) {
    const auto writer = std::dynamic_pointer_cast<WriterRole>(role());
    msg::ReplicaStatus status;
    if (writer != nullptr && status.ParseFromString(frame.body)) {
      writer->OnReaderStatus(from, Lsn(status.lowest_read_point()));
    }
  }
}

void InstanceProcess::OnPeerDown(PeerId peer) {
  if (const auto writer = std::dynamic_pointer_cast<WriterRole>(role()); writer != nullptr) {
    writer->OnReaderGone(peer);
  }
}

control::msg::InstanceStatusReply InstanceProcess::StatusReply(GeometryVersion known) const {
  control::msg::InstanceStatusReply reply;
  reply.set_instance(self_.id);
  const std::shared_ptr<Role> now = role();
  {
    MutexLock lock(mutex_);
    reply.set_state(state_);
    reply.set_reason(reason_);
  }
  reply.set_role("none");
  if (now != nullptr) {
    const RoleReport report = now->Report();
    reply.set_role(now->is_writer() ? "writer" : "reader");
    reply.set_volume_epoch(report.volume_epoch);
    reply.set_vcl(report.vcl);
    reply.set_vdl(report.vdl);
    reply.set_lag_ms(report.lag_ms);
    if (!now->is_writer() && reply.state() != "closing") {
      reply.set_state(report.serving ? "serving" : "opening");
      reply.set_can_read(report.can_read);
    }
  }
  if (const auto writer = std::dynamic_pointer_cast<WriterRole>(now); writer != nullptr) {
    const Geometry geometry = writer->volume()->geometry();
    reply.set_protection_groups(static_cast<uint32_t>(geometry.groups.size()));
    if (geometry.version != known) {
      reply.set_geometry(EncodeGeometry(geometry));
    }
    if (const auto stall = writer->volume()->Stall(); stall.has_value()) {
      control::msg::WriteStall* told = reply.mutable_write_stall();
      told->set_for_ms(static_cast<uint64_t>((SystemClock().NowUs() - stall->since_us) / 1000));
      told->set_pg(stall->pg.value());
      for (const NodeId node : stall->lacking) {
        told->add_nodes(node.value());
      }
    }
  }
  reply.set_connections(net_->connections().size());
  return reply;
}

// The role thread: orders one after the other. Control repeats those for a role, so only the last
// one counts.
void InstanceProcess::RunOrders() {
  for (;;) {
    std::optional<Order> order;
    std::optional<GeometryWork> work;
    {
      MutexLock lock(mutex_);
      while (orders_.empty() && geometry_works_.empty() && !stopping_) {
        orders_changed_.Wait(mutex_);
      }
      if (stopping_) {
        return;
      }
      if (!orders_.empty()) {
        order = orders_.back();
        orders_.clear();
      } else {
        work = std::move(geometry_works_.front());
        geometry_works_.pop_front();
      }
    }
    if (order.has_value()) {
      Carry(*order);
    } else {
      Carry(*work);
    }
  }
}

// Here and not on the admin transport's thread, because it waits for the volume's.
void InstanceProcess::Carry(const GeometryWork& work) {
  const auto writer = std::dynamic_pointer_cast<WriterRole>(role());
  if (writer == nullptr) {
    return;  // control asks whoever is writer by then
  }
  Frame answer;
  answer.type = static_cast<uint16_t>(control::MessageType::kGeometryOrdersReply);
  answer.request_id = work.request_id;
  CarryOutGeometryOrders(work.orders, writer->volume()).SerializeToString(&answer.body);
  admin_->Send(work.from, std::move(answer));
}

void InstanceProcess::Carry(const Order& order) {
  const std::shared_ptr<Role> now = role();
  if (order.role == "writer") {
    if (now == nullptr || !now->is_writer()) {
      BecomeWriter();
    }
  } else if (now == nullptr) {
    BecomeReader(order);
  } else if (!now->is_writer()) {
    std::static_pointer_cast<ReaderRole>(now)->Follow(order.writer_host, order.writer_admin_port);
  } else {
    // A writer that is told to read has been replaced: it starts anew.
    LOG_WARN("told to be a reader while writer; restarting");
    RequestStop();
  }
}

// As the configuration is now: since this process started the volume may have been made, and
// storage nodes have come.
storage_client::VolumeSource InstanceProcess::Volume() const {
  Result<ClusterConfig> now = control::LoadClusterConfig(RealFileSystem(), cluster_directory_);
  if (!now.ok()) {
    LOG_WARN("cluster.json: {}; going by what it said before", now.status().ToString());
  }
  return VolumeOf(now.ok() ? *now : config_);
}

RoleParts InstanceProcess::Parts() {
  RoleParts parts;
  parts.instance = self_.id;
  parts.volume = Volume();
  parts.buffer_pool_bytes = info_->buffer_pool_bytes();
  parts.shared.variables = executor_->variables.get();
  parts.shared.executor = executor_->executor.get();
  parts.shared.server = info_.get();
  parts.shared.clock = &SystemClock();
  parts.shared.counters = &statements_;
  parts.shared.credentials = &credentials_;
  parts.system_tables = executor_->system_tables.get();
  return parts;
}

void InstanceProcess::BecomeWriter() {
  SetState("opening", "opening the volume");
  std::shared_ptr<Role> before;
  {
    MutexLock lock(mutex_);
    before = std::exchange(role_, nullptr);
  }
  if (before != nullptr) {
    // Sessions of the reader end with it: their engine stands still from now on.
    before->Stop();
    net_->connections().KillAll();
    before = nullptr;
  }
  auto writer = WriterRole::Open(
      Parts(), [this](const std::string& step) { SetState("opening", step); },
      [](const Status& why) {
        LOG_WARN("deposed: {}; closing all sessions and restarting", why.ToString());
        RequestStop();
      });
  Status status =
      writer.ok() ? BootstrapAccounts((*writer)->environment(), root_password_) : writer.status();
  if (!status.ok()) {
    LOG_ERROR("cannot become writer: {}", status.ToString());
    SetState("failed", status.ToString());
    RequestStop();
    return;
  }
  {
    MutexLock lock(mutex_);
    role_ = *writer;
  }
  SetState("serving", "");
  LOG_INFO("serving as writer");
}

void InstanceProcess::BecomeReader(const Order& order) {
  SetState("opening", "following the writer");
  auto reader = std::make_shared<ReaderRole>(Parts(), order.writer_host, order.writer_admin_port);
  MutexLock lock(mutex_);
  role_ = std::move(reader);
}

// MAX_USER_CONNECTIONS of the account, or the variable's.
Status InstanceProcess::CheckUserConnections(const LoginInfo& login) const {
  const uint64_t most =
      login.account.max_user_connections != 0
          ? login.account.max_user_connections
          : executor_->variables->IntegerValue("max_user_connections").value_or(0);
  if (most == 0) {
    return Status::Ok();
  }
  const sql::AccountKey key{login.account.user, login.account.host};
  uint64_t open = 0;
  for (const auto& entry : net_->connections().List()) {
    open +=
        entry.handler != nullptr && static_cast<const SqlHandler&>(*entry.handler).account() == key
            ? 1
            : 0;
  }
  if (open < most) {
    return Status::Ok();
  }
  return login.account.max_user_connections != 0
             ? UserError(ER_USER_LIMIT_REACHED, login.account.user, "max_user_connections", most)
             : UserError(ER_TOO_MANY_USER_CONNECTIONS, login.account.user);
}

Result<std::unique_ptr<CommandHandler>> InstanceProcess::Open(const ConnectionPtr& connection,
                                                              const LoginInfo& login) {
  const std::shared_ptr<Role> now = role();
  if (now == nullptr || !now->Report().can_read) {
    return UserError(ER_SERVER_SHUTDOWN);
  }
  RETURN_IF_ERROR(CheckUserConnections(login));
  auto handler =
      std::make_unique<SqlHandler>(now, now->environment(), &gate_, connection->id(), login);
  RETURN_IF_ERROR(handler->OnChangeUser(connection, login));
  return std::unique_ptr<CommandHandler>(std::move(handler));
}

}  // namespace

Result<std::unique_ptr<Instance>> Instance::Start(const std::string& directory,
                                                  const std::string& id) {
  ASSIGN_OR_RETURN(ClusterConfig config, control::LoadClusterConfig(RealFileSystem(), directory));
  const InstanceConfig* self = config.FindInstance(id);
  if (self == nullptr) {
    return Status::NotFound("cluster.json names no instance " + id);
  }
  const InstanceConfig own = *self;
  auto instance = std::make_unique<InstanceProcess>(std::move(config), own, directory);
  RETURN_IF_ERROR(instance->Begin());
  return std::unique_ptr<Instance>(std::move(instance));
}

}  // namespace borealis::server
