// base/net/: who is let in. The handshake's bytes, and transports attacked over loopback sockets.
#include "base/net/security.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>

#include "base/net/call.h"
#include "base/net/certificate.h"
#include "base/net/handshake.h"
#include "base/net/stranger_log.h"
#include "base/net/transport.h"

namespace borealis {
namespace {

const std::string kSecret(kClusterSecretSize, 'k');
constexpr const char* kAddress = "127.0.0.1:4711";

// ---- the bytes

struct Outcome {
  bool dialer_believes = false;
  bool listener_believes = false;
  std::string to_listener;  // what the dialer sent
  std::string to_dialer;
};

// Carries messages between the two until they are done or one refuses.
Outcome Introduce(Handshake* dialer, Handshake* listener) {
  Outcome outcome;
  std::string to_listener = dialer->Begin();
  for (;;) {
    outcome.to_listener += to_listener;
    if (to_listener.empty() || to_listener.size() != listener->wanted()) {
      return outcome;
    }
    auto answer = listener->OnMessage(to_listener);
    outcome.listener_believes = listener->wanted() == 0;
    if (!answer.ok()) {
      return outcome;
    }
    outcome.to_dialer += *answer;
    auto reply = dialer->OnMessage(*answer);
    outcome.dialer_believes = dialer->wanted() == 0;
    if (!reply.ok() || outcome.dialer_believes) {
      return outcome;
    }
    to_listener = *reply;
  }
}

TEST(HandshakeTest, BothBelieveWhoKnowsTheSecret) {
  Handshake dialer(PeerSide::kDialer, kSecret, kAddress);
  Handshake listener(PeerSide::kListener, kSecret, kAddress);
  const Outcome outcome = Introduce(&dialer, &listener);
  EXPECT_TRUE(outcome.dialer_believes);
  EXPECT_TRUE(outcome.listener_believes);
}

TEST(HandshakeTest, AnotherSecretOrAddressIsRefusedWithoutAProof) {
  for (const auto& [secret, address] :
       {std::pair{std::string(kClusterSecretSize, 'x'), kAddress}, {kSecret, "127.0.0.1:4712"}}) {
    Handshake dialer(PeerSide::kDialer, secret, address);
    Handshake listener(PeerSide::kListener, kSecret, kAddress);
    const Outcome outcome = Introduce(&dialer, &listener);
    EXPECT_FALSE(outcome.dialer_believes);
    EXPECT_FALSE(outcome.listener_believes);
    EXPECT_EQ(outcome.to_dialer.size(), kHandshakeHelloSize);
  }
}

TEST(HandshakeTest, ARecordedDialerIsRefusedByAnotherConnection) {
  Handshake dialer(PeerSide::kDialer, kSecret, kAddress);
  Handshake listener(PeerSide::kListener, kSecret, kAddress);
  const std::string recorded = Introduce(&dialer, &listener).to_listener;
  Handshake next(PeerSide::kListener, kSecret, kAddress);
  ASSERT_TRUE(next.OnMessage(recorded.substr(0, kHandshakeHelloSize)).ok());
  EXPECT_FALSE(next.OnMessage(recorded.substr(kHandshakeHelloSize)).ok());
  EXPECT_NE(next.wanted(), 0U);
}

TEST(HandshakeTest, ADialersOwnWordsReflectedAreRefused) {
  Handshake dialer(PeerSide::kDialer, kSecret, kAddress);
  const auto proof = dialer.OnMessage(dialer.Begin());
  ASSERT_TRUE(proof.ok());
  EXPECT_FALSE(dialer.OnMessage(*proof).ok());
  EXPECT_NE(dialer.wanted(), 0U);
}

TEST(HandshakeTest, EveryFlippedBitIsRefused) {
  const std::string nonce(kHandshakeNonceSize, 'n');
  Handshake listener(PeerSide::kListener, kSecret, kAddress, nonce);
  Handshake dialer(PeerSide::kDialer, kSecret, kAddress, nonce);
  const std::string good = Introduce(&dialer, &listener).to_listener;
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    Handshake attacked(PeerSide::kListener, kSecret, kAddress, nonce);
    const bool refused = !attacked.OnMessage(bad.substr(0, kHandshakeHelloSize)).ok() ||
                         !attacked.OnMessage(bad.substr(kHandshakeHelloSize)).ok();
    EXPECT_TRUE(refused) << "bit " << bit;
  }
}

TEST(StrangerLogTest, NamesAnAddressOnceAMinute) {
  StrangerLog log;
  EXPECT_TRUE(log.IsDue("10.0.0.1", 0));
  EXPECT_FALSE(log.IsDue("10.0.0.1", 59'000'000));
  EXPECT_TRUE(log.IsDue("10.0.0.2", 59'000'000));
  EXPECT_TRUE(log.IsDue("10.0.0.1", 60'000'000));
}

// ---- transports

using Security = std::shared_ptr<const PeerSecurity>;

Security WithSecret(char letter) {
  return PeerSecurity::FromSecret(std::string(kClusterSecretSize, letter)).value();
}

struct Authority {
  std::string key = MakePrivateKey().value();
  std::string certificate =
      MakeCertificate({.common_name = "ca", .is_authority = true}, key, "", "").value();

  Security Sign(const std::string& name, const Authority& trusted) const {
    const std::string own_key = MakePrivateKey().value();
    const CertificateRequest request{.common_name = name,
                                     .alternative_names = "DNS:" + name,
                                     .extended_usage = "serverAuth,clientAuth"};
    const std::string own = MakeCertificate(request, own_key, certificate, key).value();
    return PeerSecurity::FromCertificates(trusted.certificate, own, own_key).value();
  }
};

// A process: counts what happens to it and answers every frame of type 1 with one of type 2.
class Process : public FrameHandler {
 public:
  explicit Process(Security security, int64_t limit_us = 5'000'000, size_t unproven_max = 64)
      : transport(Transport::Create(this, {std::move(security), limit_us, unproven_max})) {}
  ~Process() override { transport->Stop(); }

  uint16_t Listen() {
    const uint16_t port = transport->Listen("127.0.0.1", 0).value();
    transport->Start("process");
    return port;
  }
  void OnFrame(PeerId from, Frame frame) override {
    ++frames;
    if (frame.type == 1) {
      frame.type = 2;
      transport->Send(from, std::move(frame));
    }
  }
  void OnPeerUp(PeerId) override { ++ups; }

  bool WaitForRefused(uint64_t count) const {
    for (int i = 0; i < 2000 && transport->counters().refused < count; ++i) {
      ::usleep(10'000);
    }
    return transport->counters().refused >= count;
  }

  std::atomic<int> frames{0};
  std::atomic<int> ups{0};
  std::unique_ptr<Transport> transport;
};

Frame Question(std::string body = "question") {
  Frame frame;
  frame.type = 1;
  frame.request_id = 5;
  frame.body = std::move(body);
  return frame;
}

Result<Frame> Ask(uint16_t port, Security security) {
  return CallOnce("127.0.0.1", port, Question(), 20'000'000, std::move(security));
}

// A stranger's socket: sends bytes, and reads until it is closed.
class Stranger {
 public:
  explicit Stranger(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Stranger() { ::close(fd_); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  bool connected() const { return connected_; }
  void Send(std::string_view bytes) const {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // What came until the other side closed; "open" when it did not within `timeout_ms`.
  std::string ReadToEnd(int timeout_ms = 20'000) const {
    std::string all;
    for (;;) {
      pollfd entry{fd_, POLLIN, 0};
      if (::poll(&entry, 1, timeout_ms) != 1) {
        return "open";
      }
      char buffer[4096];
      const ssize_t got = ::recv(fd_, buffer, sizeof(buffer), 0);
      if (got <= 0) {
        return all;
      }
      all.append(buffer, static_cast<size_t>(got));
    }
  }

 private:
  const int fd_;
  bool connected_ = false;
};

// Lets the system accept connections, and does nothing with them.
class MuteListener {
 public:
  MuteListener() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd_, 16), 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~MuteListener() { ::close(fd_); }
  MuteListener(const MuteListener&) = delete;
  MuteListener& operator=(const MuteListener&) = delete;
  uint16_t port() const { return port_; }

 private:
  const int fd_;
  uint16_t port_ = 0;
};

TEST(TransportSecurityTest, FramesPassWithTheSecretAndWithCertificates) {
  const Authority authority;
  const std::pair<Security, Security> kinds[] = {
      {WithSecret('a'), WithSecret('a')},
      {authority.Sign("storage-1", authority), authority.Sign("instance-1", authority)}};
  for (const auto& [ours, theirs] : kinds) {
    Process server(ours);
    const uint16_t port = server.Listen();
    Frame question = Question(std::string(3 << 20, 'b'));
    question.attachments = {SharedBytes(std::string(2 << 20, 'x')), SharedBytes("log")};
    const auto answer = CallOnce("127.0.0.1", port, question, 20'000'000, theirs);
    ASSERT_TRUE(answer.ok()) << answer.status().ToString();
    EXPECT_EQ(answer->body, question.body);
    ASSERT_EQ(answer->attachments.size(), 2U);
    EXPECT_EQ(answer->attachments[0].view(), question.attachments[0].view());
    EXPECT_EQ(server.transport->counters().accepted, 1U);
    EXPECT_EQ(server.transport->counters().refused, 0U);
  }
}

TEST(TransportSecurityTest, WrongSecretForeignAuthorityAndMixedKindsAreRefused) {
  const Authority ours;
  const Authority foreign;
  const std::pair<Security, Security> pairs[] = {
      {WithSecret('a'), WithSecret('b')},
      {WithSecret('a'), PeerSecurity::None()},
      {ours.Sign("storage-1", ours), foreign.Sign("instance-1", ours)},     // we refuse it
      {ours.Sign("storage-1", ours), ours.Sign("instance-1", foreign)},     // it refuses us
      {ours.Sign("storage-1", ours), foreign.Sign("instance-1", foreign)},  // both
      {ours.Sign("storage-1", ours), WithSecret('a')},
      {ours.Sign("storage-1", ours), PeerSecurity::None()}};
  int number = 0;
  for (const auto& [server_side, client_side] : pairs) {
    SCOPED_TRACE(number++);
    Process server(server_side, /*limit_us=*/500'000);
    const uint16_t port = server.Listen();
    const auto answer = Ask(port, client_side);
    EXPECT_EQ(answer.status().code(), Code::kUnavailable) << answer.status().ToString();
    EXPECT_TRUE(server.WaitForRefused(1));
    EXPECT_EQ(server.ups, 0);
    EXPECT_EQ(server.frames, 0);
  }
}

TEST(TransportSecurityTest, ADialerIsUpOnlyWhenItWasBelieved) {
  const Authority ours;
  const Authority foreign;
  Process server(ours.Sign("storage-1", ours));
  const uint16_t port = server.Listen();
  Process client(foreign.Sign("instance-1", ours));
  client.transport->Start("client");
  client.transport->Connect("127.0.0.1", port);
  ASSERT_TRUE(server.WaitForRefused(3));  // it tries again
  EXPECT_EQ(client.ups, 0);
}

TEST(TransportSecurityTest, GarbageHalvesAndSilenceAreClosedWithoutAnAnswer) {
  const Authority authority;
  for (const Security& security : {WithSecret('a'), authority.Sign("storage-1", authority)}) {
    const bool tls = security->tls() != nullptr;
    Process server(security, /*limit_us=*/300'000);
    const uint16_t port = server.Listen();
    const std::string frame = EncodeFrameHead(Question());
    uint64_t refused = 0;
    for (const std::string& words :
         {std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\nand more, so that it is enough"),
          std::string(100'000, '\xff'), frame + frame + frame, std::string("BORH"), std::string(),
          std::string("\x16\x03\x01", 3)}) {
      const Stranger stranger(port);
      ASSERT_TRUE(stranger.connected());
      stranger.Send(words);
      const std::string got = stranger.ReadToEnd();
      EXPECT_LE(got.size(), tls ? 7U : 0U) << words.substr(0, 10);  // one TLS alert
      EXPECT_TRUE(server.WaitForRefused(++refused));
    }
    EXPECT_EQ(server.frames, 0);
    EXPECT_EQ(server.ups, 0);
  }
}

TEST(TransportSecurityTest, ARightBeginningWithoutTheSecretGetsNoProof) {
  Process server(WithSecret('a'));
  const uint16_t port = server.Listen();
  const Stranger stranger(port);
  stranger.Send(Handshake(PeerSide::kDialer, kSecret, "").Begin() + std::string(32, 'p') +
                EncodeFrameHead(Question()));
  EXPECT_EQ(stranger.ReadToEnd().size(), kHandshakeHelloSize);
  EXPECT_EQ(server.frames, 0);
}

TEST(TransportSecurityTest, StrangersWhoWaitAreFewAndKeepNobodyOut) {
  Process server(WithSecret('a'), /*limit_us=*/60'000'000, /*unproven_max=*/8);
  const uint16_t port = server.Listen();
  std::vector<std::unique_ptr<Stranger>> strangers;
  for (int i = 0; i < 50; ++i) {
    strangers.push_back(std::make_unique<Stranger>(port));
    ASSERT_TRUE(strangers.back()->connected());
  }
  ASSERT_TRUE(server.WaitForRefused(42));
  EXPECT_LE(server.transport->counters().unproven, 8U);
  EXPECT_EQ(strangers.front()->ReadToEnd(), "");
  EXPECT_EQ(strangers.back()->ReadToEnd(100), "open");
  EXPECT_TRUE(Ask(port, WithSecret('a')).ok());
}

TEST(TransportSecurityTest, EndingInTheMiddleOfHandshakesLeavesNothingBehind) {
  for (const Security& security : {WithSecret('a'), Authority().Sign("storage-1", Authority())}) {
    Process server(security);
    const Stranger stranger(server.Listen());
    // Connections are made, and nobody answers: a dialer, and a call, wait in the middle of theirs.
    const MuteListener mute;
    const uint16_t port = mute.port();
    Process dialer(security);
    dialer.transport->Start("dialer");
    const PeerId peer = dialer.transport->Connect("127.0.0.1", port);
    dialer.transport->Connect("127.0.0.1", port);
    EXPECT_FALSE(CallOnce("127.0.0.1", port, Question(), 200'000, security).ok());
    dialer.transport->Disconnect(peer);
    dialer.transport->Stop();
    server.transport->Stop();
    EXPECT_EQ(stranger.ReadToEnd(), "");
  }
}

TEST(TransportSecurityTest, OldTlsIsRefused) {
  // What MakeCertificate and a server context are good for, but at most TLS 1.2: by its client
  // hello.
  const Authority authority;
  Process server(authority.Sign("storage-1", authority));
  const uint16_t port = server.Listen();
  const Stranger stranger(port);
  // A TLS 1.2 client hello: version 0303, 32 random bytes, no session, one cipher, no compression.
  std::string hello("\x03\x03", 2);
  hello += std::string(32, 'r') + std::string("\x00\x00\x02\xc0\x2b\x01\x00", 7);
  const std::string message =
      std::string("\x01\x00\x00", 3) + static_cast<char>(hello.size()) + hello;
  stranger.Send(std::string("\x16\x03\x01\x00", 4) + static_cast<char>(message.size()) + message);
  const std::string alert = stranger.ReadToEnd();
  ASSERT_EQ(alert.size(), 7U);
  EXPECT_EQ(alert[0], '\x15');
  EXPECT_EQ(alert[6], 70);  // protocol_version
  EXPECT_TRUE(server.WaitForRefused(1));
}

TEST(TransportSecurityTest, ASecretOfAnotherSizeIsRefused) {
  EXPECT_FALSE(PeerSecurity::FromSecret("short").ok());
  EXPECT_FALSE(PeerSecurity::FromSecret("").ok());
}

}  // namespace
}  // namespace borealis
