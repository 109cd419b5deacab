#include "server/role.h"

#include <algorithm>

#include "base/obs/log.h"
#include "server/instance_metrics.h"
#include "sql/executor/accounts/account_change.h"
#include "sql/executor/variables/engine_variables.h"

namespace borealis::server {

namespace {

engine::EngineOptions OptionsFor(const RoleParts& parts) {
  engine::EngineOptions options;
  options.layouts = sql::MakeSqlRowLayout;
  options.buffer_pool_bytes = parts.buffer_pool_bytes;
  return options;
}

}  // namespace

Result<std::shared_ptr<WriterRole>> WriterRole::Open(
    const RoleParts& parts, const std::function<void(const std::string&)>& on_progress,
    const std::function<void(Status)>& on_deposed) {
  std::shared_ptr<WriterRole> role(new WriterRole());
  storage_client::ClientConfig config;
  config.volume = parts.volume;
  config.instance = parts.instance;
  ASSIGN_OR_RETURN(role->volume_,
                   storage_client::StorageClient::Open(
                       std::move(config), [&](const storage_client::OpenProgress& progress) {
                         on_progress(progress.step);
                       }));
  role->volume_->OnDeposed(on_deposed);
  LOG_INFO("volume open: epoch {}, vdl {}", role->volume_->epoch().value(),
           role->volume_->vdl().value());
  on_progress("opening the engine");
  ASSIGN_OR_RETURN(role->engine_, engine::Engine::Open(role->volume_.get(), OptionsFor(parts)));
  role->catalog_ = std::make_unique<sql::Catalog>(role->engine_.get(), parts.system_tables);
  sql::ApplyEngineVariables(*parts.shared.variables, *role->engine_);
  role->environment_ = parts.shared;
  role->environment_.engine = role->engine_.get();
  role->environment_.catalog = role->catalog_.get();
  role->grants_ = sql::MakeGrantStore(role->environment_);
  role->environment_.grants = role->grants_.get();
  return role;
}

WriterRole::~WriterRole() {
  Stop();
}

void WriterRole::Stop() {
  {
    MutexLock lock(mutex_);
    senders_.clear();
  }
  if (engine_ != nullptr) {
    engine_->Stop();
  }
  if (volume_ != nullptr) {
    volume_->Close();
  }
}

void WriterRole::AddVolumeMetrics(MetricsPage* page) const {
  AddClientMetrics(volume_->Metrics(), page);
}

void ReaderRole::AddVolumeMetrics(MetricsPage* page) const {
  AddClientMetrics(volume_->Metrics(), page);
}

RoleReport WriterRole::Report() const {
  RoleReport report;
  report.volume_epoch = volume_->epoch().value();
  report.vdl = volume_->vdl().value();
  report.vcl = std::max(volume_->vcl(), volume_->vdl()).value();
  report.serving = report.can_read = true;
  return report;
}

void WriterRole::OnReaderHello(Transport* transport, PeerId reader, const std::string& instance) {
  MutexLock lock(mutex_);
  senders_.erase(reader);
  auto& sender = senders_[reader];
  sender = std::make_unique<LogSender>(transport, reader, instance, volume_.get(), engine_.get());
  UpdateReaderHorizon();  // from here on nothing goes that the reader may come to need
  sender->Start();
}

void WriterRole::OnReaderStatus(PeerId reader, Lsn lowest_read_point) {
  MutexLock lock(mutex_);
  const auto found = senders_.find(reader);
  if (found == senders_.end()) {
    return;
  }
  found->second->set_lowest_read_point(lowest_read_point);
  UpdateReaderHorizon();
}

void WriterRole::OnReaderGone(PeerId reader) {
  MutexLock lock(mutex_);
  senders_.erase(reader);
  UpdateReaderHorizon();
}

void WriterRole::UpdateReaderHorizon() {
  Lsn horizon = Lsn::Max();
  for (const auto& [peer, sender] : senders_) {
    horizon = std::min(horizon, sender->lowest_read_point());
  }
  engine_->SetReaderHorizon(horizon);
}

ReaderRole::ReaderRole(const RoleParts& parts, const std::string& writer_host,
                       uint16_t writer_admin_port)
    : parts_(parts),
      volume_(std::make_unique<storage_client::ReplicaVolume>(parts.volume.seeds)),
      receiver_(std::make_unique<LogReceiver>(
          parts.instance, volume_.get(),
          [this](std::string_view active) { return OpenEngine(active); })) {
  receiver_->Start(writer_host, writer_admin_port);
}

ReaderRole::~ReaderRole() {
  Stop();
}

Result<engine::Engine*> ReaderRole::OpenEngine(std::string_view active) {
  ASSIGN_OR_RETURN(engine_, engine::Engine::OpenReplica(volume_.get(), OptionsFor(parts_), active));
  catalog_ = std::make_unique<sql::Catalog>(engine_.get(), parts_.system_tables);
  sql::ApplyEngineVariables(*parts_.shared.variables, *engine_);
  sql::SessionEnvironment environment = parts_.shared;
  environment.engine = engine_.get();
  environment.catalog = catalog_.get();
  grants_ = sql::MakeGrantStore(environment);
  ready_.store(true);
  LOG_INFO("replica open at vdl {}", volume_->vdl().value());
  return engine_.get();
}

void ReaderRole::Stop() {
  receiver_->Stop();
  if (engine_ != nullptr) {
    engine_->Stop();
  }
  volume_->Close();
}

RoleReport ReaderRole::Report() const {
  RoleReport report;
  report.vdl = receiver_->applied().value();
  report.vcl = report.vdl;
  report.lag_ms = receiver_->lag_ms();
  report.can_read = ready_.load();
  report.serving = report.can_read && receiver_->following();
  return report;
}

sql::SessionEnvironment ReaderRole::environment() const {
  sql::SessionEnvironment environment = parts_.shared;
  environment.engine = engine_.get();
  environment.catalog = catalog_.get();
  environment.grants = grants_.get();
  return environment;
}

void ReaderRole::Follow(const std::string& writer_host, uint16_t writer_admin_port) {
  receiver_->Follow(writer_host, writer_admin_port);
}

}  // namespace borealis::server
