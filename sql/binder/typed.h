// The typed tree: what a statement means, after names, types and implicit conversions are settled.
//
// Expressions are immutable once built and shared (an alias used twice is one node). Every
// expression has its MySQL type; where an operator needs its operands in one type, the binder has
// put BoundConvert nodes there, so whoever executes the tree never converts on its own.
//
// INV-BIND-1  The operands of a BoundCompare, the results of a BoundCase, the items of a BoundIn,
//             the arms of a set operation have one comparable type each: same register encoding
//             (row/register.h), same collation.
// INV-BIND-2  A condition (WHERE, ON, HAVING, operands of AND, OR, NOT) is of a kind that tests as
//             true or false in a register: a signed integer or a double.
// INV-BIND-3  BoundColumn names a BoundTable of its own query or of one that encloses it; in a
//             lateral table also one of the tables before it in FROM.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/invariant.h"
#include "row/type.h"
#include "row/value.h"
#include "sql/ast/expr.h"

namespace borealis::sql {

class FunctionInstance;
class BoundQuery;
struct BoundSelect;
struct BoundTable;

// How strongly an operand's collation holds; lower wins (MySQL's coercibility values).
enum class Coercibility : uint8_t {
  kExplicit = 0,   // COLLATE
  kImplicit = 2,   // column
  kSystem = 3,     // USER(), VERSION()
  kCoercible = 4,  // literal, parameter
  kNumeric = 5,    // number or temporal
  kIgnorable = 6,  // NULL
  kNone = 7,       // made of two collations that do not mix: takes any other
};

enum class BoundKind : uint8_t {
  kLiteral,
  kParameter,
  kColumn,
  kConvert,
  kFunction,
  kCompare,
  kLogical,
  kNot,
  kIsNull,
  kIsTruth,
  kCase,
  kIn,
  kScalarSubquery,
  kExists,
  kInSubquery,
  kAggregate,
  kWindow,
  kUserVariable,
  kAssignVariable,
  kGrouping,
};

struct BoundExpr;
using BoundPtr = std::shared_ptr<const BoundExpr>;

struct BoundExpr {
  BoundExpr(BoundKind k, row::Type t) : kind(k), type(std::move(t)) {}
  virtual ~BoundExpr() = default;
  BoundExpr(const BoundExpr&) = default;
  BoundExpr& operator=(const BoundExpr&) = delete;

  template <class T>
  bool Is() const {
    return kind == T::kKind;
  }
  template <class T>
  const T& As() const {
    INVARIANT(Is<T>());
    return static_cast<const T&>(*this);
  }
  template <class T>
  const T* TryAs() const {
    return Is<T>() ? static_cast<const T*>(this) : nullptr;
  }

  const BoundKind kind;
  row::Type type;
  Coercibility coercibility = Coercibility::kNumeric;
  // Operands, in the order each kind documents.
  std::vector<BoundPtr> args;
};

struct BoundLiteral final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kLiteral;
  BoundLiteral(row::Type t, row::Value v) : BoundExpr(kKind, std::move(t)), value(std::move(v)) {}
  row::Value value;
  // x'4D' and b'01': bytes that count as a number where a number is wanted.
  bool hex = false;
  // TRUE and FALSE, which are numbers but in JSON.
  bool boolean = false;
  // The expression that was folded into this value, for messages; null: written as it is.
  BoundPtr folded_from;
};

// The value given for `?` number `index`, already of `type` (the type the caller gave it).
struct BoundParameter final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kParameter;
  BoundParameter(row::Type t, uint32_t i) : BoundExpr(kKind, std::move(t)), index(i) {}
  uint32_t index;
};

struct BoundColumn final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kColumn;
  BoundColumn(row::Type t, const BoundTable* of, uint32_t position)
      : BoundExpr(kKind, std::move(t)), table(of), column(position) {}
  const BoundTable* table;
  // Position in BoundTable::columns; kHandleColumn is the row's handle (its clustered key).
  uint32_t column;
};
inline constexpr uint32_t kHandleColumn = ~uint32_t{0};

// args[0] as a value of `type`: comparison and result-type conversions, CAST, truth values.
struct BoundConvert final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kConvert;
  enum class Mode : uint8_t {
    kImplicit,  // for comparison and common result types: warnings as MySQL gives for comparison
    kCast,      // CAST, CONVERT, BINARY
    kTruth,     // to a truth value: signed integer 0 or 1, NULL stays
    kAnyValue,  // ANY_VALUE(x): x itself, exempt from ONLY_FULL_GROUP_BY
  };
  BoundConvert(row::Type t, Mode m) : BoundExpr(kKind, std::move(t)), mode(m) {}
  Mode mode;
};

// A scalar function or operator of sql/functions over args.
struct BoundFunction final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kFunction;
  BoundFunction(row::Type t, std::shared_ptr<const FunctionInstance> f)
      : BoundExpr(kKind, std::move(t)), function(std::move(f)) {}
  std::shared_ptr<const FunctionInstance> function;
};

enum class CompareOp : uint8_t {
  kEqual,
  kNullSafeEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
};

// args[0] op args[1].
struct BoundCompare final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kCompare;
  explicit BoundCompare(CompareOp o) : BoundExpr(kKind, row::Type::Boolean()), op(o) {}
  CompareOp op;
};

// AND or OR of two operands or more.
struct BoundLogical final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kLogical;
  explicit BoundLogical(bool conjunction)
      : BoundExpr(kKind, row::Type::Boolean()), is_and(conjunction) {}
  bool is_and;
};

struct BoundNot final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kNot;
  BoundNot() : BoundExpr(kKind, row::Type::Boolean()) {}
};

struct BoundIsNull final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kIsNull;
  explicit BoundIsNull(bool n) : BoundExpr(kKind, row::Type::Boolean().NotNull()), negated(n) {}
  bool negated;
};

// args[0] IS [NOT] TRUE | FALSE; args[0] is a condition.
struct BoundIsTruth final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kIsTruth;
  BoundIsTruth(bool test_true, bool n)
      : BoundExpr(kKind, row::Type::Boolean().NotNull()), truth(test_true), negated(n) {}
  bool truth;
  bool negated;
};

// args: condition, result, condition, result, …, and the ELSE result if their number is odd.
// With `coalesce` the args are results alone: the first that is not NULL.
struct BoundCase final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kCase;
  // As what it was written, for messages; kSimpleCase: CASE operand WHEN value.
  enum class Form : uint8_t { kCase, kSimpleCase, kIf, kNullIf, kCoalesce, kIfNull };
  explicit BoundCase(row::Type t) : BoundExpr(kKind, std::move(t)) {}
  bool coalesce = false;
  Form form = Form::kCase;
};

// args[0] [NOT] IN (args[1], …).
struct BoundIn final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kIn;
  explicit BoundIn(bool n) : BoundExpr(kKind, row::Type::Boolean()), negated(n) {}
  bool negated;
};

// The one value of a query with one column; NULL without a row; 1242 with more than one.
struct BoundScalarSubquery final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kScalarSubquery;
  BoundScalarSubquery(row::Type t, std::shared_ptr<const BoundQuery> q)
      : BoundExpr(kKind, std::move(t)), query(std::move(q)) {}
  std::shared_ptr<const BoundQuery> query;
};

struct BoundExists final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kExists;
  explicit BoundExists(std::shared_ptr<const BoundQuery> q)
      : BoundExpr(kKind, row::Type::Boolean().NotNull()), query(std::move(q)) {}
  std::shared_ptr<const BoundQuery> query;
};

// (args…) [NOT] IN (query): one argument per column of the query.
struct BoundInSubquery final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kInSubquery;
  BoundInSubquery(bool n, std::shared_ptr<const BoundQuery> q)
      : BoundExpr(kKind, row::Type::Boolean()), negated(n), query(std::move(q)) {}
  bool negated;
  std::shared_ptr<const BoundQuery> query;
};

struct BoundOrder {
  BoundPtr expr;
  bool descending = false;
};

// An aggregate of the query it stands in. No args: COUNT(*).
struct BoundAggregate : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kAggregate;
  BoundAggregate(row::Type t, AggregateFn f) : BoundExpr(kKind, std::move(t)), fn(f) {}
  AggregateFn fn;
  bool distinct = false;
  // GROUP_CONCAT.
  std::vector<BoundOrder> order_by;
  std::string separator = ",";
  // Whose rows it is over: the select it stands in, or one around that. Not of windows.
  const BoundSelect* owner = nullptr;

 protected:
  BoundAggregate(BoundKind k, row::Type t, AggregateFn f) : BoundExpr(k, std::move(t)), fn(f) {}
};

struct BoundFrameBound {
  FrameBoundKind kind = FrameBoundKind::kCurrentRow;
  BoundPtr offset;
};

// A window function, or an aggregate with OVER.
struct BoundWindow final : BoundAggregate {
  static constexpr BoundKind kKind = BoundKind::kWindow;
  BoundWindow(row::Type t, AggregateFn f) : BoundAggregate(BoundKind::kWindow, std::move(t), f) {}
  bool is_aggregate = true;
  WindowFn window_fn = WindowFn::kRowNumber;  // when not an aggregate
  std::vector<BoundPtr> partition_by;
  std::vector<BoundOrder> window_order;
  bool has_frame = false;
  FrameUnit frame_unit = FrameUnit::kRange;
  // A frame over months, until its block is bound (bind_month_frames.cc): the offsets are not how
  // far the bounds are, but the values that they are at.
  bool frame_by_limits = false;
  BoundFrameBound frame_start;
  BoundFrameBound frame_end;
};

// @name read anew for each row, because the statement also assigns to it. (Otherwise a user
// variable is a literal.)
struct BoundUserVariable final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kUserVariable;
  BoundUserVariable(row::Type t, std::string n)
      : BoundExpr(kKind, std::move(t)), name(std::move(n)) {}
  std::string name;
};

// @name := args[0].
struct BoundAssignVariable final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kAssignVariable;
  BoundAssignVariable(row::Type t, std::string n)
      : BoundExpr(kKind, std::move(t)), name(std::move(n)) {}
  std::string name;
};

// GROUPING(args…), only until the block that it stands in is bound (bind_rollup.cc).
struct BoundGrouping final : BoundExpr {
  static constexpr BoundKind kKind = BoundKind::kGrouping;
  explicit BoundGrouping(row::Type t) : BoundExpr(kKind, std::move(t)) {}
};

}  // namespace borealis::sql
