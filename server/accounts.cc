#include "server/accounts.h"

#include "base/mysql_error.h"
#include "base/obs/log.h"
#include "base/os/time.h"
#include "protocol/mysql/password.h"
#include "sql/accounts/grant_store.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/accounts/account_change.h"

namespace borealis::server {

Status BootstrapAccounts(const sql::SessionEnvironment& environment,
                         const std::string& root_password) {
  RETURN_IF_ERROR(sql::MakeAccountTables(environment));
  ASSIGN_OR_RETURN(const std::shared_ptr<const sql::GrantTables> tables,
                   environment.grants->At(environment.catalog->version()));
  if (!tables->accounts().empty()) {
    return Status::Ok();
  }
  const std::string credential = mysql::Sha2StoredCredential(root_password);
  sql::Account root;
  root.key = {"root", credential.empty() ? "localhost" : "%"};
  root.credential = credential;
  sql::GrantEverything(&root);
  LOG_INFO("making the account root@{} {} password", root.key.host,
           credential.empty() ? "without" : "with a");
  return sql::ChangeStoredAccounts(environment, [&](sql::GrantTables* stored) {
    stored->Add(root);
    return Status::Ok();
  });
}

namespace {

constexpr int64_t kDayUs = 86'400'000'000;

// By PASSWORD EXPIRE, or because the password is older than its lifetime.
bool IsExpired(const sql::Account& account, const sql::SessionEnvironment& environment) {
  const uint64_t days =
      account.policy.lifetime_days.has_value()
          ? *account.policy.lifetime_days
          : environment.variables->IntegerValue("default_password_lifetime").value_or(0);
  const bool too_old = days != 0 && account.password_changed_s.has_value() &&
                       SystemClock().WallUs() > *account.password_changed_s * 1'000'000 +
                                                    static_cast<int64_t>(days) * kDayUs;
  return account.password_expired || too_old;
}

mysql::Account ForLogin(const sql::Account& stored, const sql::SessionEnvironment& environment) {
  using Kind = sql::TlsRequirement::Kind;
  mysql::Account account;
  account.user = stored.key.user;
  account.host = stored.key.host;
  account.plugin = stored.plugin;
  account.credential = stored.credential;
  account.additional_credential = stored.additional_credential;
  account.locked = stored.locked;
  account.password_expired = IsExpired(stored, environment);
  account.require_tls = stored.tls.kind != Kind::kNone;
  account.require_certificate =
      stored.tls.kind == Kind::kX509 || !stored.tls.issuer.empty() || !stored.tls.subject.empty();
  account.require_cipher = stored.tls.cipher;
  account.max_user_connections = stored.limits.user_connections;
  return account;
}

}  // namespace

Result<std::optional<mysql::Account>> StoredAccounts::Find(std::string_view user,
                                                           std::string_view host) {
  const std::optional<Current> current = current_();
  if (!current.has_value()) {
    return UserError(ER_SERVER_SHUTDOWN);
  }
  const sql::SessionEnvironment& environment = current->environment;
  auto tables = environment.grants->At(environment.catalog->version());
  if (!tables.ok()) {
    LOG_WARN("cannot read accounts: {}", tables.status().ToString());
    return std::move(tables).status();
  }
  const sql::Account* found = (*tables)->FindForLogin(user, host);
  return found == nullptr ? std::optional<mysql::Account>()
                          : std::optional(ForLogin(*found, environment));
}

Status StoredAccounts::OnOutcome(const mysql::Account& account, bool right) {
  const std::optional<Current> current = current_();
  if (!current.has_value()) {
    return UserError(ER_SERVER_SHUTDOWN);
  }
  const sql::SessionEnvironment& environment = current->environment;
  ASSIGN_OR_RETURN(const auto tables, environment.grants->At(environment.catalog->version()));
  const sql::AccountKey key{account.user, account.host};
  const sql::Account* stored = tables->Find(key);
  MutexLock lock(mutex_);
  if (stored == nullptr || stored->locking.attempts == 0 || stored->locking.lock_days == 0) {
    failures_.erase(key);
    return Status::Ok();
  }
  const sql::LoginLocking& locking = stored->locking;
  Failures& failures = failures_[key];
  const int64_t now_us = SystemClock().WallUs();
  const int64_t lock_us = locking.lock_days * kDayUs;
  const bool over = failures.locked_at_us != 0 && locking.lock_days > 0 &&
                    now_us >= failures.locked_at_us + lock_us;
  if (over || failures.credential != account.credential) {
    failures = {account.credential, 0, 0};
  }
  if (failures.locked_at_us == 0) {
    failures.count = right ? 0 : failures.count + 1;
    failures.locked_at_us = failures.count >= locking.attempts ? now_us : 0;
  }
  if (failures.locked_at_us == 0) {
    return Status::Ok();
  }
  const bool for_ever = locking.lock_days < 0;
  const int64_t left_us = failures.locked_at_us + lock_us - now_us;
  const std::string days = for_ever ? "unlimited" : std::to_string(locking.lock_days);
  const std::string left = for_ever ? "unlimited" : std::to_string((left_us + kDayUs - 1) / kDayUs);
  return UserError(ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK, account.user,
                   account.host, days, left, locking.attempts);
}

}  // namespace borealis::server
