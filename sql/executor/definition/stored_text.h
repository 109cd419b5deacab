// Reading canonical expression text (sql/ast/print.h) without parsing it: which columns, functions
// and variables it names. Columns are always in backticks there, functions never.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace borealis::sql {

struct StoredTextFacts {
  std::vector<std::string> columns;    // as written, each once
  std::vector<std::string> functions;  // lower case
  bool variables = false;              // @user or @@system
  bool subquery = false;
};

StoredTextFacts ReadStoredText(std::string_view text);

}  // namespace borealis::sql
