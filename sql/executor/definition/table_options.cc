// Table options of CREATE TABLE and ALTER TABLE.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/table_draft.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr size_t kCommentChars = 2048;

std::string Upper(std::string_view text) {
  return row::UpperText(text);
}

// Options that SHOW CREATE TABLE repeats and that change nothing here.
const std::set<std::string, std::less<>>& KeptOptions() {
  static const auto* names = new std::set<std::string, std::less<>>{
      "AVG_ROW_LENGTH", "CHECKSUM",  "DELAY_KEY_WRITE",   "KEY_BLOCK_SIZE",   "MAX_ROWS",
      "MIN_ROWS",       "PACK_KEYS", "STATS_AUTO_RECALC", "STATS_PERSISTENT", "STATS_SAMPLE_PAGES"};
  return *names;
}

Status CheckEngine(StatementRun& run, const TableOption& option, std::string_view table) {
  std::string name = Upper(option.text);
  if (name == "INNODB" || option.is_default) {
    return {};
  }
  static const std::set<std::string> kKnown = {"MYISAM",     "MEMORY",    "HEAP",      "ARCHIVE",
                                               "CSV",        "BLACKHOLE", "FEDERATED", "MERGE",
                                               "MRG_MYISAM", "NDB",       "NDBCLUSTER"};
  Status unknown = UserError(ER_UNKNOWN_STORAGE_ENGINE, option.text);
  if ((run.session.settings().sql_mode & row::kModeNoEngineSubstitution) != 0) {
    return unknown;
  }
  run.session.diagnostics().AddWarning(unknown);
  run.session.diagnostics().AddWarning(
      row::WarningLevel::kWarning, 1266,
      fmt::format("Using storage engine InnoDB for table '{}'", table));
  return {};
}

// Every table has pages of its own, as with InnoDB's own tablespaces.
Status CheckTablespace(const std::string& name) {
  const std::string known = row::LowerText(name);
  return known == "innodb_file_per_table" || known == "innodb_system"
             ? Status::Ok()
             : UserError(ER_TABLESPACE_MISSING_WITH_NAME, name);
}

// innodb_strict_mode: a format that the engine has not is an error.
bool IsStrictOfFormats(const StatementRun& run) {
  const SystemVariables* variables = run.session.environment().variables;
  const auto strict = variables == nullptr ? Result<TypedValue>(TypedValue())
                                           : variables->Get(run.session, VariableScope::kDefault,
                                                            "innodb_strict_mode");
  return strict.ok() && !strict->value.is_null() && strict->value.raw_int() != 0;
}

// The engine keeps its indexes with its rows.
Status NoteIndexDirectory(StatementRun& run, std::string_view table) {
  const bool strict = IsStrictOfFormats(run);
  run.session.diagnostics().AddWarning(
      row::WarningLevel::kWarning, strict ? 1478 : 1618,
      strict ? "InnoDB: INDEX DIRECTORY is not supported" : "<INDEX DIRECTORY> option ignored");
  return strict ? UserError(ER_ILLEGAL_HA, table) : Status::Ok();
}

}  // namespace

Status TableDraft::NoteCharset(const std::string& charset) {
  if (charset.empty()) {
    return {};
  }
  if (!written_charset_.empty() && written_charset_ != charset) {
    return UserError(ER_CONFLICTING_DECLARATIONS, "CHARACTER SET ", written_charset_,
                     "CHARACTER SET ", charset);
  }
  written_charset_ = charset;
  return {};
}

Status TableDraft::ApplyOptions(const std::vector<TableOption>& options, bool altering) {
  std::string charset;
  std::string collation;
  bool default_charset = false;
  for (const TableOption& option : options) {
    const std::string& name = option.name;
    if (name == "ENGINE") {
      RETURN_IF_ERROR(CheckEngine(run_, option, name_.name));
    } else if (name == "AUTO_INCREMENT") {
      options_.auto_increment_start = option.number.value_or(0);
    } else if (name == "COMMENT") {
      if (row::CharCount(option.text) > kCommentChars) {
        return UserError(ER_TOO_LONG_TABLE_COMMENT, name_.name, kCommentChars);
      }
      options_.comment = option.text;
    } else if (name == "CHARACTER SET") {
      default_charset = option.is_default;
      charset = option.is_default ? "" : row::LowerText(option.text);
      RETURN_IF_ERROR(NoteCharset(charset));
    } else if (name == "COLLATE") {
      collation = option.is_default ? "" : row::LowerText(option.text);
    } else if (name == "ROW_FORMAT") {
      options_.row_format = option.is_default ? "" : Upper(option.text);
      if (options_.row_format == "FIXED" && IsStrictOfFormats(run_)) {
        return UserError(ER_ILLEGAL_HA, name_.name);
      }
      if (options_.row_format == "DEFAULT") {
        options_.row_format.clear();
      }
    } else if (name == "TABLESPACE") {
      RETURN_IF_ERROR(CheckTablespace(option.text));
    } else if (name == "ENCRYPTION" || name == "COMPRESSION") {
      std::string value = Upper(option.text);
      if (value != "N" && value != "NONE" && !value.empty()) {
        return Unsupported(name + " of a table");
      }
    } else if (name == "SECONDARY_ENGINE") {
      if (Upper(option.text) != "NULL") {
        return Unsupported(name);
      }
    } else if (name == "INDEX DIRECTORY") {
      RETURN_IF_ERROR(NoteIndexDirectory(run_, name_.name));
    } else if (name == "START TRANSACTION" || name == "DATA DIRECTORY") {
      return Unsupported(name + " option of a table");
    } else if (name == "CONNECTION") {
      std::erase_if(options_.options, [&](const auto& kept) { return kept.first == name; });
      if (!option.text.empty()) {
        options_.options.emplace_back(name, option.text);
      }
    } else if (KeptOptions().count(name) != 0) {
      std::erase_if(options_.options, [&](const auto& kept) { return kept.first == name; });
      if (!option.is_default && !(option.number.has_value() && *option.number == 0 &&
                                  !name.starts_with("STATS_") && name != "PACK_KEYS")) {
        options_.options.emplace_back(name, option.text);
      }
    }
  }
  if (!charset.empty() || !collation.empty() || default_charset) {
    row::CollationId inherited = options_.collation;
    if (default_charset || (altering && !charset.empty())) {
      ASSIGN_OR_RETURN(SchemaDescriptor schema, CatalogOf(run_).FindSchema(name_.schema));
      inherited = schema.collation;
    }
    ASSIGN_OR_RETURN(options_.collation, ResolveCollation(charset, collation, inherited));
  }
  return {};
}

}  // namespace borealis::sql
