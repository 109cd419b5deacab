// The threaded shells against real storage nodes on loopback: StorageClient and ReplicaVolume.
#include "storage_client/client.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

#include "base/os/random.h"
#include "base/os/thread.h"
#include "base/os/time.h"
#include "storage_client/replica_volume.h"
#include "storage_node/process.h"
#include "tests/support/memory_volume.h"
#include "volume/edit.h"

namespace borealis::storage_client {
namespace {

constexpr uint64_t kPagesPerPg = 16;

class ClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static std::atomic<int> counter{0};
    root_ = std::filesystem::temp_directory_path() /
            ("borealis_client_test_" + std::to_string(SystemClock().WallUs()) + "_" +
             std::to_string(++counter));
    // Ports first, so that every node knows its peers.
    nodes_.resize(6);
    for (uint32_t i = 0; i < 6; ++i) {
      addresses_.push_back(
          {NodeId(i + 1), std::string(1, static_cast<char>('a' + i / 2)), "127.0.0.1", 0, false});
      StartNode(i);
    }
    // Once more, now that all addresses are known.
    for (uint32_t i = 0; i < 6; ++i) {
      nodes_[i].reset();
      StartNode(i);
    }
  }
  void TearDown() override {
    nodes_.clear();
    std::filesystem::remove_all(root_);
  }
  void StartNode(size_t slot) {
    storage_node::StorageProcessConfig config;
    config.node = addresses_[slot].node;
    config.az = addresses_[slot].az;
    config.directory = (root_ / std::to_string(slot)).string();
    config.port = addresses_[slot].port;
    config.peers = addresses_;
    config.tuning.journal_file_bytes = 1u << 20;
    config.tuning.new_cluster = true;
    nodes_[slot] = std::make_unique<storage_node::StorageProcess>();
    const Result<uint16_t> port = nodes_[slot]->Start(config);
    ASSERT_TRUE(port.ok()) << port.status().ToString();
    addresses_[slot].port = *port;
  }
  VolumeSource Source() const {
    return {VolumeId(1), addresses_, VolumeSource::NewVolume{kPagesPerPg}};
  }
  std::unique_ptr<StorageClient> OpenClient() {
    ClientConfig config;
    config.volume = Source();
    config.open_timeout_us = 20'000'000;
    Result<std::unique_ptr<StorageClient>> client = StorageClient::Open(config);
    EXPECT_TRUE(client.ok()) << client.status().ToString();
    return client.ok() ? std::move(*client) : nullptr;
  }

  std::filesystem::path root_;
  std::vector<StorageNodeAddress> addresses_;
  std::vector<std::unique_ptr<storage_node::StorageProcess>> nodes_;
};

Lsn AppendWrite(Volume& volume, PageNo page, size_t offset, std::string_view bytes) {
  std::string edits;
  AppendWriteEdit(&edits, offset, bytes);
  RecordDraft draft;
  draft.page = page;
  draft.body = edits;
  return volume.Append({&draft, 1});
}

// Hears the stream as a reader instance does and feeds its volume.
class Feeder : public LogSubscriber {
 public:
  Feeder(ReplicaVolume* replica, VolumeEpoch epoch) : replica_(replica), epoch_(epoch) {}
  void OnGeometry(const Geometry& geometry) override { replica_->SetGeometry(geometry); }
  void OnLog(Lsn start, Lsn end, const SharedBytes& records) override {
    EXPECT_EQ(records.size(), end - start);
    if (next_ != Lsn(0)) {
      EXPECT_EQ(start, next_);
    } else {
      first_ = start;
    }
    next_ = end;
  }
  Lsn first() const { return first_; }
  Lsn next() const { return next_; }
  void OnVdl(Lsn vdl, std::span<const PgTailAt> changed) override {
    replica_->Advance(vdl, changed, epoch_);
  }
  void OnEnd(const Status&) override { ended.store(true); }
  std::atomic<bool> ended{false};

 private:
  ReplicaVolume* replica_;
  VolumeEpoch epoch_;
  Lsn first_;
  Lsn next_;
};

TEST_F(ClientTest, ManyThreadsWriteThenEveryPageReadsBackAlsoThroughAReaderAndAfterReopening) {
  auto client = OpenClient();
  ASSERT_NE(client, nullptr);
  ReplicaVolume replica(addresses_);
  Feeder feeder(&replica, client->epoch());
  client->Subscribe(&feeder);

  constexpr int kThreads = 4;
  constexpr int kWrites = 300;
  std::atomic<int> acknowledged{0};
  {
    std::vector<Thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back("append", [&, t] {
        for (int i = 0; i < kWrites; ++i) {
          ASSERT_TRUE(client->WaitForRoom().ok());
          // Each thread has its own pages, so that latches need no simulation.
          const PageNo page(static_cast<uint64_t>(t * 10 + i % 10));
          const Lsn end = AppendWrite(*client, page, 100, std::to_string(1000 + i));
          client->WhenDurable(end, [&, end](Status status) {
            EXPECT_TRUE(status.ok());
            EXPECT_GE(client->vdl(), end);
            ++acknowledged;
          });
        }
      });
    }
  }
  ASSERT_TRUE(client->WaitDurable(client->appended()).ok());
  EXPECT_EQ(acknowledged.load(), kThreads * kWrites);
  const Lsn end = client->vdl();
  EXPECT_EQ(end, client->appended());

  std::vector<PageNo> pages;
  for (uint64_t page = 0; page < 40; ++page) {
    pages.emplace_back(page);
  }
  std::vector<Page> read(pages.size());
  const auto check = [&](PageReader& volume, const char* who) {
    const Status status = volume.ReadPages(pages, end, read.data());
    ASSERT_TRUE(status.ok()) << who << ": " << status.ToString();
    for (size_t i = 0; i < pages.size(); ++i) {
      EXPECT_EQ(std::string_view(read[i].bytes + 100, 4), std::to_string(1290 + i % 10)) << who;
    }
  };
  check(*client, "writer");
  while (replica.vdl() < end) {
    ASSERT_FALSE(feeder.ended.load());
    Page page;
    ASSERT_TRUE(client->ReadPage(PageNo(0), end, &page).ok());  // lets time pass
  }
  check(replica, "reader");
  EXPECT_GT(client->Metrics().batches_sent, 0U);
  client->Close();
  EXPECT_TRUE(feeder.ended.load());
  EXPECT_TRUE(client->ReadPage(PageNo(0), end, &read[0]).Is(Code::kCancelled));

  const int64_t since_us = SystemClock().NowUs();
  auto again = OpenClient();
  ASSERT_NE(again, nullptr);
  EXPECT_LT(SystemClock().NowUs() - since_us, 5'000'000);
  EXPECT_EQ(again->vdl(), end);
  check(*again, "reopened");
}

TEST_F(ClientTest, WhoSubscribesGetsWhatIsNotDurableYet) {
  auto client = OpenClient();
  ASSERT_NE(client, nullptr);
  const Lsn durable = AppendWrite(*client, PageNo(3), 64, "durable");
  ASSERT_TRUE(client->WaitDurable(durable).ok());
  for (size_t slot : {0, 2, 4}) {
    nodes_[slot].reset();
  }
  const Lsn waiting = AppendWrite(*client, PageNo(3), 64, "waiting");
  ReplicaVolume replica(addresses_);
  Feeder feeder(&replica, client->epoch());
  const Lsn from = client->Subscribe(&feeder);
  // A reader that begins at the VDL lacks nothing that comes after it.
  EXPECT_LE(from, durable);
  EXPECT_EQ(feeder.first(), from);
  EXPECT_EQ(feeder.next(), waiting);
  StartNode(0);
  ASSERT_TRUE(client->WaitDurable(waiting).ok());
  client->Unsubscribe(&feeder);
  EXPECT_EQ(feeder.next(), waiting);
}

TEST_F(ClientTest, TwoNodesGoWithoutAFailedWriteAndANewOpenerDeposesTheOld) {
  auto old_client = OpenClient();
  ASSERT_NE(old_client, nullptr);
  nodes_[0].reset();
  nodes_[3].reset();
  const Lsn end = AppendWrite(*old_client, PageNo(3), 64, "two of six gone");
  ASSERT_TRUE(old_client->WaitDurable(end).ok());

  std::promise<Status> deposed;
  old_client->OnDeposed([&](Status status) { deposed.set_value(std::move(status)); });
  auto new_client = OpenClient();
  ASSERT_NE(new_client, nullptr);
  EXPECT_GT(new_client->epoch(), old_client->epoch());
  Page page;
  ASSERT_TRUE(new_client->ReadPage(PageNo(3), new_client->vdl(), &page).ok());
  EXPECT_EQ(std::string_view(page.bytes + 64, 15), "two of six gone");

  const Lsn late = AppendWrite(*old_client, PageNo(3), 64, "never");
  EXPECT_TRUE(old_client->WaitDurable(late).Is(Code::kFenced));
  EXPECT_TRUE(deposed.get_future().get().Is(Code::kFenced));
  EXPECT_TRUE(old_client->WaitForRoom().Is(Code::kFenced));
  ASSERT_TRUE(new_client->WaitDurable(AppendWrite(*new_client, PageNo(3), 64, "new")).ok());
}

TEST_F(ClientTest, WithThreeNodesGoneReadsGoOnAndOpeningSaysWhatItWaitsFor) {
  auto client = OpenClient();
  ASSERT_NE(client, nullptr);
  const Lsn end = AppendWrite(*client, PageNo(3), 64, "here");
  ASSERT_TRUE(client->WaitDurable(end).ok());
  // All six have it before three go.
  for (int tries = 0; tries < 200; ++tries) {
    size_t complete = 0;
    for (const auto& node : nodes_) {
      for (const auto& segment : node->Segments()) {
        complete += segment.scl >= end ? 1 : 0;
      }
    }
    Page page;
    ASSERT_TRUE(client->ReadPage(PageNo(3), end, &page).ok());
    if (complete == 6) {
      break;
    }
  }
  for (size_t slot : {0, 2, 4}) {
    nodes_[slot].reset();
  }
  Page page;
  ASSERT_TRUE(client->ReadPage(PageNo(3), end, &page).ok());
  EXPECT_EQ(std::string_view(page.bytes + 64, 4), "here");

  ClientConfig config;
  config.volume = Source();
  config.open_timeout_us = 1'500'000;
  std::string said;
  const auto opened =
      StorageClient::Open(config, [&](const OpenProgress& progress) { said = progress.step; });
  EXPECT_TRUE(opened.status().Is(Code::kUnavailable));
  EXPECT_NE(said.find("3 of 6"), std::string::npos) << said;
}

TEST_F(ClientTest, ASeatMovesToANewNodeWhileRecordsComeAndAReaderFollows) {
  auto client = OpenClient();
  ASSERT_NE(client, nullptr);
  ReplicaVolume replica(addresses_);
  Feeder feeder(&replica, client->epoch());
  client->Subscribe(&feeder);
  ASSERT_TRUE(client->WaitDurable(AppendWrite(*client, PageNo(3), 64, "before")).ok());

  addresses_.push_back({NodeId(7), "c", "127.0.0.1", 0, false});
  nodes_.emplace_back();
  StartNode(6);
  ASSERT_TRUE(client->AddNode(addresses_[6]).ok());
  nodes_[5].reset();
  ASSERT_TRUE(client->OrderSeat({SeatOrder::Kind::kReplace, PgId(0), NodeId(6), NodeId(7)}).ok());
  const auto has_moved = [&] {
    const Geometry geometry = client->geometry();
    const std::optional<Slot> slot = geometry.SlotOf(NodeId(7));
    return slot && (geometry.group(PgId(0)).Holders() & SegmentBit(*slot)) != 0;
  };
  Lsn end;
  const int64_t give_up_us = SystemClock().NowUs() + 20'000'000;
  for (int i = 0; !has_moved() && SystemClock().NowUs() < give_up_us; ++i) {
    end = AppendWrite(*client, PageNo(3), 64, std::to_string(100000 + i));
    ASSERT_TRUE(client->WaitDurable(end).ok());
  }
  ASSERT_TRUE(has_moved());
  end = AppendWrite(*client, PageNo(3), 64, "after");
  ASSERT_TRUE(client->WaitDurable(end).ok());
  while (replica.vdl() < end) {
    ASSERT_FALSE(feeder.ended.load());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // Of those that held the group before only two are left, so the new one must do its part.
  nodes_[0].reset();
  nodes_[1].reset();
  Page page;
  for (PageReader* volume :
       {static_cast<PageReader*>(client.get()), static_cast<PageReader*>(&replica)}) {
    ASSERT_TRUE(volume->ReadPage(PageNo(3), end, &page).ok());
    EXPECT_EQ(std::string_view(page.bytes + 64, 5), "after");
  }
  ASSERT_TRUE(client->WaitDurable(AppendWrite(*client, PageNo(3), 64, "four of six")).ok());
  client->Close();
  EXPECT_TRUE(client->AddNode(addresses_[6]).Is(Code::kCancelled));
}

}  // namespace
}  // namespace borealis::storage_client
