// Columns of the results that statements make without a query (SHOW, EXPLAIN, CHECK TABLE): as
// MySQL describes them, computed and of no table.
#pragma once

#include <cstdint>
#include <string_view>

#include "sql/context/result_sink.h"

namespace borealis::sql {

// Of up to `chars` characters; beyond what a VARCHAR holds a TEXT.
ResultColumn TextColumn(std::string_view name, uint64_t chars, bool nullable = false);
// `width`: the characters that a client is told to expect, the sign included; 0 is the type's own.
ResultColumn NumberColumn(std::string_view name, row::Type type, uint32_t width = 0);

}  // namespace borealis::sql
