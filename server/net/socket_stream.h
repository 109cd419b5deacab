// Bytes of one non-blocking socket, plain or through TLS, and compressed or not.
//
// OpenSSL works directly on the descriptor: no copy into memory buffers, and whoever owns the
// connection, a reactor or a worker, can write at once without passing through a reactor. Nothing
// here waits: an operation that cannot go on says what for. Used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "server/net/compressed_frames.h"

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

  explicit SocketStream(int fd);
  ~SocketStream();
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;

  // From now on everything is TLS, starting with Handshake. False when OpenSSL refuses.
  bool StartTls(ssl_ctx_st* context);
  Progress Handshake();
  // From now on both sides send compressed frames; again does nothing. Write then gives bytes only
  // once all of their frame is sent, and wants the same ones, and more if there are, until then.
  void StartCompression(FrameCodec codec, int level);
  bool compressed() const { return compression_ != nullptr; }
  // Of the frame that follows the last one read. REQUIRES: compressed().
  uint8_t next_number() const;
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
  struct Compression;

  Progress ReadBytes(std::span<char> into);
  Progress WriteBytes(std::string_view bytes);
  Progress TlsResult(int result);

  const int fd_;
  ssl_st* ssl_ = nullptr;
  std::unique_ptr<Compression> compression_;  // null: not compressed
  bool failed_ = false;
};

}  // namespace borealis::server
