// The seam between the session and everything that is not a query: DML, DDL, SHOW, SET, admin.
//
// The session parses, checks the role (1290), prepares the transaction and then hands the statement
// over; it commits or rolls back afterwards and sends the outcome. Plain queries (SELECT, VALUES,
// TABLE), EXPLAIN, transaction control, PREPARE/EXECUTE/DEALLOCATE never come here.
//
// What the session has done before Execute, by class of statement (StatementClassOf):
//   kChange (INSERT, REPLACE, UPDATE, DELETE, LOAD DATA)
//            a write transaction is open and has a savepoint set for this statement; when Execute
//            fails the session rolls back to it, when it succeeds under autocommit it commits.
//   kDefine  (DDL, accounts, table maintenance) the open transaction was committed; none is open.
//            Execute must leave everything durable or unchanged.
//   kOther   (SHOW, SET, USE, KILL, FLUSH …) nothing; a query they run opens what it needs.
// Diagnostics were cleared, except for statements that read them.
//
// Thread: the one that runs the session's statement. One executor serves all sessions; it keeps no
// state of a session.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/status.h"
#include "sql/ast/node.h"
#include "sql/context/result_sink.h"
#include "sql/context/typed_value.h"

namespace borealis::sql {

class Session;

enum class StatementClass : uint8_t { kQuery, kChange, kDefine, kTransaction, kPrepared, kOther };
StatementClass StatementClassOf(StmtKind kind);

// What a statement that is run again and again was bound to the last time. The executor's own.
class StatementPlan {
 public:
  virtual ~StatementPlan() = default;
};

struct StatementRun {
  Session& session;
  const Stmt& statement;
  // The statement's own text; spans in the tree are offsets into it.
  std::string_view text;
  // Values of `?`, by index.
  std::span<const TypedValue> parameters;
  // For result sets: call OnColumns and OnRow; OnDone and OnError are the session's to call.
  ResultSink& sink;
  // Affected rows, last insert id, info; status and warnings are filled by the session.
  OkInfo& ok;
  // Not null: a statement of a stored program, whose frame the parameters are.
  std::unique_ptr<StatementPlan>* plan = nullptr;
};

class StatementExecutor {
 public:
  virtual ~StatementExecutor() = default;
  // A statement it does not offer is 1235 with a message naming it.
  virtual Status Execute(StatementRun& run) = 0;
};

}  // namespace borealis::sql
