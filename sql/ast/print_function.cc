// Function calls, aggregates and windows as text.
#include <algorithm>

#include "sql/ast/print_internal.h"

namespace borealis::sql {

namespace {

bool IsPlainName(std::string_view name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

// The name under which MySQL keeps a function that has several.
std::string_view CanonicalName(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
      {"ceil", "ceiling"},
      {"character_length", "char_length"},
      {"day", "dayofmonth"},
      {"lcase", "lower"},
      {"octet_length", "length"},
      {"power", "pow"},
      {"sha1", "sha"},
      {"substring", "substr"},
      {"ucase", "upper"},
  };
  for (const auto& [other, canonical] : kOtherNames) {
    if (name == other) {
      return canonical;
    }
  }
  return name;
}

}  // namespace

// CAST AS CHAR is to the connection's character set; written out, it is the same for everybody.
std::string Printer::CastText(const TypeName& type) const {
  TypeName full = type;
  if (full.kind == TypeKind::kChar && full.charset.empty() && !full.national) {
    full.charset = options_.cast_charset;
  }
  if (full.kind == TypeKind::kDecimal && options_.names != nullptr) {
    full.length = full.length.value_or(10);
    full.scale = full.scale.value_or(0);
  }
  return PrintCastType(full);
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
      Add(" as " + CastText(node.type) + (node.array ? " array)" : ")"));
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

// What the server has no function of its own for: it prints what it made of the call.
bool Printer::PrintRewritten(const FunctionCall& node) {
  const size_t args = node.args.size();
  const auto as_cast = [&](const char* type) {
    Add("cast(");
    Print(*node.args[0]);
    Add(std::string(" as ") + type + ")");
    return true;
  };
  if (!node.schema.empty() || node.name_collides) {
    return false;
  }
  if (args == 1 && node.name == "date") {
    return as_cast("date");
  }
  if (args == 1 && node.name == "time") {
    return as_cast("time");
  }
  if (args == 1 && node.name == "timestamp") {
    return as_cast("datetime");
  }
  if (args == 2 && node.name == "datediff") {
    Add("(to_days(");
    Print(*node.args[0]);
    Add(") - to_days(");
    Print(*node.args[1]);
    Add("))");
    return true;
  }
  if (args == 2 && node.name == "timestampadd" && node.unit) {
    Add("(");
    Print(*node.args[1]);
    Add(" + interval ");
    Print(*node.args[0]);
    Add(" ");
    Add(IntervalUnitName(*node.unit));
    Add(")");
    return true;
  }
  const bool yearweek = node.name == "yearweek";
  if (args == 1 && (yearweek || node.name == "week" || node.name == "weekofyear")) {
    Add(yearweek ? "yearweek(" : "week(");
    Print(*node.args[0]);
    Add(yearweek                    ? ",0)"
        : node.name == "weekofyear" ? ",3)"
                                    : "," + std::to_string(options_.default_week_format) + ")");
    return true;
  }
  return false;
}

void Printer::Print(const FunctionCall& node) {
  if (PrintRewritten(node)) {
    return;
  }
  if (!node.schema.empty()) {
    AddIdent(node.schema);
    Add(".");
    AddIdent(node.name);
  } else if (IsPlainName(node.name) && !node.name_collides) {
    Add(CanonicalName(node.name));
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
    Add(node.args[0]->As<Literal>().text + ", ");
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
  const bool extreme = node.fn == AggregateFn::kMin || node.fn == AggregateFn::kMax;
  Add(node.distinct && !extreme ? "(distinct " : "(");  // the server drops it where it says nothing
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
    return;
  }
  PrintWindowSpec(spec);
  Add(" ");
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
  if (!spec.frame && separator == " " && (!spec.partition_by.empty() || !spec.order_by.empty())) {
    Add(" ");
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
