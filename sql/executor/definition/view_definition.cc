// CREATE, ALTER and DROP VIEW.
//
// A view is stored as the text of its query with every name written out, in the engine's dictionary
// and under the name of a table, so it appears, changes and goes in one step on the writer and on
// every reader. What it is made from is looked up anew whenever it is used.
//
// INV-VIEW-2  The stored text has been parsed and bound again, as a view, before it is stored.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "sql/ast/print.h"
#include "sql/binder/binder.h"
#include "sql/executor/accounts/account_statements.h"
#include "sql/executor/change/row_rewriter.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/definition_statements.h"
#include "sql/executor/definition/stored_text.h"
#include "sql/executor/show/view_text.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// The names of the query's columns, where they are kept until it is written down.
struct ColumnName {
  std::string* text = nullptr;
  bool generated = false;  // from an expression's text: may be changed
};

const QueryBody& FirstBlock(const QueryBody& body) {
  if (const auto* operation = body.TryAs<SetOperation>()) {
    return FirstBlock(*operation->first);
  }
  if (const auto* nested = body.TryAs<NestedQuery>()) {
    return FirstBlock(*nested->query->body);
  }
  return body;
}

std::vector<ColumnName> NamesOf(const QueryBody& body, ResolvedNames* names) {
  std::vector<ColumnName> list;
  const QueryBody& block = FirstBlock(body);
  if (const auto* table = block.TryAs<TableCore>()) {
    for (ResolvedNames::Item& item : names->tables[table].items) {
      list.push_back({&item.name, false});
    }
  }
  if (const auto* core = block.TryAs<SelectCore>()) {
    for (const SelectItem& item : core->items) {
      if (!item.wildcard) {
        const bool generated = !item.alias.has_value() && !item.expr->Is<ColumnRef>();
        list.push_back({&names->item_names[&item], generated});
        continue;
      }
      for (ResolvedNames::Item& column : names->wildcards[&item]) {
        list.push_back({&column.name, false});
      }
    }
  }
  return list;
}

// Another name for a column whose generated one is taken.
std::string FreeName(const std::vector<ColumnName>& columns, size_t position) {
  const std::string& wanted = *columns[position].text;
  for (int attempt = 0;; ++attempt) {
    std::string name =
        attempt == 0 ? "Name_exp_" + wanted : fmt::format("Name_exp_{}_{}", attempt, wanted);
    const bool taken = std::any_of(columns.begin(), columns.end(), [&](const ColumnName& other) {
      return other.text != columns[position].text && SameName(*other.text, name);
    });
    if (!taken) {
      return name;
    }
  }
}

// Names made from expressions give way to each other and to those that are written. Errors: 1060,
// 1166.
Status SettleNames(std::vector<ColumnName>* columns) {
  for (size_t i = 0; i < columns->size(); ++i) {
    ColumnName& column = (*columns)[i];
    if (column.generated && !CheckColumnName(*column.text).ok()) {
      *column.text = fmt::format("Name_exp_{}", i + 1);
    }
    RETURN_IF_ERROR(CheckColumnName(*column.text));
  }
  for (size_t i = 0; i < columns->size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (!SameName(*(*columns)[i].text, *(*columns)[j].text)) {
        continue;
      }
      if (!(*columns)[i].generated && !(*columns)[j].generated) {
        return UserError(ER_DUP_FIELDNAME, *(*columns)[i].text);
      }
      const size_t renamed = (*columns)[i].generated ? i : j;
      *(*columns)[renamed].text = FreeName(*columns, renamed);
    }
  }
  return {};
}

// The list in parentheses after the view's name. Errors: 1353, 1166, 1060.
Status CheckWrittenNames(const std::vector<std::string>& names, size_t columns) {
  if (names.size() != columns) {
    return UserError(ER_VIEW_WRONG_LIST);
  }
  for (size_t i = 0; i < names.size(); ++i) {
    RETURN_IF_ERROR(CheckColumnName(names[i]));
    for (size_t j = 0; j < i; ++j) {
      if (SameName(names[i], names[j])) {
        return UserError(ER_DUP_FIELDNAME, names[i]);
      }
    }
  }
  return {};
}

class ViewMaker {
 public:
  ViewMaker(StatementRun& run, const CreateViewStmt& statement, const engine::TableName& name)
      : run_(run), statement_(statement) {
    table_ = std::make_shared<TableDescriptor>();
    table_->kind = TableKind::kView;
    table_->schema = name.schema;
    table_->name = name.name;
    table_->created_us = run.session.statement_time_us();
  }

  Result<std::shared_ptr<TableDescriptor>> Make();

 private:
  void SetAttributes(ViewDescriptor* view) const;
  Status WriteText(ViewDescriptor* view, std::vector<std::string>* column_names);
  void NoteTables(const ResolvedNames& names, ViewDescriptor* view) const;
  Status DescribeColumns(const std::vector<std::string>& names, const ViewTraits& traits);

  StatementRun& run_;
  const CreateViewStmt& statement_;
  std::shared_ptr<TableDescriptor> table_;
};

void ViewMaker::SetAttributes(ViewDescriptor* view) const {
  const SessionSettings& settings = run_.session.settings();
  view->algorithm = statement_.algorithm;
  view->check = statement_.check;
  view->security_invoker = statement_.security_invoker;
  view->names_columns = !statement_.columns.empty();
  const bool own = !statement_.definer.has_value() || statement_.definer->current_user;
  view->definer_user = own ? run_.session.identity().account_user : statement_.definer->user;
  view->definer_host = own ? run_.session.identity().account_host : statement_.definer->host;
  view->client_collation = row::GetCharset(settings.character_set_client).default_collation;
  view->connection_collation = settings.collation_connection;
  view->sql_mode = settings.sql_mode;
}

void ViewMaker::NoteTables(const ResolvedNames& names, ViewDescriptor* view) const {
  const auto add = [&](const std::string& schema, const std::string& name) {
    const ReferencingTable table{schema, name};
    if (std::find(view->tables.begin(), view->tables.end(), table) == view->tables.end()) {
      view->tables.push_back(table);
    }
  };
  for (const auto& [ref, schema] : names.schemas) {
    add(schema, ref->table.name);
  }
  for (const auto& [core, table] : names.tables) {
    add(table.schema, core->table.name);
  }
  std::sort(view->tables.begin(), view->tables.end(),
            [](const ReferencingTable& a, const ReferencingTable& b) {
              return std::tie(a.schema, a.name) < std::tie(b.schema, b.name);
            });
}

Status ViewMaker::WriteText(ViewDescriptor* view, std::vector<std::string>* column_names) {
  ResolvedNames names;
  BindInput input = ViewInput(run_.session, run_.text);
  input.parameters = run_.parameters;
  input.names = &names;
  input.defines_view = true;
  StatementFacts facts;
  ASSIGN_OR_RETURN(const std::shared_ptr<BoundQuery> query,
                   BindQuery(*statement_.query, input, &facts));
  for (const TablePtr& used : facts.base_tables) {
    if (used->schema == table_->schema && used->name == table_->name) {
      return UserError(ER_NO_SUCH_TABLE, used->schema, used->name);  // it would contain itself
    }
  }
  std::vector<ColumnName> columns = NamesOf(*statement_.query->body, &names);
  if (!statement_.columns.empty()) {
    RETURN_IF_ERROR(CheckWrittenNames(statement_.columns, query->columns.size()));
    *column_names = statement_.columns;
  } else {
    RETURN_IF_ERROR(SettleNames(&columns));
    for (size_t i = 0; i < query->columns.size(); ++i) {
      // VALUES names its columns by itself.
      column_names->push_back(columns.empty() ? query->columns[i].name : *columns[i].text);
    }
  }
  const SessionSettings& settings = run_.session.settings();
  PrintOptions options;
  options.names = &names;
  options.cast_charset = row::GetCollation(settings.collation_connection).charset().name;
  options.default_week_format = settings.default_week_format;
  view->text = PrintQuery(*statement_.query, options);
  const StoredTextFacts stored = ReadStoredText(view->text);
  if (stored.variables || facts.parameter_count != 0) {
    return UserError(ER_VIEW_SELECT_VARIABLE);
  }
  NoteTables(names, view);
  return {};
}

Status ViewMaker::DescribeColumns(const std::vector<std::string>& names, const ViewTraits& traits) {
  for (size_t i = 0; i < names.size(); ++i) {
    ResultColumn result;
    result.name = names[i];
    result.type = traits.columns[i];
    ColumnDescriptor column = ColumnOfResult(result);
    if (result.type.is_null()) {
      column.type = row::Type::Varbinary(0);
    }
    if (const ColumnDescriptor* source = traits.sources[i]; source != nullptr) {
      column.default_value = source->default_value;
      column.on_update_now = source->on_update_now;
      if (source->auto_increment) {
        column.default_value = {DefaultKind::kLiteral, ImplicitDefault(column.type), ""};
      }
    } else if (!column.type.nullable && column.type.has_date()) {
      column.default_value = {DefaultKind::kLiteral, ImplicitDefault(column.type), ""};
    }
    table_->columns[i] = std::move(column);
  }
  return {};
}

Result<std::shared_ptr<TableDescriptor>> ViewMaker::Make() {
  ViewDescriptor& view = table_->view.emplace();
  SetAttributes(&view);
  std::vector<std::string> names;
  RETURN_IF_ERROR(WriteText(&view, &names));
  for (const std::string& name : names) {
    table_->columns.emplace_back().name = name;
  }
  ASSIGN_OR_RETURN(const ViewTraits traits,
                   BindViewDefinition(table_, ViewInput(run_.session, view.text)));
  RETURN_IF_ERROR(DescribeColumns(names, traits));
  view.updatable = traits.updatable;
  if (view.algorithm == ViewAlgorithm::kMerge && !traits.merges) {
    view.algorithm = ViewAlgorithm::kUndefined;
    run_.session.diagnostics().AddWarning(UserError(ER_WARN_VIEW_MERGE));
  }
  if (view.check != ViewCheck::kNone && !view.updatable) {
    return UserError(ER_VIEW_NONUPD_CHECK, table_->schema, table_->name);
  }
  return table_;
}

Status RefuseClauses(const Query& query) {
  return query.into != nullptr ? UserError(ER_VIEW_SELECT_CLAUSE, "INTO") : Status();
}

// What has the name now. Errors: 1050, 1146, 1347.
Result<std::optional<CatalogEntry>> FindReplaced(const StatementRun& run,
                                                 const CreateViewStmt& statement,
                                                 const engine::TableName& name) {
  Result<CatalogEntry> found = StoredCatalogOf(run).Find(name.schema, name.name);
  if (!found.ok()) {
    if (found.status().user_errno() != ER_NO_SUCH_TABLE || statement.alter) {
      return std::move(found).status();
    }
    return std::optional<CatalogEntry>();
  }
  const bool replaces = statement.alter || statement.or_replace;
  if (!replaces) {
    return UserError(ER_TABLE_EXISTS_ERROR, name.name);
  }
  if (found->table->kind != TableKind::kView) {
    return UserError(ER_WRONG_OBJECT, name.schema, name.name, "VIEW");
  }
  return std::optional(std::move(found).value());
}

void NoteMissingDefiner(const StatementRun& run, const CreateViewStmt& statement) {
  const std::shared_ptr<const GrantTables>& tables = run.session.security().tables();
  if (tables == nullptr || !statement.definer.has_value()) {
    return;
  }
  const AccountKey definer = ResolveAccount(run, *statement.definer);
  if (tables->Find(definer) == nullptr) {
    const Status missing = NoSuchDefiner(definer);
    run.session.diagnostics().Note(missing.user_errno(), std::string(missing.message()));
  }
}

Status StoreView(const StatementRun& run, const TableDescriptor& view,
                 const std::optional<CatalogEntry>& replaced) {
  if (replaced.has_value()) {
    engine::TableAlteration alteration;
    alteration.expected_version = replaced->table->version;
    alteration.payload = EncodeTableDescriptor(view);
    alteration.concurrency = engine::Concurrency::kNone;
    const Status altered =
        EngineOf(run).AlterTable({view.schema, view.name}, alteration, ChangeOptions(run));
    return altered.Is(Code::kNotFound) ? Status::Retry("the view has gone") : altered;
  }
  engine::TableDefinition definition;
  definition.schema = view.schema;
  definition.name = view.name;
  definition.payload = EncodeTableDescriptor(view);
  const Status created = EngineOf(run).CreateTable(definition, ChangeOptions(run)).status();
  if (created.Is(Code::kAlreadyExists)) {
    return Status::Retry("the name has been taken");
  }
  return created.Is(Code::kNotFound) ? UserError(ER_BAD_DB_ERROR, view.schema) : created;
}

}  // namespace

Status CreateView(StatementRun& run, const CreateViewStmt& statement) {
  ASSIGN_OR_RETURN(const engine::TableName name, ResolveForChange(run, statement.view));
  RETURN_IF_ERROR(CheckTableName(name.name));
  RETURN_IF_ERROR(CatalogOf(run).FindSchema(name.schema).status());
  RETURN_IF_ERROR(RefuseClauses(*statement.query));
  NoteMissingDefiner(run, statement);
  return UntilNotOvertaken(run, [&]() -> Status {
    ASSIGN_OR_RETURN(const std::optional<CatalogEntry> replaced,
                     FindReplaced(run, statement, name));
    ASSIGN_OR_RETURN(const std::shared_ptr<TableDescriptor> view,
                     ViewMaker(run, statement, name).Make());
    return StoreView(run, *view, replaced);
  });
}

Status DropView(StatementRun& run, const DropViewStmt& statement) {
  std::vector<engine::TableName> found;
  std::string missing;
  for (const QualifiedName& written : statement.views) {
    ASSIGN_OR_RETURN(engine::TableName name, ResolveForChange(run, written));
    if (std::find(found.begin(), found.end(), name) != found.end()) {
      return UserError(ER_NONUNIQ_TABLE, name.name);
    }
    const Result<CatalogEntry> entry = StoredCatalogOf(run).Find(name.schema, name.name);
    Status problem;
    if (entry.ok() && entry->table->kind == TableKind::kView) {
      found.push_back(std::move(name));
      continue;
    }
    if (entry.ok()) {
      problem = UserError(ER_WRONG_OBJECT, name.schema, name.name, "VIEW");
    } else if (entry.status().user_errno() != 0) {
      problem = UserError(ER_BAD_TABLE_ERROR, DottedName(name));
      missing += (missing.empty() ? "" : ",") + DottedName(name);
    } else {
      return entry.status();
    }
    if (statement.if_exists) {
      run.session.diagnostics().Note(problem.user_errno(), std::string(problem.message()));
    } else if (entry.ok()) {
      return problem;
    }
  }
  if (!missing.empty() && !statement.if_exists) {
    return UserError(ER_BAD_TABLE_ERROR, missing);
  }
  if (found.empty()) {
    return {};
  }
  const Status dropped = EngineOf(run).DropTables(found, ChangeOptions(run));
  return dropped.Is(Code::kNotFound) ? UserError(ER_BAD_TABLE_ERROR, DottedName(found[0]))
                                     : dropped;
}

}  // namespace borealis::sql
