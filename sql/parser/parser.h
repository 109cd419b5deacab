// MySQL 8.0 statement text → syntax tree (sql/ast).
//
// One call parses one statement of a possibly multi-statement text and says where the next begins.
// Syntax errors are MySQL's 1064 with its wording: the text from the offending token on, cut at 80
// characters, and the line number. The parser holds no state between calls and may be used from any
// thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/ast/node.h"
#include "sql/ast/program.h"
#include "sql/ast/trigger.h"

namespace borealis::sql {

struct ParserOptions {
  // sql_mode flags that change the grammar.
  bool ansi_quotes = false;
  bool pipes_as_concat = false;
  bool no_backslash_escapes = false;
  bool ignore_space = false;
  bool high_not_precedence = false;
  bool real_as_float = false;

  // `?` is a parameter; otherwise it is a syntax error, as in MySQL's text protocol.
  bool allow_parameters = true;
  // /*!NNNNN … */ is executed when NNNNN is at most this.
  uint32_t version = 80036;
  // Parentheses, subqueries and function calls inside one another.
  uint32_t max_nesting = 300;
  // Height of the tree, to which chains like a + b + c add their length.
  uint32_t max_height = 2000;
};

struct ParsedStatement {
  // Null when the text holds nothing but white space and comments.
  StmtPtr statement;
  uint32_t parameter_count = 0;
  std::vector<uint32_t> parameter_positions;  // offset of each `?` in the text
  std::vector<Status> warnings;               // of deprecated syntax, in the text's order
  // Offset just past the statement and its semicolon; the text's length when it was the last.
  size_t consumed = 0;
  // Offset just past the statement's last token, without the semicolon.
  size_t end = 0;
};

Result<ParsedStatement> Parse(std::string_view text, const ParserOptions& options = {});

// One expression that is the whole text, e.g. a stored default or check.
Result<ExprPtr> ParseExpression(std::string_view text, const ParserOptions& options = {});

// A trigger's body, which is the whole text. `?` is an error in it.
Result<Program> ParseTriggerBody(std::string_view text, TriggerTiming timing, TriggerEvent event,
                                 const ParserOptions& options = {});

}  // namespace borealis::sql
