// Text of a bound expression as MySQL's messages show it: "(`shop`.`item`.`n` - 5)" in error 1690.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sql/binder/typed.h"

namespace borealis::sql {

struct FunctionOptions;

std::string PrintBound(const BoundExpr& expr);
// The call of the function or operator `name`, as sql/functions names it, with these arguments.
std::string PrintBoundCall(std::string_view name, const FunctionOptions& options,
                           std::span<const BoundPtr> args);

}  // namespace borealis::sql
