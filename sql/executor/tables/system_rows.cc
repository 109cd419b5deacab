#include "sql/executor/tables/system_rows.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/invariant.h"
#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/convert.h"
#include "row/json/parse.h"
#include "row/json/view.h"
#include "sql/ast/ddl.h"
#include "sql/binder/column_type.h"
#include "sql/parser/parser.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// " BIN" written out.
std::string ExpandColumns(std::string_view columns) {
  constexpr std::string_view kShort = " BIN";
  std::string text = "CREATE TABLE t (";
  while (true) {
    const size_t at = columns.find(kShort);
    text += columns.substr(0, at);
    if (at == std::string_view::npos) {
      return text + ")";
    }
    text += " COLLATE utf8mb3_bin";
    columns.remove_prefix(at + kShort.size());
  }
}

// What the column holds where nothing is written: a literal of its definition.
ColumnDefault DefaultOf(const ColumnDefinition& column, const row::Type& type) {
  if (!column.default_value.has_value()) {
    return {type.nullable ? DefaultKind::kLiteral : DefaultKind::kNone, row::Value::Null(), ""};
  }
  const auto& literal = column.default_value->expr->As<Literal>();
  const bool text = literal.type == LiteralKind::kString;
  const row::Value written =
      text ? row::Value::View(literal.text) : row::Value::Uint(literal.integer);
  const row::Type from =
      text ? row::Type::Varchar(static_cast<uint32_t>(literal.text.size()), row::kDefaultCollation)
           : row::Type::BigInt(true);
  Result<row::Value> value = row::StoreConvert(written, from, type, row::ConversionContext());
  INVARIANT(value.ok());  // INV-SYS-2
  value->Own();
  return {DefaultKind::kLiteral, std::move(value).value(), ""};
}

TablePtr DescriptorFor(const SystemTableDefinition& definition) {
  auto table = std::make_shared<TableDescriptor>();
  table->kind = TableKind::kSystem;
  table->schema = definition.schema;
  table->name = definition.name;
  table->collation =
      definition.schema == "performance_schema" ? row::kDefaultCollation : row::kUtf8mb3GeneralCi;
  const Result<ParsedStatement> parsed = Parse(ExpandColumns(definition.columns));
  INVARIANT(parsed.ok());  // INV-SYS-2
  for (const ColumnDefinition& column : parsed->statement->As<CreateTableStmt>().columns) {
    ColumnTypeInput input;
    input.column = column.name;
    input.collation = table->collation;
    const Result<row::Type> type = ResolveColumnType(column.type, input);
    INVARIANT(type.ok());  // INV-SYS-2
    ColumnDescriptor described;
    described.name = column.name;
    described.type = type->Nullable(column.nullable.value_or(true));
    described.default_value = DefaultOf(column, described.type);
    table->columns.push_back(std::move(described));
  }
  return table;
}

// Most tables are never asked for: the columns are read when somebody does.
class DefinedSystemTable final : public SystemTable {
 public:
  explicit DefinedSystemTable(SystemTableDefinition definition)
      : definition_(std::move(definition)) {}

  const TablePtr& descriptor() const override {
    std::call_once(once_, [this] { descriptor_ = DescriptorFor(definition_); });
    return descriptor_;
  }
  std::span<const uint32_t> lookup_columns() const override { return definition_.lookup_columns; }
  Status Scan(const SystemScan& scan, const SystemRows::Emit& emit) const override {
    if (definition_.scan == nullptr) {
      return Status::Ok();
    }
    SystemRows rows(*descriptor(), scan, emit);
    return definition_.scan(rows);
  }

 private:
  const SystemTableDefinition definition_;
  mutable std::once_flag once_;
  mutable TablePtr descriptor_;
};

bool IsAbsence(const Status& status) {
  const int error = status.user_errno();
  return error == ER_NO_SUCH_TABLE || error == ER_BAD_DB_ERROR || error == ER_UNKNOWN_TABLE;
}

}  // namespace

const row::Type& SystemRow::NextType() const {
  INVARIANT(values_.size() < table_->columns.size());  // INV-SYS-1
  return table_->columns[values_.size()].type;
}

namespace {

// The members that commas part in the text.
uint64_t MemberBits(std::string_view text, const std::vector<std::string>& members) {
  uint64_t bits = 0;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(name.size() + 1, text.size()));
    const auto found = std::find(members.begin(), members.end(), name);
    INVARIANT(found != members.end());  // INV-SYS-1
    bits |= uint64_t{1} << (found - members.begin());
  }
  return bits;
}

}  // namespace

SystemRow& SystemRow::Text(std::string_view text) {
  const row::Type& type = NextType();
  if (type.kind == row::TypeKind::kSet) {
    return Members(MemberBits(text, *type.members));
  }
  if (type.kind != row::TypeKind::kEnum) {
    values_.push_back(row::Value::String(std::string(text)));
    return *this;
  }
  const std::vector<std::string>& members = *type.members;
  uint64_t number = 0;  // the empty member, should the text be none of them
  for (size_t i = 0; i < members.size(); ++i) {
    if (members[i] == text) {
      number = i + 1;
    }
  }
  values_.push_back(row::Value::Uint(number));
  return *this;
}

SystemRow& SystemRow::Expression(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\\' || c == '\'') {
      quoted += '\\';
    }
    quoted += c;
  }
  return Text(quoted);
}

SystemRow& SystemRow::Json(std::string_view text) {
  INVARIANT(NextType().kind == row::TypeKind::kJson);
  row::JsonNode document;
  row::JsonError error;
  INVARIANT(row::ParseJson(text, &document, &error));  // INV-SYS-1
  Result<std::string> bytes = row::JsonBytes(document);
  INVARIANT(bytes.ok());  // INV-SYS-1
  values_.push_back(row::Value::String(std::move(bytes).value()));
  return *this;
}

SystemRow& SystemRow::TextOrNull(const std::optional<std::string>& text) {
  return text.has_value() ? Text(std::string_view(*text)) : Null();
}

SystemRow& SystemRow::Number(uint64_t number) {
  const bool is_unsigned = NextType().is_unsigned;
  values_.push_back(is_unsigned ? row::Value::Uint(number)
                                : row::Value::Int(static_cast<int64_t>(number)));
  return *this;
}

SystemRow& SystemRow::Signed(int64_t number) {
  return Number(static_cast<uint64_t>(number));
}

SystemRow& SystemRow::Real(double number) {
  INVARIANT(NextType().is_floating());
  values_.push_back(row::Value::Double(number));
  return *this;
}

SystemRow& SystemRow::Time(int64_t utc_us) {
  INVARIANT(NextType().kind == row::TypeKind::kTimestamp);
  int64_t unit_us = 1'000'000;
  for (int digit = 0; digit < NextType().scale; ++digit) {
    unit_us /= 10;
  }
  values_.push_back(row::Value::Timestamp(utc_us - utc_us % unit_us));
  return *this;
}

SystemRow& SystemRow::Members(uint64_t bits) {
  INVARIANT(NextType().kind == row::TypeKind::kSet);
  values_.push_back(row::Value::Uint(bits));
  return *this;
}

SystemRow& SystemRow::LocalTime(int64_t utc_us, const row::TimeZone& zone) {
  INVARIANT(NextType().kind == row::TypeKind::kDateTime);
  values_.push_back(row::Value::DateTime(zone.ToLocal(utc_us - utc_us % 1'000'000)));
  return *this;
}

SystemRow& SystemRow::NumberOrNull(std::optional<uint64_t> number) {
  return number.has_value() ? Number(*number) : Null();
}

SystemRow& SystemRow::Null(size_t count) {
  values_.insert(values_.end(), count, row::Value::Null());
  return *this;
}

SystemRow& SystemRow::Rest() {
  while (values_.size() < table_->columns.size()) {
    const row::Type& type = NextType();
    if (type.nullable) {
      Null();
    } else if (type.kind == row::TypeKind::kEnum) {
      values_.push_back(row::Value::Uint(1));
    } else if (type.is_integer()) {
      Number(0);
    } else if (type.is_floating()) {
      Real(0);
    } else {
      Text("");
    }
  }
  return *this;
}

std::optional<std::string> SystemRows::Wanted(std::optional<uint32_t> column) const {
  if (!column.has_value() || *column >= scan_.equals.size()) {
    return std::nullopt;
  }
  const std::optional<row::Value>& value = scan_.equals[*column];
  if (!value.has_value() || !value->is_string()) {
    return std::nullopt;
  }
  // Names are compared with PAD SPACE and have no spaces at their end.
  std::string text(value->bytes());
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

bool SystemRows::Reads(uint32_t first, uint32_t last) const {
  for (uint32_t column = first; column <= last; ++column) {
    if ((scan_.columns_used >> std::min<uint32_t>(column, 63) & 1) != 0) {
      return true;
    }
  }
  return false;
}

Status SystemRows::Add(const SystemRow& row) {
  INVARIANT(row.values().size() == table_.columns.size());  // INV-SYS-1
  return emit_(row.values());
}

std::unique_ptr<SystemTable> MakeSystemTable(SystemTableDefinition definition) {
  return std::make_unique<DefinedSystemTable>(std::move(definition));
}

Status ForEachTable(const SystemRows& rows, std::optional<uint32_t> schema_column,
                    std::optional<uint32_t> name_column, const TableVisitor& visit) {
  if (const CatalogEntry* shown = rows.session().shown_temporary(); shown != nullptr) {
    return visit(*shown);
  }
  const Catalog& catalog = *rows.session().environment().catalog;
  std::vector<std::string> schemas;
  if (const auto wanted = rows.Wanted(schema_column); wanted.has_value()) {
    schemas.push_back(*wanted);
  } else {
    ASSIGN_OR_RETURN(schemas, catalog.ListSchemas());
  }
  const std::optional<std::string> wanted_name = rows.Wanted(name_column);
  const SecurityContext& security = rows.session().security();
  for (const std::string& schema : schemas) {
    std::vector<std::string> names;
    if (wanted_name.has_value()) {
      names.push_back(*wanted_name);
    } else {
      Result<std::vector<std::string>> listed = catalog.ListTables(schema);
      if (!listed.ok()) {
        if (IsAbsence(listed.status())) {
          continue;
        }
        return std::move(listed).status();
      }
      names = std::move(listed).value();
    }
    for (const std::string& name : names) {
      if (!security.SeesTable(schema, name)) {
        continue;
      }
      const Result<CatalogEntry> entry = catalog.Find(schema, name);
      if (entry.ok()) {
        RETURN_IF_ERROR(visit(*entry));
      } else if (!IsAbsence(entry.status())) {
        return entry.status();
      }
    }
  }
  return Status::Ok();
}

}  // namespace borealis::sql
