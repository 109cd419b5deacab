#include "sql/executor/variables/variable_registry.h"

#include <charconv>

#include "base/mysql_error.h"
#include "row/convert.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"

namespace borealis::sql {

namespace {

// Values that are facts of the moment, not settings. Empty name: not one of them.
bool ComputedText(const Session& session, std::string_view name, std::string* text) {
  const ServerInterface* server = session.environment().server;
  if (name == "read_only" || name == "super_read_only" || name == "innodb_read_only") {
    *text = server != nullptr && server->read_only() ? "ON" : "OFF";
  } else if (name == "last_insert_id" || name == "identity") {
    *text = std::to_string(session.last_insert_id());
  } else if (name == "pseudo_thread_id") {
    *text = std::to_string(session.identity().connection_id);
  } else if (name == "warning_count") {
    *text = std::to_string(session.diagnostics().count());
  } else if (name == "error_count") {
    *text = std::to_string(session.diagnostics().error_count());
  } else if (server != nullptr && name == "hostname") {
    *text = server->hostname();
  } else if (server != nullptr && name == "port") {
    *text = std::to_string(server->port());
  } else if (server != nullptr && name == "server_uuid") {
    *text = server->server_uuid();
  } else if (server != nullptr && name == "version") {
    *text = server->version();
  } else if (server != nullptr && name == "version_comment") {
    *text = server->version_comment();
  } else if (name == "timestamp") {
    const int64_t fixed_us = session.settings().fixed_timestamp_us;
    const int64_t now_us = fixed_us != 0 ? fixed_us : session.statement_time_us();
    *text = std::to_string(now_us / 1000000) + "." +
            std::to_string(now_us % 1000000 + 1000000).substr(1);
  } else {
    return false;
  }
  return true;
}

TypedValue ToTyped(const VariableSpec& spec, const std::string& text) {
  switch (spec.kind) {
    case VariableKind::kBool:
      return {row::Type::BigInt().NotNull(), row::Value::Int(text == "ON" ? 1 : 0)};
    case VariableKind::kInteger: {
      uint64_t number = 0;
      std::from_chars(text.data(), text.data() + text.size(), number);
      return {row::Type::BigInt(true).NotNull(), row::Value::Uint(number)};
    }
    case VariableKind::kReal: {
      double number = 0;
      std::from_chars(text.data(), text.data() + text.size(), number);
      row::Type type = row::Type::Double();
      type.scale = 6;  // as MySQL shows them
      return {type, row::Value::Double(number)};
    }
    case VariableKind::kText:
    case VariableKind::kEnum:
      break;
  }
  const row::Type type =
      row::Type::Varchar(static_cast<uint32_t>(text.size()), row::kUtf8mb3GeneralCi);
  const bool null = text == "NULL" || (spec.name == "character_set_results" && text.empty());
  return {type, null ? row::Value::Null() : row::Value::String(text)};
}

void WarnTruncated(Session* session, const VariableSpec& spec, std::string_view given) {
  session->diagnostics().AddWarning(
      row::WarningLevel::kWarning, ER_TRUNCATED_WRONG_VALUE,
      fmt::format("Truncated incorrect {} value: '{}'", spec.name, given));
}

// Of character sets and collations that are to go.
void WarnOfUtf8mb3(Session* session, std::string_view variable, std::string_view name) {
  if (variable.starts_with("character_set_") && name == "utf8") {
    session->diagnostics().AddWarning(UserError(ER_DEPRECATED_UTF8_ALIAS));
  } else if (variable.starts_with("character_set_") && name == "utf8mb3") {
    session->diagnostics().AddWarning(UserError(ER_WARN_DEPRECATED_SYNTAX, "utf8mb3", "utf8mb4"));
  } else if (variable.starts_with("collation_")) {
    const row::Collation* collation = row::FindCollation(name);
    if (collation != nullptr && collation->charset().id == row::CharsetId::kUtf8mb3) {
      session->diagnostics().AddWarning(
          UserError(ER_WARN_DEPRECATED_UTF8MB3_COLLATION, collation->name()));
    }
  }
}

// Of modes that go together, and of one that is to go.
void WarnOfSqlMode(Session* session, std::string_view text) {
  const Result<row::SqlMode> mode = row::ParseSqlMode(text);
  if (!mode.ok()) {
    return;
  }
  constexpr row::SqlMode kOfStrictMode =
      row::kModeNoZeroInDate | row::kModeNoZeroDate | row::kModeErrorForDivisionByZero;
  if ((*mode & kOfStrictMode) != (row::IsStrict(*mode) ? kOfStrictMode : row::SqlMode{0})) {
    session->diagnostics().AddWarning(UserError(ER_SQL_MODE_MERGED));
  }
  if ((*mode & row::kModePadCharToFullLength) != 0) {
    session->diagnostics().AddWarning(
        UserError(ER_WARN_DEPRECATED_SQLMODE, "PAD_CHAR_TO_FULL_LENGTH"));
  }
}

// SET sql_mode = 0: a number is the modes' bits.
Result<std::string> SqlModeOfNumber(const TypedValue& value) {
  const row::ConversionContext conversion;
  bool is_unsigned = false;
  const auto bits =
      static_cast<row::SqlMode>(row::ToInteger(value.value, value.type, conversion, &is_unsigned));
  constexpr row::SqlMode kAll =
      row::kModeTimeTruncateFractional * 2 - 1;  // of some bits no mode is left
  return bits <= kAll
             ? Result<std::string>(row::SqlModeText(bits))
             : UserError(ER_WRONG_VALUE_FOR_VAR, "sql_mode", row::ToText(value.value, value.type));
}

bool IsOfWrongType(const VariableSpec& spec, const TypedValue& value) {
  if (value.value.is_null()) {
    return spec.kind == VariableKind::kInteger || spec.kind == VariableKind::kReal;
  }
  return spec.kind == VariableKind::kInteger &&
         (value.type.is_text() || value.type.is_floating() || value.type.is_decimal());
}

// Sessions have a value of their own, that of the global one when they began.
bool IsFixedInSession(std::string_view name) {
  return name == "max_allowed_packet" || name == "net_buffer_length";
}

Status WrongScope(const VariableSpec& spec, const char* kind) {
  return UserError(ER_INCORRECT_GLOBAL_LOCAL_VAR, spec.name, kind);
}

// The other name of a variable that has two, as of MySQL 8.0.26: replica_net_timeout is
// slave_net_timeout. Empty: it has one.
std::string OtherName(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"slave", "replica"}, {"replica", "slave"}, {"master", "source"}, {"source", "master"}};
  for (const auto& [word, other] : kWords) {
    const size_t at = name.find(word);
    if (at == std::string_view::npos) {
      continue;
    }
    std::string candidate(name);
    candidate.replace(at, word.size(), other);
    if (FindVariable(candidate) != nullptr) {
      return candidate;
    }
  }
  return "";
}

}  // namespace

VariableRegistry::VariableRegistry() {
  {
    MutexLock lock(mutex_);
    for (const VariableSpec& spec : AllVariables()) {
      globals_[std::string(spec.name)] = spec.initial;
    }
  }
  ComputeInitial();
}

std::string VariableRegistry::GlobalText(std::string_view name) const {
  MutexLock lock(mutex_);
  const auto found = globals_.find(name);
  return found == globals_.end() ? std::string() : found->second;
}

SessionSettings VariableRegistry::InitialSettings() const {
  MutexLock lock(mutex_);
  return initial_.settings;
}

OtherVariables VariableRegistry::InitialOthers() const {
  MutexLock lock(mutex_);
  return initial_.others;
}

// In the variables' order, all of them: some write more than one setting.
VariableRegistry::Initial VariableRegistry::InitialOf(const Globals& globals) {
  Initial initial;
  for (const VariableSpec& spec : AllVariables()) {
    if (spec.place != VariablePlace::kBoth) {
      continue;
    }
    const auto global = globals.find(spec.name);
    if (const SettingBind* bind = FindSettingBind(spec.name); bind != nullptr) {
      // Global values were checked when they were set.
      bind->write(global->second, &initial.settings).IgnoreError();
    } else if (global->second != spec.initial) {
      initial.others.insert(*global);
    }
  }
  initial.settings.generation = 0;
  return initial;
}

// Binds take locks of their own, so it is computed outside the registry's, and anew when a value
// has been set meanwhile.
void VariableRegistry::ComputeInitial() {
  while (true) {
    Globals globals;
    uint64_t version = 0;
    {
      MutexLock lock(mutex_);
      globals = globals_;
      version = version_;
    }
    Initial computed = InitialOf(globals);
    MutexLock lock(mutex_);
    if (version == version_) {
      initial_ = std::move(computed);
      return;
    }
  }
}

std::string VariableRegistry::Text(const Session& session, const VariableSpec& spec,
                                   bool global) const {
  std::string text;
  if (ComputedText(session, spec.name, &text)) {
    return text;
  }
  if (global) {
    return GlobalText(spec.name);
  }
  if (const SettingBind* bind = FindSettingBind(spec.name); bind != nullptr) {
    return bind->read(session.settings());
  }
  const auto found = session.other_variables().find(spec.name);
  return found != session.other_variables().end() ? found->second : std::string(spec.initial);
}

Result<TypedValue> VariableRegistry::Get(const Session& session, VariableScope scope,
                                         std::string_view name) const {
  const VariableSpec* spec = FindVariable(name);
  if (spec == nullptr) {
    return UserError(ER_UNKNOWN_SYSTEM_VARIABLE, name);
  }
  const bool asks_global = scope == VariableScope::kGlobal || scope == VariableScope::kPersist ||
                           scope == VariableScope::kPersistOnly;
  if (asks_global && spec->place == VariablePlace::kSession) {
    return WrongScope(*spec, "SESSION");
  }
  if (scope == VariableScope::kSession && spec->place == VariablePlace::kGlobal) {
    return WrongScope(*spec, "GLOBAL");
  }
  return ToTyped(*spec, Text(session, *spec, asks_global || spec->place == VariablePlace::kGlobal));
}

Status VariableRegistry::Set(Session* session, VariableScope scope, std::string_view name,
                             const TypedValue* value) {
  const VariableSpec* spec = FindVariable(name);
  if (spec == nullptr) {
    return UserError(ER_UNKNOWN_SYSTEM_VARIABLE, name);
  }
  const bool global = scope == VariableScope::kGlobal || scope == VariableScope::kPersist;
  if (!spec->dynamic || scope == VariableScope::kPersistOnly) {
    return WrongScope(*spec, "read only");
  }
  if (global && spec->place == VariablePlace::kSession) {
    return UserError(ER_LOCAL_VARIABLE, spec->name);
  }
  if (!global && spec->place == VariablePlace::kGlobal) {
    return UserError(ER_GLOBAL_VARIABLE, spec->name);
  }
  std::string text;
  if (value == nullptr) {  // DEFAULT: the global value, or the compiled-in one
    text = global || spec->place == VariablePlace::kSession ? std::string(spec->initial)
                                                            : GlobalText(spec->name);
  } else {
    const row::TimeZone& zone = session->eval_context().conversion.time_zone();
    std::string given =
        value->value.is_null() ? "NULL" : row::ToText(value->value, value->type, zone);
    if (IsOfWrongType(*spec, *value)) {
      return UserError(ER_WRONG_TYPE_FOR_VAR, spec->name);
    }
    if (value->value.is_null() && spec->name != "character_set_results") {
      return UserError(ER_WRONG_VALUE_FOR_VAR, spec->name, "NULL");
    }
    if (spec->name == "sql_mode" && value->type.is_numeric()) {
      ASSIGN_OR_RETURN(given, SqlModeOfNumber(*value));
    }
    bool clamped = false;
    RETURN_IF_ERROR(NormaliseVariable(*spec, given, &text, &clamped));
    if (clamped) {
      WarnTruncated(session, *spec, given);
    }
    if (spec->name == "sql_mode") {
      WarnOfSqlMode(session, text);
    }
    WarnOfUtf8mb3(session, spec->name, FoldName(given));
  }
  if (!global && IsFixedInSession(spec->name)) {
    return UserError(ER_VARIABLE_IS_READONLY, "SESSION", spec->name, "SET GLOBAL");
  }
  if (spec->name == "innodb_buffer_pool_size") {
    return SetBufferPoolSize(session, *spec, text);
  }
  return global ? SetGlobal(*spec, text) : SetSession(session, *spec, text);
}

// The bind's own check runs against settings that are thrown away.
Status VariableRegistry::SetGlobal(const VariableSpec& spec, const std::string& text) {
  SessionSettings scratch;
  std::string shown = text;
  if (const SettingBind* bind = FindSettingBind(spec.name); bind != nullptr) {
    RETURN_IF_ERROR(bind->write(text, &scratch));
    shown = bind->read(scratch);
  }
  {
    MutexLock lock(mutex_);
    globals_[std::string(spec.name)] = shown;
    if (std::string other = OtherName(spec.name); !other.empty()) {
      globals_[std::move(other)] = shown;
    }
    ++version_;
  }
  ComputeInitial();
  return Status::Ok();
}

// The value goes down to a whole number of MiB, and then up to whole chunks; a warning each.
Status VariableRegistry::SetBufferPoolSize(Session* session, const VariableSpec& spec,
                                           const std::string& text) {
  constexpr uint64_t kUnit = uint64_t{1} << 20;
  const uint64_t chunk = IntegerValue("innodb_buffer_pool_chunk_size").value_or(kUnit);
  uint64_t bytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (bytes % kUnit != 0) {
    WarnTruncated(session, spec, text);
    bytes -= bytes % kUnit;
  }
  if (bytes % chunk != 0) {
    WarnTruncated(session, spec, std::to_string(bytes));
    bytes += chunk - bytes % chunk;
  }
  if (ServerInterface* const server = session->environment().server) {
    server->ResizeBufferPool(bytes);
  }
  return SetGlobal(spec, std::to_string(bytes));
}

Status VariableRegistry::SetSession(Session* session, const VariableSpec& spec,
                                    const std::string& text) {
  if (spec.name == "last_insert_id" || spec.name == "identity") {
    uint64_t id = 0;
    std::from_chars(text.data(), text.data() + text.size(), id);
    session->set_last_insert_id(id);
    return Status::Ok();
  }
  if (const SettingBind* bind = FindSettingBind(spec.name); bind != nullptr) {
    return bind->write(text, &session->settings());
  }
  session->other_variables()[std::string(spec.name)] = text;
  ++session->settings().generation;  // some act on the connection, which watches this
  return Status::Ok();
}

Status VariableRegistry::SetAtStart(std::string_view name, std::string_view value) {
  const VariableSpec* spec = FindVariable(name);
  if (spec == nullptr) {
    return UserError(ER_UNKNOWN_SYSTEM_VARIABLE, name);
  }
  std::string text;
  bool clamped = false;
  RETURN_IF_ERROR(NormaliseVariable(*spec, value, &text, &clamped));
  if (clamped) {
    return UserError(ER_WRONG_VALUE_FOR_VAR, spec->name, value);
  }
  return SetGlobal(*spec, text);
}

std::optional<uint64_t> VariableRegistry::IntegerValue(std::string_view name) const {
  const VariableSpec* spec = FindVariable(name);
  if (spec == nullptr ||
      (spec->kind != VariableKind::kInteger && spec->kind != VariableKind::kBool)) {
    return std::nullopt;
  }
  const std::string text = GlobalText(spec->name);
  if (spec->kind == VariableKind::kBool) {
    return text == "ON" ? 1 : 0;
  }
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::vector<VariableText> VariableRegistry::List(const Session& session,
                                                 VariableScope scope) const {
  const bool global = scope == VariableScope::kGlobal;
  std::vector<VariableText> list;
  for (const VariableSpec& spec : AllVariables()) {
    if (global && spec.place == VariablePlace::kSession) {
      continue;
    }
    std::string text = Text(session, spec, global || spec.place == VariablePlace::kGlobal);
    if (spec.kind == VariableKind::kText && text == "NULL") {
      text.clear();
    }
    list.push_back({std::string(spec.name), std::move(text)});
  }
  return list;
}

}  // namespace borealis::sql
