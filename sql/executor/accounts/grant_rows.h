// Accounts as rows: the tables of the schema mysql that hold them, with MySQL 8.0's definitions,
// reading them into GrantTables and writing the difference between two.
//
// What is read is what a hand may have written there (INSERT INTO mysql.user …): rows that make no
// sense are left out, never a reason to fail.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "sql/accounts/grant_tables.h"

namespace borealis::sql {

class Session;

struct AccountTable {
  std::string_view name;
  std::string_view columns;  // the parenthesis of CREATE TABLE mysql.name (…)
  std::string_view comment;
};
std::span<const AccountTable> AccountTables();

// REQUIRES: `session` is one of the server's own; in its open transaction, if there is one.
Result<GrantTables> LoadGrantTables(Session& session);

// Makes the rows say `after` where they said `before`. REQUIRES: a transaction is open.
Status WriteGrantTables(Session& session, const GrantTables& before, const GrantTables& after);

}  // namespace borealis::sql
