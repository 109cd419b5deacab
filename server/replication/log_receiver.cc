#include "server/replication/log_receiver.h"

#include <fmt/format.h>

#include "base/coding.h"
#include "base/obs/log.h"
#include "base/os/time.h"
#include "volume/message_type.h"
#include "volume/messages.pb.h"
#include "volume/record.h"

namespace borealis::server {

namespace {
constexpr int64_t kReportEveryUs = 200'000;
constexpr size_t kCompactBytes = 4u << 20;
// Silence up to this long is normal: an idle writer sends nothing but its answers to reports.
constexpr int64_t kSilenceUs = 2'000'000;
// Two machines' clocks run at rates that differ by less than one part in so many.
constexpr int64_t kDriftPart = 10'000;
}  // namespace

LogReceiver::LogReceiver(std::string instance, storage_client::ReplicaVolume* volume,
                         OpenEngine open_engine)
    : instance_(std::move(instance)),
      volume_(volume),
      open_engine_(std::move(open_engine)),
      transport_(Transport::Create(this)) {}

LogReceiver::~LogReceiver() {
  Stop();
}

void LogReceiver::Start(const std::string& writer_host, uint16_t writer_admin_port) {
  transport_->Start("log receiver");
  Follow(writer_host, writer_admin_port);
  transport_->After(kReportEveryUs, [this] { Report(); });
}

void LogReceiver::Stop() {
  transport_->Stop();
}

void LogReceiver::Follow(const std::string& writer_host, uint16_t writer_admin_port) {
  transport_->Post([this, writer_host, writer_admin_port] {
    if (writer_ != 0 && host_ == writer_host && port_ == writer_admin_port) {
      return;
    }
    if (writer_ != 0) {
      transport_->Disconnect(writer_);
    }
    host_ = writer_host;
    port_ = writer_admin_port;
    streaming_ = false;
    following_.store(false, std::memory_order_release);
    writer_ = transport_->Connect(host_, port_);
  });
}

void LogReceiver::OnPeerUp(PeerId peer) {
  if (peer == writer_) {
    AskForStream();
  }
}

void LogReceiver::OnPeerDown(PeerId peer) {
  if (peer == writer_) {
    streaming_ = false;
    following_.store(false, std::memory_order_release);
  }
}

void LogReceiver::AskForStream() {
  streaming_ = false;
  msg::ReplicaHello hello;
  hello.set_volume_id(1);
  hello.set_instance(instance_);
  Frame frame;
  frame.type = static_cast<uint16_t>(MessageType::kReplicaHello);
  hello.SerializeToString(&frame.body);
  transport_->Send(writer_, std::move(frame));
}

void LogReceiver::Report() {
  if (streaming_) {
    msg::ReplicaStatus status;
    status.set_applied_vdl(applied().value());
    const Lsn oldest = engine_ != nullptr ? engine_->OldestReadLsn() : Lsn(0);
    status.set_lowest_read_point(std::min(oldest, applied()).value());
    Frame frame;
    frame.type = static_cast<uint16_t>(MessageType::kReplicaStatus);
    status.SerializeToString(&frame.body);
    transport_->Send(writer_, std::move(frame));
  }
  transport_->After(kReportEveryUs, [this] { Report(); });
}

void LogReceiver::OnFrame(PeerId from, Frame frame) {
  if (from != writer_ || frame.type != static_cast<uint16_t>(MessageType::kReplicaBatch)) {
    return;
  }
  heard_us_.store(SystemClock().NowUs(), std::memory_order_relaxed);
  if (Status status = OnBatch(frame); !status.ok()) {
    LOG_WARN("log stream: {}; asking for it again", status.ToString());
    following_.store(false, std::memory_order_release);
    AskForStream();
  }
}

Status LogReceiver::OnBatch(Frame& frame) {
  msg::ReplicaBatch batch;
  if (!batch.ParseFromString(frame.body)) {
    return Status::Corruption("a batch does not parse");
  }
  epoch_ = VolumeEpoch(batch.volume_epoch());
  if (batch.is_start()) {
    streaming_ = true;
    clocks_noted_us_ = 0;
    expected_number_ = frame.request_id + 1;
    snapshot_pending_ = true;
    snapshot_ = batch.snapshot();
    snapshot_lsn_ = Lsn(batch.snapshot_lsn());
    expected_ = Lsn(batch.start());
    pending_ = Pending{expected_, {}, 0};
    return Status::Ok();
  }
  if (!streaming_) {
    return Status::Ok();  // the end of an older stream
  }
  if (frame.request_id != expected_number_++) {  // INV-REP-2
    return Status::Unavailable("frames were lost");
  }
  if (!frame.attachments.empty()) {
    if (Lsn(batch.start()) != expected_) {  // INV-REP-2
      return Status::Corruption(
          fmt::format("log from {} was expected, {} came", expected_.value(), batch.start()));
    }
    pending_.bytes += frame.attachments[0].view();
    expected_ = Lsn(batch.end());
  }
  if (!batch.geometry().empty()) {
    ASSIGN_OR_RETURN(const Geometry geometry, ParseGeometry(batch.geometry()));
    volume_->SetGeometry(geometry);
  }
  if (batch.vdl() == 0) {
    return Status::Ok();
  }
  std::vector<storage_client::PgTailAt> tails;
  for (const msg::PgTail& tail : batch.tails()) {
    tails.push_back({PgId(tail.pg()), Lsn(tail.lsn())});
  }
  NoteClocks(batch.sent_us());
  volume_->Advance(Lsn(batch.vdl()), tails, epoch_);
  RETURN_IF_ERROR(OnVdl(Lsn(batch.vdl())));
  apply_lag_us_.store(SystemClock().NowUs() - batch.sent_us() - clocks_apart_us_,
                      std::memory_order_relaxed);
  return Status::Ok();
}

// How far the writer's clock and ours are apart, and the fastest way here takes: the least that
// ever lay between sending and arrival. Both clocks only count time, so that nobody's setting his
// wall clock looks like a lag; but they may drift apart.
void LogReceiver::NoteClocks(int64_t sent_us) {
  const int64_t heard_us = heard_us_.load(std::memory_order_relaxed);
  const int64_t apart_us = heard_us - sent_us;
  if (clocks_noted_us_ == 0) {
    clocks_noted_us_ = heard_us;
    clocks_apart_us_ = apart_us;
  }
  const int64_t drift_us = (heard_us - clocks_noted_us_) / kDriftPart;
  clocks_noted_us_ += drift_us * kDriftPart;
  clocks_apart_us_ = std::min(clocks_apart_us_ + drift_us, apart_us);
}

Status LogReceiver::OnVdl(Lsn vdl) {
  if (snapshot_pending_) {
    if (vdl < snapshot_lsn_) {
      return Status::Ok();
    }
    snapshot_pending_ = false;
    if (engine_ == nullptr) {
      ASSIGN_OR_RETURN(engine_, open_engine_(snapshot_));
    } else {
      RETURN_IF_ERROR(engine_->RestartReplica(snapshot_));
    }
  }
  ASSIGN_OR_RETURN(const std::string_view records, TakeThrough(vdl));
  RETURN_IF_ERROR(engine_->ApplyLog(records, vdl));
  applied_.store(vdl.value(), std::memory_order_release);
  following_.store(true, std::memory_order_release);
  return Status::Ok();
}

// The records up to `vdl`, which is a consistency point (INV-REP-1); valid until the next frame.
Result<std::string_view> LogReceiver::TakeThrough(Lsn vdl) {
  if (pending_.consumed > kCompactBytes) {
    pending_.bytes.erase(0, pending_.consumed);
    pending_.consumed = 0;
  }
  const std::string_view rest = std::string_view(pending_.bytes).substr(pending_.consumed);
  size_t size = 0;
  while (size < rest.size()) {
    // Only lengths here; the engine verifies each record before it applies it.
    if (rest.size() - size < kRecordHeaderSize) {
      return Status::Corruption("the log is cut inside a record");
    }
    const auto length = LoadLittle<uint32_t>(rest.data() + size + 4);
    const Lsn end(LoadLittle<uint64_t>(rest.data() + size + 8));
    if (length < kRecordHeaderSize || length > rest.size() - size) {
      return Status::Corruption("a record of the log is malformed");
    }
    if (end > vdl) {
      break;
    }
    size += length;
  }
  pending_.consumed += size;
  return rest.substr(0, size);
}

double LogReceiver::lag_ms() const {
  const int64_t silent_us =
      SystemClock().NowUs() - heard_us_.load(std::memory_order_relaxed) - kSilenceUs;
  return static_cast<double>(std::max(apply_lag_us_.load(std::memory_order_relaxed),
                                      following() ? int64_t{0} : silent_us)) /
         1000.0;
}

}  // namespace borealis::server
