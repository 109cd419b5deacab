// A session for tests of the network layer: small commands that show what a real one does.
//
//   echo TEXT     one row with TEXT
//   rows N        N rows of about a kilobyte, streamed
//   park          returns without an answer; Release() on the factory answers
//   block         waits in a BlockingScope until Release() or a kill
//   rush          posts its continuation before it returns
//   prepared      any text: as many parameters as '?', executing gives them back as one row
//   file NAME     asks for the file, and one row with how many bytes came
//   thread        the number of threads that were inside handlers of this connection at once, at
//   most
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/mysql_error.h"
#include "base/os/blocking.h"
#include "server/net/command_handler.h"

namespace borealis::server {

// Some work the compiler cannot leave out.
inline void BusyLoop(int rounds) {
  static std::atomic<int> sum{0};
  for (int i = 0; i < rounds; ++i) {
    sum.fetch_add(i, std::memory_order_relaxed);
  }
}

class TestAccounts final : public mysql::AccountSource {
 public:
  Result<std::optional<mysql::Account>> Find(std::string_view user,
                                             std::string_view host) override {
    mysql::Account account;
    account.user = user;
    account.host = "%";
    account.plugin = mysql::kSha2Plugin;
    if (user == "root" && (host.starts_with("127.") || host == "::1")) {
      account.host = "localhost";
      return std::optional(account);
    }
    if (user == "sha") {
      account.credential = sha_;
      return std::optional(account);
    }
    if (user == "native") {
      account.plugin = mysql::kNativePlugin;
      account.credential = native_;
      return std::optional(account);
    }
    return std::optional<mysql::Account>();
  }

 private:
  const std::string sha_ = mysql::Sha2StoredCredential("secret");
  const std::string native_ = mysql::NativeStoredCredential("secret");
};

class EchoFactory;

class EchoHandler final : public CommandHandler {
 public:
  EchoHandler(EchoFactory* factory, LoginInfo login)
      : factory_(factory), login_(std::move(login)) {}

  void OnCommand(const ConnectionPtr& connection, mysql::Command command) override;
  Status OnChangeUser(const ConnectionPtr&, const LoginInfo& login) override {
    login_ = login;
    return Status::Ok();
  }
  uint16_t StatusFlags() const override { return mysql::kStatusAutocommit; }
  void OnKill(bool) override;
  void OnClose() override;

 private:
  void OnQuery(const ConnectionPtr& connection, const std::string& text);
  void Row(const ConnectionPtr& connection, const std::string& text);
  void Rows(const ConnectionPtr& connection, int count);
  void Block(const ConnectionPtr& connection);
  void File(const ConnectionPtr& connection, const std::string& name);
  void Prepare(const ConnectionPtr& connection, const std::string& text);
  void Execute(const ConnectionPtr& connection, const mysql::StmtExecuteCommand& command);
  void Ok(const ConnectionPtr& connection) {
    mysql::OkInfo ok;
    ok.status = StatusFlags();
    connection->response().WriteOk(ok);
    connection->Finish();
  }

  EchoFactory* factory_;
  LoginInfo login_;
  std::map<uint32_t, mysql::ExecuteParameters> statements_;
  std::atomic<bool> killed_{false};
  std::atomic<int> inside_{0};
  std::atomic<int> most_inside_{0};
};

class EchoFactory final : public HandlerFactory {
 public:
  Result<std::unique_ptr<CommandHandler>> Open(const ConnectionPtr&,
                                               const LoginInfo& login) override {
    if (login.database == "missing") {
      return UserError(ER_BAD_DB_ERROR, login.database);
    }
    opened++;
    return std::unique_ptr<CommandHandler>(std::make_unique<EchoHandler>(this, login));
  }

  void Park(ConnectionPtr connection) {
    MutexLock lock(mutex);
    parked.push_back(std::move(connection));
    changed.NotifyAll();
  }
  // Waits until `count` commands are parked or blocked.
  void WaitForParked(size_t count) {
    MutexLock lock(mutex);
    while (parked.size() + blocked < count) {
      changed.Wait(mutex);
    }
  }
  // Answers everything parked, from this thread or by way of the pool; lets the blocked ones go.
  void Release(bool post) {
    std::vector<ConnectionPtr> taken;
    {
      MutexLock lock(mutex);
      taken.swap(parked);
      ++releases;
      changed.NotifyAll();
    }
    for (ConnectionPtr& connection : taken) {
      auto answer = [connection] {
        connection->response().WriteOk({});
        connection->Finish();
      };
      if (post) {
        connection->Post(answer);
      } else {
        answer();
      }
    }
  }

  Mutex mutex{LockRank::kLeaf};
  ConditionVariable changed;
  std::vector<ConnectionPtr> parked;
  size_t blocked = 0;
  uint64_t releases = 0;
  std::atomic<int> opened{0};
  std::atomic<int> closed{0};
  std::atomic<int> refused_rows{0};  // FlushIfFull or ReadPacket said that the client is gone
};

inline void EchoHandler::OnKill(bool) {
  killed_ = true;
  MutexLock lock(factory_->mutex);
  factory_->changed.NotifyAll();
}

inline void EchoHandler::OnClose() {
  factory_->closed++;
}

inline void EchoHandler::OnCommand(const ConnectionPtr& connection, mysql::Command command) {
  const int inside = ++inside_;
  most_inside_ = std::max(most_inside_.load(), inside);
  if (const auto* query = std::get_if<mysql::QueryCommand>(&command.body)) {
    OnQuery(connection, query->text);
  } else if (const auto* prepare = std::get_if<mysql::StmtPrepareCommand>(&command.body)) {
    Prepare(connection, prepare->text);
  } else if (const auto* execute = std::get_if<mysql::StmtExecuteCommand>(&command.body)) {
    Execute(connection, *execute);
  } else if (const auto* data = std::get_if<mysql::StmtSendLongDataCommand>(&command.body)) {
    const auto statement = statements_.find(data->statement_id);
    if (statement != statements_.end()) {
      statement->second.AddLongData(data->parameter, data->data, 1U << 24).IgnoreError();
    }
    connection->Finish();
  } else if (mysql::CommandIsSilent(command.code)) {
    connection->Finish();
  } else if (const auto* init = std::get_if<mysql::InitDbCommand>(&command.body)) {
    login_.database = init->database;
    Ok(connection);
  } else {
    Ok(connection);
  }
  --inside_;
}

inline void EchoHandler::OnQuery(const ConnectionPtr& connection, const std::string& text) {
  if (text.starts_with("echo ")) {
    Row(connection, text.substr(5));
  } else if (text.starts_with("rows ")) {
    Rows(connection, std::atoi(text.c_str() + 5));
  } else if (text.starts_with("file ")) {
    File(connection, text.substr(5));
  } else if (text == "park") {
    factory_->Park(connection);
  } else if (text == "block") {
    Block(connection);
  } else if (text == "rush") {
    connection->Post([this, connection] {
      const int inside = ++inside_;
      most_inside_ = std::max(most_inside_.load(), inside);
      Ok(connection);
      --inside_;
    });
    BusyLoop(200000);
  } else if (text == "thread") {
    Row(connection, std::to_string(most_inside_.load()));
  } else if (text == "user") {
    Row(connection, login_.user + "@" + login_.display_host + " " + login_.account.plugin + " " +
                        login_.database);
  } else if (text == "cipher") {
    Row(connection, login_.tls_version);
  } else {
    Ok(connection);  // SET NAMES and the like
  }
}

inline void EchoHandler::Row(const ConnectionPtr& connection, const std::string& text) {
  mysql::ColumnDefinition column;
  column.name = "echo";
  column.length = static_cast<uint32_t>(text.size());
  mysql::ResponseWriter& response = connection->response();
  response.BeginResultSet({&column, 1}, StatusFlags(), 0);
  auto row = response.NewRowWriter(mysql::RowEncoding::kText, {&column, 1});
  row->Begin();
  row->AppendString(text);
  row->End();
  mysql::OkInfo ok;
  ok.status = StatusFlags();
  response.EndResultSet(ok);
  connection->Finish();
}

inline void EchoHandler::File(const ConnectionPtr& connection, const std::string& name) {
  connection->response().WriteFileRequest(name);
  size_t bytes = 0;
  std::string_view piece;
  do {
    const Status read = connection->ReadPacket(&piece);
    if (!read.ok()) {
      factory_->refused_rows++;
      connection->response().WriteError(read);
      connection->Finish();
      return;
    }
    bytes += piece.size();
  } while (!piece.empty());
  Row(connection, std::to_string(bytes));
}

inline void EchoHandler::Rows(const ConnectionPtr& connection, int count) {
  mysql::ColumnDefinition columns[2];
  columns[0].name = "n";
  columns[0].type = mysql::ColumnType::kLongLong;
  columns[1].name = "text";
  mysql::ResponseWriter& response = connection->response();
  response.BeginResultSet(columns, StatusFlags(), 0);
  auto row = response.NewRowWriter(mysql::RowEncoding::kText, columns);
  const std::string filling(1000, 'x');
  for (int i = 0; i < count; ++i) {
    row->Begin();
    row->AppendInt64(i);
    row->AppendString(filling);
    row->End();
    if (const Status status = connection->FlushIfFull(); !status.ok()) {
      factory_->refused_rows++;
      connection->Finish();
      return;
    }
  }
  response.EndResultSet({});
  connection->Finish();
}

inline void EchoHandler::Prepare(const ConnectionPtr& connection, const std::string& text) {
  const auto count = static_cast<uint16_t>(std::count(text.begin(), text.end(), '?'));
  const auto id = static_cast<uint32_t>(statements_.size() + 1);
  statements_.emplace(id, mysql::ExecuteParameters(count));
  mysql::ColumnDefinition column;
  column.name = "echo";
  connection->response().WritePrepareOk(
      id, std::vector<mysql::ColumnDefinition>(std::max<size_t>(count, 1), column), count,
      StatusFlags(), 0);
  connection->Finish();
}

inline void EchoHandler::Execute(const ConnectionPtr& connection,
                                 const mysql::StmtExecuteCommand& command) {
  mysql::ResponseWriter& response = connection->response();
  const auto statement = statements_.find(command.statement_id);
  std::vector<mysql::Parameter> values;
  std::vector<mysql::NamedParameter> attributes;
  const Status decoded =
      statement == statements_.end()
          ? UserError(ER_UNKNOWN_STMT_HANDLER, command.statement_id, "mysqld_stmt_execute")
          : statement->second.Decode(command.parameters, command.flags, response.capabilities(),
                                     &values, &attributes);
  if (!decoded.ok()) {
    response.WriteError(decoded);
    connection->Finish();
    return;
  }
  values.resize(std::max<size_t>(values.size(), 1));
  std::vector<mysql::ColumnDefinition> columns(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    columns[i].name = "p" + std::to_string(i);
    columns[i].length = 1024;
    if (std::holds_alternative<int64_t>(values[i].value) ||
        std::holds_alternative<uint64_t>(values[i].value)) {
      columns[i].type = mysql::ColumnType::kLongLong;
      columns[i].flags = values[i].type.is_unsigned ? mysql::kFlagUnsigned : 0;
    } else if (std::holds_alternative<double>(values[i].value)) {
      columns[i].type = mysql::ColumnType::kDouble;
    } else if (std::holds_alternative<mysql::DateTime>(values[i].value)) {
      columns[i].type = mysql::ColumnType::kDateTime;
      columns[i].decimals = 6;
    } else if (std::holds_alternative<mysql::TimeOfDay>(values[i].value)) {
      columns[i].type = mysql::ColumnType::kTime;
      columns[i].decimals = 6;
    }
  }
  response.BeginResultSet(columns, StatusFlags(), 0);
  auto row = response.NewRowWriter(mysql::RowEncoding::kBinary, columns);
  row->Begin();
  for (const mysql::Parameter& value : values) {
    std::visit(
        [&row](const auto& v) {
          using T = std::decay_t<decltype(v)>;
          if constexpr (std::is_same_v<T, int64_t>) {
            row->AppendInt64(v);
          } else if constexpr (std::is_same_v<T, uint64_t>) {
            row->AppendUint64(v);
          } else if constexpr (std::is_same_v<T, double>) {
            row->AppendDouble(v);
          } else if constexpr (std::is_same_v<T, std::string>) {
            row->AppendString(v);
          } else if constexpr (std::is_same_v<T, mysql::DateTime>) {
            row->AppendDateTime(v, 6);
          } else if constexpr (std::is_same_v<T, mysql::TimeOfDay>) {
            row->AppendTime(v, 6);
          } else {
            row->AppendNull();
          }
        },
        value.value);
  }
  row->End();
  mysql::OkInfo ok;
  ok.status = StatusFlags();
  response.EndResultSet(ok);
  connection->Finish();
}

inline void EchoHandler::Block(const ConnectionPtr& connection) {
  {
    BlockingScope waiting;
    MutexLock lock(factory_->mutex);
    const uint64_t before = factory_->releases;
    ++factory_->blocked;
    factory_->changed.NotifyAll();
    while (!killed_ && factory_->releases == before) {
      factory_->changed.Wait(factory_->mutex);
    }
    --factory_->blocked;
  }
  if (killed_) {
    connection->response().WriteError(UserError(ER_QUERY_INTERRUPTED));
    killed_ = false;
    connection->Finish();
    return;
  }
  Ok(connection);
}

}  // namespace borealis::server
