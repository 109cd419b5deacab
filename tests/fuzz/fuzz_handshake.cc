// The handshake that opens connections, from both sides: whatever arrives, nobody is believed whose
// proof is not exactly the one for these nonces, this side and this address (INV-SEC-1); and the
// listener proves nothing before (INV-SEC-2).
//
// An input is what one connection brings: a first byte chooses the side that is attacked.
#include "base/net/handshake.h"
#include "tests/fuzz/fuzz.h"

namespace borealis::fuzz {

namespace {

const std::string kSecret(32, 's');
const std::string kAddress = "127.0.0.1:4711";
const std::string kOwnNonce(kHandshakeNonceSize, 'o');
constexpr std::string_view kHead("BORH\x01\x00\x00\x00", 8);
constexpr size_t kNonceAt = kHandshakeHelloSize - kHandshakeNonceSize;

PeerSide AttackedSide(std::string_view input) {
  return (input[0] & 1) != 0 ? PeerSide::kDialer : PeerSide::kListener;
}

// What the other side of an honest connection with these hello bytes would prove.
std::string HonestProof(PeerSide attacked, std::string_view hello) {
  const std::string_view nonce = hello.substr(kNonceAt, kHandshakeNonceSize);
  return attacked == PeerSide::kListener
             ? HandshakeProof(kSecret, PeerSide::kDialer, nonce, kOwnNonce, kAddress)
             : HandshakeProof(kSecret, PeerSide::kListener, kOwnNonce, nonce, kAddress);
}

class HandshakeTarget final : public Target {
 public:
  std::vector<std::string> Seeds() override {
    std::vector<std::string> seeds;
    for (const char first : {'\0', '\1'}) {
      std::string input(1, first);
      input += kHead;
      input.append(kHandshakeNonceSize, 'n');
      input += HonestProof(AttackedSide(input), std::string_view(input).substr(1));
      seeds.push_back(std::move(input));
    }
    return seeds;
  }

  // An honest proof for whatever hello there is.
  void Repair(std::string* input) override {
    if (input->size() >= 1 + kHandshakeHelloSize + kHandshakeProofSize) {
      const std::string proof =
          HonestProof(AttackedSide(*input), std::string_view(*input).substr(1));
      input->replace(1 + kHandshakeHelloSize, kHandshakeProofSize, proof);
    }
  }

  void Run(std::string_view input) override {
    if (input.empty()) {
      return;
    }
    const PeerSide side = AttackedSide(input);
    const std::string_view sent = input.substr(1);
    std::string_view rest = sent;
    Handshake handshake(side, kSecret, kAddress, kOwnNonce);
    std::string answered;
    while (handshake.wanted() > 0 && rest.size() >= handshake.wanted()) {
      const std::string_view message = rest.substr(0, handshake.wanted());
      rest.remove_prefix(message.size());
      const Result<std::string> answer = handshake.OnMessage(message);
      if (!answer.ok()) {
        break;
      }
      answered += *answer;
    }
    const bool honest =
        sent.size() >= kHandshakeHelloSize + kHandshakeProofSize && sent.starts_with(kHead) &&
        sent.substr(kHandshakeHelloSize, kHandshakeProofSize) == HonestProof(side, sent);
    FUZZ_CHECK((handshake.wanted() == 0) == honest, "believed, and not honest, or the reverse");
    if (side == PeerSide::kListener && !honest) {
      FUZZ_CHECK(answered.size() <= kHandshakeHelloSize, "proved itself to a stranger");
    }
  }
};

}  // namespace

Target& TheTarget() {
  static HandshakeTarget target;
  return target;
}

}  // namespace borealis::fuzz
