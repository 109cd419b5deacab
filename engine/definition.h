// What the engine knows of a table: names, index trees, and an opaque description that SQL owns.
//
// The engine knows no SQL types. SQL gives each table a RowLayout, which computes index keys from
// row bytes; everything else about a row is opaque here.
// Definitions are immutable once published; DDL publishes a new one with a higher version.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace borealis::engine {

// A table, for the life of its definition; TRUNCATE and rebuilds keep it.
class TableId : public Newtype<struct TableIdTag, uint64_t> {
 public:
  using Newtype::Newtype;
};
// One index tree; never reused.
class IndexId : public Newtype<struct IndexIdTag, uint64_t> {
 public:
  using Newtype::Newtype;
};

struct IndexDefinition {
  IndexId id;        // assigned by the engine
  std::string name;  // unique in the table, ignoring nothing: SQL folds case
  bool unique = false;
  PageNo root;  // assigned by the engine
};

struct TableDefinition {
  TableId id;  // assigned by the engine
  std::string schema;
  std::string name;
  uint64_t version = 0;  // assigned by the engine; changes with every DDL on the table
  std::string payload;   // SQL's own description
  // [0] is the clustered index: its keys identify rows and its entries hold them. Empty: a name
  // with a description and no rows (a view); only schema changes and look-ups may be asked of it.
  std::vector<IndexDefinition> indexes;
};

struct SchemaDefinition {
  std::string name;
  std::string payload;
};

// The key of one row in one index. Keys compare with memcmp.
struct IndexKey {
  std::string bytes;
  // Length of the prefix that no two rows may share; 0 when uniqueness is not checked (the index is
  // not unique, or the key holds a NULL).
  size_t unique_prefix_size = 0;
};

// What a table's options say about its statistics (statistics.h); empty: the engine's defaults.
struct StatisticsOptions {
  std::optional<bool> persistent;
  std::optional<bool> auto_recalc;
  std::optional<uint64_t> sample_pages;
};

// Computes keys from rows. Pure and thread-safe; kept as long as any user of the definition.
// REQUIRES of the keys of one index: no key is a proper prefix of another (the engine appends the
// clustered key to secondary keys), and equal rows give equal keys.
class RowLayout {
 public:
  virtual ~RowLayout() = default;
  // The key of `row` in the table's indexes[index_no]. For index 0 the whole key is unique and
  // unique_prefix_size is ignored. Replaces *out, whose capacity is reused.
  virtual Status BuildKey(size_t index_no, std::string_view row, IndexKey* out) const = 0;

  // The prefixes of an index's entries (secondary: with the clustered key behind) whose distinct
  // values are counted: how many there are, and where they end in `key`, ascending.
  virtual size_t counted_prefixes(size_t index_no) const {
    (void)index_no;
    return 1;
  }
  virtual Status CountedPrefixEnds(size_t index_no, std::string_view key,
                                   std::vector<size_t>* ends) const {
    (void)index_no;
    ends->assign(1, key.size());
    return Status::Ok();
  }
  virtual StatisticsOptions statistics_options() const { return {}; }
};

using RowLayoutFactory =
    std::function<Result<std::shared_ptr<const RowLayout>>(const TableDefinition&)>;

inline constexpr size_t kClusteredIndex = 0;
// Longest key of one index (secondary keys: without the clustered key appended), as InnoDB's.
inline constexpr size_t kIndexKeySizeMax = 3072;

}  // namespace borealis::engine

template <>
struct std::hash<borealis::engine::TableId> {
  size_t operator()(borealis::engine::TableId id) const noexcept {
    return std::hash<uint64_t>()(id.value() * 0x9E3779B97F4A7C15ULL);
  }
};
template <>
struct std::hash<borealis::engine::IndexId> {
  size_t operator()(borealis::engine::IndexId id) const noexcept {
    return std::hash<uint64_t>()(id.value() * 0x9E3779B97F4A7C15ULL);
  }
};
