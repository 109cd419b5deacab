#include "base/net/forwarder.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "base/invariant.h"
#include "base/mutex.h"
#include "base/obs/log.h"

namespace borealis {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// What an idle connection keeps for each direction, and what one turn of a busy one may carry.
constexpr size_t kIdleBytes = 1u << 10;
constexpr size_t kTurnBytes = 64u << 10;
// How long a connection waits for a target, and for a target to accept it.
constexpr auto kTargetWait = std::chrono::seconds(30);
constexpr auto kConnectWait = std::chrono::seconds(2);

class Pair;

// Room for what one turn carries: one for all connections of the thread, as a turn does not wait.
using TurnBuffer = std::array<char, kTurnBytes>;

// One direction of a connection. While nothing moves it keeps kIdleBytes; what its target does not
// take at once, at most a turn's bytes, waits in memory of its own, and nothing is read meanwhile.
struct Pipe {
  tcp::socket* from;
  tcp::socket* to;
  std::array<char, kIdleBytes> first = {};
  std::vector<char> rest = {};
};

struct Endpoint {
  std::string name;
  std::unique_ptr<tcp::acceptor> acceptor;
  std::vector<ForwardTarget> targets;
  size_t next_target = 0;
  std::set<std::shared_ptr<Pair>> pairs;
  Forwarder::Counters counters;
};

// A client's connection and, once found, its target's. Lives on the forwarder's thread.
class Pair : public std::enable_shared_from_this<Pair> {
 public:
  Pair(asio::io_context& io, Endpoint* endpoint, tcp::socket client, TurnBuffer* turn)
      : endpoint_(endpoint), turn_(turn), client_(std::move(client)), target_(io), deadline_(io) {}

  void Start() {
    error_code ignored;
    client_.set_option(tcp::no_delay(true), ignored);
    ++endpoint_->counters.waiting;
    deadline_.expires_after(kTargetWait);
    deadline_.async_wait([self = shared_from_this()](error_code error) {
      if (!error && self->state_ != State::kForwarding) {
        ++self->endpoint_->counters.refused;
        self->Close();
      }
    });
    TryTarget();
  }

  // Called when targets appear, and to try the next one.
  void TryTarget() {
    if (state_ != State::kWaiting || endpoint_->targets.empty()) {
      return;
    }
    state_ = State::kConnecting;
    address_ = endpoint_->targets[endpoint_->next_target++ % endpoint_->targets.size()];
    error_code error;
    const auto host = asio::ip::make_address(address_.host, error);
    auto attempt = std::make_shared<asio::steady_timer>(target_.get_executor(), kConnectWait);
    attempt->async_wait([self = shared_from_this()](error_code stopped) {
      if (!stopped && self->state_ == State::kConnecting) {
        error_code ignored;
        self->target_.close(ignored);
      }
    });
    target_.async_connect(tcp::endpoint(host, address_.port),
                          [self = shared_from_this(), attempt](error_code failure) {
                            attempt->cancel();
                            self->Connected(failure);
                          });
  }

  // Closes the pair if its target is no longer listed.
  void CheckTarget() {
    const auto& targets = endpoint_->targets;
    if (state_ == State::kForwarding &&
        std::find(targets.begin(), targets.end(), address_) == targets.end()) {
      Close();
    }
  }

  void Close() {
    if (state_ == State::kClosed) {
      return;
    }
    endpoint_->counters.waiting -= state_ == State::kForwarding ? 0 : 1;
    endpoint_->counters.open -= state_ == State::kForwarding ? 1 : 0;
    state_ = State::kClosed;
    error_code ignored;
    client_.close(ignored);
    target_.close(ignored);
    deadline_.cancel();
    endpoint_->pairs.erase(shared_from_this());
  }

 private:
  enum class State { kWaiting, kConnecting, kForwarding, kClosed };

  void Connected(error_code failure) {
    if (state_ == State::kClosed) {
      return;
    }
    if (failure) {
      state_ = State::kWaiting;
      error_code ignored;
      target_.close(ignored);
      retry_ = std::make_shared<asio::steady_timer>(target_.get_executor(),
                                                    std::chrono::milliseconds(20));
      retry_->async_wait([self = shared_from_this()](error_code) { self->TryTarget(); });
      return;
    }
    state_ = State::kForwarding;
    --endpoint_->counters.waiting;
    ++endpoint_->counters.open;
    deadline_.cancel();
    error_code ignored;
    target_.set_option(tcp::no_delay(true), ignored);
    target_.non_blocking(true, ignored);
    client_.non_blocking(true, ignored);
    CheckTarget();
    Wait(&to_target_);
    Wait(&to_client_);
  }

  void Wait(Pipe* pipe) {
    if (state_ != State::kForwarding) {
      return;
    }
    pipe->from->async_read_some(asio::buffer(pipe->first),
                                [self = shared_from_this(), pipe](error_code error, size_t size) {
                                  if (error || self->state_ != State::kForwarding) {
                                    self->Close();
                                    return;
                                  }
                                  self->Turn(pipe, size);
                                });
  }

  // `size` bytes came into pipe->first; when it is full, what follows them is fetched as well.
  void Turn(Pipe* pipe, size_t size) {
    const char* data = pipe->first.data();
    error_code ignored;  // a failure comes back when it is waited for the next time
    if (size == kIdleBytes) {
      std::copy_n(data, size, turn_->data());
      data = turn_->data();
      size += pipe->from->read_some(asio::buffer(*turn_) + size, ignored);
    }
    const size_t sent = pipe->to->write_some(asio::buffer(data, size), ignored);
    if (sent == size) {
      Wait(pipe);
      return;
    }
    pipe->rest.assign(data + sent, data + size);
    asio::async_write(*pipe->to, asio::buffer(pipe->rest),
                      [self = shared_from_this(), pipe](error_code failure, size_t) {
                        pipe->rest = {};
                        if (failure) {
                          self->Close();
                          return;
                        }
                        self->Wait(pipe);
                      });
  }

  Endpoint* const endpoint_;
  TurnBuffer* const turn_;
  tcp::socket client_;
  tcp::socket target_;
  asio::steady_timer deadline_;
  std::shared_ptr<asio::steady_timer> retry_;
  ForwardTarget address_;
  State state_ = State::kWaiting;
  Pipe to_target_{&client_, &target_};
  Pipe to_client_{&target_, &client_};
};

class AsioForwarder final : public Forwarder {
 public:
  AsioForwarder() : work_(asio::make_work_guard(io_)) {}
  ~AsioForwarder() override { Stop(); }

  Status Listen(const std::string& name, const std::string& host, uint16_t port) override {
    error_code error;
    const auto address = asio::ip::make_address(host, error);
    auto endpoint = std::make_unique<Endpoint>();
    endpoint->name = name;
    endpoint->acceptor = std::make_unique<tcp::acceptor>(io_);
    const tcp::endpoint where(address, port);
    if (!error) {
      endpoint->acceptor->open(where.protocol(), error);
    }
    if (!error) {
      endpoint->acceptor->set_option(tcp::acceptor::reuse_address(true), error);
    }
    if (!error) {
      endpoint->acceptor->bind(where, error);
    }
    if (!error) {
      endpoint->acceptor->listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
      return Status::Unavailable("the " + name + " endpoint cannot listen at " + host + ":" +
                                 std::to_string(port) + ": " + error.message());
    }
    Endpoint* raw = endpoint.get();
    endpoints_[name] = std::move(endpoint);
    asio::post(io_, [this, raw] { Accept(raw); });
    return Status::Ok();
  }

  void SetTargets(const std::string& name, std::vector<ForwardTarget> targets) override {
    asio::post(io_, [this, name, targets = std::move(targets)]() mutable {
      Endpoint& endpoint = *endpoints_.at(name);
      endpoint.targets = std::move(targets);
      const auto pairs = endpoint.pairs;  // a copy: closing one erases it
      for (const auto& pair : pairs) {
        pair->CheckTarget();
        pair->TryTarget();
      }
      Publish(endpoint);
    });
  }

  Counters counters(const std::string& name) const override {
    MutexLock lock(mutex_);
    const auto found = published_.find(name);
    return found == published_.end() ? Counters{} : found->second;
  }

  void Start() override {
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "forwarder");
      io_.run();
    });
  }

  void Stop() override {
    if (!thread_.joinable()) {
      return;
    }
    asio::post(io_, [this] {
      for (auto& [name, endpoint] : endpoints_) {
        error_code ignored;
        endpoint->acceptor->close(ignored);
        const auto pairs = endpoint->pairs;
        for (const auto& pair : pairs) {
          pair->Close();
        }
      }
      io_.stop();
    });
    thread_.join();
  }

 private:
  void Accept(Endpoint* endpoint) {
    endpoint->acceptor->async_accept([this, endpoint](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) {
        return;
      }
      if (!error) {
        ++endpoint->counters.accepted;
        auto pair = std::make_shared<Pair>(io_, endpoint, std::move(socket), &turn_);
        endpoint->pairs.insert(pair);
        pair->Start();
        Publish(*endpoint);
      }
      Accept(endpoint);
    });
  }

  void Publish(const Endpoint& endpoint) {
    MutexLock lock(mutex_);
    published_[endpoint.name] = endpoint.counters;
  }

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  TurnBuffer turn_;
  std::map<std::string, std::unique_ptr<Endpoint>> endpoints_;
  std::thread thread_;
  mutable Mutex mutex_{LockRank::kLeaf};
  std::map<std::string, Counters> published_ GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Forwarder> Forwarder::Create() {
  return std::make_unique<AsioForwarder>();
}

}  // namespace borealis
