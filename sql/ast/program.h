// The body of a stored program (a trigger's today): compound statements, control flow, handlers,
// cursors, and the SQL statements between them.
//
// A program has one frame of slots, numbered from 0: its declared variables in order of declaration
// (those of inner blocks too: a slot belongs to one DECLARE), and one slot for each column that it
// names as NEW.c or OLD.c. Names are resolved by the parser, as in MySQL, where an unqualified name
// that a block in force declares is that variable wherever an expression may stand. A reference is
// a Parameter whose index is the slot, so a statement of the body is bound and executed like a
// prepared statement whose parameters are the frame. Bodies hold no `?` of their own (1064).
//
// Conditions, handlers and cursors are resolved by the parser, too: what refers to them holds
// numbers, and the parser gives the errors of the declarations (1308 to 1337 of MySQL's list).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast/expr.h"
#include "sql/ast/node.h"
#include "sql/ast/query.h"
#include "sql/ast/type_name.h"

namespace borealis::sql {

enum class ProgramNodeKind : uint8_t {
  kBlock,
  kIf,
  kCase,
  kLoop,
  kLeave,
  kOpen,
  kFetch,
  kClose,
  kSetSlot,
  kStatement,
};

using ProgramNode = Node<ProgramNodeKind>;
using ProgramNodePtr = std::unique_ptr<ProgramNode>;
using ProgramNodes = std::vector<ProgramNodePtr>;

struct ProgramSlot {
  enum class Origin : uint8_t { kVariable, kNew, kOld };
  Origin origin = Origin::kVariable;
  std::string name;            // of the variable or the column, as first written
  TypeName type;               // kVariable
  bool is_set_target = false;  // kNew: something in the body assigns it
  Span span;                   // of the first mention: what 1054 is told of
};

// What a handler waits for, or DECLARE … CONDITION names, or SIGNAL raises.
struct ProgramCondition {
  enum class Kind : uint8_t { kErrorNumber, kSqlState, kWarnings, kNotFound, kExceptions };
  Kind kind = Kind::kSqlState;
  uint16_t error_number = 0;  // kErrorNumber
  std::string sqlstate;       // kSqlState
};

struct ProgramHandler {
  enum class Action : uint8_t { kContinue, kExit };
  Action action = Action::kContinue;
  std::vector<ProgramCondition> conditions;
  ProgramNodePtr body;
};

struct ProgramCursor {
  std::string name;
  QueryPtr query;
  Span span;  // of the query's text
};

// [label:] BEGIN … END. Entering it sets its variables to their defaults; leaving it closes its
// cursors.
struct ProgramBlock final : ProgramNode {
  static constexpr ProgramNodeKind kKind = ProgramNodeKind::kBlock;
  ProgramBlock() : Node(kKind) {}
  struct Variable {
    uint32_t slot = 0;
    ExprPtr initial;  // null: NULL
  };
  uint32_t id = 0;  // unique among the program's blocks and loops: what LEAVE and ITERATE name
  std::vector<Variable> variables;
  std::vector<ProgramHandler> handlers;
  std::vector<uint32_t> cursors;  // numbers of its cursors in Program::cursors
  ProgramNodes body;
};

struct ProgramIf final : ProgramNode {
  static constexpr ProgramNodeKind kKind = ProgramNodeKind::kIf;
  ProgramIf() : Node(kKind) {}
  struct Branch {
    ExprPtr condition;
    ProgramNodes body;
  };
  std::vector<Branch> branches;
  ProgramNodes otherwise;
};

// Without a branch that fits and without ELSE: 1339.
struct ProgramCase final : ProgramNode {
  static constexpr ProgramNodeKind kKind = ProgramNodeKind::kCase;
  ProgramCase() : Node(kKind) {}
  ExprPtr operand;  // null: the searched form
  std::vector<ProgramIf::Branch> branches;
  bool has_else = false;
  ProgramNodes otherwise;
};

// LOOP, WHILE c DO, REPEAT … UNTIL c.
struct ProgramLoop final : ProgramNode {
  static constexpr ProgramNodeKind kKind = ProgramNodeKind::kLoop;
  ProgramLoop() : Node(kKind) {}
  uint32_t id = 0;  // as ProgramBlock::id
  ExprPtr while_condition;
  ExprPtr until_condition;
  ProgramNodes body;
};

// LEAVE and ITERATE.
struct ProgramLeave final : ProgramNode {
  static constexpr ProgramNodeKind kKind = ProgramNodeKind::kLeave;
  ProgramLeave() : Node(kKind) {}
  uint32_t target = 0;  // id of the block or loop
  bool iterate = false;
};

struct ProgramOpen final : ProgramNode {
  static constexpr ProgramNodeKind kKind = ProgramNodeKind::kOpen;
  ProgramOpen() : Node(kKind) {}
  uint32_t cursor = 0;
};

struct ProgramFetch final : ProgramNode {
  static constexpr ProgramNodeKind kKind = ProgramNodeKind::kFetch;
  ProgramFetch() : Node(kKind) {}
  uint32_t cursor = 0;
  std::vector<uint32_t> slots;
};

struct ProgramClose final : ProgramNode {
  static constexpr ProgramNodeKind kKind = ProgramNodeKind::kClose;
  ProgramClose() : Node(kKind) {}
  uint32_t cursor = 0;
};

// SET v = … and SET NEW.c = …; a SET of several targets arrives as several nodes, and what it sets
// of user and system variables as kStatement nodes between them, in the order written.
struct ProgramSetSlot final : ProgramNode {
  static constexpr ProgramNodeKind kKind = ProgramNodeKind::kSetSlot;
  ProgramSetSlot() : Node(kKind) {}
  uint32_t slot = 0;
  ExprPtr value;
};

struct ProgramStatement final : ProgramNode {
  static constexpr ProgramNodeKind kKind = ProgramNodeKind::kStatement;
  ProgramStatement() : Node(kKind) {}
  StmtPtr statement;  // its spans are offsets into the text that the program was parsed from
};

// A table that a statement of the body names (or a common table expression: names are not looked
// up here).
struct ProgramTable {
  QualifiedName name;
  bool changed = false;  // its rows, by this statement
};

struct Program {
  std::vector<ProgramSlot> slots;
  std::vector<ProgramTable> tables;  // in order of appearance, perhaps repeated
  std::vector<ProgramCursor> cursors;
  uint32_t id_count = 0;  // ids of blocks and loops are below
  ProgramNodePtr body;
};

}  // namespace borealis::sql
