// What a sql_mode means to the parser.
#pragma once

#include "row/sql_mode.h"
#include "sql/parser/parser.h"

namespace borealis::sql {

ParserOptions ParserOptionsUnder(row::SqlMode mode);

}  // namespace borealis::sql
