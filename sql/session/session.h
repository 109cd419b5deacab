// One connection's SQL state, and the way in: text or prepared statement in, rows and outcome out.
//
// A session runs one statement at a time, on whichever thread calls it, and holds no thread between
// calls. A statement that commits does not wait for the quorum: Execute returns kParked, and the
// outcome is delivered later by CompleteParked (see Resume). Everything but Kill() and the
// accessors marked so belongs to the thread that currently runs the session.
//
//   kIdle --Execute()--> running --> kIdle              outcome delivered, kDone
//                        running --> parked             commit appended, kParked
//   parked --resume()--> (caller) CompleteParked() --> kIdle
//
// INV-SQL-1  An OK for a statement that committed is delivered only after the commit is durable.
// INV-SQL-2  A statement that failed leaves no row changed, and its transaction open as it was,
//            unless the engine rolled the whole transaction back (deadlock).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/os/time.h"
#include "base/result.h"
#include "sql/accounts/security_context.h"
#include "sql/ast/node.h"
#include "sql/context/diagnostics.h"
#include "sql/context/result_sink.h"
#include "sql/context/settings.h"
#include "sql/executor/executor.h"
#include "sql/parser/parser.h"
#include "sql/session/server_interface.h"
#include "sql/session/statement_counters.h"
#include "sql/session/system_variables.h"

namespace borealis::engine {
class Engine;
class InstanceLock;
class TableLocks;
class Transaction;
class UserLocks;
}  // namespace borealis::engine

namespace borealis::sql {

class BoundQuery;
class Catalog;
class CompiledQuery;
class Credentials;
class GrantStore;
class NestedStatement;
class ProgramScope;
class QueryMachine;
class RowSource;
class SessionContext;
class StatementCache;
class TemporaryTables;
class VariableSlots;
struct CachedStatement;
struct CatalogEntry;
struct ExplainRow;
class BinderEnvironment;
struct EvalContext;
struct IntoClause;
struct PlanHolder;
struct QueryText;
struct RunContext;
struct TableReads;
struct SelectStmt;
struct TableDescriptor;
struct StatementFacts;

// What all sessions of an instance share. Everything outlives the sessions.
struct SessionEnvironment {
  engine::Engine* engine = nullptr;
  Catalog* catalog = nullptr;
  SystemVariables* variables = nullptr;
  StatementExecutor* executor = nullptr;
  ServerInterface* server = nullptr;
  const Clock* clock = nullptr;
  StatementCounters* counters = nullptr;     // null: nobody counts
  GrantStore* grants = nullptr;              // null: sessions may do everything
  const Credentials* credentials = nullptr;  // null: accounts cannot be given passwords
};

struct SessionIdentity {
  uint64_t connection_id = 0;
  std::string user;          // as given by the client
  std::string host;          // of the client
  std::string account_user;  // the account that matched: CURRENT_USER()
  std::string account_host;
  std::string tls_version = {};  // "TLSv1.3"; empty without TLS
  std::string tls_cipher = {};
};

enum class ExecuteState : uint8_t {
  kDone,    // the sink has its OnDone or OnError
  kParked,  // waiting for durability; the sink gets its outcome from CompleteParked
};

struct ExecuteResult {
  ExecuteState state = ExecuteState::kDone;
  // Offset of the next statement of the text; the text's size when this was the last. After an
  // error the rest is not to be executed and this is the text's size.
  size_t next = 0;
};

// Called once if Execute returns kParked, from an internal thread of the volume, possibly before
// Execute has returned; must only pass the news on (post to the session's executor).
using Resume = std::function<void()>;

struct PreparedInfo {
  uint32_t id = 0;
  uint32_t parameter_count = 0;
  std::vector<ResultColumn> columns;  // empty when the statement has no result set
};

// What a layer above keeps with a session: the programs it has compiled.
class SessionPart {
 public:
  virtual ~SessionPart() = default;
};

class Session {
 public:
  Session(const SessionEnvironment& environment, SessionIdentity identity);
  ~Session();  // rolls back
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // --- commands ---------------------------------------------------------------------------------

  // Executes the first statement of `text`. For a multi-statement text call again with the rest;
  // all outcomes but the last carry kStatusMoreResults.
  ExecuteResult Execute(std::string_view text, ResultSink& sink, Resume resume);
  // Delivers the outcome of a parked statement. REQUIRES: resume was called.
  void CompleteParked(ResultSink& sink);
  // For callers with a thread to spare: waits instead of parking, and runs all statements of the
  // text. False once a statement failed.
  bool ExecuteAndWait(std::string_view text, ResultSink& sink);

  Result<PreparedInfo> Prepare(std::string_view text);
  // `parameters.size()` must be the statement's parameter count.
  ExecuteResult ExecutePrepared(uint32_t id, std::span<const TypedValue> parameters,
                                ResultSink& sink, Resume resume);
  // Unknown ids are ignored, as the protocol has it.
  void ClosePrepared(uint32_t id);
  bool HasPrepared(uint32_t id) const;

  // COM_INIT_DB and USE. Error: 1049.
  Status UseDatabase(std::string_view name);
  // The current database was dropped.
  void ForgetDatabase();
  // COM_RESET_CONNECTION and COM_CHANGE_USER: rolls back and forgets everything but the identity.
  void Reset();
  // The connection has ended: as Reset, but much to undo is left to the background.
  void Close();
  void set_identity(SessionIdentity identity);
  // After a login: the account's default roles, or all where activate_all_roles_on_login says so.
  Status ActivateDefaultRoles();
  // Those that a login of the account makes active.
  std::set<AccountKey> DefaultRolesOf(const Account& account) const;
  // The password of the account has expired: until it is changed every statement but that is 1820.
  void set_password_expired(bool expired) { password_expired_ = expired; }

  // Whether a text may hold several statements (CLIENT_MULTI_STATEMENTS, COM_SET_OPTION); off, what
  // follows the first is a syntax error.
  void set_multi_statements(bool on) { multi_statements_ = on; }

  // CLIENT_FOUND_ROWS: affected rows are the rows that matched, not those that changed.
  void set_client_found_rows(bool on) { client_found_rows_ = on; }
  bool client_found_rows() const { return client_found_rows_; }

  // Ends the running statement with 1317; `connection`: and every later one. Any thread.
  void Kill(bool connection);
  bool connection_killed() const { return killed_.load(std::memory_order_acquire) == 2; }

  // For the status variables Com_…: counts a command, here and in the instance.
  void Count(Command command);
  // Those that the session has run, in no order.
  const std::vector<std::pair<Command, uint64_t>>& command_counts() const {
    return command_counts_;
  }
  // Statements that took longer than long_query_time.
  uint64_t slow_statements() const { return slow_statements_; }
  // FLUSH STATUS.
  void ForgetCounts();

  // --- state, for the statement that runs
  // ---------------------------------------------------------

  const SessionEnvironment& environment() const { return environment_; }
  const SessionIdentity& identity() const { return identity_; }
  AccountKey account() const { return {identity_.account_user, identity_.account_host}; }
  // What the session may do, as of the start of the statement or of the last RefreshSecurity.
  const SecurityContext& security() const { return security_; }
  // Follows a change of the accounts, if there was one: one comparison otherwise.
  Status RefreshSecurity();
  const std::set<AccountKey>& active_roles() const { return active_roles_; }
  // SET ROLE. REQUIRES: they are granted.
  Status SetActiveRoles(std::set<AccountKey> roles);
  // Errors: 1290.
  Status CheckMayChange() const;
  // Of one table that a statement changes, which was let through because it may be a temporary one.
  // Errors: 1290, 1792.
  Status CheckMayChange(const TableDescriptor& table) const {
    return temporary_ == nullptr ? Status::Ok() : CheckMayChangeBeside(table);
  }
  const std::string& database() const { return database_; }
  SessionSettings& settings() { return settings_; }
  const SessionSettings& settings() const { return settings_; }
  // Session values of variables that are not in settings and not as compiled in. For the registry.
  OtherVariables& other_variables() { return other_variables_; }
  const OtherVariables& other_variables() const { return other_variables_; }
  Diagnostics& diagnostics() { return diagnostics_; }
  const Diagnostics& diagnostics() const { return diagnostics_; }

  // User variables; names in any case. Null when never set.
  const TypedValue* FindUserVariable(std::string_view name) const;
  void SetUserVariable(std::string_view name, TypedValue value);

  // LAST_INSERT_ID(), ROW_COUNT(), FOUND_ROWS() as the previous statement left them.
  uint64_t last_insert_id() const { return last_insert_id_; }
  void set_last_insert_id(uint64_t id) { last_insert_id_ = id; }
  int64_t row_count() const { return row_count_; }
  uint64_t found_rows() const { return found_rows_; }

  // Start of the statement, microseconds since 1970: what NOW() is.
  int64_t statement_time_us() const { return statement_time_us_; }
  // Kill, timeout and shutdown, to be asked in every loop: 1317, 3024 or 1053.
  Status CheckInterrupt() const;
  bool interrupted() const;

  // --- transactions
  // -------------------------------------------------------------------------------

  // The transaction of a kChange statement, and any that is open; null when there is none.
  engine::Transaction* transaction() const { return transaction_.get(); }
  // Takes the metadata locks of the views that a statement uses. kRetry when one has changed.
  Status OpenViews(const StatementFacts& facts, engine::Transaction& transaction);
  // A transaction is open that outlives the statement.
  bool in_transaction() const { return transaction_ != nullptr && explicit_transaction_; }
  bool transaction_read_only() const { return transaction_read_only_; }
  // SET TRANSACTION without a scope. Error 1568 inside a transaction is the caller's to give.
  void SetNextTransaction(std::optional<IsolationLevel> isolation, std::optional<bool> read_only) {
    next_isolation_ = isolation.has_value() ? isolation : next_isolation_;
    next_read_only_ = read_only.has_value() ? read_only : next_read_only_;
  }
  // COMMIT RELEASE or ROLLBACK RELEASE was executed: the server closes the connection.
  bool release_requested() const { return release_; }
  // Commits the open transaction, if any, and waits until that is durable. For DDL and the like,
  // and for SET autocommit = 1.
  Status ImplicitCommit();

  // LOCK TABLES that is in force; null: none. All statements of the session work under it.
  const std::shared_ptr<const engine::TableLocks>& table_locks() const { return table_locks_; }
  // REQUIRES: no transaction is open. Null releases.
  void set_table_locks(std::shared_ptr<const engine::TableLocks> locks) {
    table_locks_ = std::move(locks);
  }

  // FLUSH TABLES WITH READ LOCK and LOCK INSTANCE FOR BACKUP of the session; null: not in force.
  const std::shared_ptr<engine::InstanceLock>& read_lock() const { return read_lock_; }
  void set_read_lock(std::shared_ptr<engine::InstanceLock> lock) { read_lock_ = std::move(lock); }
  const std::shared_ptr<engine::InstanceLock>& backup_lock() const { return backup_lock_; }
  void set_backup_lock(std::shared_ptr<engine::InstanceLock> lock) {
    backup_lock_ = std::move(lock);
  }
  // Whoever holds the read lock changes nothing: 1223.
  Status CheckReadLock() const;

  // GET_LOCK and its like; made when first needed.
  engine::UserLocks& user_locks();

  // --- temporary tables (temporary.cc)
  // -------------------------------------------------------------------------------

  // What names mean to this session. The environment's catalog is what they mean to everybody.
  Catalog& catalog() const {
    return own_catalog_ != nullptr ? *own_catalog_ : *environment_.catalog;
  }
  // Null while the session has none.
  TemporaryTables* temporary_tables() const { return temporary_.get(); }
  // Made when first needed: from then on the session has a catalog of its own.
  Result<TemporaryTables*> EnsureTemporaryTables();
  bool HasTemporary(const QualifiedName& name) const;
  // What a ROLLBACK cannot undo: warnings 1751 and 1752.
  void NoteTemporaryCreated();
  void NoteTemporaryDropped();
  // information_schema does not list temporary tables. What SHOW COLUMNS and SHOW INDEX ask of it
  // for one finds this table and no other.
  const CatalogEntry* shown_temporary() const { return shown_temporary_; }
  void set_shown_temporary(const CatalogEntry* entry) { shown_temporary_ = entry; }

  // --- queries inside statements
  // ------------------------------------------------------------------

  // What the binder needs to know of this session, and evaluation's context; both as of the running
  // statement.
  BinderEnvironment& binder_environment();
  EvalContext& eval_context();
  // The parser's options under the session's sql_mode.
  ParserOptions parser_options() const;

  // Runs a bound query, e.g. the one inside a bound UPDATE. `parameters`: the statement's values;
  // the query's narrowed parameters (StatementFacts::narrowed) follow from `facts`. In the open
  // transaction, or in one of its own.
  // With `kept`, what the query was compiled to is kept there and used again: it must outlive the
  // rows, and be of the definitions and settings that are current.
  Result<std::unique_ptr<RowSource>> OpenQuery(const BoundQuery& query, const StatementFacts& facts,
                                               std::span<const TypedValue> parameters,
                                               std::unique_ptr<CompiledQuery>* kept = nullptr);
  // All rows of a subquery met while evaluating row by row (EvalFrame::run_subquery).
  Status CollectSubquery(const BoundQuery& query, std::span<const TypedValue> parameters,
                         std::vector<std::vector<row::Value>>* rows,
                         std::unique_ptr<CompiledQuery>* kept = nullptr);
  // Runs query text that the server itself wrote (SHOW over information_schema), its columns and
  // rows to `sink`; OnDone and OnError are not called. The text may hold what the statement's own
  // text holds, `?` included: it is parsed under the session's sql_mode.
  Status RunQueryText(std::string_view text, ResultSink& sink,
                      std::span<const TypedValue> parameters = {});
  // Runs it and collects the rows.
  Result<std::vector<std::vector<row::Value>>> CollectQueryText(std::string_view text);

  // --- stored programs (nested.cc)
  // -------------------------------------------------------------------------------

  // Everything compiled for the session; gone whenever its plans are.
  std::unique_ptr<SessionPart>& programs() { return programs_; }
  // Number of programs entered (program_scope.h): statements now run within another.
  size_t program_depth() const { return program_depth_; }
  // The statement that called the program, or one further out, is in strict mode: values that do
  // not fit are errors in the program's statements also where they say IGNORE, as in MySQL.
  bool caller_is_strict() const { return caller_is_strict_; }
  // Where SELECT … INTO and GET DIAGNOSTICS put what is for a variable; null outside programs.
  VariableSlots* variable_slots() const { return variable_slots_; }
  // Runs a statement of the program entered, within the transaction and the statement that called
  // the program. Of one that fails, as in MySQL, the rows before the one that failed stay changed:
  // a handler may let them; without one the calling statement is undone (INV-SQL-2).
  Status RunNested(NestedStatement* statement, std::span<const TypedValue> frame);
  // All rows of a query of the program, and the types of its columns.
  Status CollectNested(NestedStatement* statement, std::span<const TypedValue> frame,
                       std::vector<row::Type>* types, std::vector<std::vector<row::Value>>* rows);

  // Records what a client that tracks the session is told with this statement's OK.
  void NoteChange(SessionChange change) { changes_.push_back(std::move(change)); }

 private:
  friend class ProgramScope;
  friend class SessionContext;

  // --- execute.cc ---
  ExecuteResult Run(CachedStatement* statement, std::span<const TypedValue> parameters,
                    ResultSink& sink, Resume resume);
  Status Dispatch(CachedStatement* statement, std::span<const TypedValue> parameters,
                  ResultSink& sink, OkInfo* ok);
  Status RunPreparedStatement(const Stmt& statement, ResultSink& sink, OkInfo* ok);
  void StartStatement(const Stmt& statement);
  Status CheckPasswordChange(const Stmt& statement) const;
  void NoteFailure();
  void NoteIfSlow();
  ExecuteResult Deliver(Status status, OkInfo ok, ResultSink& sink, Resume resume);
  uint16_t StatusFlags() const;
  // Counts one more prepared statement: 1461 beyond max_prepared_stmt_count.
  Result<PreparedTicket> AdmitPrepared() const;
  // A statement to be kept. Errors: 1064 for a second one, 1295, and what is wrong with its names.
  // `columns`: of its result.
  Result<std::unique_ptr<CachedStatement>> MakePrepared(std::string_view text,
                                                        std::vector<ResultColumn>* columns);
  Status DescribePrepared(const CachedStatement& statement, std::vector<ResultColumn>* columns);
  Result<std::unique_ptr<CachedStatement>> ParseText(std::string_view text);
  Status CheckMayLockForUpdate(const StatementFacts& facts) const;

  // --- query.cc ---
  Status RunSelect(const QueryText& text, PlanHolder* holder,
                   std::span<const TypedValue> parameters, ResultSink& sink, OkInfo* ok);
  Status RunDo(const QueryText& text, PlanHolder* holder, std::span<const TypedValue> parameters);
  // Whether a query that failed before its first row may be tried again: after DDL between planning
  // and opening, and when a read view that was the statement's alone is void (a reader lost its
  // writer): another one sees the present.
  bool MayPlanAgain(const Status& status) const;
  Status SendRows(const BoundQuery& query, std::span<const TypedValue> slots, RowSource* rows,
                  ResultSink& sink);
  // Binds and compiles where the cached plan does not fit (any more); fills `slots` with the
  // parameters and their narrowed forms.
  Status PlanQuery(const QueryText& text, PlanHolder* holder,
                   std::span<const TypedValue> parameters, std::vector<TypedValue>* slots);
  bool PlanFits(const PlanHolder& holder, std::span<const TypedValue> parameters) const;
  Result<bool> NarrowParameters(const StatementFacts& facts, std::span<const TypedValue> parameters,
                                std::vector<TypedValue>* slots);
  Status StoreInto(const IntoClause& into, const std::vector<ResultColumn>& columns,
                   RowSource* rows, OkInfo* ok);
  Status StoreVariable(const IntoClause& into, size_t i, row::Type type, row::Value value);
  // INTO OUTFILE and DUMPFILE.
  Status StoreIntoFile(const IntoClause& into, const std::vector<ResultColumn>& columns,
                       RowSource* rows, OkInfo* ok);
  // Error 1045 for them without FILE.
  Status CheckMayWriteFile(const SelectStmt& select) const;
  Result<QueryMachine*> Machine();
  RunContext MakeRunContext(engine::Transaction* transaction);

  // --- nested.cc ---
  Status RunNestedChange(StatementRun& run);

  // --- explain.cc ---
  Status RunExplain(const StatementRun& run);
  Status AnalyzeQuery(const BoundQuery& query, const StatementFacts& facts,
                      const StatementRun& run);
  // Runs the query to its end; gives how many rows there were, and when.
  Result<TableReads> ReadAll(const BoundQuery& query, const StatementFacts& facts,
                             std::span<const TypedValue> parameters);
  Status ExplainQuery(const BoundQuery& query, std::string_view verb,
                      std::vector<ExplainRow>* rows);
  Status SendExplain(const std::vector<ExplainRow>& rows, ResultSink& sink);
  Status SendExplainText(const std::string& text, ResultSink& sink);

  // --- transactions.cc ---
  Status RunTransactionStatement(const Stmt& statement);
  // The transaction a statement works in: the open one, or a new one, which is the session's from
  // then on unless the statement is autocommitted.
  Result<engine::Transaction*> EnterTransaction();
  // After a statement: forgets a transaction that the engine ended, undoes a failed change.
  Status LeaveTransaction(Status status, bool changes);
  std::unique_ptr<engine::Transaction> BeginEngineTransaction(bool autocommit, bool read_only,
                                                              bool snapshot);
  // A statement that changes rows. `temporary`: it may be of temporary tables, which a read-only
  // transaction may change; TableWriter asks again for each table.
  Status RunChange(StatementRun& run, bool temporary);
  // A definition, which ends the open transaction.
  Status Define(StatementRun& run);
  // Before the transaction itself; nothing here can be waited for.
  Status CommitTemporary();
  void ForgetTransaction();
  // Before the open transaction, if any, is committed: when a lock on the instance keeps it from
  // that for too long it is rolled back.
  Status PassToCommit();
  // Undoes, unlocks and drops what the connection holds.
  void Release();
  Status RollbackAll();
  // RollbackAll, of which a connection that has been killed does not see the end.
  Status RollbackFailed();
  void AbandonAll();

  // --- temporary.cc ---
  Status CheckMayChangeBeside(const TableDescriptor& table) const;
  // Whether a table that the statement changes or alters, or with `all` each, is a temporary one.
  bool NamesTemporary(const Stmt& statement, bool all) const;
  // CREATE TEMPORARY TABLE and DROP TEMPORARY TABLE: no transaction ends.
  Status DefineTemporary(StatementRun& run);
  void WarnOfTemporary();
  // After a statement; the last table takes all that was made for them along.
  void ForgetDroppedTables(uint64_t dropped_before);
  void DropTemporaryTables();
  // Plans hold on to tables that are gone. REQUIRES: no query is running.
  void ForgetPlans();

  SessionEnvironment environment_;
  SessionIdentity identity_;
  SecurityContext security_;
  uint64_t security_version_ = 0;  // of the dictionary, that security_ is good for
  std::set<AccountKey> active_roles_;
  bool password_expired_ = false;
  std::string database_;
  SessionSettings settings_;
  OtherVariables other_variables_;
  Diagnostics diagnostics_;
  std::map<std::string, TypedValue, std::less<>> user_variables_;  // lower-case names
  uint64_t last_insert_id_ = 0;
  int64_t row_count_ = -1;
  uint64_t found_rows_ = 0;
  uint64_t results_begun_ = 0;  // result sets that the client has heard of
  int64_t statement_time_us_ = 0;
  int64_t deadline_us_ = 0;  // of the clock's NowUs; 0: none
  std::vector<SessionChange> changes_;
  bool multi_statements_ = false;
  bool client_found_rows_ = false;
  std::atomic<int> killed_{0};  // 0 no, 1 the statement, 2 the connection

  std::string_view running_text_;  // of the statement in Run()
  std::shared_ptr<const engine::TableLocks> table_locks_;
  std::shared_ptr<engine::InstanceLock> read_lock_;
  std::shared_ptr<engine::InstanceLock> backup_lock_;
  std::shared_ptr<engine::UserLocks> user_locks_;
  std::unique_ptr<engine::Transaction> transaction_;  // may use the locks
  bool explicit_transaction_ = false;                 // BEGIN, or autocommit = 0
  bool commit_after_ = false;  // the running statement's success is to be committed
  bool chain_ = false;         // and another transaction begun then
  bool release_ = false;       // COMMIT RELEASE: the connection ends
  bool transaction_read_only_ = false;
  // SET TRANSACTION: for the next transaction alone.
  std::optional<IsolationLevel> next_isolation_;
  std::optional<bool> next_read_only_;
  struct NamedSavepoint;
  std::vector<NamedSavepoint> savepoints_;

  std::unique_ptr<TemporaryTables> temporary_;
  std::unique_ptr<Catalog> own_catalog_;  // with them in it
  bool created_temporary_ = false;        // since the transaction began
  bool dropped_temporary_ = false;
  const CatalogEntry* shown_temporary_ = nullptr;

  std::unique_ptr<SessionContext> context_;
  std::unique_ptr<QueryMachine> machine_;
  std::unique_ptr<StatementCache> cache_;
  uint32_t next_prepared_ = 1;
  std::unordered_map<uint32_t, std::unique_ptr<CachedStatement>> prepared_;
  std::map<std::string, std::unique_ptr<CachedStatement>, std::less<>> named_prepared_;
  bool more_results_ = false;
  uint64_t statements_failed_ = 0;
  std::vector<std::pair<Command, uint64_t>> command_counts_;
  uint64_t slow_statements_ = 0;
  int64_t statement_started_us_ = 0;

  std::unique_ptr<SessionPart> programs_;  // goes before the machine
  size_t program_depth_ = 0;
  bool caller_is_strict_ = false;
  VariableSlots* variable_slots_ = nullptr;

  struct Parked;
  std::shared_ptr<Parked> parked_;
};

}  // namespace borealis::sql
