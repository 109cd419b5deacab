// The lowering's working parts, shared by its source files only.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/sqlite/lowering.h"

namespace borealis::sql {

class Lowering {
 public:
  Lowering(const LoweringOptions& options, LoweredQuery* out) : options_(options), out_(out) {}

  // --- queries (lower_query.cc) ---
  Status Query(const BoundQuery& query, bool without_limit, std::string* sql);
  // Without WITH.
  Status OrderedCore(const BoundQuery& query, bool without_limit, std::string* sql);
  Status Core(const BoundQuery& query, std::string* sql);
  // Whether a column of the expression is none of the select's tables.
  bool ReadsOuterColumn(const BoundExpr& expr, const BoundSelect& select) const;
  // What the query orders or groups by and SQLite would not understand there.
  std::vector<const BoundExpr*> OuterKeys(const BoundQuery& query) const;
  Status OrderedOutside(const BoundQuery& query, std::vector<const BoundExpr*> keys,
                        std::string* sql);
  // `keys`: columns k0, k1 … after the items.
  Status Select(const BoundSelect& select, std::span<const BoundExpr* const> keys,
                std::string* sql);
  Status SelectItems(const BoundSelect& select, std::span<const BoundExpr* const> keys,
                     const BoundCte* depth_of, std::string* sql);
  // With what the conditions imply, and with the shares of rows that pass them.
  Status Where(const BoundSelect& select, std::string* sql);
  Status SelectTail(const BoundSelect& select, std::span<const BoundExpr* const> keys,
                    std::string* sql);
  Status SetOperation(const BoundSetOperation& operation, std::string* sql);
  Status NumberedOperation(const BoundSetOperation& operation, std::string* sql);
  Status Arm(const BoundQuery& query, bool leftmost, std::string* sql);
  Status Values(const BoundQuery& query, std::string* sql);
  Status From(const BoundFrom& from, std::string* sql);
  Status Join(const BoundFrom& join, const BoundExpr* on, const BoundFrom& right, std::string* sql);
  Status Table(const BoundTable& table, std::string* sql);
  Status CteDefinition(const BoundCte& cte, std::string* sql);

  // --- computed tables (lower_computed.cc) ---
  Status Lateral(const BoundTable& table, std::string* sql);
  // The call of the computed table; `args` are over the tables before it.
  Status ComputedCall(ComputedTable computed, const std::vector<BoundPtr>& args, std::string* sql);
  // Whether the column or parameter is an argument of the lateral query that is being lowered.
  bool IsArgument(const BoundExpr& expr) const;
  Status Argument(const BoundExpr& expr, std::string* sql);
  // Sees to it that a common table expression from outside is defined in the lateral query, too.
  Status UseCte(const BoundCte& cte);
  void Show(const BoundFrom* from);
  bool IsHidden(const BoundTable& table) const;
  Status OrderBy(const BoundQuery& query, std::string* sql);

  // --- expressions (lower_expr.cc) ---
  Status Expr(const BoundExpr& expr, std::string* sql);
  // With its collation attached, for places that compare: DISTINCT, ORDER BY, GROUP BY.
  Status Comparable(const BoundExpr& expr, std::string* sql);
  Status Convert(const BoundConvert& convert, std::string* sql);
  Status Function(const BoundFunction& call, std::string* sql);
  Status Compare(const BoundCompare& compare, std::string* sql);
  Status Case(const BoundCase& node, std::string* sql);
  Status In(const BoundIn& in, std::string* sql);
  // For the planner: the values, where they are constants.
  void NoteList(const BoundIn& in);
  // Of `side = other`, for LoweredQuery::joined.
  void NoteJoin(const BoundExpr& side, const BoundExpr& other);
  Status InSubquery(const BoundInSubquery& in, std::string* sql);
  Status ScalarSubquery(const BoundScalarSubquery& subquery, std::string* sql);
  Status Aggregate(const BoundAggregate& aggregate, std::string* sql);
  Status Window(const BoundWindow& window, std::string* sql);
  Status Joined(const std::vector<BoundPtr>& parts, size_t begin, size_t end,
                std::string_view between, std::string* sql);
  Status Call(CallSite site, std::string_view name, const std::vector<BoundPtr>& args,
              std::string* sql);

 private:
  // The name for one way of reading a table.
  std::string ModuleOf(const BoundTable& table) const;

  const LoweringOptions options_;
  LoweredQuery* out_;
  // The recursive table whose arms are being lowered, when they count rounds.
  const BoundCte* depth_of_ = nullptr;
  bool in_recursive_cte_ = false;  // directly: not in a query inside it

  // A lateral query, which is a statement of its own.
  struct LateralQuery {
    size_t outer_tables = 0;  // of `shown_`: not its own
    size_t outer_ctes = 0;    // of `defined_`
    std::vector<BoundPtr> args;
    std::vector<const BoundCte*> ctes;
    std::string cte_sql;
  };
  LateralQuery* lateral_ = nullptr;
  // Tables of the selects around what is being lowered, and common table expressions above it.
  std::vector<const BoundTable*> shown_;
  std::vector<const BoundCte*> defined_;
  std::vector<const BoundCte*> being_defined_;
  // The joins in parentheses that are being lowered, each with all of its FROM: what is in that
  // alone the machine's scoping hides from them.
  struct Parentheses {
    const BoundFrom* all = nullptr;
    const BoundFrom* within = nullptr;
  };
  std::vector<Parentheses> parentheses_;
  const BoundFrom* from_ = nullptr;  // of the select that is being lowered
  bool in_call_ = false;             // in the arguments of a computed table
};

std::string TableAlias(const BoundTable& table);
std::string CteName(const BoundCte& cte);
// As an identifier.
std::string Quoted(std::string_view name);
bool Contains(const BoundFrom& from, const BoundTable* table);
// ` COLLATE "name"` where a comparison of the expression needs it; empty otherwise.
std::string CollateSuffix(const BoundExpr& expr);
// The same where the expression stands for a value alone, without a declared collation.
std::string ValueCollateSuffix(const BoundExpr& expr);
// Whether a conversion leaves the register as it is.
bool KeepsRegister(const row::Type& from, const row::Type& to);

}  // namespace borealis::sql
