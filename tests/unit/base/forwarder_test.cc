// base/net/forwarder: bytes through it, targets that come late and that go.
#include "base/net/forwarder.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "base/net/call.h"

namespace borealis {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

// A forwarder with one endpoint, and a listening socket that can be made its target.
class ForwarderTest : public testing::Test {
 protected:
  ForwarderTest()
      : server_(io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)),
        port_(PickFreePort("127.0.0.1").value()),
        forwarder_(Forwarder::Create()) {
    EXPECT_TRUE(forwarder_->Listen("cluster", "127.0.0.1", port_).ok());
    forwarder_->Start();
  }
  ~ForwarderTest() override { forwarder_->Stop(); }

  void GiveTarget() {
    forwarder_->SetTargets("cluster", {{"127.0.0.1", server_.local_endpoint().port()}});
  }
  tcp::socket Connect() {
    tcp::socket socket(io_);
    socket.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port_));
    return socket;
  }

  boost::asio::io_context io_;
  tcp::acceptor server_;
  const uint16_t port_;
  std::unique_ptr<Forwarder> forwarder_;
};

std::string Bytes(size_t size, uint32_t seed) {
  std::string bytes(size, 0);
  for (char& byte : bytes) {
    seed = seed * 1664525 + 1013904223;
    byte = static_cast<char>(seed >> 24);
  }
  return bytes;
}

void Send(tcp::socket* socket, const std::string& bytes, size_t piece) {
  for (size_t at = 0; at < bytes.size(); at += piece) {
    boost::asio::write(*socket,
                       boost::asio::buffer(bytes.data() + at, std::min(piece, bytes.size() - at)));
  }
}

std::string Receive(tcp::socket* socket, size_t size) {
  std::string bytes(size, 0);
  bytes.resize(boost::asio::read(*socket, boost::asio::buffer(bytes)));
  return bytes;
}

TEST_F(ForwarderTest, BytesPassUnchangedBothWaysWhateverTheirPieces) {
  GiveTarget();
  tcp::socket client = Connect();
  tcp::socket target = server_.accept();
  for (const size_t piece : {1, 1000, 1024, 1025, 65536, 65537, 1 << 20}) {
    const std::string there = Bytes(std::min<size_t>(piece * 1000, 4 << 20), 1);
    const std::string back = Bytes(there.size() + 7, 2);
    std::thread sends([&] { Send(&client, there, piece); });
    std::thread answers([&] { Send(&target, back, piece); });
    EXPECT_EQ(Receive(&target, there.size()), there) << piece;
    EXPECT_EQ(Receive(&client, back.size()), back) << piece;
    sends.join();
    answers.join();
  }
}

TEST_F(ForwarderTest, AReceiverThatDoesNotReadHoldsTheSenderBack) {
  GiveTarget();
  tcp::socket client = Connect();
  tcp::socket target = server_.accept();
  const std::string bytes = Bytes(64 << 20, 3);
  std::atomic<size_t> sent = 0;
  std::thread sends([&] {
    for (size_t at = 0; at < bytes.size(); at += 65536) {
      boost::asio::write(client, boost::asio::buffer(bytes.data() + at, 65536));
      sent += 65536;
    }
  });
  size_t before;
  do {
    before = sent;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  } while (sent != before);
  EXPECT_LT(before, bytes.size());  // what the kernel's buffers hold, and no more
  EXPECT_EQ(Receive(&target, bytes.size()), bytes);
  sends.join();
}

TEST_F(ForwarderTest, AConnectionWaitsForATarget) {
  tcp::socket client = Connect();
  Send(&client, "hello", 5);
  GiveTarget();
  tcp::socket target = server_.accept();
  EXPECT_EQ(Receive(&target, 5), "hello");
}

TEST_F(ForwarderTest, WhatWasSentBeforeAnEndArrivesBeforeIt) {
  GiveTarget();
  tcp::socket client = Connect();
  tcp::socket target = server_.accept();
  const std::string bytes = Bytes(300'000, 4);
  std::thread sends([&] {
    Send(&target, bytes, bytes.size());
    target.close();
  });
  EXPECT_EQ(Receive(&client, bytes.size()), bytes);
  sends.join();
  error_code end;
  char byte;
  client.read_some(boost::asio::buffer(&byte, 1), end);
  EXPECT_EQ(end, boost::asio::error::eof);
}

TEST_F(ForwarderTest, ATargetThatIsNoLongerListedLosesItsConnections) {
  GiveTarget();
  tcp::socket client = Connect();
  tcp::socket target = server_.accept();
  Send(&target, "x", 1);
  EXPECT_EQ(Receive(&client, 1), "x");
  forwarder_->SetTargets("cluster", {});
  error_code end;
  char byte;
  client.read_some(boost::asio::buffer(&byte, 1), end);
  EXPECT_TRUE(end);
  target.read_some(boost::asio::buffer(&byte, 1), end);
  EXPECT_TRUE(end);
}

}  // namespace
}  // namespace borealis
