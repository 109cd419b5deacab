#include "base/net/handshake.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/invariant.h"

namespace borealis {

namespace {
// Magic "BORH" and version 1; version and what follows would be a different handshake.
constexpr std::string_view kHead("BORH\x01\x00\x00\x00", 8);
constexpr std::string_view kLabel = "borealis handshake 1";
}  // namespace

std::string HandshakeProof(std::string_view secret, PeerSide side, std::string_view dialer_nonce,
                           std::string_view listener_nonce, std::string_view address) {
  INVARIANT_EQ(dialer_nonce.size(), kHandshakeNonceSize);
  INVARIANT_EQ(listener_nonce.size(), kHandshakeNonceSize);
  // Only the last part is of variable size, so different parts never give the same bytes.
  std::string proven(kLabel);
  proven += static_cast<char>(side);
  proven += dialer_nonce;
  proven += listener_nonce;
  proven += address;
  std::string proof(kHandshakeProofSize, '\0');
  unsigned size = 0;
  const auto* made = HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                          reinterpret_cast<const unsigned char*>(proven.data()), proven.size(),
                          reinterpret_cast<unsigned char*>(proof.data()), &size);
  INVARIANT(made != nullptr && size == kHandshakeProofSize);
  return proof;
}

Handshake::Handshake(PeerSide side, std::string secret, std::string address, std::string nonce)
    : side_(side),
      secret_(std::move(secret)),
      address_(std::move(address)),
      nonce_(std::move(nonce)) {
  INVARIANT_EQ(nonce_.size(), kHandshakeNonceSize);
}

Handshake::~Handshake() {
  OPENSSL_cleanse(secret_.data(), secret_.size());
}

std::string Handshake::Begin() const {
  return side_ == PeerSide::kDialer ? Hello() : "";
}

std::string Handshake::Hello() const {
  return std::string(kHead) + nonce_;
}

Result<std::string> Handshake::OnMessage(std::string_view message) {
  INVARIANT(wanted_ > 0 && message.size() == wanted_);
  return other_nonce_.empty() ? OnHello(message) : OnProof(message);
}

Result<std::string> Handshake::OnHello(std::string_view message) {
  if (!message.starts_with(kHead)) {
    return Status::InvalidArgument("no handshake of this version");
  }
  other_nonce_ = message.substr(kHead.size());
  wanted_ = kHandshakeProofSize;
  return side_ == PeerSide::kDialer ? Proof(side_) : Hello();
}

Result<std::string> Handshake::OnProof(std::string_view message) {
  const PeerSide other = side_ == PeerSide::kDialer ? PeerSide::kListener : PeerSide::kDialer;
  const std::string expected = Proof(other);
  if (CRYPTO_memcmp(expected.data(), message.data(), kHandshakeProofSize) != 0) {
    return Status::InvalidArgument("it does not know this cluster's secret");
  }
  wanted_ = 0;
  return side_ == PeerSide::kListener ? Proof(side_) : std::string();
}

std::string Handshake::Proof(PeerSide side) const {
  const bool dialed = side_ == PeerSide::kDialer;
  return HandshakeProof(secret_, side, dialed ? nonce_ : other_nonce_,
                        dialed ? other_nonce_ : nonce_, address_);
}

}  // namespace borealis
