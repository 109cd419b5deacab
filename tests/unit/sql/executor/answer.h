// What a session answered to a statement, as text: for tests that have no client.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/session/session.h"

namespace borealis::sql {

// The rows of a statement, "NULL" for NULL, or its error.
struct Answer {
  std::vector<std::vector<std::string>> rows;
  std::vector<ResultColumn> columns;
  int error = 0;
  std::string message;
  // Where the statement named it (SIGNAL); the error's own otherwise, which is not repeated here.
  std::string sqlstate;

  // "1,a|2,NULL"; "error 1054" when it failed, and the SQLSTATE behind it if there is one.
  std::string ToString() const;
  // The rows alone: "1,a" and "2,NULL".
  std::vector<std::string> Lines() const;
  // The names of the columns, with commas.
  std::string Names() const;
};

Answer Ask(Session* session, std::string_view text);
Answer AskPrepared(Session* session, uint32_t id, std::span<const TypedValue> parameters = {});

}  // namespace borealis::sql
