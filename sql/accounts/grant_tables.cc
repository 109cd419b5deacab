#include "sql/accounts/grant_tables.h"

#include <algorithm>

namespace borealis::sql {

const Account* GrantTables::Find(const AccountKey& key) const {
  const auto found = accounts_.find(key);
  return found != accounts_.end() ? &found->second : nullptr;
}

Account* GrantTables::FindMutable(const AccountKey& key) {
  const auto found = accounts_.find(key);
  return found != accounts_.end() ? &found->second : nullptr;
}

bool GrantTables::Add(Account account) {
  AccountKey key = account.key;
  return accounts_.emplace(std::move(key), std::move(account)).second;
}

bool GrantTables::Erase(const AccountKey& key) {
  if (accounts_.erase(key) == 0) {
    return false;
  }
  for (auto& [name, account] : accounts_) {
    account.roles.erase(key);
    account.default_roles.erase(key);
  }
  return true;
}

const Account* GrantTables::FindForLogin(std::string_view user, std::string_view address) const {
  const Account* best = nullptr;
  for (const auto& [key, account] : accounts_) {
    if ((key.user.empty() || key.user == user) && HostMatches(address, key.host) &&
        (best == nullptr || IsMoreSpecific(key, best->key))) {
      best = &account;
    }
  }
  return best;
}

std::vector<const Account*> GrantTables::WithRoles(const AccountKey& key,
                                                   const std::set<AccountKey>& roles) const {
  std::vector<const Account*> reached;
  const auto reach = [&](const AccountKey& name) {
    const Account* account = Find(name);
    if (account != nullptr && std::find(reached.begin(), reached.end(), account) == reached.end()) {
      reached.push_back(account);
    }
  };
  reach(key);
  const size_t own = reached.size();
  for (const AccountKey& role : roles) {
    reach(role);
  }
  for (size_t i = own; i < reached.size(); ++i) {  // grows
    for (const auto& [role, admin] : reached[i]->roles) {
      reach(role);
    }
  }
  return reached;
}

bool GrantTables::Reaches(const AccountKey& to, const AccountKey& role) const {
  const Account* account = Find(to);
  if (account == nullptr) {
    return false;
  }
  std::set<AccountKey> direct;
  for (const auto& [name, admin] : account->roles) {
    direct.insert(name);
  }
  const std::vector<const Account*> reached = WithRoles(to, direct);
  return std::any_of(reached.begin() + 1, reached.end(),
                     [&](const Account* one) { return one->key == role; });
}

void GrantTables::Rename(const AccountKey& from, const AccountKey& to) {
  auto node = accounts_.extract(from);
  node.key() = to;
  node.mapped().key = to;
  accounts_.insert(std::move(node));
  for (auto& [name, account] : accounts_) {
    if (auto role = account.roles.extract(from); !role.empty()) {
      role.key() = to;
      account.roles.insert(std::move(role));
    }
    if (account.default_roles.erase(from) != 0) {
      account.default_roles.insert(to);
    }
  }
}

}  // namespace borealis::sql
