#include "sql/executor/variables/variable_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/mysql_error.h"
#include "row/time_zone.h"
#include "sql/catalog/table_descriptor.h"

namespace borealis::sql {

namespace {

constexpr VariablePlace kGlobal = VariablePlace::kGlobal;
constexpr VariablePlace kSession = VariablePlace::kSession;
constexpr VariablePlace kBoth = VariablePlace::kBoth;

constexpr VariableSpec kVariables[] = {
#define B(name, place, dynamic, initial) \
  {#name, place, VariableKind::kBool, dynamic, initial, 0, 1, ""},
#define I(name, place, dynamic, initial, min, max) \
  {#name, place, VariableKind::kInteger, dynamic, initial, min, max, ""},
#define R(name, place, dynamic, initial) \
  {#name, place, VariableKind::kReal, dynamic, initial, 0, 0, ""},
#define T(name, place, dynamic, initial) \
  {#name, place, VariableKind::kText, dynamic, initial, 0, 0, ""},
#define E(name, place, dynamic, initial, choices) \
  {#name, place, VariableKind::kEnum, dynamic, initial, 0, 0, choices},
#include "sql/executor/variables/variables.def"
#undef B
#undef I
#undef R
#undef T
#undef E
};

Status WrongValue(std::string_view name, std::string_view value) {
  return UserError(ER_WRONG_VALUE_FOR_VAR, name, value);
}

// ---- bindings to SessionSettings

std::string OnOff(bool on) {
  return on ? "ON" : "OFF";
}

template <bool SessionSettings::*member>
SettingBind BindBool() {
  return {[](const SessionSettings& s) { return OnOff(s.*member); },
          [](std::string_view text, SessionSettings* s) {
            s->*member = text == "ON";
            ++s->generation;
            return Status::Ok();
          }};
}

template <class T, T SessionSettings::*member>
SettingBind BindInteger() {
  return {[](const SessionSettings& s) { return std::to_string(s.*member); },
          [](std::string_view text, SessionSettings* s) {
            std::from_chars(text.data(), text.data() + text.size(), s->*member);
            ++s->generation;
            return Status::Ok();
          }};
}

// By name, or by the number of one of its collations.
const row::Charset* FindCharsetOf(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return row::FindCharset(text);
  }
  const row::Collation* collation =
      number <= UINT16_MAX ? row::FindCollation(static_cast<row::CollationId>(number)) : nullptr;
  return collation == nullptr ? nullptr : &collation->charset();
}

template <row::CharsetId SessionSettings::*member>
SettingBind BindCharset() {
  return {[](const SessionSettings& s) { return std::string(row::GetCharset(s.*member).name); },
          [](std::string_view text, SessionSettings* s) {
            const row::Charset* charset = FindCharsetOf(text);
            if (charset == nullptr) {
              return UserError(ER_UNKNOWN_CHARACTER_SET, text);
            }
            s->*member = charset->id;
            ++s->generation;
            return Status::Ok();
          }};
}

SettingBind BindClientCharset() {
  SettingBind bind = BindCharset<&SessionSettings::character_set_client>();
  bind.write = [](std::string_view text, SessionSettings* s) {
    return IsOfWideUnits(text)
               ? UserError(ER_WRONG_VALUE_FOR_VAR, "character_set_client", text)
               : BindCharset<&SessionSettings::character_set_client>().write(text, s);
  };
  return bind;
}

template <row::CollationId SessionSettings::*member>
SettingBind BindCollation() {
  return {[](const SessionSettings& s) { return std::string(row::GetCollation(s.*member).name()); },
          [](std::string_view text, SessionSettings* s) {
            const row::Collation* collation = row::FindCollation(text);
            if (collation == nullptr) {
              return UserError(ER_UNKNOWN_COLLATION, text);
            }
            s->*member = collation->id();
            ++s->generation;
            return Status::Ok();
          }};
}

// character_set_connection and its like: the charset of a collation that is a setting.
template <row::CollationId SessionSettings::*member>
SettingBind BindCharsetOfCollation() {
  return {[](const SessionSettings& s) {
            return std::string(row::GetCollation(s.*member).charset().name);
          },
          [](std::string_view text, SessionSettings* s) {
            const row::Charset* charset = FindCharsetOf(text);
            if (charset == nullptr) {
              return UserError(ER_UNKNOWN_CHARACTER_SET, text);
            }
            s->*member = charset->default_collation;
            ++s->generation;
            return Status::Ok();
          }};
}

constexpr std::string_view kIsolationNames[] = {"READ-UNCOMMITTED", "READ-COMMITTED",
                                                "REPEATABLE-READ", "SERIALIZABLE"};

SettingBind BindIsolation() {
  return {[](const SessionSettings& s) {
            return std::string(kIsolationNames[static_cast<size_t>(s.isolation)]);
          },
          [](std::string_view text, SessionSettings* s) {
            const auto* found =
                std::find(std::begin(kIsolationNames), std::end(kIsolationNames), text);
            s->isolation = static_cast<IsolationLevel>(found - std::begin(kIsolationNames));
            return Status::Ok();
          }};
}

SettingBind BindSqlMode() {
  return {[](const SessionSettings& s) { return row::SqlModeText(s.sql_mode); },
          [](std::string_view text, SessionSettings* s) -> Status {
            ASSIGN_OR_RETURN(s->sql_mode, row::ParseSqlMode(text));
            ++s->generation;
            return Status::Ok();
          }};
}

SettingBind BindTimeZone() {
  return {[](const SessionSettings& s) { return s.time_zone; },
          [](std::string_view text, SessionSettings* s) -> Status {
            ASSIGN_OR_RETURN(const auto zone, row::TimeZone::Find(text));
            const bool offset = text.starts_with('+') || text.starts_with('-');
            s->time_zone = offset ? zone->name() : std::string(text);  // '+0:0' reads '+00:00'
            ++s->generation;
            return Status::Ok();
          }};
}

// Seconds with a fraction, kept as microseconds.
template <int64_t SessionSettings::*member>
SettingBind BindSeconds() {
  return {[](const SessionSettings& s) {
            return fmt::format("{:.6f}", static_cast<double>(s.*member) / 1e6);
          },
          [](std::string_view text, SessionSettings* s) {
            double seconds = 0;
            std::from_chars(text.data(), text.data() + text.size(), seconds);
            s->*member = static_cast<int64_t>(seconds * 1e6);
            return Status::Ok();
          }};
}

SettingBind BindResultsCharset() {
  return {[](const SessionSettings& s) {
            return s.results_unconverted
                       ? std::string()
                       : std::string(row::GetCharset(s.character_set_results).name);
          },
          [](std::string_view text, SessionSettings* s) {
            if (text.empty() || text == "NULL") {
              s->results_unconverted = true;
              return Status::Ok();
            }
            s->results_unconverted = false;
            return BindCharset<&SessionSettings::character_set_results>().write(text, s);
          }};
}

template <std::string SessionSettings::*member>
SettingBind BindText() {
  return {[](const SessionSettings& s) { return s.*member; },
          [](std::string_view text, SessionSettings* s) {
            s->*member = text;
            ++s->generation;
            return Status::Ok();
          }};
}

SettingBind BindEngine() {
  return {[](const SessionSettings& s) { return s.default_storage_engine; },
          [](std::string_view text, SessionSettings* s) {
            if (!SameName(text, "InnoDB")) {
              return UserError(ER_UNKNOWN_STORAGE_ENGINE, text);
            }
            s->default_storage_engine = "InnoDB";
            return Status::Ok();
          }};
}

const std::map<std::string_view, SettingBind>& Binds() {
  using S = SessionSettings;
  static const std::map<std::string_view, SettingBind> binds = {
      {"auto_increment_increment", BindInteger<uint64_t, &S::auto_increment_increment>()},
      {"auto_increment_offset", BindInteger<uint64_t, &S::auto_increment_offset>()},
      {"autocommit", BindBool<&S::autocommit>()},
      {"block_encryption_mode", BindText<&S::block_encryption_mode>()},
      {"character_set_client", BindClientCharset()},
      {"character_set_connection", BindCharsetOfCollation<&S::collation_connection>()},
      {"character_set_database", BindCharsetOfCollation<&S::collation_database>()},
      {"character_set_results", BindResultsCharset()},
      {"character_set_server", BindCharsetOfCollation<&S::collation_server>()},
      {"collation_connection", BindCollation<&S::collation_connection>()},
      {"collation_database", BindCollation<&S::collation_database>()},
      {"collation_server", BindCollation<&S::collation_server>()},
      {"cte_max_recursion_depth", BindInteger<uint64_t, &S::cte_max_recursion_depth>()},
      {"default_storage_engine", BindEngine()},
      {"default_week_format", BindInteger<uint32_t, &S::default_week_format>()},
      {"div_precision_increment", BindInteger<uint32_t, &S::div_precision_increment>()},
      {"eq_range_index_dive_limit", BindInteger<uint64_t, &S::eq_range_index_dive_limit>()},
      {"explicit_defaults_for_timestamp", BindBool<&S::explicit_defaults_for_timestamp>()},
      {"foreign_key_checks", BindBool<&S::foreign_key_checks>()},
      {"group_concat_max_len", BindInteger<uint64_t, &S::group_concat_max_len>()},
      {"innodb_lock_wait_timeout", BindInteger<uint64_t, &S::row_lock_wait_timeout_s>()},
      {"innodb_snapshot_isolation", BindBool<&S::innodb_snapshot_isolation>()},
      {"insert_id", BindInteger<uint64_t, &S::insert_id>()},
      {"lock_wait_timeout", BindInteger<uint64_t, &S::metadata_lock_wait_timeout_s>()},
      {"long_query_time", BindSeconds<&S::long_query_time_us>()},
      {"max_allowed_packet", BindInteger<uint64_t, &S::max_allowed_packet>()},
      {"max_error_count", BindInteger<uint64_t, &S::max_error_count>()},
      {"max_execution_time", BindInteger<uint64_t, &S::max_execution_time_ms>()},
      {"sql_auto_is_null", BindBool<&S::sql_auto_is_null>()},
      {"sql_big_selects", BindBool<&S::sql_big_selects>()},
      {"sql_mode", BindSqlMode()},
      {"sql_notes", BindBool<&S::sql_notes>()},
      {"sql_safe_updates", BindBool<&S::sql_safe_updates>()},
      {"sql_select_limit", BindInteger<uint64_t, &S::sql_select_limit>()},
      {"sql_warnings", BindBool<&S::sql_warnings>()},
      {"time_zone", BindTimeZone()},
      {"timestamp", BindSeconds<&S::fixed_timestamp_us>()},
      {"transaction_isolation", BindIsolation()},
      {"transaction_read_only", BindBool<&S::transaction_read_only>()},
      {"unique_checks", BindBool<&S::unique_checks>()},
  };
  return binds;
}

// ---- checks by kind

Status NormaliseBool(const VariableSpec& spec, std::string_view text, std::string* out) {
  const std::string folded = FoldName(text);
  if (folded == "on" || folded == "1" || folded == "true") {
    *out = "ON";
  } else if (folded == "off" || folded == "0" || folded == "false") {
    *out = "OFF";
  } else {
    return WrongValue(spec.name, text);
  }
  return Status::Ok();
}

Status NormaliseInteger(const VariableSpec& spec, std::string_view text, std::string* out,
                        bool* clamped) {
  uint64_t number = 0;
  const bool negative = text.starts_with('-');
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!negative && (end != text.data() + text.size() || error == std::errc::invalid_argument)) {
    return UserError(ER_WRONG_TYPE_FOR_VAR, spec.name);
  }
  number = negative ? 0 : error == std::errc::result_out_of_range ? ~uint64_t{0} : number;
  const uint64_t inside = std::clamp(number, spec.min, spec.max);
  *clamped = negative || inside != number;
  *out = std::to_string(inside);
  return Status::Ok();
}

// A choice by name, or by its number from 0.
Status NormaliseEnum(const VariableSpec& spec, std::string_view text, std::string* out) {
  std::string_view rest = spec.choices;
  for (int number = 0; !rest.empty(); ++number) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view choice = rest.substr(0, comma);
    if (SameName(choice, text) || std::to_string(number) == text) {
      *out = choice;
      return Status::Ok();
    }
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return WrongValue(spec.name, text);
}

}  // namespace

bool IsOfWideUnits(std::string_view charset) {
  return SameName(charset, "ucs2") || SameName(charset, "utf16") || SameName(charset, "utf16le") ||
         SameName(charset, "utf32");
}

std::span<const VariableSpec> AllVariables() {
  return kVariables;
}

const VariableSpec* FindVariable(std::string_view name) {
  static const auto by_name = [] {
    std::map<std::string_view, const VariableSpec*> map;
    for (const VariableSpec& spec : kVariables) {
      map[spec.name] = &spec;
    }
    return map;
  }();
  const auto found = by_name.find(FoldName(name));
  return found == by_name.end() ? nullptr : found->second;
}

const SettingBind* FindSettingBind(std::string_view name) {
  const auto found = Binds().find(name);
  return found == Binds().end() ? nullptr : &found->second;
}

Status NormaliseVariable(const VariableSpec& spec, std::string_view text, std::string* out,
                         bool* clamped) {
  *clamped = false;
  switch (spec.kind) {
    case VariableKind::kBool:
      return NormaliseBool(spec, text, out);
    case VariableKind::kInteger:
      return NormaliseInteger(spec, text, out, clamped);
    case VariableKind::kEnum:
      return NormaliseEnum(spec, text, out);
    case VariableKind::kReal:
    case VariableKind::kText:
      *out = text;
      return Status::Ok();
  }
  return Status::Ok();
}

}  // namespace borealis::sql
