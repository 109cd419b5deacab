// The writer's volume over six-way storage: the threaded shell around ClientCore.
//
// Append runs on the caller's thread, under the log mutex only: LSNs, back links, a copy into the
// log buffer. One thread of the client does everything else: ships, counts acknowledgements, reads
// pages, completes waiters. It is woken once for all appends that come before it looks.
//
// Thread-safe. Callbacks (WhenDurable, subscribers, opening progress) run on the client's thread
// with no lock held; they must be quick and must not block on this object.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "base/shared_bytes.h"
#include "storage_client/client_core.h"
#include "storage_client/client_metrics.h"
#include "storage_client/volume.h"
#include "volume/geometry.h"

namespace borealis::storage_client {

struct ClientConfig {
  VolumeSource volume;
  VolumeEpoch epoch;  // 0: one above the highest that the nodes have seen
  ClientLimits limits;
  std::string instance = "writer";
  // Open gives up after this long; 0: never.
  int64_t open_timeout_us = 0;
};

// Receives the log as it is written: what feeds readers.
class LogSubscriber {
 public:
  virtual ~LogSubscriber() = default;
  // The decided geometry: the first call after subscribing, and one at each change.
  virtual void OnGeometry(const Geometry& geometry) = 0;
  // Whole mini-transactions covering LSNs [start, end), contiguous from call to call. They may not
  // be durable yet.
  virtual void OnLog(Lsn start, Lsn end, const SharedBytes& records) = 0;
  // The VDL moved; `changed` are the groups whose last record at or under it is another one now.
  // The first call after subscribing names all groups.
  virtual void OnVdl(Lsn vdl, std::span<const PgTailAt> changed) = 0;
  // Nothing will follow.
  virtual void OnEnd(const Status& why) = 0;
};

class StorageClient final : public Volume {
 public:
  // Seals, finds the end of the log and opens. Blocks. kFenced when a newer opener won,
  // kUnavailable when a write quorum did not answer in time. `on_progress` says what it waits for.
  static Result<std::unique_ptr<StorageClient>> Open(
      ClientConfig config, std::function<void(const OpenProgress&)> on_progress = {});
  ~StorageClient() override;
  // Waiters get kCancelled; idempotent. What was not durable may or may not survive.
  void Close();

  // The VCL as it was when the VDL last moved; for people.
  Lsn vcl() const;

  // PageReader and Volume.
  Lsn vdl() const override;
  Status ReadPage(PageNo page, Lsn read_point, Page* out) override;
  Status ReadPages(std::span<const PageNo> pages, Lsn read_point, Page* out) override;
  void SetLowestReadPoint(Lsn lsn) override;
  Status WaitForRoom() override;
  Lsn Append(std::span<RecordDraft> drafts) override;
  void WhenDurable(Lsn lsn, std::function<void(Status)> done) override;
  Status WaitDurable(Lsn lsn) override;
  VolumeEpoch epoch() const override;
  Lsn appended() const override;

  // From the LSN returned on, `subscriber` gets every append and every VDL. No record above the VDL
  // of its first OnVdl is left out, so a reader may begin at any VDL that it hears of. Blocks for
  // the client's thread, on which the first calls come before this returns.
  Lsn Subscribe(LogSubscriber* subscriber);
  // After it returns nothing more is delivered.
  void Unsubscribe(LogSubscriber* subscriber);

  // See ClientCore. They block for the client's thread, not until the change is decided; kCancelled
  // when the client is closed.
  Status OrderSeat(const SeatOrder& order);
  Status AddNode(const StorageNodeAddress& node);
  Status SetDraining(NodeId node, bool draining);
  // The decided one.
  Geometry geometry() const;

  // Set while writes wait for a write quorum. May block for the client's thread.
  std::optional<WriteStall> Stall() const;

  // Called once, on the client's thread, when a newer epoch deposed this one.
  void OnDeposed(std::function<void(Status)> deposed);

  ClientMetricsSnapshot Metrics() const;

 private:
  class Shell;
  explicit StorageClient(std::unique_ptr<Shell> shell);
  std::unique_ptr<Shell> shell_;
};

}  // namespace borealis::storage_client
