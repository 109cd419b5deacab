#include "server/net/socket_stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>

namespace borealis::server {

namespace {

constexpr size_t kMostPerCall = 1U << 30;

SocketStream::Progress FromErrno(SocketStream::State wanted) {
  const bool again = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  return {again ? wanted : SocketStream::State::kClosed, 0};
}

}  // namespace

struct SocketStream::Compression {
  Compression(FrameCodec codec, int level) : input(codec), output(codec, level) {}

  CompressedInput input;
  CompressedOutput output;
  size_t packed = 0;  // bytes in the frame that is being sent
};

SocketStream::SocketStream(int fd) : fd_(fd) {}

SocketStream::~SocketStream() {
  SSL_free(ssl_);
}

bool SocketStream::StartTls(ssl_ctx_st* context) {
  ssl_ = SSL_new(context);
  if (ssl_ == nullptr || SSL_set_fd(ssl_, fd_) != 1) {
    return false;
  }
  SSL_set_accept_state(ssl_);
  return true;
}

SocketStream::Progress SocketStream::TlsResult(int result) {
  if (result > 0) {
    return {State::kDone, static_cast<size_t>(result)};
  }
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return {State::kWantRead, 0};
    case SSL_ERROR_WANT_WRITE:
      return {State::kWantWrite, 0};
    default:
      // After such an error OpenSSL forbids further calls on the session.
      failed_ = true;
      return {State::kClosed, 0};
  }
}

SocketStream::Progress SocketStream::Handshake() {
  ERR_clear_error();
  return TlsResult(SSL_do_handshake(ssl_));
}

void SocketStream::StartCompression(FrameCodec codec, int level) {
  if (compression_ == nullptr) {
    compression_ = std::make_unique<Compression>(codec, level);
  }
}

uint8_t SocketStream::next_number() const {
  return static_cast<uint8_t>(compression_->input.number() + 1);
}

SocketStream::Progress SocketStream::Read(std::span<char> into) {
  if (compression_ == nullptr) {
    return ReadBytes(into);
  }
  CompressedInput& input = compression_->input;
  while (input.empty()) {
    const Progress got = ReadBytes(input.Space());
    if (got.state != State::kDone) {
      return got;
    }
    if (!input.Added(got.bytes)) {
      return {State::kClosed, 0};
    }
    compression_->output.set_number(next_number());
  }
  return {State::kDone, input.Take(into)};
}

SocketStream::Progress SocketStream::Write(std::string_view bytes) {
  if (compression_ == nullptr) {
    return WriteBytes(bytes);
  }
  CompressedOutput& output = compression_->output;
  if (output.empty()) {
    compression_->packed = output.Pack(bytes);
  }
  while (!output.empty()) {
    const Progress sent = WriteBytes(output.unsent());
    if (sent.state != State::kDone) {
      return sent;
    }
    output.Sent(sent.bytes);
  }
  return {State::kDone, compression_->packed};
}

SocketStream::Progress SocketStream::ReadBytes(std::span<char> into) {
  if (ssl_ != nullptr) {
    if (failed_) {
      return {State::kClosed, 0};
    }
    ERR_clear_error();
    return TlsResult(
        SSL_read(ssl_, into.data(), static_cast<int>(std::min(into.size(), kMostPerCall))));
  }
  const ssize_t got = ::recv(fd_, into.data(), into.size(), 0);
  if (got > 0) {
    return {State::kDone, static_cast<size_t>(got)};
  }
  return got == 0 ? Progress{State::kClosed, 0} : FromErrno(State::kWantRead);
}

SocketStream::Progress SocketStream::WriteBytes(std::string_view bytes) {
  if (ssl_ != nullptr) {
    if (failed_) {
      return {State::kClosed, 0};
    }
    ERR_clear_error();
    return TlsResult(
        SSL_write(ssl_, bytes.data(), static_cast<int>(std::min(bytes.size(), kMostPerCall))));
  }
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return sent >= 0 ? Progress{State::kDone, static_cast<size_t>(sent)}
                   : FromErrno(State::kWantWrite);
}

bool SocketStream::HasBufferedInput() const {
  return (compression_ != nullptr && !compression_->input.empty()) ||
         (ssl_ != nullptr && !failed_ && SSL_has_pending(ssl_) == 1);
}

SocketStream::Progress SocketStream::Discard() {
  char scratch[16384];
  const ssize_t got = ::recv(fd_, scratch, sizeof(scratch), 0);
  if (got > 0) {
    return {State::kDone, static_cast<size_t>(got)};
  }
  return got == 0 ? Progress{State::kClosed, 0} : FromErrno(State::kWantRead);
}

void SocketStream::SayGoodbye() {
  if (ssl_ != nullptr && !failed_ && SSL_is_init_finished(ssl_) == 1) {
    ERR_clear_error();
    SSL_shutdown(ssl_);
  }
}

std::string SocketStream::tls_version() const {
  return ssl_ == nullptr ? std::string() : SSL_get_version(ssl_);
}

std::string SocketStream::tls_cipher() const {
  return ssl_ == nullptr ? std::string() : SSL_get_cipher_name(ssl_);
}

}  // namespace borealis::server
