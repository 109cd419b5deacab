// Follows the writer's log on a reader instance: receives, holds back what is not durable yet, and
// hands whole mini-transactions to the engine as the VDL passes them.
//
// One thread of its own (the transport's): connects to the writer, asks for the stream, applies. On
// a gap or a lost connection it asks again and the replica restarts from the new snapshot.
//
// INV-REP-1  Nothing beyond the VDL is ever applied, and always up to a consistency point.
// INV-REP-2  Log is applied without gaps from the snapshot on; after a gap the replica starts anew.
//            A lost frame is a gap, whatever was in it: also which groups' tails have moved.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/net/transport.h"
#include "base/result.h"
#include "engine/engine.h"
#include "storage_client/replica_volume.h"

namespace borealis::server {

class LogReceiver final : public FrameHandler {
 public:
  // Makes the replica engine once the volume stands at the stream's first usable VDL; called on the
  // receiver's thread. The engine must outlive the receiver's Stop.
  using OpenEngine = std::function<Result<engine::Engine*>(std::string_view active)>;

  LogReceiver(std::string instance, storage_client::ReplicaVolume* volume, OpenEngine open_engine);
  ~LogReceiver() override;
  void Start(const std::string& writer_host, uint16_t writer_admin_port);
  // Joins the thread; idempotent.
  void Stop();
  // A newer writer: the stream starts again from there. Harmless when nothing changed. Thread-safe.
  void Follow(const std::string& writer_host, uint16_t writer_admin_port);

  // How long the last applied change had been durable at the writer before it was visible here; for
  // how long nothing was heard when that is longer.
  double lag_ms() const;
  Lsn applied() const { return Lsn(applied_.load(std::memory_order_acquire)); }
  // The stream runs and the engine is open.
  bool following() const { return following_.load(std::memory_order_acquire); }

  void OnFrame(PeerId from, Frame frame) override;
  void OnPeerUp(PeerId peer) override;
  void OnPeerDown(PeerId peer) override;

 private:
  struct Pending {
    Lsn start;
    std::string bytes;  // log [start, start + …) not applied yet, beginning at a record
    size_t consumed = 0;
  };

  Status OnBatch(Frame& frame);
  Status OnVdl(Lsn vdl);
  void NoteClocks(int64_t sent_us);
  Result<std::string_view> TakeThrough(Lsn vdl);
  void Report();
  void AskForStream();

  const std::string instance_;
  storage_client::ReplicaVolume* const volume_;
  const OpenEngine open_engine_;
  std::unique_ptr<Transport> transport_;

  // On the transport's thread.
  PeerId writer_ = 0;
  std::string host_;
  uint16_t port_ = 0;
  engine::Engine* engine_ = nullptr;
  bool streaming_ = false;         // a stream's start has come
  bool snapshot_pending_ = false;  // and waits for the VDL to reach it
  std::string snapshot_;
  Lsn snapshot_lsn_;
  uint64_t expected_number_ = 0;  // of the next frame
  Lsn expected_;                  // start of the next log frame
  Pending pending_;
  VolumeEpoch epoch_;
  int64_t clocks_apart_us_ = 0;
  int64_t clocks_noted_us_ = 0;  // up to when they may have drifted; 0: not known in this stream
  bool stopped_ = false;

  std::atomic<uint64_t> applied_{0};
  std::atomic<bool> following_{false};
  std::atomic<int64_t> apply_lag_us_{0};
  std::atomic<int64_t> heard_us_{0};
};

}  // namespace borealis::server
