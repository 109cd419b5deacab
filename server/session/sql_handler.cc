#include "server/session/sql_handler.h"

#include <fmt/format.h>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/temporal.h"
#include "server/session/result_charset.h"
#include "sql/parser/secrets.h"
#include "sql/session/server_file.h"

namespace borealis::server {

namespace {

constexpr uint32_t kLongDataMax = 1U << 30;

sql::SessionIdentity ToIdentity(uint64_t connection_id, const LoginInfo& login) {
  sql::SessionIdentity identity;
  identity.connection_id = connection_id;
  identity.user = login.user;
  identity.host = login.display_host;
  identity.account_user = login.account.user;
  identity.account_host = login.account.host;
  identity.tls_version = login.tls_version;
  identity.tls_cipher = login.tls_cipher;
  return identity;
}

// Commands of the protocol that Com_… counts; texts and prepared statements are counted by the
// session.
std::optional<sql::Command> CountedAs(mysql::CommandCode code) {
  switch (code) {
    case mysql::CommandCode::kInitDb:
      return sql::CommandNamed("change_db");
    case mysql::CommandCode::kFieldList:
      return sql::CommandNamed("show_fields");
    case mysql::CommandCode::kRefresh:
      return sql::CommandNamed("flush");
    case mysql::CommandCode::kStatistics:
      return sql::CommandNamed("show_status");
    case mysql::CommandCode::kProcessKill:
      return sql::CommandNamed("kill");
    case mysql::CommandCode::kSetOption:
      return sql::CommandNamed("set_option");
    case mysql::CommandCode::kStmtSendLongData:
      return sql::CommandNamed("stmt_send_long_data");
    case mysql::CommandCode::kStmtReset:
      return sql::CommandNamed("stmt_reset");
    case mysql::CommandCode::kStmtFetch:
      return sql::CommandNamed("stmt_fetch");
    case mysql::CommandCode::kDebug:
    case mysql::CommandCode::kShutdown:
    case mysql::CommandCode::kResetConnection:
      return sql::CommandNamed("admin_commands");
    default:
      return std::nullopt;
  }
}

// Numbers of collations that the program lacks: of character sets that it has, and of those in
// which no statement can be written. As MySQL numbers them.
std::string_view CharsetOfNumber(uint16_t id) {
  const auto within = [id](uint16_t first, uint16_t last) { return id >= first && id <= last; };
  if (within(224, 247) || within(255, 323)) {
    return "utf8mb4";
  }
  if (id == 76 || within(192, 215) || id == 223) {
    return "utf8mb3";
  }
  if (id == 5 || id == 15 || id == 31 || within(48, 49) || id == 94) {
    return "latin1";
  }
  if (id == 35 || id == 90 || within(128, 151) || id == 159) {
    return "ucs2";
  }
  if (within(54, 55) || within(101, 124)) {
    return "utf16";
  }
  if (id == 56 || id == 62) {
    return "utf16le";
  }
  return within(60, 61) || within(160, 183) ? "utf32" : "";
}

// The collation of the handshake stands for SET NAMES with it. One that the program lacks is the
// default collation of its character set; an unknown one leaves the global settings, as with MySQL.
Status TakeCollation(uint16_t id, sql::Session* session) {
  const row::Collation* collation = row::FindCollation(static_cast<row::CollationId>(id));
  if (collation == nullptr) {
    const std::string_view name = CharsetOfNumber(id);
    if (name.empty()) {
      return Status::Ok();
    }
    const row::Charset* charset = row::FindCharset(name);
    if (charset == nullptr) {
      return UserError(ER_WRONG_VALUE_FOR_VAR, "character_set_client", name);
    }
    collation = row::FindCollation(charset->default_collation);
  }
  sql::SessionSettings& settings = session->settings();
  settings.character_set_client = collation->charset().id;
  settings.character_set_results = collation->charset().id;
  settings.results_unconverted = false;
  settings.collation_connection = collation->id();
  ++settings.generation;
  return Status::Ok();
}

int64_t PackWire(const mysql::DateTime& wire) {
  row::TemporalParts parts;
  parts.year = wire.year;
  parts.month = wire.month;
  parts.day = wire.day;
  parts.hour = wire.hour;
  parts.minute = wire.minute;
  parts.second = wire.second;
  parts.microsecond = static_cast<int>(wire.microsecond);
  return row::PackDateTime(parts);
}

int64_t PackWire(const mysql::TimeOfDay& wire) {
  row::TemporalParts parts;
  parts.negative = wire.negative;
  parts.hour = wire.hour;
  parts.minute = wire.minute;
  parts.second = wire.second;
  parts.microsecond = static_cast<int>(wire.microsecond);
  return row::PackTime(parts);
}

// A bound parameter with the type that its protocol type stands for.
sql::TypedValue ToTyped(mysql::Parameter parameter, const sql::SessionSettings& settings) {
  using mysql::ColumnType;
  sql::TypedValue typed;
  if (parameter.is_null()) {
    return typed;
  }
  if (const auto* number = std::get_if<int64_t>(&parameter.value)) {
    return {row::Type::BigInt(), row::Value::Int(*number)};
  }
  if (const auto* number = std::get_if<uint64_t>(&parameter.value)) {
    return {row::Type::BigInt(/*is_unsigned=*/true), row::Value::Uint(*number)};
  }
  if (const auto* number = std::get_if<double>(&parameter.value)) {
    return {row::Type::Double(), row::Value::Double(*number)};
  }
  if (const auto* time = std::get_if<mysql::DateTime>(&parameter.value)) {
    return parameter.type.type == ColumnType::kDate
               ? sql::TypedValue{row::Type::Date(), row::Value::Date(PackWire(*time))}
               : sql::TypedValue{row::Type::DateTime(6), row::Value::DateTime(PackWire(*time))};
  }
  if (const auto* time = std::get_if<mysql::TimeOfDay>(&parameter.value)) {
    return {row::Type::Time(6), row::Value::Time(PackWire(*time))};
  }
  std::string bytes = std::get<std::string>(std::move(parameter.value));
  if (parameter.type.type == ColumnType::kDecimal ||
      parameter.type.type == ColumnType::kNewDecimal) {
    row::Decimal number;  // what is no number is 0, and what is too large the largest
    static_cast<void>(row::Decimal::Parse(bytes, &number));
    return {row::Type::Decimal(row::Decimal::kMaxPrecision, row::Decimal::kMaxScale),
            row::Value::Dec(number)};
  }
  const row::Collation& collation = row::GetCollation(settings.collation_connection);
  const bool binary = parameter.type.type == ColumnType::kBlob ||
                      parameter.type.type == ColumnType::kLongBlob ||
                      parameter.type.type == ColumnType::kMediumBlob ||
                      parameter.type.type == ColumnType::kTinyBlob || !collation.is_text();
  if (binary) {
    const auto size = static_cast<uint32_t>(bytes.size());
    return {row::Type::Varbinary(size), row::Value::String(std::move(bytes))};
  }
  bytes = FromClient(std::move(bytes), settings.character_set_client);
  const row::Charset& charset = collation.charset();
  if (settings.character_set_client != charset.id && !row::IsAscii(bytes)) {
    bytes = charset.Decode(charset.Encode(bytes));  // '?' for what the connection lacks
  }
  const auto size = static_cast<uint32_t>(bytes.size());
  return {row::Type::Varchar(size, collation.id()), row::Value::String(std::move(bytes))};
}

// Keeps the columns of a query and none of its rows.
class ColumnCollector final : public sql::ResultSink {
 public:
  explicit ColumnCollector(const sql::SessionSettings& settings) : charset_(settings) {}

  Status OnColumns(std::span<const sql::ResultColumn> columns) override {
    for (const sql::ResultColumn& column : columns) {
      definitions.push_back(charset_.Describe(column));
    }
    return Status::Ok();
  }
  Status OnRow(std::span<const row::Value> /*row*/) override { return Status::Ok(); }
  void OnDone(const sql::OkInfo& /*ok*/) override {}
  void OnError(const Status& /*error*/, uint16_t /*status*/) override {}

  std::vector<mysql::ColumnDefinition> definitions;

 private:
  const ResultCharset charset_;
};

Status UnknownStatement(uint32_t id) {
  return UserError(ER_UNKNOWN_STMT_HANDLER, std::to_string(id), "mysql_stmt_precheck");
}

// The next rows of the cursor, at most `count`; gives how many there were.
Result<uint32_t> SendRows(StatementCursor* cursor, uint32_t count, Connection* connection) {
  uint32_t sent = 0;
  for (std::string_view row; sent < count; ++sent) {
    ASSIGN_OR_RETURN(const bool any, cursor->Next(&row));
    if (!any) {
      break;
    }
    connection->response().packets().Write(row);
    RETURN_IF_ERROR(connection->FlushIfFull());
  }
  return sent;
}

std::string Quoted(std::string_view identifier) {
  std::string quoted = "`";
  for (char c : identifier) {
    quoted += c;
    if (c == '`') {
      quoted += c;
    }
  }
  return quoted + "`";
}

}  // namespace

SqlHandler::SqlHandler(std::shared_ptr<const void> role, const sql::SessionEnvironment& environment,
                       StatementGate* gate, uint64_t connection_id, const LoginInfo& login)
    : role_(std::move(role)),
      environment_(environment),
      gate_(gate),
      session_(environment, ToIdentity(connection_id, login)) {
  NoteUser(login);
}

SqlHandler::~SqlHandler() = default;

void SqlHandler::OnCommand(const ConnectionPtr& connection, mysql::Command command) {
  using namespace mysql;  // NOLINT(google-build-using-namespace): the command types
  if (const auto counted = CountedAs(command.code)) {
    session_.Count(*counted);
  }
  if (auto* query = std::get_if<QueryCommand>(&command.body)) {
    auto text = std::make_shared<ClientText>(std::move(query->text));
    NoteRunning(std::string(text->Rest(ClientCharset())));
    writer_ =
        std::make_unique<ResultWriter>(connection.get(), RowEncoding::kText, session_.settings());
    RunText(connection, std::move(text));
  } else if (auto* execute = std::get_if<StmtExecuteCommand>(&command.body)) {
    writer_ =
        std::make_unique<ResultWriter>(connection.get(), RowEncoding::kBinary, session_.settings());
    ExecutePrepared(connection, *execute);
  } else if (auto* prepare = std::get_if<StmtPrepareCommand>(&command.body)) {
    Prepare(connection, FromClient(std::move(prepare->text), ClientCharset()));
  } else if (auto* close = std::get_if<StmtCloseCommand>(&command.body)) {
    session_.ClosePrepared(close->statement_id);
    prepared_.erase(close->statement_id);
    FinishCommand(connection);
  } else if (auto* data = std::get_if<StmtSendLongDataCommand>(&command.body)) {
    SendLongData(*data);
    FinishCommand(connection);
  } else if (auto* init = std::get_if<InitDbCommand>(&command.body)) {
    Answer(connection,
           session_.UseDatabase(FromClient(std::move(init->database), ClientCharset())));
  } else if (auto* list = std::get_if<FieldListCommand>(&command.body)) {
    FieldList(connection, *list);
  } else if (std::holds_alternative<ResetConnectionCommand>(command.body)) {
    session_.Reset();
    prepared_.clear();
    BeginWaitTimeout(connection->login());
    Answer(connection, Status::Ok());
  } else if (auto* reset = std::get_if<StmtResetCommand>(&command.body)) {
    ResetPrepared(connection, reset->statement_id);
  } else if (auto* fetch = std::get_if<StmtFetchCommand>(&command.body)) {
    Fetch(connection, *fetch);
  } else if (auto* option = std::get_if<SetOptionCommand>(&command.body)) {
    session_.set_multi_statements(option->multi_statements);
    AnswerEof(connection);
  } else if (std::holds_alternative<StatisticsCommand>(command.body)) {
    Statistics(connection);
  } else if (std::holds_alternative<ProcessInfoCommand>(command.body)) {
    auto text = std::make_shared<ClientText>("SHOW PROCESSLIST");
    writer_ =
        std::make_unique<ResultWriter>(connection.get(), RowEncoding::kText, session_.settings());
    RunText(connection, std::move(text));
  } else if (auto* kill = std::get_if<ProcessKillCommand>(&command.body)) {
    Answer(connection, Kill(kill->thread_id));
  } else if (std::holds_alternative<ShutdownCommand>(command.body)) {
    Answer(connection, Administer(sql::Privilege::kShutdown, [this] {
             return environment_.server->RequestShutdown(/*restart=*/false);
           }));
  } else if (std::holds_alternative<RefreshCommand>(command.body)) {
    // Nothing is cached that a client could ask to be dropped.
    Answer(connection, Administer(sql::Privilege::kReload, [] { return Status::Ok(); }));
  } else if (std::holds_alternative<DebugCommand>(command.body)) {
    Status allowed = Administer(sql::Privilege::kSuper, [] { return Status::Ok(); });
    allowed.ok() ? AnswerEof(connection) : Answer(connection, allowed);
  } else {
    Answer(connection, UserError(ER_NOT_SUPPORTED_YET, CommandName(command.code)));
  }
}

void SqlHandler::RunText(const ConnectionPtr& connection, std::shared_ptr<ClientText> text) {
  const auto next = std::make_shared<size_t>(0);
  const std::string_view rest = text->Rest(ClientCharset());
  // Who is in a transaction may hold what those inside wait for, and must not wait here.
  const StatementGate::Ticket place = gate_->Enter(session_.in_transaction() ? 0 : rest.size(),
                                                   [this] { return session_.interrupted(); });
  const sql::ExecuteResult result =
      session_.Execute(rest, *writer_, [this, connection, text, next] {
        connection->Post([this, connection, text, next] {
          session_.CompleteParked(*writer_);
          ContinueText(connection, text, *next);
        });
      });
  // A continuation runs only after this has returned (INV-NET-1), so it sees the value.
  *next = result.next;
  if (result.state == sql::ExecuteState::kDone) {
    ContinueText(connection, std::move(text), result.next);
  }
}

void SqlHandler::ContinueText(const ConnectionPtr& connection, std::shared_ptr<ClientText> text,
                              size_t done) {
  text->Skip(done);
  if (writer_->failed() || text->at_end()) {
    FinishCommand(connection);
    return;
  }
  RunText(connection, std::move(text));
}

void SqlHandler::Prepare(const ConnectionPtr& connection, const std::string& text) {
  NoteRunning(text);
  auto info = session_.Prepare(text);
  if (!info.ok()) {
    Answer(connection, info.status());
    return;
  }
  const auto count = static_cast<uint16_t>(info->parameter_count);
  prepared_.emplace(info->id, Prepared(count));
  std::vector<mysql::ColumnDefinition> definitions;
  const ResultCharset charset(session_.settings());
  for (const sql::ResultColumn& column : info->columns) {
    definitions.push_back(charset.Describe(column));
  }
  connection->response().WritePrepareOk(info->id, definitions, count, StatusFlags(),
                                        session_.diagnostics().packet_count());
  FinishCommand(connection);
}

void SqlHandler::ExecutePrepared(const ConnectionPtr& connection,
                                 const mysql::StmtExecuteCommand& command) {
  const auto found = prepared_.find(command.statement_id);
  if (found == prepared_.end()) {
    Answer(connection, UnknownStatement(command.statement_id));
    return;
  }
  found->second.cursor = nullptr;
  if ((command.flags & mysql::kCursorReadOnly) != 0) {
    writer_->KeepRows(sql::TemporaryDirectory(session_), &found->second.cursor);
  }
  std::vector<mysql::Parameter> values;
  std::vector<mysql::NamedParameter> attributes;
  Status status = std::exchange(found->second.pending_error, Status::Ok());
  if (status.ok()) {
    status = found->second.parameters.Decode(command.parameters, command.flags,
                                             connection->response().capabilities(), &values,
                                             &attributes);
  }
  if (!status.ok()) {
    Answer(connection, status);
    return;
  }
  std::vector<sql::TypedValue> parameters;
  parameters.reserve(values.size());
  for (mysql::Parameter& value : values) {
    parameters.push_back(ToTyped(std::move(value), session_.settings()));
  }
  const sql::ExecuteResult result =
      session_.ExecutePrepared(command.statement_id, parameters, *writer_, [this, connection] {
        connection->Post([this, connection] {
          session_.CompleteParked(*writer_);
          FinishCommand(connection);
        });
      });
  if (result.state == sql::ExecuteState::kDone) {
    FinishCommand(connection);
  }
}

void SqlHandler::Fetch(const ConnectionPtr& connection, const mysql::StmtFetchCommand& command) {
  const auto found = prepared_.find(command.statement_id);
  if (found == prepared_.end()) {
    Answer(connection, UnknownStatement(command.statement_id));
    return;
  }
  std::unique_ptr<StatementCursor>& cursor = found->second.cursor;
  if (cursor == nullptr) {
    Answer(connection, UserError(ER_STMT_HAS_NO_OPEN_CURSOR, command.statement_id));
    return;
  }
  // The end is seen by who asks for more rows than there are, as with MySQL.
  const auto sent = SendRows(cursor.get(), command.row_count, connection.get());
  if (!sent.ok() || *sent < command.row_count) {
    cursor = nullptr;
  }
  if (!sent.ok()) {
    Answer(connection, sent.status());
    return;
  }
  mysql::OkInfo end = PlainOk();
  end.status |= cursor != nullptr ? mysql::kStatusCursorExists : mysql::kStatusLastRowSent;
  connection->response().EndResultSet(end);
  FinishCommand(connection);
}

void SqlHandler::ResetPrepared(const ConnectionPtr& connection, uint32_t id) {
  const auto found = prepared_.find(id);
  if (found == prepared_.end()) {
    Answer(connection, UnknownStatement(id));
    return;
  }
  found->second.parameters.ResetLongData();
  found->second.cursor = nullptr;
  Answer(connection, Status::Ok());
}

void SqlHandler::SendLongData(const mysql::StmtSendLongDataCommand& command) {
  const auto found = prepared_.find(command.statement_id);
  if (found != prepared_.end()) {
    found->second.pending_error =
        found->second.parameters.AddLongData(command.parameter, command.data, kLongDataMax);
  }
}

void SqlHandler::FieldList(const ConnectionPtr& connection,
                           const mysql::FieldListCommand& command) {
  ColumnCollector columns(session_.settings());
  const std::string table = FromClient(command.table, ClientCharset());
  const Status status =
      session_.RunQueryText("SELECT * FROM " + Quoted(table) + " LIMIT 0", columns);
  if (!status.ok()) {
    Answer(connection, status);
    return;
  }
  const std::vector<const std::string*> defaults(columns.definitions.size(), nullptr);
  connection->response().WriteFieldList(columns.definitions, defaults, StatusFlags());
  FinishCommand(connection);
}

void SqlHandler::Statistics(const ConnectionPtr& connection) {
  const int64_t uptime_s = environment_.server->uptime_seconds();
  std::map<std::string, std::string> status;
  for (auto& [name, value] : environment_.server->StatusVariables()) {
    status[name] = value;
  }
  const uint64_t questions = std::strtoull(status["Questions"].c_str(), nullptr, 10);
  const sql::StatementCounters* const counters = environment_.counters;
  const uint64_t slow = counters != nullptr ? counters->slow.load() : 0;
  connection->response().WriteText(fmt::format(
      "Uptime: {}  Threads: {}  Questions: {}  Slow queries: {}  Opens: 0  Flush tables: 1  Open "
      "tables: 0  Queries per second avg: {:.3f}",
      uptime_s, status["Threads_connected"], questions, slow,
      static_cast<double>(questions) / static_cast<double>(std::max<int64_t>(1, uptime_s))));
  FinishCommand(connection);
}

mysql::OkInfo SqlHandler::PlainOk() const {
  mysql::OkInfo ok;
  ok.status = StatusFlags();
  return ok;
}

void SqlHandler::Answer(const ConnectionPtr& connection, const Status& status) {
  if (status.ok()) {
    connection->response().WriteOk(PlainOk());
  } else {
    connection->response().WriteError(ResultCharset(session_.settings()).Error(status));
  }
  FinishCommand(connection);
}

void SqlHandler::AnswerEof(const ConnectionPtr& connection) {
  connection->response().EndResultSet(PlainOk());
  FinishCommand(connection);
}

void SqlHandler::FinishCommand(const ConnectionPtr& connection) {
  NoteRunning("");
  if (obeyed_generation_ != session_.settings().generation) {
    ObeyVariables(connection.get());
  }
  if (session_.connection_killed()) {
    connection->FinishAndClose();
  } else {
    connection->Finish();
  }
}

void SqlHandler::BeginWaitTimeout(const LoginInfo& login) {
  const std::string_view source = login.interactive ? "interactive_timeout" : "wait_timeout";
  if (const auto seconds = environment_.variables->IntegerValue(source)) {
    session_.other_variables()["wait_timeout"] = std::to_string(*seconds);
  }
}

void SqlHandler::ObeyVariables(Connection* connection) {
  obeyed_generation_ = session_.settings().generation;
  const auto seconds = [this](std::string_view name) {
    const auto value = environment_.variables->Get(session_, sql::VariableScope::kSession, name);
    INVARIANT(value.ok());
    return static_cast<int64_t>(value->value.uint_value());
  };
  connection->SetWaitTimeout(seconds("wait_timeout"));
  connection->SetNetReadTimeout(seconds("net_read_timeout"));
  connection->SetNetWriteTimeout(seconds("net_write_timeout"));
  connection->SetMaxAllowedPacket(static_cast<uint32_t>(session_.settings().max_allowed_packet));
}

Status SqlHandler::Kill(uint64_t id) {
  RETURN_IF_ERROR(session_.RefreshSecurity());
  const bool any = session_.security().HasSuperOr("CONNECTION_ADMIN");
  return environment_.server->Kill(id, /*query_only=*/false,
                                   any ? std::nullopt : std::optional(session_.account()));
}

Status SqlHandler::Administer(sql::Privilege needed, const std::function<Status()>& work) {
  RETURN_IF_ERROR(session_.RefreshSecurity());
  return session_.security().Has(needed)
             ? work()
             : UserError(ER_SPECIFIC_ACCESS_DENIED_ERROR, sql::PrivilegeName(needed));
}

void SqlHandler::NoteUser(const LoginInfo& login) {
  MutexLock lock(mutex_);
  user_ = login.user;
  account_ = {login.account.user, login.account.host};
  attributes_ = login.attributes;
}

sql::ClientAttributes SqlHandler::client() const {
  MutexLock lock(mutex_);
  return {0, account_, attributes_};
}

std::string SqlHandler::user() const {
  MutexLock lock(mutex_);
  return user_;
}

sql::AccountKey SqlHandler::account() const {
  MutexLock lock(mutex_);
  return account_;
}

void SqlHandler::NoteRunning(std::string text) {
  if (auto without = sql::WithoutSecrets(text); without.has_value()) {
    text = std::move(*without);
  }
  MutexLock lock(mutex_);
  running_ = std::move(text);
  database_ = session_.database();
}

std::string SqlHandler::running_text() const {
  MutexLock lock(mutex_);
  return running_;
}

std::string SqlHandler::database() const {
  MutexLock lock(mutex_);
  return database_;
}

Status SqlHandler::OnChangeUser(const ConnectionPtr& connection, const LoginInfo& login) {
  session_.Reset();
  prepared_.clear();
  NoteUser(login);
  session_.set_identity(ToIdentity(session_.identity().connection_id, login));
  BeginWaitTimeout(login);
  ObeyVariables(connection.get());
  RETURN_IF_ERROR(TakeCollation(login.collation, &session_));
  session_.set_password_expired(login.account.password_expired);
  RETURN_IF_ERROR(session_.ActivateDefaultRoles());
  session_.set_client_found_rows((login.capabilities & mysql::kClientFoundRows) != 0);
  session_.set_multi_statements((login.capabilities & mysql::kClientMultiStatements) != 0);
  if (login.database.empty()) {
    session_.ForgetDatabase();
    return {};
  }
  return session_.UseDatabase(login.database);
}

uint16_t SqlHandler::StatusFlags() const {
  uint16_t flags = 0;
  if (session_.in_transaction()) {
    flags |= sql::kStatusInTransaction;
  }
  if (session_.settings().autocommit) {
    flags |= sql::kStatusAutocommit;
  }
  return flags;
}

void SqlHandler::OnClose() {
  session_.Close();
}

void SqlHandler::OnKill(bool connection) {
  session_.Kill(connection);
}

}  // namespace borealis::server
