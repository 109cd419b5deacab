// Accounts as logins need them: the first one of a new volume, and finding the one that a client
// means. Where they are stored and how they change is in sql/accounts and sql/executor.
//
// A new volume gets one account, root; its password comes from the operator's file, or there is
// none and only this machine itself is let in.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "base/result.h"
#include "protocol/mysql/auth.h"
#include "sql/session/session.h"

namespace borealis::server {

// Makes the account tables with the first account, unless they are there. The writer calls it
// before it serves. `root_password` empty: none.
Status BootstrapAccounts(const sql::SessionEnvironment& environment,
                         const std::string& root_password);

class StoredAccounts final : public mysql::AccountSource {
 public:
  // `current` gives the environment of the role that the instance has now; an empty one while it
  // has none that serves, and then nobody can log in.
  struct Current {
    std::shared_ptr<const void> keep_alive;
    sql::SessionEnvironment environment;
  };
  explicit StoredAccounts(std::function<std::optional<Current>()> current)
      : current_(std::move(current)) {}

  Result<std::optional<mysql::Account>> Find(std::string_view user, std::string_view host) override;
  // FAILED_LOGIN_ATTEMPTS and PASSWORD_LOCK_TIME; counted by each instance for itself and forgotten
  // when it ends, or when the account is given another password. Error: 3955.
  Status OnOutcome(const mysql::Account& account, bool right) override;

 private:
  struct Failures {
    std::string credential;  // that they were counted for
    uint32_t count = 0;
    int64_t locked_at_us = 0;  // 0: not
  };

  const std::function<std::optional<Current>()> current_;
  Mutex mutex_{LockRank::kLeaf};
  std::map<sql::AccountKey, Failures> failures_ GUARDED_BY(mutex_);
};

}  // namespace borealis::server
