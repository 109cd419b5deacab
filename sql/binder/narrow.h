// A constant in the type of the column it is compared with, when nothing is lost by it.
//
// Comparing in the column's own type is what lets an index serve the comparison. Literals are
// narrowed while binding; parameters each time the statement is executed, and the statement is
// bound again without narrowing when a value does not allow it.
#pragma once

#include <optional>

#include "base/result.h"
#include "row/convert.h"
#include "row/type.h"
#include "row/value.h"

namespace borealis::sql {

// `value`, of type `from`, as `to` holds it, when the two are equal under MySQL's comparison of
// their types; nothing when there is no such value. Error 1525 for text that should be a date or
// time and is none.
Result<std::optional<row::Value>> NarrowExactly(const row::Value& value, const row::Type& from,
                                                const row::Type& to,
                                                const row::ConversionContext& context);

}  // namespace borealis::sql
