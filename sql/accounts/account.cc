#include "sql/accounts/account.h"

namespace borealis::sql {

PrivilegeSet TableGrant::OfColumns() const {
  PrivilegeSet set;
  for (const auto& [name, privileges] : columns) {
    set |= privileges;
  }
  return set;
}

PrivilegeSet Account::OnSchema(std::string_view schema) const {
  const std::pair<const std::string, PrivilegeSet>* best = nullptr;
  for (const auto& entry : schemas) {
    const std::string& pattern = entry.first;
    if (pattern == schema) {
      return entry.second;
    }
    if (MatchesWildcards(schema, pattern) &&
        (best == nullptr || !HasWildcards(pattern) ||
         LiteralPrefix(pattern) > LiteralPrefix(best->first))) {
      best = &entry;
    }
  }
  return best != nullptr ? best->second : PrivilegeSet();
}

const TableGrant* Account::FindTable(std::string_view schema, std::string_view table) const {
  const auto found = tables.find({std::string(schema), std::string(table)});
  return found != tables.end() ? &found->second : nullptr;
}

}  // namespace borealis::sql
