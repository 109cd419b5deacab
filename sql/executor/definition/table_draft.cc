#include "sql/executor/definition/table_draft.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/foreign_key_names.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr size_t kColumnsMax = 1017;  // as InnoDB
constexpr uint64_t kRowBytesMax = 65535;

ColumnDescriptor RowIdColumn() {
  ColumnDescriptor column;
  column.name = kRowIdColumnName;
  column.type = row::Type::BigInt(true).NotNull();
  column.hidden = true;
  return column;
}

}  // namespace

TableDraft::TableDraft(StatementRun& run, engine::TableName name, row::CollationId collation)
    : run_(run), name_(std::move(name)) {
  options_.collation = collation;
}

TableDraft::TableDraft(StatementRun& run, engine::TableName name, const TableDescriptor& old)
    : run_(run), name_(std::move(name)), options_(old) {
  options_.stored = {};  // of rows that this table may not have
  for (size_t i = 0; i < old.columns.size(); ++i) {
    if (i == 0 && !old.has_primary_key()) {
      row_id_source_ = 0;
      continue;
    }
    columns_.push_back({old.columns[i], static_cast<int>(i), false});
  }
  for (const IndexDescriptor& index : old.indexes) {
    if (index.kind == IndexKind::kRowId) {
      continue;
    }
    DraftIndex draft;
    draft.name = index.name;
    draft.kind = index.kind;
    draft.visible = index.visible;
    draft.hash_written = index.hash_written;
    draft.made_for_foreign_key = index.made_for_foreign_key;
    draft.comment = index.comment;
    draft.source = index.name;
    for (const IndexPart& part : index.parts) {
      DraftPart out;
      out.column = old.columns[part.column].name;
      out.descending = part.descending;
      if (part.prefix_length != 0) {
        out.prefix_length = part.prefix_length;
      }
      draft.parts.push_back(std::move(out));
    }
    indexes_.push_back(std::move(draft));
  }
  for (const CheckDescriptor& check : old.checks) {
    checks_.push_back({check, "", false});
  }
  for (const ForeignKeyDescriptor& key : old.foreign_keys) {
    DraftForeignKey draft{key, {}, false};
    for (const uint32_t column : key.columns) {
      draft.columns.push_back(old.columns[column].name);
    }
    last_foreign_key_ =
        std::max(last_foreign_key_, NumberOfMadeForeignKey(key.name, old.name).value_or(0));
    foreign_keys_.push_back(std::move(draft));
  }
  options_.columns.clear();
  options_.indexes.clear();
  options_.checks.clear();
  options_.foreign_keys.clear();
  options_.referencing.clear();
}

int TableDraft::FindColumn(std::string_view name) const {
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!columns_[i].column.hidden && SameName(columns_[i].column.name, name)) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

int TableDraft::FindIndex(std::string_view name) const {
  for (size_t i = 0; i < indexes_.size(); ++i) {
    if (SameName(indexes_[i].name, name)) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

bool TableDraft::IsHiddenName(std::string_view name) const {
  return std::ranges::any_of(columns_, [&](const DraftColumn& other) {
    return other.column.hidden && SameName(other.column.name, name);
  });
}

Status TableDraft::CheckColumns() const {
  size_t shown = 0;
  size_t visible = 0;
  uint64_t bytes = (columns_.size() + 7) / 8;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const ColumnDescriptor& column = columns_[i].column;
    if (column.hidden) {
      continue;
    }
    ++shown;
    visible += column.invisible ? 0 : 1;
    bytes += RowBytes(column.type);
    if (SameName(column.name, kRowIdColumnName)) {
      return UserError(ER_WRONG_COLUMN_NAME, column.name);
    }
    for (size_t k = 0; k < i; ++k) {
      if (!columns_[k].column.hidden && SameName(columns_[k].column.name, column.name)) {
        return UserError(ER_DUP_FIELDNAME, column.name);
      }
    }
    if (IsHiddenName(column.name)) {
      return UserError(
          ER_INTERNAL_ERROR,
          fmt::format("The column name '{}' is already in use by a hidden column", column.name));
    }
  }
  if (shown == 0) {
    return UserError(ER_TABLE_MUST_HAVE_COLUMNS);
  }
  if (visible == 0) {
    return UserError(ER_TABLE_WITHOUT_VISIBLE_COLUMN);
  }
  if (shown > kColumnsMax) {
    return UserError(ER_TOO_MANY_FIELDS);
  }
  if (bytes > kRowBytesMax) {
    return UserError(ER_TOO_BIG_ROWSIZE, kRowBytesMax);
  }
  return {};
}

Status TableDraft::SettlePrimaryKey() {
  for (const DraftIndex& index : indexes_) {
    if (index.kind != IndexKind::kPrimary) {
      continue;
    }
    for (const DraftPart& part : index.parts) {
      if (!part.expression.empty()) {
        return UserError(ER_FUNCTIONAL_INDEX_PRIMARY_KEY);
      }
      int position = FindColumn(part.column);
      if (position < 0) {
        continue;  // CheckIndexParts says so
      }
      DraftColumn& column = columns_[static_cast<size_t>(position)];
      if (column.column.generated == GeneratedKind::kVirtual) {
        return UserError(ER_UNSUPPORTED_ACTION_ON_GENERATED_COLUMN,
                         "Defining a virtual generated column as primary key");
      }
      if (!column.column.type.nullable) {
        continue;
      }
      if (column.null_written) {
        return UserError(ER_PRIMARY_CANT_HAVE_NULL);
      }
      column.column.type.nullable = false;
      ColumnDefault& value = column.column.default_value;
      if (value.kind == DefaultKind::kLiteral && value.value.is_null()) {
        value = {};
      }
    }
  }
  return {};
}

Status TableDraft::CheckAutoIncrement() const {
  int found = -1;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!columns_[i].column.auto_increment) {
      continue;
    }
    if (found >= 0) {
      return UserError(ER_WRONG_AUTO_KEY);
    }
    found = static_cast<int>(i);
  }
  if (found < 0) {
    return {};
  }
  const std::string& name = columns_[static_cast<size_t>(found)].column.name;
  for (const DraftIndex& index : indexes_) {
    if (!index.parts.empty() && SameName(index.parts[0].column, name)) {
      return {};
    }
  }
  return UserError(ER_WRONG_AUTO_KEY);
}

void TableDraft::AssembleColumns(FinishedTable* out) const {
  bool primary = std::any_of(indexes_.begin(), indexes_.end(), [](const DraftIndex& index) {
    return index.kind == IndexKind::kPrimary;
  });
  if (!primary) {
    out->table->columns.push_back(RowIdColumn());
    out->column_sources.push_back(row_id_source_);
  }
  for (const DraftColumn& column : columns_) {
    out->table->columns.push_back(column.column);
    out->column_sources.push_back(column.source);
  }
}

Result<FinishedTable> TableDraft::Finish() {
  RETURN_IF_ERROR(CheckColumns());
  RETURN_IF_ERROR(SettlePrimaryKey());
  DropRedundantIndexes();
  RETURN_IF_ERROR(NameIndexes());
  RETURN_IF_ERROR(NameChecks());
  RETURN_IF_ERROR(NameForeignKeys());
  RETURN_IF_ERROR(AddFunctionalColumns());
  RETURN_IF_ERROR(CheckIndexParts());
  RETURN_IF_ERROR(CheckAutoIncrement());
  SortIndexes();

  FinishedTable out;
  out.table = std::make_shared<TableDescriptor>(options_);
  out.table->schema = name_.schema;
  out.table->name = name_.name;
  AssembleColumns(&out);
  RETURN_IF_ERROR(AssembleIndexes(&out));
  for (const DraftCheck& check : checks_) {
    out.table->checks.push_back(check.check);
    out.has_new_check |= check.is_new && check.check.enforced;
  }
  RETURN_IF_ERROR(CheckExpressions(out.table));
  RETURN_IF_ERROR(AssembleForeignKeys(&out));
  WarnOfDuplicateIndexes(*out.table);
  return out;
}

uint64_t RowBytes(const row::Type& type) {
  switch (type.kind) {
    case row::TypeKind::kTinyText:
    case row::TypeKind::kTinyBlob:
      return 9;
    case row::TypeKind::kText:
    case row::TypeKind::kBlob:
      return 10;
    case row::TypeKind::kMediumText:
    case row::TypeKind::kMediumBlob:
      return 11;
    case row::TypeKind::kLongText:
    case row::TypeKind::kLongBlob:
    case row::TypeKind::kJson:
      return 12;
    case row::TypeKind::kVarchar:
    case row::TypeKind::kVarbinary: {
      uint64_t bytes = KeyBytes(type, 0);
      return bytes + (bytes > 255 ? 2 : 1);
    }
    default:
      return KeyBytes(type, 0);
  }
}

uint64_t KeyBytes(const row::Type& type, uint64_t prefix_length) {
  static constexpr uint64_t kDigitBytes[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
  static constexpr uint64_t kFractionBytes[] = {0, 1, 1, 2, 2, 3, 3};
  switch (type.kind) {
    case row::TypeKind::kTinyInt:
    case row::TypeKind::kYear:
      return 1;
    case row::TypeKind::kSmallInt:
      return 2;
    case row::TypeKind::kMediumInt:
    case row::TypeKind::kDate:
      return 3;
    case row::TypeKind::kInt:
    case row::TypeKind::kFloat:
      return 4;
    case row::TypeKind::kBigInt:
    case row::TypeKind::kDouble:
      return 8;
    case row::TypeKind::kDecimal: {
      uint64_t whole = type.length - type.scale;
      uint64_t fraction = type.scale;
      return whole / 9 * 4 + kDigitBytes[whole % 9] + fraction / 9 * 4 + kDigitBytes[fraction % 9];
    }
    case row::TypeKind::kBit:
      return (type.length + 7) / 8;
    case row::TypeKind::kTime:
      return 3 + kFractionBytes[type.scale];
    case row::TypeKind::kDateTime:
      return 5 + kFractionBytes[type.scale];
    case row::TypeKind::kTimestamp:
      return 4 + kFractionBytes[type.scale];
    case row::TypeKind::kEnum:
      return type.members != nullptr && type.members->size() > 255 ? 2 : 1;
    case row::TypeKind::kSet: {
      uint64_t bytes = type.members == nullptr ? 1 : (type.members->size() + 7) / 8;
      return bytes > 4 ? 8 : bytes;
    }
    default: {
      uint64_t units = prefix_length != 0 ? prefix_length : row::MaxLength(type);
      if (!type.is_text() || (type.is_blob() && prefix_length == 0)) {
        return units;
      }
      return units * static_cast<uint64_t>(row::GetCollation(type.collation).charset().max_bytes);
    }
  }
}

}  // namespace borealis::sql
