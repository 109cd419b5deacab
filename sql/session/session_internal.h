// The session's working parts, shared by its source files only.
#pragma once

#include <algorithm>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "engine/transaction.h"
#include "row/time_zone.h"
#include "sql/binder/binder.h"
#include "sql/binder/query.h"
#include "sql/catalog/catalog.h"
#include "sql/functions/eval_context.h"
#include "sql/parser/parser.h"
#include "sql/session/session.h"
#include "sql/sqlite/machine.h"

namespace borealis::sql {

// What may end a text without being a statement of it.
inline constexpr std::string_view kSpaceAndSemicolon(" \t\r\n\v\f;\0", 8);

// Whether more than white space and comments, and semicolons at the end, stands at `from`.
bool AnotherFollows(std::string_view text, size_t from, const ParserOptions& options);

// 1064 for the statement in `text` after the one that ends at `from`.
Status NoSecondStatement(std::string_view text, size_t from);

// What MySQL's parser says of a statement that it takes.
void WarnOfSyntax(const ParsedStatement& parsed, Diagnostics* diagnostics);

// What a query was compiled to.
struct QueryPlan {
  std::shared_ptr<BoundQuery> query;
  StatementFacts facts;
  std::unique_ptr<CompiledQuery> compiled;
  uint64_t generation = 0;
  uint64_t catalog_version = 0;
  std::string database;
  std::vector<row::Type> parameter_types;
  uint64_t select_limit = 0;
};

// The plan of a query as long as that holds.
struct PlanHolder {
  std::unique_ptr<QueryPlan> plan;
  // A parameter's value could not be taken in its column's type once: not tried again.
  bool no_narrowing = false;
  bool frame = false;  // its parameters are the variables of a stored program
};

// A query as written.
struct QueryText {
  const SelectStmt& select;
  std::string_view text;
};

// A parsed statement, and for a query its plan.
struct CachedStatement {
  std::string text;  // of the statement alone
  ParsedStatement parsed;
  uint64_t generation = 0;  // settings it was parsed under
  // Known by an id or a name; plans of such statements are worth keeping.
  bool prepared = false;
  PreparedTicket ticket;
  PlanHolder query;
};

// Statements by text, the least recently used dropped first.
class StatementCache {
 public:
  static constexpr size_t kCapacity = 256;
  // Longer texts are bulk statements that will not come again.
  static constexpr size_t kMaxText = 4096;

  CachedStatement* Find(std::string_view text, uint64_t generation);
  CachedStatement* Add(std::unique_ptr<CachedStatement> statement);
  void Clear();

 private:
  using List = std::list<std::unique_ptr<CachedStatement>>;
  List statements_;  // most recent first
  std::unordered_map<std::string_view, List::iterator> by_text_;
};

// The session as the binder, the functions and the query machine see it.
class SessionContext final : public BinderEnvironment, public SessionInfo, public VariableStore {
 public:
  explicit SessionContext(Session* session) : session_(session) { eval_.session = this; }

  // At the start of a statement: time, zone and settings as they now are.
  void Refresh();
  // Within a statement: what a stored program's own settings change.
  void FollowSettings();
  // The statement has called LAST_INSERT_ID(expr), other than in a stored program.
  bool gave_insert_id() const { return gave_insert_id_; }

  // BinderEnvironment.
  std::string_view database() const override;
  const SessionSettings& settings() const override;
  Result<CatalogEntry> FindTable(std::string_view schema, std::string_view name) override;
  bool HasTemporary(std::string_view schema, std::string_view name) const override;
  Result<TypedValue> SystemVariable(VariableScope scope, std::string_view name) override;
  const TypedValue* UserVariable(std::string_view name) override;
  EvalContext& eval_context() override { return eval_; }
  Status EnterView(const TableDescriptor& view, bool checked) override;
  void LeaveView() override;
  const SecurityContext* security() const override;
  std::string security_user() const override;
  std::string security_host() const override;

  // SessionInfo.
  std::string User() const override;
  std::string CurrentUser() const override;
  std::string CurrentRole() const override;
  std::optional<std::string> Database() const override;
  uint64_t ConnectionId() const override;
  uint64_t LastInsertId() const override;
  void SetLastInsertId(uint64_t id) override;
  int64_t RowCount() const override;
  uint64_t FoundRows() const override;
  std::string Version() const override;
  void Sleep(double seconds, bool* interrupted) override;
  Status GetLock(std::string_view name, int64_t seconds, bool* got) override;
  std::optional<bool> ReleaseLock(std::string_view name) override;
  uint64_t ReleaseAllLocks() override;
  uint64_t LockHolder(std::string_view name) const override;
  uint64_t ShortUuid() override;
  std::optional<uint64_t> ThreadOf(uint64_t connection_id) const override;
  Result<std::optional<std::string>> LoadFile(std::string_view name) override;
  bool Interrupted() const override;

  // VariableStore.
  const TypedValue* Find(std::string_view name) const override;
  void Set(std::string_view name, TypedValue value) override;

 private:
  Session* session_;
  Result<const SecurityContext*> SecurityWithin(const TableDescriptor& view, bool checked);

  // What holds again when the view is left.
  struct OutsideView {
    row::CollationId collation_connection;
    row::CharsetId character_set_client;
    const SecurityContext* security;
  };
  std::vector<OutsideView> outside_views_;          // outermost first
  const SecurityContext* in_view_ = nullptr;        // within a view: whose privileges count
  std::map<AccountKey, SecurityContext> definers_;  // of views that this statement has used
  EvalContext eval_;
  std::string zone_name_;
  std::shared_ptr<const row::TimeZone> zone_;
  bool gave_insert_id_ = false;
};

struct Session::NamedSavepoint {
  std::string name;  // folded
  engine::Savepoint point;
  engine::Savepoint temporary;  // of the companion
};

// One line of EXPLAIN.
struct ExplainRow {
  int block = 0;
  uint32_t table_number = 0;  // in the statement
  std::string select_type;
  std::string table;
  std::string type;
  std::string possible_keys;
  std::string key;
  std::string key_length;
  std::string ref;
  uint64_t rows = 0;
  std::vector<std::string> extra;
  bool has_table = true;
  bool rollup = false;              // its block has WITH ROLLUP
  std::optional<TableReads> reads;  // EXPLAIN ANALYZE

  bool Notes(std::string_view note) const {
    return std::find(extra.begin(), extra.end(), note) != extra.end();
  }
};

// The same in the other formats: text that is one value of one row.
// `sent`: what EXPLAIN ANALYZE saw of the outermost block's rows; null: it was not run, or its
// rows are not those of its outermost operation.
std::string ExplainAsTree(const std::vector<ExplainRow>& rows, const TableReads* sent = nullptr);
std::string ExplainAsJson(const std::vector<ExplainRow>& rows);

// A commit that is on its way to the quorum. Shared with the engine's callback.
struct Session::Parked {
  Mutex mutex{LockRank::kLeaf};
  bool done GUARDED_BY(mutex) = false;
  Status status GUARDED_BY(mutex);
  Resume resume GUARDED_BY(mutex);  // set once the session has parked
  // The session's alone.
  OkInfo ok;
  std::unique_ptr<engine::Transaction> transaction;
};

}  // namespace borealis::sql
