// The session's answers to the binder and to functions.
#include <algorithm>

#include "base/mysql_error.h"
#include "engine/engine.h"
#include "sql/session/server_file.h"
#include "sql/session/session_internal.h"

namespace borealis::sql {

void SessionContext::Refresh() {
  definers_.clear();
  gave_insert_id_ = false;
  eval_.conversion.warnings = &session_->diagnostics();
  eval_.conversion.column = {};
  eval_.conversion.row_number = 1;
  eval_.clock = session_->environment().clock;
  eval_.division_by_zero_is_error = false;
  FollowSettings();
  eval_.SetNow(session_->statement_time_us());
}

void SessionContext::FollowSettings() {
  const SessionSettings& settings = session_->settings();
  eval_.conversion.sql_mode = settings.sql_mode;
  eval_.conversion.strict = row::IsStrict(settings.sql_mode);
  if (zone_ == nullptr || zone_name_ != settings.time_zone) {
    Result<std::shared_ptr<const row::TimeZone>> zone = row::TimeZone::Find(settings.time_zone);
    // The variable was checked when it was set.
    zone_ = zone.ok() ? std::move(zone).value() : row::TimeZone::Utc();
    zone_name_ = settings.time_zone;
  }
  eval_.conversion.zone = zone_.get();
  eval_.div_precision_increment = settings.div_precision_increment;
  eval_.default_week_format = settings.default_week_format;
  eval_.group_concat_max_len = settings.group_concat_max_len;
  eval_.cte_max_recursion_depth = settings.cte_max_recursion_depth;
  eval_.max_allowed_packet = settings.max_allowed_packet;
  eval_.collation_connection = settings.collation_connection;
  eval_.block_encryption_mode = settings.block_encryption_mode;
}

std::string_view SessionContext::database() const {
  return session_->database();
}
const SessionSettings& SessionContext::settings() const {
  return session_->settings();
}

const SecurityContext* SessionContext::security() const {
  if (!outside_views_.empty()) {
    return in_view_;
  }
  return session_->security().unrestricted() ? nullptr : &session_->security();
}
std::string SessionContext::security_user() const {
  return session_->identity().account_user;
}
std::string SessionContext::security_host() const {
  return session_->identity().host;
}

Result<CatalogEntry> SessionContext::FindTable(std::string_view schema, std::string_view name) {
  // What a view is made from are stored tables, whatever hides them.
  return outside_views_.empty() ? session_->catalog().Find(schema, name)
                                : session_->environment().catalog->Find(schema, name);
}

bool SessionContext::HasTemporary(std::string_view schema, std::string_view name) const {
  return session_->temporary_tables() != nullptr && outside_views_.empty() &&
         session_->catalog().HasTemporary(schema, name);
}

Result<TypedValue> SessionContext::SystemVariable(VariableScope scope, std::string_view name) {
  if (session_->environment().variables == nullptr) {
    return UserError(ER_UNKNOWN_SYSTEM_VARIABLE, name);
  }
  return session_->environment().variables->Get(*session_, scope, name);
}

const TypedValue* SessionContext::UserVariable(std::string_view name) {
  return Find(name);
}

// Whose privileges count within the view; null: everything is allowed.
Result<const SecurityContext*> SessionContext::SecurityWithin(const TableDescriptor& view,
                                                              bool checked) {
  const std::shared_ptr<const GrantTables>& tables = session_->security().tables();
  if (!checked || view.view->security_invoker || tables == nullptr) {
    return security();
  }
  const AccountKey key = MakeAccountKey(view.view->definer_user, view.view->definer_host);
  const Account* definer = tables->Find(key);
  if (definer == nullptr) {
    const SecurityContext& own = session_->security();
    if (own.HasSuperOr("SET_USER_ID")) {
      return NoSuchDefiner(key);
    }
    return UserError(ER_ACCESS_DENIED_ERROR, session_->identity().account_user,
                     session_->identity().account_host, "YES");
  }
  auto known = definers_.find(key);
  if (known == definers_.end()) {
    known = definers_.try_emplace(key, tables, key, session_->DefaultRolesOf(*definer)).first;
  }
  return known->second.unrestricted() ? nullptr : &known->second;
}

// Literals of a view have the collation that they had when it was defined. Its text is the
// server's.
Status SessionContext::EnterView(const TableDescriptor& view, bool checked) {
  ASSIGN_OR_RETURN(const SecurityContext* within, SecurityWithin(view, checked));
  SessionSettings& settings = session_->settings();
  outside_views_.push_back(
      {settings.collation_connection, settings.character_set_client, in_view_});
  settings.collation_connection = view.view->connection_collation;
  settings.character_set_client = row::CharsetId::kUtf8mb4;
  in_view_ = within;
  return {};
}

void SessionContext::LeaveView() {
  session_->settings().collation_connection = outside_views_.back().collation_connection;
  session_->settings().character_set_client = outside_views_.back().character_set_client;
  in_view_ = outside_views_.back().security;
  outside_views_.pop_back();
}

std::string SessionContext::User() const {
  return session_->identity().user + "@" + session_->identity().host;
}
std::string SessionContext::CurrentUser() const {
  return session_->identity().account_user + "@" + session_->identity().account_host;
}
std::string SessionContext::CurrentRole() const {
  std::string roles;
  for (const AccountKey& role : session_->active_roles()) {
    roles += roles.empty() ? "" : ",";
    roles += AccountIdentifier(role);
  }
  return roles.empty() ? "NONE" : roles;
}
std::optional<std::string> SessionContext::Database() const {
  return session_->database().empty() ? std::nullopt : std::optional(session_->database());
}
uint64_t SessionContext::ConnectionId() const {
  return session_->identity().connection_id;
}
uint64_t SessionContext::LastInsertId() const {
  return session_->last_insert_id();
}
void SessionContext::SetLastInsertId(uint64_t id) {
  session_->set_last_insert_id(id);
  gave_insert_id_ |= session_->program_depth_ == 0;
}
int64_t SessionContext::RowCount() const {
  return session_->row_count();
}
uint64_t SessionContext::FoundRows() const {
  return session_->found_rows();
}

std::string SessionContext::Version() const {
  const ServerInterface* server = session_->environment().server;
  return server != nullptr ? std::string(server->version()) : "8.0.36";
}

void SessionContext::Sleep(double seconds, bool* interrupted) {
  // In slices, so that KILL is noticed before who said it looks whether it was.
  constexpr int64_t kSliceUs = 5'000;
  const Clock& clock = *session_->environment().clock;
  int64_t end = clock.NowUs() + static_cast<int64_t>(seconds * 1e6);
  Mutex mutex(LockRank::kLeaf);
  ConditionVariable never;
  *interrupted = false;
  MutexLock lock(mutex);
  for (int64_t now = clock.NowUs(); now < end; now = clock.NowUs()) {
    if (session_->interrupted()) {
      *interrupted = true;
      return;
    }
    (void)never.WaitFor(mutex, std::min(kSliceUs, end - now));
  }
}

Status SessionContext::GetLock(std::string_view name, int64_t seconds, bool* got) {
  constexpr int64_t kForeverSeconds = 31'536'000;
  const int64_t wait = seconds < 0 ? kForeverSeconds : std::min(seconds, kForeverSeconds);
  Status status = session_->user_locks().Lock(name, wait * 1'000'000);
  *got = status.ok();
  if (status.Is(Code::kTimedOut)) {
    return {};
  }
  if (status.Is(Code::kDeadlock)) {
    return UserError(ER_USER_LOCK_DEADLOCK);
  }
  if (status.Is(Code::kCancelled)) {
    RETURN_IF_ERROR(session_->CheckInterrupt());
  }
  return status;
}

std::optional<bool> SessionContext::ReleaseLock(std::string_view name) {
  using Release = engine::UserLocks::Release;
  const Release release = session_->user_locks().Unlock(name);
  return release == Release::kNobodys ? std::nullopt : std::optional(release == Release::kDone);
}

uint64_t SessionContext::ReleaseAllLocks() {
  return session_->user_locks().UnlockAll();
}

uint64_t SessionContext::LockHolder(std::string_view name) const {
  return session_->environment().engine->UserLockHolder(name);
}

uint64_t SessionContext::ShortUuid() {
  ServerInterface* server = session_->environment().server;
  return server != nullptr ? server->NextShortUuid() : 0;
}

std::optional<uint64_t> SessionContext::ThreadOf(uint64_t connection_id) const {
  const uint64_t own = session_->identity().connection_id;
  if (connection_id == own || session_->environment().server == nullptr) {
    return connection_id == own ? std::optional(own) : std::nullopt;
  }
  const std::vector<ProcessInfo> all = session_->environment().server->Processes();
  const bool known = std::any_of(all.begin(), all.end(), [&](const ProcessInfo& process) {
    return process.id == connection_id;
  });
  return known ? std::optional(connection_id) : std::nullopt;
}

// Whatever forbids or prevents it, the answer is that there is no such file.
Result<std::optional<std::string>> SessionContext::LoadFile(std::string_view name) {
  const SecurityContext* security = this->security();
  const Result<std::string> path = ServerFilePath(*session_, name);
  if (name.empty() || !path.ok() || (security != nullptr && !security->Has(Privilege::kFile))) {
    return std::optional<std::string>();
  }
  Result<std::unique_ptr<ByteSource>> file = OpenServerFile(*path);
  std::string bytes;
  for (bool more = file.ok(); more;) {
    const Result<std::string_view> piece = (*file)->Next();
    if (!piece.ok()) {
      return std::optional<std::string>();
    }
    bytes += *piece;
    more = !piece->empty() && bytes.size() <= eval_.max_allowed_packet;
  }
  return file.ok() ? std::optional(std::move(bytes)) : std::nullopt;
}

bool SessionContext::Interrupted() const {
  return session_->interrupted();
}

const TypedValue* SessionContext::Find(std::string_view name) const {
  return session_->FindUserVariable(name);
}
void SessionContext::Set(std::string_view name, TypedValue value) {
  session_->SetUserVariable(name, std::move(value));
}

}  // namespace borealis::sql
