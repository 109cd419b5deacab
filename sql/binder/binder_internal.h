// The binder's working parts, shared by its source files only.
//
// One StatementBinder binds one statement. It walks the syntax tree with a chain of Scopes, one per
// query block, innermost last. Errors leave the tree half built; it is thrown away.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mysql_error.h"
#include "base/result.h"
#include "sql/ast/expr.h"
#include "sql/ast/print.h"
#include "sql/ast/query.h"
#include "sql/ast/stmt.h"
#include "sql/binder/binder.h"
#include "sql/binder/query.h"
#include "sql/binder/typed.h"

namespace borealis::sql {

// Which part of a query block is being bound: decides what may stand there and what errors say.
enum class Clause : uint8_t {
  kFieldList,
  kFrom,  // arguments of table functions
  kOn,
  kWhere,
  kGroupBy,
  kHaving,
  kOrderBy,
  kWindow,
  kLimit,
  kValues,
  kAssignment,
  kWindowPartition,
};
// "field list", "where clause", … as MySQL's messages name them.
std::string_view ClauseName(Clause clause);
inline bool IsOfWindow(Clause clause) {
  return clause == Clause::kWindow || clause == Clause::kWindowPartition;
}

// A column that a name or * can mean; after USING and NATURAL one entry stands for several.
struct ScopeColumn {
  std::string name;
  BoundPtr expr;
  // Tables that qualify it; the first is the one whose alias the client is shown.
  std::vector<const BoundTable*> tables;
  size_t column = 0;    // position in tables[0]
  bool hidden = false;  // not part of *
};

// What FROM brings into view, in the order of *.
struct ScopeTables {
  std::vector<const BoundTable*> tables;
  std::vector<ScopeColumn> columns;
};

// What a select item is, for whoever writes the query down.
struct ItemSource {
  const Expr* expr = nullptr;    // null: a column that * stands for
  ResolvedNames::Column column;  // then: which
};

// Of these CREATE VIEW asks one for what its query shows.
inline constexpr PrivilegeSet kSomeUseOfRows = {Privilege::kSelect, Privilege::kInsert,
                                                Privilege::kUpdate, Privilege::kDelete};

struct Scope {
  Scope* outer = nullptr;
  BoundQuery* query = nullptr;
  BoundSelect* select = nullptr;
  ScopeTables from;
  Clause clause = Clause::kFieldList;
  // Depth of aggregate calls around the expression being bound.
  int in_aggregate = 0;
  // The window whose parts are being bound, and the depth of windowed calls around the expression.
  const WindowSpec* in_window = nullptr;
  int in_window_call = 0;
  // One of these is needed on each table of FROM, or on a column of it.
  PrivilegeSet from_needs = {Privilege::kSelect};
  // One of these is needed on a column that is an item by itself.
  PrivilegeSet shown_needs = {Privilege::kSelect};
  // Set, per item, while a merged view is bound: what may not be read is noted, not refused.
  std::vector<bool>* unreadable_items = nullptr;
  // Of UPDATE and DELETE: no aggregate belongs to it.
  bool changes_rows = false;
  // Set by the first aggregate of this block.
  bool has_aggregate = false;
  bool has_group_by = false;
  bool rollup = false;
  // Set by the first GROUPING().
  bool has_grouping = false;
  // Items of the select list that are bound already, for aliases.
  bool items_bound = false;
  std::vector<ItemSource> item_sources;  // per item; kept when names are asked for
  const SelectCore* core = nullptr;
  const std::vector<NamedWindow>* named_windows = nullptr;
  // Conditions and order of merged views of FROM.
  BoundPtr view_condition;
  std::vector<BoundOrder> view_order;
  // Besides `from`: the left sides of the joins that are being bound, for lateral tables.
  std::vector<const ScopeTables*> earlier;
  bool lateral = false;  // surrounds a lateral table
  // Within the inner side of an outer join.
  int in_inner_side = 0;
  // Common table expressions visible from here.
  std::vector<std::shared_ptr<BoundCte>> ctes;
  // ON DUPLICATE KEY UPDATE: what VALUES(column) means.
  const BoundTable* proposed = nullptr;
  // An expression for a column of `table` to be used instead of it (UPDATE: values assigned
  // before).
  std::function<BoundPtr(const BoundTable*, uint32_t column)> replace;
};

// An aggregate whose arguments are being bound. Blocks are told by their depth (DepthOf).
struct AggregateCall {
  AggregateCall* around = nullptr;
  const Scope* scope = nullptr;  // where it stands
  // The innermost block whose columns the arguments name, and the innermost that an aggregate in
  // them belongs to; -1: none.
  int columns = -1;
  int aggregates = -1;
};

// An operand of a comparison: a value, a row of values, or a subquery of several columns.
struct RowOperand {
  size_t width = 1;
  std::vector<BoundPtr> values;  // with those of rows within the row
  std::shared_ptr<BoundQuery> query;
};

struct FunctionOptions;
struct JsonTableField;
struct JsonTableLevel;

// The names under which an INSERT may name the table's columns, and which columns they are.
struct InsertNames {
  std::vector<std::string> names;
  std::vector<uint32_t> columns;
  // Of them, those that stand for all when none are named.
  std::vector<uint32_t> all;

  std::optional<uint32_t> Find(std::string_view name) const;
};

// How many scopes are around it.
int DepthOf(const Scope* scope);

// DEFAULT without a column.
bool IsBareDefault(const Expr& expr);
// 3105 for a generated column.
Status RefuseGenerated(const TableDescriptor& table, uint32_t column);
// A table that the statement changes, as errors tell of it.
struct ChangedTable {
  const TableDescriptor& table;
  std::string_view name;  // as the statement calls it, or the view that it is part of
  const TableDescriptor* view = nullptr;  // that view
  std::string_view operation;
};
ChangedTable InsertedInto(const BoundInsert& insert);
// The table through which a subquery of `expr` reads rows of `table`, as the subquery has it; null:
// none does. Derived tables are read before anything is changed.
const BoundTable* FindReading(const BoundExpr& expr, const TableDescriptor& table);
// 1093, through views 1443, when a subquery of `expr` reads the table.
Status RefuseReadingTarget(const BoundExpr& expr, const ChangedTable& changed);
// Whether rows of the merged view are rows of its tables, to be changed there.
bool IsUpdatable(const BoundTable& view);
// 1288 for a derived table, and a view that is not updatable.
Status CheckUpdatable(const BoundTable& named, std::string_view operation);

// The table, or those that a merged view reads.
std::vector<const BoundTable*> BaseTablesOf(const BoundTable& table);

class StatementBinder {
 public:
  StatementBinder(const BindInput& input, StatementFacts* facts);

  // --- queries (bind_query.cc) ---
  Result<std::shared_ptr<BoundQuery>> BindQueryExpr(const Query& query, Scope* outer);
  // Binds a body into `query`.
  Status BindBody(const QueryBody& body, const Query* owner, BoundQuery* query, Scope* outer);
  Status BindSetOperation(const SetOperation& operation, const Query* owner, BoundQuery* query,
                          Scope* outer);
  Status BindValues(const ValuesCore& values, BoundQuery* query, Scope* outer);
  Status BindLimit(const LimitClause& limit, BoundQuery* query, Scope* scope);
  Status BindWith(const WithClause& with, BoundQuery* query, Scope* scope);
  // --- WITH RECURSIVE (bind_recursive.cc) ---
  // Errors: 3573, 3574, 4114, when it may not name itself where it does.
  static Result<bool> IsRecursive(const WithClause& with, const CommonTableExpr& cte);
  Status BindRecursiveCte(const CommonTableExpr& cte, std::shared_ptr<BoundCte> bound,
                          Scope* scope);
  Status ApplyLocking(const Query& query, BoundQuery* bound);
  // Gives each column of `query` the type of the same number in `types`, by conversion.
  Status ConvertColumns(BoundQuery* query, const std::vector<row::Type>& types,
                        const std::vector<Coercibility>& coercibilities);

  // --- changes (bind_dml.cc) ---
  Result<std::unique_ptr<BoundInsert>> Insert(const InsertStmt& statement);
  Result<std::unique_ptr<BoundLoad>> Load(const LoadDataStmt& statement);
  Result<std::unique_ptr<BoundUpdate>> Update(const UpdateStmt& statement);
  // What the assignments of an UPDATE change.
  struct Changes {
    struct Assigned {
      const BoundTable* table;
      uint32_t column;
      BoundPtr value;  // null: DEFAULT
    };
    std::vector<Assigned> assigned;
    std::vector<const BoundTable*> targets;
    // Views that are named by assignments, and the tables that these change.
    std::vector<std::pair<const BoundTable*, const BoundTable*>> views;
  };
  // `left_to_right`: each assignment sees what those before it gave.
  Status BindAssignments(const UpdateStmt& statement, bool left_to_right, Scope* scope,
                         Changes* changes);
  Status FindChanged(const UpdateStmt& statement, Scope* scope, Changes* changes);
  Status BindAssigned(const Expr& expr, Scope* scope, Changes::Assigned* assigned);
  // 1093, 1175 and 1706: what UPDATE refuses to do to these targets.
  Status CheckUpdate(const UpdateStmt& statement, const Changes& changes,
                     const BoundExpr* where) const;
  Result<BoundChangeTarget> MakeUpdateTarget(const BoundTable* table, const Changes& changes,
                                             BoundSelect* select);
  Result<std::unique_ptr<BoundDelete>> Delete(const DeleteStmt& statement);
  Status OpenInsertTarget(const InsertStmt& statement, BoundInsert* insert, ScopeTables* tables,
                          InsertNames* names);
  // --- through views (bind_view_change.cc)
  Status OpenInsertView(const InsertStmt& statement, BoundInsert* insert, ScopeTables* tables,
                        InsertNames* names);
  Result<BoundViewCheck> CheckOfView(const BoundTable& view, const BoundTable& target);
  Result<const BoundColumn*> FindAssigned(const ColumnRef& ref, const Scope& scope,
                                          BoundPtr* bound);
  Result<const BoundTable*> FindDeleted(const BoundTable& named);
  Status AddViewChecks(const std::vector<std::pair<const BoundTable*, const BoundTable*>>& views,
                       const BoundTable* table, BoundSelect* select, BoundChangeTarget* target);
  // --- the rows of VALUES (bind_value_rows.cc)
  Status BindValueRows(const InsertStmt& statement, Scope* scope, BoundInsert* insert);
  Status BindValueCell(const ValueCell& cell, uint32_t column, Scope* scope, BoundInsert* insert);
  Status BindOnDuplicate(const InsertStmt& statement, const InsertNames& names, Scope* scope,
                         BoundInsert* insert);
  Status TakeFromQuery(BoundInsert* insert);
  Status FreeSubqueries(BoundInsert* insert) const;
  // --- LOAD DATA (bind_load.cc)
  Result<uint32_t> FindLoaded(const ColumnRef& ref, const QualifiedName& table,
                              const InsertNames& names) const;
  Status BindLoadAssignments(const LoadDataStmt& statement, Scope* scope, BoundLoad* load);
  Status CheckSafeChange(const BoundTable& table, const BoundExpr* where, bool limited) const;
  void LockForChange(const std::vector<const BoundTable*>& targets, BoundQuery* query);
  // Position of the item that is the table's handle; added when missing.
  uint32_t AddHandleItem(const BoundTable* table, BoundSelect* select);
  // The query that finds the rows to change: WITH and the tables first, then (FinishChangeQuery)
  // what says in which order and how many.
  Status StartChangeQuery(const WithClause* with, const std::vector<TableRefPtr>& tables,
                          BoundQuery* query, Scope* with_scope, Scope* scope);
  Status FinishChangeQuery(const std::vector<OrderItem>& order_by,
                           const std::optional<LimitClause>& limit, Scope* scope,
                           BoundQuery* query);

  // --- one SELECT (bind_select.cc) ---
  Status BindSelect(const SelectCore& core, const Query* owner, BoundQuery* query, Scope* outer);
  Status BindItems(const SelectCore& core, Scope* scope, BoundSelect* select);
  Status ExpandWildcard(const SelectItem& item, Scope* scope, BoundSelect* select);
  Status BindGroupBy(const SelectCore& core, Scope* scope, BoundSelect* select);
  // Errors for aggregates: 3029 where the rows are not grouped, 3028 of a set operation.
  Status BindOrderBy(const std::vector<OrderItem>& items, Scope* scope, BoundSelect* select,
                     std::vector<BoundOrder>* out, bool of_set_operation = false);
  // The number of the item that an unqualified name means; nothing when none. Error 1052.
  Result<std::optional<size_t>> FindItem(const ColumnRef& ref, const Scope& scope) const;
  // The item that an unqualified name or a position of GROUP BY or ORDER BY means; null when none.
  Result<const BoundItem*> FindOrderTarget(const Expr& expr, Scope* scope, BoundSelect* select);
  Status CheckGrouping(const SelectCore& core, const Scope& scope, const BoundSelect& select,
                       const std::vector<BoundOrder>& order_by);
  std::string ItemName(const Expr& expr, Span span) const;
  ResultColumn DescribeItem(const BoundPtr& expr, std::string name) const;
  static ResultColumn DescribeViewColumn(const BoundTable& view, size_t column, std::string name);

  // --- WITH ROLLUP, GROUPING() (bind_rollup.cc) ---
  Result<BoundPtr> BindGrouping(const FunctionCall& expr, Scope* scope);
  // Once everything of a grouped block is bound: makes of it what the machine can group.
  Status FinishGrouping(const SelectCore& core, const Scope& scope, BoundQuery* query);
  Status ExpandRollup(BoundQuery* query);
  Status SeparateGroups(BoundQuery* query);
  // --- RANGE frames over months (bind_month_frames.cc) ---
  Status SeparateMonthFrames(BoundQuery* query);

  // --- FROM (bind_from.cc) ---
  Result<std::unique_ptr<BoundFrom>> BindFrom(const std::vector<TableRefPtr>& refs, Scope* scope);
  Result<std::unique_ptr<BoundFrom>> BindTableRef(const TableRef& ref, Scope* scope,
                                                  ScopeTables* tables);
  Result<std::unique_ptr<BoundFrom>> BindNamedTable(const TableRefName& ref, Scope* scope,
                                                    ScopeTables* tables);
  Result<std::unique_ptr<BoundFrom>> BindDerivedTable(const DerivedTable& ref, Scope* scope,
                                                      ScopeTables* tables);
  Result<std::unique_ptr<BoundFrom>> BindJsonTable(const JsonTable& ref, Scope* scope,
                                                   ScopeTables* tables);
  Status BindJsonColumns(const std::vector<JsonTableColumn>& columns, BoundTable* table,
                         JsonTableSpec* spec, JsonTableLevel* level);
  Result<row::Type> JsonColumnType(const JsonTableColumn& column);
  // The value of DEFAULT '…' ON EMPTY or ON ERROR, which is JSON.
  Result<row::Value> JsonColumnDefault(const JsonOn& on, const JsonTableField& field);
  // What a table in FROM sees: the enclosing queries and, if it is lateral, the tables before it.
  static Scope ScopeOfTable(Scope* scope, bool lateral);
  // The two sides of a join, in the order in which lateral tables may depend on each other.
  Status BindSides(const JoinedTable& ref, Scope* scope, std::unique_ptr<BoundFrom>* left,
                   ScopeTables* left_tables, std::unique_ptr<BoundFrom>* right,
                   ScopeTables* right_tables);
  Result<std::unique_ptr<BoundFrom>> BindJoin(const JoinedTable& ref, Scope* scope,
                                              ScopeTables* tables);
  // Views (bind_view.cc): as part of the query around it where that is possible, else as a derived
  // table.
  Result<std::unique_ptr<BoundFrom>> BindView(const TableRefName& ref, const TablePtr& view,
                                              Scope* scope, ScopeTables* tables);
  Result<std::unique_ptr<BoundFrom>> BindViewQuery(const TableRefName& ref, const TablePtr& view,
                                                   const Query& query, Scope* scope,
                                                   ScopeTables* tables);
  // Null when it cannot be merged where it stands.
  Result<std::unique_ptr<BoundFrom>> MergeView(const Query& query, BoundTable* table, Scope* scope);
  Result<std::unique_ptr<BoundFrom>> DeriveView(const Query& query, BoundTable* table);
  // Joins on equal columns; `on` gets the condition, `merged` the columns in view.
  Status MergeColumns(const JoinedTable& ref, const ScopeTables& left, const ScopeTables& right,
                      BoundPtr* on, ScopeTables* merged);
  BoundTable* NewTable(BoundQuery* query, BoundTableKind kind, std::string alias);
  void AddDerivedColumns(const std::vector<ResultColumn>& columns, BoundTable* table);
  void AddDerivedColumns(const BoundQuery& query, BoundTable* table);
  void ExposeTable(const BoundTable* table, ScopeTables* tables);
  // A column of a table in FROM: what a merged view has for it.
  static BoundPtr TableColumn(const BoundTable* table, size_t column);
  Status CheckUniqueAliases(const ScopeTables& tables) const;
  Status ApplyIndexHints(const TableRefName& ref, BoundTable* table);

  // --- what the session may do (access.cc) ---
  // Null: everything.
  const SecurityContext* Security() const;
  Status DeniedTable(std::string_view what, std::string_view table) const;
  // `any` of these on the table or on one of its columns; asked before the table is looked for.
  // Error: 1142, naming the first.
  Status CheckTable(std::string_view schema, std::string_view table, PrivilegeSet any) const;
  // All of these. Error: 1142, naming those that lack.
  Status CheckTableHasAll(std::string_view schema, std::string_view table, PrivilegeSet all) const;
  // Notes in a new occurrence of a table or view who names it, and whether its columns are to be
  // checked.
  void NoteAccess(BoundTable* table) const;
  // Before a table is looked up that a statement names. A temporary one may be used in every way by
  // the session whose it is, but only once in a statement (1137), and no view is made of it (1352).
  // False: it is none, and privileges are to be asked for.
  Result<bool> EnterTemporary(std::string_view schema, std::string_view name,
                              std::string_view alias);
  Status OpenTemporary(const TemporaryUse& use);
  // Each use of a common table expression opens anew what it reads.
  Status OpenTemporaryOf(const BoundCte& cte);
  // On the table or view, or on one of its columns: 1142.
  Status CheckOccurrence(const BoundTable& table, Privilege privilege) const;
  // Error: 1143.
  Status CheckColumn(const BoundTable& table, size_t column, PrivilegeSet any) const;
  // SELECT on what a name turned out to mean; nothing for derived tables, or null. Errors: 1143;
  // 1356 when the view's column shows what may not be read.
  Status CheckRead(const BoundTable* table, size_t column) const;
  // The same of a column that * stands for: 1142, since the statement does not name it.
  Status CheckReadByWildcard(const BoundTable& table, size_t column) const;
  // A change of `target` through `named`: what is beneath a view is asked too. Error: 1356.
  Status CheckBelow(const BoundTable& named, const BoundTable& target,
                    std::optional<uint32_t> column, Privilege privilege) const;
  // The column of `table`, the target itself or a view over it, that is the target's `column`.
  // REQUIRES: there is one.
  static size_t ColumnShowing(const BoundTable& table, const BoundTable& target, uint32_t column);
  // INSERT into the named columns, DELETE beneath a view for REPLACE.
  Status CheckInsertAccess(const InsertStmt& statement, const BoundInsert& insert,
                           const BoundTable& named) const;
  // FOR UPDATE of what the statement itself names: 1142.
  Status CheckLockingAccess(const BoundTable& table) const;

  // --- names (bind_names.cc) ---
  Result<BoundPtr> BindColumnRef(const ColumnRef& ref, Scope* scope);
  // In one scope's tables; null when it is not there. Error 1052.
  Result<BoundPtr> FindInTables(const ColumnRef& ref, const Scope& scope) const;
  Result<BoundPtr> FindInItems(const ColumnRef& ref, const Scope& scope) const;
  // Of those that are written before the one that is being bound. Error 1247 for a later one.
  BoundPtr FindInGroups(const ColumnRef& ref, const Scope& scope) const;
  // 1052: an item and a column of FROM have the name; the column is meant.
  void WarnOfTwoMeanings(const ColumnRef& ref, const Scope& scope);
  Result<BoundPtr> FindInEarlierItems(const ColumnRef& ref, const Scope& scope) const;
  // Where a name of HAVING may be found, besides the select list.
  Result<BoundPtr> FindForHaving(const ColumnRef& ref, const Scope& at, const Scope& from) const;
  // What the name in `from`, found in the block `at`, says of the blocks and aggregates between.
  Status NoteUse(const ColumnRef& ref, const BoundExpr& found, Scope* from, Scope* at);
  // For BindInput::names.
  static ResolvedNames::Column NameOf(const BoundTable& table, std::string_view column);
  void NoteColumn(const ColumnRef& ref, ResolvedNames::Column column) const;
  void NoteItemReference(const ColumnRef& ref, const Scope& scope, size_t item) const;
  Status UnknownColumn(const ColumnRef& ref, Clause clause) const;

  // --- expressions (bind_expr.cc and others) ---
  Result<BoundPtr> BindExpr(const Expr& expr, Scope* scope);
  // As a truth value (INV-BIND-2).
  Result<BoundPtr> BindCondition(const Expr& expr, Scope* scope);
  // What IF and CASE choose by: JSON is a number there.
  Result<BoundPtr> BindChoice(const Expr& expr, Scope* scope);
  Result<std::vector<BoundPtr>> BindExprs(const std::vector<ExprPtr>& exprs, Scope* scope);
  Result<BoundPtr> BindLiteral(const Literal& literal);
  Result<BoundPtr> BindTemporalLiteral(const Literal& literal);
  Result<BoundPtr> BindParameter(const Parameter& parameter);
  Result<BoundPtr> BindUnary(const Unary& expr, Scope* scope);
  Result<BoundPtr> BindBinary(const Binary& expr, Scope* scope);
  Result<BoundPtr> BindLogical(const Logical& expr, Scope* scope);
  Result<BoundPtr> BindIs(const IsExpr& expr, Scope* scope);
  Result<BoundPtr> BindCase(const CaseExpr& expr, Scope* scope);
  Result<BoundPtr> BindCast(const Cast& expr, Scope* scope);
  Result<BoundPtr> AtTimeZone(BoundPtr operand, std::string_view zone);
  Result<BoundPtr> BindCollate(const Collate& expr, Scope* scope);
  std::string NameAsWritten(const FunctionCall& expr) const;
  Result<BoundPtr> BindFunctionCall(const FunctionCall& expr, Scope* scope);
  // LIKE, REGEXP, EXTRACT, TRIM, interval arithmetic, CONVERT USING, JSON_VALUE.
  Result<BoundPtr> BindSpecialFunction(const Expr& expr, Scope* scope);
  Result<BoundPtr> MakeBenchmark(BoundPtr count, const BoundPtr& expr);
  Result<BoundPtr> BindNameConst(const FunctionCall& expr, Scope* scope);
  Result<BoundPtr> BindOperator(BinaryOp op, BoundPtr left, BoundPtr right);
  Result<BoundPtr> BindDefault(const DefaultExpr& expr, Scope* scope);
  Result<BoundPtr> BindInsertValue(const InsertValue& expr, Scope* scope);
  Result<BoundPtr> BindSystemVariable(const SystemVariable& expr);
  Result<BoundPtr> BindUserVariable(const UserVariable& expr);
  Result<BoundPtr> BindAssignVariable(const VariableAssignment& expr, Scope* scope);
  Result<BoundPtr> BindInList(const InList& expr, Scope* scope);
  void DropNoDates(const BoundExpr& operand, std::vector<std::vector<BoundPtr>>* items);
  Result<BoundPtr> BindBetween(const Between& expr, Scope* scope);
  Result<BoundPtr> BindScalarSubquery(const Subquery& expr, Scope* scope);
  // A subquery of any number of columns that stands for a row of them.
  Result<std::vector<BoundPtr>> BindRowSubquery(const Subquery& expr, Scope* scope);
  Result<BoundPtr> BindInSubquery(const InSubquery& expr, Scope* scope);
  Result<BoundPtr> BindExists(const Exists& expr, Scope* scope);
  Result<BoundPtr> BindQuantified(const Quantified& expr, Scope* scope);
  // `value` op ANY of the column, as an expression of aggregates over the column's rows in `owner`.
  Result<BoundPtr> AnyOf(CompareOp op, const BoundPtr& value,
                         const std::shared_ptr<BoundColumn>& column, const BoundSelect* owner);
  Result<BoundPtr> InQuery(std::vector<BoundPtr> left, std::shared_ptr<BoundQuery> query,
                           bool negated);
  Result<BoundPtr> BindAggregate(const Aggregate& expr, Scope* scope);
  Result<BoundPtr> BindGroupAggregate(const Aggregate& expr, Scope* scope);
  Result<BoundPtr> BindWindowAggregate(const Aggregate& expr, Scope* scope);
  Status BindAggregateOrder(const Aggregate& expr, const std::vector<BoundPtr>& args, Scope* scope,
                            std::vector<BoundOrder>* order_by);
  Result<std::vector<BoundPtr>> BindWindowArguments(const std::vector<ExprPtr>& exprs,
                                                    Scope* scope);
  Result<row::Type> AggregateType(const Aggregate& expr, std::vector<BoundPtr>* args,
                                  Coercibility* coercibility);
  // The block that an aggregate belongs to. Error 1111.
  Result<Scope*> OwnerOf(const AggregateCall& call, Scope* scope) const;
  void NoteOwner(const AggregateCall& call, Scope* owner, Scope* scope);
  Status CheckRowCount(WindowFn fn, const std::vector<BoundPtr>& args) const;
  Result<BoundPtr> BindWindowFunction(const WindowFunction& expr, Scope* scope);

  // --- windows (bind_window.cc) ---
  Status BindWindowSpec(const WindowSpec& spec, Scope* scope, BoundWindow* window);
  // What the WINDOW clause defines, used or not. REQUIRES: scope.named_windows.
  static Status CheckNamedWindows(const Scope& scope);
  // Whether `spec`, shown as `name`, may build on its base. Errors: 3579, 3581, 3582, 3583.
  static Status CheckInheritance(const Scope& scope, const WindowSpec& spec, std::string_view name);
  static std::string WindowNameOf(const WindowSpec& spec);
  // The parts of a window's base, then its own. `name` is the window's in messages.
  Status BindWindowParts(const WindowSpec& spec, std::string_view name, Scope* scope,
                         BoundWindow* window);
  Result<BoundPtr> BindWindowKey(const Expr& expr, std::string_view name, Scope* scope);
  // Binds what the WINDOW clause defines, for its errors: OVER binds what it uses.
  Status BindNamedWindows(Scope* scope);
  // What rows are sorted by in place of `key`. `function`: of JSON ("json sort key", "json
  // partition key").
  Result<BoundPtr> SortKey(BoundPtr key, std::string_view function);
  Status SortByKeys(std::vector<BoundOrder>* order_by);
  Status BindFrame(const WindowFrame& frame, std::string_view name, Scope* scope,
                   BoundWindow* window);
  Status BindRowsOffset(const FrameBound& from, std::string_view name, Scope* scope,
                        BoundFrameBound* to);
  Status BindNumberFrame(const WindowFrame& frame, std::string_view name, Scope* scope,
                         BoundWindow* window);
  Status BindIntervalFrame(const WindowFrame& frame, std::string_view name, Scope* scope,
                           BoundWindow* window);
  Result<TypedValue> FrameOffset(const Expr& written, std::string_view name, Scope* scope);
  Result<BoundPtr> RangePosition(BoundPtr key, const row::Type& measured_in);
  Result<int64_t> IntervalMicros(TypedValue amount, row::IntervalUnit unit);

  // --- comparison (bind_compare.cc) ---
  // a op b with every conversion that MySQL's rules ask for; constants go to the column's type.
  Result<BoundPtr> Compare(CompareOp op, BoundPtr a, BoundPtr b);
  Status CheckDateText(const BoundPtr& text, const row::Type& with);
  // --- JSON (bind_json.cc) ---
  Result<BoundPtr> CompareJson(CompareOp op, BoundPtr a, BoundPtr b);
  // An operand of a comparison with JSON, as JSON.
  Result<BoundPtr> AsJson(BoundPtr expr);
  // Truth values among the arguments of a function that makes JSON of them, as JSON booleans.
  Status MarkJsonBooleans(std::string_view function, std::vector<BoundPtr>* args);
  Result<BoundPtr> BindJsonValue(const JsonValue& expr, Scope* scope);
  Result<row::Value> JsonDefault(const JsonOn& on, const row::Type& type, Scope* scope);
  // The same for rows of expressions.
  Result<BoundPtr> CompareRows(CompareOp op, const std::vector<BoundPtr>& a,
                               const std::vector<BoundPtr>& b);
  // --- rows (bind_rows.cc) ---
  Result<BoundPtr> BindComparison(CompareOp op, const Expr& a, const Expr& b, Scope* scope);
  // The values of a row, of rows within it too; or the one that the expression is.
  Result<std::vector<BoundPtr>> BindRowOperand(const Expr& expr, Scope* scope);
  Result<RowOperand> BindComparand(const Expr& expr, Scope* scope);
  Status JoinRow(RowOperand* operand, BoundQuery* query);
  // Before expressions of the block `scope` become part of `query`, a subquery of it. Error: 1235.
  static Status MoveInto(const std::vector<BoundPtr>& values, Scope* scope, BoundQuery* query);
  // A constant in the type of the other side, when that is exact or its comparison can be said
  // exactly; null when not. May change *op (k < 5.5 is k <= 5).
  Result<BoundPtr> NarrowConstant(CompareOp* op, const row::Type& column, const BoundPtr& constant);

  // --- functions (bind_function.cc) ---
  // A function or operator of sql/functions by name.
  Result<BoundPtr> MakeFunction(std::string_view name, std::vector<BoundPtr> args);
  Result<BoundPtr> MakeFunctionWith(std::string_view name, std::vector<BoundPtr> args,
                                    const FunctionOptions& options);
  Result<BoundPtr> MakeCoalesce(std::vector<BoundPtr> args, std::string_view name);
  Result<BoundPtr> MakeCase(std::vector<BoundPtr> args, BoundCase::Form form);
  Result<BoundPtr> Truth(BoundPtr expr);
  // Replaces an expression without variable parts by its value.
  Result<BoundPtr> Fold(BoundPtr expr);

  const BindInput& input() const { return input_; }
  BinderEnvironment& environment() { return *input_.environment; }
  const SessionSettings& settings() const { return input_.environment->settings(); }
  StatementFacts* facts() { return facts_; }
  uint32_t NextId() { return next_id_++; }
  // Names of unaliased columns come from `text` while it is bound (a view has its own).
  std::string_view text() const { return text_; }

  static Status Unsupported(std::string_view construct) {
    return UserError(ER_NOT_SUPPORTED_YET, construct);
  }

 private:
  BindInput input_;
  StatementFacts* facts_;
  std::vector<TemporaryUse> temporary_;  // opened so far; within an expression of WITH, by it
  std::string_view text_;
  uint32_t next_id_ = 0;
  // Views that are being bound, outermost first.
  std::vector<TablePtr> view_stack_;
  ResolvedNames* names_ = nullptr;
  // What a column that is named now is to be allowed for: one of these.
  PrivilegeSet read_needs_ = {Privilege::kSelect};
  // While an item of a merged view is bound: set instead of an error when it may not be read.
  bool* item_unreadable_ = nullptr;
  // The table and column that a name was last found as.
  struct Found {
    const BoundTable* table = nullptr;
    size_t column = 0;
  };
  mutable Found found_;
  // INSERT … SELECT … ON DUPLICATE KEY UPDATE: the select, and what it reads if its rows are rows
  // of that.
  const SelectCore* selecting_ = nullptr;
  ScopeTables selected_;
  AggregateCall* aggregate_ = nullptr;  // the innermost whose arguments are being bound
};

// --- types (type_rules.cc)
// ------------------------------------------------------------------------

// `expr` as `type`; itself when it already has that type.
BoundPtr Convert(BoundPtr expr, const row::Type& type,
                 BoundConvert::Mode mode = BoundConvert::Mode::kImplicit);
// IF, CASE and NULLIF of numbers with different digits after the point, as text: each number shows
// its own. Null: `expr` is no such choice.
BoundPtr ChoiceAsText(const BoundPtr& expr, row::CollationId collation);
// The type of CASE, COALESCE, UNION columns and the like. `operation` is for error 1267.
Result<row::Type> CommonType(const std::vector<BoundPtr>& exprs, std::string_view operation,
                             Coercibility* coercibility);
row::Type CommonOf(const row::Type& a, const row::Type& b);
// The collation of text operands together. Columns of two collations of one character set make a
// text of its binary collation, which has no collation to be compared by (Coercibility::kNone).
// Errors 1267, 1270 and 1271 where operands do not mix.
struct MixedCollation {
  row::CollationId collation = row::CollationId{63};
  Coercibility coercibility = Coercibility::kIgnorable;
};
enum class CollationUse : uint8_t { kResult, kComparison };
Result<MixedCollation> MixCollations(const std::vector<BoundPtr>& exprs, std::string_view operation,
                                     CollationUse use);
// Constant text that meets text of a smaller character set has to be one of its texts. Errors as
// MixCollations, which looks at that as well; MySQL 9 says 3854.
Status CheckCharacters(const std::vector<BoundPtr>& exprs, row::CollationId collation,
                       std::string_view operation);
// Whether operands that are compared as texts, if they are, mix. Errors as MixCollations.
Status CheckMix(const std::vector<BoundPtr>& operands, std::string_view operation);
BoundPtr MakeLiteral(row::Type type, row::Value value,
                     Coercibility coercibility = Coercibility::kNumeric);
BoundPtr NullLiteral();
// Text and bytes of a column hold their collation; other types have none.
inline Coercibility ColumnCoercibility(const row::Type& type) {
  return type.has_collation() || type.is_binary_string() ? Coercibility::kImplicit
                                                         : Coercibility::kNumeric;
}
// A hexadecimal or bit literal as the number that it is where one is wanted; else `expr` itself.
BoundPtr HexAsNumber(const BoundPtr& expr);
// TRUE, FALSE, a comparison, a predicate: what becomes true or false in JSON, not 1 or 0.
bool IsTruthValue(const BoundExpr& expr);
// A literal, or a parameter.
bool IsFixed(const BoundExpr& expr);
// Whether registers of the two types compare as the types do.
bool SameRegisterForm(const row::Type& a, const row::Type& b);
BoundPtr AndAlso(BoundPtr a, BoundPtr b);
// REQUIRES: one column.
BoundPtr MakeScalarSubquery(std::shared_ptr<BoundQuery> query);
// Error 1241 when rows have not the same number of values, or rows within them have not.
Status CheckSameShape(const Expr& a, const Expr& b);
// Calls `visit` for the expression and everything under it (not into subqueries).
void Walk(const BoundExpr& expr, const std::function<void(const BoundExpr&)>& visit);
// The same, and what stands in subqueries.
void WalkDeep(const BoundExpr& expr, const std::function<void(const BoundExpr&)>& visit);
// Its operands; of a subquery also the expressions that it is made of.
void ForEachPart(const BoundExpr& expr, const std::function<void(const BoundExpr&)>& visit);
// An aggregate in it, or in a subquery of it.
bool HoldsAggregate(const BoundExpr& expr);
bool HoldsAggregateOf(const BoundExpr& expr, const BoundSelect* owner);
// The query of a scalar subquery, EXISTS or IN; null: the expression is none.
const BoundQuery* SubqueryOf(const BoundExpr& expr);
bool SameExpr(const BoundExpr& a, const BoundExpr& b);
// The same function over operands of the same types; false for one that varies between calls.
bool SameFunction(const BoundFunction& a, const BoundFunction& b);
// Whether MySQL could put the block, as a derived table, into the query around.
bool IsMergeable(const BoundSelect& select);
// The query of a derived table which MySQL would put into the query around; null: it keeps its rows
// in a table.
const BoundQuery* MergedQuery(const BoundTable& table);
// Fills `columns` of a query whose body is a bound SELECT. `buffered`: SQL_BUFFER_RESULT;
// `ordered`: ORDER BY is written.
void DescribeSentColumns(bool buffered, bool ordered, BoundQuery* query);
// As columns of no table but that in which MySQL keeps the rows of a whole query.
void DescribeAsKept(std::vector<ResultColumn>* columns);
// CAST's and a column's type from its written form. Errors 1425, 1426, 1427, 1439 …
Result<row::Type> CastType(const TypeName& name, const BoundExpr& operand,
                           const SessionSettings& settings);

}  // namespace borealis::sql
