#include "tests/sim/network.h"

#include "base/crc32c.h"

namespace borealis::sim {

void Network::Heal() {
  faults_ = {};
  slow_.clear();
  late_.clear();
  cut_.clear();
}

int64_t Network::Latency(Endpoint from, Endpoint to) {
  int64_t latency_us = world_.Between(100, 800);
  if (world_.Chance(faults_.straggle)) {
    latency_us += world_.Between(1'000, 400'000);
  }
  for (Endpoint end : {from, to}) {
    const auto slow = slow_.find(end);
    latency_us *= slow == slow_.end() ? 1 : slow->second;
  }
  const auto late = late_.find({from, to});
  return latency_us + (late == late_.end() ? 0 : late->second);
}

void Network::Send(Endpoint from, Endpoint to, Frame frame) {
  if (IsCut(from, to) || world_.Chance(faults_.loss)) {
    return;
  }
  if (world_.Chance(faults_.repeat)) {
    Carry(from, to, frame);
  }
  Carry(from, to, std::move(frame));
}

void Network::Carry(Endpoint from, Endpoint to, Frame frame) {
  if (world_.Chance(faults_.flip) && !FlipBit(&frame)) {
    return;
  }
  const int64_t latency_us = Latency(from, to);
  world_.After(latency_us,
               [this, from, to, losses = losses_[from], frame = std::move(frame)]() mutable {
                 const auto receiver = receivers_.find(to);
                 if (receiver == receivers_.end() || losses_[from] != losses) {
                   return;
                 }
                 world_.Note("frame", from * 1000 + to, frame.type, Crc32c(frame.body));
                 // A copy: delivery may detach the receiver.
                 const Receiver deliver = receiver->second;
                 deliver(from, std::move(frame));
               });
}

// False when the receiver's decoder refuses the frame.
bool Network::FlipBit(Frame* frame) {
  std::string bytes = EncodeFrameHead(*frame);
  for (const SharedBytes& attachment : frame->attachments) {
    bytes += attachment.view();
  }
  bytes[world_.random().Below(bytes.size())] ^= static_cast<char>(1 << world_.random().Below(8));
  FrameDecoder decoder;
  decoder.Feed(bytes);
  const Result<bool> decoded = decoder.Next(frame);
  return decoded.ok() && *decoded;
}

}  // namespace borealis::sim
