// Calls from the query machine back into sql/functions.
//
// SQLite's functions do not see types, so each call in a lowered statement has a site: which
// function, with which argument types. The site's number is the call's first argument. Sites belong
// to one compiled statement; the machine resolves numbers through the statement that is running.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "row/type.h"
#include "sql/binder/typed.h"
#include "sql/functions/aggregate.h"

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
};

struct CallSite {
  CallKind kind = CallKind::kFunction;
  std::shared_ptr<const FunctionInstance> function;
  std::vector<row::Type> arg_types;
  row::Type result;
  std::string variable;
  AggregateSpec aggregate;
};

}  // namespace borealis::sql
