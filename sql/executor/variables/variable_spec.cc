#include "sql/executor/variables/variable_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <vector>

#include "base/mysql_error.h"
#include "row/time_zone.h"
#include "sql/catalog/table_descriptor.h"

namespace borealis::sql {

namespace {

constexpr VariablePlace kGlobal = VariablePlace::kGlobal;
constexpr VariablePlace kSession = VariablePlace::kSession;
constexpr VariablePlace kBoth = VariablePlace::kBoth;

// In variables.def, in the place of true: SET takes the initial value alone.
constexpr int kDefaultOnly = 2;

constexpr VariableSpec Spec(std::string_view name, VariablePlace place, VariableKind kind,
                            int dynamic, std::string_view initial) {
  VariableSpec spec;
  spec.name = name;
  spec.place = place;
  spec.kind = kind;
  spec.dynamic = dynamic != 0;
  spec.default_only = dynamic == kDefaultOnly;
  spec.initial = initial;
  return spec;
}

constexpr VariableSpec IntegerSpec(VariableSpec spec, uint64_t min, uint64_t max, uint64_t block) {
  spec.min = min;
  spec.max = max;
  spec.block = block;
  return spec;
}

constexpr VariableSpec RealSpec(VariableSpec spec, double least, double most) {
  spec.least = least;
  spec.most = most;
  return spec;
}

constexpr VariableSpec TextSpec(VariableSpec spec, TextForm form, std::string_view choices) {
  spec.form = form;
  spec.choices = choices;
  return spec;
}

constexpr VariableSpec kVariables[] = {
#define B(name, place, dynamic, initial) Spec(#name, place, VariableKind::kBool, dynamic, initial),
#define K(name, place, dynamic, initial, min, max, block) \
  IntegerSpec(Spec(#name, place, VariableKind::kInteger, dynamic, initial), min, max, block),
#define I(name, place, dynamic, initial, min, max) K(name, place, dynamic, initial, min, max, 1)
#define R(name, place, dynamic, initial, min, max) \
  RealSpec(Spec(#name, place, VariableKind::kReal, dynamic, initial), min, max),
#define TEXT(name, place, kind, dynamic, initial, form, choices) \
  TextSpec(Spec(#name, place, VariableKind::kind, dynamic, initial), TextForm::form, choices),
#define T(name, place, dynamic, initial) TEXT(name, place, kText, dynamic, initial, kAny, "")
#define E(name, place, dynamic, initial, choices) \
  TEXT(name, place, kEnum, dynamic, initial, kAny, choices)
#define S(name, place, dynamic, initial, choices) \
  TEXT(name, place, kText, dynamic, initial, kSet, choices)
#define F(name, place, dynamic, initial) TEXT(name, place, kText, dynamic, initial, kSwitches, "")
#define N(name, place, dynamic, initial) TEXT(name, place, kText, dynamic, initial, kSigned, "")
#include "sql/executor/variables/variables.def"
#include "sql/executor/variables/variables_engines.def"
#include "sql/executor/variables/variables_performance_schema.def"
#include "sql/executor/variables/variables_replication.def"
#undef B
#undef K
#undef I
#undef R
#undef TEXT
#undef T
#undef E
#undef S
#undef F
#undef N
};

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

// Looked into for every variable when a session begins.
using SettingBinds = std::unordered_map<std::string_view, SettingBind>;

const SettingBinds& Binds() {
  using S = SessionSettings;
  static const SettingBinds binds = {
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

}  // namespace

bool IsOfWideUnits(std::string_view charset) {
  return SameName(charset, "ucs2") || SameName(charset, "utf16") || SameName(charset, "utf16le") ||
         SameName(charset, "utf32");
}

std::span<const VariableSpec> AllVariables() {
  static const auto sorted = [] {
    std::vector<VariableSpec> list(std::begin(kVariables), std::end(kVariables));
    std::sort(list.begin(), list.end(),
              [](const VariableSpec& a, const VariableSpec& b) { return a.name < b.name; });
    return list;
  }();
  return sorted;
}

const VariableSpec* FindVariable(std::string_view name) {
  const std::span<const VariableSpec> all = AllVariables();
  const std::string folded = FoldName(name);
  const auto found =
      std::lower_bound(all.begin(), all.end(), folded,
                       [](const VariableSpec& spec, const auto& key) { return spec.name < key; });
  return found == all.end() || found->name != folded ? nullptr : &*found;
}

const SettingBind* FindSettingBind(std::string_view name) {
  const auto found = Binds().find(name);
  return found == Binds().end() ? nullptr : &found->second;
}

}  // namespace borealis::sql
