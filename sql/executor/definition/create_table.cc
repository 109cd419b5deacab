// CREATE TABLE, … LIKE and … SELECT.
#include <fmt/format.h>

#include <algorithm>

#include "base/mysql_error.h"
#include "engine/row.h"
#include "engine/transaction.h"
#include "row/collation.h"
#include "row/row_codec.h"
#include "sql/binder/binder.h"
#include "sql/catalog/temporary_tables.h"
#include "sql/executor/change/duplicate_entry.h"
#include "sql/executor/change/foreign_key_check.h"
#include "sql/executor/change/row_rewriter.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/definition_statements.h"
#include "sql/executor/definition/foreign_key_relations.h"
#include "sql/executor/definition/table_draft.h"
#include "sql/session/session.h"
#include "sql/sqlite/row_source.h"

namespace borealis::sql {
namespace {

Status RefuseUnsupported(const CreateTableStmt& statement) {
  if (statement.partition.has_value()) {
    if (statement.temporary) {
      return UserError(ER_PARTITION_NO_TEMPORARY);
    }
    return Unsupported("PARTITION BY " + statement.partition->method);
  }
  return {};
}

engine::TableDefinition EngineDefinition(const TableDescriptor& table) {
  engine::TableDefinition definition;
  definition.schema = table.schema;
  definition.name = table.name;
  definition.payload = EncodeTableDescriptor(table);
  for (const IndexDescriptor& index : table.indexes) {
    engine::IndexDefinition out;
    out.name = index.name;
    out.unique = index.unique() || index.kind == IndexKind::kRowId;
    definition.indexes.push_back(std::move(out));
  }
  return definition;
}

// With its foreign keys, and those that waited for it.
Result<engine::TableRef> MakeRelatedTable(StatementRun& run, const FinishedTable& finished) {
  engine::TableRef made;
  RETURN_IF_ERROR(UntilNotOvertaken(run, [&]() -> Status {
    std::vector<TableChange> change = {
        {nullptr, std::make_shared<TableDescriptor>(*finished.table), {}}};
    engine::SchemaChangeOptions how = ChangeOptions(run);
    ASSIGN_OR_RETURN(how.related, RelateForeignKeys(run, change));
    ASSIGN_OR_RETURN(made, EngineOf(run).CreateTable(EngineDefinition(*change[0].after), how));
    return {};
  }));
  return made;
}

Result<engine::TableRef> MakeTemporaryTable(StatementRun& run, const TableDescriptor& table) {
  ASSIGN_OR_RETURN(TemporaryTables * temporary, run.session.EnsureTemporaryTables());
  Result<engine::TableRef> made = temporary->Create(EngineDefinition(table), {});
  if (made.ok()) {
    run.session.NoteTemporaryCreated();
  }
  return made;
}

// Makes the table; `*made` is null when it was there and IF NOT EXISTS said so.
Status MakeTable(StatementRun& run, const CreateTableStmt& statement, FinishedTable* finished,
                 engine::TableRef* made) {
  TableDescriptor* table = finished->table.get();
  RETURN_IF_ERROR(CheckPrimaryKeyRequired(run, *table));
  table->created_us = run.session.statement_time_us();
  if (statement.temporary && !table->foreign_keys.empty()) {
    return UserError(ER_CANNOT_ADD_FOREIGN);
  }
  Result<engine::TableRef> created =
      statement.temporary ? MakeTemporaryTable(run, *table) : MakeRelatedTable(run, *finished);
  if (!created.ok()) {
    if (created.status().Is(Code::kAlreadyExists)) {
      Status exists = UserError(ER_TABLE_EXISTS_ERROR, table->name);
      if (!statement.if_not_exists) {
        return exists;
      }
      run.session.diagnostics().Note(ER_TABLE_EXISTS_ERROR, std::string(exists.message()));
      return {};
    }
    if (created.status().Is(Code::kNotFound)) {
      return UserError(ER_BAD_DB_ERROR, table->schema);
    }
    return std::move(created).status();
  }
  *made = std::move(created).value();
  if (table->auto_increment_start > 1) {
    RETURN_IF_ERROR(
        EngineOf(run, *DescriptorOf(**made)).SetAutoIncrement(**made, table->auto_increment_start));
  }
  return {};
}

Status CreateLike(StatementRun& run, const CreateTableStmt& statement, engine::TableName name) {
  ASSIGN_OR_RETURN(engine::TableName source, ResolveName(run, *statement.like));
  ASSIGN_OR_RETURN(CatalogEntry entry, FindBaseTable(run, source));
  TableDescriptor old = *entry.table;
  old.temporary = false;
  // Checks get new names; nothing refers to them.
  for (CheckDescriptor& check : old.checks) {
    check.name.clear();
  }
  old.auto_increment_start = 0;
  old.foreign_keys.clear();  // they are not copied
  old.referencing.clear();
  old.triggers.clear();
  TableDraft draft(run, std::move(name), old);
  for (DraftCheck& check : draft.checks()) {
    check.is_new = true;
  }
  ASSIGN_OR_RETURN(FinishedTable finished, draft.Finish());
  engine::TableRef made;
  return MakeTable(run, statement, &finished, &made);
}

// --- CREATE TABLE … SELECT -----------------------------------------------------------------------

// The column of a stored table that the query shows as its column `i`; null: anything else.
const ColumnDescriptor* ShownColumn(const BoundQuery& query, size_t i) {
  if (query.body.select == nullptr) {
    return nullptr;
  }
  const auto* const shown = query.body.select->items[i].expr->TryAs<BoundColumn>();
  // Not through a view, whose columns have no defaults.
  return shown != nullptr && shown->table->kind == BoundTableKind::kBase &&
                 shown->table->alias == query.columns[i].table
             ? &shown->table->table->columns[shown->column]
             : nullptr;
}

// A column of the new table for column `i` of the query: a table's column keeps its default.
ColumnDescriptor ColumnOfQuery(const BoundQuery& query, size_t i) {
  ColumnDescriptor column = ColumnOfResult(query.columns[i]);
  if (!column.type.nullable && (query.columns[i].extra_flags & row::kNoDefaultValueFlag) != 0) {
    column.default_value = {};
  }
  const ColumnDescriptor* shown = ShownColumn(query, i);
  if (shown == nullptr) {
    return column;
  }
  column.comment = shown->comment;
  if (shown->generated != GeneratedKind::kNone || shown->auto_increment ||
      shown->default_value.kind == DefaultKind::kNone) {
    return column;
  }
  column.default_value = shown->default_value;
  column.on_update_now = shown->on_update_now;
  return column;
}

// Adds the query's columns to the draft, after those that the statement defines itself.
Status AddResultColumns(const BoundQuery& query, TableDraft* draft) {
  for (size_t i = 0; i < query.columns.size(); ++i) {
    const ResultColumn& result = query.columns[i];
    RETURN_IF_ERROR(CheckColumnName(result.name));
    int known = draft->FindColumn(result.name);
    if (known < 0) {
      DraftColumn column;
      column.column = ColumnOfQuery(query, i);
      column.source = static_cast<int>(i);
      draft->columns().push_back(std::move(column));
      continue;
    }
    DraftColumn& column = draft->columns()[static_cast<size_t>(known)];
    if (column.source >= 0) {
      return UserError(ER_DUP_FIELDNAME, result.name);
    }
    if (column.column.generated != GeneratedKind::kNone) {
      return UserError(ER_NON_DEFAULT_VALUE_FOR_GENERATED_COLUMN, result.name, draft->name().name);
    }
    column.source = static_cast<int>(i);
    // What only the statement defines comes first.
    const auto moved = draft->columns().begin() + known;
    std::rotate(moved, moved + 1, draft->columns().end());
  }
  return {};
}

class TableFiller {
 public:
  TableFiller(StatementRun& run, TablePtr table) : run_(run), described_(std::move(table)) {}

  // A stored table is filled in a transaction of its own, a temporary one in the session's.
  Status Fill(const BoundQuery& query, const StatementFacts& facts, const FinishedTable& finished) {
    engine::TransactionOptions options;
    Session* session = &run_.session;
    options.killed = [session] { return session->interrupted(); };
    options.session_id = session->identity().connection_id;
    std::unique_ptr<engine::Transaction> transaction = EngineOf(run_).Begin(std::move(options));
    ASSIGN_OR_RETURN(const OpenedTable opened,
                     CatalogOf(run_).Open(*transaction, *described_, engine::TableUse::kChange));
    table_ = opened.engine;
    rows_ = MakeRowSchema(*opened.table);
    foreign_keys_ = ForeignKeyGuard::For(run_, *transaction, opened.table, nullptr);
    RowRewriterInput input;
    input.table = opened.table;
    input.sources = finished.column_sources;
    for (const ResultColumn& column : query.columns) {
      // A quotient has more digits than its type shows; the column rounds it.
      input.source_types.push_back(
          column.type.is_decimal()
              ? row::Type::Decimal(row::Decimal::kMaxPrecision, row::Decimal::kMaxScale)
              : column.type);
    }
    input.next_row_id = [&opened] { return opened.owner->NextRowId(*opened.engine); };
    input.first_auto_increment = std::max<uint64_t>(opened.table->auto_increment_start, 1);
    input.numbers_zeros = (run_.session.settings().sql_mode & row::kModeNoAutoValueOnZero) == 0;
    input.ignore = run_.statement.As<CreateTableStmt>().select_ignore;
    ASSIGN_OR_RETURN(std::unique_ptr<RowRewriter> rewriter,
                     RowRewriter::Make(run_, std::move(input)));
    Status filled = CopyRows(query, facts, *opened.transaction, rewriter.get());
    if (!filled.ok()) {
      RETURN_IF_ERROR(transaction->Rollback());
      return filled;
    }
    if (rewriter->greatest_number() != 0) {
      RETURN_IF_ERROR(opened.owner->BumpAutoIncrement(*table_, rewriter->greatest_number()));
    }
    return transaction->CommitAndWait();
  }

 private:
  Status CopyRows(const BoundQuery& query, const StatementFacts& facts,
                  engine::Transaction& transaction, RowRewriter* rewriter) {
    const auto& statement = run_.statement.As<CreateTableStmt>();
    ASSIGN_OR_RETURN(std::unique_ptr<RowSource> source,
                     run_.session.OpenQuery(query, facts, run_.parameters));
    std::vector<row::Value> from;
    std::vector<row::Value> to;
    std::string bytes;
    while (true) {
      RETURN_IF_ERROR(run_.session.CheckInterrupt());
      ASSIGN_OR_RETURN(bool more, source->Next(&from));
      if (!more) {
        return {};
      }
      const Status made = rewriter->Rewrite(from, &to);
      if (statement.select_ignore && made.user_errno() == ER_CHECK_CONSTRAINT_VIOLATED) {
        run_.session.diagnostics().AddWarning(made);
        continue;
      }
      RETURN_IF_ERROR(made);
      bytes.clear();
      RETURN_IF_ERROR(row::EncodeRow(rows_, to, &bytes));
      engine::DuplicateKey duplicate;
      Status inserted = engine::Insert(transaction, *table_, bytes, &duplicate);
      if (inserted.Is(Code::kAlreadyExists)) {
        Status entry = DuplicateEntry(*DescriptorOf(*table_), duplicate.index_no, bytes, run_);
        if (!statement.select_ignore) {
          return entry;
        }
        run_.session.diagnostics().AddWarning(entry);
        continue;
      }
      RETURN_IF_ERROR(inserted);
      if (foreign_keys_ != nullptr) {
        RETURN_IF_ERROR(foreign_keys_->CheckInserted(to));
      }
      ++run_.ok.affected_rows;
    }
  }

  StatementRun& run_;
  const TablePtr described_;
  engine::TableRef table_;
  row::RowSchema rows_;
  std::unique_ptr<ForeignKeyGuard> foreign_keys_;
};

Status CreateFromQuery(StatementRun& run, const CreateTableStmt& statement, TableDraft* draft) {
  if (statement.select_replace) {
    return Unsupported("CREATE TABLE ... REPLACE SELECT");
  }
  BindInput input;
  input.environment = &run.session.binder_environment();
  input.text = run.text;
  input.parameters = run.parameters;
  StatementFacts facts;
  ASSIGN_OR_RETURN(std::shared_ptr<BoundQuery> query, BindQuery(*statement.select, input, &facts));
  RETURN_IF_ERROR(AddResultColumns(*query, draft));
  ASSIGN_OR_RETURN(FinishedTable finished, draft->Finish());
  engine::TableRef made;
  RETURN_IF_ERROR(MakeTable(run, statement, &finished, &made));
  if (made == nullptr) {
    return {};
  }
  const TablePtr table = DescriptorOf(*made);
  made.reset();
  Status filled = TableFiller(run, table).Fill(*query, facts, finished);
  if (!filled.ok()) {
    run.ok.affected_rows = 0;
    const engine::TableName name = draft->name();
    Status dropped = table->temporary ? run.session.temporary_tables()->Drop({name}, {})
                                      : DropTablesWithKeys(run, {name}, false);
    return dropped.ok() ? filled : dropped;
  }
  run.ok.info = fmt::format("Records: {}  Duplicates: {}  Warnings: {}", run.ok.affected_rows,
                            statement.select_ignore ? run.session.diagnostics().count() : 0,
                            run.session.diagnostics().count());
  return {};
}

// Checks are numbered as they are written, those of columns and those of the table.
Status AddColumnsAndChecks(const CreateTableStmt& statement, TableDraft* draft) {
  auto check = statement.checks.begin();
  for (size_t i = 0; i <= statement.columns.size(); ++i) {
    for (; check != statement.checks.end() && check->columns_before == i; ++check) {
      RETURN_IF_ERROR(draft->AddCheck(*check, ""));
    }
    if (i < statement.columns.size()) {
      RETURN_IF_ERROR(draft->AddColumn(statement.columns[i], std::nullopt));
    }
  }
  return {};
}

// Indexes and foreign keys as they are written: indexes made for foreign keys stand among the
// others.
Status AddKeys(const CreateTableStmt& statement, TableDraft* draft) {
  auto key = statement.foreign_keys.begin();
  for (size_t i = 0; i <= statement.indexes.size(); ++i) {
    for (; key != statement.foreign_keys.end() && key->indexes_before == i; ++key) {
      RETURN_IF_ERROR(draft->AddForeignKey(*key));
    }
    if (i < statement.indexes.size()) {
      RETURN_IF_ERROR(draft->AddIndex(statement.indexes[i]));
    }
  }
  return {};
}

}  // namespace

namespace {

// The name of the table to be made. LOCK TABLES has nothing to say of temporary ones.
Result<engine::TableName> ResolveNewTable(StatementRun& run, const CreateTableStmt& statement) {
  if (!statement.temporary) {
    return ResolveForChange(run, statement.table);
  }
  ASSIGN_OR_RETURN(engine::TableName name, ResolveName(run, statement.table));
  RETURN_IF_ERROR(CheckSchemaChangeable(run, name.schema));
  return name;
}

bool IsTaken(const StatementRun& run, const CreateTableStmt& statement,
             const engine::TableName& name) {
  return statement.temporary ? CatalogOf(run).HasTemporary(name.schema, name.name)
                             : CatalogOf(run).FindStored(name.schema, name.name).ok();
}

// 1066 for a table like itself, whatever there is of the name.
Status CheckLike(const StatementRun& run, const CreateTableStmt& statement,
                 const engine::TableName& name) {
  if (!statement.like.has_value()) {
    return {};
  }
  ASSIGN_OR_RETURN(const engine::TableName source, ResolveName(run, *statement.like));
  return source == name ? UserError(ER_NONUNIQ_TABLE, name.name) : Status::Ok();
}

}  // namespace

Status CreateTable(StatementRun& run, const CreateTableStmt& statement) {
  ASSIGN_OR_RETURN(engine::TableName name, ResolveNewTable(run, statement));
  RETURN_IF_ERROR(CheckTableName(name.name));
  RETURN_IF_ERROR(RefuseUnsupported(statement));
  RETURN_IF_ERROR(CheckLike(run, statement, name));
  ASSIGN_OR_RETURN(SchemaDescriptor schema, CatalogOf(run).FindSchema(name.schema));
  if (IsTaken(run, statement, name)) {
    Status exists = UserError(ER_TABLE_EXISTS_ERROR, name.name);
    if (!statement.if_not_exists) {
      return exists;
    }
    run.session.diagnostics().Note(ER_TABLE_EXISTS_ERROR, std::string(exists.message()));
    return {};
  }
  if (statement.like.has_value()) {
    return CreateLike(run, statement, std::move(name));
  }
  TableDraft draft(run, std::move(name), schema.collation);
  RETURN_IF_ERROR(draft.ApplyOptions(statement.options, false));
  RETURN_IF_ERROR(AddColumnsAndChecks(statement, &draft));
  RETURN_IF_ERROR(AddKeys(statement, &draft));
  if (statement.select != nullptr) {
    return CreateFromQuery(run, statement, &draft);
  }
  ASSIGN_OR_RETURN(FinishedTable finished, draft.Finish());
  engine::TableRef made;
  return MakeTable(run, statement, &finished, &made);
}

}  // namespace borealis::sql
