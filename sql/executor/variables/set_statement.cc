// SET: all values are computed before the first is assigned, so a statement that fails changes
// nothing but what its own assignments before the failing check did to the session; those are taken
// back.
#include "sql/executor/variables/set_statement.h"

#include "base/mysql_error.h"
#include "row/collation.h"
#include "sql/ast/admin.h"
#include "sql/ast/expr.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/executor/accounts/account_statements.h"
#include "sql/executor/scalar_value.h"
#include "sql/executor/variables/engine_variables.h"
#include "sql/executor/variables/variable_spec.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"

namespace borealis::sql {

namespace {

// The value of an item's expression; a bare word is its own text.
Result<TypedValue> ValueOf(StatementRun& run, const Expr& expr) {
  if (const auto* word = expr.TryAs<ColumnRef>(); word != nullptr && word->table.empty()) {
    const auto size = static_cast<uint32_t>(word->column.size());
    return TypedValue{row::Type::Varchar(size, row::kDefaultCollation),
                      row::Value::String(word->column)};
  }
  return ScalarValue(run, expr);
}

// The character set that SET NAMES and SET CHARACTER SET name.
Result<const row::Charset*> NamedCharset(const std::string& given) {
  const std::string_view name = SameName(given, "default") ? std::string_view("utf8mb4") : given;
  if (IsOfWideUnits(name)) {
    return UserError(ER_WRONG_VALUE_FOR_VAR, "character_set_client", name);
  }
  const row::Charset* charset = row::FindCharset(name);
  if (charset == nullptr) {
    return UserError(ER_UNKNOWN_CHARACTER_SET, given);
  }
  return charset;
}

void UseCharsets(Session& session, row::CharsetId client, row::CollationId connection) {
  SessionSettings& settings = session.settings();
  settings.character_set_client = client;
  settings.character_set_results = client;
  settings.results_unconverted = false;
  settings.collation_connection = connection;
  ++settings.generation;
}

// SET NAMES: the client's, the connection's and the results' character set at once.
Status SetNames(Session& session, const SetItem& item) {
  ASSIGN_OR_RETURN(const row::Charset* charset, NamedCharset(item.name));
  row::CollationId collation = charset->default_collation;
  if (!item.collation.empty()) {
    const row::Collation* found = row::FindCollation(item.collation);
    if (found == nullptr) {
      return UserError(ER_UNKNOWN_COLLATION, item.collation);
    }
    if (found->charset().id != charset->id) {
      return UserError(ER_COLLATION_CHARSET_MISMATCH, item.collation, charset->name);
    }
    collation = found->id();
  }
  UseCharsets(session, charset->id, collation);
  return Status::Ok();
}

Status SetCharset(Session& session, const SetItem& item) {
  ASSIGN_OR_RETURN(const row::Charset* charset, NamedCharset(item.name));
  UseCharsets(session, charset->id, session.settings().collation_database);
  return Status::Ok();
}

constexpr std::string_view kIsolationTexts[] = {"READ-UNCOMMITTED", "READ-COMMITTED",
                                                "REPEATABLE-READ", "SERIALIZABLE"};

Status SetTransaction(Session& session, const SetItem& item) {
  if (item.scope == VariableScope::kDefault) {
    if (session.in_transaction()) {
      return UserError(ER_CANT_CHANGE_TX_CHARACTERISTICS);
    }
    session.SetNextTransaction(item.isolation, item.read_only);
    return Status::Ok();
  }
  SystemVariables& variables = *session.environment().variables;
  if (item.isolation.has_value()) {
    const std::string text(kIsolationTexts[static_cast<size_t>(*item.isolation)]);
    const TypedValue value{row::Type::Varchar(32, row::kDefaultCollation),
                           row::Value::String(text)};
    RETURN_IF_ERROR(variables.Set(&session, item.scope, "transaction_isolation", &value));
  }
  if (item.read_only.has_value()) {
    const TypedValue value{row::Type::BigInt(), row::Value::Bool(*item.read_only)};
    RETURN_IF_ERROR(variables.Set(&session, item.scope, "transaction_read_only", &value));
  }
  return Status::Ok();
}

bool IsTransactionVariable(std::string_view name) {
  return SameName(name, "transaction_isolation") || SameName(name, "transaction_read_only");
}

// SET @@transaction_isolation = … without a scope: as SET TRANSACTION, for the next one alone.
Status SetNextTransaction(Session& session, const SetItem& item, const TypedValue* value) {
  if (session.in_transaction()) {
    return UserError(ER_CANT_CHANGE_TX_CHARACTERISTICS);
  }
  // The variable checks and understands the value; then the session's own comes back.
  const SessionSettings before = session.settings();
  Status status =
      session.environment().variables->Set(&session, VariableScope::kSession, item.name, value);
  const SessionSettings given = session.settings();
  session.settings() = before;
  RETURN_IF_ERROR(std::move(status));
  if (SameName(item.name, "transaction_isolation")) {
    session.SetNextTransaction(given.isolation, std::nullopt);
  } else {
    session.SetNextTransaction(std::nullopt, given.transaction_read_only);
  }
  return Status::Ok();
}

Status Assign(StatementRun& run, const SetItem& item, const TypedValue& value, bool has_value) {
  Session& session = run.session;
  switch (item.kind) {
    case SetItem::Kind::kUserVariable:
      session.SetUserVariable(item.name, value);
      return Status::Ok();
    case SetItem::Kind::kSystemVariable: {
      if (item.scope == VariableScope::kDefault && IsTransactionVariable(item.name)) {
        return SetNextTransaction(session, item, has_value ? &value : nullptr);
      }
      const bool was_autocommit = session.settings().autocommit;
      RETURN_IF_ERROR(session.environment().variables->Set(&session, item.scope, item.name,
                                                           has_value ? &value : nullptr));
      if (item.scope == VariableScope::kGlobal && IsEngineVariable(item.name)) {
        ApplyEngineVariables(*session.environment().variables, *session.environment().engine);
      }
      // Switching autocommit on commits what is open.
      if (!was_autocommit && session.settings().autocommit) {
        RETURN_IF_ERROR(session.ImplicitCommit());
      }
      return Status::Ok();
    }
    case SetItem::Kind::kNames:
      return SetNames(session, item);
    case SetItem::Kind::kCharset:
      return SetCharset(session, item);
    case SetItem::Kind::kTransaction:
      return SetTransaction(session, item);
    case SetItem::Kind::kPassword:
      return ExecuteSetPassword(run, item);
  }
  return Status::Ok();
}

}  // namespace

Status ExecuteSet(StatementRun& run) {
  const auto& statement = run.statement.As<SetStmt>();
  std::vector<TypedValue> values;
  for (const SetItem& item : statement.items) {
    TypedValue value;
    if (item.value != nullptr) {
      ASSIGN_OR_RETURN(value, ValueOf(run, *item.value));
    }
    values.push_back(std::move(value));
  }
  const SessionSettings before = run.session.settings();
  for (size_t i = 0; i < statement.items.size(); ++i) {
    const SetItem& item = statement.items[i];
    if (Status status = Assign(run, item, values[i], item.value != nullptr); !status.ok()) {
      const uint64_t generation = run.session.settings().generation;
      run.session.settings() = before;
      run.session.settings().generation = generation + 1;
      return status;
    }
  }
  return Status::Ok();
}

}  // namespace borealis::sql
