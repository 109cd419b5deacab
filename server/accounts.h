// Accounts: who may log in, kept in the table mysql.user like everything else a cluster knows.
//
// A new volume gets one account, root, from loopback only; its password comes from the operator's
// file, or there is none. Logins look the table up each time: it is one small cached page.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "protocol/mysql/auth.h"
#include "sql/session/session.h"

namespace borealis::server {

// Makes the schema mysql and its tables with the first account, unless they are there. The writer
// calls it before it serves. `root_password` empty: none.
Status BootstrapAccounts(sql::SessionEnvironment environment, const std::string& root_password);

class TableAccounts final : public mysql::AccountSource {
 public:
  // `current` gives the environment of the role that the instance has now; an empty one while it
  // has none that serves, and then nobody can log in.
  struct Current {
    std::shared_ptr<const void> keep_alive;
    sql::SessionEnvironment environment;
  };
  explicit TableAccounts(std::function<std::optional<Current>()> current)
      : current_(std::move(current)) {}

  Result<std::optional<mysql::Account>> Find(std::string_view user, std::string_view host) override;

 private:
  const std::function<std::optional<Current>()> current_;
};

}  // namespace borealis::server
