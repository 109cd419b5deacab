// How the accounts change: one atomic step for all accounts that a statement names.
//
// The statement's work is done on a copy of the accounts as they are stored, under a lock that
// keeps other account statements out; what it changed is written and committed in one transaction;
// then the new generation is announced in the dictionary, which tells every instance (see
// sql/accounts/grant_store.h).
//
// INV-ACC-2  An account statement that failed has changed nothing; one that succeeded is durable,
//            and this instance's sessions obey it from their next statement on.
#pragma once

#include <functional>
#include <memory>

#include "sql/accounts/grant_store.h"
#include "sql/executor/executor.h"
#include "sql/session/session.h"

namespace borealis::sql {

using AccountChange = std::function<Status(GrantTables*)>;

Status ChangeAccounts(StatementRun& run, const AccountChange& change);
// The same by the server itself, on the writer.
Status ChangeStoredAccounts(const SessionEnvironment& environment, const AccountChange& change);

// FLUSH PRIVILEGES and after the tables were written otherwise: all instances read them again.
Status AnnounceAccounts(const SessionEnvironment& environment);

// Reads the tables of the schema mysql.
std::unique_ptr<GrantStore> MakeGrantStore(const SessionEnvironment& environment);

// Makes the schema mysql and its account tables where they are missing, and brings a mysql.user of
// the first release to today's form: its accounts keep all privileges, as they had them.
Status MakeAccountTables(const SessionEnvironment& environment);
// All static and dynamic privileges, WITH GRANT OPTION.
void GrantEverything(Account* account);

}  // namespace borealis::sql
