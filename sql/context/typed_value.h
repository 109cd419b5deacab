// A value with its static type: what a parameter, a user variable or a system variable is.
#pragma once

#include "row/type.h"
#include "row/value.h"

namespace borealis::sql {

struct TypedValue {
  row::Type type;
  row::Value value;
};

}  // namespace borealis::sql
