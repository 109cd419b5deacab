#include "base/net/call.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include <boost/asio/io_context.hpp>

#include "base/coding.h"
#include "base/net/channel.h"
#include "base/os/random.h"

namespace borealis {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr size_t kReceiveBytes = 64u << 10;

// The request on its way, and its reply. Runs on the caller's thread, in the io_context's run.
class Call : public std::enable_shared_from_this<Call> {
 public:
  Call(asio::io_context& io, const Frame& request, int64_t timeout_us,
       std::shared_ptr<const PeerSecurity> security)
      : request_(request),
        timeout_us_(timeout_us),
        security_(std::move(security)),
        socket_(io),
        received_(kReceiveBytes, '\0') {}

  void Start(const tcp::endpoint& where) {
    socket_.async_connect(where, [self = shared_from_this(), where](error_code error) {
      if (error) {
        self->outcome_ = Status::Unavailable("nothing answers at " + where.address().to_string() +
                                             ":" + std::to_string(where.port()));
        return;
      }
      self->Connected();
    });
  }
  // Gives up. No outcome comes any more.
  void Abandon() {
    if (channel_ != nullptr) {
      channel_->Refuse(Status::Cancelled("given up"));
    }
  }
  // Empty while the call is under way.
  std::optional<Result<Frame>>& outcome() { return outcome_; }

 private:
  void Connected() {
    channel_ = std::make_shared<Channel>(std::move(socket_), security_);
    channel_->Authenticate(
        PeerSide::kDialer, timeout_us_, [self = shared_from_this()](const Status& status) {
          if (!status.ok()) {
            self->outcome_ = Status::Unavailable("who answers there is not of this cluster (" +
                                                 std::string(status.message()) + ")");
            return;
          }
          self->SendRequest();
        });
  }

  void SendRequest() {
    head_ = EncodeFrameHead(request_);
    std::vector<asio::const_buffer> buffers{asio::buffer(head_)};
    for (const SharedBytes& attachment : request_.attachments) {
      buffers.emplace_back(attachment.view().data(), attachment.size());
    }
    channel_->Write(buffers, [self = shared_from_this()](error_code error, size_t) {
      if (error) {
        self->outcome_ = Status::Unavailable("the connection broke");
        return;
      }
      self->Receive();
    });
  }

  void Receive() {
    channel_->ReadSome(
        asio::buffer(received_), [self = shared_from_this()](error_code error, size_t size) {
          if (error) {
            self->outcome_ = Status::Unavailable("the connection was closed without an answer");
            return;
          }
          self->decoder_.Feed(std::string_view(self->received_).substr(0, size));
          self->TakeFrames();
        });
  }

  void TakeFrames() {
    for (;;) {
      Frame reply;
      const Result<bool> whole = decoder_.Next(&reply);
      if (!whole.ok()) {
        outcome_ = whole.status();
        return;
      }
      if (!*whole) {
        Receive();
        return;
      }
      if (reply.request_id == request_.request_id) {
        outcome_ = std::move(reply);
        return;
      }
    }
  }

  const Frame& request_;
  const int64_t timeout_us_;
  const std::shared_ptr<const PeerSecurity> security_;
  tcp::socket socket_;
  std::shared_ptr<Channel> channel_;
  std::string head_;
  std::string received_;
  FrameDecoder decoder_;
  std::optional<Result<Frame>> outcome_;
};

// A socket that closes itself.
class Socket {
 public:
  Socket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

Result<sockaddr_in> ToAddress(const std::string& host, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    return Status::InvalidArgument(host + " is not an IPv4 address");
  }
  return address;
}

// Binds a listener and returns its port.
Result<uint16_t> TryListen(const std::string& host, uint16_t port) {
  const Socket socket;
  ASSIGN_OR_RETURN(sockaddr_in address, ToAddress(host, port));
  const int yes = 1;
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(socket.fd(), 1) != 0) {
    char buffer[128];
    return Status::Unavailable(host + ":" + std::to_string(port) + ": " +
                               strerror_r(errno, buffer, sizeof(buffer)));
  }
  socklen_t size = sizeof(address);
  ::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace

Result<Frame> CallOnce(const std::string& host, uint16_t port, const Frame& request,
                       int64_t timeout_us, std::shared_ptr<const PeerSecurity> security) {
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) {
    return Status::InvalidArgument(host + " is not an IP address");
  }
  asio::io_context io(1);
  const auto call = std::make_shared<Call>(io, request, timeout_us, std::move(security));
  call->Start(tcp::endpoint(address, port));
  // Until nothing is under way, which is when there is an outcome.
  io.run_for(std::chrono::microseconds(timeout_us));
  if (!call->outcome().has_value()) {
    call->Abandon();
    return Status::TimedOut("no answer in time");
  }
  return std::move(*call->outcome());
}

Status CheckPortFree(const std::string& host, uint16_t port) {
  const auto port_or_error = TryListen(host, port);
  return port_or_error.ok() ? Status::Ok() : port_or_error.status();
}

Result<uint16_t> PickFreePort(const std::string& host) {
  // Not one that the system gives to outgoing connections: while the process that has the port is
  // down, any connection could take it, even one that tries to reach that process.
  constexpr uint64_t kFirst = 10'240;
  constexpr uint64_t kEnd = 32'768;
  constexpr int kTries = 100;
  const std::string bytes = SecureRandomBytes(sizeof(uint64_t));
  Random random(LoadLittle<uint64_t>(bytes.data()));
  for (int i = 0; i < kTries; ++i) {
    const auto port = static_cast<uint16_t>(kFirst + random.Below(kEnd - kFirst));
    if (TryListen(host, port).ok()) {
      return port;
    }
  }
  return TryListen(host, 0);
}

}  // namespace borealis
