// base/net/: frames over a damaged stream, and transports over loopback sockets.
#include <condition_variable>

#include "base/net/frame.h"
#include "base/net/transport.h"

namespace borealis {
namespace {

Frame Sample() {
  Frame frame;
  frame.type = 9;
  frame.request_id = 77;
  frame.body = "a protobuf message";
  frame.attachments = {SharedBytes(std::string(1000, 'x')), SharedBytes(""), SharedBytes("log")};
  return frame;
}

std::string Encode(const Frame& frame) {
  std::string bytes = EncodeFrameHead(frame);
  for (const SharedBytes& attachment : frame.attachments) {
    bytes += attachment.view();
  }
  return bytes;
}

TEST(FrameTest, ArrivesWholeInAnyPieces) {
  const std::string bytes = Encode(Sample()) + Encode(Sample());
  for (size_t piece : {1, 7, 28, 1000, 100000}) {
    FrameDecoder decoder;
    int frames = 0;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      decoder.Feed(std::string_view(bytes).substr(at, piece));
      Frame frame;
      for (;;) {
        auto got = decoder.Next(&frame);
        ASSERT_TRUE(got.ok());
        if (!*got) {
          break;
        }
        ++frames;
        EXPECT_EQ(frame.body, Sample().body);
        ASSERT_EQ(frame.attachments.size(), 3U);
        EXPECT_EQ(frame.attachments[2].view(), "log");
      }
    }
    EXPECT_EQ(frames, 2);
  }
}

TEST(FrameTest, EveryFlippedBitOutsideAttachmentsIsFound) {
  const std::string good = Encode(Sample());
  const size_t head = good.size() - 1003;
  for (size_t bit = 0; bit < head * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    FrameDecoder decoder;
    decoder.Feed(bad);
    Frame frame;
    auto got = decoder.Next(&frame);
    EXPECT_TRUE(!got.ok() || !*got) << "bit " << bit;  // an error, or waiting for bytes that lie
  }
}

// Collects what arrives; answers type 1 with type 2.
class Recorder : public FrameHandler {
 public:
  void OnFrame(PeerId from, Frame frame) override {
    if (frame.type == 1) {
      frame.type = 2;
      transport->Send(from, std::move(frame));
      return;
    }
    std::lock_guard lock(mutex);
    frames.push_back(std::move(frame));
    changed.notify_all();
  }
  void OnPeerUp(PeerId) override {
    std::lock_guard lock(mutex);
    ++ups;
    changed.notify_all();
  }
  template <class Condition>
  bool WaitUntil(Condition condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(20), condition);
  }

  Transport* transport = nullptr;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Frame> frames;
  int ups = 0;
};

TEST(TransportTest, FramesArriveInOrderAndAreAnswered) {
  Recorder server_side;
  Recorder client_side;
  auto server = Transport::Create(&server_side);
  auto client = Transport::Create(&client_side);
  server_side.transport = server.get();
  client_side.transport = client.get();
  const uint16_t port = server->Listen("127.0.0.1", 0).value();
  server->Start("server");
  client->Start("client");
  const PeerId peer = client->Connect("127.0.0.1", port);
  ASSERT_TRUE(client_side.WaitUntil([&] { return client_side.ups == 1; }));
  for (uint64_t i = 0; i < 1000; ++i) {
    Frame frame = Sample();
    frame.type = 1;
    frame.request_id = i;
    client->Send(peer, std::move(frame));
  }
  ASSERT_TRUE(client_side.WaitUntil([&] { return client_side.frames.size() == 1000; }));
  for (uint64_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(client_side.frames[i].request_id, i);
    EXPECT_EQ(client_side.frames[i].attachments[0].size(), 1000U);
  }
  client->Stop();
  server->Stop();
}

TEST(TransportTest, ReconnectsWhenThePeerComesBack) {
  Recorder server_side;
  Recorder client_side;
  auto server = Transport::Create(&server_side);
  server_side.transport = server.get();
  const uint16_t port = server->Listen("127.0.0.1", 0).value();
  server->Start("server");
  auto client = Transport::Create(&client_side);
  client_side.transport = client.get();
  client->Start("client");
  client->Connect("127.0.0.1", port);
  ASSERT_TRUE(client_side.WaitUntil([&] { return client_side.ups == 1; }));
  server->Stop();
  server = Transport::Create(&server_side);
  server_side.transport = server.get();
  ASSERT_TRUE(server->Listen("127.0.0.1", port).ok());
  server->Start("server");
  ASSERT_TRUE(client_side.WaitUntil([&] { return client_side.ups == 2; }));
  client->Stop();
  server->Stop();
}

TEST(TransportTest, PortInUseIsReported) {
  Recorder recorder;
  auto first = Transport::Create(&recorder);
  auto second = Transport::Create(&recorder);
  const uint16_t port = first->Listen("127.0.0.1", 0).value();
  EXPECT_EQ(second->Listen("127.0.0.1", port).status().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace borealis
