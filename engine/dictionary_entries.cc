#include "engine/dictionary_entries.h"

#include <set>

#include "base/coding.h"

namespace borealis::engine {
namespace {

std::string IdKey(char kind, uint64_t id) {
  std::string key(1, kind);
  AppendBig(&key, id);
  return key;
}

}  // namespace

namespace dictionary_key {
std::string Schema(std::string_view name) {
  return "S" + std::string(name);
}
std::string Sql(std::string_view key) {
  return "Q" + std::string(key);
}
std::string Name(const TableName& name) {
  std::string key = "T" + name.schema;
  key.push_back('\0');
  return key + name.name;
}
std::string Definition(TableId id) {
  return IdKey('I', id.value());
}
std::string Clustered(IndexId id) {
  return IdKey('X', id.value());
}
std::string Counter(TableId id) {
  return IdKey('C', id.value());
}
std::string Drop(PageNo page) {
  return IdKey('D', page.value());
}
std::string Statistics(TableId table) {
  return IdKey('N', table.value());
}
std::string Statistics(TableId table, IndexId index) {
  std::string key = Statistics(table);
  AppendBig(&key, index.value());
  return key;
}
}  // namespace dictionary_key

std::string EncodeDefinition(const TableDefinition& table) {
  std::string to;
  AppendVarint(&to, table.id.value());
  AppendSized(&to, table.schema);
  AppendSized(&to, table.name);
  AppendVarint(&to, table.version);
  AppendVarint(&to, table.indexes.size());
  for (const IndexDefinition& index : table.indexes) {
    AppendVarint(&to, index.id.value());
    AppendSized(&to, index.name);
    AppendVarint(&to, index.unique ? 1 : 0);
    AppendVarint(&to, index.root.value());
  }
  AppendSized(&to, table.payload);
  return to;
}

Result<TableDefinition> ParseDefinition(std::string_view bytes) {
  ByteReader reader(bytes);
  TableDefinition table;
  table.id = TableId(reader.Varint());
  table.schema = reader.Sized();
  table.name = reader.Sized();
  table.version = reader.Varint();
  for (uint64_t left = reader.Varint(); left > 0 && reader.ok(); --left) {
    IndexDefinition index;
    index.id = IndexId(reader.Varint());
    index.name = reader.Sized();
    index.unique = reader.Varint() != 0;
    index.root = PageNo(reader.Varint());
    table.indexes.push_back(std::move(index));
  }
  table.payload = reader.Sized();
  if (!reader.ok() || !reader.empty()) {
    return Status::Corruption("table definition is malformed");
  }
  return table;
}

std::string EncodeChanges(const std::vector<DictionaryChange>& changes) {
  std::string to;
  AppendVarint(&to, changes.size());
  for (const DictionaryChange& change : changes) {
    AppendSized(&to, change.key);
    AppendVarint(&to, change.value.has_value() ? 1 : 0);
    AppendSized(&to, change.value.value_or(""));
  }
  return to;
}

Result<std::vector<DictionaryChange>> ParseChanges(std::string_view bytes) {
  ByteReader reader(bytes);
  std::vector<DictionaryChange> changes;
  for (uint64_t left = reader.Varint(); left > 0 && reader.ok(); --left) {
    DictionaryChange change;
    change.key = reader.Sized();
    const bool set = reader.Varint() != 0;
    const std::string_view value = reader.Sized();
    if (set) {
      change.value = std::string(value);
    }
    changes.push_back(std::move(change));
  }
  if (!reader.ok() || !reader.empty()) {
    return Status::Corruption("schema change journal is malformed");
  }
  return changes;
}

std::string EncodeTables(const std::vector<DictionaryChange>& changes) {
  std::set<uint64_t> ids;
  for (const DictionaryChange& change : changes) {
    if (change.key.size() == 1 + sizeof(uint64_t) && change.key[0] == 'I') {
      ids.insert(LoadBig<uint64_t>(change.key.data() + 1));
    }
  }
  std::string body;
  AppendVarint(&body, ids.size());
  for (uint64_t id : ids) {
    AppendVarint(&body, id);
  }
  return body;
}

}  // namespace borealis::engine
