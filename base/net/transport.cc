// Transport over Boost.Asio: one io_context, one thread.
//
// Writes gather every queued frame into one vectored send, so a burst costs one system call and no
// copy: frame heads are built once per peer, attachments are shared. A peer whose queue passes
// kSendQueueBytesMax loses the new frames, not its connection.
#include "base/net/transport.h"

#include <pthread.h>

#include <chrono>
#include <deque>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "base/invariant.h"
#include "base/obs/log.h"

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

class AsioTransport;

// One connection, ours or accepted. Lives on the transport's thread.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(AsioTransport* owner, PeerId peer, tcp::socket socket)
      : owner_(owner),
        peer_(peer),
        socket_(std::move(socket)),
        receive_buffer_(kReceiveBytes, '\0') {}

  void Start();
  void Send(Frame frame);
  void Close();

 private:
  struct Outgoing {
    std::string head;
    std::vector<SharedBytes> attachments;
    size_t size = 0;
  };
  void Receive();
  void Flush();
  void Fail(const std::string& why);

  AsioTransport* const owner_;
  const PeerId peer_;
  tcp::socket socket_;
  std::string receive_buffer_;
  FrameDecoder decoder_;
  std::deque<Outgoing> queue_;
  size_t queued_bytes_ = 0;
  size_t in_flight_count_ = 0;  // frames at the front of queue_ that a send is writing
  bool closed_ = false;
};

class AsioTransport final : public Transport {
 public:
  explicit AsioTransport(FrameHandler* handler)
      : handler_(handler), work_(asio::make_work_guard(io_)), acceptor_(io_) {}
  ~AsioTransport() override { Stop(); }

  Result<uint16_t> Listen(const std::string& host, uint16_t port) override;
  PeerId Connect(const std::string& host, uint16_t port) override;
  void Disconnect(PeerId peer) override;
  void Send(PeerId peer, Frame frame) override;
  void Post(std::function<void()> work) override { asio::post(io_, std::move(work)); }
  void After(int64_t delay_us, std::function<void()> work) override;
  void Start(const std::string& thread_name) override;
  void Stop() override;

  // For connections, on the transport's thread.
  void ConnectionClosed(PeerId peer, const std::string& why);
  FrameHandler* handler() const { return handler_; }

 private:
  struct Peer {
    std::string host;  // empty for a peer that connected to us
    uint16_t port = 0;
    std::shared_ptr<Connection> connection;
    int64_t reconnect_delay_us = kReconnectDelayUsMin;
  };
  void Accept();
  void Dial(PeerId peer);
  void DialLater(PeerId peer);
  void Adopt(PeerId peer, tcp::socket socket);

  FrameHandler* const handler_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  tcp::acceptor acceptor_;
  std::unordered_map<PeerId, Peer> peers_;
  std::atomic<PeerId> next_peer_{1};
  std::thread thread_;
  bool stopping_ = false;  // on the transport's thread
};

void Connection::Start() {
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  Receive();
}

void Connection::Receive() {
  socket_.async_read_some(
      asio::buffer(receive_buffer_), [self = shared_from_this()](error_code error, size_t size) {
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
  asio::async_write(socket_, buffers, [self = shared_from_this()](error_code error, size_t) {
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
  error_code ignored;
  socket_.close(ignored);
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
    if (!error) {
      const PeerId peer = next_peer_.fetch_add(1);
      peers_[peer] = Peer{};
      Adopt(peer, std::move(socket));
    }
    Accept();
  });
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
  socket->async_connect(tcp::endpoint(address, found->second.port),
                        [this, peer, socket](error_code failure) {
                          if (stopping_ || !peers_.contains(peer)) {
                            return;
                          }
                          if (failure) {
                            DialLater(peer);
                            return;
                          }
                          Adopt(peer, std::move(*socket));
                        });
}

void AsioTransport::DialLater(PeerId peer) {
  Peer& entry = peers_.at(peer);
  const int64_t delay_us = entry.reconnect_delay_us;
  entry.reconnect_delay_us = std::min(delay_us * 2, kReconnectDelayUsMax);
  After(delay_us, [this, peer] { Dial(peer); });
}

void AsioTransport::Adopt(PeerId peer, tcp::socket socket) {
  Peer& entry = peers_.at(peer);
  entry.reconnect_delay_us = kReconnectDelayUsMin;
  auto connection = std::make_shared<Connection>(this, peer, std::move(socket));
  entry.connection = connection;
  connection->Start();
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

void AsioTransport::Disconnect(PeerId peer) {
  asio::post(io_, [this, peer] {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) {
      return;
    }
    if (found->second.connection != nullptr) {
      found->second.connection->Close();
    }
    peers_.erase(found);
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
    for (auto& [peer, entry] : peers_) {
      if (entry.connection != nullptr) {
        entry.connection->Close();
      }
    }
    peers_.clear();
    io_.stop();
  });
  thread_.join();
}

}  // namespace

std::unique_ptr<Transport> Transport::Create(FrameHandler* handler) {
  return std::make_unique<AsioTransport>(handler);
}

}  // namespace borealis
