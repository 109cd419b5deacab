// Temporary tables of a session: when they come and go, and what statements about them may do.
#include <algorithm>

#include "base/mysql_error.h"
#include "row/convert.h"
#include "sql/ast/admin.h"
#include "sql/ast/ddl.h"
#include "sql/catalog/temporary_tables.h"
#include "sql/session/session_internal.h"

namespace borealis::sql {
namespace {

void AddNames(const TableRef& ref, std::vector<const QualifiedName*>* names) {
  if (const auto* named = ref.TryAs<TableRefName>()) {
    names->push_back(&named->table);
  } else if (const auto* join = ref.TryAs<JoinedTable>()) {
    AddNames(*join->left, names);
    AddNames(*join->right, names);
  }
}

template <class Names>
std::vector<const QualifiedName*> Pointers(const Names& names) {
  std::vector<const QualifiedName*> list;
  for (const QualifiedName& name : names) {
    list.push_back(&name);
  }
  return list;
}

// The tables that a statement changes or alters; of UPDATE and DELETE all that are in their FROM.
std::vector<const QualifiedName*> NamesOf(const Stmt& statement) {
  std::vector<const QualifiedName*> names;
  switch (statement.kind) {
    case StmtKind::kInsert:
      return {&statement.As<InsertStmt>().table};
    case StmtKind::kLoadData:
      return {&statement.As<LoadDataStmt>().table};
    case StmtKind::kUpdate:
      for (const TableRefPtr& ref : statement.As<UpdateStmt>().tables) {
        AddNames(*ref, &names);
      }
      return names;
    case StmtKind::kDelete:
      for (const TableRefPtr& ref : statement.As<DeleteStmt>().tables) {
        AddNames(*ref, &names);
      }
      return names;
    case StmtKind::kAlterTable:
      return {&statement.As<AlterTableStmt>().table};
    case StmtKind::kCreateIndex:
      return {&statement.As<CreateIndexStmt>().table};
    case StmtKind::kDropIndex:
      return {&statement.As<DropIndexStmt>().table};
    case StmtKind::kTruncate:
      return {&statement.As<TruncateStmt>().table};
    case StmtKind::kDropTable:
      return Pointers(statement.As<DropTableStmt>().tables);
    case StmtKind::kTableMaintenance:
      return Pointers(statement.As<TableMaintenanceStmt>().tables);
    default:
      return {};
  }
}

}  // namespace

Result<TemporaryTables*> Session::EnsureTemporaryTables() {
  if (temporary_ == nullptr) {
    TemporaryTables::Options options;
    options.clock = environment_.clock;
    if (const SystemVariables* variables = environment_.variables; variables != nullptr) {
      ASSIGN_OR_RETURN(const TypedValue directory,
                       variables->Get(*this, VariableScope::kGlobal, "tmpdir"));
      options.directory = row::ToText(directory.value, directory.type);
      options.buffer_pool_bytes =
          variables->IntegerValue("temporary_buffer_pool_size").value_or(options.buffer_pool_bytes);
    }
    ASSIGN_OR_RETURN(temporary_, TemporaryTables::Open(options));
    own_catalog_ = std::make_unique<Catalog>(*environment_.catalog, temporary_.get());
  }
  return temporary_.get();
}

void Session::ForgetPlans() {
  programs_ = nullptr;
  for (auto& [id, statement] : prepared_) {
    statement->query.plan.reset();
  }
  for (auto& [name, statement] : named_prepared_) {
    statement->query.plan.reset();
  }
  cache_->Clear();
  machine_.reset();
}

void Session::DropTemporaryTables() {
  if (temporary_ == nullptr) {
    return;
  }
  ForgetPlans();
  own_catalog_.reset();
  temporary_.reset();
}

bool Session::HasTemporary(const QualifiedName& name) const {
  return temporary_ != nullptr &&
         temporary_->Find(name.schema.empty() ? database_ : name.schema, name.name) != nullptr;
}

bool Session::NamesTemporary(const Stmt& statement, bool all) const {
  if (temporary_ == nullptr) {
    return false;
  }
  const std::vector<const QualifiedName*> names = NamesOf(statement);
  const auto is_temporary = [this](const QualifiedName* name) { return HasTemporary(*name); };
  return all ? !names.empty() && std::all_of(names.begin(), names.end(), is_temporary)
             : std::any_of(names.begin(), names.end(), is_temporary);
}

Status Session::CheckMayChangeBeside(const TableDescriptor& table) const {
  if (table.temporary) {
    return {};
  }
  RETURN_IF_ERROR(CheckMayChange());
  RETURN_IF_ERROR(CheckReadLock());
  return transaction_read_only_ ? UserError(ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION)
                                : Status::Ok();
}

// On a reader every transaction is read-only, by no wish of the client's.
Status Session::DefineTemporary(StatementRun& run) {
  row_count_ = 0;
  const bool read_only = transaction_ != nullptr
                             ? transaction_read_only_
                             : next_read_only_.value_or(settings_.transaction_read_only);
  if (read_only && !environment_.engine->is_replica()) {
    return UserError(ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION);
  }
  const auto* create = run.statement.TryAs<CreateTableStmt>();
  if (create != nullptr && create->select != nullptr) {
    return RunChange(run, /*temporary=*/true);
  }
  return environment_.executor->Execute(run);
}

void Session::ForgetDroppedTables(uint64_t dropped_before) {
  // Tables that were dropped stay in plans and in the query machine until these are forgotten.
  constexpr uint64_t kDropsPerForgetting = 64;
  if (temporary_ == nullptr || temporary_->dropped() == dropped_before) {
    return;
  }
  if (temporary_->List().empty() && !temporary_->in_transaction()) {
    DropTemporaryTables();
  } else if (temporary_->dropped() / kDropsPerForgetting != dropped_before / kDropsPerForgetting) {
    ForgetPlans();
  }
}

void Session::NoteTemporaryCreated() {
  created_temporary_ |= in_transaction() || !settings_.autocommit;
}

void Session::NoteTemporaryDropped() {
  dropped_temporary_ |= in_transaction() || !settings_.autocommit;
}

void Session::WarnOfTemporary() {
  if (created_temporary_) {
    diagnostics_.AddWarning(UserError(ER_WARN_ROLLBACK_CREATED_TEMPORARY));
  }
  if (dropped_temporary_) {
    diagnostics_.AddWarning(UserError(ER_WARN_ROLLBACK_DROPPED_TEMPORARY));
  }
}

}  // namespace borealis::sql
