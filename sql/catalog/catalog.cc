#include "sql/catalog/catalog.h"

#include <algorithm>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "sql/catalog/temporary_tables.h"

namespace borealis::sql {
namespace {

bool IsInformationSchema(std::string_view schema) {
  return SameName(schema, "information_schema");
}

// A stored schema like any other, but that some of its tables are system tables.
constexpr std::string_view kStoredSystemSchema = "mysql";

Status NoSuchTable(std::string_view schema, std::string_view name) {
  return UserError(ER_NO_SUCH_TABLE, schema, name);
}

}  // namespace

bool Catalog::IsSystemSchema(std::string_view schema) const {
  if (system_ == nullptr) {
    return false;
  }
  for (const std::string& name : system_->Schemas()) {
    if (name == kStoredSystemSchema) {
      continue;
    }
    if (name == schema || (IsInformationSchema(schema) && name == "information_schema")) {
      return true;
    }
  }
  return false;
}

uint64_t Catalog::TemporaryVersion() const {
  return temporary_->engine().dictionary_version();
}

bool Catalog::HasTemporary(std::string_view schema, std::string_view name) const {
  return temporary_ != nullptr && temporary_->Find(schema, name) != nullptr;
}

Result<CatalogEntry> Catalog::Find(std::string_view schema, std::string_view name) const {
  if (temporary_ != nullptr) {
    if (const engine::TableRef table = temporary_->Find(schema, name); table != nullptr) {
      return CatalogEntry{DescriptorOf(*table), table, nullptr, &temporary_->engine()};
    }
  }
  return FindStored(schema, name);
}

Result<CatalogEntry> Catalog::FindAgain(const TableDescriptor& table) const {
  if (!table.temporary) {
    return FindStored(table.schema, table.name);
  }
  ASSIGN_OR_RETURN(CatalogEntry found, Find(table.schema, table.name));
  return found.table->temporary ? Result<CatalogEntry>(std::move(found))
                                : NoSuchTable(table.schema, table.name);
}

Result<CatalogEntry> Catalog::FindStored(std::string_view schema, std::string_view name) const {
  if (system_ != nullptr) {
    if (const SystemTable* table = system_->Find(schema, name); table != nullptr) {
      return CatalogEntry{table->descriptor(), nullptr, table, nullptr};
    }
    if (IsInformationSchema(schema)) {
      return UserError(ER_UNKNOWN_TABLE, row::UpperText(name), "information_schema");
    }
  }
  Result<engine::TableRef> found = engine_->FindTable(schema, name);
  if (found.ok()) {
    engine::TableRef table = std::move(found).value();
    return CatalogEntry{DescriptorOf(*table), table, nullptr, engine_};
  }
  if (!found.status().Is(Code::kNotFound)) {
    return std::move(found).status();
  }
  if (!IsSystemSchema(schema)) {
    RETURN_IF_ERROR(FindSchema(schema).status());
  }
  return NoSuchTable(schema, name);
}

Status CheckTableLock(const engine::TableLocks& locks, std::string_view schema,
                      std::string_view name, engine::TableUse use) {
  switch (locks.HeldOn(schema, name)) {
    case engine::TableLocks::Held::kNo:
      return UserError(ER_TABLE_NOT_LOCKED, name);
    case engine::TableLocks::Held::kForReading:
      return use == engine::TableUse::kRead ? Status::Ok()
                                            : UserError(ER_TABLE_NOT_LOCKED_FOR_WRITE, name);
    case engine::TableLocks::Held::kForWriting:
      break;
  }
  return Status::Ok();
}

Result<OpenedTable> Catalog::Open(engine::Transaction& transaction, const TableDescriptor& table,
                                  engine::TableUse use) const {
  if (table.temporary) {
    ASSIGN_OR_RETURN(CatalogEntry found, FindAgain(table));
    return OpenedTable{std::move(found), &temporary_->transaction()};
  }
  if (const auto& locks = transaction.options().table_locks; locks != nullptr) {
    RETURN_IF_ERROR(CheckTableLock(*locks, table.schema, table.name, use));
  }
  Result<engine::TableRef> opened = engine_->OpenTable(transaction, table.schema, table.name, use);
  if (!opened.ok()) {
    if (opened.status().Is(Code::kNotFound)) {
      return NoSuchTable(table.schema, table.name);
    }
    return std::move(opened).status();
  }
  engine::TableRef ref = std::move(opened).value();
  return OpenedTable{{DescriptorOf(*ref), ref, nullptr, engine_}, &transaction};
}

Result<SchemaDescriptor> Catalog::FindSchema(std::string_view schema) const {
  if (IsSystemSchema(schema)) {
    SchemaDescriptor descriptor;
    if (IsInformationSchema(schema)) {
      descriptor.collation = row::kUtf8mb3GeneralCi;
    }
    return descriptor;
  }
  Result<engine::SchemaDefinition> found = engine_->FindSchema(schema);
  if (!found.ok()) {
    if (found.status().Is(Code::kNotFound)) {
      return UserError(ER_BAD_DB_ERROR, schema);
    }
    return std::move(found).status();
  }
  return DecodeSchemaDescriptor(found->payload);
}

Result<std::vector<std::string>> Catalog::ListSchemas() const {
  ASSIGN_OR_RETURN(std::vector<engine::SchemaDefinition> schemas, engine_->ListSchemas());
  std::vector<std::string> names;
  for (const engine::SchemaDefinition& schema : schemas) {
    names.push_back(schema.name);
  }
  if (system_ != nullptr) {
    for (std::string& name : system_->Schemas()) {
      if (name != kStoredSystemSchema) {
        names.push_back(std::move(name));
      }
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<std::vector<std::string>> Catalog::ListTables(std::string_view schema) const {
  std::vector<std::string> names;
  bool is_system = IsSystemSchema(schema);
  if (is_system || (system_ != nullptr && schema == kStoredSystemSchema)) {
    names = system_->Tables(schema);
  }
  Result<std::vector<std::string>> stored = engine_->ListTables(schema);
  if (stored.ok()) {
    names.insert(names.end(), stored->begin(), stored->end());
  } else if (!stored.status().Is(Code::kNotFound)) {
    return std::move(stored).status();
  } else if (!is_system) {
    return UserError(ER_BAD_DB_ERROR, schema);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace borealis::sql
