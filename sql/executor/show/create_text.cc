#include "sql/executor/show/create_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "row/collation.h"
#include "row/convert.h"
#include "sql/executor/show/column_text.h"
#include "sql/executor/show/view_text.h"
#include "sql/executor/tables/system_tables.h"
#include "sql/parser/lexer.h"

namespace borealis::sql {
namespace {

std::string Doubled(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out += c;
    if (c == quote) {
      out += c;
    }
  }
  return out + quote;
}

bool IsPlainName(std::string_view name) {
  return !name.empty() && FindKeyword(name) == Keyword::kNotKeyword &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

// Writes one table; the lines between the parentheses are gathered first.
class TableTextWriter {
 public:
  TableTextWriter(const TableDescriptor& table, const CreateTextOptions& options)
      : table_(table), options_(options) {}

  std::string Write();

 private:
  std::string Name(std::string_view name) const;
  void AddColumn(const ColumnDescriptor& column);
  std::string CharsetText(const ColumnDescriptor& column) const;
  std::string DefaultClause(const ColumnDescriptor& column) const;
  void AddIndex(const IndexDescriptor& index);
  std::string PartText(const IndexPart& part) const;
  void AddForeignKeys();
  void AddChecks();
  std::string OptionsText() const;

  const TableDescriptor& table_;
  const CreateTextOptions& options_;
  std::vector<std::string> lines_;
};

std::string QuoteName(std::string_view name, const CreateTextOptions& options) {
  if (!options.quote_names && IsPlainName(name)) {
    return std::string(name);
  }
  return Doubled(name, options.ansi_quotes ? '"' : '`');
}

std::string TableTextWriter::Name(std::string_view name) const {
  return QuoteName(name, options_);
}

// A text column says its character set when the table's is another, and its collation when that is
// not the one the character set implies (utf8mb4's implied one was once another); both when one was
// written.
std::string TableTextWriter::CharsetText(const ColumnDescriptor& column) const {
  if (!column.type.has_collation()) {
    return "";
  }
  const row::Collation& own = row::GetCollation(column.type.collation);
  const bool differs = own.id() != table_.collation || column.collation_written;
  std::string text;
  if (differs) {
    text = fmt::format(" CHARACTER SET {}", own.charset().name);
  }
  if (differs || !own.is_default()) {
    text += fmt::format(" COLLATE {}", own.name());
  }
  return text;
}

std::string TableTextWriter::DefaultClause(const ColumnDescriptor& column) const {
  const ColumnDefault& value = column.default_value;
  switch (value.kind) {
    case DefaultKind::kNone:
      return "";
    case DefaultKind::kNow:
      return " DEFAULT " + NowText(column);
    case DefaultKind::kExpression:
      return " DEFAULT (" + value.text + ")";
    case DefaultKind::kLiteral:
      break;
  }
  if (value.value.is_null()) {
    return column.type.is_blob() || column.auto_increment ? "" : " DEFAULT NULL";
  }
  const row::Type& type = column.type;
  const bool bytes = type.is_binary_string() &&
                     row::ValidUtf8Prefix(value.value.bytes()) != value.value.bytes().size();
  if (bytes) {
    std::string hex = " DEFAULT 0x";
    for (const char byte : value.value.bytes()) {
      hex += fmt::format("{:02X}", static_cast<unsigned char>(byte));
    }
    return hex;
  }
  if (type.kind == row::TypeKind::kBit) {
    return " DEFAULT " + DefaultText(column, *options_.zone).value_or("NULL");
  }
  return " DEFAULT " + QuoteLiteral(row::ToText(value.value, type, *options_.zone));
}

void TableTextWriter::AddColumn(const ColumnDescriptor& column) {
  std::string line = Name(column.name) + " " + row::SqlText(column.type) + CharsetText(column);
  if (column.generated != GeneratedKind::kNone) {
    const bool stored = column.generated == GeneratedKind::kStored;
    line += fmt::format(" GENERATED ALWAYS AS ({}) {}", column.generated_text,
                        stored ? "STORED" : "VIRTUAL");
  }
  if (!column.type.nullable) {
    line += " NOT NULL";
  } else if (column.type.kind == row::TypeKind::kTimestamp) {
    line += " NULL";  // without it an old server takes it for NOT NULL
  }
  if (column.generated == GeneratedKind::kNone) {
    line += DefaultClause(column);
  }
  if (column.on_update_now) {
    line += " ON UPDATE " + NowText(column);
  }
  if (column.auto_increment) {
    line += " AUTO_INCREMENT";
  }
  if (!column.comment.empty()) {
    line += " COMMENT " + QuoteLiteral(column.comment);
  }
  if (column.invisible) {
    line += " /*!80023 INVISIBLE */";
  }
  lines_.push_back(std::move(line));
}

std::string TableTextWriter::PartText(const IndexPart& part) const {
  const ColumnDescriptor* functional = FunctionalPart(table_, part);
  std::string text = functional != nullptr ? "(" + functional->generated_text + ")"
                                           : Name(table_.columns[part.column].name);
  if (part.prefix_length != 0) {
    text += fmt::format("({})", part.prefix_length);
  }
  return text + (part.descending ? " DESC" : "");
}

void TableTextWriter::AddIndex(const IndexDescriptor& index) {
  std::string line;
  switch (index.kind) {
    case IndexKind::kRowId:
      return;
    case IndexKind::kPrimary:
      line = "PRIMARY KEY (";
      break;
    case IndexKind::kUnique:
      line = "UNIQUE KEY " + Name(index.name) + " (";
      break;
    case IndexKind::kPlain:
      line = "KEY " + Name(index.name) + " (";
      break;
  }
  for (size_t i = 0; i < index.parts.size(); ++i) {
    line += (i == 0 ? "" : ",") + PartText(index.parts[i]);
  }
  line += ")";
  if (!index.comment.empty()) {
    line += " COMMENT " + QuoteLiteral(index.comment);
  }
  if (!index.visible) {
    line += " /*!80000 INVISIBLE */";
  }
  lines_.push_back(std::move(line));
}

void TableTextWriter::AddForeignKeys() {
  for (const ForeignKeyDescriptor* key : SortedByName(table_.foreign_keys)) {
    lines_.push_back(ForeignKeyClause(table_, *key, options_));
  }
}

void TableTextWriter::AddChecks() {
  for (const CheckDescriptor* check : SortedByName(table_.checks)) {
    lines_.push_back(fmt::format("CONSTRAINT {} CHECK ({}){}", Name(check->name), check->text,
                                 check->enforced ? "" : " /*!80016 NOT ENFORCED */"));
  }
}

std::string TableTextWriter::OptionsText() const {
  const row::Collation& collation = row::GetCollation(table_.collation);
  std::string text = " ENGINE=";
  text += table_.kind == TableKind::kSystem ? EngineOfSystemTable(table_) : "InnoDB";
  if (table_.auto_increment_column() >= 0 && options_.next_auto_increment > 1) {
    text += fmt::format(" AUTO_INCREMENT={}", options_.next_auto_increment);
  }
  text += fmt::format(" DEFAULT CHARSET={}", collation.charset().name);
  if (!collation.is_default() || collation.id() == row::kDefaultCollation) {
    text += fmt::format(" COLLATE={}", collation.name());
  }
  constexpr std::string_view kOrder[] = {
      "MIN_ROWS",         "MAX_ROWS",          "AVG_ROW_LENGTH",     "PACK_KEYS",
      "STATS_PERSISTENT", "STATS_AUTO_RECALC", "STATS_SAMPLE_PAGES", "CHECKSUM",
      "DELAY_KEY_WRITE",  "ROW_FORMAT",        "KEY_BLOCK_SIZE"};
  for (const std::string_view name : kOrder) {
    if (const std::string value = TableOptionText(table_, name); !value.empty()) {
      text += fmt::format(" {}={}", name, value);
    }
  }
  if (!table_.comment.empty()) {
    text += " COMMENT=" + QuoteLiteral(table_.comment);
  }
  if (const std::string connection = TableOptionText(table_, "CONNECTION"); !connection.empty()) {
    text += " CONNECTION=" + QuoteLiteral(connection);
  }
  return text;
}

std::string TableTextWriter::Write() {
  for (const ColumnDescriptor& column : table_.columns) {
    if (!column.hidden) {
      AddColumn(column);
    }
  }
  for (const IndexDescriptor& index : table_.indexes) {
    AddIndex(index);
  }
  AddForeignKeys();
  AddChecks();
  const bool temporary = table_.temporary || (table_.kind == TableKind::kSystem &&
                                              table_.schema == "information_schema");
  std::string text =
      fmt::format("CREATE {}TABLE {} (\n", temporary ? "TEMPORARY " : "", Name(table_.name));
  for (size_t i = 0; i < lines_.size(); ++i) {
    text += "  " + lines_[i] + (i + 1 < lines_.size() ? ",\n" : "\n");
  }
  return text + ")" + OptionsText();
}

}  // namespace

std::string QuoteNameFor(std::string_view name, const CreateTextOptions& options) {
  return QuoteName(name, options);
}

std::string ForeignKeyClause(const TableDescriptor& table, const ForeignKeyDescriptor& key,
                             const CreateTextOptions& options) {
  const auto name = [&](std::string_view text) { return QuoteName(text, options); };
  std::string own;
  std::string parent;
  for (size_t i = 0; i < key.columns.size(); ++i) {
    own += (i == 0 ? "" : ", ") + name(table.columns[key.columns[i]].name);
    parent += (i == 0 ? "" : ", ") + name(key.parent_columns[i]);
  }
  const std::string schema = key.schema == table.schema ? "" : name(key.schema) + ".";
  std::string text = fmt::format("CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {}{} ({})",
                                 name(key.name), own, schema, name(key.table), parent);
  if (key.on_delete != ForeignKeyAction::kNoAction) {
    text += fmt::format(" ON DELETE {}", ActionText(key.on_delete));
  }
  if (key.on_update != ForeignKeyAction::kNoAction) {
    text += fmt::format(" ON UPDATE {}", ActionText(key.on_update));
  }
  return text;
}

std::string QuoteLiteral(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\0':
        out += "\\0";
        break;
      case '\'':
        out += "''";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        out += c;
    }
  }
  return out + "'";
}

std::string CreateTableText(const TableDescriptor& table, const CreateTextOptions& options) {
  return TableTextWriter(table, options).Write();
}

std::string CreateViewText(const TableDescriptor& table, std::string_view database,
                           const CreateTextOptions& options) {
  constexpr std::string_view kAlgorithms[] = {"UNDEFINED", "MERGE", "TEMPTABLE"};
  const ViewDescriptor& view = *table.view;
  std::string name = table.schema == database ? "" : QuoteName(table.schema, options) + ".";
  name += QuoteName(table.name, options);
  if (view.names_columns) {
    std::string separator = " (";
    for (const ColumnDescriptor& column : table.columns) {
      name += std::exchange(separator, ",") + QuoteName(column.name, options);
    }
    name += ")";
  }
  std::string text = fmt::format(
      "CREATE ALGORITHM={} DEFINER={}@{} SQL SECURITY {} VIEW {} AS {}",
      kAlgorithms[static_cast<size_t>(view.algorithm)], QuoteName(view.definer_user, options),
      QuoteName(view.definer_host, options), view.security_invoker ? "INVOKER" : "DEFINER", name,
      ViewQueryText(table, NamesOnly(table, database)));
  if (view.check != ViewCheck::kNone) {
    text += view.check == ViewCheck::kLocal ? " WITH LOCAL CHECK OPTION"
                                            : " WITH CASCADED CHECK OPTION";
  }
  return text;
}

std::string CreateDatabaseText(std::string_view name, const SchemaDescriptor& schema,
                               bool if_not_exists, const CreateTextOptions& options) {
  const row::Collation& collation = row::GetCollation(schema.collation);
  std::string text = fmt::format("CREATE DATABASE {}{} /*!40100 DEFAULT CHARACTER SET {}",
                                 if_not_exists ? "/*!32312 IF NOT EXISTS*/ " : "",
                                 QuoteName(name, options), collation.charset().name);
  if (!collation.is_default() || collation.id() == row::kDefaultCollation) {
    text += fmt::format(" COLLATE {}", collation.name());
  }
  text += " */ /*!80016 DEFAULT ENCRYPTION='N' */";
  return text + (schema.read_only ? " /* READ ONLY=1 */" : "");
}

}  // namespace borealis::sql
