// sqltest [--connect HOST:PORT [--record]] FILE…: runs SQL logic tests.
//
// Without --connect they run against the SQL layer and the engine in this process, each file on an
// empty volume in memory. With it they run over the MySQL protocol, each file in an empty schema
// `test` of that server, as root without a password unless a record names another user. --record
// rewrites the files with what the server answers: meant for a real MySQL server, whose word is the
// specification; read the difference before committing it. Exit status 1 when an answer differs.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "base/mysql_error.h"
#include "engine/engine.h"
#include "row/convert.h"
#include "server/plugin_credentials.h"
#include "server/session/result_charset.h"
#include "sql/accounts/grant_store.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/accounts/account_change.h"
#include "sql/executor/create.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"
#include "tests/sql/runner/metadata_text.h"
#include "tests/sql/runner/sql_test_file.h"
#include "tests/sql/runner/wire_connection.h"
#include "tests/support/memory_volume.h"

namespace borealis::sqltest {
namespace {

bool ReadFile(const std::string& path, std::string* text) {
  std::ifstream file(path, std::ios::binary);
  text->assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  return static_cast<bool>(file);
}

// A file in pieces so small that everything in it is cut somewhere.
class FileInPieces final : public sql::ByteSource {
 public:
  explicit FileInPieces(std::string bytes) : bytes_(std::move(bytes)) {}
  Result<std::string_view> Next() override {
    constexpr size_t kPieceBytes = 3;
    const std::string_view piece = std::string_view(bytes_).substr(next_, kPieceBytes);
    next_ += piece.size();
    return piece;
  }

 private:
  const std::string bytes_;
  size_t next_ = 0;
};

std::string Described(const mysql::ColumnDefinition& definition) {
  ColumnMetadata column;
  column.schema = definition.schema;
  column.table = definition.table;
  column.org_table = definition.org_table;
  column.name = definition.name;
  column.org_name = definition.org_name;
  column.type = static_cast<unsigned>(definition.type);
  column.length = definition.length;
  column.decimals = definition.decimals;
  column.collation = definition.collation;
  column.flags = definition.flags;
  return MetadataText(column);
}

class TextSink final : public sql::ResultSink {
 public:
  TextSink(sql::Session* session, Outcome* outcome) : session_(session), outcome_(outcome) {}
  Status OnColumns(std::span<const sql::ResultColumn> columns) override {
    outcome_->has_rows = true;
    columns_.assign(columns.begin(), columns.end());
    const server::ResultCharset charset(session_->settings());
    for (const sql::ResultColumn& column : columns) {
      outcome_->metadata.push_back(Described(charset.Describe(column)));
    }
    return {};
  }
  Status OnRow(std::span<const row::Value> row) override {
    std::vector<std::string> cells;
    const row::TimeZone& zone = session_->eval_context().conversion.time_zone();
    for (size_t i = 0; i < row.size(); ++i) {
      cells.push_back(row[i].is_null() ? "NULL"
                                       : EscapeCell(row::ToText(row[i], columns_[i].type, zone)));
    }
    outcome_->rows.push_back(std::move(cells));
    return {};
  }
  void OnDone(const sql::OkInfo& ok) override {
    outcome_->affected_rows = ok.affected_rows;
    if (!outcome_->has_rows) {
      outcome_->metadata.push_back(MetadataText(ok.affected_rows, ok.last_insert_id, ok.info));
    }
  }
  void OnError(const Status& error, uint16_t) override {
    outcome_->error = error.user_errno();
    outcome_->message = error.message();
  }
  // As a client does that cannot read the file: it sends nothing.
  Result<std::unique_ptr<sql::ByteSource>> OpenClientFile(std::string_view name) override {
    std::string bytes;
    ReadFile(std::string(name), &bytes);
    return std::unique_ptr<sql::ByteSource>(std::make_unique<FileInPieces>(std::move(bytes)));
  }

 private:
  sql::Session* session_;
  Outcome* outcome_;
  std::vector<sql::ResultColumn> columns_;
};

class EmbeddedConnection final : public TestConnection {
 public:
  explicit EmbeddedConnection(std::unique_ptr<sql::Session> session)
      : session_(std::move(session)) {}
  Outcome Execute(std::string_view statement) override {
    Outcome outcome;
    TextSink sink(session_.get(), &outcome);
    session_->ExecuteAndWait(statement, sink);
    return outcome;
  }

 private:
  std::unique_ptr<sql::Session> session_;
};

// An instance with an empty schema `test`.
class Instance {
 public:
  bool Start() {
    engine::EngineOptions options;
    options.layouts = sql::MakeSqlRowLayout;
    Result<std::unique_ptr<engine::Engine>> opened = engine::Engine::Open(&volume_, options);
    if (!opened.ok()) {
      return false;
    }
    engine_ = std::move(opened).value();
    parts_ = sql::MakeExecutorParts();
    catalog_ = std::make_unique<sql::Catalog>(engine_.get(), parts_->system_tables.get());
    grants_ = sql::MakeGrantStore(Environment());
    if (!MakeRoot().ok()) {
      return false;
    }
    engine::SchemaDefinition schema;
    schema.name = "test";
    schema.payload = sql::EncodeSchemaDescriptor({});
    return engine_->CreateSchema(schema, {}).ok();
  }
  ~Instance() {
    if (engine_ != nullptr) {
      engine_->Stop();
    }
  }

  // As a client on this machine.
  std::unique_ptr<TestConnection> Connect(const std::string& user, const std::string& password) {
    auto tables = grants_->At(catalog_->version());
    if (!tables.ok()) {
      return nullptr;
    }
    const sql::Account* account = (*tables)->FindForLogin(user, "127.0.0.1");
    if (account == nullptr || account->locked ||
        !credentials_.Proves(account->plugin, password, account->credential)) {
      fprintf(stderr, "login of %s refused\n", user.c_str());
      return nullptr;
    }
    auto session = std::make_unique<sql::Session>(
        Environment(), sql::SessionIdentity{++connections_, user, "localhost", account->key.user,
                                            account->key.host});
    if (!session->ActivateDefaultRoles().ok()) {
      return nullptr;
    }
    const Status used = session->UseDatabase("test");
    if (!used.ok() && used.user_errno() != ER_DBACCESS_DENIED_ERROR) {
      return nullptr;
    }
    return std::make_unique<EmbeddedConnection>(std::move(session));
  }

 private:
  sql::SessionEnvironment Environment() const {
    sql::SessionEnvironment environment;
    environment.engine = engine_.get();
    environment.catalog = catalog_.get();
    environment.variables = parts_->variables.get();
    environment.executor = parts_->executor.get();
    environment.grants = grants_.get();
    environment.credentials = &credentials_;
    return environment;
  }

  Status MakeRoot() {
    RETURN_IF_ERROR(sql::MakeAccountTables(Environment()));
    return sql::ChangeStoredAccounts(Environment(), [](sql::GrantTables* tables) {
      sql::Account root;
      root.key = {"root", "localhost"};
      sql::GrantEverything(&root);
      tables->Add(std::move(root));
      return Status::Ok();
    });
  }

  MemoryVolume volume_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<sql::ExecutorParts> parts_;
  std::unique_ptr<sql::Catalog> catalog_;
  std::unique_ptr<sql::GrantStore> grants_;
  server::PluginCredentials credentials_;
  uint64_t connections_ = 0;
};

struct Options {
  std::optional<WireServer> server;  // none: embedded
  bool record = false;
  std::vector<std::string> files;
};

int Run(const std::string& path, const std::vector<Record>& records, const Connect& connect) {
  std::vector<Failure> failures = RunRecords(records, connect);
  for (const Failure& failure : failures) {
    printf("%s:%d: %s\n", path.c_str(), failure.line, failure.what.c_str());
  }
  printf("%s: %zu of %zu as expected\n", path.c_str(), records.size() - failures.size(),
         records.size());
  return failures.empty() ? 0 : 1;
}

int RunFile(const Options& options, const std::string& path) {
  // Files that clients are to send are named relative to the test's.
  std::filesystem::current_path(std::filesystem::path(path).parent_path());
  std::string text;
  std::string problem;
  std::vector<Record> records;
  if (!ReadFile(path, &text)) {
    problem = "cannot be read";
  } else {
    ParseTestFile(text, &records, &problem);
  }
  Instance instance;
  Connect connect = [&](const std::string& user, const std::string& password) {
    return instance.Connect(user, password);
  };
  if (problem.empty() && options.server.has_value()) {
    problem = EmptyTestSchema(*options.server);
    connect = [&](const std::string& user, const std::string& password) {
      return ConnectOverWire(*options.server, user, password);
    };
  } else if (problem.empty() && !instance.Start()) {
    problem = "the instance does not start";
  }
  if (!problem.empty()) {
    fprintf(stderr, "%s: %s\n", path.c_str(), problem.c_str());
    return 1;
  }
  if (!options.record) {
    return Run(path, records, connect);
  }
  std::string recorded = RecordAnswers(text, records, connect);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << recorded;
  return 0;
}

bool ParseOptions(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    if (word == "--record") {
      options->record = true;
    } else if (word == "--connect" && i + 1 < argc) {
      options->server = WireServer();
      if (!ParseWireServer(argv[++i], &*options->server)) {
        return false;
      }
    } else if (word.starts_with("-")) {
      return false;
    } else {
      options->files.push_back(std::filesystem::absolute(word));
    }
  }
  return !options->files.empty() && (!options->record || options->server.has_value());
}

}  // namespace
}  // namespace borealis::sqltest

int main(int argc, char** argv) {
  borealis::sqltest::Options options;
  if (!borealis::sqltest::ParseOptions(argc, argv, &options)) {
    fprintf(stderr, "usage: sqltest [--connect HOST:PORT [--record]] FILE…\n");
    return 2;
  }
  int status = 0;
  for (const std::string& file : options.files) {
    status |= borealis::sqltest::RunFile(options, file);
  }
  return status;
}
