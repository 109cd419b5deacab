// What the SQL layer knows of one table: columns, indexes, constraints, options.
//
// Serialised, it is the payload of the engine's table definition, which the engine keeps without
// looking inside. A descriptor is immutable once published: every DDL makes a new one with a higher
// version, and statements bound to an older one are bound again. Share it as
// std::shared_ptr<const TableDescriptor>.
//
// INV-CAT-1  indexes[0] is the clustered index: the primary key, or for a table without one the row
//            id, a hidden BIGINT UNSIGNED column at position 0 (kRowIdColumnName) that an insert
//            fills from Engine::NextRowId.
// INV-CAT-2  indexes[i] is the engine's index number i, and columns[i] is stored in rows at
//            stored.places[i] (row/row_codec.h). A place is never given to another column while
//            rows are left as they are, so every row ever written under a form of the table reads
//            right under all later ones.
//
// INV-CAT-3  A view's descriptor has `view` and no indexes; the engine keeps no tree for it.
//
// Payload, little-endian, lengths as varints: format version (1 has no stored form), then the
// members in the order of EncodeTableDescriptor. Unknown versions are refused, unknown trailing
// fields of a known version are an error: a descriptor half understood is worse than none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "row/key_codec.h"
#include "row/row_codec.h"
#include "row/type.h"
#include "row/value.h"
#include "sql/ast/trigger.h"
#include "sql/ast/view.h"

namespace borealis::sql {

enum class DefaultKind : uint8_t {
  kNone = 0,        // NOT NULL without DEFAULT: inserting without a value is an error
  kLiteral = 1,     // `value`, already of the column's type; NULL for nullable columns without one
  kNow = 2,         // CURRENT_TIMESTAMP with the column's fractional digits
  kExpression = 3,  // `text`
};

struct ColumnDefault {
  DefaultKind kind = DefaultKind::kNone;
  row::Value value;
  std::string text;  // canonical expression text (sql/ast/print.h), no outer parentheses
};

enum class GeneratedKind : uint8_t { kNone = 0, kVirtual = 1, kStored = 2 };

struct ColumnDescriptor {
  std::string name;
  row::Type type;
  ColumnDefault default_value;
  bool auto_increment = false;
  bool on_update_now = false;
  bool invisible = false;
  // Not visible to anyone: the row id, and columns behind functional key parts.
  bool hidden = false;
  // The character set or collation was written, which SHOW repeats though it is the table's.
  bool collation_written = false;
  // Generated columns are stored in the row whether VIRTUAL or STORED; the kind is what SHOW says.
  GeneratedKind generated = GeneratedKind::kNone;
  std::string generated_text;  // canonical expression text
  std::string comment;
  // What rows written before the column existed read as (instant ADD COLUMN).
  row::Value initial_value;
};

struct IndexPart {
  uint32_t column = 0;         // position in columns
  uint32_t prefix_length = 0;  // characters, or bytes for binary strings; 0: whole value
  bool descending = false;
};

enum class IndexKind : uint8_t { kPrimary = 0, kUnique = 1, kPlain = 2, kRowId = 3 };

struct IndexDescriptor {
  std::string name;  // "PRIMARY" for the primary key; "GEN_CLUST_INDEX" for the hidden row id
  IndexKind kind = IndexKind::kPlain;
  bool visible = true;
  bool hash_written = false;  // USING HASH was written; stored as a tree all the same
  // Made for a foreign key that had none: goes when another index serves as well.
  bool made_for_foreign_key = false;
  std::vector<IndexPart> parts;
  std::string comment;

  bool unique() const { return kind == IndexKind::kPrimary || kind == IndexKind::kUnique; }
};

struct CheckDescriptor {
  std::string name;
  std::string text;  // canonical expression text
  bool enforced = true;
};

enum class ForeignKeyAction : uint8_t {
  kRestrict = 0,
  kCascade = 1,
  kSetNull = 2,
  kNoAction = 3,
  kSetDefault = 4,
};

struct ForeignKeyDescriptor {
  std::string name;
  std::vector<uint32_t> columns;
  std::string schema;  // of the parent
  std::string table;
  std::vector<std::string> parent_columns;
  ForeignKeyAction on_delete = ForeignKeyAction::kNoAction;
  ForeignKeyAction on_update = ForeignKeyAction::kNoAction;
};

// A table by name: one with foreign keys to this one, or one that a view is made from.
struct ReferencingTable {
  std::string schema;
  std::string name;
  friend bool operator==(const ReferencingTable&, const ReferencingTable&) = default;
};

// Where rows have the columns. Columns that were added or dropped without touching the rows leave
// their traces here until the table is rebuilt.
struct StoredForm {
  struct Dropped {
    uint32_t place = 0;
    row::Type type;
  };
  // Instant alterations that added or dropped columns since the rows were last rewritten.
  static constexpr uint32_t kRowVersionsMax = 64;

  std::vector<uint32_t> places;  // per column; empty: columns are stored in their order, and alone
  std::vector<Dropped> dropped;  // stored, and no column any more
  uint32_t row_versions = 0;

  uint32_t PlaceOf(size_t column) const {
    return places.empty() ? static_cast<uint32_t>(column) : places[column];
  }
};

// A view: the query it stands for, and what CREATE VIEW said of it. Its columns are the table's,
// with their types as of the definition; what they are now is what the query gives now.
struct ViewDescriptor {
  // Canonical text (sql/ast/print.h): names qualified, wildcards written out, under no sql_mode.
  std::string text;
  // Written in parentheses after the view's name; the columns then have other names than in `text`.
  bool names_columns = false;
  ViewAlgorithm algorithm = ViewAlgorithm::kUndefined;
  ViewCheck check = ViewCheck::kNone;
  std::string definer_user;
  std::string definer_host;
  bool security_invoker = false;
  // IS_UPDATABLE: whether changes may be made through it, as of its definition.
  bool updatable = false;
  // Of the session that defined it.
  row::CollationId client_collation = 255;
  row::CollationId connection_collation = 255;
  uint64_t sql_mode = 0;
  // The tables and views that `text` names.
  std::vector<ReferencingTable> tables;
};

// A trigger of the table. Its body is parsed and bound by each instance that fires it, under the
// settings it was defined with.
struct TriggerDescriptor {
  std::string name;  // unique in the schema: sql/executor/definition/trigger_names.h
  TriggerTiming timing = TriggerTiming::kBefore;
  TriggerEvent event = TriggerEvent::kInsert;
  std::string body;  // as written, UTF-8
  std::string definer_user;
  std::string definer_host;
  // Of the session that defined it, and of its schema.
  uint64_t sql_mode = 0;
  row::CollationId client_collation = 255;
  row::CollationId connection_collation = 255;
  row::CollationId database_collation = 255;
  int64_t created_us = 0;  // whole hundredths of a second
};

enum class TableKind : uint8_t { kBase = 0, kView = 1, kSystem = 2 };

struct TableDescriptor {
  TableKind kind = TableKind::kBase;
  std::string schema;
  std::string name;
  // schema, name, version and table_id come from the engine's definition, not from the payload.
  uint64_t version = 0;
  uint64_t table_id = 0;  // 0 for system tables
  // A session's own table (temporary_tables.h); its id is never that of another table.
  bool temporary = false;

  std::vector<ColumnDescriptor> columns;
  std::vector<IndexDescriptor> indexes;  // INV-CAT-1
  std::vector<CheckDescriptor> checks;
  std::vector<ForeignKeyDescriptor> foreign_keys;
  // INV-FK-1: the tables whose foreign_keys name this one, itself included, and no others.
  std::vector<ReferencingTable> referencing;
  // Those of one timing and event fire in this order.
  std::vector<TriggerDescriptor> triggers;

  StoredForm stored;

  row::CollationId collation = 255;
  std::string comment;
  uint64_t auto_increment_start = 0;  // AUTO_INCREMENT option; 0: not given
  std::string row_format;             // as written, upper case; empty: default
  // Other options kept for SHOW CREATE TABLE, in order: name and text.
  std::vector<std::pair<std::string, std::string>> options;
  int64_t created_us = 0;  // microseconds since 1970

  std::optional<ViewDescriptor> view;  // kView

  // Position, or -1. Column names compare without regard to case.
  int FindColumn(std::string_view column) const;
  int FindIndex(std::string_view index) const;
  // The first index whose leading parts are whole columns, ascending: these, in this order. What
  // foreign keys need on both sides. -1: none.
  int FindIndexOn(std::span<const uint32_t> leading_columns) const;
  bool has_primary_key() const {
    return !indexes.empty() && indexes[0].kind == IndexKind::kPrimary;
  }
  // -1 when there is none.
  int auto_increment_column() const;
  // PRI_KEY, UNIQUE_KEY, MULTIPLE_KEY and the like for result metadata (row::MysqlColumnFlag).
  uint16_t KeyFlags(int column) const;
};

inline constexpr std::string_view kRowIdColumnName = "DB_ROW_ID";
inline constexpr std::string_view kRowIdIndexName = "GEN_CLUST_INDEX";

using TablePtr = std::shared_ptr<const TableDescriptor>;

// The columns as they are stored.
row::RowSchema MakeRowSchema(const TableDescriptor& table);
// The key parts of an index as declared, without the clustered key that the engine appends to
// secondary keys.
row::KeySchema MakeKeySchema(const TableDescriptor& table, const IndexDescriptor& index);

// What a schema's payload holds.
struct SchemaDescriptor {
  row::CollationId collation = 255;
  bool read_only = false;
};
std::string EncodeSchemaDescriptor(const SchemaDescriptor& schema);
Result<SchemaDescriptor> DecodeSchemaDescriptor(std::string_view bytes);

std::string EncodeTableDescriptor(const TableDescriptor& table);
// kCorruption when the bytes are not a descriptor of a known version.
Result<TableDescriptor> DecodeTableDescriptor(std::string_view bytes);

// Identifiers of columns, indexes, aliases: ASCII and Latin letters compare without case.
bool SameName(std::string_view a, std::string_view b);
// Lower case, for keys of maps.
std::string FoldName(std::string_view name);

}  // namespace borealis::sql
