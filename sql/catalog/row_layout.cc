#include "sql/catalog/row_layout.h"

#include <algorithm>
#include <charconv>

namespace borealis::sql {

SqlRowLayout::SqlRowLayout(TablePtr table) : table_(std::move(table)) {
  rows_ = MakeRowSchema(*table_);
  for (const IndexDescriptor& index : table_->indexes) {
    keys_.push_back(MakeKeySchema(*table_, index));
  }
  for (size_t i = 0; i < table_->indexes.size(); ++i) {
    std::vector<IndexPart> parts = table_->indexes[i].parts;
    const size_t own = parts.size();
    entry_keys_.push_back(keys_[i]);
    if (i > 0 && !table_->indexes[i].unique()) {
      const IndexDescriptor& clustered = table_->indexes[0];
      parts.insert(parts.end(), clustered.parts.begin(), clustered.parts.end());
      entry_keys_[i].insert(entry_keys_[i].end(), keys_[0].begin(), keys_[0].end());
    }
    counted_parts_.emplace_back();
    counted_.emplace_back();
    for (size_t part = 0; part < parts.size(); ++part) {
      const bool repeated =
          part >= own && std::any_of(parts.begin(), parts.begin() + static_cast<ptrdiff_t>(own),
                                     [&](const IndexPart& one) {
                                       return one.column == parts[part].column &&
                                              one.prefix_length == 0;
                                     });
      if (!repeated) {
        counted_parts_[i].push_back(part);
        counted_[i].push_back(parts[part].column);
      }
    }
  }
}

Status SqlRowLayout::CountedPrefixEnds(size_t index_no, std::string_view key,
                                       std::vector<size_t>* ends) const {
  RETURN_IF_ERROR(row::KeyPartEnds(entry_keys_[index_no], key, ends));
  const std::vector<size_t>& counted = counted_parts_[index_no];
  for (size_t i = 0; i < counted.size(); ++i) {
    (*ends)[i] = (*ends)[counted[i]];
  }
  ends->resize(counted.size());
  return {};
}

engine::StatisticsOptions SqlRowLayout::statistics_options() const {
  engine::StatisticsOptions options;
  for (const auto& [name, text] : table_->options) {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
      continue;  // DEFAULT
    }
    if (name == "STATS_PERSISTENT") {
      options.persistent = number != 0;
    } else if (name == "STATS_AUTO_RECALC") {
      options.auto_recalc = number != 0;
    } else if (name == "STATS_SAMPLE_PAGES" && number > 0) {
      options.sample_pages = number;
    }
  }
  return options;
}

Status SqlRowLayout::BuildKey(size_t index_no, std::string_view row, engine::IndexKey* out) const {
  out->bytes.clear();
  out->unique_prefix_size = 0;
  if (index_no >= table_->indexes.size()) {
    return Status::Internal("build key: no such index");
  }
  Result<row::RowView> view = row::RowView::Open(rows_, row);
  if (!view.ok()) {
    return std::move(view).status().Annotate("build key");
  }
  const IndexDescriptor& index = table_->indexes[index_no];
  bool has_null = false;
  for (size_t i = 0; i < index.parts.size(); ++i) {
    ASSIGN_OR_RETURN(row::Value value, view->Get(index.parts[i].column));
    has_null |= value.is_null();
    RETURN_IF_ERROR(row::EncodeKeyPart(keys_[index_no][i], value, &out->bytes));
  }
  if (index.unique() && !has_null) {
    out->unique_prefix_size = out->bytes.size();
  }
  return {};
}

namespace {

// Ids of tables count from 1 in each engine; this tells those of temporary tables from the others.
constexpr uint64_t kTemporaryId = uint64_t{1} << 63;

Result<std::shared_ptr<TableDescriptor>> DescriptorFrom(const engine::TableDefinition& definition) {
  Result<TableDescriptor> decoded = DecodeTableDescriptor(definition.payload);
  if (!decoded.ok()) {
    return std::move(decoded).status().Annotate(definition.schema + "." + definition.name);
  }
  auto table = std::make_shared<TableDescriptor>(std::move(decoded).value());
  table->schema = definition.schema;
  table->name = definition.name;
  table->version = definition.version;
  table->table_id = definition.id.value();
  return table;
}

}  // namespace

Result<std::shared_ptr<const engine::RowLayout>> MakeSqlRowLayout(
    const engine::TableDefinition& definition) {
  ASSIGN_OR_RETURN(std::shared_ptr<TableDescriptor> table, DescriptorFrom(definition));
  return std::shared_ptr<const engine::RowLayout>(std::make_shared<SqlRowLayout>(std::move(table)));
}

Result<std::shared_ptr<const engine::RowLayout>> MakeTemporaryRowLayout(
    const engine::TableDefinition& definition) {
  ASSIGN_OR_RETURN(std::shared_ptr<TableDescriptor> table, DescriptorFrom(definition));
  table->temporary = true;
  table->table_id |= kTemporaryId;
  return std::shared_ptr<const engine::RowLayout>(std::make_shared<SqlRowLayout>(std::move(table)));
}

}  // namespace borealis::sql
