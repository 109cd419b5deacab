#include "sql/binder/print_bound.h"

#include <fmt/format.h>

#include <algorithm>

#include "row/collation.h"
#include "row/convert.h"
#include "sql/ast/print.h"
#include "sql/binder/query.h"
#include "sql/functions/function.h"

namespace borealis::sql {
namespace {

using row::Type;
using Kind = row::TypeKind;

std::string Joined(std::span<const BoundPtr> args, std::string_view between) {
  std::string text;
  for (const BoundPtr& arg : args) {
    text += text.empty() ? "" : between;
    text += PrintBound(*arg);
  }
  return text;
}

std::string_view CompareText(CompareOp op) {
  static constexpr std::string_view kText[] = {" = ",  " <=> ", " <> ", " < ",
                                               " <= ", " > ",   " >= "};
  return kText[static_cast<size_t>(op)];
}

std::string CastText(const Type& type) {
  switch (type.kind) {
    case Kind::kBigInt:
      return type.is_unsigned ? "unsigned" : "signed";
    case Kind::kDecimal:
      return "decimal(" + std::to_string(type.length) + "," + std::to_string(type.scale) + ")";
    case Kind::kDouble:
      return "double";
    case Kind::kFloat:
      return "float";
    case Kind::kDate:
      return "date";
    case Kind::kTime:
      return "time";
    case Kind::kDateTime:
    case Kind::kTimestamp:
      return "datetime";
    case Kind::kYear:
      return "year";
    case Kind::kJson:
      return "json";
    default:
      return type.is_binary_string() ? "char charset binary" : "char";
  }
}

std::string LiteralText(const BoundLiteral& literal) {
  if (literal.folded_from != nullptr) {
    return PrintBound(*literal.folded_from);
  }
  if (literal.value.is_null()) {
    return "NULL";
  }
  std::string text = row::ToText(literal.value, literal.type, row::TimeZone());
  if (literal.hex) {
    std::string hex = "0x";
    for (const char c : text) {
      hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
    }
    return hex;
  }
  if (text.starts_with('-') && literal.type.is_numeric()) {
    return "-(" + text.substr(1) + ")";
  }
  if (literal.value.is_temporal()) {
    const std::string_view type = literal.type.kind == Kind::kDate   ? "DATE"
                                  : literal.type.kind == Kind::kTime ? "TIME"
                                                                     : "TIMESTAMP";
    return std::string(type) + QuoteString(text);
  }
  return literal.value.is_string() ? QuoteString(text) : text;
}

std::string ColumnText(const BoundColumn& column) {
  if (column.column == kHandleColumn) {
    return "(row)";
  }
  const BoundTable& table = *column.table;
  std::string text;
  for (const std::string& part : {table.schema, table.alias}) {
    text += part.empty() ? "" : QuoteIdentifier(part) + ".";
  }
  return text + QuoteIdentifier(table.columns[column.column].name);
}

// An operand of a comparison as it was written.
std::string OperandText(const BoundExpr& condition, size_t operand) {
  const auto* literal = condition.TryAs<BoundLiteral>();
  const BoundExpr& compare =
      literal != nullptr && literal->folded_from != nullptr ? *literal->folded_from : condition;
  return compare.Is<BoundCompare>() ? PrintBound(*compare.args[operand]) : PrintBound(compare);
}

std::string CaseText(const BoundCase& node) {
  switch (node.form) {
    case BoundCase::Form::kCoalesce:
      return "coalesce(" + Joined(node.args, ",") + ")";
    case BoundCase::Form::kIfNull:
      return "ifnull(" + Joined(node.args, ",") + ")";
    case BoundCase::Form::kIf:
      return "if(" + Joined(node.args, ",") + ")";
    case BoundCase::Form::kNullIf:
      return "nullif(" + PrintBound(*node.args[2]) + "," + OperandText(*node.args[0], 1) + ")";
    case BoundCase::Form::kCase:
    case BoundCase::Form::kSimpleCase:
      break;
  }
  const bool simple = node.form == BoundCase::Form::kSimpleCase;
  std::string text = "(case" + (simple ? " " + OperandText(*node.args[0], 0) : "");
  size_t at = 0;
  for (; at + 1 < node.args.size(); at += 2) {
    text += " when " + (simple ? OperandText(*node.args[at], 1) : PrintBound(*node.args[at]));
    text += " then " + PrintBound(*node.args[at + 1]);
  }
  if (at < node.args.size()) {
    text += " else " + PrintBound(*node.args[at]);
  }
  return text + " end)";
}

}  // namespace

std::string PrintBoundCall(std::string_view name, const FunctionOptions& options,
                           std::span<const BoundPtr> args) {
  bool word = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (name == "unary_minus") {
    return "-(" + Joined(args, "") + ")";
  }
  if (name == "bit_not") {
    return "~(" + Joined(args, "") + ")";
  }
  if (name == "cast") {
    return "cast(" + Joined(args, "") + " as " + CastText(options.cast_type) + ")";
  }
  if (name == "div") {
    return "(" + Joined(args, " DIV ") + ")";
  }
  if (!word || name == "xor") {
    return "(" + Joined(args, " " + std::string(name) + " ") + ")";
  }
  return std::string(name) + "(" + Joined(args, ",") + ")";
}

std::string PrintBound(const BoundExpr& expr) {
  switch (expr.kind) {
    case BoundKind::kLiteral:
      return LiteralText(expr.As<BoundLiteral>());
    case BoundKind::kParameter:
      return "?";
    case BoundKind::kColumn:
      return ColumnText(expr.As<BoundColumn>());
    case BoundKind::kConvert:
      if (expr.As<BoundConvert>().mode != BoundConvert::Mode::kCast) {
        return PrintBound(*expr.args[0]);
      }
      return "cast(" + PrintBound(*expr.args[0]) + " as " + CastText(expr.type) + ")";
    case BoundKind::kFunction: {
      const FunctionInstance& function = *expr.As<BoundFunction>().function;
      return PrintBoundCall(function.def().name, function.options(), expr.args);
    }
    case BoundKind::kCompare:
      return "(" + Joined(expr.args, CompareText(expr.As<BoundCompare>().op)) + ")";
    case BoundKind::kLogical:
      return "(" + Joined(expr.args, expr.As<BoundLogical>().is_and ? " and " : " or ") + ")";
    case BoundKind::kNot:
      return "(not(" + PrintBound(*expr.args[0]) + "))";
    case BoundKind::kIsNull:
      return "(" + PrintBound(*expr.args[0]) +
             (expr.As<BoundIsNull>().negated ? " is not null)" : " is null)");
    case BoundKind::kIsTruth: {
      const auto& test = expr.As<BoundIsTruth>();
      return "(" + PrintBound(*expr.args[0]) + (test.negated ? " is not " : " is ") +
             (test.truth ? "true)" : "false)");
    }
    case BoundKind::kCase:
      return CaseText(expr.As<BoundCase>());
    case BoundKind::kIn:
      return "(" + PrintBound(*expr.args[0]) +
             (expr.As<BoundIn>().negated ? " not in (" : " in (") +
             Joined(std::span(expr.args).subspan(1), ",") + "))";
    case BoundKind::kScalarSubquery:
    case BoundKind::kExists:
    case BoundKind::kInSubquery:
      return "(select)";
    case BoundKind::kAggregate:
    case BoundKind::kWindow: {
      // BoundWindow shares BoundAggregate's part.
      const auto& aggregate = static_cast<const BoundAggregate&>(expr);
      return std::string(AggregateName(aggregate.fn)) + "(" +
             (aggregate.distinct ? "distinct " : "") +
             (expr.args.empty() ? "0" : Joined(expr.args, ",")) + ")";
    }
    case BoundKind::kGrouping:
      return "grouping(" + Joined(expr.args, ",") + ")";
    case BoundKind::kUserVariable:
      return "(@" + QuoteIdentifier(expr.As<BoundUserVariable>().name) + ")";
    case BoundKind::kAssignVariable:
      return "(@" + QuoteIdentifier(expr.As<BoundAssignVariable>().name) +
             ":=" + PrintBound(*expr.args[0]) + ")";
  }
  return "";
}

}  // namespace borealis::sql
