#include "sql/catalog/table_descriptor.h"

#include <algorithm>

#include "row/collation.h"

namespace borealis::sql {

int TableDescriptor::FindColumn(std::string_view column) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (SameName(columns[i].name, column)) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

int TableDescriptor::FindIndex(std::string_view index) const {
  for (size_t i = 0; i < indexes.size(); ++i) {
    if (SameName(indexes[i].name, index)) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

int TableDescriptor::FindIndexOn(std::span<const uint32_t> leading_columns) const {
  const auto serves = [](const IndexPart& part, uint32_t column) {
    return part.column == column && part.prefix_length == 0 && !part.descending;
  };
  for (size_t i = 0; i < indexes.size(); ++i) {
    const std::vector<IndexPart>& parts = indexes[i].parts;
    if (indexes[i].kind != IndexKind::kRowId && parts.size() >= leading_columns.size() &&
        std::equal(leading_columns.begin(), leading_columns.end(), parts.begin(),
                   [&](uint32_t column, const IndexPart& part) { return serves(part, column); })) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

int TableDescriptor::auto_increment_column() const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].auto_increment) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

uint16_t TableDescriptor::KeyFlags(int column) const {
  uint16_t flags = 0;
  auto position = static_cast<uint32_t>(column);
  for (const IndexDescriptor& index : indexes) {
    if (index.kind == IndexKind::kRowId) {
      continue;
    }
    for (size_t i = 0; i < index.parts.size(); ++i) {
      if (index.parts[i].column != position) {
        continue;
      }
      flags |= row::kPartKeyFlag;
      if (index.kind == IndexKind::kPrimary) {
        flags |= row::kPriKeyFlag;
      } else if (i == 0) {
        flags |= index.kind == IndexKind::kUnique && index.parts.size() == 1
                     ? row::kUniqueKeyFlag
                     : row::kMultipleKeyFlag;
      }
    }
  }
  const ColumnDescriptor& descriptor = columns[position];
  if (descriptor.auto_increment) {
    flags |= row::kAutoIncrementFlag;
  }
  if (descriptor.on_update_now) {
    flags |= row::kOnUpdateNowFlag;
  }
  if (descriptor.on_update_now || descriptor.default_value.kind == DefaultKind::kNow) {
    flags |= row::kTimestampFlag;
  }
  if (descriptor.default_value.kind == DefaultKind::kNone && !descriptor.type.nullable &&
      !descriptor.auto_increment && descriptor.generated == GeneratedKind::kNone) {
    flags |= row::kNoDefaultValueFlag;
  }
  return flags;
}

row::RowSchema MakeRowSchema(const TableDescriptor& table) {
  std::vector<row::RowColumn> columns;
  columns.reserve(table.columns.size());
  for (const ColumnDescriptor& column : table.columns) {
    columns.push_back({column.type, column.initial_value});
  }
  if (table.stored.places.empty()) {
    return row::RowSchema(std::move(columns));
  }
  std::vector<row::RowColumn> stored(columns.size() + table.stored.dropped.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    stored[table.stored.places[i]] = std::move(columns[i]);
  }
  for (const StoredForm::Dropped& dropped : table.stored.dropped) {
    stored[dropped.place] = {dropped.type, row::Value::Null()};
  }
  return row::RowSchema(std::move(stored), table.stored.places);
}

row::KeySchema MakeKeySchema(const TableDescriptor& table, const IndexDescriptor& index) {
  row::KeySchema keys;
  keys.reserve(index.parts.size());
  for (const IndexPart& part : index.parts) {
    keys.push_back({table.columns[part.column].type, part.descending, part.prefix_length});
  }
  return keys;
}

bool SameName(std::string_view a, std::string_view b) {
  if (a == b) {
    return true;
  }
  if (row::IsAscii(a) && row::IsAscii(b)) {
    if (a.size() != b.size()) {
      return false;
    }
    for (size_t i = 0; i < a.size(); ++i) {
      auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
      if (lower(a[i]) != lower(b[i])) {
        return false;
      }
    }
    return true;
  }
  return row::GetCollation(row::kUtf8mb3GeneralCi).Equal(a, b);
}

std::string FoldName(std::string_view name) {
  return row::LowerText(name);
}

}  // namespace borealis::sql
