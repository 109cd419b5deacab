// What one session may do: the privileges of its account and of its active roles together.
//
// Cheap to ask in the common case: an account with all privileges is `unrestricted`, and nobody
// asks further. Everything else is looked up in the shared GrantTables when a name is resolved.
// The session's own; rebuilt when the accounts or the active roles change.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/accounts/grant_tables.h"

namespace borealis::sql {

class SecurityContext {
 public:
  // May do everything: sessions of the server itself.
  SecurityContext() = default;
  // An account that is not there (any more) may do nothing.
  SecurityContext(std::shared_ptr<const GrantTables> tables, const AccountKey& account,
                  const std::set<AccountKey>& active_roles);

  // Holds every static privilege for everything.
  bool unrestricted() const { return unrestricted_; }
  // Null: of the server itself.
  const std::shared_ptr<const GrantTables>& tables() const { return tables_; }
  // The account and its active roles, the account first; empty when it is gone.
  const std::vector<const Account*>& holders() const { return holders_; }

  PrivilegeSet global() const { return global_; }
  bool Has(Privilege privilege) const { return global_.Has(privilege); }
  bool HasDynamic(std::string_view name) const;
  // SUPER counts for the dynamic privileges that came from it.
  bool HasSuperOr(std::string_view dynamic) const {
    return Has(Privilege::kSuper) || HasDynamic(dynamic);
  }

  // Each includes what the coarser levels give.
  PrivilegeSet OnSchema(std::string_view schema) const;
  PrivilegeSet OnTable(std::string_view schema, std::string_view table) const;
  PrivilegeSet OnColumn(std::string_view schema, std::string_view table,
                        std::string_view column) const;
  // On the table or on at least one of its columns.
  PrivilegeSet OnAnyColumn(std::string_view schema, std::string_view table) const;

  // Whether listings show it: any privilege on it or on anything in it.
  bool SeesSchema(std::string_view schema) const;
  bool SeesTable(std::string_view schema, std::string_view table) const;

 private:
  std::shared_ptr<const GrantTables> tables_;
  std::vector<const Account*> holders_;
  PrivilegeSet global_ = PrivilegeSet::All();
  bool unrestricted_ = true;
};

// 1449: a view's definer.
Status NoSuchDefiner(const AccountKey& definer);

}  // namespace borealis::sql
