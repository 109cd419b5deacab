#include "storage_client/node_driver.h"

#include <algorithm>
#include <cstring>

#include "base/invariant.h"
#include "base/mutex.h"
#include "base/os/time.h"

namespace borealis::storage_client {

namespace {
// Pages asked for in one request: a megabyte of answer.
constexpr size_t kPagesPerRead = 64;
// Timers finer than this are not worth a wake-up.
constexpr int64_t kTimerGrainUs = 200;
// Where the checksum of a page rests; pages in memory carry none.
constexpr size_t kPageCrcOffset = 8;
}  // namespace

// What a blocked reader and the reads it started share.
struct NodeDriver::ReadWait {
  Mutex mutex{LockRank::kLeaf};
  ConditionVariable changed;
  size_t open = 0;
  Status status;
};

NodeDriver::NodeDriver() : transport_(Transport::Create(this)) {}

NodeDriver::~NodeDriver() {
  Stop();
}

void NodeDriver::Start(NodeMachine* machine, const std::string& thread_name) {
  machine_ = machine;
  transport_->Start(thread_name);
}

void NodeDriver::Stop() {
  transport_->Stop();
  std::set<std::shared_ptr<ReadWait>> waits;
  {
    MutexLock lock(mutex_);
    is_stopped_ = true;
    waits.swap(waits_);
  }
  for (const auto& wait : waits) {
    MutexLock lock(wait->mutex);
    if (wait->open > 0) {
      wait->open = 0;
      wait->status = Status::Cancelled("the volume was closed");
      wait->changed.NotifyAll();
    }
  }
}

void NodeDriver::Post(std::function<void()> work) {
  transport_->Post([this, work = std::move(work)] {
    work();
    ArmTimer();
  });
}

void NodeDriver::ArmTimer() {
  const int64_t deadline_us = machine_->NextDeadlineUs();
  if (deadline_us == kNeverUs || deadline_us >= armed_at_us_) {
    return;
  }
  armed_at_us_ = deadline_us;
  const int64_t delay_us = std::max(deadline_us - SystemClock().NowUs(), kTimerGrainUs);
  transport_->After(delay_us, [this, deadline_us] {
    if (armed_at_us_ == deadline_us) {
      armed_at_us_ = kNeverUs;
    }
    machine_->OnTimer(SystemClock().NowUs());
    ArmTimer();
  });
}

int NodeDriver::SlotOf(PeerId peer) const {
  const auto found = std::find(peers_.begin(), peers_.end(), peer);
  return found == peers_.end() ? -1 : static_cast<int>(found - peers_.begin());
}

void NodeDriver::OnFrame(PeerId from, Frame frame) {
  const int slot = SlotOf(from);
  if (slot >= 0) {
    machine_->OnFrame(static_cast<size_t>(slot), frame, SystemClock().NowUs());
    ArmTimer();
  }
}

void NodeDriver::OnPeerUp(PeerId peer) {
  const int slot = SlotOf(peer);
  if (slot >= 0) {
    machine_->OnNodeUp(static_cast<size_t>(slot), SystemClock().NowUs());
    ArmTimer();
  }
}

void NodeDriver::OnPeerDown(PeerId peer) {
  const int slot = SlotOf(peer);
  if (slot >= 0) {
    machine_->OnNodeDown(static_cast<size_t>(slot), SystemClock().NowUs());
    ArmTimer();
  }
}

void NodeDriver::ConnectNode(size_t slot, const StorageNodeAddress& node) {
  if (slot < peers_.size()) {
    transport_->Disconnect(peers_[slot]);
  } else {
    INVARIANT_EQ(slot, peers_.size());
    peers_.emplace_back();
  }
  peers_[slot] = transport_->Connect(node.host, node.port);
}

void NodeDriver::SendToNode(size_t slot, Frame frame) {
  transport_->Send(peers_[slot], std::move(frame));
}

Status NodeDriver::ReadBlocking(uint64_t pages_per_pg, std::span<const PageNo> pages,
                                const StartRead& start, Page* out) {
  const auto wait = std::make_shared<ReadWait>();
  struct Piece {
    size_t first;
    std::vector<PageNo> pages;
  };
  std::vector<Piece> pieces;
  for (size_t i = 0; i < pages.size(); ++i) {
    const bool continues =
        !pieces.empty() && pieces.back().pages.size() < kPagesPerRead &&
        pieces.back().pages.back().value() / pages_per_pg == pages[i].value() / pages_per_pg;
    if (!continues) {
      pieces.push_back({i, {}});
    }
    pieces.back().pages.push_back(pages[i]);
  }
  wait->open = pieces.size();
  {
    MutexLock lock(mutex_);
    if (is_stopped_) {
      return Status::Cancelled("the volume was closed");
    }
    waits_.insert(wait);
  }
  // `out` outlives the reads: this call returns only when all are done or the thread has stopped.
  Post([wait, out, start, pieces = std::move(pieces)]() mutable {
    for (Piece& piece : pieces) {
      start(std::move(piece.pages),
            [wait, to = out + piece.first](Status status, std::vector<SharedBytes> images) {
              for (size_t i = 0; i < images.size(); ++i) {
                INVARIANT_EQ(images[i].size(), kPageSize);
                std::memcpy(to[i].bytes, images[i].view().data(), kPageSize);
                std::memset(to[i].bytes + kPageCrcOffset, 0, sizeof(uint32_t));
              }
              MutexLock lock(wait->mutex);
              if (!status.ok()) {
                wait->status = std::move(status);
              }
              if (--wait->open == 0) {
                wait->changed.NotifyAll();
              }
            });
    }
  });
  {
    MutexLock lock(wait->mutex);
    while (wait->open > 0) {
      wait->changed.Wait(wait->mutex);
    }
  }
  MutexLock lock(mutex_);
  waits_.erase(wait);
  return wait->status;
}

}  // namespace borealis::storage_client
