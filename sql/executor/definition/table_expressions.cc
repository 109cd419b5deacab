// The expressions a table keeps: generated columns, default expressions, checks. They are bound
// once here so that what is stored is known to have a meaning.
#include <algorithm>

#include "base/mysql_error.h"
#include "sql/binder/binder.h"
#include "sql/executor/definition/check_names.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/stored_text.h"
#include "sql/executor/definition/table_draft.h"
#include "sql/functions/function.h"
#include "sql/parser/parser.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// What a kind of stored expression says of what it may not hold.
struct ExpressionRules {
  MysqlError variables;
  MysqlError function;
  MysqlError named_function;
  MysqlError row_value;
  // Every reading must give the same: functions of the time, the session or chance are refused.
  bool repeatable;
};

constexpr ExpressionRules kDefaultRules = {
    ER_DEFAULT_VAL_GENERATED_VARIABLES, ER_DEFAULT_VAL_GENERATED_FUNCTION_IS_NOT_ALLOWED,
    ER_DEFAULT_VAL_GENERATED_NAMED_FUNCTION_IS_NOT_ALLOWED, ER_DEFAULT_VAL_GENERATED_ROW_VALUE,
    /*repeatable=*/false};
constexpr ExpressionRules kGeneratedRules = {
    ER_DEFAULT_VAL_GENERATED_VARIABLES, ER_GENERATED_COLUMN_FUNCTION_IS_NOT_ALLOWED,
    ER_GENERATED_COLUMN_NAMED_FUNCTION_IS_NOT_ALLOWED, ER_GENERATED_COLUMN_ROW_VALUE,
    /*repeatable=*/true};
// Names no function: the message has no place for one.
constexpr ExpressionRules kIndexRules = {
    ER_FUNCTIONAL_INDEX_FUNCTION_IS_NOT_ALLOWED, ER_FUNCTIONAL_INDEX_FUNCTION_IS_NOT_ALLOWED,
    ER_FUNCTIONAL_INDEX_FUNCTION_IS_NOT_ALLOWED, ER_FUNCTIONAL_INDEX_ROW_VALUE_IS_NOT_ALLOWED,
    /*repeatable=*/true};
// Rows are compared in a condition, and are none by themselves.
constexpr ExpressionRules kCheckRules = {
    ER_CHECK_CONSTRAINT_VARIABLES, ER_CHECK_CONSTRAINT_FUNCTION_IS_NOT_ALLOWED,
    ER_CHECK_CONSTRAINT_NAMED_FUNCTION_IS_NOT_ALLOWED, ER_NON_BOOLEAN_EXPR_FOR_CHECK_CONSTRAINT,
    /*repeatable=*/true};

// Whether no stored expression may call it: it tells of the session, the server or the statement.
bool TellsOfNoRow(std::string_view function) {
  static constexpr std::string_view kNames[] = {
      "benchmark",      "found_rows", "get_lock",        "icu_version", "is_free_lock",
      "is_used_lock",   "load_file",  "last_insert_id",  "row_count",   "release_all_locks",
      "release_lock",   "sleep",      "source_pos_wait", "values",      "version",
      "master_pos_wait"};
  return std::ranges::find(kNames, function) != std::end(kNames);
}

bool IsRepeatable(std::string_view function) {
  const FunctionDef* def = FindFunction(function);
  return def == nullptr || def->stability == Stability::kPure;
}

// As messages name it.
std::string ShownFunction(const std::string& name) {
  return name == "version" || name == "icu_version" ? name + "()" : name;
}

// `name`: of the column, check or index.
Status CheckAllowed(const Expr& expr, const StoredTextFacts& facts, const ExpressionRules& rules,
                    std::string_view name) {
  if (facts.variables) {
    return UserError(rules.variables, name);
  }
  if (facts.subquery) {
    return UserError(rules.function, name);
  }
  for (const std::string& function : facts.functions) {
    if (function == "name_const") {
      return UserError(rules.function, name);
    }
    if (TellsOfNoRow(function) || (rules.repeatable && !IsRepeatable(function))) {
      return UserError(rules.named_function, name, ShownFunction(function));
    }
  }
  return expr.kind == ExprKind::kRow ? UserError(rules.row_value, name) : Status::Ok();
}

int PositionOf(const TableDescriptor& table, std::string_view name) {
  return table.FindColumn(name);
}

Result<BoundPtr> BindStored(const StatementRun& run, const Expr& expr, const std::string& text,
                            const TablePtr& table, bool condition) {
  BindInput input;
  input.environment = &run.session.binder_environment();
  input.text = text;
  std::unique_ptr<BoundTable> row = MakeRowTable(table, table->name);
  return condition ? BindRowCondition(expr, *row, input) : BindRowExpression(expr, *row, input);
}

Status CheckGenerated(const StatementRun& run, const TablePtr& table, size_t position) {
  const ColumnDescriptor& column = table->columns[position];
  ASSIGN_OR_RETURN(const ExprPtr expr, ParseExpression(column.generated_text));
  const StoredTextFacts facts = ReadStoredText(column.generated_text);
  RETURN_IF_ERROR(CheckAllowed(*expr, facts, kGeneratedRules, column.name));
  for (const std::string& name : facts.columns) {
    int other = PositionOf(*table, name);
    if (other < 0) {
      return UserError(ER_BAD_FIELD_ERROR, name, "generated column function");
    }
    const ColumnDescriptor& referred = table->columns[static_cast<size_t>(other)];
    if (referred.auto_increment) {
      return UserError(ER_GENERATED_COLUMN_REF_AUTO_INC, column.name);
    }
    if (referred.generated != GeneratedKind::kNone && static_cast<size_t>(other) >= position) {
      return UserError(ER_GENERATED_COLUMN_NON_PRIOR);
    }
  }
  return BindStored(run, *expr, column.generated_text, table, false).status();
}

Status CheckDefault(const StatementRun& run, const TablePtr& table, size_t position) {
  const ColumnDescriptor& column = table->columns[position];
  ASSIGN_OR_RETURN(const ExprPtr expr, ParseExpression(column.default_value.text));
  const StoredTextFacts facts = ReadStoredText(column.default_value.text);
  RETURN_IF_ERROR(CheckAllowed(*expr, facts, kDefaultRules, column.name));
  for (const std::string& name : facts.columns) {
    int other = PositionOf(*table, name);
    if (other < 0) {
      return UserError(ER_BAD_FIELD_ERROR, name, "default value expression");
    }
    const ColumnDescriptor& referred = table->columns[static_cast<size_t>(other)];
    if (referred.auto_increment) {
      return UserError(ER_DEFAULT_VAL_GENERATED_REF_AUTO_INC, column.name);
    }
    bool computed = referred.generated != GeneratedKind::kNone ||
                    referred.default_value.kind == DefaultKind::kExpression;
    if (computed && static_cast<size_t>(other) >= position) {
      return UserError(ER_DEFAULT_VAL_GENERATED_NON_PRIOR, column.name);
    }
  }
  return BindStored(run, *expr, column.default_value.text, table, false).status();
}

Status CheckCheck(const StatementRun& run, const TablePtr& table, const CheckDescriptor& check,
                  const std::string& on_column) {
  ASSIGN_OR_RETURN(const ExprPtr expr, ParseExpression(check.text));
  const StoredTextFacts facts = ReadStoredText(check.text);
  RETURN_IF_ERROR(CheckAllowed(*expr, facts, kCheckRules, check.name));
  for (const std::string& name : facts.columns) {
    int other = PositionOf(*table, name);
    if (!on_column.empty() && !SameName(name, on_column)) {
      return UserError(ER_COLUMN_CHECK_CONSTRAINT_REFERENCES_OTHER_COLUMN, check.name);
    }
    if (other < 0) {
      return UserError(ER_CHECK_CONSTRAINT_REFERS_UNKNOWN_COLUMN, check.name, name);
    }
    if (table->columns[static_cast<size_t>(other)].auto_increment) {
      return UserError(ER_CHECK_CONSTRAINT_REFERS_AUTO_INCREMENT_COLUMN, check.name);
    }
  }
  return BindStored(run, *expr, check.text, table, true).status();
}

// What MySQL takes for a condition: what only says whether something holds. No other expression is
// one, whatever its value.
bool IsCondition(const Expr& expr) {
  static constexpr std::string_view kPredicates[] = {
      "isnull",           "json_contains", "json_contains_path",
      "json_overlaps",    "json_valid",    "is_uuid",
      "is_ipv4",          "is_ipv6",       "is_ipv4_compat",
      "is_ipv4_mapped",   "regexp_like",   "strcmp",
      "json_schema_valid"};
  switch (expr.kind) {
    case ExprKind::kLogical:
    case ExprKind::kIs:
    case ExprKind::kBetween:
    case ExprKind::kLike:
    case ExprKind::kRegexp:
    case ExprKind::kInList:
    case ExprKind::kInSubquery:
    case ExprKind::kExists:
    case ExprKind::kQuantified:
      return true;
    case ExprKind::kLiteral:
      return expr.As<Literal>().type == LiteralKind::kBoolean;
    case ExprKind::kUnary:
      return expr.As<Unary>().op == UnaryOp::kNot;
    case ExprKind::kBinary: {
      const BinaryOp op = expr.As<Binary>().op;
      return (op >= BinaryOp::kEqual && op <= BinaryOp::kXor) || op == BinaryOp::kMemberOf ||
             op == BinaryOp::kSoundsLike;
    }
    case ExprKind::kFunctionCall:
      return std::ranges::find(kPredicates, expr.As<FunctionCall>().name) != std::end(kPredicates);
    default:
      return false;
  }
}

}  // namespace

Status TableDraft::AddCheck(const CheckConstraint& check, std::string_view column) {
  RETURN_IF_ERROR(CheckIdentifierLength(check.name));
  DraftCheck draft;
  draft.check.name = check.name;
  draft.check.enforced = check.enforced;
  draft.check.text = StoredExpression(run_, *check.expr);
  draft.column = column;
  draft.is_condition = IsCondition(*check.expr);
  checks_.push_back(std::move(draft));
  return {};
}

Status TableDraft::NameChecks() {
  // MySQL numbers on from the highest number in use.
  uint64_t number = 0;
  for (const DraftCheck& check : checks_) {
    if (!check.is_new) {
      number = std::max(number, NumberOfMadeCheck(check.check.name, name_.name).value_or(0));
    }
  }
  for (DraftCheck& check : checks_) {
    if (check.check.name.empty()) {
      check.check.name = MadeCheckName(name_.name, ++number);
    }
    RETURN_IF_ERROR(CheckIdentifierLength(check.check.name));
  }
  for (size_t i = 0; i < checks_.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (SameCheckName(checks_[i].check.name, checks_[k].check.name)) {
        return UserError(ER_CHECK_CONSTRAINT_DUP_NAME, checks_[i].check.name);
      }
    }
  }
  std::stable_sort(checks_.begin(), checks_.end(), [](const DraftCheck& a, const DraftCheck& b) {
    return FoldName(a.check.name) < FoldName(b.check.name);
  });
  return {};
}

Status TableDraft::CheckExpressions(const TablePtr& table) const {
  for (size_t i = 0; i < table->columns.size(); ++i) {
    const ColumnDescriptor& column = table->columns[i];
    if (column.generated != GeneratedKind::kNone) {
      RETURN_IF_ERROR(CheckGenerated(run_, table, i));
    }
    if (column.default_value.kind == DefaultKind::kExpression) {
      RETURN_IF_ERROR(CheckDefault(run_, table, i));
    }
  }
  for (const DraftCheck& check : checks_) {
    if (!check.is_condition) {
      return UserError(ER_NON_BOOLEAN_EXPR_FOR_CHECK_CONSTRAINT, check.check.name);
    }
    RETURN_IF_ERROR(CheckCheck(run_, table, check.check, check.column));
  }
  return {};
}

Result<row::Type> TableDraft::TypeOfExpression(const std::string& text,
                                               std::string_view index) const {
  auto table = std::make_shared<TableDescriptor>();
  table->schema = name_.schema;
  table->name = name_.name;
  for (const DraftColumn& column : columns_) {
    table->columns.push_back(column.column);
  }
  ASSIGN_OR_RETURN(const ExprPtr expr, ParseExpression(text));
  const StoredTextFacts facts = ReadStoredText(text);
  RETURN_IF_ERROR(CheckAllowed(*expr, facts, kIndexRules, index));
  // The default is of the table, which may get another without the index being made anew.
  if (std::ranges::find(facts.functions, "default") != facts.functions.end()) {
    return UserError(ER_FUNCTIONAL_INDEX_FUNCTION_IS_NOT_ALLOWED, index);
  }
  for (const std::string& name : facts.columns) {
    const int referred = FindColumn(name);
    if (referred < 0) {
      return UserError(ER_BAD_FIELD_ERROR, name, "functional index");
    }
    if (columns_[static_cast<size_t>(referred)].column.auto_increment) {
      return UserError(ER_FUNCTIONAL_INDEX_REF_AUTO_INCREMENT, index);
    }
  }
  if (expr->kind == ExprKind::kColumnRef) {
    return UserError(ER_FUNCTIONAL_INDEX_ON_FIELD);
  }
  ASSIGN_OR_RETURN(BoundPtr bound, BindStored(run_, *expr, text, table, false));
  return bound->type;
}

}  // namespace borealis::sql
