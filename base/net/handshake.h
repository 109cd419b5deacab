// How two processes prove to each other that they know the cluster's secret, before any frame.
//
// Four messages of fixed size (docs/formats/handshake.md): each side sends a fresh random number,
// then the HMAC of both numbers, of its own side and of the listener's address. So
//   INV-SEC-1  no proof is of use in another connection (its numbers are fresh on both sides), for
//              the other side (the side is in it), or at another address (that is in it too);
//   INV-SEC-2  the listener proves nothing, and decodes no frame, until the dialer has proved.
//
// Only the bytes: who reads, writes and keeps time is the caller (base/net/channel.h). Not
// thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/os/random.h"
#include "base/result.h"

namespace borealis {

// Who made the connection, and who accepted it.
enum class PeerSide : char { kDialer = 'D', kListener = 'L' };

inline constexpr size_t kHandshakeNonceSize = 32;
inline constexpr size_t kHandshakeHelloSize = 8 + kHandshakeNonceSize;
inline constexpr size_t kHandshakeProofSize = 32;

// What `side` sends to prove that it knows `secret`. `address` is the listener's, as both sides'
// sockets have it ("127.0.0.1:4711").
std::string HandshakeProof(std::string_view secret, PeerSide side, std::string_view dialer_nonce,
                           std::string_view listener_nonce, std::string_view address);

class Handshake {
 public:
  // `nonce` must never have been used before; tests give theirs.
  Handshake(PeerSide side, std::string secret, std::string address,
            std::string nonce = SecureRandomBytes(kHandshakeNonceSize));
  ~Handshake();  // forgets the secret
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  // What to send first; nothing for the listener.
  std::string Begin() const;
  // Size of the message to read next; 0 when the other side has proved itself.
  size_t wanted() const { return wanted_; }
  // Takes a message of exactly wanted() bytes and returns what to send. After an error the
  // connection must be closed without another byte. REQUIRES: wanted() > 0, no error before.
  Result<std::string> OnMessage(std::string_view message);

 private:
  std::string Hello() const;
  Result<std::string> OnHello(std::string_view message);
  Result<std::string> OnProof(std::string_view message);
  std::string Proof(PeerSide side) const;

  const PeerSide side_;
  std::string secret_;
  const std::string address_;
  const std::string nonce_;
  std::string other_nonce_;
  size_t wanted_ = kHandshakeHelloSize;
};

}  // namespace borealis
