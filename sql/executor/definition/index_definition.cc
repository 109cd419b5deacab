// The indexes of a table draft: MySQL's rules of key parts, names and order.
#include <fmt/format.h>

#include <algorithm>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/table_draft.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr size_t kIndexesMax = 64;
constexpr size_t kPartsMax = 16;
constexpr uint64_t kKeyBytesMax = 3072;
constexpr uint64_t kTinyBytesMax = 255;  // of TINYTEXT and TINYBLOB in a key
constexpr size_t kCommentChars = 1024;
constexpr std::string_view kPrimaryName = "PRIMARY";

std::string HiddenColumnName(std::string_view index, size_t part) {
  return fmt::format("!hidden!{}!{}!0", index, part);
}

bool IsTiny(const row::Type& type) {
  return type.kind == row::TypeKind::kTinyText || type.kind == row::TypeKind::kTinyBlob;
}

}  // namespace

Status TableDraft::AddIndex(const IndexDefinition& definition) {
  DraftIndex index;
  switch (definition.type) {
    case IndexType::kPrimary:
      index.kind = IndexKind::kPrimary;
      break;
    case IndexType::kUnique:
      index.kind = IndexKind::kUnique;
      break;
    case IndexType::kIndex:
      index.kind = IndexKind::kPlain;
      break;
    case IndexType::kFulltext:
      return Unsupported("FULLTEXT indexes");
    case IndexType::kSpatial:
      return Unsupported("SPATIAL indexes");
  }
  if (index.kind == IndexKind::kPrimary) {
    for (const DraftIndex& other : indexes_) {
      if (other.kind == IndexKind::kPrimary) {
        return UserError(ER_MULTIPLE_PRI_KEY);
      }
    }
    index.name = kPrimaryName;
    if (!definition.visible.value_or(true)) {
      return UserError(ER_PK_INDEX_CANT_BE_INVISIBLE);
    }
  } else {
    index.name = !definition.name.empty() ? definition.name : definition.constraint_name;
    if (SameName(index.name, kPrimaryName) || (!index.name.empty() && index.name.back() == ' ')) {
      return UserError(ER_WRONG_NAME_FOR_INDEX, index.name);
    }
    RETURN_IF_ERROR(CheckIdentifierLength(index.name));
  }
  index.visible = definition.visible.value_or(true);
  index.comment = definition.comment.value_or("");
  if (row::CharCount(index.comment) > kCommentChars) {
    return UserError(ER_TOO_LONG_INDEX_COMMENT, index.name, kCommentChars);
  }
  if (definition.algorithm == IndexAlgorithm::kHash) {
    run_.session.diagnostics().Note(
        3502,
        "This storage engine does not support the HASH index algorithm, storage engine default was "
        "used instead.");
  }
  for (const KeyPart& part : definition.parts) {
    DraftPart out;
    out.column = part.column;
    if (part.expr != nullptr) {
      out.expression = StoredExpression(run_, *part.expr);
    }
    out.prefix_length = part.length;
    out.descending = part.direction == SortDirection::kDescending;
    index.parts.push_back(std::move(out));
  }
  indexes_.push_back(std::move(index));
  return {};
}

Status TableDraft::DropIndex(std::string_view name) {
  int position = FindIndex(name);
  if (position < 0) {
    return UserError(ER_CANT_DROP_FIELD_OR_KEY, name);
  }
  for (const DraftPart& part : indexes_[static_cast<size_t>(position)].parts) {
    std::erase_if(columns_, [&](const DraftColumn& column) {
      return column.column.hidden && column.column.name == part.column;
    });
  }
  indexes_.erase(indexes_.begin() + position);
  return {};
}

Status TableDraft::NameIndexes() {
  if (indexes_.size() > kIndexesMax) {
    return UserError(ER_TOO_MANY_KEYS, kIndexesMax);
  }
  for (DraftIndex& index : indexes_) {
    if (!index.name.empty()) {
      continue;
    }
    std::string base =
        index.parts[0].expression.empty() ? index.parts[0].column : "functional_index";
    if (int column = FindColumn(base); column >= 0 && index.parts[0].expression.empty()) {
      base = columns_[static_cast<size_t>(column)].column.name;
    }
    std::string name = base;
    for (int number = 2; SameName(name, kPrimaryName) || FindIndex(name) >= 0; ++number) {
      name = fmt::format("{}_{}", base, number);
    }
    index.name = std::move(name);
  }
  for (size_t i = 0; i < indexes_.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (SameName(indexes_[i].name, indexes_[k].name)) {
        return UserError(ER_DUP_KEYNAME, indexes_[i].name);
      }
    }
  }
  return {};
}

Status TableDraft::AddFunctionalColumns() {
  for (DraftIndex& index : indexes_) {
    for (size_t i = 0; i < index.parts.size(); ++i) {
      DraftPart& part = index.parts[i];
      if (part.expression.empty()) {
        continue;
      }
      DraftColumn draft;
      ColumnDescriptor& column = draft.column;
      column.name = HiddenColumnName(index.name, i);
      column.hidden = true;
      column.generated = GeneratedKind::kVirtual;
      column.generated_text = part.expression;
      ASSIGN_OR_RETURN(column.type, TypeOfExpression(part.expression, index.name));
      if (column.type.is_blob()) {
        return UserError(ER_FUNCTIONAL_INDEX_ON_LOB);
      }
      if (column.type.kind == row::TypeKind::kJson) {
        return UserError(ER_FUNCTIONAL_INDEX_ON_JSON_OR_GEOMETRY_FUNCTION);
      }
      if (column.type.is_string() && row::MaxLength(column.type) == 0) {
        return UserError(ER_WRONG_KEY_COLUMN_FUNCTIONAL_INDEX, part.expression);
      }
      column.type.nullable = true;
      part.column = column.name;
      columns_.push_back(std::move(draft));
    }
  }
  return {};
}

Status TableDraft::CheckIndexPart(DraftIndex* index, DraftPart* part, uint64_t* key_bytes) {
  int position = FindColumn(part->column);
  if (position < 0) {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].column.hidden && columns_[i].column.name == part->column) {
        position = static_cast<int>(i);
      }
    }
  }
  if (position < 0) {
    return UserError(ER_KEY_COLUMN_DOES_NOT_EXITS, part->column);
  }
  const ColumnDescriptor& column = columns_[static_cast<size_t>(position)].column;
  const row::Type& type = column.type;
  part->column = column.name;
  if (type.kind == row::TypeKind::kJson) {
    return UserError(ER_JSON_USED_AS_KEY, column.name);
  }
  const bool takes_prefix =
      type.is_string() && (type.is_blob() || part->prefix_length.value_or(0) <= type.length);
  if (!takes_prefix && !index->source.empty()) {
    part->prefix_length.reset();  // the column has become another
  }
  if (part->prefix_length.has_value()) {
    uint64_t prefix = *part->prefix_length;
    if (prefix == 0) {
      return UserError(ER_KEY_PART_0, column.name);
    }
    if (!takes_prefix) {
      return UserError(ER_WRONG_SUB_KEY);
    }
    if (!type.is_blob() && prefix == type.length) {
      part->prefix_length.reset();
    }
  } else if (type.is_blob()) {
    return UserError(ER_BLOB_KEY_WITHOUT_LENGTH, column.name);
  }
  if (type.is_string() && row::MaxLength(type) == 0) {
    return UserError(ER_WRONG_KEY_COLUMN, column.name);
  }
  uint64_t bytes = KeyBytes(type, part->prefix_length.value_or(0));
  const uint64_t bytes_max = IsTiny(type) ? kTinyBytesMax : kKeyBytesMax;
  if (bytes > bytes_max) {
    Status too_long = UserError(ER_TOO_LONG_KEY, bytes_max);
    if (index->kind != IndexKind::kPlain || !type.is_string() ||
        row::IsStrict(run_.session.settings().sql_mode)) {
      return too_long;
    }
    run_.session.diagnostics().AddWarning(too_long);
    part->prefix_length =
        bytes_max / static_cast<uint64_t>(
                        type.is_text() ? row::GetCollation(type.collation).charset().max_bytes : 1);
    bytes = bytes_max;
  }
  *key_bytes += bytes;
  return {};
}

Status TableDraft::CheckIndexParts() {
  for (DraftIndex& index : indexes_) {
    if (index.parts.size() > kPartsMax) {
      return UserError(ER_TOO_MANY_KEY_PARTS, kPartsMax);
    }
    uint64_t key_bytes = 0;
    for (size_t i = 0; i < index.parts.size(); ++i) {
      RETURN_IF_ERROR(CheckIndexPart(&index, &index.parts[i], &key_bytes));
      for (size_t k = 0; k < i; ++k) {
        if (SameName(index.parts[k].column, index.parts[i].column)) {
          return UserError(ER_DUP_FIELDNAME, index.parts[i].column);
        }
      }
    }
    if (key_bytes > kKeyBytesMax) {
      return UserError(ER_TOO_LONG_KEY, kKeyBytesMax);
    }
  }
  return {};
}

// MySQL's order: primary key, unique keys without NULL, other unique keys, the rest; among equals
// those over virtual columns, functional keys included, come last.
void TableDraft::SortIndexes() {
  auto rank = [&](const DraftIndex& index) {
    if (index.kind == IndexKind::kPrimary) {
      return 0;
    }
    bool nullable = false;
    bool is_virtual = false;
    for (const DraftPart& part : index.parts) {
      for (const DraftColumn& column : columns_) {
        if (SameName(column.column.name, part.column)) {
          nullable |= column.column.type.nullable;
          is_virtual |= column.column.generated == GeneratedKind::kVirtual;
        }
      }
    }
    int group = nullable ? 2 : 1;
    if (index.kind != IndexKind::kUnique) {
      group = 3;
    }
    return group * 2 + (is_virtual ? 1 : 0);
  };
  std::stable_sort(indexes_.begin(), indexes_.end(),
                   [&](const DraftIndex& a, const DraftIndex& b) { return rank(a) < rank(b); });
}

Status TableDraft::AssembleIndexes(FinishedTable* out) const {
  TableDescriptor& table = *out->table;
  if (indexes_.empty() || indexes_[0].kind != IndexKind::kPrimary) {
    IndexDescriptor row_id;
    row_id.name = kRowIdIndexName;
    row_id.kind = IndexKind::kRowId;
    row_id.parts.push_back({0, 0, false});
    table.indexes.push_back(std::move(row_id));
    out->index_sources.push_back(row_id_source_ >= 0 ? std::string(kRowIdIndexName) : "");
  }
  for (const DraftIndex& draft : indexes_) {
    IndexDescriptor index;
    index.name = draft.name;
    index.kind = draft.kind;
    index.visible = draft.visible;
    index.hash_written = draft.hash_written;
    index.made_for_foreign_key = draft.made_for_foreign_key;
    index.comment = draft.comment;
    for (const DraftPart& part : draft.parts) {
      auto found = std::find_if(
          table.columns.begin(), table.columns.end(),
          [&](const ColumnDescriptor& column) { return SameName(column.name, part.column); });
      if (found == table.columns.end()) {
        return UserError(ER_KEY_COLUMN_DOES_NOT_EXITS, part.column);
      }
      index.parts.push_back({static_cast<uint32_t>(found - table.columns.begin()),
                             static_cast<uint32_t>(part.prefix_length.value_or(0)),
                             part.descending});
    }
    table.indexes.push_back(std::move(index));
    out->index_sources.push_back(draft.source);
  }
  return {};
}

void TableDraft::WarnOfDuplicateIndexes(const TableDescriptor& table) const {
  auto same = [](const IndexDescriptor& a, const IndexDescriptor& b) {
    return a.kind == b.kind &&
           std::equal(a.parts.begin(), a.parts.end(), b.parts.begin(), b.parts.end(),
                      [](const IndexPart& x, const IndexPart& y) {
                        return x.column == y.column && x.prefix_length == y.prefix_length &&
                               x.descending == y.descending;
                      });
  };
  for (const DraftIndex& draft : indexes_) {
    if (!draft.source.empty()) {
      continue;
    }
    int position = table.FindIndex(draft.name);
    const IndexDescriptor& index = table.indexes[static_cast<size_t>(position)];
    for (size_t i = 0; i < static_cast<size_t>(position); ++i) {
      if (same(table.indexes[i], index)) {
        run_.session.diagnostics().AddWarning(
            row::WarningLevel::kWarning, 1831,
            fmt::format("Duplicate index '{}' defined on the table '{}.{}'. This is deprecated and "
                        "will be disallowed in a future release.",
                        index.name, name_.schema, name_.name));
        break;
      }
    }
  }
}

}  // namespace borealis::sql
