// Connections that carry frames between Borealis processes, and timers beside them.
//
// One Transport is one thread: all callbacks and posted functions run on it, one at a time, so the
// state machines it drives need no locks. Frames are best-effort: what is sent while a peer is
// down, or beyond the bound of its send queue, is dropped, and the protocols above repeat
// themselves.
//
// A peer is either somebody we connect to (the connection is re-made with back-off, for ever, under
// the same PeerId) or somebody who connected to us (a new PeerId for each connection). It is a peer
// from the moment it has proved that it belongs to the cluster (base/net/security.h): before that
// it is no PeerId, no frame of it is decoded, and it costs a small and bounded amount of memory. A
// stranger is closed without a word, counted, and logged at most once a minute for each address.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/net/frame.h"
#include "base/net/security.h"
#include "base/result.h"

namespace borealis {

using PeerId = uint64_t;

class MetricsPage;

class FrameHandler {
 public:
  virtual ~FrameHandler() = default;
  virtual void OnFrame(PeerId from, Frame frame) = 0;
  virtual void OnPeerUp(PeerId /*peer*/) {}
  virtual void OnPeerDown(PeerId /*peer*/) {}
};

class Transport {
 public:
  struct Options {
    std::shared_ptr<const PeerSecurity> security = ProcessSecurity();
    // A connection that has not proved itself after so long is closed.
    int64_t handshake_limit_us = 5'000'000;
    // So many accepted connections may be proving themselves; one more closes the oldest, so that
    // strangers who hold theirs open keep nobody out.
    size_t unproven_max = 64;
  };
  struct Counters {
    uint64_t accepted = 0;  // connections that proved themselves
    uint64_t refused = 0;   // that did not
    uint64_t unproven = 0;  // that are at it now
  };

  // `handler` must outlive the transport. Call Listen and Connect before or after Start.
  static std::unique_ptr<Transport> Create(FrameHandler* handler, Options options);
  static std::unique_ptr<Transport> Create(FrameHandler* handler) { return Create(handler, {}); }
  virtual ~Transport() = default;

  // Accepts peers at host:port; port 0 picks a free one. Returns the port.
  virtual Result<uint16_t> Listen(const std::string& host, uint16_t port) = 0;
  // Keeps a connection to host:port. Thread-safe.
  virtual PeerId Connect(const std::string& host, uint16_t port) = 0;
  // Forgets a peer and closes its connection. Thread-safe.
  virtual void Disconnect(PeerId peer) = 0;

  // Queues a frame. Frames to one peer arrive in order or not at all. Thread-safe.
  virtual void Send(PeerId peer, Frame frame) = 0;
  // Runs `work` on the transport's thread. Thread-safe.
  virtual void Post(std::function<void()> work) = 0;
  // Runs `work` on the transport's thread after `delay_us`. Thread-safe.
  virtual void After(int64_t delay_us, std::function<void()> work) = 0;

  // Of those that connected to us. Thread-safe.
  virtual Counters counters() const = 0;

  void AddMetrics(MetricsPage* page) const;

  // Starts the thread; Stop joins it and closes everything (idempotent, not from the thread
  // itself).
  virtual void Start(const std::string& thread_name) = 0;
  virtual void Stop() = 0;
};

}  // namespace borealis
