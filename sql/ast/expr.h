// Expressions. Operators with their own rules of typing have their own node; everything that is
// written as f(a, b) and has no syntax of its own is a FunctionCall, whether it exists or not.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "row/interval.h"
#include "sql/ast/node.h"
#include "sql/ast/type_name.h"

namespace borealis::sql {

enum class ExprKind : uint8_t {
  kLiteral,
  kParameter,
  kColumnRef,
  kUserVariable,
  kSystemVariable,
  kVariableAssignment,
  kUnary,
  kBinary,
  kLogical,
  kIs,
  kBetween,
  kLike,
  kRegexp,
  kInList,
  kInSubquery,
  kExists,
  kQuantified,
  kSubquery,
  kRow,
  kCase,
  kCast,
  kConvertUsing,
  kCollate,
  kExtract,
  kTrim,
  kIntervalArithmetic,
  kFunctionCall,
  kAggregate,
  kWindowFunction,
  kMatchAgainst,
  kJsonValue,
  kDefault,
  kInsertValue,
};

enum class LiteralKind : uint8_t {
  kNull,
  kBoolean,    // TRUE, FALSE: `integer` is 1 or 0
  kInteger,    // fits 64 bits unsigned: `integer`; `text` as written
  kDecimal,    // 12.50, .5, 1., or an integer beyond 64 bits: `text` as written
  kFloat,      // 1e3: `text` as written
  kString,     // `text` is the value; adjacent literals are concatenated
  kHex,        // x'4D', 0x4D: `text` is the bytes
  kBit,        // b'01', 0b01: `text` is the bytes, right-aligned
  kDate,       // DATE '…': `text` is the string
  kTime,       // TIME '…'
  kTimestamp,  // TIMESTAMP '…'
};

struct Literal final : Expr {
  static constexpr ExprKind kKind = ExprKind::kLiteral;
  Literal() : Expr(kKind) {}
  LiteralKind type = LiteralKind::kNull;
  uint64_t integer = 0;
  std::string text;
  // Introducer without the underscore, lower case (strings, hex and bit literals); N'…' sets it to
  // "utf8mb3". Empty: the connection's character set.
  std::string charset;
  // Of a string: the length of the first of several adjacent literals; it alone names the column.
  size_t first_part = 0;
};

// `?`, numbered from 0 in order of appearance.
struct Parameter final : Expr {
  static constexpr ExprKind kKind = ExprKind::kParameter;
  Parameter() : Expr(kKind) {}
  uint32_t index = 0;
};

struct ColumnRef final : Expr {
  static constexpr ExprKind kKind = ExprKind::kColumnRef;
  ColumnRef() : Expr(kKind) {}
  std::string schema;
  std::string table;
  std::string column;
};

// @name; lower-cased by whoever looks it up (names are case-insensitive).
struct UserVariable final : Expr {
  static constexpr ExprKind kKind = ExprKind::kUserVariable;
  UserVariable() : Expr(kKind) {}
  std::string name;
};

// @@[scope.][component.]name
struct SystemVariable final : Expr {
  static constexpr ExprKind kKind = ExprKind::kSystemVariable;
  SystemVariable() : Expr(kKind) {}
  VariableScope scope = VariableScope::kDefault;
  std::string name;  // as written, with its component: "validate_password.length"
};

// @name := value
struct VariableAssignment final : Expr {
  static constexpr ExprKind kKind = ExprKind::kVariableAssignment;
  VariableAssignment() : Expr(kKind) {}
  std::string name;
  ExprPtr value;
};

enum class UnaryOp : uint8_t { kMinus, kPlus, kBitNot, kNot };

struct Unary final : Expr {
  static constexpr ExprKind kKind = ExprKind::kUnary;
  Unary() : Expr(kKind) {}
  UnaryOp op = UnaryOp::kMinus;
  ExprPtr operand;
};

enum class BinaryOp : uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kIntDivide,  // DIV
  kModulo,     // % and MOD
  kBitOr,
  kBitAnd,
  kBitXor,
  kShiftLeft,
  kShiftRight,
  kEqual,
  kNullSafeEqual,  // <=>
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kXor,
  kConcat,       // || under PIPES_AS_CONCAT
  kJsonExtract,  // column -> '$.path'
  kJsonUnquote,  // column ->> '$.path'
  kMemberOf,     // value MEMBER OF (array)
  kSoundsLike,
};

struct Binary final : Expr {
  static constexpr ExprKind kKind = ExprKind::kBinary;
  Binary() : Expr(kKind) {}
  BinaryOp op = BinaryOp::kAdd;
  ExprPtr left;
  ExprPtr right;
};

// a AND b AND c, a OR b OR c: two operands or more.
struct Logical final : Expr {
  static constexpr ExprKind kKind = ExprKind::kLogical;
  Logical() : Expr(kKind) {}
  bool is_and = true;
  std::vector<ExprPtr> operands;
};

enum class IsTest : uint8_t { kNull, kTrue, kFalse, kUnknown };

struct IsExpr final : Expr {
  static constexpr ExprKind kKind = ExprKind::kIs;
  IsExpr() : Expr(kKind) {}
  IsTest test = IsTest::kNull;
  bool negated = false;
  ExprPtr operand;
};

struct Between final : Expr {
  static constexpr ExprKind kKind = ExprKind::kBetween;
  Between() : Expr(kKind) {}
  bool negated = false;
  ExprPtr operand;
  ExprPtr low;
  ExprPtr high;
};

struct Like final : Expr {
  static constexpr ExprKind kKind = ExprKind::kLike;
  Like() : Expr(kKind) {}
  bool negated = false;
  ExprPtr operand;
  ExprPtr pattern;
  ExprPtr escape;  // null when not written
};

struct Regexp final : Expr {
  static constexpr ExprKind kKind = ExprKind::kRegexp;
  Regexp() : Expr(kKind) {}
  bool negated = false;
  ExprPtr operand;
  ExprPtr pattern;
};

struct InList final : Expr {
  static constexpr ExprKind kKind = ExprKind::kInList;
  InList() : Expr(kKind) {}
  bool negated = false;
  ExprPtr operand;
  std::vector<ExprPtr> items;
};

struct InSubquery final : Expr {
  static constexpr ExprKind kKind = ExprKind::kInSubquery;
  InSubquery();
  ~InSubquery() override;
  bool negated = false;
  ExprPtr operand;
  QueryPtr query;
};

struct Exists final : Expr {
  static constexpr ExprKind kKind = ExprKind::kExists;
  Exists();
  ~Exists() override;
  QueryPtr query;
};

// left op ANY|ALL (query); SOME is ANY.
struct Quantified final : Expr {
  static constexpr ExprKind kKind = ExprKind::kQuantified;
  Quantified();
  ~Quantified() override;
  BinaryOp op = BinaryOp::kEqual;
  bool all = false;
  ExprPtr left;
  QueryPtr query;
};

// (SELECT …) as a scalar or row value.
struct Subquery final : Expr {
  static constexpr ExprKind kKind = ExprKind::kSubquery;
  Subquery();
  ~Subquery() override;
  QueryPtr query;
};

// (a, b) or ROW(a, b): two items or more.
struct Row final : Expr {
  static constexpr ExprKind kKind = ExprKind::kRow;
  Row() : Expr(kKind) {}
  std::vector<ExprPtr> items;
};

struct CaseExpr final : Expr {
  static constexpr ExprKind kKind = ExprKind::kCase;
  CaseExpr() : Expr(kKind) {}
  struct When {
    ExprPtr condition;
    ExprPtr result;
  };
  ExprPtr operand;  // null for CASE WHEN …
  std::vector<When> whens;
  ExprPtr otherwise;  // null when there is no ELSE
};

// CAST(x AS type [ARRAY]), CONVERT(x, type), BINARY x (type kBinary without length).
struct Cast final : Expr {
  static constexpr ExprKind kKind = ExprKind::kCast;
  Cast() : Expr(kKind) {}
  ExprPtr operand;
  TypeName type;
  bool array = false;
  std::optional<std::string> time_zone;  // CAST(x AT TIME ZONE '+00:00' AS DATETIME)
};

// CONVERT(x USING charset)
struct ConvertUsing final : Expr {
  static constexpr ExprKind kKind = ExprKind::kConvertUsing;
  ConvertUsing() : Expr(kKind) {}
  ExprPtr operand;
  std::string charset;
};

struct Collate final : Expr {
  static constexpr ExprKind kKind = ExprKind::kCollate;
  Collate() : Expr(kKind) {}
  ExprPtr operand;
  std::string collation;
};

using row::IntervalUnit;

struct Extract final : Expr {
  static constexpr ExprKind kKind = ExprKind::kExtract;
  Extract() : Expr(kKind) {}
  IntervalUnit unit = IntervalUnit::kDay;
  ExprPtr operand;
};

enum class TrimSide : uint8_t { kBoth, kLeading, kTrailing };

// TRIM([side] [remove FROM] operand)
struct Trim final : Expr {
  static constexpr ExprKind kKind = ExprKind::kTrim;
  Trim() : Expr(kKind) {}
  TrimSide side = TrimSide::kBoth;
  ExprPtr remove;  // null: spaces
  ExprPtr operand;
};

// operand ± INTERVAL amount unit; also DATE_ADD, DATE_SUB, ADDDATE and SUBDATE in all their forms.
struct IntervalArithmetic final : Expr {
  static constexpr ExprKind kKind = ExprKind::kIntervalArithmetic;
  IntervalArithmetic() : Expr(kKind) {}
  bool subtract = false;
  ExprPtr operand;
  ExprPtr amount;
  IntervalUnit unit = IntervalUnit::kDay;
};

// name is lower case; special spellings arrive under one name: CURRENT_TIMESTAMP, LOCALTIME →
// "now"; SUBSTR, MID, SUBSTRING(x FROM …) → "substring"; POSITION(a IN b) → "locate"(a, b);
// CURRENT_DATE → "curdate"; CURRENT_TIME → "curtime"; CURRENT_USER → "current_user"; x MOD y and
// MOD(x, y) → Binary; DATABASE and SCHEMA → "database"; USER, SESSION_USER, SYSTEM_USER → "user".
struct FunctionCall final : Expr {
  static constexpr ExprKind kKind = ExprKind::kFunctionCall;
  FunctionCall() : Expr(kKind) {}
  std::string schema;  // schema.f(…): a stored function
  std::string name;
  // A word of the grammar written so that it is not the grammar's own function: `count`(x),
  // COUNT (x), db.now(). No function can be called that (1630).
  bool name_collides = false;
  std::vector<ExprPtr> args;
  std::optional<IntervalUnit> unit;  // TIMESTAMPADD, TIMESTAMPDIFF
  std::string charset;               // CHAR(… USING charset)
  // WEIGHT_STRING(x AS CHAR(n) | BINARY(n))
  std::optional<TypeName> type;
};

enum class SortDirection : uint8_t { kDefault, kAscending, kDescending };

struct OrderItem {
  ExprPtr expr;
  SortDirection direction = SortDirection::kDefault;
  bool descending() const { return direction == SortDirection::kDescending; }
};

enum class FrameUnit : uint8_t { kRows, kRange };
enum class FrameBoundKind : uint8_t {
  kUnboundedPreceding,
  kPreceding,
  kCurrentRow,
  kFollowing,
  kUnboundedFollowing,
};

struct FrameBound {
  FrameBoundKind kind = FrameBoundKind::kCurrentRow;
  ExprPtr offset;                    // kPreceding, kFollowing
  std::optional<IntervalUnit> unit;  // INTERVAL offset unit
};

struct WindowFrame {
  FrameUnit unit = FrameUnit::kRange;
  FrameBound start;
  FrameBound end;  // CURRENT ROW when only the start is written
};

// The inside of OVER (…) or of WINDOW name AS (…). `OVER name` sets only_name and base.
struct WindowSpec {
  bool only_name = false;
  std::string base;  // name of the window it starts from, or empty
  std::vector<ExprPtr> partition_by;
  std::vector<OrderItem> order_by;
  std::optional<WindowFrame> frame;
};

enum class AggregateFn : uint8_t {
  kCount,
  kSum,
  kAvg,
  kMin,
  kMax,
  kBitAnd,
  kBitOr,
  kBitXor,
  kStddevPop,
  kStddevSamp,
  kVarPop,
  kVarSamp,
  kGroupConcat,
  kJsonArrayAgg,
  kJsonObjectAgg,
  kStCollect,
};

struct Aggregate final : Expr {
  static constexpr ExprKind kKind = ExprKind::kAggregate;
  Aggregate() : Expr(kKind) {}
  AggregateFn fn = AggregateFn::kCount;
  bool distinct = false;
  bool star = false;  // COUNT(*): no args
  std::vector<ExprPtr> args;
  std::vector<OrderItem> order_by;       // GROUP_CONCAT
  std::optional<std::string> separator;  // GROUP_CONCAT
  std::unique_ptr<WindowSpec> over;      // null: not windowed
};

enum class WindowFn : uint8_t {
  kRowNumber,
  kRank,
  kDenseRank,
  kPercentRank,
  kCumeDist,
  kNtile,
  kLead,
  kLag,
  kFirstValue,
  kLastValue,
  kNthValue,
};

struct WindowFunction final : Expr {
  static constexpr ExprKind kKind = ExprKind::kWindowFunction;
  WindowFunction() : Expr(kKind) {}
  WindowFn fn = WindowFn::kRowNumber;
  std::vector<ExprPtr> args;
  bool ignore_nulls = false;  // MySQL refuses it: "not supported yet"
  bool from_last = false;     // likewise
  std::unique_ptr<WindowSpec> over;
};

enum class MatchMode : uint8_t {
  kDefault,  // natural language
  kNaturalLanguage,
  kNaturalLanguageWithExpansion,
  kBoolean,
  kExpansion,
};

struct MatchAgainst final : Expr {
  static constexpr ExprKind kKind = ExprKind::kMatchAgainst;
  MatchAgainst() : Expr(kKind) {}
  std::vector<ExprPtr> columns;  // ColumnRef each
  ExprPtr against;
  MatchMode mode = MatchMode::kDefault;
};

enum class JsonOnKind : uint8_t { kUnspecified, kNull, kError, kDefault };

struct JsonOn {
  JsonOnKind kind = JsonOnKind::kUnspecified;
  ExprPtr value;  // kDefault
};

// JSON_VALUE(document, path [RETURNING type] [… ON EMPTY] [… ON ERROR])
struct JsonValue final : Expr {
  static constexpr ExprKind kKind = ExprKind::kJsonValue;
  JsonValue() : Expr(kKind) {}
  ExprPtr document;
  ExprPtr path;
  std::optional<TypeName> returning;
  JsonOn on_empty;
  JsonOn on_error;
};

// DEFAULT (column null) or DEFAULT(column). The bare form appears only as a value being assigned.
struct DefaultExpr final : Expr {
  static constexpr ExprKind kKind = ExprKind::kDefault;
  DefaultExpr() : Expr(kKind) {}
  ExprPtr column;
};

// VALUES(column) in ON DUPLICATE KEY UPDATE.
struct InsertValue final : Expr {
  static constexpr ExprKind kKind = ExprKind::kInsertValue;
  InsertValue() : Expr(kKind) {}
  ExprPtr column;
};

}  // namespace borealis::sql
