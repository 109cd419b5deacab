// The network layer over real loopback sockets: logins, commands, parking, back-pressure, limits,
// timeouts, kills.
#include "server/net/net_server.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdlib>
#include <filesystem>

#include "base/os/random.h"
#include "base/os/thread.h"
#include "server/worker_pool.h"
#include "tests/unit/server/echo_handler.h"
#include "tests/unit/server/test_client.h"

namespace borealis::server {

std::string TestClient::EncryptFor(const std::string& public_pem, const std::string& plain) {
  BIO* bio = BIO_new_mem_buf(public_pem.data(), static_cast<int>(public_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PUBKEY(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key, nullptr);
  EVP_PKEY_encrypt_init(context);
  EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING);
  std::string cipher(512, '\0');
  size_t size = cipher.size();
  EVP_PKEY_encrypt(context, reinterpret_cast<unsigned char*>(cipher.data()), &size,
                   reinterpret_cast<const unsigned char*>(plain.data()), plain.size());
  cipher.resize(size);
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(key);
  return cipher;
}

namespace {

// Made once: generating the RSA key takes a while.
const ServerKeys& Keys() {
  static const ServerKeys keys = [] {
    std::string directory = testing::TempDir() + "/borealis_net_XXXXXX";
    INVARIANT(::mkdtemp(directory.data()) != nullptr);
    Result<ServerKeys> made = LoadOrMakeKeys(RealFileSystem(), directory);
    INVARIANT(made.ok());
    std::filesystem::remove_all(directory);
    return *made;
  }();
  return keys;
}

class NetServerTest : public testing::Test {
 protected:
  ~NetServerTest() override {
    if (server_ != nullptr) {
      server_->Stop();
      server_.reset();
    }
    pool_.Stop();
    EXPECT_EQ(factory_.opened.load(), factory_.closed.load());
  }

  void Start() {
    pool_.Start();
    NetServer::Parts parts;
    options_.bind_address = "127.0.0.1";
    options_.port = 0;
    parts.options = options_;
    parts.keys = Keys();
    parts.accounts = &accounts_;
    parts.factory = &factory_;
    parts.pool = &pool_;
    server_ = NetServer::Create(std::move(parts));
    ASSERT_TRUE(server_->Start().ok());
  }
  uint16_t port() const { return server_->port(); }

  static bool Eventually(const std::function<bool()>& condition) {
    Mutex mutex(LockRank::kServer);
    ConditionVariable never;
    for (int i = 0; i < 2000; ++i) {
      if (condition()) {
        return true;
      }
      MutexLock lock(mutex);
      never.WaitFor(mutex, 5'000);
    }
    return false;
  }

  NetOptions options_;
  TestAccounts accounts_;
  EchoFactory factory_;
  WorkerPool pool_{[] {
    WorkerPool::Options options;
    options.runnable = 2;
    return options;
  }()};
  std::unique_ptr<NetServer> server_;
};

TEST_F(NetServerTest, LogsInWithEveryPluginWithAndWithoutTls) {
  Start();
  for (const bool tls : {false, true}) {
    for (const std::string_view plugin : {mysql::kSha2Plugin, mysql::kNativePlugin}) {
      for (const std::string user : {"root", "sha", "native"}) {
        TestClient client(port());
        ASSERT_TRUE(client.Login(user, user == "root" ? "" : "secret", tls, std::string(plugin)))
            << user << " " << plugin << " tls " << tls << ": " << client.last_message;
        EXPECT_EQ(client.version, options_.server_version);
        EXPECT_NE(client.server_capabilities & mysql::kClientSsl, 0U);
        EXPECT_EQ(client.Value("echo hello"), "hello");
        EXPECT_EQ(client.Value("cipher"), tls ? "TLSv1.3" : "");
        EXPECT_TRUE(client.SendCommand("\x01"));
      }
    }
  }
  EXPECT_TRUE(Eventually([this] { return server_->connections().size() == 0; }));
  EXPECT_EQ(server_->counters().aborted_clients.load(), 0U);
  EXPECT_EQ(server_->counters().logins.load(), 12U);
}

TEST_F(NetServerTest, ReadsAFileOfTheClientPieceByPiece) {
  Start();
  for (const bool tls : {false, true}) {
    TestClient client(port());
    ASSERT_TRUE(client.Login("root", "", tls));
    for (const size_t piece : {size_t{1}, size_t{70'000}, size_t{0xFFFFFF}, size_t{20'000'000}}) {
      ASSERT_TRUE(client.SendQuery("file a.csv"));
      EXPECT_EQ(client.Read(),
                "\xFB"
                "a.csv");
      ASSERT_TRUE(client.Write(std::string(piece, 'x')) && client.Write("yz") && client.Write(""));
      EXPECT_EQ(client.ReadAnswer(), std::vector{std::to_string(piece + 2)}) << piece;
    }
    EXPECT_EQ(client.Value("echo still here"), "still here");
  }
}

TEST_F(NetServerTest, AFileThatDoesNotComeEndsTheConnection) {
  options_.net_read_timeout_s = 1;
  Start();
  {
    TestClient gone(port());
    ASSERT_TRUE(gone.Login("root", ""));
    ASSERT_TRUE(gone.SendQuery("file a.csv") && gone.Read().has_value() && gone.Write("abc"));
  }
  TestClient silent(port());
  ASSERT_TRUE(silent.Login("root", ""));
  ASSERT_TRUE(silent.SendQuery("file a.csv") && silent.Read().has_value() && silent.Write("abc"));
  EXPECT_FALSE(silent.Read().has_value());
  TestClient lost(port());
  ASSERT_TRUE(lost.Login("root", ""));
  ASSERT_TRUE(lost.SendQuery("file a.csv") && lost.Read().has_value());
  ASSERT_TRUE(lost.WriteRaw(TestClient::Frame("abc", 9)));  // out of order
  std::optional<std::string> error = lost.Read();
  while (error.has_value()) {
    error = lost.Read();
  }
  EXPECT_TRUE(Eventually([this] { return server_->connections().size() == 0; }));
  EXPECT_EQ(factory_.refused_rows.load(), 3);
}

TEST_F(NetServerTest, KillEndsTheWaitForAFile) {
  Start();
  TestClient client(port());
  ASSERT_TRUE(client.Login("root", ""));
  ASSERT_TRUE(client.SendQuery("file a.csv") && client.Read().has_value() && client.Write("abc"));
  ASSERT_TRUE(server_->connections().Kill(client.thread_id, /*query_only=*/false).ok());
  EXPECT_FALSE(client.Read().has_value());
  EXPECT_TRUE(Eventually([this] { return factory_.refused_rows.load() == 1; }));
}

TEST_F(NetServerTest, SecondSha2LoginIsFast) {
  Start();
  TestClient first(port());
  ASSERT_TRUE(first.Login("sha", "secret"));
  EXPECT_TRUE(first.used_full_authentication);
  TestClient second(port());
  ASSERT_TRUE(second.Login("sha", "secret"));
  EXPECT_FALSE(second.used_full_authentication);
  server_->ForgetProvedPasswords();
  TestClient third(port());
  ASSERT_TRUE(third.Login("sha", "secret", true));
  EXPECT_TRUE(third.used_full_authentication);
}

TEST_F(NetServerTest, WrongPasswordsAndUnknownDatabases) {
  Start();
  for (const std::string user : {"root", "sha", "native", "nobody"}) {
    TestClient client(port());
    EXPECT_FALSE(client.Login(user, "wrong"));
    EXPECT_EQ(client.last_error, ER_ACCESS_DENIED_ERROR);
    EXPECT_EQ(client.last_message,
              "Access denied for user '" + user + "'@'localhost' (using password: YES)");
    EXPECT_FALSE(client.Read().has_value()) << "the connection is closed";
  }
  TestClient client(port());
  EXPECT_FALSE(client.Login("root", "", false, "", "missing"));
  EXPECT_EQ(client.last_error, ER_BAD_DB_ERROR);
  TestClient other(port());
  EXPECT_TRUE(other.Login("root", "", false, "", "shop"));
  EXPECT_EQ(other.Value("user"), "root@localhost caching_sha2_password shop");
}

TEST_F(NetServerTest, ChangeUserAuthenticatesAnew) {
  Start();
  TestClient client(port());
  ASSERT_TRUE(client.Login("root", ""));
  ASSERT_TRUE(client.ChangeUser("native", "secret", std::string(mysql::kNativePlugin)));
  EXPECT_EQ(client.Value("user"), "native@localhost mysql_native_password ");
  ASSERT_TRUE(client.ChangeUser("sha", "secret", std::string(mysql::kNativePlugin)));
  EXPECT_EQ(client.Value("user"), "sha@localhost caching_sha2_password ");
  EXPECT_FALSE(client.ChangeUser("native", "wrong", std::string(mysql::kNativePlugin)));
  EXPECT_EQ(client.last_error, ER_ACCESS_DENIED_ERROR);
  EXPECT_FALSE(client.Read().has_value());
}

TEST_F(NetServerTest, PingUnknownAndMalformedCommandsKeepTheConnection) {
  Start();
  TestClient client(port());
  ASSERT_TRUE(client.Login("root", ""));
  ASSERT_TRUE(client.SendCommand("\x0e"));
  EXPECT_TRUE(client.ReadResult().has_value());
  ASSERT_TRUE(client.SendCommand("\x7f"));
  EXPECT_FALSE(client.ReadResult().has_value());
  EXPECT_EQ(client.last_error, ER_UNKNOWN_COM_ERROR);
  ASSERT_TRUE(client.SendCommand("\x17\x01"));
  EXPECT_FALSE(client.ReadResult().has_value());
  EXPECT_EQ(client.last_error, ER_MALFORMED_PACKET);
  EXPECT_EQ(client.Value("echo still here"), "still here");
}

TEST_F(NetServerTest, PipelinedCommandsAreAnsweredInOrder) {
  Start();
  TestClient client(port());
  ASSERT_TRUE(client.Login("root", ""));
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    bytes += TestClient::Frame(
        "\x03"
        "echo " +
        std::to_string(i));
    bytes += TestClient::Frame("\x0e");
    bytes += TestClient::Frame(std::string("\x19\x01\x00\x00\x00", 5));  // no answer
  }
  ASSERT_TRUE(client.WriteRaw(bytes));
  for (int i = 0; i < 300; ++i) {
    const auto values = client.ReadResult();
    ASSERT_TRUE(values.has_value() && values->size() == 1) << i;
    EXPECT_EQ(values->front(), std::to_string(i));
    EXPECT_TRUE(client.ReadResult().has_value());
  }
  EXPECT_EQ(client.Value("thread"), "1");
}

TEST_F(NetServerTest, ParkedCommandsHoldNoThreadAndFinishFromAnyThread) {
  Start();
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<TestClient>(port()));
    ASSERT_TRUE(clients.back()->Login("root", ""));
  }
  for (const bool post : {false, true}) {
    for (auto& client : clients) {
      ASSERT_TRUE(client->SendQuery("park"));
      // A pipelined command must wait for the parked one.
      ASSERT_TRUE(
          client->WriteRaw(TestClient::Frame("\x03"
                                             "echo next")));
    }
    factory_.WaitForParked(20);
    EXPECT_TRUE(Eventually([this] { return pool_.metrics().runnable == 0; }));
    EXPECT_EQ(clients[0]->Read(50), std::nullopt);
    EXPECT_TRUE(clients[0]->timed_out);
    factory_.Release(post);
    for (auto& client : clients) {
      EXPECT_TRUE(client->ReadResult().has_value());
      const auto values = client->ReadResult();
      ASSERT_TRUE(values.has_value() && !values->empty());
      EXPECT_EQ(values->front(), "next");
    }
  }
}

TEST_F(NetServerTest, ContinuationPostedEarlyRunsAfterTheHandlerReturned) {
  Start();
  TestClient client(port());
  ASSERT_TRUE(client.Login("root", ""));
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(client.Query("rush").has_value());
  }
  EXPECT_EQ(client.Value("thread"), "1");
}

TEST_F(NetServerTest, LargeResultsAreStreamedInBoundedMemory) {
  options_.buffer_bytes = 256U << 10;
  Start();
  for (const bool tls : {false, true}) {
    TestClient client(port());
    ASSERT_TRUE(client.Login("root", "", tls));
    const uint64_t waits = server_->counters().output_waits;
    ASSERT_TRUE(client.SendQuery("rows 40000"));
    // Nobody reads: the worker must come to wait, and give its place away.
    EXPECT_TRUE(Eventually([&] { return server_->counters().output_waits > waits; }));
    EXPECT_TRUE(Eventually([&] { return pool_.metrics().blocked == 1; }));
    TestClient other(port());
    ASSERT_TRUE(other.Login("root", ""));
    EXPECT_EQ(other.Value("echo served meanwhile"), "served meanwhile");
    const auto rows = client.ReadResult();
    ASSERT_TRUE(rows.has_value());
    ASSERT_EQ(rows->size(), 40000U);
    EXPECT_EQ(rows->back(), "39999");
  }
}

TEST_F(NetServerTest, ClientThatLeavesEndsItsResult) {
  Start();
  TestClient client(port());
  ASSERT_TRUE(client.Login("root", ""));
  ASSERT_TRUE(client.SendQuery("rows 100000"));
  EXPECT_TRUE(Eventually([this] { return pool_.metrics().blocked == 1; }));
  client.Close();
  EXPECT_TRUE(Eventually([this] { return factory_.refused_rows == 1; }));
  EXPECT_TRUE(Eventually([this] { return server_->connections().size() == 0; }));
  EXPECT_EQ(server_->counters().aborted_clients.load(), 1U);
}

TEST_F(NetServerTest, ClientThatNeverReadsIsGivenUp) {
  options_.net_write_timeout_s = 1;
  Start();
  TestClient client(port());
  ASSERT_TRUE(client.Login("root", ""));
  ASSERT_TRUE(client.SendQuery("rows 100000"));
  EXPECT_TRUE(Eventually([this] { return factory_.refused_rows == 1; }));
  EXPECT_TRUE(Eventually([this] { return server_->connections().size() == 0; }));
}

TEST_F(NetServerTest, LargePacketsBothWays) {
  Start();
  TestClient client(port());
  ASSERT_TRUE(client.Login("root", "", true));
  const std::string text(20U << 20, 'z');  // two frames
  EXPECT_TRUE(client.Value("echo " + text) == text);
}

TEST_F(NetServerTest, PacketOverTheLimitIsRefusedWith1153) {
  options_.max_allowed_packet = 1U << 20;
  Start();
  TestClient client(port());
  ASSERT_TRUE(client.Login("root", ""));
  EXPECT_FALSE(client.Query("echo " + std::string(8U << 20, 'z')).has_value());
  EXPECT_EQ(client.last_error, ER_NET_PACKET_TOO_LARGE);
  EXPECT_FALSE(client.Read().has_value());
}

TEST_F(NetServerTest, WrongSequenceIsRefused) {
  Start();
  TestClient client(port());
  ASSERT_TRUE(client.Login("root", ""));
  ASSERT_TRUE(client.WriteRaw(TestClient::Frame("\x0e", 7)));
  EXPECT_FALSE(client.ReadResult().has_value());
  EXPECT_EQ(client.last_error, ER_NET_PACKETS_OUT_OF_ORDER);
}

TEST_F(NetServerTest, GarbageInsteadOfALogin) {
  Start();
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), std::string(40, '\0'),
        TestClient::Frame("short", 1), TestClient::Frame(std::string(300000, 'x'), 1)}) {
    TestClient client(port());
    ASSERT_TRUE(client.ReadGreeting());
    client.WriteRaw(bytes);
    ::shutdown(client.fd(), SHUT_WR);
    while (client.Read().has_value()) {
    }
    EXPECT_FALSE(client.timed_out);
  }
  EXPECT_TRUE(Eventually([this] { return server_->connections().size() == 0; }));
  EXPECT_EQ(server_->counters().aborted_connects.load(), 4U);
}

TEST_F(NetServerTest, TooManyConnections) {
  options_.max_connections = 2;
  Start();
  auto first = std::make_unique<TestClient>(port());
  TestClient second(port());
  ASSERT_TRUE(first->Login("root", ""));
  ASSERT_TRUE(second.Login("root", ""));
  TestClient third(port());
  EXPECT_FALSE(third.ReadGreeting());
  EXPECT_EQ(third.last_error, ER_CON_COUNT_ERROR);
  EXPECT_EQ(third.last_message, "Too many connections");
  first.reset();
  EXPECT_TRUE(Eventually([this] { return server_->connections().size() == 1; }));
  TestClient fourth(port());
  EXPECT_TRUE(fourth.Login("root", ""));
  EXPECT_EQ(server_->connections().most_used(), 2U);
}

TEST_F(NetServerTest, IdleClientIsToldWhyItIsClosed) {
  options_.wait_timeout_s = 1;
  Start();
  for (const bool tls : {false, true}) {
    TestClient client(port());
    ASSERT_TRUE(client.Login("root", "", tls));
    client.ResetSequence(0);
    const auto packet = client.Read();
    ASSERT_TRUE(packet.has_value());
    EXPECT_TRUE(client.NoteError(*packet));
    EXPECT_EQ(client.last_error, ER_CLIENT_INTERACTION_TIMEOUT);
    EXPECT_FALSE(client.Read().has_value());
  }
}

TEST_F(NetServerTest, SilentLoginIsClosedAfterConnectTimeout) {
  options_.connect_timeout_s = 1;
  Start();
  TestClient silent(port());
  ASSERT_TRUE(silent.ReadGreeting());
  EXPECT_FALSE(silent.Read().has_value());
  EXPECT_FALSE(silent.timed_out);
  TestClient half(port());
  ASSERT_TRUE(half.ReadGreeting());
  half.WriteRaw(std::string("\x40\x00\x00\x01\x05", 5));
  EXPECT_FALSE(half.Read().has_value());
  EXPECT_FALSE(half.timed_out);
}

TEST_F(NetServerTest, KillEndsIdleParkedAndBlockedConnections) {
  Start();
  TestClient idle(port());
  TestClient blocked(port());
  TestClient parked(port());
  ASSERT_TRUE(idle.Login("root", "") && blocked.Login("root", "") && parked.Login("root", ""));
  ASSERT_TRUE(blocked.SendQuery("block"));
  ASSERT_TRUE(parked.SendQuery("park"));
  factory_.WaitForParked(2);
  EXPECT_EQ(server_->connections().List().size(), 3U);
  for (TestClient* client : {&idle, &blocked, &parked}) {
    EXPECT_TRUE(server_->connections().Kill(client->thread_id, false).ok());
    EXPECT_FALSE(client->Read().has_value());
    EXPECT_FALSE(client->timed_out);
  }
  EXPECT_EQ(server_->connections().Kill(99999, false).user_errno(), ER_NO_SUCH_THREAD);
  EXPECT_TRUE(Eventually([this] { return server_->connections().size() == 1; }))
      << "the parked command still holds its connection";
  factory_.Release(false);
  EXPECT_TRUE(Eventually([this] { return server_->connections().size() == 0; }));
}

TEST_F(NetServerTest, KillQueryKeepsTheConnection) {
  Start();
  TestClient client(port());
  ASSERT_TRUE(client.Login("root", ""));
  ASSERT_TRUE(client.SendQuery("block"));
  factory_.WaitForParked(1);
  EXPECT_TRUE(server_->connections().Kill(client.thread_id, true).ok());
  EXPECT_FALSE(client.ReadResult().has_value());
  EXPECT_EQ(client.last_error, ER_QUERY_INTERRUPTED);
  EXPECT_EQ(client.Value("echo alive"), "alive");
}

TEST_F(NetServerTest, BlockedSessionsDoNotStopOthers) {
  Start();
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 30; ++i) {
    clients.push_back(std::make_unique<TestClient>(port()));
    ASSERT_TRUE(clients.back()->Login("root", ""));
    ASSERT_TRUE(clients.back()->SendQuery("block"));
  }
  factory_.WaitForParked(30);
  TestClient other(port());
  ASSERT_TRUE(other.Login("root", ""));
  EXPECT_EQ(other.Value("echo x"), "x");
  factory_.Release(false);
  for (auto& client : clients) {
    EXPECT_TRUE(client->ReadResult().has_value());
  }
}

TEST_F(NetServerTest, KillsAtAnyMomentLeaveNothingBehind) {
  Start();
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0};
  std::vector<Thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back("client", [this, t, &stop, &answered] {
      Random random(static_cast<uint64_t>(t) + 1);
      while (!stop) {
        TestClient client(port());
        if (!client.Login("root", "", random.Chance(0.3))) {
          continue;
        }
        while (!stop && !random.Chance(0.05)) {
          const char* const texts[] = {"echo x", "rush", "rows 300", "ok"};
          if (!client.Query(texts[random.Below(4)]).has_value()) {
            break;
          }
          ++answered;
        }
        if (random.Chance(0.5)) {
          client.SendCommand("\x01");
        }
      }
    });
  }
  Random random(99);
  const int64_t at_least_until = SystemClock().NowUs() + 1'000'000;
  while (SystemClock().NowUs() < at_least_until || answered.load() <= 100) {
    const auto entries = server_->connections().List();
    if (!entries.empty()) {
      const auto& entry = entries[random.Below(entries.size())];
      server_->connections().Kill(entry.connection->id(), random.Chance(0.5)).IgnoreError();
      entry.connection->activity();
      entry.connection->user_at_login();
    }
  }
  stop = true;
  threads.clear();
  EXPECT_TRUE(Eventually([this] { return server_->connections().size() == 0; }));
  EXPECT_EQ(factory_.opened.load(), factory_.closed.load());
}

TEST_F(NetServerTest, StopEndsEverything) {
  Start();
  TestClient idle(port());
  TestClient blocked(port());
  TestClient unfinished(port());
  ASSERT_TRUE(idle.Login("root", "") && blocked.Login("root", ""));
  ASSERT_TRUE(blocked.SendQuery("block"));
  factory_.WaitForParked(1);
  const uint16_t closed_port = port();
  server_->Stop();
  EXPECT_EQ(server_->connections().size(), 0U);
  EXPECT_FALSE(idle.Read().has_value());
  TestClient late(closed_port);
  EXPECT_FALSE(late.connected());
}

TEST_F(NetServerTest, AddressInUseIsReported) {
  Start();
  NetServer::Parts parts;
  parts.options.bind_address = "127.0.0.1";
  parts.options.port = port();
  parts.pool = &pool_;
  const auto second = NetServer::Create(std::move(parts));
  EXPECT_TRUE(second->Start().Is(Code::kIoError));
}

TEST(KeysTest, AreMadeOnceAndThenLoaded) {
  std::string directory = testing::TempDir() + "/borealis_keys_XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  Result<ServerKeys> first = LoadOrMakeKeys(RealFileSystem(), directory);
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  Result<ServerKeys> second = LoadOrMakeKeys(RealFileSystem(), directory);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(first->rsa->public_pem(), second->rsa->public_pem());
  // A first start that ended between key and certificate is made whole.
  std::filesystem::remove(directory + "/server-cert.pem");
  EXPECT_TRUE(LoadOrMakeKeys(RealFileSystem(), directory).ok());
  std::filesystem::remove(directory + "/server-key.pem");
  EXPECT_TRUE(LoadOrMakeKeys(RealFileSystem(), directory).status().Is(Code::kNotFound));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace borealis::server
