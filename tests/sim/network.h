// The simulated network: delays, losses, repetitions, reorderings, partitions, flipped bits.
//
// Endpoints are numbers: storage nodes from 1 on, instances from 100 on; they serve as PeerIds too.
// A link is a direction between two of them, and can be cut alone. Flipped bits are flipped in the
// encoded frame: what the frame's checksum covers is lost, what it does not (attachments) arrives
// damaged.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "base/net/frame.h"
#include "tests/sim/world.h"

namespace borealis::sim {

using Endpoint = uint64_t;

struct NetworkFaults {
  double loss = 0;
  double repeat = 0;
  double flip = 0;
  double straggle = 0;  // delayed by much
};

class Network {
 public:
  using Receiver = std::function<void(Endpoint from, Frame frame)>;

  explicit Network(World& world) : world_(world) {}

  void Attach(Endpoint endpoint, Receiver receiver) { receivers_[endpoint] = std::move(receiver); }
  void Detach(Endpoint endpoint) { receivers_.erase(endpoint); }
  void Send(Endpoint from, Endpoint to, Frame frame);

  void SetFaults(const NetworkFaults& faults) { faults_ = faults; }
  // Latency of everything to and from this endpoint is multiplied.
  void SetSlow(Endpoint endpoint, int64_t factor) { slow_[endpoint] = factor; }
  // What one sends to the other comes so much later.
  void SetLate(Endpoint from, Endpoint to, int64_t by_us) { late_[{from, to}] = by_us; }
  void Cut(Endpoint from, Endpoint to) { cut_.insert({from, to}); }
  // What it has sent and has not arrived never will.
  void LoseWhatIsUnderWay(Endpoint from) { ++losses_[from]; }
  bool IsCut(Endpoint from, Endpoint to) const { return cut_.contains({from, to}); }
  // No faults, no cuts, nobody slow or late.
  void Heal();

 private:
  void Carry(Endpoint from, Endpoint to, Frame frame);
  bool FlipBit(Frame* frame);
  int64_t Latency(Endpoint from, Endpoint to);

  World& world_;
  NetworkFaults faults_;
  std::map<Endpoint, Receiver> receivers_;
  std::map<Endpoint, int64_t> slow_;
  std::map<std::pair<Endpoint, Endpoint>, int64_t> late_;
  std::set<std::pair<Endpoint, Endpoint>> cut_;
  std::map<Endpoint, uint64_t> losses_;
};

}  // namespace borealis::sim
