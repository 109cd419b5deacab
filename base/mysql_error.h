// MySQL's error numbers: name, number, SQLSTATE and wording, in one table (mysql_error.def).
//
// Clients match on all three, so they live in one place that both sql/ (which raises them) and
// protocol/mysql/ (which sends them) may use. The wording is the MySQL 8.0 server's, as a fmt
// string.
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "base/status.h"

namespace borealis {

enum MysqlError : int {
#define MYSQL_ERROR(name, number, sqlstate, text) name = number,
#include "base/mysql_error.def"
#undef MYSQL_ERROR
};

// Five characters; "HY000" for a number that is not in the table.
std::string_view SqlStateOf(int mysql_errno);
// The fmt pattern of the message; empty for a number that is not in the table.
std::string_view ErrorPattern(int mysql_errno);

// Status::User with MySQL's wording: UserError(ER_NO_SUCH_TABLE, "shop", "users").
template <class... Args>
Status UserError(MysqlError error, const Args&... args) {
  return Status::User(error, fmt::format(fmt::runtime(ErrorPattern(error)), args...));
}

// What a client is told when a Status that is not a user error reaches it: the nearest MySQL number
// (deadlock 1213, lock wait 1205, interrupted 1317, read-only 1290, no space 1114, …) and text.
Status ToUserError(const Status& status);

}  // namespace borealis
