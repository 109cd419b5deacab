// CREATE TRIGGER and DROP TRIGGER.
//
// A trigger is part of its table's description: making one is a schema change of the table that
// leaves its rows alone, and takes the trigger's name in the schema in the same step (INV-TRIG-2).
#include <algorithm>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "sql/executor/accounts/account_statements.h"
#include "sql/executor/accounts/privilege_checks.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/definition_statements.h"
#include "sql/executor/definition/trigger_names.h"
#include "sql/executor/show/trigger_text.h"
#include "sql/executor/variables/variable_spec.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr int64_t kCreatedUnitUs = 10'000;

// 1193: variables that no trigger could ever set.
Status CheckVariables(const ProgramNodes& nodes);

Status CheckVariables(const ProgramNode* node) {
  if (node == nullptr) {
    return Status::Ok();
  }
  switch (node->kind) {
    case ProgramNodeKind::kBlock:
      for (const ProgramHandler& handler : node->As<ProgramBlock>().handlers) {
        RETURN_IF_ERROR(CheckVariables(handler.body.get()));
      }
      return CheckVariables(node->As<ProgramBlock>().body);
    case ProgramNodeKind::kIf:
      for (const ProgramIf::Branch& branch : node->As<ProgramIf>().branches) {
        RETURN_IF_ERROR(CheckVariables(branch.body));
      }
      return CheckVariables(node->As<ProgramIf>().otherwise);
    case ProgramNodeKind::kCase:
      for (const ProgramIf::Branch& branch : node->As<ProgramCase>().branches) {
        RETURN_IF_ERROR(CheckVariables(branch.body));
      }
      return CheckVariables(node->As<ProgramCase>().otherwise);
    case ProgramNodeKind::kLoop:
      return CheckVariables(node->As<ProgramLoop>().body);
    case ProgramNodeKind::kStatement:
      break;
    default:
      return Status::Ok();
  }
  const auto* set = node->As<ProgramStatement>().statement->TryAs<SetStmt>();
  if (set == nullptr) {
    return Status::Ok();
  }
  for (const SetItem& item : set->items) {
    if (item.kind == SetItem::Kind::kSystemVariable && FindVariable(item.name) == nullptr) {
      return UserError(ER_UNKNOWN_SYSTEM_VARIABLE, item.name);
    }
  }
  return Status::Ok();
}

Status CheckVariables(const ProgramNodes& nodes) {
  for (const ProgramNodePtr& node : nodes) {
    RETURN_IF_ERROR(CheckVariables(node.get()));
  }
  return Status::Ok();
}

// 1054: columns of NEW and OLD that the table does not have.
Status CheckColumns(const Program& program, const TableDescriptor& table) {
  for (const ProgramSlot& slot : program.slots) {
    if (slot.origin == ProgramSlot::Origin::kVariable) {
      continue;
    }
    const int position = table.FindColumn(slot.name);
    if (position < 0 || table.columns[static_cast<size_t>(position)].hidden) {
      return UserError(ER_BAD_FIELD_ERROR, slot.name,
                       slot.origin == ProgramSlot::Origin::kNew ? "NEW" : "OLD");
    }
  }
  return Status::Ok();
}

class TriggerMaker {
 public:
  TriggerMaker(StatementRun& run, const CreateTriggerStmt& statement)
      : run_(run), statement_(statement) {}

  Status Make();

 private:
  Status Resolve();
  Status CheckName();
  Status MakeOn(const CatalogEntry& entry);
  Result<bool> Exists(const TableDescriptor& table);
  Result<TriggerDescriptor> Describe() const;
  Status Insert(TriggerDescriptor trigger, std::vector<TriggerDescriptor>* triggers) const;
  void NoteMissingDefiner(const TriggerDescriptor& trigger) const;

  StatementRun& run_;
  const CreateTriggerStmt& statement_;
  std::string schema_;
  engine::TableName table_;
};

Status CheckTriggerName(std::string_view name) {
  if (name.empty() || name.back() == ' ') {
    return UserError(ER_SP_WRONG_NAME, name);
  }
  return CheckIdentifierLength(name);
}

// A table without its schema is the trigger's schema's.
Status TriggerMaker::Resolve() {
  ASSIGN_OR_RETURN(const engine::TableName name, ResolveName(run_, statement_.trigger));
  schema_ = name.schema;
  QualifiedName table = statement_.table;
  if (table.schema.empty()) {
    table.schema = schema_;
  }
  if (table.schema == "mysql") {
    return UserError(ER_NO_TRIGGERS_ON_SYSTEM_SCHEMA);
  }
  if (run_.session.HasTemporary(table)) {
    return UserError(ER_TRG_ON_VIEW_OR_TEMP_TABLE, table.name);
  }
  ASSIGN_OR_RETURN(table_, ResolveForChange(run_, table));
  return Status::Ok();
}

Result<bool> TriggerMaker::Exists(const TableDescriptor& table) {
  ASSIGN_OR_RETURN(const std::optional<std::string> holder,
                   TableOfTrigger(EngineOf(run_), schema_, statement_.trigger.name));
  if (!holder) {
    return false;
  }
  if (!statement_.if_not_exists) {
    return UserError(ER_TRG_ALREADY_EXISTS);
  }
  if (*holder != table.name) {
    return UserError(ER_TRG_EXISTS_ON_OTHER_TABLE, schema_, statement_.trigger.name);
  }
  const Status exists =
      UserError(ER_WARN_TRG_ALREADY_EXISTS, statement_.trigger.name, table.schema, table.name);
  run_.session.diagnostics().Note(exists.user_errno(), std::string(exists.message()));
  return true;
}

Result<TriggerDescriptor> TriggerMaker::Describe() const {
  const SessionSettings& settings = run_.session.settings();
  const bool own = !statement_.definer.has_value() || statement_.definer->current_user;
  TriggerDescriptor trigger;
  trigger.name = statement_.trigger.name;
  trigger.timing = statement_.timing;
  trigger.event = statement_.event;
  trigger.body = statement_.body;
  trigger.definer_user = own ? run_.session.identity().account_user : statement_.definer->user;
  trigger.definer_host = own ? run_.session.identity().account_host : statement_.definer->host;
  trigger.sql_mode = settings.sql_mode;
  trigger.client_collation = row::GetCharset(settings.character_set_client).default_collation;
  trigger.connection_collation = settings.collation_connection;
  ASSIGN_OR_RETURN(const SchemaDescriptor schema, StoredCatalogOf(run_).FindSchema(schema_));
  trigger.database_collation = schema.collation;
  const int64_t now_us = run_.session.statement_time_us();
  trigger.created_us = now_us - now_us % kCreatedUnitUs;
  return trigger;
}

// Behind the others of its timing and event, or where FOLLOWS or PRECEDES say. Error: 3011.
Status TriggerMaker::Insert(TriggerDescriptor trigger,
                            std::vector<TriggerDescriptor>* triggers) const {
  if (!statement_.order) {
    triggers->push_back(std::move(trigger));
    return Status::Ok();
  }
  const auto other =
      std::find_if(triggers->begin(), triggers->end(), [&](const TriggerDescriptor& candidate) {
        return candidate.timing == trigger.timing && candidate.event == trigger.event &&
               SameName(candidate.name, statement_.order->name);
      });
  if (other == triggers->end()) {
    return UserError(ER_REFERENCED_TRG_DOES_NOT_EXIST, statement_.order->name);
  }
  triggers->insert(statement_.order->follows ? other + 1 : other, std::move(trigger));
  return Status::Ok();
}

void TriggerMaker::NoteMissingDefiner(const TriggerDescriptor& trigger) const {
  const std::shared_ptr<const GrantTables>& tables = run_.session.security().tables();
  const AccountKey definer{trigger.definer_user, trigger.definer_host};
  if (tables != nullptr && statement_.definer.has_value() && tables->Find(definer) == nullptr) {
    const Status missing = NoSuchDefiner(definer);
    run_.session.diagnostics().Note(missing.user_errno(), std::string(missing.message()));
  }
}

// The table under another description and over the same trees.
Status Redescribe(StatementRun& run, const CatalogEntry& entry,
                  std::vector<TriggerDescriptor> triggers, engine::RelatedChanges related) {
  const TableDescriptor& old = *entry.table;
  TableDescriptor table = old;
  table.triggers = std::move(triggers);
  engine::TableAlteration alteration;
  alteration.expected_version = old.version;
  alteration.payload = EncodeTableDescriptor(table);
  alteration.concurrency = engine::Concurrency::kNone;
  for (const IndexDescriptor& index : old.indexes) {
    const bool unique = index.unique() || index.kind == IndexKind::kRowId;
    alteration.indexes.push_back({index.name, unique, index.name});
  }
  engine::SchemaChangeOptions how = ChangeOptions(run);
  how.related = std::move(related);
  const Status altered = EngineOf(run).AlterTable({old.schema, old.name}, alteration, how);
  return altered.Is(Code::kNotFound) ? Status::Retry("the table has gone") : altered;
}

Status TriggerMaker::MakeOn(const CatalogEntry& entry) {
  if (entry.table->schema != schema_) {
    return UserError(ER_TRG_IN_WRONG_SCHEMA);
  }
  ASSIGN_OR_RETURN(const bool exists, Exists(*entry.table));
  if (exists) {
    return Status::Ok();
  }
  if (statement_.definer.has_value()) {
    RETURN_IF_ERROR(CheckDefiner(run_, *statement_.definer));
  }
  RETURN_IF_ERROR(CheckColumns(statement_.program, *entry.table));
  ASSIGN_OR_RETURN(const TriggerDescriptor trigger, Describe());
  std::vector<TriggerDescriptor> triggers = entry.table->triggers;
  RETURN_IF_ERROR(Insert(trigger, &triggers));
  engine::RelatedChanges related;
  AddTriggerName(schema_, trigger.name, entry.table->name, &related);
  RETURN_IF_ERROR(Redescribe(run_, entry, std::move(triggers), std::move(related)));
  NoteMissingDefiner(trigger);
  return Status::Ok();
}

Status TriggerMaker::Make() {
  RETURN_IF_ERROR(CheckTriggerName(statement_.trigger.name));
  RETURN_IF_ERROR(CheckVariables(statement_.program.body.get()));
  RETURN_IF_ERROR(Resolve());
  return UntilNotOvertaken(run_, [&]() -> Status {
    ASSIGN_OR_RETURN(const CatalogEntry entry, FindStoredTable(run_, table_));
    return MakeOn(entry);
  });
}

Status DropTriggerOf(StatementRun& run, const engine::TableName& trigger,
                     const std::string& table) {
  ASSIGN_OR_RETURN(const engine::TableName name,
                   ResolveForChange(run, {trigger.schema, table, {}}));
  ASSIGN_OR_RETURN(const CatalogEntry entry, FindStoredTable(run, name));
  std::vector<TriggerDescriptor> triggers = entry.table->triggers;
  const TriggerDescriptor* found = FindTrigger(*entry.table, trigger.name);
  if (found == nullptr) {
    return Status::Retry("the trigger has gone");
  }
  triggers.erase(triggers.begin() + (found - entry.table->triggers.data()));
  engine::RelatedChanges related;
  DropTriggerName(trigger.schema, trigger.name, &related);
  return Redescribe(run, entry, std::move(triggers), std::move(related));
}

}  // namespace

Status CreateTrigger(StatementRun& run, const CreateTriggerStmt& statement) {
  return TriggerMaker(run, statement).Make();
}

Status DropTrigger(StatementRun& run, const DropTriggerStmt& statement) {
  ASSIGN_OR_RETURN(const engine::TableName name, ResolveName(run, statement.trigger));
  const auto missing = [&](const Status& status) -> Status {
    if (!statement.if_exists) {
      return status;
    }
    run.session.diagnostics().Note(status.user_errno(), std::string(status.message()));
    return Status::Ok();
  };
  const Status schema = CatalogOf(run).FindSchema(name.schema).status();
  if (schema.user_errno() == ER_BAD_DB_ERROR) {
    return missing(schema);
  }
  return UntilNotOvertaken(run, [&]() -> Status {
    ASSIGN_OR_RETURN(const std::optional<std::string> table,
                     TableOfTrigger(EngineOf(run), name.schema, name.name));
    return table ? DropTriggerOf(run, name, *table) : missing(UserError(ER_TRG_DOES_NOT_EXIST));
  });
}

}  // namespace borealis::sql
