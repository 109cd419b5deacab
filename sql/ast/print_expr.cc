// Expressions as the server prints them: every operation in parentheses, so that no precedence is
// needed to read them back.
#include <algorithm>

#include "sql/ast/print_internal.h"

namespace borealis::sql {

namespace {

std::string HexText(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  if (bytes.empty()) {
    return "x''";
  }
  std::string out = "0x";
  for (char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

bool IsPlainName(std::string_view name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

const char* IsTestName(IsTest test) {
  switch (test) {
    case IsTest::kNull:
      return "null";
    case IsTest::kTrue:
      return "true";
    case IsTest::kFalse:
      return "false";
    case IsTest::kUnknown:
      return "unknown";
  }
  return "";
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
      return PrintPredicate(expr);
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
    case LiteralKind::kDecimal:
    case LiteralKind::kFloat:
      return Add(node.text);
    case LiteralKind::kString: {
      const std::string& charset = node.charset.empty() ? options_.default_charset : node.charset;
      if (!charset.empty()) {
        Add("_" + charset);
      }
      return Add(QuoteString(node.text));
    }
    case LiteralKind::kHex:
    case LiteralKind::kBit:
      if (!node.charset.empty()) {
        Add("_" + node.charset + " ");
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
  if (!options_.bare_columns) {
    if (!node.schema.empty()) {
      AddIdent(node.schema);
      Add(".");
    }
    if (!node.table.empty()) {
      AddIdent(node.table);
      Add(".");
    }
  }
  AddIdent(node.column);
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
        Add("~");
        return Print(*unary->operand);
      case UnaryOp::kNot:
        Add("(not(");
        Print(*unary->operand);
        return Add("))");
    }
  }
  if (const auto* binary = expr.TryAs<Binary>()) {
    return Print(*binary);
  }
  if (const auto* logical = expr.TryAs<Logical>()) {
    Add("(");
    bool first = true;
    for (const ExprPtr& operand : logical->operands) {
      if (!first) {
        Add(logical->is_and ? " and " : " or ");
      }
      first = false;
      Print(*operand);
    }
    return Add(")");
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
    default:
      Add("(");
      Print(*node.left);
      Add(std::string(" ") + BinaryOpText(node.op) + " ");
      Print(*node.right);
      return Add(")");
  }
}

void Printer::PrintPredicate(const Expr& expr) {
  if (const auto* is = expr.TryAs<IsExpr>()) {
    Add("(");
    Print(*is->operand);
    Add(is->negated ? " is not " : " is ");
    Add(IsTestName(is->test));
    return Add(")");
  }
  if (const auto* between = expr.TryAs<Between>()) {
    Add("(");
    Print(*between->operand);
    Add(between->negated ? " not between " : " between ");
    Print(*between->low);
    Add(" and ");
    Print(*between->high);
    return Add(")");
  }
  if (const auto* like = expr.TryAs<Like>()) {
    Add(like->negated ? "(not((" : "(");
    Print(*like->operand);
    Add(" like ");
    Print(*like->pattern);
    if (like->escape) {
      Add(" escape ");
      Print(*like->escape);
    }
    return Add(like->negated ? ")))" : ")");
  }
  if (const auto* regexp = expr.TryAs<Regexp>()) {
    Add(regexp->negated ? "(not(regexp_like(" : "regexp_like(");
    Print(*regexp->operand);
    Add(",");
    Print(*regexp->pattern);
    return Add(regexp->negated ? ")))" : ")");
  }
  if (const auto* in = expr.TryAs<InList>()) {
    Add("(");
    Print(*in->operand);
    Add(in->negated ? " not in (" : " in (");
    PrintList(in->items);
    return Add("))");
  }
  if (const auto* in = expr.TryAs<InSubquery>()) {
    Add("(");
    Print(*in->operand);
    Add(in->negated ? " not in " : " in ");
    PrintSubquery(*in->query);
    return Add(")");
  }
  if (const auto* exists = expr.TryAs<Exists>()) {
    Add("exists");
    return PrintSubquery(*exists->query);
  }
  const auto& quantified = expr.As<Quantified>();
  Add("(");
  Print(*quantified.left);
  Add(std::string(" ") + BinaryOpText(quantified.op) + (quantified.all ? " all " : " any "));
  PrintSubquery(*quantified.query);
  Add(")");
}

void Printer::PrintSubquery(const Query& query) {
  Add("(");
  Print(query);
  Add(")");
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

void Printer::PrintFunction(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kCast: {
      const auto& node = expr.As<Cast>();
      Add("cast(");
      Print(*node.operand);
      if (node.time_zone) {
        Add(" at time zone " + QuoteString(*node.time_zone));
      }
      Add(" as " + PrintCastType(node.type) + (node.array ? " array)" : ")"));
      return;
    }
    case ExprKind::kConvertUsing: {
      const auto& node = expr.As<ConvertUsing>();
      Add("convert(");
      Print(*node.operand);
      return Add(" using " + PrintCharsetName(node.charset) + ")");
    }
    case ExprKind::kExtract: {
      const auto& node = expr.As<Extract>();
      Add("extract(");
      Add(IntervalUnitName(node.unit));
      Add(" from ");
      Print(*node.operand);
      return Add(")");
    }
    case ExprKind::kDefault:
    case ExprKind::kInsertValue: {
      const bool is_default = expr.Is<DefaultExpr>();
      const ExprPtr& column =
          is_default ? expr.As<DefaultExpr>().column : expr.As<InsertValue>().column;
      Add(is_default ? "default" : "values");
      if (column) {
        Add("(");
        Print(*column);
        Add(")");
      }
      return;
    }
    case ExprKind::kTrim:
      return Print(expr.As<Trim>());
    case ExprKind::kAggregate:
      return Print(expr.As<Aggregate>());
    case ExprKind::kWindowFunction:
      return Print(expr.As<WindowFunction>());
    case ExprKind::kMatchAgainst:
      return Print(expr.As<MatchAgainst>());
    case ExprKind::kJsonValue:
      return Print(expr.As<JsonValue>());
    default:
      return Print(expr.As<FunctionCall>());
  }
}

void Printer::Print(const Trim& node) {
  Add("trim(");
  if (node.side == TrimSide::kLeading) {
    Add("leading ");
  } else if (node.side == TrimSide::kTrailing) {
    Add("trailing ");
  } else if (node.remove) {
    Add("both ");
  }
  if (node.remove) {
    Print(*node.remove);
    Add(" ");
  }
  if (node.remove || node.side != TrimSide::kBoth) {
    Add("from ");
  }
  Print(*node.operand);
  Add(")");
}

void Printer::Print(const FunctionCall& node) {
  if (!node.schema.empty()) {
    AddIdent(node.schema);
    Add(".");
    AddIdent(node.name);
  } else if (node.name == "substring") {
    Add("substr");
  } else if (IsPlainName(node.name)) {
    Add(node.name);
  } else {
    AddIdent(node.name);
  }
  Add("(");
  if (node.unit) {
    std::string unit(IntervalUnitName(*node.unit));
    std::transform(unit.begin(), unit.end(), unit.begin(),
                   [](char c) { return c == '_' ? c : static_cast<char>(c - 32); });
    Add(unit + ",");
  }
  if (node.name == "get_format" && node.args.size() == 2 && node.args[0]->Is<Literal>()) {
    Add(node.args[0]->As<Literal>().text + ",");
    Print(*node.args[1]);
  } else {
    PrintList(node.args);
  }
  if (!node.charset.empty()) {
    Add(" using " + PrintCharsetName(node.charset));
  }
  if (node.type) {
    Add(" as " + PrintCastType(*node.type));
  }
  Add(")");
}

void Printer::Print(const Aggregate& node) {
  Add(AggregateName(node.fn));
  Add(node.distinct ? "(distinct " : "(");
  if (node.star) {
    Add("0");  // as the server shows count(*)
  }
  PrintList(node.args);
  if (!node.order_by.empty()) {
    Add(" order by ");
    bool first = true;
    for (const OrderItem& item : node.order_by) {
      if (!first) {
        Add(",");
      }
      first = false;
      Print(*item.expr);
      Add(item.descending() ? " DESC" : " ASC");
    }
  }
  if (node.fn == AggregateFn::kGroupConcat) {
    Add(" separator " + QuoteString(node.separator.value_or(",")));
  }
  Add(")");
  if (node.over) {
    PrintOver(*node.over);
  }
}

void Printer::Print(const WindowFunction& node) {
  Add(WindowFunctionName(node.fn));
  Add("(");
  PrintList(node.args);
  Add(")");
  if (node.from_last) {
    Add(" from last");
  }
  if (node.ignore_nulls) {
    Add(" ignore nulls");
  }
  PrintOver(*node.over);
}

void Printer::PrintOver(const WindowSpec& spec) {
  Add(" OVER ");
  if (spec.only_name) {
    AddIdent(spec.base);
  } else {
    PrintWindowSpec(spec);
  }
}

void Printer::PrintWindowSpec(const WindowSpec& spec) {
  Add("(");
  std::string_view separator;
  if (!spec.base.empty()) {
    AddIdent(spec.base);
    separator = " ";
  }
  if (!spec.partition_by.empty()) {
    Add(separator);
    Add("PARTITION BY ");
    PrintList(spec.partition_by);
    separator = " ";
  }
  if (!spec.order_by.empty()) {
    Add(separator);
    Add("ORDER BY ");
    PrintOrder(spec.order_by);
    separator = " ";
  }
  if (spec.frame) {
    Add(separator);
    Add(spec.frame->unit == FrameUnit::kRows ? "ROWS BETWEEN " : "RANGE BETWEEN ");
    PrintFrameBound(spec.frame->start);
    Add(" AND ");
    PrintFrameBound(spec.frame->end);
  }
  Add(")");
}

void Printer::PrintFrameBound(const FrameBound& bound) {
  switch (bound.kind) {
    case FrameBoundKind::kCurrentRow:
      return Add("CURRENT ROW");
    case FrameBoundKind::kUnboundedPreceding:
      return Add("UNBOUNDED PRECEDING");
    case FrameBoundKind::kUnboundedFollowing:
      return Add("UNBOUNDED FOLLOWING");
    case FrameBoundKind::kPreceding:
    case FrameBoundKind::kFollowing:
      break;
  }
  if (bound.unit) {
    Add("INTERVAL ");
  }
  Print(*bound.offset);
  if (bound.unit) {
    Add(" ");
    Add(IntervalUnitName(*bound.unit));
  }
  Add(bound.kind == FrameBoundKind::kPreceding ? " PRECEDING" : " FOLLOWING");
}

void Printer::Print(const MatchAgainst& node) {
  Add("(match ");
  PrintList(node.columns);
  Add(" against (");
  Print(*node.against);
  switch (node.mode) {
    case MatchMode::kDefault:
    case MatchMode::kNaturalLanguage:
      break;
    case MatchMode::kBoolean:
      Add(" in boolean mode");
      break;
    case MatchMode::kExpansion:
    case MatchMode::kNaturalLanguageWithExpansion:
      Add(" with query expansion");
      break;
  }
  Add("))");
}

void Printer::PrintJsonOn(const JsonOn& on, std::string_view event) {
  switch (on.kind) {
    case JsonOnKind::kUnspecified:
      return;
    case JsonOnKind::kNull:
      Add(" null");
      break;
    case JsonOnKind::kError:
      Add(" error");
      break;
    case JsonOnKind::kDefault:
      Add(" default ");
      Print(*on.value);
      break;
  }
  Add(event);
}

void Printer::Print(const JsonValue& node) {
  Add("json_value(");
  Print(*node.document);
  Add(", ");
  Add(QuoteString(node.path->As<Literal>().text));
  if (node.returning) {
    Add(" returning " + PrintCastType(*node.returning));
  }
  PrintJsonOn(node.on_empty, " on empty");
  PrintJsonOn(node.on_error, " on error");
  Add(")");
}

}  // namespace borealis::sql
