#include "base/net/channel.h"

#include <netinet/tcp.h>
#include <openssl/ssl.h>

#include <boost/asio/read.hpp>

#include "base/invariant.h"

namespace borealis {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// The listener's one byte after its TLS handshake. In TLS 1.3 a dialer's handshake is over before
// its certificate was looked at; only this tells it that it was believed.
constexpr char kWelcome = 'W';

// A network that drops packets without a word leaves connections half open: both ends wait, and
// after it has healed the system's next attempt may be minutes away. What was sent must have
// arrived (at the machine, however busy its process is) within the first time; who is silent is
// asked after the second.
constexpr int kUndeliveredMsMax = 6'000;
constexpr int kSilenceS = 3;
constexpr int kProbeEveryS = 1;

template <int kName>
using TcpOption = asio::detail::socket_option::integer<IPPROTO_TCP, kName>;

void NoticeSilence(tcp::socket* socket) {
  error_code ignored;
  socket->set_option(TcpOption<TCP_USER_TIMEOUT>(kUndeliveredMsMax), ignored);
  socket->set_option(TcpOption<TCP_KEEPIDLE>(kSilenceS), ignored);
  socket->set_option(TcpOption<TCP_KEEPINTVL>(kProbeEveryS), ignored);
  socket->set_option(asio::socket_base::keep_alive(true), ignored);
}

std::string AddressText(const tcp::endpoint& endpoint) {
  return endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
}

}  // namespace

Channel::Channel(tcp::socket socket, std::shared_ptr<const PeerSecurity> security)
    : socket_(std::move(socket)),
      security_(std::move(security)),
      deadline_(socket_.get_executor()) {
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  NoticeSilence(&socket_);
  remote_host_ = socket_.remote_endpoint(ignored).address().to_string();
}

void Channel::Authenticate(PeerSide side, int64_t limit_us, std::function<void(Status)> done) {
  INVARIANT(done_ == nullptr);
  done_ = std::move(done);
  deadline_.expires_after(std::chrono::microseconds(limit_us));
  deadline_.async_wait([self = shared_from_this()](error_code error) {
    if (!error) {
      self->Finish(Status::TimedOut("it did not prove itself in time"));
    }
  });
  if (security_->tls() != nullptr) {
    StartTlsHandshake(side);
  } else if (!security_->secret().empty()) {
    StartSecretHandshake(side);
  } else {
    Finish(Status::Ok());
  }
}

void Channel::StartSecretHandshake(PeerSide side) {
  error_code error;
  const tcp::endpoint listener =
      side == PeerSide::kDialer ? socket_.remote_endpoint(error) : socket_.local_endpoint(error);
  if (error) {
    Finish(Status::Unavailable("it has gone"));
    return;
  }
  handshake_ = std::make_unique<Handshake>(side, security_->secret(), AddressText(listener));
  SendThenReceive(handshake_->Begin());
}

// Sends `bytes`, if any, then waits for the next message; finishes when there is none to come.
void Channel::SendThenReceive(std::string bytes) {
  if (bytes.empty()) {
    ReceiveMessage();
    return;
  }
  outgoing_ = std::move(bytes);
  asio::async_write(socket_, asio::buffer(outgoing_),
                    [self = shared_from_this()](error_code error, size_t) {
                      if (error) {
                        self->Finish(Status::Unavailable(error.message()));
                      } else {
                        self->ReceiveMessage();
                      }
                    });
}

void Channel::ReceiveMessage() {
  if (done_ == nullptr) {
    return;
  }
  if (handshake_->wanted() == 0) {
    Finish(Status::Ok());
    return;
  }
  message_.resize(handshake_->wanted());
  asio::async_read(socket_, asio::buffer(message_),
                   [self = shared_from_this()](error_code error, size_t) {
                     if (self->done_ == nullptr) {
                       return;
                     }
                     if (error) {
                       self->Finish(Status::Unavailable(error.message()));
                       return;
                     }
                     Result<std::string> reply = self->handshake_->OnMessage(self->message_);
                     if (!reply.ok()) {
                       self->Finish(std::move(reply).status());
                       return;
                     }
                     self->SendThenReceive(std::move(*reply));
                   });
}

void Channel::StartTlsHandshake(PeerSide side) {
  SSL_CTX_up_ref(security_->tls());
  tls_context_.emplace(security_->tls());  // takes the reference
  tls_.emplace(socket_, *tls_context_);
  const auto type =
      side == PeerSide::kDialer ? asio::ssl::stream_base::client : asio::ssl::stream_base::server;
  tls_->async_handshake(type, [self = shared_from_this(), side](error_code error) {
    if (error) {
      self->Finish(Status::InvalidArgument("TLS: " + error.message()));
    } else {
      self->Welcome(side);
    }
  });
}

void Channel::Welcome(PeerSide side) {
  if (done_ == nullptr) {
    return;
  }
  message_.assign(1, kWelcome);
  auto told = [self = shared_from_this()](error_code error, size_t) {
    const bool welcome = !error && self->message_[0] == kWelcome;
    self->Finish(welcome ? Status::Ok() : Status::InvalidArgument("TLS: it does not believe us"));
  };
  if (side == PeerSide::kDialer) {
    asio::async_read(*tls_, asio::buffer(message_), std::move(told));
  } else {
    asio::async_write(*tls_, asio::buffer(message_), std::move(told));
  }
}

void Channel::Finish(Status status) {
  if (done_ == nullptr) {
    return;
  }
  deadline_.cancel();
  handshake_ = nullptr;
  if (!status.ok()) {
    Close();
  }
  std::exchange(done_, nullptr)(std::move(status));
}

void Channel::Close() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace borealis
