#include "server/accounts.h"

#include <algorithm>

#include "base/mysql_error.h"
#include "base/obs/log.h"
#include "protocol/mysql/password.h"
#include "sql/catalog/catalog.h"

namespace borealis::server {

namespace {

// A sink for statements whose outcome is all that matters.
class OutcomeSink final : public sql::ResultSink {
 public:
  Status OnColumns(std::span<const sql::ResultColumn> /*columns*/) override { return Status::Ok(); }
  Status OnRow(std::span<const row::Value> /*row*/) override { return Status::Ok(); }
  void OnDone(const sql::OkInfo& /*ok*/) override {}
  void OnError(const Status& status, uint16_t /*flags*/) override { error = status; }

  Status error;
};

// The session that the server itself uses: as root, of no client.
sql::SessionIdentity ServerIdentity() {
  sql::SessionIdentity identity;
  identity.user = identity.account_user = "root";
  identity.host = identity.account_host = "localhost";
  return identity;
}

Status Run(sql::Session& session, const std::string& text) {
  OutcomeSink sink;
  session.ExecuteAndWait(text, sink);
  return sink.error;
}

constexpr const char* kCreateUserTable =
    "CREATE TABLE mysql.user ("
    "Host char(255) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL DEFAULT '', "
    "User char(32) COLLATE utf8mb4_bin NOT NULL DEFAULT '', "
    "ssl_type varchar(16) NOT NULL DEFAULT '', "
    "plugin char(64) COLLATE utf8mb4_bin NOT NULL DEFAULT 'caching_sha2_password', "
    "authentication_string text COLLATE utf8mb4_bin, "
    "password_expired char(1) NOT NULL DEFAULT 'N', "
    "account_locked char(1) NOT NULL DEFAULT 'N', "
    "PRIMARY KEY (Host, User)) COMMENT='Users and global privileges'";

bool IsLoopback(std::string_view host) {
  return host.starts_with("127.") || host == "::1";
}

// '%' and '_' as in LIKE.
bool MatchesPattern(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) {
    return text.empty();
  }
  if (pattern.front() == '%') {
    for (size_t skip = 0; skip <= text.size(); ++skip) {
      if (MatchesPattern(text.substr(skip), pattern.substr(1))) {
        return true;
      }
    }
    return false;
  }
  return !text.empty() && (pattern.front() == '_' || pattern.front() == text.front()) &&
         MatchesPattern(text.substr(1), pattern.substr(1));
}

bool HostMatches(std::string_view host, std::string_view pattern) {
  return pattern.empty() || (pattern == "localhost" && IsLoopback(host)) ||
         MatchesPattern(host, pattern);
}

// MySQL tries the most specific host first: no wildcard, then the longest prefix before one.
size_t Specificity(std::string_view pattern) {
  const size_t wildcard = pattern.find_first_of("%_");
  return wildcard == std::string_view::npos && !pattern.empty()
             ? std::string::npos
             : std::min(wildcard, pattern.size());
}

std::string Text(const row::Value& value) {
  return value.is_string() ? std::string(value.bytes()) : std::string();
}

}  // namespace

// Whether the accounts' table holds any account: without one nobody could ever log in.
Result<bool> HasAccounts(sql::Session& session, const sql::Catalog& catalog) {
  if (!catalog.Find("mysql", "user").ok()) {
    RETURN_IF_ERROR(Run(session, kCreateUserTable));
    return false;
  }
  ASSIGN_OR_RETURN(const auto rows, session.CollectQueryText("SELECT 1 FROM mysql.user LIMIT 1"));
  return !rows.empty();
}

Status BootstrapAccounts(sql::SessionEnvironment environment, const std::string& root_password) {
  // The server is not in its role yet and would refuse changes as read-only.
  environment.server = nullptr;
  sql::Session session(environment, ServerIdentity());
  RETURN_IF_ERROR(Run(session, "CREATE DATABASE IF NOT EXISTS mysql"));
  ASSIGN_OR_RETURN(const bool has_accounts, HasAccounts(session, *environment.catalog));
  if (has_accounts) {
    return Status::Ok();
  }
  const std::string credential =
      root_password.empty() ? "" : mysql::Sha2StoredCredential(root_password);
  // Without a password only this machine itself is let in.
  const std::string host = credential.empty() ? "localhost" : "%";
  std::string hex;
  for (const char byte : credential) {
    hex += "0123456789ABCDEF"[static_cast<uint8_t>(byte) >> 4];
    hex += "0123456789ABCDEF"[static_cast<uint8_t>(byte) & 15];
  }
  RETURN_IF_ERROR(
      Run(session, "INSERT INTO mysql.user (Host, User, authentication_string) VALUES ('" + host +
                       "', 'root', "
                       "CONVERT(X'" +
                       hex + "' USING utf8mb4))"));
  LOG_INFO("made the account root@{} {} password", host, credential.empty() ? "without" : "with a");
  return Status::Ok();
}

Result<std::optional<mysql::Account>> TableAccounts::Find(std::string_view user,
                                                          std::string_view host) {
  std::optional<Current> current = current_();
  if (!current.has_value()) {
    return UserError(ER_SERVER_SHUTDOWN);
  }
  sql::Session session(current->environment, ServerIdentity());
  auto rows = session.CollectQueryText(
      "SELECT Host, User, plugin, authentication_string, account_locked, password_expired, "
      "ssl_type "
      "FROM mysql.user");
  if (!rows.ok()) {
    LOG_WARN("cannot read accounts: {}", rows.status().ToString());
    return std::move(rows).status();
  }
  std::optional<mysql::Account> best;
  for (const auto& row : *rows) {
    mysql::Account account;
    account.host = Text(row[0]);
    account.user = Text(row[1]);
    account.plugin = Text(row[2]);
    account.credential = Text(row[3]);
    account.locked = Text(row[4]) == "Y";
    account.password_expired = Text(row[5]) == "Y";
    account.require_tls = !Text(row[6]).empty();
    const bool matches =
        (account.user.empty() || account.user == user) && HostMatches(host, account.host);
    // By host first, then a named user before the anonymous one.
    if (matches && (!best.has_value() || Specificity(account.host) > Specificity(best->host) ||
                    (account.host == best->host && best->user.empty()))) {
      best = std::move(account);
    }
  }
  return best;
}

}  // namespace borealis::server
