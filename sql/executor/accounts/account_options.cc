#include "sql/executor/accounts/account_options.h"

#include "base/mysql_error.h"
#include "base/os/random.h"
#include "row/json/parse.h"
#include "row/json/text.h"
#include "row/json/view.h"
#include "sql/accounts/credentials.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/context/computed_column.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr size_t kRandomPasswordSize = 20;
constexpr int64_t kSecondsPerDay = 86'400;
constexpr uint64_t kDaysMax = 65'535;
// FAILED_LOGIN_ATTEMPTS and PASSWORD_LOCK_TIME.
constexpr uint64_t kLockingMax = 32'767;

// REQUIRE: the first part of it in a statement replaces what was required before.
void ApplyRequire(std::string_view what, const std::string& text, bool first, Account* account) {
  using Kind = TlsRequirement::Kind;
  if (first) {
    account->tls = TlsRequirement();
  }
  if (what == "SSL") {
    account->tls.kind = Kind::kAny;
  } else if (what == "X509") {
    account->tls.kind = Kind::kX509;
  } else if (what != "NONE") {
    account->tls.kind = Kind::kSpecified;
    (what == "CIPHER"   ? account->tls.cipher
     : what == "ISSUER" ? account->tls.issuer
                        : account->tls.subject) = text;
  }
}

Status ApplyPasswordOption(std::string_view what, const AccountOption& option, Account* account) {
  PasswordPolicy& policy = account->policy;
  const auto days = [&]() -> std::optional<uint16_t> {
    return option.number.has_value() ? std::optional(static_cast<uint16_t>(*option.number))
                                     : std::nullopt;
  };
  if (option.number.has_value() &&
      (*option.number > kDaysMax || (*option.number == 0 && what == "EXPIRE INTERVAL"))) {
    return UserError(ER_WRONG_VALUE, what == "HISTORY" ? "HISTORY" : "DAY", *option.number);
  }
  if (what == "EXPIRE") {
    account->password_expired = true;
  } else if (what == "EXPIRE DEFAULT" || what == "EXPIRE INTERVAL") {
    policy.lifetime_days = days();
  } else if (what == "EXPIRE NEVER") {
    policy.lifetime_days = 0;
  } else if (what == "HISTORY") {
    policy.reuse_history = days();
  } else if (what == "REUSE INTERVAL") {
    policy.reuse_days = days();
  } else {
    policy.require_current = what == "REQUIRE CURRENT"           ? std::optional(true)
                             : what == "REQUIRE CURRENT DEFAULT" ? std::nullopt
                                                                 : std::optional(false);
  }
  return Status::Ok();
}

Status ApplyLocking(const AccountOption& option, Account* account) {
  if (option.number.value_or(0) > kLockingMax) {
    return UserError(ER_WRONG_VALUE, option.name, *option.number);
  }
  if (option.name == "FAILED_LOGIN_ATTEMPTS") {
    account->locking.attempts = static_cast<uint32_t>(option.number.value_or(0));
  } else {
    account->locking.lock_days =
        option.number.has_value() ? static_cast<int32_t>(*option.number) : -1;
  }
  return Status::Ok();
}

// COMMENT is the member "comment" of what ATTRIBUTE merges into.
Status ApplyMetadata(const AccountOption& option, Account* account) {
  row::JsonNode patch = row::JsonNode::Object();
  row::JsonError error;
  if (option.name == "COMMENT") {
    patch.Set("comment", row::JsonNode::String(option.text));
  } else if (!row::ParseJson(option.text, &patch, &error) || !patch.is_object()) {
    return UserError(ER_INVALID_USER_ATTRIBUTE_JSON);
  }
  row::JsonNode metadata = row::JsonNode::Object();
  if (!account->metadata.empty()) {
    (void)row::ParseJson(account->metadata, &metadata, &error);
  }
  ASSIGN_OR_RETURN(const std::string bytes,
                   row::JsonBytes(row::MergeJsonPatch(std::move(metadata), std::move(patch))));
  const std::string text = row::JsonTextOf(bytes);
  account->metadata = text == "{}" ? "" : text;
  return Status::Ok();
}

std::string RandomPassword() {
  // As MySQL's: digits, letters of either case, signs.
  constexpr std::string_view kAlphabet =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!%&()*+,-./:;<=>?@[]^_{|}~#";
  std::string password;
  while (password.size() < kRandomPasswordSize) {
    for (const char byte : SecureRandomBytes(kRandomPasswordSize)) {
      const auto value = static_cast<uint8_t>(byte);
      // Bytes beyond the last whole alphabet are left out: every character is as likely.
      if (value < 256 / kAlphabet.size() * kAlphabet.size() &&
          password.size() < kRandomPasswordSize) {
        password += kAlphabet[value % kAlphabet.size()];
      }
    }
  }
  return password;
}

uint64_t Effective(const StatementRun& run, std::optional<uint16_t> own, std::string_view name) {
  const SystemVariables* variables = run.session.environment().variables;
  return own.has_value()        ? *own
         : variables != nullptr ? variables->IntegerValue(name).value_or(0)
                                : 0;
}

// 3638 when a password that may not come again does; then the history with the new one.
Status KeepHistory(const StatementRun& run, std::string_view plugin, const std::string& password,
                   const std::string& credential, Account* account) {
  const Credentials& credentials = *run.session.environment().credentials;
  const uint64_t count = Effective(run, account->policy.reuse_history, "password_history");
  const uint64_t days = Effective(run, account->policy.reuse_days, "password_reuse_interval");
  const int64_t now_us = run.session.statement_time_us();
  const int64_t since_us = now_us - static_cast<int64_t>(days) * kSecondsPerDay * 1'000'000;
  std::vector<PastPassword> kept;
  for (const PastPassword& past : account->past_passwords) {
    if (kept.size() < count || (days != 0 && past.changed_us >= since_us)) {
      if (!password.empty() && credentials.Proves(plugin, password, past.credential)) {
        return UserError(ER_CREDENTIALS_CONTRADICT_TO_HISTORY, account->key.user,
                         account->key.host);
      }
      kept.push_back(past);
    }
  }
  if ((count != 0 || days != 0) && !credential.empty()) {
    kept.insert(kept.begin(), {now_us, credential});
  }
  account->past_passwords = std::move(kept);
  return Status::Ok();
}

}  // namespace

Status ApplyAccountOptions(const std::vector<AccountOption>& options, Account* account) {
  bool required = false;
  for (const AccountOption& option : options) {
    const std::string_view name = option.name;
    if (name == "REQUIRE X509" || name == "REQUIRE ISSUER" || name == "REQUIRE SUBJECT") {
      // Clients are not asked for certificates.
      return UserError(ER_NOT_SUPPORTED_YET, option.name);
    }
    if (name.starts_with("REQUIRE ")) {
      ApplyRequire(name.substr(8), option.text, !required, account);
      required = true;
    } else if (name.starts_with("PASSWORD ")) {
      RETURN_IF_ERROR(ApplyPasswordOption(name.substr(9), option, account));
    } else if (name == "ACCOUNT LOCK" || name == "ACCOUNT UNLOCK") {
      account->locked = name == "ACCOUNT LOCK";
    } else if (name == "MAX_QUERIES_PER_HOUR") {
      account->limits.queries_per_hour = static_cast<uint32_t>(*option.number);
    } else if (name == "MAX_UPDATES_PER_HOUR") {
      account->limits.updates_per_hour = static_cast<uint32_t>(*option.number);
    } else if (name == "MAX_CONNECTIONS_PER_HOUR") {
      account->limits.connections_per_hour = static_cast<uint32_t>(*option.number);
    } else if (name == "MAX_USER_CONNECTIONS") {
      account->limits.user_connections = static_cast<uint32_t>(*option.number);
    } else if (name == "COMMENT" || name == "ATTRIBUTE") {
      RETURN_IF_ERROR(ApplyMetadata(option, account));
    } else {
      RETURN_IF_ERROR(ApplyLocking(option, account));
    }
  }
  return Status::Ok();
}

Status ApplyCredentials(const StatementRun& run, const UserSpec& spec, Account* account,
                        std::vector<GeneratedPassword>* generated) {
  if (spec.discard_old_password) {
    account->additional_credential.clear();
    return Status::Ok();
  }
  if (!spec.identified) {
    return Status::Ok();
  }
  const Credentials* credentials = run.session.environment().credentials;
  const std::string plugin = spec.plugin.empty() ? account->plugin : FoldName(spec.plugin);
  if (credentials == nullptr || !credentials->KnowsPlugin(plugin)) {
    return UserError(ER_PLUGIN_IS_NOT_LOADED, plugin);
  }
  const std::string password =
      spec.random_password ? RandomPassword() : spec.password.value_or(std::string());
  if (spec.random_password) {
    generated->push_back({account->key, password});
  }
  if (spec.hash.has_value() && !spec.hash->empty() &&
      !credentials->IsWellFormed(plugin, *spec.hash)) {
    return UserError(ER_PASSWORD_FORMAT);
  }
  const std::string credential =
      spec.hash.has_value() ? *spec.hash : credentials->Make(plugin, password);
  RETURN_IF_ERROR(KeepHistory(run, plugin, password, credential, account));
  if (spec.retain_current_password) {
    if (credential.empty()) {
      return UserError(ER_CURRENT_PASSWORD_CANNOT_BE_RETAINED, account->key.user,
                       account->key.host);
    }
    account->additional_credential = account->credential;
  } else if (plugin != account->plugin || credential.empty()) {
    account->additional_credential.clear();
  }
  account->plugin = plugin;
  account->credential = credential;
  account->password_expired = false;
  account->password_changed_s = run.session.statement_time_us() / 1'000'000;
  return Status::Ok();
}

Status SendGeneratedPasswords(StatementRun& run, const std::vector<GeneratedPassword>& generated) {
  if (generated.empty()) {
    return Status::Ok();
  }
  std::vector<ResultColumn> columns;
  for (const std::string_view name : {"user", "host", "generated password"}) {
    columns.push_back(TextColumn(name, name.size()));
  }
  columns.push_back(NumberColumn("auth_factor", row::Type::BigInt(true).NotNull(), 13));
  RETURN_IF_ERROR(run.sink.OnColumns(columns));
  for (const GeneratedPassword& one : generated) {
    const row::Value values[] = {row::Value::View(one.account.user),
                                 row::Value::View(one.account.host), row::Value::View(one.password),
                                 row::Value::Int(1)};
    RETURN_IF_ERROR(run.sink.OnRow(values));
  }
  return Status::Ok();
}

}  // namespace borealis::sql
