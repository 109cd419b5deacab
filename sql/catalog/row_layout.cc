#include "sql/catalog/row_layout.h"

namespace borealis::sql {

SqlRowLayout::SqlRowLayout(TablePtr table) : table_(std::move(table)) {
  rows_ = MakeRowSchema(*table_);
  for (const IndexDescriptor& index : table_->indexes) {
    keys_.push_back(MakeKeySchema(*table_, index));
  }
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

Result<std::shared_ptr<const engine::RowLayout>> MakeSqlRowLayout(
    const engine::TableDefinition& definition) {
  Result<TableDescriptor> decoded = DecodeTableDescriptor(definition.payload);
  if (!decoded.ok()) {
    return std::move(decoded).status().Annotate(definition.schema + "." + definition.name);
  }
  auto table = std::make_shared<TableDescriptor>(std::move(decoded).value());
  table->schema = definition.schema;
  table->name = definition.name;
  table->version = definition.version;
  table->table_id = definition.id.value();
  return std::shared_ptr<const engine::RowLayout>(std::make_shared<SqlRowLayout>(std::move(table)));
}

}  // namespace borealis::sql
