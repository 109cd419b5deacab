// One account or role with everything the system tables say of it.
//
// A role is an account that nobody can log in to; MySQL makes no other difference, and either can
// be granted to the other. Plain data: who changes a copy writes it back (sql/executor/grant_rows).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sql/accounts/account_key.h"
#include "sql/accounts/privilege.h"

namespace borealis::sql {

// REQUIRE.
struct TlsRequirement {
  enum class Kind : uint8_t { kNone, kAny, kX509, kSpecified };
  Kind kind = Kind::kNone;
  // kSpecified: those that are not empty.
  std::string cipher;
  std::string issuer;
  std::string subject;
  friend bool operator==(const TlsRequirement&, const TlsRequirement&) = default;
};

// 0: no limit.
struct ResourceLimits {
  uint32_t queries_per_hour = 0;
  uint32_t updates_per_hour = 0;
  uint32_t connections_per_hour = 0;
  uint32_t user_connections = 0;
  friend bool operator==(const ResourceLimits&, const ResourceLimits&) = default;
};

// Absent: as the server's variables have it.
struct PasswordPolicy {
  std::optional<uint16_t> lifetime_days;  // 0: never expires
  std::optional<uint16_t> reuse_history;
  std::optional<uint16_t> reuse_days;
  std::optional<bool> require_current;
  friend bool operator==(const PasswordPolicy&, const PasswordPolicy&) = default;
};

// FAILED_LOGIN_ATTEMPTS and PASSWORD_LOCK_TIME.
struct LoginLocking {
  uint32_t attempts = 0;  // 0: failures are not counted
  int32_t lock_days = 0;  // -1: until unlocked
  friend bool operator==(const LoginLocking&, const LoginLocking&) = default;
};

struct TableGrant {
  PrivilegeSet table;
  std::map<std::string, PrivilegeSet> columns;  // by the column's name as the table has it
  std::string grantor;

  PrivilegeSet OfColumns() const;
  bool empty() const { return table.empty() && columns.empty(); }
  friend bool operator==(const TableGrant&, const TableGrant&) = default;
};

struct PastPassword {
  int64_t changed_us = 0;
  std::string credential;
  friend bool operator==(const PastPassword&, const PastPassword&) = default;
};

struct Account {
  AccountKey key;

  std::string plugin = "caching_sha2_password";
  std::string credential;             // as the plugin stores it; empty: no password
  std::string additional_credential;  // RETAIN CURRENT PASSWORD; empty: none
  bool password_expired = false;
  bool locked = false;
  std::optional<int64_t> password_changed_s;  // seconds since 1970
  PasswordPolicy policy;
  LoginLocking locking;
  TlsRequirement tls;
  ResourceLimits limits;
  std::string metadata;                      // COMMENT and ATTRIBUTE: a JSON object; empty: none
  std::vector<PastPassword> past_passwords;  // the newest first

  PrivilegeSet global;
  std::map<std::string, bool> dynamic;          // upper-case name, with grant option
  std::map<std::string, PrivilegeSet> schemas;  // by schema pattern
  std::map<std::pair<std::string, std::string>, TableGrant> tables;  // by schema and table
  std::map<AccountKey, bool> roles;                                  // with admin option
  std::set<AccountKey> default_roles;

  // The schema grant that counts for `schema`: of those that match, the most specific.
  PrivilegeSet OnSchema(std::string_view schema) const;
  const TableGrant* FindTable(std::string_view schema, std::string_view table) const;

  friend bool operator==(const Account&, const Account&) = default;
};

}  // namespace borealis::sql
