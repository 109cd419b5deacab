// How the engine computes index keys from the rows of a SQL table.
//
// The layout carries the table's decoded descriptor, so that whoever holds an engine table has its
// SQL side without another look-up. Immutable, thread-safe.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "engine/definition.h"
#include "engine/table.h"
#include "row/key_codec.h"
#include "row/row_codec.h"
#include "sql/catalog/table_descriptor.h"

namespace borealis::sql {

class SqlRowLayout final : public engine::RowLayout {
 public:
  explicit SqlRowLayout(TablePtr table);

  Status BuildKey(size_t index_no, std::string_view row, engine::IndexKey* out) const override;

  const TablePtr& table() const { return table_; }
  const row::RowSchema& rows() const { return rows_; }
  const row::KeySchema& keys(size_t index_no) const { return keys_[index_no]; }

  // The layout of a table that this SQL layer made.
  static const SqlRowLayout& Of(const engine::Table& table) {
    return static_cast<const SqlRowLayout&>(table.layout());
  }

 private:
  TablePtr table_;
  row::RowSchema rows_;
  std::vector<row::KeySchema> keys_;
};

// For EngineOptions::layouts: decodes the payload. Knows the engine's own requirements only.
Result<std::shared_ptr<const engine::RowLayout>> MakeSqlRowLayout(
    const engine::TableDefinition& definition);

// The descriptor of an open table.
inline const TablePtr& DescriptorOf(const engine::Table& table) {
  return SqlRowLayout::Of(table).table();
}

}  // namespace borealis::sql
