// Transport over Boost.Asio: one io_context, one thread.
//
// Writes gather every queued frame into one vectored send, so a burst costs one system call and no
// copy: frame heads are built once per peer, attachments are shared. A peer whose queue passes
// kSendQueueBytesMax loses the new frames, not its connection. Receive buffers are made when a peer
// has proved itself; until then a Channel reads a few dozen bytes (TLS: OpenSSL's one record).
#include "base/net/transport.h"

#include <pthread.h>

#include <chrono>
#include <deque>
#include <list>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/invariant.h"
#include "base/net/channel.h"
#include "base/net/stranger_log.h"
#include "base/obs/log.h"
#include "base/obs/metrics.h"
#include "base/os/time.h"

namespace borealis {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// A peer that stands still costs no more than this; a single larger frame still goes out.
constexpr size_t kSendQueueBytesMax = 96u << 20;
constexpr size_t kFrameOverheadBytes = 256;
constexpr size_t kReceiveBytes = 256u << 10;
constexpr size_t kGatherBuffersMax = 512;
constexpr int64_t kReconnectDelayUsMin = 20'000;
constexpr int64_t kReconnectDelayUsMax = 1'000'000;
constexpr auto kConnectLimit = std::chrono::seconds(2);
// When the system has no descriptor left for one more connection.
constexpr int64_t kAcceptPauseUs = 50'000;

class AsioTransport;

// One connection to a peer that has proved itself. Lives on the transport's thread.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(AsioTransport* owner, PeerId peer, std::shared_ptr<Channel> channel)
      : owner_(owner),
        peer_(peer),
        channel_(std::move(channel)),
        receive_buffer_(kReceiveBytes, '\0') {}

  void Receive();
  void Send(Frame frame);
  void Close();

 private:
  struct Outgoing {
    std::string head;
    std::vector<SharedBytes> attachments;
    size_t size = 0;
  };
  void Flush();
  void Fail(const std::string& why);

  AsioTransport* const owner_;
  const PeerId peer_;
  const std::shared_ptr<Channel> channel_;
  std::string receive_buffer_;
  FrameDecoder decoder_;
  std::deque<Outgoing> queue_;
  size_t queued_bytes_ = 0;
  size_t in_flight_count_ = 0;  // frames at the front of queue_ that a send is writing
  bool closed_ = false;
};

class AsioTransport final : public Transport {
 public:
  AsioTransport(FrameHandler* handler, Options options)
      : handler_(handler),
        options_(std::move(options)),
        work_(asio::make_work_guard(io_)),
        acceptor_(io_) {}
  ~AsioTransport() override { Stop(); }

  Result<uint16_t> Listen(const std::string& host, uint16_t port) override;
  PeerId Connect(const std::string& host, uint16_t port) override;
  void Disconnect(PeerId peer) override;
  void Send(PeerId peer, Frame frame) override;
  void Post(std::function<void()> work) override { asio::post(io_, std::move(work)); }
  void After(int64_t delay_us, std::function<void()> work) override;
  Counters counters() const override {
    return {accepted_.load(std::memory_order_relaxed), refused_.load(std::memory_order_relaxed),
            unproven_count_.load(std::memory_order_relaxed)};
  }
  void Start(const std::string& thread_name) override;
  void Stop() override;

  // For connections, on the transport's thread.
  void ConnectionClosed(PeerId peer, const std::string& why);
  FrameHandler* handler() const { return handler_; }

 private:
  struct Peer {
    std::string host;  // empty for a peer that connected to us
    uint16_t port = 0;
    std::shared_ptr<Channel> unproven;  // dialed, and both sides are proving themselves
    std::shared_ptr<Connection> connection;
    int64_t reconnect_delay_us = kReconnectDelayUsMin;
  };
  void Accept();
  void Welcome(tcp::socket socket);
  void ForgetUnproven(const std::shared_ptr<Channel>& channel);
  void Dial(PeerId peer);
  void Dialed(PeerId peer, tcp::socket socket);
  void DialLater(PeerId peer);
  void Adopt(PeerId peer, std::shared_ptr<Channel> channel);
  static void Close(const Peer& peer);

  FrameHandler* const handler_;
  const Options options_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  tcp::acceptor acceptor_;
  std::unordered_map<PeerId, Peer> peers_;
  std::list<std::shared_ptr<Channel>> unproven_;  // accepted, oldest first
  StrangerLog strangers_;
  std::atomic<uint64_t> accepted_{0};
  std::atomic<uint64_t> refused_{0};
  std::atomic<uint64_t> unproven_count_{0};
  std::atomic<PeerId> next_peer_{1};
  std::thread thread_;
  bool stopping_ = false;  // on the transport's thread
};

void Connection::Receive() {
  channel_->ReadSome(asio::buffer(receive_buffer_),
                     [self = shared_from_this()](error_code error, size_t size) {
                       if (self->closed_) {
                         return;
                       }
                       if (error) {
                         self->Fail(error.message());
                         return;
                       }
                       self->decoder_.Feed(std::string_view(self->receive_buffer_).substr(0, size));
                       for (;;) {
                         Frame frame;
                         Result<bool> got = self->decoder_.Next(&frame);
                         if (!got.ok()) {
                           self->Fail(got.status().ToString());
                           return;
                         }
                         if (!*got) {
                           break;
                         }
                         self->owner_->handler()->OnFrame(self->peer_, std::move(frame));
                         if (self->closed_) {
                           return;
                         }
                       }
                       self->Receive();
                     });
}

void Connection::Send(Frame frame) {
  Outgoing outgoing;
  outgoing.head = EncodeFrameHead(frame);
  outgoing.attachments = std::move(frame.attachments);
  outgoing.size = outgoing.head.size() + kFrameOverheadBytes;
  for (const SharedBytes& attachment : outgoing.attachments) {
    outgoing.size += attachment.size();
  }
  if (!queue_.empty() && queued_bytes_ + outgoing.size > kSendQueueBytesMax) {
    return;
  }
  queued_bytes_ += outgoing.size;
  queue_.push_back(std::move(outgoing));
  if (in_flight_count_ == 0) {
    Flush();
  }
}

void Connection::Flush() {
  if (closed_ || queue_.empty()) {
    return;
  }
  std::vector<asio::const_buffer> buffers;
  in_flight_count_ = 0;
  for (const Outgoing& outgoing : queue_) {
    if (buffers.size() >= kGatherBuffersMax) {
      break;
    }
    buffers.emplace_back(asio::buffer(outgoing.head));
    for (const SharedBytes& attachment : outgoing.attachments) {
      buffers.emplace_back(attachment.view().data(), attachment.size());
    }
    ++in_flight_count_;
  }
  channel_->Write(buffers, [self = shared_from_this()](error_code error, size_t) {
    if (self->closed_) {
      return;
    }
    if (error) {
      self->Fail(error.message());
      return;
    }
    for (; self->in_flight_count_ > 0; --self->in_flight_count_) {
      self->queued_bytes_ -= self->queue_.front().size;
      self->queue_.pop_front();
    }
    self->Flush();
  });
}

void Connection::Close() {
  closed_ = true;
  channel_->Close();
}

void Connection::Fail(const std::string& why) {
  Close();
  owner_->ConnectionClosed(peer_, why);
}

Result<uint16_t> AsioTransport::Listen(const std::string& host, uint16_t port) {
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) {
    return Status::InvalidArgument("listen address " + host + ": " + error.message());
  }
  const tcp::endpoint endpoint(address, port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) {
    acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  }
  if (!error) {
    acceptor_.bind(endpoint, error);
  }
  if (!error) {
    acceptor_.listen(asio::socket_base::max_listen_connections, error);
  }
  if (error) {
    return Status::Unavailable("listen at " + host + ":" + std::to_string(port) + ": " +
                               error.message());
  }
  const uint16_t bound = acceptor_.local_endpoint().port();
  asio::post(io_, [this] { Accept(); });
  return bound;
}

void AsioTransport::Accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || stopping_) {
      return;
    }
    if (error) {
      After(kAcceptPauseUs, [this] { Accept(); });
      return;
    }
    Welcome(std::move(socket));
    Accept();
  });
}

// Somebody has connected: a peer once it has proved itself.
void AsioTransport::Welcome(tcp::socket socket) {
  if (unproven_.size() >= options_.unproven_max) {
    const std::shared_ptr<Channel> oldest = unproven_.front();
    oldest->Refuse(Status::Unavailable("too many were proving themselves"));  // and is forgotten
  }
  auto channel = std::make_shared<Channel>(std::move(socket), options_.security);
  unproven_.push_back(channel);
  unproven_count_.store(unproven_.size(), std::memory_order_relaxed);
  channel->Authenticate(PeerSide::kListener, options_.handshake_limit_us,
                        [this, channel](const Status& status) {
                          if (stopping_) {
                            return;
                          }
                          ForgetUnproven(channel);
                          if (!status.ok()) {
                            refused_.fetch_add(1, std::memory_order_relaxed);
                            strangers_.Note("a connection from " + channel->remote_host(), status);
                            return;
                          }
                          accepted_.fetch_add(1, std::memory_order_relaxed);
                          const PeerId peer = next_peer_.fetch_add(1);
                          peers_[peer] = Peer{};
                          Adopt(peer, channel);
                        });
}

void AsioTransport::ForgetUnproven(const std::shared_ptr<Channel>& channel) {
  unproven_.remove(channel);
  unproven_count_.store(unproven_.size(), std::memory_order_relaxed);
}

PeerId AsioTransport::Connect(const std::string& host, uint16_t port) {
  const PeerId peer = next_peer_.fetch_add(1);
  asio::post(io_, [this, peer, host, port] {
    Peer entry;
    entry.host = host;
    entry.port = port;
    peers_[peer] = std::move(entry);
    Dial(peer);
  });
  return peer;
}

void AsioTransport::Dial(PeerId peer) {
  const auto found = peers_.find(peer);
  if (found == peers_.end() || stopping_) {
    return;
  }
  error_code error;
  const auto address = asio::ip::make_address(found->second.host, error);
  if (error) {
    LOG_ERROR("cannot connect to {}:{}: not an IP address", found->second.host, found->second.port);
    return;
  }
  auto socket = std::make_shared<tcp::socket>(io_);
  // Where packets are dropped without a word the system would try for minutes, ever more rarely.
  auto limit = std::make_shared<asio::steady_timer>(io_, kConnectLimit);
  limit->async_wait([socket](error_code stopped) {
    if (!stopped) {
      error_code ignored;
      socket->close(ignored);
    }
  });
  socket->async_connect(tcp::endpoint(address, found->second.port),
                        [this, peer, socket, limit](error_code failure) {
                          limit->cancel();
                          if (stopping_ || !peers_.contains(peer)) {
                            return;
                          }
                          if (failure) {
                            DialLater(peer);
                            return;
                          }
                          Dialed(peer, std::move(*socket));
                        });
}

void AsioTransport::Dialed(PeerId peer, tcp::socket socket) {
  auto channel = std::make_shared<Channel>(std::move(socket), options_.security);
  peers_.at(peer).unproven = channel;
  channel->Authenticate(
      PeerSide::kDialer, options_.handshake_limit_us, [this, peer, channel](const Status& status) {
        const auto found = peers_.find(peer);
        if (stopping_ || found == peers_.end()) {
          channel->Close();
          return;
        }
        found->second.unproven = nullptr;
        if (status.ok()) {
          Adopt(peer, channel);
          return;
        }
        strangers_.Note(
            "the process at " + found->second.host + ":" + std::to_string(found->second.port),
            status);
        DialLater(peer);
      });
}

void AsioTransport::DialLater(PeerId peer) {
  Peer& entry = peers_.at(peer);
  const int64_t delay_us = entry.reconnect_delay_us;
  entry.reconnect_delay_us = std::min(delay_us * 2, kReconnectDelayUsMax);
  After(delay_us, [this, peer] { Dial(peer); });
}

void AsioTransport::Adopt(PeerId peer, std::shared_ptr<Channel> channel) {
  Peer& entry = peers_.at(peer);
  entry.reconnect_delay_us = kReconnectDelayUsMin;
  auto connection = std::make_shared<Connection>(this, peer, std::move(channel));
  entry.connection = connection;
  connection->Receive();
  handler_->OnPeerUp(peer);
}

void AsioTransport::ConnectionClosed(PeerId peer, const std::string& why) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) {
    return;
  }
  LOG_DEBUG("connection of peer {} closed: {}", peer, why);
  found->second.connection = nullptr;
  const bool ours = !found->second.host.empty();
  if (!ours) {
    peers_.erase(found);
  }
  handler_->OnPeerDown(peer);
  if (ours && peers_.contains(peer)) {
    DialLater(peer);
  }
}

void AsioTransport::Close(const Peer& peer) {
  if (peer.unproven != nullptr) {
    peer.unproven->Refuse(Status::Cancelled("not wanted any more"));
  }
  if (peer.connection != nullptr) {
    peer.connection->Close();
  }
}

void AsioTransport::Disconnect(PeerId peer) {
  asio::post(io_, [this, peer] {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) {
      return;
    }
    const Peer forgotten = std::move(found->second);
    peers_.erase(found);
    Close(forgotten);
  });
}

void AsioTransport::Send(PeerId peer, Frame frame) {
  auto deliver = [this, peer, frame = std::move(frame)]() mutable {
    const auto found = peers_.find(peer);
    if (found != peers_.end() && found->second.connection != nullptr) {
      found->second.connection->Send(std::move(frame));
    }
  };
  // From the transport's own thread: at once, without a trip through the queue.
  asio::dispatch(io_, std::move(deliver));
}

void AsioTransport::After(int64_t delay_us, std::function<void()> work) {
  asio::post(io_, [this, delay_us, work = std::move(work)]() mutable {
    auto timer = std::make_shared<asio::steady_timer>(io_, std::chrono::microseconds(delay_us));
    timer->async_wait([this, timer, work = std::move(work)](error_code error) {
      if (!error && !stopping_) {
        work();
      }
    });
  });
}

void AsioTransport::Start(const std::string& thread_name) {
  INVARIANT(!thread_.joinable());
  thread_ = std::thread([this, thread_name] {
    pthread_setname_np(pthread_self(), thread_name.substr(0, 15).c_str());
    io_.run();
  });
}

void AsioTransport::Stop() {
  if (!thread_.joinable()) {
    return;
  }
  asio::post(io_, [this] {
    stopping_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    for (const auto& channel : unproven_) {
      channel->Refuse(Status::Cancelled("stopping"));
    }
    unproven_.clear();
    for (auto& [peer, entry] : peers_) {
      Close(entry);
    }
    peers_.clear();
    io_.stop();
  });
  thread_.join();
}

}  // namespace

void Transport::AddMetrics(MetricsPage* page) const {
  const Counters counts = counters();
  page->Counter("borealis_peer_connections_accepted_total",
                "Connections from processes of the cluster that proved themselves.",
                counts.accepted);
  page->Counter("borealis_peer_connections_refused_total",
                "Connections of strangers: who did not prove that they belong to the cluster.",
                counts.refused);
  page->Gauge("borealis_peer_connections_unproven", "Connections that are proving themselves now.",
              static_cast<double>(counts.unproven));
}

std::unique_ptr<Transport> Transport::Create(FrameHandler* handler, Options options) {
  return std::make_unique<AsioTransport>(handler, std::move(options));
}

}  // namespace borealis
