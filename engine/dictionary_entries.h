// The dictionary's entries as bytes: their keys, definitions of tables, and the list of entries
// that a schema change sets and erases.
//
//   KEY                             VALUE
//   'S' schema                      payload
//   'T' schema 00 table             table id (u64); views, too
//   'I' table id (big-endian)       definition, off-page when long
//   'X' clustered index id (b.-e.)  table id (u64): undo names tables so
//   'C' table id (b.-e.)            auto-increment bound (u64)
//   'N' table id (b.-e.)            statistics of the table (statistics_keeper.cc)
//   'N' table id, index id (b.-e.)  statistics of an index
//   'D' page number (b.-e.)         a tree or a long value to be freed: kind (u8), reference
//   'Q' key of SQL's own            value of SQL's own (RelatedChanges)
//
// Parse… check what they are given: it comes from pages. Errors: kCorruption.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/definition.h"
#include "engine/schema_change.h"

namespace borealis::engine {

struct DictionaryChange {
  std::string key;
  std::optional<std::string> value;  // none: erase
};

namespace dictionary_key {
std::string Schema(std::string_view name);
std::string Name(const TableName& name);
std::string Definition(TableId id);
std::string Clustered(IndexId id);
std::string Counter(TableId id);
std::string Drop(PageNo page);
std::string Statistics(TableId table);
std::string Statistics(TableId table, IndexId index);
std::string Sql(std::string_view key);
}  // namespace dictionary_key

// A definition: the value of 'I' entries.
std::string EncodeDefinition(const TableDefinition& table);
Result<TableDefinition> ParseDefinition(std::string_view bytes);

// A schema change, as the journal keeps it until it is carried out.
std::string EncodeChanges(const std::vector<DictionaryChange>& changes);
Result<std::vector<DictionaryChange>> ParseChanges(std::string_view bytes);

// Body of the mark that readers get of a change: how many tables, and their ids.
std::string EncodeTables(const std::vector<DictionaryChange>& changes);

}  // namespace borealis::engine
