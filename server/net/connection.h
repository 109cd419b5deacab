// A client's connection, as the code that answers its commands sees it.
//
// One command at a time: it is handed to the connection's CommandHandler (command_handler.h), which
// owns the connection until it calls Finish; bytes the client has pipelined wait. The answer is
// written with response(), into a buffer that FlushIfFull sends in large pieces and that is
// bounded: when the client reads slowly, FlushIfFull waits (in a BlockingScope), so a large result
// is streamed, not collected. Between commands a connection holds no thread.
//
//   kIdle --command--> kOwned (worker; or parked) --Finish--> kFlushing --> kIdle
//                                                      |
//                                             client gone, killed, timed out --> kClosed
//
// INV-NET-1  At most one thread runs a connection's handler at any time: OnCommand and the
//            functions given to Post exclude each other, and the next command comes only after
//            Finish and after they have returned.
// INV-NET-2  Every command is finished exactly once, also when its client is gone.
// INV-NET-3  Once a client was asked for a file its packets are read to the empty one before the
//            answer is sent, or the connection closes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "protocol/mysql/auth.h"
#include "protocol/mysql/constants.h"
#include "protocol/mysql/handshake.h"
#include "protocol/mysql/response.h"

namespace borealis::server {

// Who logged in and how. Set by login and by COM_CHANGE_USER.
struct LoginInfo {
  std::string user;          // as given by the client
  std::string host;          // numeric address of the client
  std::string display_host;  // "localhost" for loopback addresses
  uint16_t port = 0;         // of the client
  mysql::Account account;    // that matched: CURRENT_USER()
  std::string database;      // asked for at login; empty: none
  uint16_t collation = 0;
  uint32_t capabilities = 0;  // agreed
  bool interactive = false;
  mysql::ConnectAttributes attributes;
  std::string tls_version;  // "TLSv1.3"; empty without TLS
  std::string tls_cipher;
};

// A snapshot for SHOW PROCESSLIST and performance_schema.
struct ConnectionActivity {
  enum class Phase : uint8_t { kLogin, kIdle, kCommand, kSending, kClosed };
  Phase phase = Phase::kLogin;
  mysql::CommandCode command = mysql::CommandCode::kConnect;
  int64_t since_us = 0;  // Clock::NowUs when the phase began
};

class Connection {
 public:
  virtual ~Connection() = default;

  // --- facts; any thread ---
  virtual uint32_t id() const = 0;
  virtual ConnectionActivity activity() const = 0;
  virtual std::string user_at_login() const = 0;  // empty before login
  virtual std::string peer() const = 0;           // "host:port"

  // --- for the owner of the command ---
  virtual const LoginInfo& login() const = 0;
  virtual mysql::ResponseWriter& response() = 0;
  // Call after each row. Sends when enough is buffered; waits while the client is far behind. An
  // error means that nobody reads the answer: stop producing it, and Finish. Not inside a packet.
  virtual Status FlushIfFull() = 0;
  // Sends what is buffered now, for streams that pause (binary log dump).
  virtual Status Flush() = 0;
  // Sends all that is buffered and waits (in a BlockingScope) for the client's next packet, for
  // commands in which the client speaks again. `payload` is valid until the next call. An error
  // means that nothing more can be read: the connection closes after the command.
  virtual Status ReadPacket(std::string_view* payload) = 0;
  // The answer is complete (or the command has none). From any thread; after it the command is no
  // longer the caller's. When the handler is still inside OnCommand or a posted function, it takes
  // effect on return.
  virtual void Finish() = 0;
  // As Finish, but the connection closes after the answer is sent.
  virtual void FinishAndClose() = 0;
  // Runs `continuation` on the worker pool, as part of the command in progress: the way back for a
  // handler that returned without Finish (parked). From any thread, even before the handler has
  // returned. At most one at a time.
  virtual void Post(std::function<void()> continuation) = 0;

  // Session variables that act on the connection; for the owner.
  virtual void SetMaxAllowedPacket(uint32_t bytes) = 0;
  virtual void SetWaitTimeout(int64_t seconds) = 0;
  virtual void SetNetReadTimeout(int64_t seconds) = 0;
  virtual void SetNetWriteTimeout(int64_t seconds) = 0;

  // --- any thread ---
  // Closes the connection: at once when idle, else its command is told (CommandHandler::OnKill) and
  // the socket shut, and it closes when the command finishes.
  virtual void Kill() = 0;
  // The client is known to be gone, or the connection was killed.
  virtual bool closing() const = 0;
};

}  // namespace borealis::server
