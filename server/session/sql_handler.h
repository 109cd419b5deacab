// The session of one connection: each command to the SQL layer, and its answer back.
//
// Statements that commit park: the handler returns, the thread goes to other work, and when the
// volume has made the commit durable the rest of the command runs as a continuation. Threading: as
// CommandHandler (one thread at a time); OnKill from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "protocol/mysql/parameter.h"
#include "server/net/command_handler.h"
#include "server/session/client_text.h"
#include "server/session/result_writer.h"
#include "server/session/statement_gate.h"
#include "sql/session/session.h"

namespace borealis::server {

class SqlHandler final : public CommandHandler {
 public:
  // `role` keeps alive everything that `environment` points to; `gate` outlives the handler.
  SqlHandler(std::shared_ptr<const void> role, const sql::SessionEnvironment& environment,
             StatementGate* gate, uint64_t connection_id, const LoginInfo& login);
  ~SqlHandler() override;

  void OnCommand(const ConnectionPtr& connection, mysql::Command command) override;
  Status OnChangeUser(const ConnectionPtr& connection, const LoginInfo& login) override;
  uint16_t StatusFlags() const override;
  void OnKill(bool connection) override;
  void OnClose() override;

  // What runs now, for SHOW PROCESSLIST; empty when idle. Any thread.
  std::string running_text() const;
  std::string database() const;
  std::string user() const;
  sql::AccountKey account() const;
  // Without the connection's number.
  sql::ClientAttributes client() const;

 private:
  struct Prepared {
    explicit Prepared(uint16_t count) : parameters(count) {}
    mysql::ExecuteParameters parameters;
    Status pending_error;  // of COM_STMT_SEND_LONG_DATA, told at the next execution
    std::unique_ptr<StatementCursor> cursor;  // null: none is open
  };

  void RunText(const ConnectionPtr& connection, std::shared_ptr<ClientText> text);
  // After a statement of a text, of that size, is answered: the next one, or the end.
  void ContinueText(const ConnectionPtr& connection, std::shared_ptr<ClientText> text, size_t done);
  row::CharsetId ClientCharset() const { return session_.settings().character_set_client; }
  void Prepare(const ConnectionPtr& connection, const std::string& text);
  void ExecutePrepared(const ConnectionPtr& connection, const mysql::StmtExecuteCommand& command);
  void Fetch(const ConnectionPtr& connection, const mysql::StmtFetchCommand& command);
  void ResetPrepared(const ConnectionPtr& connection, uint32_t id);
  void SendLongData(const mysql::StmtSendLongDataCommand& command);
  void FieldList(const ConnectionPtr& connection, const mysql::FieldListCommand& command);
  void Statistics(const ConnectionPtr& connection);
  mysql::OkInfo PlainOk() const;
  void Answer(const ConnectionPtr& connection, const Status& status);
  void AnswerEof(const ConnectionPtr& connection);  // with an EOF, where MySQL has no OK
  void FinishCommand(const ConnectionPtr& connection);
  // The session's wait_timeout begins as the global one, or as interactive_timeout.
  void BeginWaitTimeout(const LoginInfo& login);
  // Hands the variables that act on the connection down to it.
  void ObeyVariables(Connection* connection);
  void NoteRunning(std::string text);
  void NoteUser(const LoginInfo& login);
  Status Kill(uint64_t id);
  Status Administer(sql::Privilege needed, const std::function<Status()>& work);

  const std::shared_ptr<const void> role_;
  const sql::SessionEnvironment environment_;
  StatementGate* const gate_;
  sql::Session session_;
  std::optional<uint64_t> obeyed_generation_;  // of the settings, when ObeyVariables last ran
  std::map<uint32_t, Prepared> prepared_;
  std::unique_ptr<ResultWriter> writer_;  // of the command in progress

  mutable Mutex mutex_{LockRank::kLeaf};
  std::string running_ GUARDED_BY(mutex_);
  std::string database_ GUARDED_BY(mutex_);
  std::string user_ GUARDED_BY(mutex_);  // as the client gave it
  sql::AccountKey account_ GUARDED_BY(mutex_);
  mysql::ConnectAttributes attributes_ GUARDED_BY(mutex_);
};

}  // namespace borealis::server
