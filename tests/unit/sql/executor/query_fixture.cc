#include "tests/unit/sql/executor/query_fixture.h"

#include "base/mysql_error.h"
#include "engine/row.h"
#include "row/convert.h"
#include "row/row_codec.h"

namespace borealis::sql {
Status QueryOnlyExecutor::Execute(StatementRun&) {
  return UserError(ER_NOT_SUPPORTED_YET, "anything but queries");
}

engine::EngineOptions QueryFixture::Options() {
  engine::EngineOptions options;
  options.layouts = MakeSqlRowLayout;
  options.background_threads = false;
  return options;
}

QueryFixture::QueryFixture() {
  Result<std::unique_ptr<engine::Engine>> opened = engine::Engine::Open(&volume_, Options());
  INVARIANT(opened.ok());
  engine_ = std::move(opened).value();
  catalog_ = std::make_unique<Catalog>(engine_.get());
  engine::SchemaDefinition schema;
  schema.name = "test";
  schema.payload = EncodeSchemaDescriptor({});
  INVARIANT(engine_->CreateSchema(schema, {}).ok());
  SessionEnvironment environment;
  environment.engine = engine_.get();
  environment.catalog = catalog_.get();
  environment.executor = &executor_;
  session_ =
      std::make_unique<Session>(environment, SessionIdentity{7, "root", "localhost", "root", "%"});
  INVARIANT(session_->UseDatabase("test").ok());
}

QueryFixture::~QueryFixture() {
  session_.reset();
  engine_->Stop();
}

Answer QueryFixture::Query(std::string_view text) {
  return Ask(session_.get(), text);
}

Answer QueryFixture::Execute(uint32_t id, const std::vector<TypedValue>& parameters) {
  return AskPrepared(session_.get(), id, parameters);
}

TableDescriptor QueryFixture::Define(std::string name) {
  TableDescriptor table;
  table.schema = "test";
  table.name = std::move(name);
  return table;
}

void QueryFixture::AddColumn(TableDescriptor* table, std::string name, row::Type type) {
  ColumnDescriptor column;
  column.name = std::move(name);
  column.default_value.kind = type.nullable ? DefaultKind::kLiteral : DefaultKind::kNone;
  column.type = std::move(type);
  table->columns.push_back(std::move(column));
}

void QueryFixture::AddIndex(TableDescriptor* table, std::string name, IndexKind kind,
                            const std::vector<std::string>& columns) {
  IndexDescriptor index;
  index.name = std::move(name);
  index.kind = kind;
  for (const std::string& column : columns) {
    index.parts.push_back({static_cast<uint32_t>(table->FindColumn(column)), 0, false});
  }
  table->indexes.push_back(std::move(index));
}

void QueryFixture::Create(TableDescriptor table) {
  if (!table.has_primary_key()) {
    ColumnDescriptor row_id;
    row_id.name = kRowIdColumnName;
    row_id.type = row::Type::BigInt(true).NotNull();
    row_id.hidden = true;
    for (IndexDescriptor& index : table.indexes) {
      for (IndexPart& part : index.parts) {
        ++part.column;
      }
    }
    table.columns.insert(table.columns.begin(), std::move(row_id));
    IndexDescriptor clustered;
    clustered.name = kRowIdIndexName;
    clustered.kind = IndexKind::kRowId;
    clustered.parts.push_back({0, 0, false});
    table.indexes.insert(table.indexes.begin(), std::move(clustered));
  }
  engine::TableDefinition definition;
  definition.schema = table.schema;
  definition.name = table.name;
  definition.payload = EncodeTableDescriptor(table);
  for (const IndexDescriptor& index : table.indexes) {
    engine::IndexDefinition tree;
    tree.name = index.name;
    tree.unique = index.unique();
    definition.indexes.push_back(std::move(tree));
  }
  Result<engine::TableRef> created = engine_->CreateTable(std::move(definition), {});
  INVARIANT(created.ok());
}

void QueryFixture::Insert(std::string_view name, const std::vector<std::vector<row::Value>>& rows) {
  std::unique_ptr<engine::Transaction> transaction = engine_->Begin({});
  (void)transaction->BeginStatement();
  const Result<CatalogEntry> found = catalog_->Find("test", name);
  INVARIANT(found.ok());
  const Result<OpenedTable> entry =
      catalog_->Open(*transaction, *found->table, engine::TableUse::kChange);
  INVARIANT(entry.ok());
  const row::RowSchema& schema = SqlRowLayout::Of(*entry->engine).rows();
  for (const std::vector<row::Value>& values : rows) {
    std::vector<row::Value> stored;
    if (!entry->table->has_primary_key()) {
      Result<uint64_t> id = engine_->NextRowId(*entry->engine);
      INVARIANT(id.ok());
      stored.push_back(row::Value::Uint(*id));
    }
    for (const row::Value& value : values) {
      const row::Type& type = schema.type(stored.size());
      Result<row::Value> converted = value.is_null()
                                         ? Result<row::Value>(row::Value::Null())
                                         : row::StoreConvert(value, type, row::ConversionContext());
      INVARIANT(converted.ok());
      stored.push_back(std::move(converted).value());
    }
    std::string bytes;
    INVARIANT(row::EncodeRow(schema, stored, &bytes).ok());
    engine::DuplicateKey duplicate;
    INVARIANT(engine::Insert(*transaction, *entry->engine, bytes, &duplicate).ok());
  }
  INVARIANT(transaction->CommitAndWait().ok());
}

}  // namespace borealis::sql
