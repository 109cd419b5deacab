// The lowering's working parts, shared by its source files only.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/sqlite/lowering.h"

namespace borealis::sql {

// What SQLite takes a computed table's argument's word for without comparing it again.
inline constexpr size_t kArgumentsMax = 15;

// What a lowering has put out so far, to be forgotten when the rest cannot be used.
class LoweredSizes {
 public:
  explicit LoweredSizes(const LoweredQuery& of)
      : computed_(of.computed.size()),
        lists_(of.lists.size()),
        joined_(of.joined.size()),
        sites_(of.sites.size()),
        modules_(of.modules.size()),
        filters_(of.filters.size()) {}
  void Restore(LoweredQuery* to) const {
    to->computed.resize(computed_);
    to->lists.resize(lists_);
    to->joined.resize(joined_);
    to->sites.resize(sites_);
    to->modules.resize(modules_);
    to->filters.resize(filters_);
  }
  size_t sites() const { return sites_; }

 private:
  size_t computed_;
  size_t lists_;
  size_t joined_;
  size_t sites_;
  size_t modules_;
  size_t filters_;
};

class Lowering {
 public:
  Lowering(const LoweringOptions& options, LoweredQuery* out) : options_(options), out_(out) {}

  // --- queries (lower_query.cc) ---
  Status Outermost(const BoundQuery& query, std::string* sql);
  Status Query(const BoundQuery& query, bool without_limit, std::string* sql);
  // Without WITH.
  Status OrderedCore(const BoundQuery& query, bool without_limit, std::string* sql);
  // Without LIMIT.
  Status Ordered(const BoundQuery& query, std::string* sql);
  Status Core(const BoundQuery& query, std::string* sql);
  // Whether a column of the expression is none of the select's tables.
  bool ReadsOuterColumn(const BoundExpr& expr, const BoundSelect& select) const;
  // What the query orders or groups by and SQLite would not understand there.
  std::vector<const BoundExpr*> OuterKeys(const BoundQuery& query) const;
  Status OrderedOutside(const BoundQuery& query, std::vector<const BoundExpr*> keys,
                        std::string* sql);
  // Lowers a part of the select, whose tables it may name.
  Status Within(const BoundSelect& select, const std::function<Status()>& lower);
  // `keys`: columns k0, k1 … after the items.
  Status Select(const BoundSelect& select, std::span<const BoundExpr* const> keys,
                std::string* sql);
  Status SelectItems(const BoundSelect& select, std::span<const BoundExpr* const> keys,
                     const BoundCte* depth_of, std::string* sql);
  // The text by which a client is shown the item of the outermost select; null: it is its value.
  BoundPtr ShownItem(const BoundSelect& select, size_t item);
  // SELECT and the items.
  Status Items(const BoundSelect& select, std::string* sql);
  // With what the conditions imply, and with the shares of rows that pass them.
  Status Where(const BoundSelect& select, std::string* sql);
  Status FromAndWhere(const BoundSelect& select, std::string* sql);
  Status SelectTail(const BoundSelect& select, std::span<const BoundExpr* const> keys,
                    std::string* sql);
  Status SetOperation(const BoundSetOperation& operation, std::string* sql);
  Status UnionAll(std::span<const BoundQuery* const> arms, std::string* sql);
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

  // --- groups by hash (lower_grouped.cc) ---
  // Whether the query's select groups rows in a way that a hash can do.
  bool MayHash(const BoundQuery& query) const;
  bool IsHashed(const BoundSelect& select) const;
  // The query without its LIMIT; *done is false when it must be lowered as it stands.
  Status Grouped(const BoundQuery& query, bool* done, std::string* sql);
  // The column that stands for the expression where groups are; empty: none does.
  std::string GroupedColumn(const BoundExpr& expr);

  // --- expressions (lower_expr.cc) ---
  Status Expr(const BoundExpr& expr, std::string* sql);
  // With its collation attached, for places that compare: DISTINCT, ORDER BY, GROUP BY.
  Status Comparable(const BoundExpr& expr, std::string* sql);
  Status Convert(const BoundConvert& convert, std::string* sql);
  Status Function(const BoundFunction& call, std::string* sql);
  Status Compare(const BoundCompare& compare, std::string* sql);
  Status Case(const BoundCase& node, std::string* sql);
  // What of a CASE's ELSE is a CASE again and can be said in the same one; nullptr: nothing.
  const BoundCase* NextCase(const BoundCase& node);
  Status In(const BoundIn& in, std::string* sql);
  // For the planner: the values, where they are constants.
  void NoteList(const BoundExpr& compared, std::span<const BoundPtr> values);
  void NoteAlternatives(const BoundLogical& logical);
  // Of `side = other`, for LoweredQuery::joined.
  void NoteJoin(const BoundExpr& side, const BoundExpr& other);
  Status Aggregate(const BoundAggregate& aggregate, std::string* sql);
  static void Anchor(const BoundAggregate& aggregate, std::string* sql);
  // `args`: the aggregate's own arguments, then what its rows are ordered by.
  static AggregateSpec SpecOf(const BoundAggregate& aggregate, std::vector<BoundPtr>* args);
  Status Window(const BoundWindow& window, std::string* sql);
  Status Joined(const std::vector<BoundPtr>& parts, size_t begin, size_t end,
                std::string_view between, std::string* sql);
  Status Call(CallSite site, std::string_view name, const std::vector<BoundPtr>& args,
              std::string* sql);
  // --- subqueries in expressions (lower_subquery.cc) ---
  Status Exists(const BoundQuery& query, std::string* sql);
  Status InSubquery(const BoundInSubquery& in, std::string* sql);
  Status ScalarSubquery(const BoundScalarSubquery& subquery, std::string* sql);
  // A query of one row and column; error 1242 when it has more rows.
  Status OneValue(const BoundScalarSubquery& subquery, std::string* sql);
  // The subquery with its values kept; *done is false when it must be lowered as it stands.
  Status KeptValue(const BoundScalarSubquery& subquery, bool* done, std::string* sql);

  // --- calls within calls (lower_calls.cc) ---
  // The site of a call whose value depends on its arguments alone; nothing for all other
  // expressions.
  std::optional<CallSite> SiteOf(const BoundExpr& expr);
  // Whether a call within a call is best made with it. `in_constant`: that one reads no column.
  bool IsInner(const BoundExpr& expr, bool in_constant);
  // The steps to `args` and what SQLite must give; no steps when that is `args`.
  Status Steps(const std::vector<BoundPtr>& args, std::vector<CallStep>* steps,
               std::vector<BoundPtr>* given);
  Status AddSteps(const std::vector<BoundPtr>& args, bool in_constant, std::vector<CallStep>* steps,
                  std::vector<BoundPtr>* given);
  // Arithmetic of SQLite's own, without parentheses of its own.
  Status Arithmetic(const BoundFunction& call, std::string* sql);

  // --- conditions that cursors test (lower_filter.cc) ---
  // Moves to filters of their tables those of the conjuncts that cost the machine a call for each
  // row; `texts` are what the statement has to say instead.
  Status TakeFilters(const BoundSelect& select, std::vector<BoundPtr>* conjuncts,
                     std::vector<std::string>* texts);
  using FiltersByTable = std::map<uint32_t, RowFilter>;  // by BoundTable::id
  // False when the conjunct is none that a cursor of one of the tables can test.
  Result<bool> AddTest(const std::vector<const BoundTable*>& tables, const BoundPtr& conjunct,
                       FiltersByTable* filters);
  // The steps to a condition over columns of one table; false where there are none.
  Result<bool> ConditionSteps(const BoundPtr& condition, RowFilter::Condition* to);

 private:
  // The name for one way of reading a table.
  std::string ModuleOf(const BoundTable& table) const;

  const LoweringOptions options_;
  LoweredQuery* out_;
  const BoundQuery* outermost_ = nullptr;  // whose rows a client is shown
  // The recursive table whose arms are being lowered, when they count rounds.
  const BoundCte* depth_of_ = nullptr;
  bool in_recursive_cte_ = false;  // directly: not in a query inside it

  // A query that is a statement of its own: what it takes from the one around it.
  struct OwnStatement {
    bool is_bound = false;    // to the parameters, which are no arguments then
    size_t outer_tables = 0;  // of `shown_`: not its own
    size_t outer_ctes = 0;    // of `defined_`
    std::vector<BoundPtr> args;
    std::vector<const BoundCte*> ctes;
    std::string cte_sql;
  };
  // Lowers what `lower` lowers as a statement of its own.
  Status AsOwnStatement(OwnStatement* own, const std::function<Status(std::string*)>& lower,
                        std::string* sql);

  // A select whose groups a hash makes: what the select wants of its rows and groups.
  struct GroupedSelect {
    const BoundSelect* select = nullptr;
    std::string alias;
    Grouping grouping;
    std::vector<BoundPtr> inputs;   // Grouping::inputs
    std::vector<BoundPtr> outputs;  // Grouping::outputs
  };
  static std::string OutputColumn(GroupedSelect* grouped, const BoundPtr& expr);
  Status GroupedParts(const BoundQuery& query, GroupedSelect* grouped, std::string* items,
                      std::string* rest);
  Status GroupedRows(GroupedSelect* grouped, std::string* sql);

  OwnStatement* own_statement_ = nullptr;
  // The select around what is being lowered, when its groups are there and its rows are not.
  GroupedSelect* grouped_ = nullptr;
  // That one and those around it.
  std::vector<GroupedSelect*> groupings_;
  size_t groups_ = 0;  // computed tables of groups so far
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
  const BoundSelect* select_ = nullptr;  // that is being lowered
  const BoundFrom* from_ = nullptr;      // of the select whose FROM is being lowered
  bool in_call_ = false;                 // in the arguments of a computed table
};

std::string TableAlias(const BoundTable& table);
// What an aggregated select without tables reads: one row.
inline const std::string kNoTable = "o";
std::string CteName(const BoundCte& cte);
// As an identifier.
std::string Quoted(std::string_view name);
bool Contains(const BoundFrom& from, const BoundTable* table);
// ` COLLATE "name"` where a comparison of the expression needs it; empty otherwise.
std::string CollateSuffix(const BoundExpr& expr);
// The same where the expression stands for a value alone, without a declared collation.
std::string ValueCollateSuffix(const BoundExpr& expr);
// The literal as a register of its type gives it back.
Result<row::Value> AsRead(const BoundLiteral& literal);
// Whether a conversion leaves the register as it is.
bool KeepsRegister(const row::Type& from, const row::Type& to);

}  // namespace borealis::sql
