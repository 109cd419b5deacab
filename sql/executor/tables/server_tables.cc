// System tables that describe the server: processes, character sets, engines, variables, status.
#include "sql/executor/tables/server_tables.h"

#include <algorithm>
#include <array>

#include "engine/engine.h"
#include "row/collation.h"
#include "sql/parser/lexer.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// What is counted of statements: of the instance, or of the session alone.
void AddStatements(const Session& session, VariableScope scope,
                   std::vector<std::pair<std::string, std::string>>* status) {
  std::array<uint64_t, kCommandNames.size()> counts{};
  const StatementCounters* const counters = session.environment().counters;
  uint64_t slow = 0;
  if (scope == VariableScope::kSession) {
    for (const auto& [command, count] : session.command_counts()) {
      counts[static_cast<size_t>(command)] = count;
    }
    slow = session.slow_statements();
  } else if (counters != nullptr) {
    std::copy(counters->commands.begin(), counters->commands.end(), counts.begin());
    slow = counters->slow;
  }
  for (size_t i = 0; i < counts.size(); ++i) {
    status->emplace_back("Com_" + std::string(kCommandNames[i]), std::to_string(counts[i]));
  }
  status->emplace_back("Slow_queries", std::to_string(slow));
  status->emplace_back("Prepared_stmt_count",
                       std::to_string(counters != nullptr ? counters->prepared.load() : 0));
}

}  // namespace

std::vector<ProcessInfo> ProcessesOf(const SystemRows& rows) {
  const Session& session = rows.session();
  if (session.environment().server != nullptr) {
    std::vector<ProcessInfo> processes = session.environment().server->Processes();
    if (!session.security().Has(Privilege::kProcess)) {
      std::erase_if(processes, [&](const ProcessInfo& process) {
        return process.user != session.identity().user;
      });
    }
    return processes;
  }
  ProcessInfo own;
  own.id = session.identity().connection_id;
  own.user = session.identity().user;
  own.host = session.identity().host;
  own.command = "Query";
  own.state = "executing";
  if (!session.database().empty()) {
    own.database = session.database();
  }
  return {own};
}

// Most of the status is counted for the server as a whole, and a session sees the same.
std::vector<std::pair<std::string, std::string>> StatusOf(const Session& session,
                                                          VariableScope scope) {
  const ServerInterface* server = session.environment().server;
  std::vector<std::pair<std::string, std::string>> status;
  if (server != nullptr) {
    status = server->StatusVariables();
  }
  status.emplace_back("Ssl_cipher", session.identity().tls_cipher);
  status.emplace_back("Ssl_version", session.identity().tls_version);
  AddStatements(session, scope, &status);
  std::sort(status.begin(), status.end());
  return status;
}

namespace {

constexpr std::string_view kProcesslist =
    "ID bigint unsigned NOT NULL DEFAULT 0, USER varchar(32) NOT NULL DEFAULT '', HOST "
    "varchar(261) NOT NULL DEFAULT '', DB varchar(64), COMMAND varchar(16) NOT NULL DEFAULT '', "
    "TIME int NOT NULL DEFAULT 0, STATE varchar(64), INFO longtext";

Status ScanProcesslist(SystemRows& rows) {
  for (const ProcessInfo& process : ProcessesOf(rows)) {
    SystemRow row = rows.NewRow();
    row.Number(process.id).Text(process.user).Text(process.host).TextOrNull(process.database);
    row.Text(process.command).Number(process.seconds).Text(process.state).TextOrNull(process.info);
    RETURN_IF_ERROR(rows.Add(row));
  }
  return Status::Ok();
}

constexpr std::string_view kProcesses =
    "ID bigint unsigned NOT NULL DEFAULT 0, USER varchar(32), HOST varchar(261) COLLATE "
    "ascii_general_ci, DB varchar(64), COMMAND varchar(16), TIME bigint, STATE varchar(64), INFO "
    "longtext, EXECUTION_ENGINE enum('PRIMARY','SECONDARY')";

// As information_schema has it, with the engine that answers.
Status ScanProcesses(SystemRows& rows) {
  for (const ProcessInfo& process : ProcessesOf(rows)) {
    SystemRow row = rows.NewRow();
    row.Number(process.id).Text(process.user).Text(process.host).TextOrNull(process.database);
    row.Text(process.command).Number(process.seconds).Text(process.state).TextOrNull(process.info);
    RETURN_IF_ERROR(rows.Add(row.Text("PRIMARY")));
  }
  return Status::Ok();
}

constexpr std::string_view kThreads =
    "THREAD_ID bigint unsigned NOT NULL, NAME varchar(128) NOT NULL, TYPE varchar(10) NOT "
    "NULL, PROCESSLIST_ID bigint unsigned, PROCESSLIST_USER varchar(32), PROCESSLIST_HOST "
    "varchar(255) COLLATE ascii_general_ci, PROCESSLIST_DB varchar(64), PROCESSLIST_COMMAND "
    "varchar(16), PROCESSLIST_TIME bigint, PROCESSLIST_STATE varchar(64), PROCESSLIST_INFO "
    "longtext, PARENT_THREAD_ID bigint unsigned, ROLE varchar(64), INSTRUMENTED "
    "enum('YES','NO') NOT NULL, HISTORY enum('YES','NO') NOT NULL, CONNECTION_TYPE "
    "varchar(16), THREAD_OS_ID bigint unsigned, RESOURCE_GROUP varchar(64), EXECUTION_ENGINE "
    "enum('PRIMARY','SECONDARY'), CONTROLLED_MEMORY bigint unsigned NOT NULL, "
    "MAX_CONTROLLED_MEMORY bigint unsigned NOT NULL, TOTAL_MEMORY bigint unsigned NOT NULL, "
    "MAX_TOTAL_MEMORY bigint unsigned NOT NULL, TELEMETRY_ACTIVE enum('YES','NO') NOT NULL";

// One thread for each connection, under the connection's number.
Status ScanThreads(SystemRows& rows) {
  for (const ProcessInfo& process : ProcessesOf(rows)) {
    SystemRow row = rows.NewRow();
    row.Number(process.id).Text("thread/sql/one_connection").Text("FOREGROUND").Number(process.id);
    row.Text(process.user).Text(process.host).TextOrNull(process.database).Text(process.command);
    row.Number(process.seconds).Text(process.state).TextOrNull(process.info).Null(2);
    row.Text("NO").Text("NO").Null(3).Text("PRIMARY");
    RETURN_IF_ERROR(rows.Add(row.Number(0).Number(0).Number(0).Number(0).Text("NO")));
  }
  return Status::Ok();
}

constexpr std::string_view kCharacterSets =
    "CHARACTER_SET_NAME varchar(64) NOT NULL, DEFAULT_COLLATE_NAME varchar(64) NOT NULL, "
    "DESCRIPTION varchar(2048) NOT NULL, MAXLEN int unsigned NOT NULL";

Status ScanCharacterSets(SystemRows& rows) {
  for (const row::Charset& charset : row::AllCharsets()) {
    SystemRow row = rows.NewRow();
    row.Text(charset.name).Text(row::GetCollation(charset.default_collation).name());
    row.Text(charset.description).Number(static_cast<uint64_t>(charset.max_bytes));
    RETURN_IF_ERROR(rows.Add(row));
  }
  return Status::Ok();
}

constexpr std::string_view kCollations =
    "COLLATION_NAME varchar(64) NOT NULL, CHARACTER_SET_NAME varchar(64) NOT NULL, ID bigint "
    "unsigned NOT NULL DEFAULT 0, IS_DEFAULT varchar(3) NOT NULL DEFAULT '', IS_COMPILED "
    "varchar(3) NOT NULL DEFAULT '', SORTLEN int unsigned NOT NULL, PAD_ATTRIBUTE "
    "enum('PAD SPACE','NO PAD') BIN NOT NULL";

// Weights per character, as MySQL tells them.
uint64_t SortLength(const row::Collation& collation) {
  switch (collation.rule()) {
    case row::Collation::Rule::kUcaPrimary:
      return collation.pad_space() ? 8 : 0;
    case row::Collation::Rule::kUcaSecondary:
    case row::Collation::Rule::kUcaTertiary:
      return 0;
    default:
      return 1;
  }
}

Status ScanCollations(SystemRows& rows) {
  for (const row::Collation& collation : row::AllCollations()) {
    SystemRow row = rows.NewRow();
    row.Text(collation.name()).Text(collation.charset().name).Number(collation.id());
    row.Text(collation.is_default() ? "Yes" : "").Text("Yes").Number(SortLength(collation));
    RETURN_IF_ERROR(rows.Add(row.Text(collation.pad_space() ? "PAD SPACE" : "NO PAD")));
  }
  return Status::Ok();
}

constexpr std::string_view kApplicability =
    "COLLATION_NAME varchar(64) NOT NULL, CHARACTER_SET_NAME varchar(64) NOT NULL";

Status ScanApplicability(SystemRows& rows) {
  for (const row::Collation& collation : row::AllCollations()) {
    SystemRow row = rows.NewRow();
    RETURN_IF_ERROR(rows.Add(row.Text(collation.name()).Text(collation.charset().name)));
  }
  return Status::Ok();
}

constexpr std::string_view kEngines =
    "ENGINE varchar(64) NOT NULL DEFAULT '', SUPPORT varchar(8) NOT NULL DEFAULT '', COMMENT "
    "varchar(80) NOT NULL DEFAULT '', TRANSACTIONS varchar(3), XA varchar(3), SAVEPOINTS "
    "varchar(3)";

Status ScanEngines(SystemRows& rows) {
  SystemRow stored = rows.NewRow();
  stored.Text("InnoDB").Text("DEFAULT");
  stored.Text("Supports transactions, row-level locking, and foreign keys");
  RETURN_IF_ERROR(rows.Add(stored.YesNo(true).YesNo(false).YesNo(true)));
  SystemRow performance = rows.NewRow();
  performance.Text("PERFORMANCE_SCHEMA").Text("YES").Text("Performance Schema");
  return rows.Add(performance.YesNo(false).YesNo(false).YesNo(false));
}

constexpr std::string_view kPlugins =
    "PLUGIN_NAME varchar(64) NOT NULL DEFAULT '', PLUGIN_VERSION varchar(20) NOT NULL DEFAULT '', "
    "PLUGIN_STATUS varchar(10) NOT NULL DEFAULT '', PLUGIN_TYPE varchar(80) NOT NULL DEFAULT '', "
    "PLUGIN_TYPE_VERSION varchar(20) NOT NULL DEFAULT '', PLUGIN_LIBRARY varchar(64), "
    "PLUGIN_LIBRARY_VERSION varchar(20), PLUGIN_AUTHOR varchar(64), PLUGIN_DESCRIPTION longtext, "
    "PLUGIN_LICENSE varchar(80), LOAD_OPTION varchar(64) NOT NULL DEFAULT ''";

Status ScanPlugins(SystemRows& rows) {
  struct Plugin {
    std::string_view name, type, description;
  };
  constexpr Plugin kBuiltIn[] = {
      {"caching_sha2_password", "AUTHENTICATION", "Caching SHA2 authentication"},
      {"InnoDB", "STORAGE ENGINE", "Supports transactions, row-level locking, and foreign keys"},
      {"PERFORMANCE_SCHEMA", "STORAGE ENGINE", "Performance Schema"},
  };
  for (const Plugin& plugin : kBuiltIn) {
    SystemRow row = rows.NewRow();
    row.Text(plugin.name).Text("1.0").Text("ACTIVE").Text(plugin.type).Text("1.0").Null(2);
    row.Text("Borealis").Text(plugin.description).Null().Text("FORCE");
    RETURN_IF_ERROR(rows.Add(row));
  }
  return Status::Ok();
}

constexpr std::string_view kKeywords = "WORD varchar(128) COLLATE utf8mb4_0900_ai_ci, RESERVED int";

Status ScanKeywords(SystemRows& rows) {
  struct Word {
    std::string_view text;
    bool reserved;
  };
  constexpr Word kWords[] = {
#define KEYWORD(name, text, reserved) {text, reserved},
#include "sql/parser/keywords.def"
#undef KEYWORD
  };
  for (const Word& word : kWords) {
    SystemRow row = rows.NewRow();
    RETURN_IF_ERROR(rows.Add(row.Text(word.text).Number(word.reserved ? 1 : 0)));
  }
  return Status::Ok();
}

constexpr std::string_view kConnectAttributes =
    "PROCESSLIST_ID bigint unsigned NOT NULL, ATTR_NAME varchar(32) COLLATE utf8mb4_bin NOT "
    "NULL, ATTR_VALUE varchar(1024) COLLATE utf8mb4_bin, ORDINAL_POSITION int";

Status AddConnectAttributes(SystemRows& rows, bool of_own_account) {
  const Session& session = rows.session();
  if (session.environment().server == nullptr) {
    return Status::Ok();
  }
  for (const ClientAttributes& client : session.environment().server->Clients()) {
    if (of_own_account && client.account != session.account()) {
      continue;
    }
    for (size_t i = 0; i < client.attributes.size(); ++i) {
      const auto& [name, value] = client.attributes[i];
      SystemRow row = rows.NewRow();
      RETURN_IF_ERROR(rows.Add(row.Number(client.id).Text(name).Text(value).Number(i)));
    }
  }
  return Status::Ok();
}

Status ScanConnectAttributes(SystemRows& rows) {
  return AddConnectAttributes(rows, /*of_own_account=*/false);
}
Status ScanAccountConnectAttributes(SystemRows& rows) {
  return AddConnectAttributes(rows, /*of_own_account=*/true);
}

constexpr std::string_view kVariables =
    "VARIABLE_NAME varchar(64) NOT NULL, VARIABLE_VALUE varchar(1024)";

Status AddVariables(SystemRows& rows, VariableScope scope) {
  const Session& session = rows.session();
  for (const VariableText& variable : session.environment().variables->List(session, scope)) {
    SystemRow row = rows.NewRow();
    RETURN_IF_ERROR(rows.Add(row.Text(variable.name).Text(variable.value)));
  }
  return Status::Ok();
}

Status ScanSessionVariables(SystemRows& rows) {
  return AddVariables(rows, VariableScope::kSession);
}
Status ScanGlobalVariables(SystemRows& rows) {
  return AddVariables(rows, VariableScope::kGlobal);
}

Status AddStatus(SystemRows& rows, VariableScope scope) {
  for (const auto& [name, value] : StatusOf(rows.session(), scope)) {
    SystemRow row = rows.NewRow();
    RETURN_IF_ERROR(rows.Add(row.Text(name).Text(value)));
  }
  return Status::Ok();
}

Status ScanSessionStatus(SystemRows& rows) {
  return AddStatus(rows, VariableScope::kSession);
}
Status ScanGlobalStatus(SystemRows& rows) {
  return AddStatus(rows, VariableScope::kGlobal);
}

constexpr std::string_view kInformation = "information_schema";
constexpr std::string_view kPerformance = "performance_schema";

}  // namespace

std::vector<SystemTableDefinition> ServerSystemTables() {
  return {
      {kInformation, "PROCESSLIST", kProcesslist, ScanProcesslist},
      {kInformation, "CHARACTER_SETS", kCharacterSets, ScanCharacterSets},
      {kInformation, "COLLATIONS", kCollations, ScanCollations},
      {kInformation, "COLLATION_CHARACTER_SET_APPLICABILITY", kApplicability, ScanApplicability},
      {kInformation, "ENGINES", kEngines, ScanEngines},
      {kInformation, "PLUGINS", kPlugins, ScanPlugins},
      {kInformation, "KEYWORDS", kKeywords, ScanKeywords},
      {kPerformance, "processlist", kProcesses, ScanProcesses},
      {kPerformance, "threads", kThreads, ScanThreads},
      {kPerformance, "session_connect_attrs", kConnectAttributes, ScanConnectAttributes},
      {kPerformance, "session_account_connect_attrs", kConnectAttributes,
       ScanAccountConnectAttributes},
      {kPerformance, "session_variables", kVariables, ScanSessionVariables},
      {kPerformance, "global_variables", kVariables, ScanGlobalVariables},
      {kPerformance, "session_status", kVariables, ScanSessionStatus},
      {kPerformance, "global_status", kVariables, ScanGlobalStatus},
  };
}

}  // namespace borealis::sql
