#include "server/accounts.h"

#include "base/mysql_error.h"
#include "base/obs/log.h"
#include "protocol/mysql/password.h"
#include "sql/accounts/grant_store.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/account_change.h"

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
  if (found == nullptr) {
    return std::optional<mysql::Account>();
  }
  mysql::Account account;
  account.user = found->key.user;
  account.host = found->key.host;
  account.plugin = found->plugin;
  account.credential = found->credential;
  account.locked = found->locked;
  account.password_expired = found->password_expired;
  account.require_tls = found->tls.kind != sql::TlsRequirement::Kind::kNone;
  return std::optional(std::move(account));
}

}  // namespace borealis::server
