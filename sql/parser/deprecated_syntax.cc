// What MySQL says of syntax that it means to take away. A statement's warnings come in the order of
// its text, before any that its execution gives, and of a prepared statement with PREPARE alone.
#include "base/mysql_error.h"
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

void Parser::WarnOfSyntax(std::string_view syntax, std::string_view instead) {
  Warn(UserError(ER_WARN_DEPRECATED_SYNTAX, syntax, instead));
}

void Parser::WarnOfCharset(std::string_view name) {
  if (name == "utf8") {
    Warn(UserError(ER_DEPRECATED_UTF8_ALIAS));
  } else if (name == "utf8mb3") {
    WarnOfSyntax("utf8mb3", "utf8mb4");
  }
}

void Parser::WarnOfNational() {
  Warn(UserError(ER_DEPRECATED_NATIONAL));
}

void Parser::WarnOfVariableAssignment() {
  Warn(Status::User(
      ER_WARN_DEPRECATED_SYNTAX,
      "Setting user variables within expressions is deprecated and will be removed in a future "
      "release. Consider alternatives: 'SET variable=expression, ...', or 'SELECT expression(s) "
      "INTO variables(s)'."));
}

void Parser::WarnOfFoundRows(bool option) {
  Warn(Status::User(
      ER_WARN_DEPRECATED_SYNTAX,
      option ? "SQL_CALC_FOUND_ROWS is deprecated and will be removed in a future release. "
               "Consider using two separate queries instead."
             : "FOUND_ROWS() is deprecated and will be removed in a future release. Consider using "
               "COUNT(*) instead."));
}

}  // namespace borealis::sql
