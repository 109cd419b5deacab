#include "base/net/call.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/os/time.h"

namespace borealis {

namespace {

// A socket that closes itself, used with a deadline.
class Socket {
 public:
  explicit Socket(int64_t deadline_us)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
        deadline_us_(deadline_us) {}
  ~Socket() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

  // Waits until the socket can be read or written.
  Status Wait(short events) const {
    for (;;) {
      const int64_t left_us = deadline_us_ - SystemClock().NowUs();
      if (left_us <= 0) {
        return Status::TimedOut("no answer in time");
      }
      pollfd entry{fd_, events, 0};
      const int ready = ::poll(&entry, 1, static_cast<int>(left_us / 1000 + 1));
      if (ready > 0) {
        return Status::Ok();
      }
      if (ready < 0 && errno != EINTR) {
        return Status::IoError("poll failed");
      }
    }
  }

  Status SendAll(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) {
        bytes.remove_prefix(static_cast<size_t>(sent));
      } else if (errno == EAGAIN || errno == EINTR) {
        RETURN_IF_ERROR(Wait(POLLOUT));
      } else {
        return Status::Unavailable("the connection broke");
      }
    }
    return Status::Ok();
  }

 private:
  const int fd_;
  const int64_t deadline_us_;
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

Status Connect(const Socket& socket, const std::string& host, uint16_t port) {
  ASSIGN_OR_RETURN(const sockaddr_in address, ToAddress(host, port));
  if (::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    int error = errno;
    if (error == EINPROGRESS) {
      RETURN_IF_ERROR(socket.Wait(POLLOUT));
      socklen_t size = sizeof(error);
      ::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error != 0) {
      return Status::Unavailable("nothing answers at " + host + ":" + std::to_string(port));
    }
  }
  return Status::Ok();
}

// Binds a listener and returns its port.
Result<uint16_t> TryListen(const std::string& host, uint16_t port) {
  const Socket socket(0);
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
                       int64_t timeout_us) {
  const Socket socket(SystemClock().NowUs() + timeout_us);
  RETURN_IF_ERROR(Connect(socket, host, port));
  RETURN_IF_ERROR(socket.SendAll(EncodeFrameHead(request)));
  for (const SharedBytes& attachment : request.attachments) {
    RETURN_IF_ERROR(socket.SendAll(attachment.view()));
  }
  FrameDecoder decoder;
  std::string buffer(64 << 10, '\0');
  for (;;) {
    Frame reply;
    ASSIGN_OR_RETURN(const bool whole, decoder.Next(&reply));
    if (whole && reply.request_id == request.request_id) {
      return reply;
    }
    if (whole) {
      continue;
    }
    const ssize_t got = ::recv(socket.fd(), buffer.data(), buffer.size(), 0);
    if (got > 0) {
      decoder.Feed(std::string_view(buffer).substr(0, static_cast<size_t>(got)));
    } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      RETURN_IF_ERROR(socket.Wait(POLLIN));
    } else {
      return Status::Unavailable("the connection was closed without an answer");
    }
  }
}

Status CheckPortFree(const std::string& host, uint16_t port) {
  const auto port_or_error = TryListen(host, port);
  return port_or_error.ok() ? Status::Ok() : port_or_error.status();
}

Result<uint16_t> PickFreePort(const std::string& host) {
  return TryListen(host, 0);
}

}  // namespace borealis
