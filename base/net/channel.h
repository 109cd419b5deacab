// A TCP connection between two processes of a cluster, once each has proved itself to the other:
// with the cluster's secret or by TLS (base/net/security.h). Internal to base/net: includes Asio.
//
// Everything happens on the thread that runs the socket's io_context; callbacks keep the channel
// alive. Without TLS reads and writes go straight to the socket: after the handshake they cost
// nothing more.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "base/net/handshake.h"
#include "base/net/security.h"
#include "base/result.h"

namespace borealis {

class Channel : public std::enable_shared_from_this<Channel> {
 public:
  // `socket` is connected.
  Channel(boost::asio::ip::tcp::socket socket, std::shared_ptr<const PeerSecurity> security);

  // Lets both sides prove themselves and calls `done` once, at the latest after `limit_us`. After
  // an error the channel is closed; the other side was told nothing about why.
  void Authenticate(PeerSide side, int64_t limit_us, std::function<void(Status)> done);
  // Ends Authenticate, if it is under way, with this error. Whoever drops a channel before `done`
  // was called must: `done` may hold what holds the channel.
  void Refuse(Status why) { Finish(std::move(why)); }
  // The other side's IP address, as it was when the channel was made.
  const std::string& remote_host() const { return remote_host_; }

  // REQUIRES: authenticated. Handlers are Asio's: (error_code, size_t).
  template <class Handler>
  void ReadSome(boost::asio::mutable_buffer into, Handler&& handler) {
    tls_.has_value() ? tls_->async_read_some(into, std::forward<Handler>(handler))
                     : socket_.async_read_some(into, std::forward<Handler>(handler));
  }
  template <class Buffers, class Handler>
  void Write(const Buffers& buffers, Handler&& handler) {
    tls_.has_value() ? boost::asio::async_write(*tls_, buffers, std::forward<Handler>(handler))
                     : boost::asio::async_write(socket_, buffers, std::forward<Handler>(handler));
  }
  // What is under way fails; idempotent.
  void Close();

 private:
  void StartSecretHandshake(PeerSide side);
  void SendThenReceive(std::string bytes);
  void ReceiveMessage();
  void StartTlsHandshake(PeerSide side);
  void Welcome(PeerSide side);
  void Finish(Status status);

  boost::asio::ip::tcp::socket socket_;
  const std::shared_ptr<const PeerSecurity> security_;
  std::optional<boost::asio::ssl::context> tls_context_;
  std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  std::string remote_host_;

  // While authenticating.
  boost::asio::steady_timer deadline_;
  std::function<void(Status)> done_;
  std::unique_ptr<Handshake> handshake_;
  std::string message_;   // being read
  std::string outgoing_;  // being written
};

}  // namespace borealis
