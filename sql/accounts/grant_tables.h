// All accounts and roles at one moment: what the account tables of the schema mysql say.
//
// A value: account statements change a copy and write the difference; everybody else shares an
// immutable one (grant_store.h).
#pragma once

#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "sql/accounts/account.h"

namespace borealis::sql {

class GrantTables {
 public:
  const std::map<AccountKey, Account>& accounts() const { return accounts_; }
  const Account* Find(const AccountKey& key) const;
  Account* FindMutable(const AccountKey& key);
  // False when there is one of that name.
  bool Add(Account account);
  bool Erase(const AccountKey& key);

  // The account that a client's user name and numeric address mean; null: none.
  const Account* FindForLogin(std::string_view user, std::string_view address) const;

  // The account itself, then `roles` and what is granted to those, transitively. Roles that do not
  // exist are left out.
  std::vector<const Account*> WithRoles(const AccountKey& key,
                                        const std::set<AccountKey>& roles) const;
  // Whether `role` is granted to `to`, directly or through other roles.
  bool Reaches(const AccountKey& to, const AccountKey& role) const;

  // Every mention of `from` becomes one of `to`.
  void Rename(const AccountKey& from, const AccountKey& to);

 private:
  std::map<AccountKey, Account> accounts_;
};

}  // namespace borealis::sql
