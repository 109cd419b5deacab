// Storage nodes as processes run them: real files, threads and sockets.
#include "storage_node/process.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/mutex.h"
#include "base/net/call.h"
#include "base/os/time.h"
#include "tests/unit/storage_node/test_cluster.h"

namespace borealis::storage_node {
namespace {

constexpr int64_t kPatienceUs = 10'000'000;

class Client final : public FrameHandler {
 public:
  Client() : transport_(Transport::Create(this)) { transport_->Start("client"); }
  ~Client() override { transport_->Stop(); }

  PeerId Connect(uint16_t port) { return transport_->Connect("127.0.0.1", port); }
  void OnFrame(PeerId /*from*/, Frame frame) override {
    MutexLock lock(mutex_);
    answers_[frame.request_id] = std::move(frame);
    arrived_.NotifyAll();
  }
  // Sends until there is an answer.
  Frame Ask(PeerId peer, Frame frame) {
    frame.request_id = ++next_id_;
    const int64_t until = SystemClock().NowUs() + kPatienceUs;
    while (SystemClock().NowUs() < until) {
      transport_->Send(peer, frame);
      MutexLock lock(mutex_);
      for (int i = 0; i < 20 && !answers_.contains(frame.request_id); ++i) {
        arrived_.WaitFor(mutex_, 10'000);
      }
      if (answers_.contains(frame.request_id)) {
        return answers_[frame.request_id];
      }
    }
    ADD_FAILURE() << "no answer";
    return {};
  }

 private:
  Mutex mutex_{LockRank::kLeaf};
  ConditionVariable arrived_;
  std::map<uint64_t, Frame> answers_;
  uint64_t next_id_ = 0;
  std::unique_ptr<Transport> transport_;
};

TEST(ProcessTest, ServesRestartsAndCatchesUpFromAPeer) {
  const std::string root = testing::TempDir() + "storage_process_" + std::to_string(::getpid());
  std::filesystem::remove_all(root);
  Client client;
  std::vector<StorageNodeAddress> addresses;
  std::vector<StorageProcessConfig> configs(2);
  for (uint32_t i = 0; i < 2; ++i) {
    addresses.push_back({NodeId(i + 1), "az", "127.0.0.1", PickFreePort("127.0.0.1").value()});
  }
  for (size_t i = 0; i < 2; ++i) {
    configs[i].node = addresses[i].node;
    configs[i].az = "az" + std::to_string(i);
    configs[i].directory = root + "/" + std::to_string(i);
    configs[i].port = addresses[i].port;
    configs[i].peers = {addresses[0]};  // the second is found by the geometry
    configs[i].tuning.new_cluster = true;
    configs[i].tuning.journal_file_bytes = 1 << 20;
    configs[i].tuning.table_bytes = 1 << 16;
    configs[i].tuning.gossip_interval_us = 20'000;
    configs[i].tuning.gossip_patience_us = 20'000;
  }
  StorageProcess one;
  StorageProcess two;
  ASSERT_TRUE(one.Start(configs[0]).ok());
  const PeerId peer = client.Connect(addresses[0].port);
  TestCluster frames(1);
  for (size_t i = 0; i < 2; ++i) {
    frames.geometry.nodes[i].port = addresses[i].port;
  }
  msg::GeometryReply adopted;
  ASSERT_TRUE(adopted.ParseFromString(
      client
          .Ask(peer, MakeFrame(MessageType::kGeometryUpdate, 0,
                               TestCluster::GeometryUpdate(frames.geometry, true, 1)))
          .body));
  ASSERT_EQ(adopted.outcome(), msg::OK) << adopted.reason();
  TestLog log;
  Random random(1);
  Lsn vdl;
  for (int i = 0; i < 300; ++i) {
    std::vector<std::string> records;
    for (int k = 0; k < 5; ++k) {
      records.push_back(log.MakeRandom(random, 30));
    }
    msg::AppendReply reply;
    ASSERT_TRUE(reply.ParseFromString(client.Ask(peer, frames.AppendFrame(records, 1, vdl)).body));
    ASSERT_EQ(reply.outcome(), msg::OK) << reply.reason();
    ASSERT_EQ(reply.segments(0).scl(), log.end().value());
    vdl = log.end();
  }
  EXPECT_GT(one.Counters().layers_written, 0U);
  one.Stop();
  ASSERT_TRUE(one.Start(configs[0]).ok());
  ASSERT_EQ(one.Segments().at(0).scl, vdl);
  ASSERT_TRUE(two.Start(configs[1]).ok());
  for (int64_t until = SystemClock().NowUs() + kPatienceUs; SystemClock().NowUs() < until;) {
    const auto segments = two.Segments();
    if (!segments.empty() && segments[0].scl == vdl) {
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(two.OutOfServiceReason(), "");
  const PeerId second = client.Connect(addresses[1].port);
  for (uint64_t page = 0; page < 30; ++page) {
    msg::ReadPagesRequest request;
    request.set_volume_id(kVolume.value());
    request.set_read_point(vdl.value());
    auto* wanted = request.add_pages();
    wanted->set_page(page);
    wanted->set_needed_lsn(vdl.value());
    const Frame frame = client.Ask(second, MakeFrame(MessageType::kReadPagesRequest, 0, request));
    Page want = log.Fold(PageNo(page), vdl);
    SealPage(&want);
    ASSERT_EQ(frame.attachments.size(), 1U);
    EXPECT_EQ(frame.attachments[0].view(), want.view()) << page;
  }
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace borealis::storage_node
