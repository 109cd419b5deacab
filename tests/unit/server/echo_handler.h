// A session for tests of the network layer: small commands that show what a real one does.
//
//   echo TEXT     one row with TEXT
//   rows N        N rows of about a kilobyte, streamed
//   park          returns without an answer; Release() on the factory answers
//   block         waits in a BlockingScope until Release() or a kill
//   rush          posts its continuation before it returns
//   thread        the number of threads that were inside handlers of this connection at once, at
//   most
#pragma once

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
  std::optional<mysql::Account> Find(std::string_view user, std::string_view host) override {
    mysql::Account account;
    account.user = user;
    account.host = "%";
    account.plugin = mysql::kSha2Plugin;
    if (user == "root" && (host.starts_with("127.") || host == "::1")) {
      account.host = "localhost";
      return account;
    }
    if (user == "sha") {
      account.credential = sha_;
      return account;
    }
    if (user == "native") {
      account.plugin = mysql::kNativePlugin;
      account.credential = native_;
      return account;
    }
    return std::nullopt;
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
  Status OnChangeUser(const LoginInfo& login) override {
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
  void Ok(const ConnectionPtr& connection) {
    mysql::OkInfo ok;
    ok.status = StatusFlags();
    connection->response().WriteOk(ok);
    connection->Finish();
  }

  EchoFactory* factory_;
  LoginInfo login_;
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
  std::atomic<int> refused_rows{0};  // FlushIfFull said that the client is gone
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
