// The connection object itself: drives one client through login and commands.
//
// It is a state machine with one owner at a time and never more than one wait outstanding, so its
// fields need no lock:
//   * a reactor's thread, from readiness of the socket until the next wait or hand-over;
//   * a worker, while it authenticates or runs the handler;
//   * whoever parks and finishes the command.
// Others only raise flags and shut the descriptor down (::shutdown wakes the owner's wait); closing
// the descriptor is the owner's alone and excludes them by socket_mutex_.
//
//   kLogin --SSLRequest--> kTlsHandshake --> kLogin --response--> kAuthenticating <--> kAuthReply
//     --> kIdle --command--> kOwned --Finish--> kFlushing --> kIdle
//   any --> kFlushing --> (kDraining) --> kClosed
//
// Internal to server/net.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "protocol/mysql/auth.h"
#include "protocol/mysql/packet.h"
#include "server/net/command_handler.h"
#include "server/net/connection.h"
#include "server/net/net_options.h"
#include "server/net/socket_stream.h"
#include "server/net/tls.h"

namespace borealis::server {

class ClientConnection;
class ConnectionRegistry;
class WorkerPool;
struct NetCounters;

// The socket as its reactor sees it; the destructor closes it. Wait calls connection->OnReady()
// once, on a reactor's thread.
class SocketReadiness {
 public:
  virtual ~SocketReadiness() = default;
  virtual int fd() const = 0;
  virtual void Wait(bool for_write, std::shared_ptr<ClientConnection> connection) = 0;
};

// What all connections of a server share; outlives them.
struct ConnectionEnvironment {
  NetOptions options;
  ServerKeys keys;
  mysql::AccountSource* accounts = nullptr;
  HandlerFactory* factory = nullptr;
  WorkerPool* pool = nullptr;
  ConnectionRegistry* registry = nullptr;
  NetCounters* counters = nullptr;
  mysql::Sha2Cache sha2_cache;
};

class ClientConnection final : public Connection,
                               public std::enable_shared_from_this<ClientConnection> {
 public:
  ClientConnection(ConnectionEnvironment* environment, std::unique_ptr<SocketReadiness> socket,
                   uint32_t id, std::string host, uint16_t port);
  ~ClientConnection() override;

  // Greets the client. On a reactor.
  void Start();
  // The wait is over.
  void OnReady();
  // The deadline of the current wait has passed; any thread.
  void OnTimer(int64_t now_us);
  // KILL QUERY: tells the handler.
  void KillQuery();
  std::shared_ptr<CommandHandler> handler() const;
  const std::string& host() const { return host_; }

  // Connection.
  uint32_t id() const override { return id_; }
  ConnectionActivity activity() const override;
  std::string user_at_login() const override;
  std::string peer() const override { return host_ + ":" + std::to_string(port_); }
  const LoginInfo& login() const override { return login_; }
  mysql::ResponseWriter& response() override { return response_; }
  Status FlushIfFull() override;
  Status Flush() override;
  Status ReadPacket(std::string_view* payload) override;
  void Finish() override;
  void FinishAndClose() override;
  void Post(std::function<void()> continuation) override;
  void SetMaxAllowedPacket(uint32_t bytes) override { reader_.set_max_allowed_packet(bytes); }
  void SetWaitTimeout(int64_t seconds) override { wait_timeout_us_ = seconds * 1'000'000; }
  void SetNetReadTimeout(int64_t seconds) override { read_timeout_us_ = seconds * 1'000'000; }
  void SetNetWriteTimeout(int64_t seconds) override { write_timeout_us_ = seconds * 1'000'000; }
  void Kill() override;
  bool closing() const override { return killed_.load(std::memory_order_acquire); }

 private:
  static constexpr int64_t kNoDeadline = INT64_MAX;

  enum class State : uint8_t {
    kLogin,
    kTlsHandshake,
    kAuthReply,  // waiting for the client's next authentication packet
    kIdle,       // waiting for a command
    kOwned,      // a worker or the handler owns the connection
    kFlushing,   // sending what is buffered, then after_flush_
    kDraining,   // reading what a refused client still sends, so that it gets to read our error
    kClosed,
  };
  enum class Next { kGoOn, kStop };  // of Drive: look at the state again, or no longer the owner

  void Drive();
  Next DriveReading();
  Next DriveTlsHandshake();
  Next DriveFlushing();
  Next DriveDraining();
  Next WaitFor(SocketStream::State state);
  Next OnInterrupted();
  Result<bool> NextPacket(std::string_view* payload);
  // From the end of the login on, if the client asked for it.
  void StartCompression();
  Next OnPacket(std::string_view payload);
  Next OnLoginPacket(std::string_view payload);
  Next OnCommandPacket(std::string_view payload);
  Next HandOver(std::function<void()> work);
  Next Close();
  void SetState(State state);
  void FlushThen(State after);
  // Sends an ERR and closes; with `drain` the client's unread bytes are taken first.
  void RefuseAndClose(const Status& error, bool drain);
  int64_t WaitBudgetUs() const;

  // On a worker.
  void RunAuthentication(std::optional<std::string> reply);
  void OnAuthenticated(std::string last_packet);
  Status OpenOrChangeSession();
  // The handler must have been marked running_.
  void RunHandler(const std::function<void()>& first);
  void FinishCommand(bool close);
  void CompleteCommand(bool close);

  // Sends without waiting: kDone when nothing is left.
  SocketStream::State SendBuffered();
  // Waits for the client, who takes or sends nothing for now. Errors: it has gone, or is too slow.
  Status WaitForClient(SocketStream::State state, int64_t timeout_us);
  Status GiveUpClient();
  Status FlushAll();
  size_t unsent() const { return output_.size() - sent_; }
  bool interrupted() const { return killed_.load() || timed_out_; }

  ConnectionEnvironment* const environment_;
  const uint32_t id_;
  const std::string host_;
  const uint16_t port_;

  // The owner's.
  std::unique_ptr<SocketReadiness> socket_;
  SocketStream stream_;
  mysql::PacketReader reader_;
  std::string output_;
  size_t sent_ = 0;  // bytes of output_ already on their way
  uint8_t sequence_ = 0;
  mysql::ResponseWriter response_;
  State after_flush_ = State::kClosed;
  std::string scramble_;
  std::optional<mysql::LoginRequest> request_;
  int zstd_level_ = 0;
  std::unique_ptr<mysql::Authenticator> authenticator_;
  LoginInfo login_;
  int64_t login_deadline_us_ = 0;
  int64_t wait_timeout_us_;
  int64_t read_timeout_us_;
  int64_t write_timeout_us_;
  bool logged_in_ = false;
  bool clean_end_ = false;                  // COM_QUIT was seen
  bool timed_out_ = false;                  // OnTimer ended the last wait
  bool unreadable_ = false;                 // ReadPacket failed: what follows means nothing
  std::optional<mysql::Command> received_;  // on its way to the handler
  size_t drained_ = 0;

  // Any thread's.
  std::atomic<State> state_{State::kLogin};
  std::atomic<mysql::CommandCode> command_{mysql::CommandCode::kConnect};
  std::atomic<int64_t> since_us_{0};
  // Of the wait in progress. Whoever exchanges it for kNoDeadline, OnTimer or the owner, decides
  // whether the wait timed out.
  std::atomic<int64_t> deadline_us_{kNoDeadline};
  std::atomic<bool> killed_{false};

  // Who may touch the descriptor, and the handler and user for onlookers.
  mutable Mutex socket_mutex_{LockRank::kNetwork};
  bool open_ GUARDED_BY(socket_mutex_) = true;
  std::shared_ptr<CommandHandler> handler_ GUARDED_BY(socket_mutex_);
  std::string user_ GUARDED_BY(socket_mutex_);

  // INV-NET-1: who runs the handler.
  Mutex run_mutex_{LockRank::kNetwork};
  bool running_ GUARDED_BY(run_mutex_) = false;
  bool finished_ GUARDED_BY(run_mutex_) = false;
  bool close_after_ GUARDED_BY(run_mutex_) = false;
  std::function<void()> continuation_ GUARDED_BY(run_mutex_);
};

}  // namespace borealis::server
