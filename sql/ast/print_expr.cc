// Expressions as the server prints them: every operation in parentheses, so that no precedence is
// needed to read them back.
#include <algorithm>
#include <utility>

#include "sql/ast/print_internal.h"

namespace borealis::sql {

namespace {

std::string HexText(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  if (bytes.empty()) {
    return "X''";
  }
  std::string out = "0x";
  for (char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// .5 is 0.5, 1. is 1.
std::string DecimalText(std::string_view text) {
  std::string out(text.starts_with('.') ? "0" : "");
  out += text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
  return out;
}

std::string_view ScopePrefix(VariableScope scope) {
  switch (scope) {
    case VariableScope::kDefault:
      return "";
    case VariableScope::kSession:
      return "session.";
    case VariableScope::kGlobal:
      return "global.";
    case VariableScope::kPersist:
      return "persist.";
    case VariableScope::kPersistOnly:
      return "persist_only.";
  }
  return "";
}

}  // namespace

const char* BinaryOpText(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd:
      return "+";
    case BinaryOp::kSubtract:
      return "-";
    case BinaryOp::kMultiply:
      return "*";
    case BinaryOp::kDivide:
      return "/";
    case BinaryOp::kIntDivide:
      return "DIV";
    case BinaryOp::kModulo:
      return "%";
    case BinaryOp::kBitOr:
      return "|";
    case BinaryOp::kBitAnd:
      return "&";
    case BinaryOp::kBitXor:
      return "^";
    case BinaryOp::kShiftLeft:
      return "<<";
    case BinaryOp::kShiftRight:
      return ">>";
    case BinaryOp::kEqual:
      return "=";
    case BinaryOp::kNullSafeEqual:
      return "<=>";
    case BinaryOp::kNotEqual:
      return "<>";
    case BinaryOp::kLess:
      return "<";
    case BinaryOp::kLessEqual:
      return "<=";
    case BinaryOp::kGreater:
      return ">";
    case BinaryOp::kGreaterEqual:
      return ">=";
    case BinaryOp::kXor:
      return "xor";
    case BinaryOp::kConcat:
      return "||";
    case BinaryOp::kJsonExtract:
      return "->";
    case BinaryOp::kJsonUnquote:
      return "->>";
    case BinaryOp::kMemberOf:
      return "member of";
    case BinaryOp::kSoundsLike:
      return "sounds like";
  }
  return "";
}

const char* AggregateName(AggregateFn fn) {
  switch (fn) {
    case AggregateFn::kCount:
      return "count";
    case AggregateFn::kSum:
      return "sum";
    case AggregateFn::kAvg:
      return "avg";
    case AggregateFn::kMin:
      return "min";
    case AggregateFn::kMax:
      return "max";
    case AggregateFn::kBitAnd:
      return "bit_and";
    case AggregateFn::kBitOr:
      return "bit_or";
    case AggregateFn::kBitXor:
      return "bit_xor";
    case AggregateFn::kStddevPop:
      return "std";
    case AggregateFn::kStddevSamp:
      return "stddev_samp";
    case AggregateFn::kVarPop:
      return "variance";
    case AggregateFn::kVarSamp:
      return "var_samp";
    case AggregateFn::kGroupConcat:
      return "group_concat";
    case AggregateFn::kJsonArrayAgg:
      return "json_arrayagg";
    case AggregateFn::kJsonObjectAgg:
      return "json_objectagg";
    case AggregateFn::kStCollect:
      return "st_collect";
  }
  return "";
}

const char* WindowFunctionName(WindowFn fn) {
  switch (fn) {
    case WindowFn::kRowNumber:
      return "row_number";
    case WindowFn::kRank:
      return "rank";
    case WindowFn::kDenseRank:
      return "dense_rank";
    case WindowFn::kPercentRank:
      return "percent_rank";
    case WindowFn::kCumeDist:
      return "cume_dist";
    case WindowFn::kNtile:
      return "ntile";
    case WindowFn::kLead:
      return "lead";
    case WindowFn::kLag:
      return "lag";
    case WindowFn::kFirstValue:
      return "first_value";
    case WindowFn::kLastValue:
      return "last_value";
    case WindowFn::kNthValue:
      return "nth_value";
  }
  return "";
}

std::string QuoteIdentifier(std::string_view name) {
  std::string out = "`";
  for (char c : name) {
    out += c;
    if (c == '`') {
      out += '`';
    }
  }
  return out + '`';
}

std::string PrintCharsetName(std::string_view name) {
  if (name == "utf8") {  // as it was called
    return "utf8mb3";
  }
  const bool is_word = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  return is_word && !name.empty() ? std::string(name) : QuoteString(name);
}

std::string QuoteString(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\0':
        out += "\\0";
        break;
      case '\'':
        out += "\\'";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\x1a':
        out += "\\Z";
        break;
      default:
        out += c;
    }
  }
  return out + '\'';
}

std::string PrintExpr(const Expr& expr, const PrintOptions& options) {
  Printer printer(options);
  printer.Print(expr);
  return printer.Take();
}

void Printer::PrintList(const std::vector<ExprPtr>& list) {
  bool first = true;
  for (const ExprPtr& expr : list) {
    if (!first) {
      Add(",");
    }
    first = false;
    Print(*expr);
  }
}

void Printer::Print(const Expr& expr) {
  if (IsSubqueryTest(expr)) {
    Add("(");
    PrintCondition(expr, false);
    return Add(")");
  }
  switch (expr.kind) {
    case ExprKind::kLiteral:
      return Print(expr.As<Literal>());
    case ExprKind::kParameter:
      return Add("?");
    case ExprKind::kColumnRef:
      return Print(expr.As<ColumnRef>());
    case ExprKind::kUserVariable:
      Add("(@");
      AddIdent(expr.As<UserVariable>().name);
      return Add(")");
    case ExprKind::kSystemVariable: {
      const auto& node = expr.As<SystemVariable>();
      Add("@@");
      Add(ScopePrefix(node.scope));
      const size_t dot = node.name.find('.');
      if (dot != std::string::npos) {
        AddIdent(std::string_view(node.name).substr(0, dot));
        Add(".");
      }
      return AddIdent(std::string_view(node.name).substr(dot == std::string::npos ? 0 : dot + 1));
    }
    case ExprKind::kVariableAssignment: {
      const auto& node = expr.As<VariableAssignment>();
      Add("(@");
      AddIdent(node.name);
      Add(":=");
      Print(*node.value);
      return Add(")");
    }
    case ExprKind::kUnary:
    case ExprKind::kBinary:
    case ExprKind::kLogical:
    case ExprKind::kIntervalArithmetic:
    case ExprKind::kCollate:
      return PrintOperator(expr);
    case ExprKind::kIs:
    case ExprKind::kBetween:
    case ExprKind::kLike:
    case ExprKind::kRegexp:
    case ExprKind::kInList:
    case ExprKind::kInSubquery:
    case ExprKind::kExists:
    case ExprKind::kQuantified:
      return PrintPredicate(expr, false);
    case ExprKind::kSubquery:
      return PrintSubquery(*expr.As<Subquery>().query);
    case ExprKind::kRow:
      Add("(");
      PrintList(expr.As<Row>().items);
      return Add(")");
    case ExprKind::kCase:
      return Print(expr.As<CaseExpr>());
    default:
      return PrintFunction(expr);
  }
}

void Printer::Print(const Literal& node) {
  switch (node.type) {
    case LiteralKind::kNull:
      return Add("NULL");
    case LiteralKind::kBoolean:
      return Add(node.integer != 0 ? "true" : "false");
    case LiteralKind::kInteger:
    case LiteralKind::kFloat:
      return Add(node.text);
    case LiteralKind::kDecimal:
      return Add(DecimalText(node.text));
    case LiteralKind::kString: {
      const std::string& charset = node.charset.empty() ? options_.default_charset : node.charset;
      if (!charset.empty()) {
        Add("_" + PrintCharsetName(charset));
      }
      return Add(QuoteString(node.text));
    }
    case LiteralKind::kHex:
    case LiteralKind::kBit:
      if (!node.charset.empty()) {
        Add("_" + PrintCharsetName(node.charset) + " ");
      }
      return Add(HexText(node.text));
    case LiteralKind::kDate:
      Add("DATE");
      break;
    case LiteralKind::kTime:
      Add("TIME");
      break;
    case LiteralKind::kTimestamp:
      Add("TIMESTAMP");
      break;
  }
  Add(QuoteString(node.text));
}

void Printer::Print(const ColumnRef& node) {
  if (options_.names != nullptr) {
    const auto found = options_.names->columns.find(&node);
    if (found != options_.names->columns.end()) {
      return Print(found->second);
    }
  }
  Print(ResolvedNames::Column{node.schema, node.table, node.column});
}

void Printer::Print(const ResolvedNames::Column& column) {
  if (!options_.bare_columns) {
    if (!column.schema.empty() && !options_.without_schemas) {
      AddIdent(column.schema);
      Add(".");
    }
    if (!column.table.empty()) {
      AddIdent(column.table);
      Add(".");
    }
  }
  AddIdent(column.column);
}

void Printer::PrintOperator(const Expr& expr) {
  if (const auto* unary = expr.TryAs<Unary>()) {
    switch (unary->op) {
      case UnaryOp::kMinus:
        Add("-(");
        Print(*unary->operand);
        return Add(")");
      case UnaryOp::kPlus:  // has no effect, and the server drops it
        return Print(*unary->operand);
      case UnaryOp::kBitNot:
        Add("~(");
        Print(*unary->operand);
        return Add(")");
      case UnaryOp::kNot:
        return PrintCondition(*unary->operand, true);
    }
  }
  if (const auto* binary = expr.TryAs<Binary>()) {
    return Print(*binary);
  }
  if (expr.Is<Logical>()) {
    return PrintCondition(expr, false);
  }
  if (const auto* collate = expr.TryAs<Collate>()) {
    Add("(");
    Print(*collate->operand);
    Add(" collate " + PrintCharsetName(collate->collation));
    return Add(")");
  }
  const auto& interval = expr.As<IntervalArithmetic>();
  Add("(");
  Print(*interval.operand);
  Add(interval.subtract ? " - interval " : " + interval ");
  Print(*interval.amount);
  Add(" ");
  Add(IntervalUnitName(interval.unit));
  Add(")");
}

void Printer::Print(const Binary& node) {
  switch (node.op) {
    case BinaryOp::kConcat:
      Add("concat(");
      Print(*node.left);
      Add(",");
      Print(*node.right);
      return Add(")");
    case BinaryOp::kJsonExtract:
    case BinaryOp::kJsonUnquote:
      Add(node.op == BinaryOp::kJsonUnquote ? "json_unquote(json_extract(" : "json_extract(");
      Print(*node.left);
      Add(",");
      Print(*node.right);
      return Add(node.op == BinaryOp::kJsonUnquote ? "))" : ")");
    case BinaryOp::kSoundsLike:
      Add("(soundex(");
      Print(*node.left);
      Add(") = soundex(");
      Print(*node.right);
      return Add("))");
    case BinaryOp::kMemberOf:
      Add("(");
      Print(*node.left);
      Add(" member of (");
      Print(*node.right);
      return Add("))");
    case BinaryOp::kXor:
      return PrintCondition(node, false);
    default:
      if (node.op == BinaryOp::kEqual && PrintRowEquality(node)) {
        return;
      }
      Add("(");
      Print(*node.left);
      Add(std::string(" ") + BinaryOpText(node.op) + " ");
      Print(*node.right);
      return Add(")");
  }
}

void Printer::PrintSubquery(const Query& query) {
  const bool outer = std::exchange(in_subquery_expr_, true);
  Add("(");
  Print(query);
  Add(")");
  in_subquery_expr_ = outer;
}

void Printer::Print(const CaseExpr& node) {
  Add("(case ");
  if (node.operand) {
    Print(*node.operand);
    Add(" ");
  }
  for (const CaseExpr::When& when : node.whens) {
    Add("when ");
    Print(*when.condition);
    Add(" then ");
    Print(*when.result);
    Add(" ");
  }
  if (node.otherwise) {
    Add("else ");
    Print(*node.otherwise);
    Add(" ");
  }
  Add("end)");
}

}  // namespace borealis::sql
