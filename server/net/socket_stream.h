// Bytes of one non-blocking socket, plain or through TLS.
//
// OpenSSL works directly on the descriptor: no copy into memory buffers, and whoever owns the
// connection, a reactor or a worker, can write at once without passing through a reactor. Nothing
// here waits: an operation that cannot go on says what for. Used by one thread at a time.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;

namespace borealis::server {

class SocketStream {
 public:
  enum class State {
    kDone,       // at least one byte moved; a handshake is complete
    kWantRead,   // again when the socket is readable
    kWantWrite,  // again when it is writable
    kClosed,     // end of stream or an error: nothing more will move
  };
  struct Progress {
    State state;
    size_t bytes = 0;
  };

  explicit SocketStream(int fd) : fd_(fd) {}
  ~SocketStream();
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;

  // From now on everything is TLS, starting with Handshake. False when OpenSSL refuses.
  bool StartTls(ssl_ctx_st* context);
  Progress Handshake();
  Progress Read(std::span<char> into);
  Progress Write(std::string_view bytes);
  // Bytes have been taken off the socket that Read has not given yet: the socket need not become
  // readable again.
  bool HasBufferedInput() const;
  // Takes bytes off the socket and drops them.
  Progress Discard();
  // Tells the peer that no more follows (TLS close_notify); best effort.
  void SayGoodbye();

  bool tls() const { return ssl_ != nullptr; }
  std::string tls_version() const;
  std::string tls_cipher() const;

 private:
  Progress TlsResult(int result);

  const int fd_;
  ssl_st* ssl_ = nullptr;
  bool failed_ = false;
};

}  // namespace borealis::server
