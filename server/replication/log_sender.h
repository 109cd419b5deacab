// Feeds one reader with the writer's log: a snapshot of the active transactions, the geometry of
// the volume, then every mini-transaction as it is appended, the VDL as it moves, and each new
// geometry.
//
// Frames are numbered, and the stream's start is number 1: what the volume tells between
// subscribing and the snapshot is held back until the start has gone.
//
// Asynchronous and best-effort: a reader that falls behind the transport's queue bound loses
// frames, notices the gap and asks again. No effect on commits. Created and destroyed on the admin
// transport's thread; log arrives on the storage client's thread and is passed on at once.
#pragma once

#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/net/transport.h"
#include "engine/engine.h"
#include "storage_client/client.h"

namespace borealis::server {

class LogSender final : public storage_client::LogSubscriber {
 public:
  // All must outlive the sender.
  LogSender(Transport* transport, PeerId reader, std::string instance,
            storage_client::StorageClient* volume, engine::Engine* engine);
  ~LogSender() override;
  // Subscribes and sends the start of the stream.
  void Start();

  // What the reader said it still needs; Lsn(0) until it said something, so nothing is collected
  // under a reader that is starting.
  Lsn lowest_read_point() const { return lowest_read_point_; }
  void set_lowest_read_point(Lsn lsn) { lowest_read_point_ = lsn; }
  const std::string& instance() const { return instance_; }

  void OnGeometry(const Geometry& geometry) override;
  void OnLog(Lsn start, Lsn end, const SharedBytes& records) override;
  void OnVdl(Lsn vdl, std::span<const storage_client::PgTailAt> changed) override;
  void OnEnd(const Status& why) override;

 private:
  void Pass(Frame frame);

  Transport* const transport_;
  const PeerId reader_;
  const std::string instance_;
  storage_client::StorageClient* const volume_;
  engine::Engine* const engine_;
  Lsn lowest_read_point_;

  Mutex mutex_{LockRank::kLeaf};
  bool begun_ GUARDED_BY(mutex_) = false;
  uint64_t next_number_ GUARDED_BY(mutex_) = 1;
  std::vector<Frame> held_back_ GUARDED_BY(mutex_);
};

}  // namespace borealis::server
