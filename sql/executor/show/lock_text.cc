#include "sql/executor/show/lock_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "row/convert.h"
#include "row/key_codec.h"
#include "row/row_codec.h"
#include "sql/catalog/row_layout.h"

namespace borealis::sql {
namespace {

std::string ValueText(const row::Value& value, const row::Type& type) {
  if (value.is_null()) {
    return "NULL";
  }
  if (type.is_binary_string()) {
    std::string text = "0x";
    for (const char byte : value.bytes()) {
      text += fmt::format("{:02X}", static_cast<uint8_t>(byte));
    }
    return text;
  }
  std::string text = row::ToText(value, type);
  return type.is_text() ? "'" + text + "'" : text;
}

// The row's values, if it still has this entry.
std::optional<std::vector<row::Value>> PeekValues(engine::Engine& engine,
                                                  const LockNames::Index& index,
                                                  std::string_view own_key,
                                                  std::string_view clustered_key) {
  const auto& layout = SqlRowLayout::Of(*index.table);
  const Result<std::string> bytes = engine.PeekRow(*index.table, clustered_key);
  engine::IndexKey built;
  if (!bytes.ok() || !layout.BuildKey(index.number, *bytes, &built).ok() ||
      built.bytes != own_key) {
    return std::nullopt;
  }
  Result<row::RowView> view = row::RowView::Open(layout.rows(), *bytes);
  std::vector<row::Value> values;
  if (!view.ok() || !view->GetAll(&values).ok()) {
    return std::nullopt;
  }
  for (row::Value& value : values) {
    value.Own();
  }
  return values;
}

}  // namespace

Result<LockNames> LockNames::Read(engine::Engine& engine) {
  LockNames names(&engine);
  ASSIGN_OR_RETURN(const auto schemas, engine.ListSchemas());
  for (const engine::SchemaDefinition& schema : schemas) {
    auto tables = engine.ListTables(schema.name);
    if (tables.status().Is(Code::kNotFound)) {
      continue;
    }
    RETURN_IF_ERROR(tables.status());
    for (const std::string& name : *tables) {
      auto table = engine.FindTable(schema.name, name);
      if (table.status().Is(Code::kNotFound)) {
        continue;
      }
      RETURN_IF_ERROR(table.status());
      for (size_t i = 0; i < (*table)->index_count(); ++i) {
        names.indexes_[(*table)->definition().indexes[i].id.value()] = {*table, i};
      }
    }
  }
  return names;
}

const LockNames::Index* LockNames::Find(engine::IndexId index) const {
  const auto found = indexes_.find(index.value());
  return found == indexes_.end() ? nullptr : &found->second;
}

std::optional<std::string> LockNames::KeyText(engine::IndexId id, const std::string& key) const {
  const Index* index = Find(id);
  if (index == nullptr) {
    return std::nullopt;
  }
  const auto& layout = SqlRowLayout::Of(*index->table);
  const TableDescriptor& table = *layout.table();
  std::vector<std::optional<row::Value>> values;
  std::vector<std::optional<row::Value>> clustered;
  std::string_view rest;
  std::string_view row_id;
  std::string_view clustered_key = key;
  if (!row::DecodeKey(layout.keys(index->number), key, &values, &rest).ok()) {
    return std::nullopt;
  }
  const std::string_view own_key = std::string_view(key).substr(0, key.size() - rest.size());
  if (index->number != engine::kClusteredIndex) {
    clustered_key = rest;
    if (!row::DecodeKey(layout.keys(engine::kClusteredIndex), rest, &clustered, &row_id).ok()) {
      return std::nullopt;
    }
  } else {
    row_id = rest;
  }
  std::optional<std::vector<row::Value>> row;
  bool looked = false;
  std::string text;
  const auto append = [&](std::string part) { text += (text.empty() ? "" : ", ") + part; };
  const auto& own_parts = table.indexes[index->number].parts;
  const auto is_own = [&](uint32_t column) {
    return std::any_of(own_parts.begin(), own_parts.end(), [&](const IndexPart& part) {
      return part.column == column && part.prefix_length == 0;
    });
  };
  const auto append_index = [&](size_t number,
                                const std::vector<std::optional<row::Value>>& decoded) {
    const auto& parts = table.indexes[number].parts;
    for (size_t i = 0; i < parts.size() && i < decoded.size(); ++i) {
      if (number != index->number && is_own(parts[i].column)) {
        continue;  // once is enough
      }
      const row::Type& type = table.columns[parts[i].column].type;
      if (decoded[i].has_value()) {
        append(ValueText(*decoded[i], type));
        continue;
      }
      if (!std::exchange(looked, true)) {
        row = PeekValues(*engine_, *index, own_key, clustered_key);
      }
      if (!row.has_value()) {
        return false;
      }
      append(ValueText((*row)[parts[i].column], type));
    }
    return true;
  };
  if (!append_index(index->number, values) || (index->number != engine::kClusteredIndex &&
                                               !append_index(engine::kClusteredIndex, clustered))) {
    return std::nullopt;
  }
  if (!row_id.empty()) {
    std::string hex = "0x";
    for (const char byte : row_id) {
      hex += fmt::format("{:02X}", static_cast<uint8_t>(byte));
    }
    append(hex);
  }
  return text;
}

std::string LockId(const engine::LockInfo& lock) {
  return fmt::format("{}:{}:{:x}:{}", lock.owner, lock.index.value(),
                     std::hash<std::string>()(lock.key), lock.mode);
}

std::optional<std::string> LockData(const LockNames& names, const engine::LockInfo& lock) {
  return lock.supremum ? "supremum pseudo-record" : names.KeyText(lock.index, lock.key);
}

}  // namespace borealis::sql
