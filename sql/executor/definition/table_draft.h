// A table definition in the making: what CREATE TABLE and ALTER TABLE edit, and where MySQL's rules
// of a table are checked.
//
// Index parts and constraints name columns, so that edits may come in any order; Finish() checks
// the whole and resolves the names to positions. A draft made from an existing table remembers
// where its columns and indexes came from, which tells ALTER TABLE what it can keep.
//
// Finish() orders indexes as MySQL does (primary, unique without NULL, other unique, the rest),
// names what has no name, makes primary key columns NOT NULL, and adds what no statement sees: the
// row id (INV-CAT-1) and a hidden generated column for each functional key part.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/schema_change.h"
#include "sql/ast/ddl.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

struct DraftColumn {
  ColumnDescriptor column;
  int source = -1;            // position in the old table; -1: new
  bool null_written = false;  // NULL, or DEFAULT NULL, was written
};

struct DraftPart {
  std::string column;
  std::string expression;  // functional part: canonical text; `column` is set by Finish()
  std::optional<uint64_t> prefix_length;
  bool descending = false;
};

struct DraftIndex {
  std::string name;  // empty: Finish() makes one
  IndexKind kind = IndexKind::kPlain;
  bool visible = true;
  bool hash_written = false;
  std::vector<DraftPart> parts;
  std::string comment;
  std::string source;  // name of the old table's index; empty: new
  // Made for a foreign key, unless another index serves it as well.
  bool made_for_foreign_key = false;
};

struct DraftCheck {
  CheckDescriptor check;  // name may be empty: Finish() makes one
  std::string column;     // written on this column; empty: on the table
  bool is_new = true;
  bool is_condition = true;
};

struct DraftForeignKey {
  ForeignKeyDescriptor key;          // name may be empty; columns are set by Finish()
  std::vector<std::string> columns;  // of the table; key.parent_columns of the parent
  bool is_new = true;
};

struct FinishedTable {
  std::shared_ptr<TableDescriptor> table;
  std::vector<int> column_sources;         // per column: position in the old table, or -1
  std::vector<std::string> index_sources;  // per index: its name in the old table, or empty
  bool has_new_check = false;
};

class TableDraft {
 public:
  // A new table. `run` outlives the draft.
  TableDraft(StatementRun& run, engine::TableName name, row::CollationId collation);
  // A copy of an existing one, to be changed (`name` may be another's: CREATE TABLE … LIKE).
  TableDraft(StatementRun& run, engine::TableName name, const TableDescriptor& old);

  const engine::TableName& name() const { return name_; }
  void set_name(engine::TableName name) { name_ = std::move(name); }
  TableDescriptor& options() { return options_; }
  std::vector<DraftColumn>& columns() { return columns_; }
  std::vector<DraftIndex>& indexes() { return indexes_; }
  std::vector<DraftCheck>& checks() { return checks_; }
  std::vector<DraftForeignKey>& foreign_keys() { return foreign_keys_; }

  // Position in columns() of a column that statements see, or -1.
  int FindColumn(std::string_view name) const;
  int FindIndex(std::string_view name) const;

  // Adds the column with the keys and checks written on it. Errors: see column_definition.cc.
  Status AddColumn(const ColumnDefinition& definition,
                   const std::optional<ColumnPosition>& position);
  // MODIFY and CHANGE: a new definition for the column at `position`, which keeps its place.
  Status ReplaceColumn(size_t position, const ColumnDefinition& definition);
  Status MoveColumn(size_t position, const ColumnPosition& to);
  // `added_again`: the statement adds a column of that name, which takes its place in indexes.
  Status DropColumn(std::string_view name, bool added_again);
  Status RenameColumn(std::string_view from, std::string_view to);
  // SET DEFAULT; null: DROP DEFAULT.
  Status SetDefault(std::string_view column, const DefaultValue* value);

  Status AddIndex(const IndexDefinition& definition);
  Status DropIndex(std::string_view name);
  Status AddCheck(const CheckConstraint& check, std::string_view column);
  // Errors: 1239; what concerns the table's own columns comes from Finish(), what concerns the
  // parent from foreign_key_relations.h.
  Status AddForeignKey(const ForeignKeyDefinition& definition);
  Status DropForeignKey(std::string_view name);
  // The table's new name goes into the names that were made from its old one.
  void RenameForeignKeys(std::string_view old_table, std::string_view new_table);
  Status ApplyOptions(const std::vector<TableOption>& options, bool altering);
  // 1302 for a second character set of the table. Empty: none is named.
  Status NoteCharset(const std::string& charset);

  Result<FinishedTable> Finish();

 private:
  // --- column_definition.cc
  Result<DraftColumn> BuildColumn(const ColumnDefinition& definition);
  Status BuildDefault(const DefaultValue& value, DraftColumn* column);
  Status BuildLiteralDefault(const Expr& expr, DraftColumn* column);
  Status AddColumnKeys(const ColumnDefinition& definition);
  Status CheckNotReferenced(std::string_view column, bool dropping) const;

  // --- table_draft.cc
  bool IsHiddenName(std::string_view name) const;
  Status CheckColumns() const;
  Status SettlePrimaryKey();
  Status CheckAutoIncrement() const;
  void AssembleColumns(FinishedTable* out) const;

  // --- index_definition.cc
  Status NameIndexes();
  Status AddFunctionalColumns();
  Status CheckIndexParts();
  Status CheckIndexPart(DraftIndex* index, DraftPart* part, uint64_t* key_bytes);
  void SortIndexes();
  Status AssembleIndexes(FinishedTable* out) const;
  void WarnOfDuplicateIndexes(const TableDescriptor& table) const;

  // --- foreign_key_definition.cc
  void DropRedundantIndexes();
  Status NameForeignKeys();
  Status AssembleForeignKeys(FinishedTable* out) const;

  // --- table_expressions.cc
  Status NameChecks();
  Status CheckExpressions(const TablePtr& table) const;
  Result<row::Type> TypeOfExpression(const std::string& text, std::string_view index) const;

  StatementRun& run_;
  engine::TableName name_;
  TableDescriptor options_;           // without columns, indexes and constraints
  std::vector<DraftColumn> columns_;  // without the row id
  std::vector<DraftIndex> indexes_;
  std::vector<DraftCheck> checks_;
  std::vector<DraftForeignKey> foreign_keys_;
  std::vector<std::string> dropped_foreign_keys_;
  uint64_t last_foreign_key_ = 0;  // greatest number in a made name of the old table
  int row_id_source_ = -1;
  std::string written_charset_;
};

// Canonical text of an expression that a table keeps.
std::string StoredExpression(const StatementRun& run, const Expr& expr);
// Whether the canonical text `text` names the column.
bool MentionsColumn(std::string_view text, std::string_view column);
// Bytes that a column takes of a row's 65535 and of a key's 3072.
uint64_t RowBytes(const row::Type& type);
uint64_t KeyBytes(const row::Type& type, uint64_t prefix_length);

}  // namespace borealis::sql
