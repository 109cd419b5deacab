#include "server/net/net_server.h"

#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>

#include <chrono>
#include <future>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/mysql_error.h"
#include "base/obs/log.h"
#include "base/os/thread.h"
#include "base/os/time.h"
#include "protocol/mysql/response.h"
#include "server/net/client_connection.h"

namespace borealis::server {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kSweepPeriod = std::chrono::milliseconds(250);
constexpr auto kAcceptRetry = std::chrono::milliseconds(50);
constexpr int64_t kStopRoundUs = 100'000;
constexpr int64_t kStopWarningUs = 10'000'000;

class AsioReadiness final : public SocketReadiness {
 public:
  explicit AsioReadiness(tcp::socket socket) : socket_(std::move(socket)) {}

  int fd() const override { return const_cast<tcp::socket&>(socket_).native_handle(); }
  void Wait(bool for_write, std::shared_ptr<ClientConnection> connection) override {
    // An error shows again at the next read or write; readiness is all that is asked here.
    socket_.async_wait(for_write ? tcp::socket::wait_write : tcp::socket::wait_read,
                       [connection = std::move(connection)](error_code) { connection->OnReady(); });
  }

 private:
  tcp::socket socket_;
};

// One thread and the sockets it watches.
class Reactor {
 public:
  explicit Reactor(int number)
      : context_(1),
        work_(asio::make_work_guard(context_)),
        thread_("net-" + std::to_string(number), [this] { context_.run(); }) {}
  ~Reactor() { Stop(); }
  void Stop() {
    context_.stop();
    thread_.Join();
  }
  asio::io_context& context() { return context_; }

 private:
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  Thread thread_;
};

std::string HostOf(const tcp::endpoint& peer) {
  const asio::ip::address address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

class NetServerImpl final : public NetServer {
 public:
  explicit NetServerImpl(Parts parts) : registry_(parts.options.max_connections) {
    environment_.options = parts.options;
    environment_.keys = std::move(parts.keys);
    if (!parts.options.tls) {
      environment_.keys.tls = nullptr;
    }
    environment_.accounts = parts.accounts;
    environment_.factory = parts.factory;
    environment_.pool = parts.pool;
    environment_.registry = &registry_;
    environment_.counters = &counters_;
  }
  ~NetServerImpl() override { Stop(); }

  Status Start() override;
  void Stop() override;
  void StopAccepting() override;
  uint16_t port() const override { return port_; }
  ConnectionRegistry& connections() override { return registry_; }
  const NetCounters& counters() const override { return counters_; }
  void ForgetProvedPasswords() override { environment_.sha2_cache.Clear(); }

 private:
  Status Bind();
  void Accept();
  void OnAccepted(error_code error, tcp::socket socket, size_t reactor);
  void Refuse(tcp::socket socket);
  void Configure(tcp::socket& socket);
  void ScheduleSweep();

  ConnectionEnvironment environment_;
  ConnectionRegistry registry_;
  NetCounters counters_;
  std::vector<std::unique_ptr<Reactor>> reactors_;
  // Used on reactor 0 only, once started.
  std::unique_ptr<tcp::acceptor> acceptor_;
  std::unique_ptr<asio::steady_timer> sweep_timer_;
  std::unique_ptr<asio::steady_timer> accept_timer_;
  size_t next_reactor_ = 0;
  uint16_t port_ = 0;
  bool started_ = false;
  bool stopped_ = false;
};

Status NetServerImpl::Start() {
  INVARIANT(!started_);
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  const int count =
      environment_.options.reactors > 0 ? environment_.options.reactors : HardwareThreads();
  for (int i = 0; i < count; ++i) {
    reactors_.push_back(std::make_unique<Reactor>(i));
  }
  const Status bound = Bind();
  if (!bound.ok()) {
    acceptor_.reset();
    reactors_.clear();
    return bound;
  }
  started_ = true;
  asio::io_context& context = reactors_[0]->context();
  sweep_timer_ = std::make_unique<asio::steady_timer>(context);
  accept_timer_ = std::make_unique<asio::steady_timer>(context);
  asio::post(context, [this] {
    Accept();
    ScheduleSweep();
  });
  LOG_INFO("listening for clients on {}:{}, {} reactors, TLS {}", environment_.options.bind_address,
           port_, count, environment_.keys.tls != nullptr ? "offered" : "off");
  return Status::Ok();
}

Status NetServerImpl::Bind() {
  const NetOptions& options = environment_.options;
  error_code error;
  const asio::ip::address address = asio::ip::make_address(options.bind_address, error);
  if (error) {
    return Status::InvalidArgument("bind address " + options.bind_address + ": " + error.message());
  }
  acceptor_ = std::make_unique<tcp::acceptor>(reactors_[0]->context());
  const tcp::endpoint endpoint(address, options.port);
  acceptor_->open(endpoint.protocol(), error);
  if (!error) {
    acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
  }
  if (!error) {
    acceptor_->bind(endpoint, error);
  }
  if (!error) {
    acceptor_->listen(options.backlog, error);
  }
  if (error) {
    return Status::IoError("listen on " + options.bind_address + ":" +
                           std::to_string(options.port) + ": " + error.message());
  }
  port_ = acceptor_->local_endpoint().port();
  return Status::Ok();
}

void NetServerImpl::Accept() {
  const size_t reactor = next_reactor_++ % reactors_.size();
  acceptor_->async_accept(reactors_[reactor]->context(),
                          [this, reactor](error_code error, tcp::socket socket) {
                            OnAccepted(error, std::move(socket), reactor);
                          });
}

void NetServerImpl::OnAccepted(error_code error, tcp::socket socket, size_t reactor) {
  if (!acceptor_->is_open()) {
    return;
  }
  if (error) {
    // Out of descriptors, or the client left already: the listener lives on.
    LOG_WARN("accept: {}", error.message());
    accept_timer_->expires_after(kAcceptRetry);
    accept_timer_->async_wait([this](error_code cancelled) {
      if (!cancelled && acceptor_->is_open()) {
        Accept();
      }
    });
    return;
  }
  Accept();
  counters_.connections++;
  error_code gone;
  const tcp::endpoint peer = socket.remote_endpoint(gone);
  if (gone) {
    return;
  }
  Configure(socket);
  const uint32_t id = registry_.Reserve();
  if (id == 0) {
    counters_.refused_max_connections++;
    Refuse(std::move(socket));
    return;
  }
  auto connection = std::make_shared<ClientConnection>(
      &environment_, std::make_unique<AsioReadiness>(std::move(socket)), id, HostOf(peer),
      peer.port());
  registry_.Add(id, connection);
  asio::post(reactors_[reactor]->context(),
             [connection = std::move(connection)] { connection->Start(); });
}

void NetServerImpl::Configure(tcp::socket& socket) {
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const NetOptions& options = environment_.options;
  const int fd = socket.native_handle();
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &options.keepalive_idle_s, sizeof(int));
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &options.keepalive_interval_s, sizeof(int));
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &options.keepalive_probes, sizeof(int));
}

// In place of the greeting. The packet fits any fresh socket's buffer.
void NetServerImpl::Refuse(tcp::socket socket) {
  std::string packet;
  uint8_t sequence = 0;
  mysql::ResponseWriter(&packet, &sequence).WriteError(UserError(ER_CON_COUNT_ERROR));
  ::send(socket.native_handle(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void NetServerImpl::ScheduleSweep() {
  sweep_timer_->expires_after(kSweepPeriod);
  sweep_timer_->async_wait([this](error_code cancelled) {
    if (cancelled) {
      return;
    }
    registry_.Sweep(SystemClock().NowUs());
    ScheduleSweep();
  });
}

void NetServerImpl::StopAccepting() {
  if (!started_ || stopped_) {
    return;
  }
  // When this returns no accept is in progress and none will begin.
  std::promise<void> closed;
  asio::post(reactors_[0]->context(), [this, &closed] {
    error_code ignored;
    acceptor_->close(ignored);
    closed.set_value();
  });
  closed.get_future().wait();
}

void NetServerImpl::Stop() {
  if (!started_ || stopped_) {
    return;
  }
  StopAccepting();
  int64_t waited_us = 0;
  do {
    registry_.KillAll();
    waited_us += kStopRoundUs;
    if (waited_us % kStopWarningUs == 0) {
      LOG_WARN("stopping: {} connections still end their commands", registry_.size());
    }
  } while (!registry_.WaitEmpty(kStopRoundUs));
  stopped_ = true;
  for (auto& reactor : reactors_) {
    reactor->Stop();
  }
  // Timers and the acceptor belong to reactor 0 and go first.
  sweep_timer_.reset();
  accept_timer_.reset();
  acceptor_.reset();
  reactors_.clear();
}

}  // namespace

std::unique_ptr<NetServer> NetServer::Create(Parts parts) {
  return std::make_unique<NetServerImpl>(std::move(parts));
}

}  // namespace borealis::server
