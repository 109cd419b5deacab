// Syntax tree to typed tree: names, types, conversions, and every rule that MySQL checks before it
// runs a statement.
//
// What is not supported is refused here with 1235 and the construct's name. A tree that is returned
// can be executed. The binder keeps nothing between statements; parameters must be given with their
// types (and values, so that comparisons can be narrowed to a column's type).
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/accounts/security_context.h"
#include "sql/ast/query.h"
#include "sql/ast/stmt.h"
#include "sql/binder/dml.h"
#include "sql/binder/query.h"
#include "sql/binder/typed.h"
#include "sql/context/settings.h"
#include "sql/context/typed_value.h"

namespace borealis::sql {

struct CatalogEntry;
struct EvalContext;
struct ResolvedNames;

// What names mean outside the statement; the session implements it.
class BinderEnvironment {
 public:
  virtual ~BinderEnvironment() = default;
  // Current database; empty: none.
  virtual std::string_view database() const = 0;
  virtual const SessionSettings& settings() const = 0;
  // Error: 1146, 1049.
  virtual Result<CatalogEntry> FindTable(std::string_view schema, std::string_view name) = 0;
  // Whether that is a temporary table.
  virtual bool HasTemporary(std::string_view /*schema*/, std::string_view /*name*/) const {
    return false;
  }
  virtual Result<TypedValue> SystemVariable(VariableScope scope, std::string_view name) = 0;
  // Null when never set.
  virtual const TypedValue* UserVariable(std::string_view name) = 0;
  // What the statement may do, to be asked where names are resolved; null: everything.
  virtual const SecurityContext* security() const { return nullptr; }
  // Whom messages 1142 and 1143 name.
  virtual std::string security_user() const { return {}; }
  virtual std::string security_host() const { return {}; }
  // For folding constants: warnings go where the statement's go.
  virtual EvalContext& eval_context() = 0;
  // What is looked up between these is what the view is made from. With SQL SECURITY DEFINER it is
  // the view's definer who must be allowed to use it, else whoever uses the view: security() says
  // whose privileges count, and stays good until the statement has been bound. Not entered when it
  // fails. Errors, if `checked`: 1449, or 1045 to those who may not know, for lack of the definer.
  virtual Status EnterView(const TableDescriptor& /*view*/, bool /*checked*/) { return {}; }
  virtual void LeaveView() {}
};

struct BindInput {
  BinderEnvironment* environment = nullptr;
  // The statement's text, for the names of unaliased columns; spans are offsets into it.
  std::string_view text;
  std::span<const TypedValue> parameters;
  // Binding for COM_STMT_PREPARE: parameters have no values and types yet and count as NULL.
  bool describe_only = false;
  // Parameters are the variables of a stored program: their types hold whether or not they are NULL
  // now, and what is bound is good for other values of them.
  bool frame = false;
  // Leave parameters in their own types (see StatementFacts::narrowed).
  bool no_narrowing = false;
  // What the statement may do is not asked: the definition of a view is described, not used.
  bool unchecked = false;
  // The query of CREATE VIEW: for a column that an item merely shows any use of it will do.
  bool defines_view = false;
  // Set: what the names in the query mean is written here (sql/ast/print.h).
  ResolvedNames* names = nullptr;
};

Result<std::shared_ptr<BoundQuery>> BindQuery(const Query& query, const BindInput& input,
                                              StatementFacts* facts);
Result<std::unique_ptr<BoundInsert>> BindInsert(const InsertStmt& statement, const BindInput& input,
                                                StatementFacts* facts);
Result<std::unique_ptr<BoundLoad>> BindLoad(const LoadDataStmt& statement, const BindInput& input,
                                            StatementFacts* facts);
Result<std::unique_ptr<BoundUpdate>> BindUpdate(const UpdateStmt& statement, const BindInput& input,
                                                StatementFacts* facts);
Result<std::unique_ptr<BoundDelete>> BindDelete(const DeleteStmt& statement, const BindInput& input,
                                                StatementFacts* facts);

// What a view's text means now. Error: 1356 when something that it is made from is missing.
struct ViewTraits {
  bool merges = false;     // or else it is a derived table wherever it is used
  bool updatable = false;  // IS_UPDATABLE
  std::vector<row::Type> columns;
  std::vector<const ColumnDescriptor*> sources;  // per column the stored one that it shows, or null
  std::vector<TablePtr> tables;                  // all that it reads, the view itself excluded
};
Result<ViewTraits> BindViewDefinition(const TablePtr& view, const BindInput& input);

// An expression without tables: SET, DO, KILL, SIGNAL.
Result<BoundPtr> BindScalar(const Expr& expr, const BindInput& input, StatementFacts* facts);

// An expression over the columns of one table, named without qualifier or with the table's: checks,
// generated columns, defaults. `row` (kind kRow) describes the table: see MakeRowTable.
Result<BoundPtr> BindRowExpression(const Expr& expr, const BoundTable& row, const BindInput& input);
// The same as a condition.
Result<BoundPtr> BindRowCondition(const Expr& expr, const BoundTable& row, const BindInput& input);
// A kRow table with all of the table's columns, hidden ones too: value i is column i.
std::unique_ptr<BoundTable> MakeRowTable(const TablePtr& table, std::string_view alias);

}  // namespace borealis::sql
