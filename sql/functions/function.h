// Scalar functions and operators over row::Value: the one implementation that queries, constant
// folding, generated columns, checks and pushed-down filters share.
//
// A FunctionDef is a row of a static table. Binding it to argument types gives a FunctionInstance:
// immutable, shared, callable from many threads (each with its own EvalContext). Operators are
// functions too:
//   "+" "-" "*" "/" "div" "%" "unary_minus" "|" "&" "^" "<<" ">>" "bit_not"
//   "=" "<=>" "<>" "<" "<=" ">" ">=" "and" "or" "xor" "not" "between" "in"
//   "like" (text, pattern[, escape]) "regexp_like", "extract", "trim" and "date_add" (see
//   FunctionOptions), "cast" (to FunctionOptions::cast_type), "member of".
// "rand sequence" is RAND of a constant, "range position" a value's place for RANGE frames;
// "json boolean" and "json scalar" make JSON of a truth value and of any other value; their names
// are none that a statement could write.
//
// Arguments come as their argument types hold them (row/value.h); functions convert for themselves.
// The result is held as the instance's type holds it. Text results may borrow from the arguments.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "row/collation.h"
#include "row/interval.h"
#include "row/type.h"
#include "row/value.h"
#include "sql/functions/eval_context.h"

namespace borealis::sql {

class FunctionInstance;

// What is written in an expression beside its arguments.
struct FunctionOptions {
  // "date_add", "extract", "timestampadd", "timestampdiff".
  row::IntervalUnit unit = row::IntervalUnit::kDay;
  bool subtract = false;  // "date_add": DATE_SUB
  // "trim": which ends.
  bool trim_leading = true;
  bool trim_trailing = true;
  row::Type cast_type;  // "cast", "json_value"
  // "json_value". The defaults are of cast_type; NULL where none was written.
  bool json_error_on_empty = false;
  bool json_error_on_error = false;
  row::Value json_default_on_empty;
  row::Value json_default_on_error;
  // "benchmark": evaluates its expression once; the arguments after the count are what it reads.
  std::function<Status(EvalContext& context, std::span<const row::Value> args)> repeated;
  // The call as messages show it (1690); without it they show the arguments' values.
  std::function<std::string()> describe;
};

// One argument as the binder knows it.
struct FunctionArg {
  row::Type type;
  // The value when it is constant, else null. Types may depend on it: ROUND(x, 2).
  const row::Value* constant = nullptr;
};

struct BindSettings {
  // The collation that the arguments of FunctionDef::collation_args agree on; the connection's when
  // none of them has one.
  row::CollationId collation = row::kDefaultCollation;
  row::CollationId collation_connection = row::kDefaultCollation;
  uint32_t div_precision_increment = 4;
  row::SqlMode sql_mode = row::kDefaultSqlMode;
  // block_encryption_mode fills the last block.
  bool aes_pads = true;
};

// How far a function's value depends on more than its arguments.
enum class Stability : uint8_t {
  kPure,       // same arguments, same value: may fold, index, stand in a generated column
  kStatement,  // fixed within a statement: NOW(), USER()
  kVolatile,   // evaluate at every call: RAND(), SLEEP(), UUID()
};

struct EvalCall {
  EvalContext& context;
  const FunctionInstance& function;
};
using EvalFn = Status (*)(const EvalCall& call, std::span<const row::Value> args, row::Value* out);
struct InferInput {
  std::span<const FunctionArg> args;
  const BindSettings& settings;
  const FunctionOptions& options;
};
// Sets kind, length, scale, sign and nullability. Collation is settings.collation for text.
using InferFn = Status (*)(const InferInput& input, row::Type* type);

inline constexpr int kAnyNumber = 255;  // of arguments

struct FunctionDef {
  std::string_view name;  // lower case
  int min_args = 0;
  int max_args = 0;  // kAnyNumber: no limit
  InferFn infer = nullptr;
  EvalFn eval = nullptr;
  // Any NULL argument makes the result NULL without a call.
  bool null_if_any_null = true;
  Stability stability = Stability::kPure;
  // Bit i: argument i takes part in the collation in which the function compares or which its
  // result has; bit 31 stands for all arguments from 31 on. 0: no collation.
  uint32_t collation_args = 0;
  // Bit i, as above: argument i is taken as a number, so that x'41' there is 65 and not "A".
  uint32_t number_args = 0;
  // Of them, the one whose collation is that of all, if it is one alone; what is constant among the
  // others must have a place in its character set (3854).
  int8_t leading_arg = -1;
  // It compares those arguments: columns of two collations do not mix in it.
  bool compares_texts = false;
  // Never NULL when no argument is.
  bool total = false;
  // It looks at NULLs itself, and yet is never NULL when no argument is.
  bool null_from_args = false;
  // Arguments beyond min_args come in groups of so many.
  uint8_t arg_step = 1;
};
inline constexpr uint32_t kAllArgs = 0xFFFFFFFF;

class FunctionInstance {
 public:
  const FunctionDef& def() const { return *def_; }
  const row::Type& type() const { return type_; }
  const std::vector<row::Type>& arg_types() const { return arg_types_; }
  const FunctionOptions& options() const { return options_; }
  const BindSettings& settings() const { return settings_; }
  const row::Collation& collation() const { return row::GetCollation(settings_.collation); }

  // REQUIRES: args.size() == arg_types().size().
  Status Eval(EvalContext& context, std::span<const row::Value> args, row::Value* out) const;

 private:
  friend Result<std::shared_ptr<const FunctionInstance>> BindFunction(
      const FunctionDef& def, std::span<const FunctionArg> args, const BindSettings& settings,
      const FunctionOptions& options);
  const FunctionDef* def_ = nullptr;
  row::Type type_;
  std::vector<row::Type> arg_types_;
  FunctionOptions options_;
  BindSettings settings_;
};

// Null when there is none (the binder answers 1305). `name` in lower case.
const FunctionDef* FindFunction(std::string_view name);
// Whether MySQL has a native function of this name (in lower case) that is not offered here.
bool IsMissingFunction(std::string_view name);
// All of them, for information_schema and tests, by name.
std::vector<const FunctionDef*> AllFunctions();
inline bool AcceptsCount(const FunctionDef& def, size_t count) {
  return static_cast<int>(count) >= def.min_args &&
         (static_cast<int>(count) - def.min_args) % def.arg_step == 0 &&
         (def.max_args == kAnyNumber || static_cast<int>(count) <= def.max_args);
}
// Checks the number of arguments (1582) and infers the type.
Result<std::shared_ptr<const FunctionInstance>> BindFunction(const FunctionDef& def,
                                                             std::span<const FunctionArg> args,
                                                             const BindSettings& settings,
                                                             const FunctionOptions& options = {});

// --- conversions and comparison, for nodes of the binder that are not functions
// -------------------

// CAST(value AS to): wraps, cuts and warns as CAST does; what cannot be read is NULL or 0.
Status CastValue(EvalContext& context, const row::Value& value, const row::Type& from,
                 const row::Type& to, row::Value* out);
// The implicit conversion to a common type for comparison, CASE, UNION: text is never cut, numbers
// are clamped, a temporal that cannot be read is NULL (with warning 1292).
Status ConvertValue(EvalContext& context, const row::Value& value, const row::Type& from,
                    const row::Type& to, row::Value* out);
// FLOAT or DOUBLE: what holds numbers of both types, of which one is floating. Where all digits
// after the point are counted, it shows as many as the one that has more.
row::Type FloatingOver(const row::Type& a, const row::Type& b);
// <0, 0, >0 of two non-NULL values of one comparable form (INV-BIND-1): text by `type.collation`.
int CompareValues(const row::Type& type, const row::Value& a, const row::Value& b);
// MySQL's cross-type comparison of two non-NULL values. *comparable is false when one of them
// turned out not to be a date.
int CompareMixed(EvalContext& context, const row::Value& a, const row::Type& a_type,
                 const row::Value& b, const row::Type& b_type, const row::Collation& collation,
                 bool* comparable);

}  // namespace borealis::sql
