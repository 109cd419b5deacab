// Accounts as logins need them: the first one of a new volume, and finding the one that a client
// means. Where they are stored and how they change is in sql/accounts and sql/executor.
//
// A new volume gets one account, root; its password comes from the operator's file, or there is
// none and only this machine itself is let in.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

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

 private:
  const std::function<std::optional<Current>()> current_;
};

}  // namespace borealis::server
