// The printer behind print.h: one output string, methods by family of nodes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/ast/print.h"

namespace borealis::sql {

class Printer {
 public:
  explicit Printer(const PrintOptions& options) : options_(options) {}

  // Expressions: print_expr.cc
  void Print(const Expr& expr);
  // Queries: print_query.cc
  void Print(const Query& query);

  std::string Take() { return std::move(out_); }

 private:
  void PrintOperator(const Expr& expr);
  // Predicates and conditions: print_condition.cc. With `negated` what is printed is NOT expr.
  void PrintCondition(const Expr& expr, bool negated);
  void PrintPredicate(const Expr& expr, bool negated);
  void PrintOperands(const Logical& node, bool is_and, bool negated, bool* first);
  void PrintComparison(const Binary& node, BinaryOp op);
  // x IN (SELECT …), x > ALL (SELECT …), and NOT of these: the server writes them without
  // parentheses where they are conditions or items; as operands they need them.
  static bool IsSubqueryTest(const Expr& expr);
  bool PrintRowEquality(const Binary& node);
  void Print(const IsExpr& node, bool negated);
  void Print(const InList& node, bool negated);
  void Print(const Quantified& node, bool negated);

  void Print(const ResolvedNames::Column& column);
  // Functions: print_function.cc
  std::string CastText(const TypeName& type) const;
  bool PrintRewritten(const FunctionCall& node);
  void PrintFunction(const Expr& expr);
  void Print(const Literal& node);
  void Print(const ColumnRef& node);
  void Print(const Binary& node);
  void Print(const CaseExpr& node);
  void Print(const Trim& node);
  void Print(const FunctionCall& node);
  void Print(const Aggregate& node);
  void Print(const WindowFunction& node);
  void Print(const MatchAgainst& node);
  void Print(const JsonValue& node);
  void PrintJsonOn(const JsonOn& on, std::string_view event);
  void PrintList(const std::vector<ExprPtr>& list);
  void PrintOrder(const std::vector<OrderItem>& list);
  void PrintOver(const WindowSpec& spec);
  void PrintWindowSpec(const WindowSpec& spec);
  void PrintFrameBound(const FrameBound& bound);
  void PrintSubquery(const Query& query);

  void Print(const QueryBody& body, bool as_arm);
  void PrintAlias(std::string_view name);
  void PrintItem(const SelectItem& item, bool first);
  void PrintFrom(const SelectCore& core);
  void PrintOrderTarget(const Expr& expr);
  void PrintGroupBy(const SelectCore& core);
  void PrintUnionArm(const QueryBody& body, bool all);
  void PrintJoinCondition(const JoinedTable& node);
  void Print(const SelectCore& core);
  void Print(const TableCore& node);
  void Print(const SetOperation& node);
  void Print(const TableRef& table);
  void Print(const TableRefName& node);
  void Print(const JoinedTable& node);
  void Print(const JsonTable& node);
  void PrintJsonColumns(const std::vector<JsonTableColumn>& columns);
  void PrintNames(const std::vector<std::string>& names);
  void Print(const QualifiedName& name);

  void Add(std::string_view text) { out_ += text; }
  void AddIdent(std::string_view name) { out_ += QuoteIdentifier(name); }

  PrintOptions options_;
  // Within a subquery that is a value or a test: its columns need no names.
  bool in_subquery_expr_ = false;
  bool in_exists_ = false;  // at the SELECT of an EXISTS
  std::string out_;
};

}  // namespace borealis::sql
