// Drives a NodeMachine with a real Transport: one thread, one connection to each storage node.
//
// Thread-safe where it says so; the machine itself is touched only on the driver's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/net/transport.h"
#include "base/shared_bytes.h"
#include "base/status.h"
#include "storage_client/node_link.h"
#include "storage_client/node_machine.h"
#include "volume/geometry.h"
#include "volume/page.h"

namespace borealis::storage_client {

class NodeDriver final : public NodeLink, private FrameHandler {
 public:
  NodeDriver();
  ~NodeDriver() override;

  // Starts the thread; nodes that were connected before are reported then. `machine` must outlive
  // Stop().
  void Start(NodeMachine* machine, const std::string& thread_name);
  // Joins the thread and cancels reads still under way; idempotent; not from the thread itself.
  void Stop();

  // Runs `work` on the machine's thread, then sets the machine's timer anew. Thread-safe.
  void Post(std::function<void()> work);

  // Starts reads on the machine's thread, one for each run of pages of one group (of `pages_per_pg`
  // pages), and blocks until all are done. Thread-safe; not from the machine's thread.
  using ImagesDone = std::function<void(Status, std::vector<SharedBytes> images)>;
  using StartRead = std::function<void(std::vector<PageNo> pages, ImagesDone done)>;
  Status ReadBlocking(uint64_t pages_per_pg, std::span<const PageNo> pages, const StartRead& start,
                      Page* out);

  // NodeLink: on the machine's thread, or before Start.
  void ConnectNode(size_t slot, const StorageNodeAddress& node) override;
  void SendToNode(size_t slot, Frame frame) override;

 private:
  struct ReadWait;
  void OnFrame(PeerId from, Frame frame) override;
  void OnPeerUp(PeerId peer) override;
  void OnPeerDown(PeerId peer) override;
  int SlotOf(PeerId peer) const;
  void ArmTimer();

  std::unique_ptr<Transport> transport_;
  NodeMachine* machine_ = nullptr;
  std::vector<PeerId> peers_;  // by slot
  int64_t armed_at_us_ = kNeverUs;

  // Reads that block somebody: cancelled when the thread has stopped.
  Mutex mutex_{LockRank::kVolume};
  bool is_stopped_ GUARDED_BY(mutex_) = false;
  std::set<std::shared_ptr<ReadWait>> waits_ GUARDED_BY(mutex_);
};

}  // namespace borealis::storage_client
