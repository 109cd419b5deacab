// What a connection hands its commands to: a session. One handler for each connection.
//
// Life: HandlerFactory::Open after a successful login, on a worker --> OnCommand for each command,
// on a worker --> OnClose, on a worker, when the connection has closed and no command is in
// progress --> destroyed. A handler never blocks a reactor.
//
//   void OnCommand(connection, command) {
//     ...; connection->response().WriteOk(ok); connection->Finish();          // or, to park:
//     transaction->CommitAsync([connection, this] {                           // any thread
//       connection->Post([connection, this] { ...WriteOk(...); connection->Finish(); });
//     });
//   }
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "protocol/mysql/command.h"
#include "server/net/connection.h"

namespace borealis::server {

using ConnectionPtr = std::shared_ptr<Connection>;

class CommandHandler {
 public:
  virtual ~CommandHandler() = default;

  // Answers one command; ends in connection->Finish(), now or later. COM_QUIT, COM_PING and
  // COM_CHANGE_USER, unknown and malformed commands are dealt with before.
  virtual void OnCommand(const ConnectionPtr& connection, mysql::Command command) = 0;

  // COM_CHANGE_USER has authenticated: take the new identity, forget the session's state and set
  // the connection's limits. An error (1044, 1049 for the database) is sent and closes it.
  virtual Status OnChangeUser(const ConnectionPtr& connection, const LoginInfo& login) = 0;

  // Status flags for OK packets the connection sends itself (login, COM_PING). No command is in
  // progress; any thread.
  virtual uint16_t StatusFlags() const = 0;

  // KILL: end the running command soon; `connection` tells KILL CONNECTION from KILL QUERY. Any
  // thread, also while OnCommand runs or nothing does. Must not block.
  virtual void OnKill(bool connection) = 0;

  // The connection has closed and no further call comes but OnKill: roll back, release. May block
  // in BlockingScopes. The connection's place is given up when it returns.
  virtual void OnClose() = 0;
};

class HandlerFactory {
 public:
  virtual ~HandlerFactory() = default;
  // Opens the session of a client that has authenticated. On a worker; may block in BlockingScopes.
  // An error is sent to the client and closes the connection.
  virtual Result<std::unique_ptr<CommandHandler>> Open(const ConnectionPtr& connection,
                                                       const LoginInfo& login) = 0;
};

}  // namespace borealis::server
