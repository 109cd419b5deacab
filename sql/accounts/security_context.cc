#include "sql/accounts/security_context.h"

#include <algorithm>
#include <cctype>

#include "base/mysql_error.h"

namespace borealis::sql {
namespace {

// What every account may read.
constexpr std::string_view kPublicSchema = "information_schema";
constexpr std::string_view kPerformanceSchema = "performance_schema";
constexpr std::string_view kPublicPerformanceTables[] = {
    "global_status",  "global_variables",  "persisted_variables",           "processlist",
    "session_status", "session_variables", "session_account_connect_attrs", "variables_info"};

bool SameIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) == y;
         });
}

bool IsServers(std::string_view schema) {
  return SameIgnoringCase(schema, kPublicSchema) || SameIgnoringCase(schema, kPerformanceSchema);
}

bool IsPublic(std::string_view schema, std::string_view table) {
  return SameIgnoringCase(schema, kPublicSchema) ||
         (SameIgnoringCase(schema, kPerformanceSchema) &&
          std::any_of(std::begin(kPublicPerformanceTables), std::end(kPublicPerformanceTables),
                      [&](std::string_view name) { return SameIgnoringCase(table, name); }));
}

}  // namespace

SecurityContext::SecurityContext(std::shared_ptr<const GrantTables> tables,
                                 const AccountKey& account,
                                 const std::set<AccountKey>& active_roles)
    : tables_(std::move(tables)), global_(), unrestricted_(false) {
  if (tables_->Find(account) == nullptr) {
    return;
  }
  holders_ = tables_->WithRoles(account, active_roles);
  for (const Account* holder : holders_) {
    global_ |= holder->global;
  }
  unrestricted_ = global_ == PrivilegeSet::All();
}

bool SecurityContext::HasDynamic(std::string_view name) const {
  return tables_ == nullptr ||
         std::any_of(holders_.begin(), holders_.end(), [&](const Account* holder) {
           return holder->dynamic.contains(std::string(name));
         });
}

PrivilegeSet SecurityContext::OnSchema(std::string_view schema) const {
  PrivilegeSet set = global_;
  for (const Account* holder : holders_) {
    set |= holder->OnSchema(schema);
  }
  return set;
}

PrivilegeSet SecurityContext::OnTable(std::string_view schema, std::string_view table) const {
  PrivilegeSet set = OnSchema(schema);
  for (const Account* holder : holders_) {
    if (const TableGrant* grant = holder->FindTable(schema, table); grant != nullptr) {
      set |= grant->table;
    }
  }
  if (IsPublic(schema, table)) {
    set.Add(Privilege::kSelect);
  }
  return set;
}

PrivilegeSet SecurityContext::OnColumn(std::string_view schema, std::string_view table,
                                       std::string_view column) const {
  PrivilegeSet set = OnTable(schema, table);
  for (const Account* holder : holders_) {
    const TableGrant* grant = holder->FindTable(schema, table);
    if (grant == nullptr) {
      continue;
    }
    if (const auto found = grant->columns.find(std::string(column));
        found != grant->columns.end()) {
      set |= found->second;
    }
  }
  return set;
}

PrivilegeSet SecurityContext::OnAnyColumn(std::string_view schema, std::string_view table) const {
  PrivilegeSet set = OnTable(schema, table);
  for (const Account* holder : holders_) {
    if (const TableGrant* grant = holder->FindTable(schema, table); grant != nullptr) {
      set |= grant->OfColumns();
    }
  }
  return set;
}

bool SecurityContext::SeesSchema(std::string_view schema) const {
  constexpr PrivilegeSet kOfSchemas = PrivilegeSet::All() - PrivilegeSet{Privilege::kGrantOption};
  if (unrestricted_ || IsServers(schema) || Has(Privilege::kShowDatabases)) {
    return true;
  }
  const PrivilegeSet schema_wide = PrivilegesAt(PrivilegeLevel::kSchema) & kOfSchemas;
  return OnSchema(schema).HasAny(schema_wide) ||
         std::any_of(holders_.begin(), holders_.end(), [&](const Account* holder) {
           const auto at = holder->tables.lower_bound({std::string(schema), std::string()});
           return at != holder->tables.end() && at->first.first == schema;
         });
}

bool SecurityContext::SeesTable(std::string_view schema, std::string_view table) const {
  return unrestricted_ || IsServers(schema) ||
         OnAnyColumn(schema, table).HasAny(PrivilegesAt(PrivilegeLevel::kTable));
}

Status NoSuchDefiner(const AccountKey& definer) {
  return UserError(ER_NO_SUCH_USER, definer.user, definer.host);
}

}  // namespace borealis::sql
