// The expressions a table keeps: generated columns, default expressions, checks. They are bound
// once here so that what is stored is known to have a meaning.
#include <fmt/format.h>

#include <algorithm>

#include "base/mysql_error.h"
#include "sql/binder/binder.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/stored_text.h"
#include "sql/executor/definition/table_draft.h"
#include "sql/functions/function.h"
#include "sql/parser/parser.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// The first function of the text that is not the same at every call; empty: none.
std::string UnstableFunction(const StoredTextFacts& facts, bool allow_statement) {
  for (const std::string& name : facts.functions) {
    const FunctionDef* def = FindFunction(name);
    if (def == nullptr || def->stability == Stability::kPure) {
      continue;
    }
    if (!allow_statement) {
      return name;
    }
  }
  return "";
}

int PositionOf(const TableDescriptor& table, std::string_view name) {
  return table.FindColumn(name);
}

Result<BoundPtr> BindStored(const StatementRun& run, const std::string& text, const TablePtr& table,
                            bool condition) {
  ASSIGN_OR_RETURN(ExprPtr expr, ParseExpression(text));
  BindInput input;
  input.environment = &run.session.binder_environment();
  input.text = text;
  std::unique_ptr<BoundTable> row = MakeRowTable(table, table->name);
  return condition ? BindRowCondition(*expr, *row, input) : BindRowExpression(*expr, *row, input);
}

Status CheckGenerated(const StatementRun& run, const TablePtr& table, size_t position) {
  const ColumnDescriptor& column = table->columns[position];
  StoredTextFacts facts = ReadStoredText(column.generated_text);
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
  if (facts.subquery || facts.variables) {
    return UserError(ER_GENERATED_COLUMN_FUNCTION_IS_NOT_ALLOWED, column.name);
  }
  std::string bad = UnstableFunction(facts, false);
  if (!bad.empty()) {
    return UserError(ER_GENERATED_COLUMN_NAMED_FUNCTION_IS_NOT_ALLOWED, column.name, bad);
  }
  return BindStored(run, column.generated_text, table, false).status();
}

Status CheckDefault(const StatementRun& run, const TablePtr& table, size_t position) {
  const ColumnDescriptor& column = table->columns[position];
  StoredTextFacts facts = ReadStoredText(column.default_value.text);
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
  if (facts.subquery || facts.variables) {
    return UserError(ER_DEFAULT_VAL_GENERATED_FUNCTION_IS_NOT_ALLOWED, column.name);
  }
  return BindStored(run, column.default_value.text, table, false).status();
}

Status CheckCheck(const StatementRun& run, const TablePtr& table, const CheckDescriptor& check,
                  const std::string& on_column) {
  StoredTextFacts facts = ReadStoredText(check.text);
  if (facts.variables) {
    return UserError(ER_CHECK_CONSTRAINT_VARIABLES, check.name);
  }
  if (facts.subquery) {
    return UserError(ER_CHECK_CONSTRAINT_FUNCTION_IS_NOT_ALLOWED, check.name);
  }
  std::string bad = UnstableFunction(facts, false);
  if (!bad.empty()) {
    return UserError(ER_CHECK_CONSTRAINT_NAMED_FUNCTION_IS_NOT_ALLOWED, check.name, bad);
  }
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
  return BindStored(run, check.text, table, true).status();
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
  std::string prefix = name_.name + "_chk_";
  int number = 0;
  for (const DraftCheck& check : checks_) {
    if (!check.is_new && check.check.name.starts_with(prefix)) {
      number = std::max(number, std::atoi(check.check.name.c_str() + prefix.size()));
    }
  }
  for (DraftCheck& check : checks_) {
    if (check.check.name.empty()) {
      check.check.name = fmt::format("{}{}", prefix, ++number);
    }
  }
  for (size_t i = 0; i < checks_.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (SameName(checks_[i].check.name, checks_[k].check.name)) {
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
  StoredTextFacts facts = ReadStoredText(text);
  if (facts.subquery || facts.variables || !UnstableFunction(facts, false).empty()) {
    return UserError(ER_FUNCTIONAL_INDEX_FUNCTION_IS_NOT_ALLOWED, index);
  }
  ASSIGN_OR_RETURN(BoundPtr bound, BindStored(run_, text, table, false));
  return bound->type;
}

}  // namespace borealis::sql
