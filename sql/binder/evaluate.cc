#include "sql/binder/evaluate.h"

#include "base/mysql_error.h"
#include "sql/binder/query.h"
#include "sql/functions/function.h"

namespace borealis::sql {
namespace {

using row::Value;

Result<Value> FromTruth(std::optional<bool> truth) {
  return truth.has_value() ? Value::Bool(*truth) : Value::Null();
}

class Evaluator {
 public:
  explicit Evaluator(const EvalFrame& frame) : frame_(frame), context_(*frame.context) {}

  Result<Value> Eval(const BoundExpr& expr) {
    switch (expr.kind) {
      case BoundKind::kLiteral:
        return expr.As<BoundLiteral>().value.Borrow();
      case BoundKind::kParameter:
        return Parameter(expr.As<BoundParameter>());
      case BoundKind::kColumn:
        return Column(expr.As<BoundColumn>());
      case BoundKind::kConvert:
        return Convert(expr.As<BoundConvert>());
      case BoundKind::kFunction:
        return Function(expr.As<BoundFunction>());
      case BoundKind::kCompare:
        return Compare(expr.As<BoundCompare>());
      case BoundKind::kLogical:
        return Logical(expr.As<BoundLogical>());
      case BoundKind::kNot: {
        ASSIGN_OR_RETURN(std::optional<bool> truth, Truth(*expr.args[0]));
        return truth.has_value() ? Value::Bool(!*truth) : Value::Null();
      }
      case BoundKind::kIsNull: {
        ASSIGN_OR_RETURN(Value value, Eval(*expr.args[0]));
        return Value::Bool(value.is_null() != expr.As<BoundIsNull>().negated);
      }
      case BoundKind::kIsTruth: {
        const auto& test = expr.As<BoundIsTruth>();
        ASSIGN_OR_RETURN(std::optional<bool> truth, Truth(*expr.args[0]));
        bool is = truth.has_value() && *truth == test.truth;
        return Value::Bool(is != test.negated);
      }
      case BoundKind::kCase:
        return Case(expr.As<BoundCase>());
      case BoundKind::kIn:
        return In(expr.As<BoundIn>());
      case BoundKind::kScalarSubquery:
        return ScalarSubquery(expr.As<BoundScalarSubquery>());
      case BoundKind::kExists: {
        std::vector<std::vector<Value>> rows;
        RETURN_IF_ERROR(Run(*expr.As<BoundExists>().query, &rows));
        return Value::Bool(!rows.empty());
      }
      case BoundKind::kInSubquery:
        return InSubquery(expr.As<BoundInSubquery>());
      case BoundKind::kAggregate:
      case BoundKind::kWindow:
      case BoundKind::kGrouping:
        return UserError(ER_INVALID_GROUP_FUNC_USE);
      case BoundKind::kUserVariable:
        if (frame_.find_variable != nullptr) {
          const TypedValue* held = frame_.find_variable(expr.As<BoundUserVariable>().name);
          return held != nullptr ? held->value.Borrow() : Value::Null();
        }
        return UserError(ER_NOT_SUPPORTED_YET, "user variable assignment in this expression");
      case BoundKind::kAssignVariable:
        return AssignVariable(expr.As<BoundAssignVariable>());
    }
    return Status::Internal("expression of an unknown kind");
  }

  Result<std::optional<bool>> Truth(const BoundExpr& expr) {
    ASSIGN_OR_RETURN(Value value, Eval(expr));
    if (value.is_null()) {
      return std::optional<bool>();
    }
    return std::optional<bool>(row::ToBool(value, expr.type, context_.conversion));
  }

 private:
  Result<Value> Parameter(const BoundParameter& parameter) {
    if (parameter.index >= frame_.parameters.size()) {
      return Status::Internal("parameter without a value");
    }
    return frame_.parameters[parameter.index].value.Borrow();
  }

  Result<Value> Column(const BoundColumn& column) {
    for (const EvalFrame::Row& row : frame_.rows) {
      if (row.table == column.table && column.column < row.values.size()) {
        return row.values[column.column].Borrow();
      }
    }
    return Status::Internal("column of a table that was not given");
  }

  Result<Value> AssignVariable(const BoundAssignVariable& assign) {
    if (frame_.assign_variable == nullptr) {
      return UserError(ER_NOT_SUPPORTED_YET, "user variable assignment in this expression");
    }
    ASSIGN_OR_RETURN(Value value, Eval(*assign.args[0]));
    value.Own();
    frame_.assign_variable(assign.name, {assign.type, value});
    return value;
  }

  Result<Value> Convert(const BoundConvert& convert) {
    const BoundExpr& operand = *convert.args[0];
    if (convert.mode == BoundConvert::Mode::kTruth) {
      ASSIGN_OR_RETURN(std::optional<bool> truth, Truth(operand));
      return FromTruth(truth);
    }
    ASSIGN_OR_RETURN(Value value, Eval(operand));
    if (value.is_null() || convert.mode == BoundConvert::Mode::kAnyValue) {
      return value;
    }
    Value out;
    if (convert.mode == BoundConvert::Mode::kCast) {
      RETURN_IF_ERROR(CastValue(context_, value, operand.type, convert.type, &out));
    } else {
      RETURN_IF_ERROR(ConvertValue(context_, value, operand.type, convert.type, &out));
    }
    out.Own();
    return out;
  }

  Result<Value> Function(const BoundFunction& call) {
    std::vector<Value> args;
    args.reserve(call.args.size());
    for (const BoundPtr& arg : call.args) {
      ASSIGN_OR_RETURN(Value value, Eval(*arg));
      args.push_back(std::move(value));
    }
    Value out;
    RETURN_IF_ERROR(call.function->Eval(context_, args, &out));
    out.Own();  // it may borrow from `args`
    return out;
  }

  Result<Value> Compare(const BoundCompare& compare) {
    ASSIGN_OR_RETURN(Value a, Eval(*compare.args[0]));
    ASSIGN_OR_RETURN(Value b, Eval(*compare.args[1]));
    if (compare.op == CompareOp::kNullSafeEqual && (a.is_null() || b.is_null())) {
      return Value::Bool(a.is_null() && b.is_null());
    }
    if (a.is_null() || b.is_null()) {
      return Value::Null();
    }
    int order = CompareValues(compare.args[0]->type, a, b);
    switch (compare.op) {
      case CompareOp::kEqual:
      case CompareOp::kNullSafeEqual:
        return Value::Bool(order == 0);
      case CompareOp::kNotEqual:
        return Value::Bool(order != 0);
      case CompareOp::kLess:
        return Value::Bool(order < 0);
      case CompareOp::kLessEqual:
        return Value::Bool(order <= 0);
      case CompareOp::kGreater:
        return Value::Bool(order > 0);
      case CompareOp::kGreaterEqual:
        return Value::Bool(order >= 0);
    }
    return Status::Internal("comparison of an unknown kind");
  }

  Result<Value> Logical(const BoundLogical& logical) {
    bool unknown = false;
    for (const BoundPtr& arg : logical.args) {
      ASSIGN_OR_RETURN(std::optional<bool> truth, Truth(*arg));
      if (!truth.has_value()) {
        unknown = true;
      } else if (*truth != logical.is_and) {
        return Value::Bool(!logical.is_and);
      }
    }
    return unknown ? Value::Null() : Value::Bool(logical.is_and);
  }

  Result<Value> Case(const BoundCase& node) {
    if (node.coalesce) {
      for (const BoundPtr& arg : node.args) {
        ASSIGN_OR_RETURN(Value value, Eval(*arg));
        if (!value.is_null()) {
          return value;
        }
      }
      return Value::Null();
    }
    for (size_t i = 0; i + 1 < node.args.size(); i += 2) {
      ASSIGN_OR_RETURN(std::optional<bool> truth, Truth(*node.args[i]));
      if (truth.value_or(false)) {
        return Eval(*node.args[i + 1]);
      }
    }
    if (node.args.size() % 2 == 1) {
      return Eval(*node.args.back());
    }
    return Value::Null();
  }

  Result<Value> In(const BoundIn& in) {
    ASSIGN_OR_RETURN(Value operand, Eval(*in.args[0]));
    if (operand.is_null()) {
      return Value::Null();
    }
    bool unknown = false;
    for (size_t i = 1; i < in.args.size(); ++i) {
      ASSIGN_OR_RETURN(Value item, Eval(*in.args[i]));
      if (item.is_null()) {
        unknown = true;
      } else if (CompareValues(in.args[0]->type, operand, item) == 0) {
        return Value::Bool(!in.negated);
      }
    }
    return unknown ? Value::Null() : Value::Bool(in.negated);
  }

  Status Run(const BoundQuery& query, std::vector<std::vector<Value>>* rows) {
    if (!frame_.run_subquery) {
      return UserError(ER_NOT_SUPPORTED_YET, "subquery in this expression");
    }
    if (query.correlated) {
      return UserError(ER_NOT_SUPPORTED_YET, "correlated subquery in this expression");
    }
    return frame_.run_subquery(query, rows);
  }

  Result<Value> ScalarSubquery(const BoundScalarSubquery& subquery) {
    std::vector<std::vector<Value>> rows;
    RETURN_IF_ERROR(Run(*subquery.query, &rows));
    if (rows.size() > 1) {
      return UserError(ER_SUBQUERY_NO_1_ROW);
    }
    return rows.empty() ? Value::Null() : std::move(rows[0][0]);
  }

  Result<Value> InSubquery(const BoundInSubquery& in) {
    std::vector<Value> left;
    for (const BoundPtr& arg : in.args) {
      ASSIGN_OR_RETURN(Value value, Eval(*arg));
      value.Own();
      left.push_back(std::move(value));
    }
    std::vector<std::vector<Value>> rows;
    RETURN_IF_ERROR(Run(*in.query, &rows));
    bool unknown = false;
    for (const auto& row : rows) {
      bool equal = true;
      bool row_unknown = false;
      for (size_t i = 0; i < left.size() && equal; ++i) {
        if (left[i].is_null() || row[i].is_null()) {
          row_unknown = true;
        } else {
          equal = CompareValues(in.args[i]->type, left[i], row[i]) == 0;
        }
      }
      if (equal && !row_unknown) {
        return Value::Bool(!in.negated);
      }
      unknown |= equal;
    }
    return unknown ? Value::Null() : Value::Bool(in.negated);
  }

  const EvalFrame& frame_;
  EvalContext& context_;
};

}  // namespace

Result<Value> Evaluate(const BoundExpr& expr, const EvalFrame& frame) {
  return Evaluator(frame).Eval(expr);
}

Result<bool> EvaluateCondition(const BoundExpr& expr, const EvalFrame& frame) {
  ASSIGN_OR_RETURN(std::optional<bool> truth, Evaluator(frame).Truth(expr));
  return truth.value_or(false);
}

bool IsConstant(const BoundExpr& expr) {
  switch (expr.kind) {
    case BoundKind::kColumn:
    case BoundKind::kParameter:
    case BoundKind::kScalarSubquery:
    case BoundKind::kExists:
    case BoundKind::kInSubquery:
    case BoundKind::kAggregate:
    case BoundKind::kWindow:
    case BoundKind::kUserVariable:
    case BoundKind::kAssignVariable:
    case BoundKind::kGrouping:
      return false;
    case BoundKind::kFunction:
      if (expr.As<BoundFunction>().function->def().stability != Stability::kPure) {
        return false;
      }
      break;
    case BoundKind::kConvert:
      if (expr.As<BoundConvert>().mode == BoundConvert::Mode::kAnyValue) {
        return false;  // may stand for what is rolled up
      }
      break;
    default:
      break;
  }
  for (const BoundPtr& arg : expr.args) {
    if (!IsConstant(*arg)) {
      return false;
    }
  }
  return true;
}

bool HasSubquery(const BoundExpr& expr) {
  if (expr.kind == BoundKind::kScalarSubquery || expr.kind == BoundKind::kExists ||
      expr.kind == BoundKind::kInSubquery) {
    return true;
  }
  for (const BoundPtr& arg : expr.args) {
    if (HasSubquery(*arg)) {
      return true;
    }
  }
  return false;
}

}  // namespace borealis::sql
