#include "server/replication/log_sender.h"

#include "base/obs/log.h"
#include "base/os/time.h"
#include "volume/message_type.h"
#include "volume/messages.pb.h"

namespace borealis::server {

namespace {

Frame ToFrame(const msg::ReplicaBatch& batch) {
  Frame frame;
  frame.type = static_cast<uint16_t>(MessageType::kReplicaBatch);
  batch.SerializeToString(&frame.body);
  return frame;
}

}  // namespace

LogSender::LogSender(Transport* transport, PeerId reader, std::string instance,
                     storage_client::StorageClient* volume, engine::Engine* engine)
    : transport_(transport),
      reader_(reader),
      instance_(std::move(instance)),
      volume_(volume),
      engine_(engine) {}

LogSender::~LogSender() {
  volume_->Unsubscribe(this);
}

// The stream begins before the snapshot is taken, and with what was not durable then, so that the
// reader misses no mark: log between the two is applied again over the snapshot, which is harmless.
void LogSender::Start() {
  const Lsn start = volume_->Subscribe(this);
  Lsn at;
  msg::ReplicaBatch batch;
  batch.set_snapshot(engine_->ActiveTransactions(&at));
  batch.set_snapshot_lsn(at.value());
  batch.set_is_start(true);
  batch.set_volume_epoch(volume_->epoch().value());
  batch.set_start(start.value());
  batch.set_end(start.value());
  LOG_INFO("{} follows the log from lsn {}", instance_, start.value());
  MutexLock lock(mutex_);
  begun_ = true;
  std::vector<Frame> frames = std::move(held_back_);
  frames.insert(frames.begin(), ToFrame(batch));
  for (Frame& frame : frames) {
    frame.request_id = next_number_++;
    transport_->Send(reader_, std::move(frame));
  }
}

// Sent under the lock: the order of numbers is the order of sending.
void LogSender::Pass(Frame frame) {
  MutexLock lock(mutex_);
  if (!begun_) {
    held_back_.push_back(std::move(frame));
    return;
  }
  frame.request_id = next_number_++;
  transport_->Send(reader_, std::move(frame));
}

void LogSender::OnGeometry(const Geometry& geometry) {
  msg::ReplicaBatch batch;
  batch.set_volume_epoch(volume_->epoch().value());
  batch.set_geometry(EncodeGeometry(geometry));
  Pass(ToFrame(batch));
}

void LogSender::OnLog(Lsn start, Lsn end, const SharedBytes& records) {
  msg::ReplicaBatch batch;
  batch.set_volume_epoch(volume_->epoch().value());
  batch.set_start(start.value());
  batch.set_end(end.value());
  Frame frame = ToFrame(batch);
  frame.attachments.push_back(records);
  Pass(std::move(frame));
}

void LogSender::OnVdl(Lsn vdl, std::span<const storage_client::PgTailAt> changed) {
  msg::ReplicaBatch batch;
  batch.set_volume_epoch(volume_->epoch().value());
  batch.set_vdl(vdl.value());
  batch.set_sent_us(SystemClock().NowUs());
  for (const storage_client::PgTailAt& tail : changed) {
    msg::PgTail* added = batch.add_tails();
    added->set_pg(tail.pg.value());
    added->set_lsn(tail.tail.value());
  }
  Pass(ToFrame(batch));
}

void LogSender::OnEnd(const Status& why) {
  LOG_INFO("the log stream to {} ends: {}", instance_, why.ToString());
}

}  // namespace borealis::server
