// Calls from the query machine back into sql/functions.
//
// SQLite's functions do not see types, so each call in a lowered statement has a site: which
// function, with which argument types. The site's number is the call's first argument. Sites belong
// to one compiled statement; the machine resolves numbers through the statement that is running.
//
// Calls within calls are one call for SQLite: what the inner ones give never becomes a register.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "row/type.h"
#include "sql/binder/typed.h"
#include "sql/functions/aggregate.h"
#include "sql/sqlite/constant_set.h"

namespace borealis::sql {

enum class CallKind : uint8_t {
  kFunction,        // `function` over the arguments
  kConvert,         // argument 0 to `result`, implicitly
  kCast,            // argument 0 to `result`, as CAST
  kTruth,           // argument 0 as 0 or 1
  kReadVariable,    // @variable
  kAssignVariable,  // @variable := argument 0
  kAggregate,       // step of `aggregate`
  kSingleRow,       // aggregate: the only value, or error 1242
  // Of conditions that a cursor tests (RowFilter); 1, 0 or NULL.
  kCompare,  // argument 0 `compare` argument 1
  kIn,       // argument 0 among the others
  kInSet,    // argument 0 among `constants`
  kNot,
  kIsNull,
  kAnd,
  kOr,
};

struct CallStep;

struct CallSite {
  CallKind kind = CallKind::kFunction;
  std::shared_ptr<const FunctionInstance> function;
  std::vector<row::Type> arg_types;
  row::Type result;
  std::string variable;
  AggregateSpec aggregate;

  // How the arguments come about, last one last, on a stack of values; empty: they are what SQLite
  // gives, in its order.
  std::vector<CallStep> steps;
  // Of the values that SQLite gives; for calls that are no aggregates.
  std::vector<row::Type> given_types;
  CompareOp compare = CompareOp::kEqual;         // kCompare
  std::shared_ptr<const ConstantSet> constants;  // kInSet
};

// Puts one value on the stack.
struct CallStep {
  enum class Kind : uint8_t { kGiven, kConstant, kCall };
  Kind kind = Kind::kGiven;
  size_t given = 0;  // kGiven: which
  row::Value constant;
  CallSite call;  // kCall: takes its arguments from the stack
};

}  // namespace borealis::sql
