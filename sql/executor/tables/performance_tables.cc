// performance_schema: who is connected, what runs, what is set. Nothing is instrumented, so what
// MySQL sums up over time is not here; figures of memory are 0.
#include <map>

#include "engine/engine.h"
#include "sql/executor/tables/server_tables.h"
#include "sql/executor/variables/variable_spec.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// ---- connections

using NameOf = std::vector<std::string> (*)(const ProcessInfo& process);

std::string HostOf(const ProcessInfo& process) {
  return process.host.substr(0, process.host.rfind(':'));
}

// Connections by what `name` makes of them. Those that have ended are not counted, so there have
// been as many as there are.
Status AddConnections(SystemRows& rows, NameOf name) {
  std::map<std::vector<std::string>, uint64_t> counts;
  for (const ProcessInfo& process : ProcessesOf(rows)) {
    ++counts[name(process)];
  }
  for (const auto& [names, count] : counts) {
    SystemRow row = rows.NewRow();
    for (const std::string& text : names) {
      row.Text(text);
    }
    RETURN_IF_ERROR(rows.Add(row.Number(count).Number(count).Rest()));
  }
  return Status::Ok();
}

Status ScanAccounts(SystemRows& rows) {
  return AddConnections(rows, [](const ProcessInfo& process) {
    return std::vector<std::string>{process.user, HostOf(process)};
  });
}

Status ScanHosts(SystemRows& rows) {
  return AddConnections(
      rows, [](const ProcessInfo& process) { return std::vector<std::string>{HostOf(process)}; });
}

Status ScanUsers(SystemRows& rows) {
  return AddConnections(
      rows, [](const ProcessInfo& process) { return std::vector<std::string>{process.user}; });
}

// ---- statements

// Those that run now. A thread's id is its connection's.
Status ScanStatementsCurrent(SystemRows& rows) {
  constexpr uint64_t kPicoseconds = 1'000'000'000'000;
  for (const ProcessInfo& process : ProcessesOf(rows)) {
    if (!process.info.has_value()) {
      continue;
    }
    SystemRow row = rows.NewRow();
    row.Number(process.id).Number(1).Null().Text("statement/abstract/Query").Null(3);
    row.Number(process.seconds * kPicoseconds).Number(0).Text(*process.info).Null(2);
    RETURN_IF_ERROR(rows.Add(row.TextOrNull(process.database).Rest()));
  }
  return Status::Ok();
}

Status ScanTableHandles(SystemRows& rows) {
  uint64_t number = 0;
  for (const engine::MetadataLockInfo& lock :
       rows.session().environment().engine->ListMetadataLocks()) {
    if (lock.kind == engine::MetadataLockInfo::Kind::kTable && lock.granted) {
      SystemRow row = rows.NewRow();
      row.Text("TABLE").Text(lock.schema).Text(lock.name).Number(++number);
      RETURN_IF_ERROR(rows.Add(row.Number(lock.session_id).Null(3)));
    }
  }
  return Status::Ok();
}

// ---- what is set up

// Units of time that columns are in. What MySQL counts cycles with is not read.
Status ScanTimers(SystemRows& rows) {
  struct Timer {
    std::string_view name;
    uint64_t frequency;
  };
  constexpr Timer kTimers[] = {
      {"NANOSECOND", 1'000'000'000}, {"MICROSECOND", 1'000'000}, {"MILLISECOND", 1'000}};
  for (const Timer& timer : kTimers) {
    SystemRow row = rows.NewRow();
    RETURN_IF_ERROR(rows.Add(row.Text(timer.name).Number(timer.frequency).Number(1).Null()));
  }
  return Status::Ok();
}

// Enabled is what feeds a table here.
Status ScanConsumers(SystemRows& rows) {
  struct Consumer {
    std::string_view name;
    bool enabled = false;
  };
  constexpr Consumer kConsumers[] = {{"events_stages_current"},
                                     {"events_stages_history"},
                                     {"events_stages_history_long"},
                                     {"events_statements_cpu"},
                                     {"events_statements_current", true},
                                     {"events_statements_history"},
                                     {"events_statements_history_long"},
                                     {"events_transactions_current"},
                                     {"events_transactions_history"},
                                     {"events_transactions_history_long"},
                                     {"events_waits_current"},
                                     {"events_waits_history"},
                                     {"events_waits_history_long"},
                                     {"global_instrumentation", true},
                                     {"thread_instrumentation", true},
                                     {"statements_digest"}};
  for (const Consumer& consumer : kConsumers) {
    SystemRow row = rows.NewRow();
    RETURN_IF_ERROR(rows.Add(row.Text(consumer.name).YesNo(consumer.enabled)));
  }
  return Status::Ok();
}

// The one kind of thread that is shown.
Status ScanSetupThreads(SystemRows& rows) {
  constexpr uint64_t kUserThreads = 2;
  SystemRow row = rows.NewRow();
  row.Text("thread/sql/one_connection").YesNo(false).YesNo(false).Members(kUserThreads);
  return rows.Add(row.Number(0).Null());
}

Status ScanLogStatus(SystemRows& rows) {
  const ServerInterface* server = rows.session().environment().server;
  SystemRow row = rows.NewRow();
  row.Text(server == nullptr ? std::string_view() : server->server_uuid());
  row.Json(R"({"gtid_executed": ""})").Json(R"({"channels": []})");
  return rows.Add(row.Json("{}"));
}

// ---- variables

// Where a global value comes from. What nobody gives when the server starts has no initial text.
std::string_view SourceOf(const VariableSpec& spec, std::string_view global) {
  const bool initial = global == spec.initial || (global.empty() && spec.initial == "NULL");
  if (spec.dynamic) {
    return initial ? "COMPILED" : "DYNAMIC";
  }
  return initial || spec.initial.empty() ? "COMPILED" : "COMMAND_LINE";
}

// Who set one, and when, is not kept.
Status ScanVariablesInfo(SystemRows& rows) {
  const Session& session = rows.session();
  std::map<std::string, std::string> globals;
  for (VariableText& variable :
       session.environment().variables->List(session, VariableScope::kGlobal)) {
    globals.emplace(std::move(variable.name), std::move(variable.value));
  }
  for (const VariableSpec& spec : AllVariables()) {
    const auto global = globals.find(std::string(spec.name));
    const std::string_view source =
        global == globals.end() ? "COMPILED" : SourceOf(spec, global->second);
    const bool number = spec.kind == VariableKind::kInteger;
    SystemRow row = rows.NewRow();
    row.Text(spec.name).Text(source).Text("");
    row.Text(number ? std::to_string(spec.min) : "0").Text(number ? std::to_string(spec.max) : "0");
    RETURN_IF_ERROR(rows.Add(row.Null(3)));
  }
  return Status::Ok();
}

// Of the own thread: others' values are theirs alone.
Status ScanVariablesByThread(SystemRows& rows) {
  const Session& session = rows.session();
  for (const VariableText& variable :
       session.environment().variables->List(session, VariableScope::kSession)) {
    if (FindVariable(variable.name)->place != VariablePlace::kGlobal) {
      SystemRow row = rows.NewRow();
      row.Number(session.identity().connection_id).Text(variable.name);
      RETURN_IF_ERROR(rows.Add(row.Text(variable.value)));
    }
  }
  return Status::Ok();
}

Status ScanStatusByThread(SystemRows& rows) {
  const Session& session = rows.session();
  for (const auto& [name, value] : StatusOf(session, VariableScope::kSession)) {
    SystemRow row = rows.NewRow();
    row.Number(session.identity().connection_id).Text(name);
    RETURN_IF_ERROR(rows.Add(row.Text(value)));
  }
  return Status::Ok();
}

constexpr std::string_view kSchema = "performance_schema";

}  // namespace

std::vector<SystemTableDefinition> PerformanceSystemTables() {
  return {
      {kSchema, "accounts", "", ScanAccounts},
      {kSchema, "hosts", "", ScanHosts},
      {kSchema, "users", "", ScanUsers},
      {kSchema, "events_statements_current", "", ScanStatementsCurrent},
      {kSchema, "table_handles", "", ScanTableHandles},
      {kSchema, "performance_timers", "", ScanTimers},
      {kSchema, "setup_consumers", "", ScanConsumers},
      {kSchema, "setup_threads", "", ScanSetupThreads},
      {kSchema, "log_status", "", ScanLogStatus},
      {kSchema, "variables_info", "", ScanVariablesInfo},
      {kSchema, "variables_by_thread", "", ScanVariablesByThread},
      {kSchema, "status_by_thread", "", ScanStatusByThread},
  };
}

}  // namespace borealis::sql
