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

  // As InnoDB counts them: the index's parts, and behind those of an index that is not unique the
  // clustered key's that it does not have itself.
  size_t counted_prefixes(size_t index_no) const override { return counted_[index_no].size(); }
  Status CountedPrefixEnds(size_t index_no, std::string_view key,
                           std::vector<size_t>* ends) const override;
  engine::StatisticsOptions statistics_options() const override;
  // The columns at which the counted prefixes end.
  const std::vector<uint32_t>& counted_columns(size_t index_no) const { return counted_[index_no]; }

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
  // By index: the parts of its entries' keys as far as they are counted, and the columns of those
  // that end a counted prefix.
  std::vector<row::KeySchema> entry_keys_;
  std::vector<std::vector<size_t>> counted_parts_;
  std::vector<std::vector<uint32_t>> counted_;
};

// For EngineOptions::layouts: decodes the payload. Knows the engine's own requirements only.
Result<std::shared_ptr<const engine::RowLayout>> MakeSqlRowLayout(
    const engine::TableDefinition& definition);
// The same for the engine of a session's temporary tables.
Result<std::shared_ptr<const engine::RowLayout>> MakeTemporaryRowLayout(
    const engine::TableDefinition& definition);

// The descriptor of an open table.
inline const TablePtr& DescriptorOf(const engine::Table& table) {
  return SqlRowLayout::Of(table).table();
}

}  // namespace borealis::sql
