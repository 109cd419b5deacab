#include "sql/executor/accounts/grant_rows.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "row/json/parse.h"
#include "row/json/text.h"
#include "row/json/view.h"
#include "sql/executor/tables/server_session.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// A row's values as text, in the order of the table's columns.
using Cells = std::vector<std::optional<std::string>>;
// The rows of one table by their keys.
using Rows = std::map<Cells, Cells>;

// How a column's value is read and written as text.
enum class Form : uint8_t { kText, kBytes, kSeconds, kMicros };

struct Column {
  std::string name;
  Form form = Form::kText;
};

struct Table {
  std::string name;
  size_t key_size;  // the key's columns come first
  std::vector<Column> columns;
};

enum TableNo : size_t {
  kUser,
  kDb,
  kTablesPriv,
  kColumnsPriv,
  kGlobalGrants,
  kRoleEdges,
  kDefaultRoles,
  kPasswordHistory,
  kTableCount,
};
using AccountRows = std::array<Rows, kTableCount>;

std::vector<Privilege> PrivilegesOf(PrivilegeSet set) {
  std::vector<Privilege> list;
  for (int i = 0; i < kPrivilegeCount; ++i) {
    if (set.Has(static_cast<Privilege>(i))) {
      list.push_back(static_cast<Privilege>(i));
    }
  }
  return list;
}

// One Y/N column for each privilege that the level has.
void AddPrivilegeColumns(PrivilegeLevel level, std::vector<Column>* columns) {
  for (const Privilege privilege : PrivilegesOf(PrivilegesAt(level))) {
    columns->push_back({std::string(PrivilegeColumn(privilege))});
  }
}

// mysql.db has columns for what tables can have and for some more: all of the schema's level.
const std::array<Table, kTableCount>& Tables() {
  static const std::array<Table, kTableCount> tables = [] {
    std::array<Table, kTableCount> list = {{
        {"user", 2, {{"Host"}, {"User"}}},
        {"db", 3, {{"Host"}, {"User"}, {"Db"}}},
        {"tables_priv",
         4,
         {{"Host"},
          {"User"},
          {"Db"},
          {"Table_name"},
          {"Grantor"},
          {"Table_priv"},
          {"Column_priv"}}},
        {"columns_priv",
         5,
         {{"Host"}, {"User"}, {"Db"}, {"Table_name"}, {"Column_name"}, {"Column_priv"}}},
        {"global_grants", 3, {{"USER"}, {"HOST"}, {"PRIV"}, {"WITH_GRANT_OPTION"}}},
        {"role_edges",
         4,
         {{"FROM_HOST"}, {"FROM_USER"}, {"TO_HOST"}, {"TO_USER"}, {"WITH_ADMIN_OPTION"}}},
        {"default_roles", 4, {{"HOST"}, {"USER"}, {"DEFAULT_ROLE_HOST"}, {"DEFAULT_ROLE_USER"}}},
        {"password_history",
         3,
         {{"Host"}, {"User"}, {"Password_timestamp", Form::kMicros}, {"Password"}}},
    }};
    AddPrivilegeColumns(PrivilegeLevel::kGlobal, &list[kUser].columns);
    for (const char* name :
         {"ssl_type", "max_questions", "max_updates", "max_connections", "max_user_connections",
          "plugin", "authentication_string", "password_expired", "password_lifetime",
          "account_locked", "Password_reuse_history", "Password_reuse_time",
          "Password_require_current", "User_attributes"}) {
      list[kUser].columns.push_back({name});
    }
    for (const char* name : {"ssl_cipher", "x509_issuer", "x509_subject"}) {
      list[kUser].columns.push_back({name, Form::kBytes});
    }
    list[kUser].columns.push_back({"password_last_changed", Form::kSeconds});
    AddPrivilegeColumns(PrivilegeLevel::kSchema, &list[kDb].columns);
    return list;
  }();
  return tables;
}

// --- texts of values -----------------------------------------------------------------------------

std::string YesNo(bool yes) {
  return yes ? "Y" : "N";
}

template <class Number>
std::optional<Number> ToNumber(const std::optional<std::string>& text) {
  if (!text.has_value()) {
    return std::nullopt;
  }
  Number value{};
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

template <class Number>
std::optional<std::string> NumberText(std::optional<Number> value) {
  return value.has_value() ? std::optional(std::to_string(*value)) : std::nullopt;
}

std::string MemberText(PrivilegeSet set) {
  std::string text;
  for (const Privilege privilege : PrivilegesOf(set)) {
    text += text.empty() ? "" : ",";
    text += PrivilegeMember(privilege);
  }
  return text;
}

PrivilegeSet MembersOf(std::string_view text) {
  PrivilegeSet set;
  for (int i = 0; i < kPrivilegeCount; ++i) {
    const auto privilege = static_cast<Privilege>(i);
    const std::string_view member = PrivilegeMember(privilege);
    for (std::string_view rest = text; !member.empty() && !rest.empty();) {
      const std::string_view one = rest.substr(0, rest.find(','));
      if (one == member) {
        set.Add(privilege);
      }
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    }
  }
  return set;
}

constexpr std::string_view kTlsTexts[] = {"", "ANY", "X509", "SPECIFIED"};

// A microsecond count as the decimal that FROM_UNIXTIME takes, and back.
std::string MicrosText(int64_t us) {
  return fmt::format("{}.{:06}", us / 1'000'000, us % 1'000'000);
}

int64_t ParseMicros(const std::string& text) {
  const int64_t seconds = ToNumber<int64_t>(text).value_or(0);
  const size_t dot = text.find('.');
  std::string fraction = dot != std::string::npos ? text.substr(dot + 1) : "";
  fraction.resize(6, '0');
  return seconds * 1'000'000 + ToNumber<int64_t>(fraction).value_or(0);
}

// --- User_attributes -----------------------------------------------------------------------------

std::string TextOfJson(const row::JsonNode& node) {
  const Result<std::string> bytes = row::JsonBytes(node);
  return bytes.ok() ? row::JsonTextOf(*bytes) : std::string();
}

std::optional<std::string> AttributesText(const Account& account) {
  row::JsonNode all = row::JsonNode::Object();
  if (!account.metadata.empty()) {
    row::JsonNode metadata;
    row::JsonError error;
    if (row::ParseJson(account.metadata, &metadata, &error)) {
      all.Set("metadata", std::move(metadata));
    }
  }
  if (account.locking != LoginLocking()) {
    row::JsonNode locking = row::JsonNode::Object();
    locking.Set("failed_login_attempts", row::JsonNode::Int(account.locking.attempts));
    locking.Set("password_lock_time_days", row::JsonNode::Int(account.locking.lock_days));
    all.Set("Password_locking", std::move(locking));
  }
  if (!account.additional_credential.empty()) {
    all.Set("additional_password", row::JsonNode::String(account.additional_credential));
  }
  const std::string text = TextOfJson(all);
  return text == "{}" ? std::nullopt : std::optional(text);
}

void ReadAttributes(const std::string& text, Account* account) {
  row::JsonNode all;
  row::JsonError error;
  if (!row::ParseJson(text, &all, &error) || !all.is_object()) {
    return;
  }
  if (const row::JsonNode* metadata = all.Find("metadata"); metadata != nullptr) {
    account->metadata = TextOfJson(*metadata);
  }
  if (row::JsonNode* locking = all.Find("Password_locking"); locking != nullptr) {
    const auto number = [&](std::string_view name) {
      const row::JsonNode* found = locking->is_object() ? locking->Find(name) : nullptr;
      return found != nullptr ? ToNumber<int64_t>(TextOfJson(*found)).value_or(0) : 0;
    };
    account->locking.attempts = static_cast<uint32_t>(number("failed_login_attempts"));
    account->locking.lock_days = static_cast<int32_t>(number("password_lock_time_days"));
  }
  if (const row::JsonNode* other = all.Find("additional_password");
      other != nullptr && other->type == row::JsonType::kString) {
    account->additional_credential = other->text;
  }
}

// --- an account as rows --------------------------------------------------------------------------

class RowMaker {
 public:
  RowMaker(TableNo table, AccountRows* rows) : table_(Tables()[table]), rows_(&(*rows)[table]) {}

  void Add(std::map<std::string_view, std::optional<std::string>> values) {
    Cells row;
    for (const Column& column : table_.columns) {
      row.push_back(std::move(values.at(column.name)));
    }
    Cells key(row.begin(), row.begin() + static_cast<ptrdiff_t>(table_.key_size));
    rows_->emplace(std::move(key), std::move(row));
  }

 private:
  const Table& table_;
  Rows* rows_;
};

using Values = std::map<std::string_view, std::optional<std::string>>;

void AddPrivileges(PrivilegeLevel level, PrivilegeSet set, Values* values) {
  for (const Privilege privilege : PrivilegesOf(PrivilegesAt(level))) {
    (*values)[PrivilegeColumn(privilege)] = YesNo(set.Has(privilege));
  }
}

void AddUserRow(const Account& account, AccountRows* rows) {
  const PasswordPolicy& policy = account.policy;
  Values values = {
      {"Host", account.key.host},
      {"User", account.key.user},
      {"ssl_type", std::string(kTlsTexts[static_cast<size_t>(account.tls.kind)])},
      {"ssl_cipher", account.tls.cipher},
      {"x509_issuer", account.tls.issuer},
      {"x509_subject", account.tls.subject},
      {"max_questions", std::to_string(account.limits.queries_per_hour)},
      {"max_updates", std::to_string(account.limits.updates_per_hour)},
      {"max_connections", std::to_string(account.limits.connections_per_hour)},
      {"max_user_connections", std::to_string(account.limits.user_connections)},
      {"plugin", account.plugin},
      {"authentication_string", account.credential},
      {"password_expired", YesNo(account.password_expired)},
      {"password_last_changed", NumberText(account.password_changed_s)},
      {"password_lifetime", NumberText(policy.lifetime_days)},
      {"account_locked", YesNo(account.locked)},
      {"Password_reuse_history", NumberText(policy.reuse_history)},
      {"Password_reuse_time", NumberText(policy.reuse_days)},
      {"Password_require_current", policy.require_current.has_value()
                                       ? std::optional(YesNo(*policy.require_current))
                                       : std::nullopt},
      {"User_attributes", AttributesText(account)},
  };
  AddPrivileges(PrivilegeLevel::kGlobal, account.global, &values);
  RowMaker(kUser, rows).Add(std::move(values));
}

void AddGrantRows(const Account& account, AccountRows* rows) {
  const std::string& host = account.key.host;
  const std::string& user = account.key.user;
  for (const auto& [schema, privileges] : account.schemas) {
    Values values = {{"Host", host}, {"User", user}, {"Db", schema}};
    AddPrivileges(PrivilegeLevel::kSchema, privileges, &values);
    RowMaker(kDb, rows).Add(std::move(values));
  }
  for (const auto& [name, grant] : account.tables) {
    const auto& [schema, table] = name;
    RowMaker(kTablesPriv, rows)
        .Add({{"Host", host},
              {"User", user},
              {"Db", schema},
              {"Table_name", table},
              {"Grantor", grant.grantor},
              {"Table_priv", MemberText(grant.table)},
              {"Column_priv", MemberText(grant.OfColumns())}});
    for (const auto& [column, privileges] : grant.columns) {
      RowMaker(kColumnsPriv, rows)
          .Add({{"Host", host},
                {"User", user},
                {"Db", schema},
                {"Table_name", table},
                {"Column_name", column},
                {"Column_priv", MemberText(privileges)}});
    }
  }
  for (const auto& [name, grantable] : account.dynamic) {
    RowMaker(kGlobalGrants, rows)
        .Add({{"USER", user},
              {"HOST", host},
              {"PRIV", name},
              {"WITH_GRANT_OPTION", YesNo(grantable)}});
  }
}

void AddRoleRows(const Account& account, AccountRows* rows) {
  const std::string& host = account.key.host;
  const std::string& user = account.key.user;
  for (const auto& [role, admin] : account.roles) {
    RowMaker(kRoleEdges, rows)
        .Add({{"FROM_HOST", role.host},
              {"FROM_USER", role.user},
              {"TO_HOST", host},
              {"TO_USER", user},
              {"WITH_ADMIN_OPTION", YesNo(admin)}});
  }
  for (const AccountKey& role : account.default_roles) {
    RowMaker(kDefaultRoles, rows)
        .Add({{"HOST", host},
              {"USER", user},
              {"DEFAULT_ROLE_HOST", role.host},
              {"DEFAULT_ROLE_USER", role.user}});
  }
  for (const PastPassword& past : account.past_passwords) {
    RowMaker(kPasswordHistory, rows)
        .Add({{"Host", host},
              {"User", user},
              {"Password_timestamp", MicrosText(past.changed_us)},
              {"Password", past.credential}});
  }
}

AccountRows RowsOf(const Account* account) {
  AccountRows rows;
  if (account != nullptr) {
    AddUserRow(*account, &rows);
    AddGrantRows(*account, &rows);
    AddRoleRows(*account, &rows);
  }
  return rows;
}

// --- rows as an account --------------------------------------------------------------------------

// One row as read, its values by column.
class ReadRow {
 public:
  ReadRow(const Table& table, Cells cells) : table_(table), cells_(std::move(cells)) {}

  const std::optional<std::string>& operator[](std::string_view column) const {
    for (size_t i = 0; i < table_.columns.size(); ++i) {
      if (table_.columns[i].name == column) {
        return cells_[i];
      }
    }
    static const std::optional<std::string> none;
    return none;
  }
  std::string Text(std::string_view column) const { return (*this)[column].value_or(""); }
  bool Yes(std::string_view column) const { return Text(column) == "Y"; }
  AccountKey Key(std::string_view user, std::string_view host) const {
    return MakeAccountKey(Text(user), Text(host));
  }
  PrivilegeSet Privileges(PrivilegeLevel level) const {
    PrivilegeSet set;
    for (const Privilege privilege : PrivilegesOf(PrivilegesAt(level))) {
      if (Yes(PrivilegeColumn(privilege))) {
        set.Add(privilege);
      }
    }
    return set;
  }

 private:
  const Table& table_;
  Cells cells_;
};

void ReadUser(const ReadRow& row, GrantTables* tables) {
  Account account;
  account.key = row.Key("User", "Host");
  account.global = row.Privileges(PrivilegeLevel::kGlobal);
  for (size_t i = 0; i < std::size(kTlsTexts); ++i) {
    if (row.Text("ssl_type") == kTlsTexts[i]) {
      account.tls.kind = static_cast<TlsRequirement::Kind>(i);
    }
  }
  account.tls.cipher = row.Text("ssl_cipher");
  account.tls.issuer = row.Text("x509_issuer");
  account.tls.subject = row.Text("x509_subject");
  account.limits.queries_per_hour = ToNumber<uint32_t>(row["max_questions"]).value_or(0);
  account.limits.updates_per_hour = ToNumber<uint32_t>(row["max_updates"]).value_or(0);
  account.limits.connections_per_hour = ToNumber<uint32_t>(row["max_connections"]).value_or(0);
  account.limits.user_connections = ToNumber<uint32_t>(row["max_user_connections"]).value_or(0);
  account.plugin = row.Text("plugin");
  account.credential = row.Text("authentication_string");
  account.password_expired = row.Yes("password_expired");
  account.password_changed_s = ToNumber<int64_t>(row["password_last_changed"]);
  account.policy.lifetime_days = ToNumber<uint16_t>(row["password_lifetime"]);
  account.locked = row.Yes("account_locked");
  account.policy.reuse_history = ToNumber<uint16_t>(row["Password_reuse_history"]);
  account.policy.reuse_days = ToNumber<uint16_t>(row["Password_reuse_time"]);
  if (row["Password_require_current"].has_value()) {
    account.policy.require_current = row.Yes("Password_require_current");
  }
  ReadAttributes(row.Text("User_attributes"), &account);
  tables->Add(std::move(account));
}

void ReadTableGrant(const ReadRow& row, Account* account) {
  TableGrant& grant = account->tables[{row.Text("Db"), row.Text("Table_name")}];
  grant.table = MembersOf(row.Text("Table_priv"));
  grant.grantor = row.Text("Grantor");
}

// What the row of any other table adds to its account.
void ReadDetail(TableNo table, const ReadRow& row, Account* account) {
  switch (table) {
    case kDb:
      account->schemas[row.Text("Db")] = row.Privileges(PrivilegeLevel::kSchema);
      break;
    case kTablesPriv:
      ReadTableGrant(row, account);
      break;
    case kColumnsPriv:
      account->tables[{row.Text("Db"), row.Text("Table_name")}].columns[row.Text("Column_name")] =
          MembersOf(row.Text("Column_priv"));
      break;
    case kGlobalGrants:
      account->dynamic[row.Text("PRIV")] = row.Yes("WITH_GRANT_OPTION");
      break;
    case kRoleEdges:
      account->roles[row.Key("FROM_USER", "FROM_HOST")] = row.Yes("WITH_ADMIN_OPTION");
      break;
    case kDefaultRoles:
      account->default_roles.insert(row.Key("DEFAULT_ROLE_USER", "DEFAULT_ROLE_HOST"));
      break;
    case kPasswordHistory:
      account->past_passwords.push_back(
          {ParseMicros(row.Text("Password_timestamp")), row.Text("Password")});
      break;
    case kUser:
    case kTableCount:
      break;
  }
}

AccountKey OwnerOf(TableNo table, const ReadRow& row) {
  return table == kRoleEdges                                ? row.Key("TO_USER", "TO_HOST")
         : table == kGlobalGrants || table == kDefaultRoles ? row.Key("USER", "HOST")
                                                            : row.Key("User", "Host");
}

// --- statements ----------------------------------------------------------------------------------

std::string SelectText(const Table& table) {
  std::string text = "SELECT ";
  for (const Column& column : table.columns) {
    text += &column == &table.columns.front() ? "" : ", ";
    switch (column.form) {
      case Form::kText:
        text += "CONCAT(`" + column.name + "`)";
        break;
      case Form::kBytes:
        text += "`" + column.name + "`";
        break;
      case Form::kSeconds:
      case Form::kMicros:
        text += "CONCAT(UNIX_TIMESTAMP(`" + column.name + "`))";
        break;
    }
  }
  text += " FROM mysql." + table.name;
  // Earlier passwords are kept with the newest first.
  return table.name == "password_history" ? text + " ORDER BY Password_timestamp DESC" : text;
}

std::string_view Placeholder(const Column& column) {
  return column.form == Form::kSeconds || column.form == Form::kMicros
             ? "FROM_UNIXTIME(CAST(? AS DECIMAL(20, 6)))"
             : "?";
}

std::string ReplaceText(const Table& table) {
  std::string names;
  std::string values;
  for (const Column& column : table.columns) {
    const std::string_view comma = &column == &table.columns.front() ? "" : ", ";
    names += fmt::format("{}`{}`", comma, column.name);
    values += fmt::format("{}{}", comma, Placeholder(column));
  }
  return fmt::format("REPLACE INTO mysql.{} ({}) VALUES ({})", table.name, names, values);
}

std::string DeleteText(const Table& table) {
  std::string text = "DELETE FROM mysql." + table.name + " WHERE ";
  for (size_t i = 0; i < table.key_size; ++i) {
    text += fmt::format("{}`{}` = {}", i == 0 ? "" : " AND ", table.columns[i].name,
                        Placeholder(table.columns[i]));
  }
  return text;
}

}  // namespace

Result<GrantTables> LoadGrantTables(Session& session) {
  GrantTables loaded;
  for (size_t i = 0; i < kTableCount; ++i) {
    const Table& table = Tables()[i];
    ASSIGN_OR_RETURN(const auto rows, session.CollectQueryText(SelectText(table)));
    for (const std::vector<row::Value>& values : rows) {
      Cells cells;
      for (const row::Value& value : values) {
        cells.push_back(value.is_string() ? std::optional(std::string(value.bytes()))
                                          : std::nullopt);
      }
      const ReadRow row(table, std::move(cells));
      const auto number = static_cast<TableNo>(i);
      if (number == kUser) {
        ReadUser(row, &loaded);
      } else if (Account* account = loaded.FindMutable(OwnerOf(number, row)); account != nullptr) {
        ReadDetail(number, row, account);
      }
    }
  }
  return loaded;
}

Status WriteGrantTables(Session& session, const GrantTables& before, const GrantTables& after) {
  std::set<AccountKey> keys;
  for (const GrantTables* side : {&before, &after}) {
    for (const auto& [key, account] : side->accounts()) {
      keys.insert(key);
    }
  }
  for (const AccountKey& key : keys) {
    const Account* old_account = before.Find(key);
    const Account* new_account = after.Find(key);
    if (old_account != nullptr && new_account != nullptr && *old_account == *new_account) {
      continue;
    }
    const AccountRows old_rows = RowsOf(old_account);
    const AccountRows new_rows = RowsOf(new_account);
    for (size_t i = 0; i < kTableCount; ++i) {
      for (const auto& [row_key, row] : old_rows[i]) {
        if (!new_rows[i].contains(row_key)) {
          RETURN_IF_ERROR(RunServerStatement(session, DeleteText(Tables()[i]), row_key));
        }
      }
      for (const auto& [row_key, row] : new_rows[i]) {
        const auto same = old_rows[i].find(row_key);
        if (same == old_rows[i].end() || same->second != row) {
          RETURN_IF_ERROR(RunServerStatement(session, ReplaceText(Tables()[i]), row));
        }
      }
    }
  }
  return Status::Ok();
}

}  // namespace borealis::sql
