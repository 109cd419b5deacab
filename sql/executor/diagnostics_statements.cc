#include "sql/executor/diagnostics_statements.h"

#include <algorithm>

#include "base/mysql_error.h"
#include "row/convert.h"
#include "sql/ast/admin.h"
#include "sql/executor/scalar_value.h"
#include "sql/functions/eval_context.h"
#include "sql/session/nested_statement.h"
#include "sql/session/session.h"

namespace borealis::sql {

namespace {

constexpr size_t kMessageCharactersMax = 128;
constexpr size_t kItemCharactersMax = 64;
constexpr int64_t kErrorNumberMax = 65535;

// Bytes of the first `characters` of UTF-8 text.
size_t BytesOf(std::string_view text, size_t characters) {
  size_t at = 0;
  while (at < text.size() && characters > 0) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) {
      ++at;
    }
    --characters;
  }
  return at;
}

std::string TextOf(StatementRun& run, const TypedValue& value) {
  return row::ToText(value.value, value.type, run.session.eval_context().conversion.time_zone());
}

// An item's text as a condition holds it. Errors: 1231 for NULL, 1648 in strict mode when it is too
// long.
Result<std::string> ItemText(StatementRun& run, std::string_view name, const TypedValue& value) {
  if (value.value.is_null()) {
    return UserError(ER_WRONG_VALUE_FOR_VAR, name, "NULL");
  }
  std::string text = TextOf(run, value);
  const size_t most =
      BytesOf(text, name == "MESSAGE_TEXT" ? kMessageCharactersMax : kItemCharactersMax);
  if (most < text.size()) {
    if (row::IsStrict(run.session.settings().sql_mode)) {
      return UserError(ER_COND_ITEM_TOO_LONG, name);
    }
    run.session.diagnostics().AddWarning(UserError(WARN_COND_ITEM_TRUNCATED, name));
    text.resize(most);
  }
  return text;
}

Result<int> ErrorNumber(StatementRun& run, const TypedValue& value) {
  if (value.value.is_null()) {
    return UserError(ER_WRONG_VALUE_FOR_VAR, "MYSQL_ERRNO", "NULL");
  }
  bool is_unsigned = false;
  const int64_t number =
      row::ToInteger(value.value, value.type, run.session.eval_context().conversion, &is_unsigned);
  if (number <= 0 || number > kErrorNumberMax) {
    return UserError(ER_WRONG_VALUE_FOR_VAR, "MYSQL_ERRNO", TextOf(run, value));
  }
  return static_cast<int>(number);
}

// Level, number and text that the class of a SQLSTATE has.
void TakeClass(std::string_view sqlstate, Condition* condition) {
  const std::string_view cls = sqlstate.substr(0, 2);
  const MysqlError number = cls == "01"   ? ER_SIGNAL_WARN
                            : cls == "02" ? ER_SIGNAL_NOT_FOUND
                                          : ER_SIGNAL_EXCEPTION;
  condition->level = cls == "01" ? row::WarningLevel::kWarning : row::WarningLevel::kError;
  condition->mysql_errno = number;
  condition->raised_sqlstate = sqlstate;
  if (condition->message.empty()) {
    condition->message = ErrorPattern(number);
  }
}

Status TakeItems(StatementRun& run, const SignalStmt& signal, Condition* condition) {
  auto items = condition->items != nullptr ? std::make_shared<ConditionItems>(*condition->items)
                                           : std::make_shared<ConditionItems>();
  for (const SignalStmt::Item& item : signal.items) {
    ASSIGN_OR_RETURN(const TypedValue value, ScalarValue(run, *item.value));
    if (item.name == "MYSQL_ERRNO") {
      ASSIGN_OR_RETURN(condition->mysql_errno, ErrorNumber(run, value));
      continue;
    }
    ASSIGN_OR_RETURN(std::string text, ItemText(run, item.name, value));
    if (item.name == "MESSAGE_TEXT") {
      condition->message = std::move(text);
    } else {
      (*items)[item.name] = std::move(text);
    }
  }
  condition->items = std::move(items);
  return {};
}

// A warning goes to the area, anything else is the statement's error.
Status Raise(StatementRun& run, Condition condition) {
  if (condition.level == row::WarningLevel::kError) {
    return run.session.diagnostics().Raise(std::move(condition));
  }
  run.session.diagnostics().Add(std::move(condition));
  return {};
}

Status Resignal(StatementRun& run, const SignalStmt& signal) {
  Diagnostics& diagnostics = run.session.diagnostics();
  if (diagnostics.handled() == nullptr) {
    return UserError(ER_RESIGNAL_WITHOUT_ACTIVE_HANDLER);
  }
  Condition condition = diagnostics.handled()->condition;
  condition.raised_sqlstate = std::string(condition.sqlstate());
  if (!signal.sqlstate.empty()) {
    TakeClass(signal.sqlstate, &condition);
  } else {
    diagnostics.Remove(diagnostics.handled()->condition);  // it comes again
  }
  RETURN_IF_ERROR(TakeItems(run, signal, &condition));
  return Raise(run, std::move(condition));
}

// Where the standard, or else MySQL, defines the class.
std::string_view OriginOf(std::string_view sqlstate) {
  const char first = sqlstate[0];
  const bool standard = (first >= '0' && first <= '4') || (first >= 'A' && first <= 'H');
  return standard ? "ISO 9075" : "MySQL";
}

TypedValue Number(int64_t number) {
  return {row::Type::BigInt(), row::Value::Int(number)};
}

TypedValue Text(std::string_view text) {
  return {row::Type::Varchar(kMessageCharactersMax, row::kDefaultCollation),
          row::Value::String(std::string(text))};
}

TypedValue ItemOf(const Condition& condition, std::string_view name) {
  if (name == "MYSQL_ERRNO") {
    return Number(condition.mysql_errno);
  }
  if (name == "MESSAGE_TEXT") {
    return Text(condition.message);
  }
  if (name == "RETURNED_SQLSTATE") {
    return Text(condition.sqlstate());
  }
  if (condition.items != nullptr) {
    const auto item = condition.items->find(name);
    return Text(item != condition.items->end() ? item->second : std::string());
  }
  const bool origin = name == "CLASS_ORIGIN" || name == "SUBCLASS_ORIGIN";
  return Text(origin ? OriginOf(condition.sqlstate()) : std::string_view());
}

Status GiveTo(StatementRun& run, const GetDiagnosticsStmt::Item& item, TypedValue value) {
  if (item.slot.has_value()) {
    return run.session.variable_slots()->Assign(*item.slot, value);
  }
  run.session.SetUserVariable(item.variable, std::move(value));
  return {};
}

// The condition that the statement asks for; null: there is none of that number.
Result<const Condition*> Wanted(StatementRun& run, const Expr& number,
                                const std::vector<Condition>& conditions) {
  ASSIGN_OR_RETURN(const TypedValue value, ScalarValue(run, number));
  if (value.value.is_null()) {
    return nullptr;
  }
  bool is_unsigned = false;
  const int64_t wanted =
      row::ToInteger(value.value, value.type, run.session.eval_context().conversion, &is_unsigned);
  return wanted < 1 || static_cast<uint64_t>(wanted) > conditions.size()
             ? nullptr
             : &conditions[static_cast<size_t>(wanted) - 1];
}

}  // namespace

Status ExecuteSignal(StatementRun& run) {
  const auto& signal = run.statement.As<SignalStmt>();
  if (signal.resignal) {
    return Resignal(run, signal);
  }
  if (signal.sqlstate.empty()) {
    return UserError(ER_SP_COND_MISMATCH, signal.condition);
  }
  Condition condition;
  condition.items = std::make_shared<ConditionItems>();
  TakeClass(signal.sqlstate, &condition);
  RETURN_IF_ERROR(TakeItems(run, signal, &condition));
  return Raise(run, std::move(condition));
}

Status ExecuteGetDiagnostics(StatementRun& run) {
  const auto& statement = run.statement.As<GetDiagnosticsStmt>();
  Diagnostics& diagnostics = run.session.diagnostics();
  if (statement.stacked && diagnostics.handled() == nullptr) {
    return UserError(ER_GET_STACKED_DA_WITHOUT_ACTIVE_HANDLER);
  }
  // Variables are given their values under conversions that may warn into the same area.
  const std::vector<Condition> conditions =
      statement.stacked ? diagnostics.handled()->area.conditions : diagnostics.conditions();
  if (statement.condition == nullptr) {
    for (const GetDiagnosticsStmt::Item& item : statement.items) {
      const bool rows = item.name == "ROW_COUNT";
      RETURN_IF_ERROR(
          GiveTo(run, item,
                 Number(rows ? run.session.row_count() : static_cast<int64_t>(conditions.size()))));
    }
    return {};
  }
  ASSIGN_OR_RETURN(const Condition* condition, Wanted(run, *statement.condition, conditions));
  if (condition == nullptr) {
    diagnostics.AddError(UserError(ER_DA_INVALID_CONDITION_NUMBER));
    return {};
  }
  for (const GetDiagnosticsStmt::Item& item : statement.items) {
    RETURN_IF_ERROR(GiveTo(run, item, ItemOf(*condition, item.name)));
  }
  return {};
}

}  // namespace borealis::sql
