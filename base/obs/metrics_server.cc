#include "base/obs/metrics_server.h"

#include <fmt/format.h>
#include <pthread.h>

#include <chrono>
#include <set>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "base/obs/log.h"

namespace borealis {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr size_t kRequestBytesMax = 4096;
constexpr size_t kConnectionsMax = 16;
constexpr auto kConnectionLimit = std::chrono::seconds(5);
constexpr auto kAcceptPause = std::chrono::milliseconds(50);

std::string HttpAnswer(std::string_view status, std::string_view body, bool with_body = true) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      status, status.starts_with("200") ? "text/plain; version=0.0.4; charset=utf-8" : "text/plain",
      body.size(), with_body ? body : std::string_view());
}

using Fill = std::function<void(MetricsPage*)>;

// One client: a request, an answer, the end.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(tcp::socket socket, const Fill& fill)
      : socket_(std::move(socket)), deadline_(socket_.get_executor()), fill_(fill) {}

  void Start(std::function<void()> on_end) {
    on_end_ = std::move(on_end);
    deadline_.expires_after(kConnectionLimit);
    deadline_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) {
        self->End();
      }
    });
    Receive();
  }

  void End() {
    error_code ignored;
    socket_.close(ignored);
    deadline_.cancel();
    if (on_end_ != nullptr) {
      std::exchange(on_end_, nullptr)();
    }
  }

 private:
  void Receive() {
    socket_.async_read_some(asio::buffer(piece_),
                            [self = shared_from_this()](error_code error, size_t size) {
                              if (error) {
                                self->End();
                                return;
                              }
                              self->received_.append(self->piece_.data(), size);
                              self->Answer();
                            });
  }

  void Answer() {
    answer_ = AnswerHttp(received_, fill_);
    if (answer_.empty()) {
      Receive();
      return;
    }
    asio::async_write(socket_, asio::buffer(answer_),
                      [self = shared_from_this()](error_code /*error*/, size_t) { self->End(); });
  }

  tcp::socket socket_;
  asio::steady_timer deadline_;
  const Fill& fill_;
  std::function<void()> on_end_;
  std::array<char, 1024> piece_{};
  std::string received_;
  std::string answer_;
};

class AsioMetricsServer final : public MetricsServer {
 public:
  explicit AsioMetricsServer(Fill fill) : fill_(std::move(fill)), acceptor_(io_), pause_(io_) {}

  ~AsioMetricsServer() override {
    if (thread_.joinable()) {
      io_.stop();
      thread_.join();
    }
  }

  Status Listen(const std::string& host, uint16_t port) {
    error_code error;
    const auto address = asio::ip::make_address(host, error);
    const tcp::endpoint where(address, port);
    if (!error) {
      acceptor_.open(where.protocol(), error);
    }
    if (!error) {
      acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    }
    if (!error) {
      acceptor_.bind(where, error);
    }
    if (!error) {
      acceptor_.listen(static_cast<int>(kConnectionsMax), error);
    }
    if (error) {
      return Status::Unavailable(
          fmt::format("metrics cannot be served at {}:{}: {}", host, port, error.message()));
    }
    port_ = acceptor_.local_endpoint().port();
    Accept();
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "metrics");
      io_.run();
    });
    return Status::Ok();
  }

  uint16_t port() const override { return port_; }

 private:
  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error) {  // out of descriptors, perhaps
        pause_.expires_after(kAcceptPause);
        pause_.async_wait([this](error_code) { Accept(); });
        return;
      }
      if (connections_.size() < kConnectionsMax) {
        auto connection = std::make_shared<HttpConnection>(std::move(socket), fill_);
        connections_.insert(connection);
        connection->Start(
            [this, weak = std::weak_ptr(connection)] { connections_.erase(weak.lock()); });
      }
      Accept();
    });
  }

  const Fill fill_;
  uint16_t port_ = 0;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::set<std::shared_ptr<HttpConnection>> connections_;
  std::thread thread_;
};

}  // namespace

std::string AnswerHttp(std::string_view received, const Fill& fill) {
  const size_t end = received.find("\r\n\r\n");
  if (end == std::string_view::npos && received.size() < kRequestBytesMax) {
    return "";
  }
  if (end == std::string_view::npos || end > kRequestBytesMax) {
    return HttpAnswer("431 Request Header Fields Too Large", "the request is too large\n");
  }
  const std::string_view line = received.substr(0, received.find("\r\n"));
  const size_t first = line.find(' ');
  const size_t second = line.find(' ', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos ||
      !line.substr(second + 1).starts_with("HTTP/1.")) {
    return HttpAnswer("400 Bad Request", "not HTTP/1.x\n");
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, second - first - 1);
  if (method != "GET" && method != "HEAD") {
    return HttpAnswer("405 Method Not Allowed", "only GET and HEAD\n");
  }
  if (target.substr(0, target.find('?')) != "/metrics") {
    return HttpAnswer("404 Not Found", "there is only /metrics\n", method == "GET");
  }
  MetricsPage page;
  fill(&page);
  return HttpAnswer("200 OK", page.Text(), method == "GET");
}

Result<std::unique_ptr<MetricsServer>> MetricsServer::Start(const std::string& host, uint16_t port,
                                                            Fill fill) {
  auto server = std::make_unique<AsioMetricsServer>(std::move(fill));
  RETURN_IF_ERROR(server->Listen(host, port));
  return std::unique_ptr<MetricsServer>(std::move(server));
}

}  // namespace borealis
