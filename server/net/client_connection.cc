#include "server/net/client_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/mysql_error.h"
#include "base/obs/log.h"
#include "base/os/blocking.h"
#include "base/os/time.h"
#include "row/collation.h"
#include "server/net/connection_registry.h"
#include "server/net/net_counters.h"
#include "server/worker_pool.h"

namespace borealis::server {

namespace {

using mysql::Command;
using mysql::CommandCode;
using Stream = SocketStream::State;

constexpr uint32_t kMaxLoginPacket = 256U << 10;  // before anybody has proved anything
constexpr size_t kLeastRead = 2048;
constexpr size_t kMostRead = 1U << 20;
constexpr size_t kIdleInputBytes = 16U << 10;
constexpr size_t kIdleOutputBytes = 16U << 10;
constexpr size_t kCompactBytes = 256U << 10;
constexpr size_t kMostDrained = mysql::kMaxMaxAllowedPacket;

bool IsLoopback(std::string_view host) {
  return host.starts_with("127.") || host == "::1";
}

}  // namespace

ClientConnection::ClientConnection(ConnectionEnvironment* environment,
                                   std::unique_ptr<SocketReadiness> socket, uint32_t id,
                                   std::string host, uint16_t port)
    : environment_(environment),
      id_(id),
      host_(std::move(host)),
      port_(port),
      socket_(std::move(socket)),
      stream_(socket_->fd()),
      reader_(kMaxLoginPacket),
      response_(&output_, &sequence_),
      wait_timeout_us_(environment->options.wait_timeout_s * 1'000'000),
      read_timeout_us_(environment->options.net_read_timeout_s * 1'000'000),
      write_timeout_us_(environment->options.net_write_timeout_s * 1'000'000) {}

ClientConnection::~ClientConnection() = default;

void ClientConnection::Start() {
  const NetOptions& options = environment_->options;
  login_deadline_us_ = SystemClock().NowUs() + options.connect_timeout_s * 1'000'000;
  scramble_ = mysql::NewScramble();
  mysql::Greeting greeting;
  greeting.server_version = options.server_version;
  greeting.thread_id = id_;
  greeting.scramble = scramble_;
  greeting.capabilities = mysql::kServerCapabilities;
  if (environment_->keys.tls != nullptr) {
    greeting.capabilities |= mysql::kClientSsl;
  }
  greeting.status = mysql::kStatusAutocommit;
  greeting.auth_plugin = mysql::kSha2Plugin;
  mysql::AppendGreeting(response_.packets().Begin(), greeting);
  response_.packets().End();
  FlushThen(State::kLogin);
  Drive();
}

// --- the owner's loop ----------------------------------------------------------------------------

void ClientConnection::OnReady() {
  if (deadline_us_.exchange(kNoDeadline) == kNoDeadline) {
    timed_out_ = true;
  }
  Drive();
}

void ClientConnection::Drive() {
  for (;;) {
    Next next = Next::kStop;
    switch (state_.load(std::memory_order_relaxed)) {
      case State::kLogin:
      case State::kAuthReply:
      case State::kIdle:
        next = DriveReading();
        break;
      case State::kTlsHandshake:
        next = DriveTlsHandshake();
        break;
      case State::kFlushing:
        next = DriveFlushing();
        break;
      case State::kDraining:
        next = DriveDraining();
        break;
      case State::kOwned:
      case State::kClosed:
        break;
    }
    if (next == Next::kStop) {
      return;
    }
  }
}

ClientConnection::Next ClientConnection::DriveReading() {
  if (interrupted()) {
    return OnInterrupted();
  }
  for (;;) {
    std::string_view payload;
    Result<bool> complete = NextPacket(&payload);
    if (!complete.ok()) {
      ++sequence_;  // of the frame that was refused
      RefuseAndClose(complete.status(), true);
      return Next::kGoOn;
    }
    if (*complete) {
      return OnPacket(payload);
    }
    // Before TLS is decided not a byte beyond the packet may be taken off the socket.
    const bool exact = state_.load(std::memory_order_relaxed) == State::kLogin && !stream_.tls();
    const size_t wanted = reader_.wanted();
    std::span<char> space = reader_.Space(std::clamp(wanted, exact ? 1 : kLeastRead, kMostRead));
    if (exact) {
      space = space.first(std::min(wanted, space.size()));
    }
    const SocketStream::Progress got = stream_.Read(space);
    if (got.state == Stream::kClosed) {
      return Close();
    }
    if (got.state != Stream::kDone) {
      return WaitFor(got.state);
    }
    reader_.Added(got.bytes);
    environment_->counters->bytes_received += got.bytes;
  }
}

ClientConnection::Next ClientConnection::DriveTlsHandshake() {
  if (interrupted()) {
    return OnInterrupted();
  }
  const SocketStream::Progress progress = stream_.Handshake();
  switch (progress.state) {
    case Stream::kDone:
      SetState(State::kLogin);
      return Next::kGoOn;
    case Stream::kClosed:
      return Close();
    default:
      return WaitFor(progress.state);
  }
}

ClientConnection::Next ClientConnection::DriveFlushing() {
  if (interrupted()) {
    return Close();
  }
  const Stream state = SendBuffered();
  if (state == Stream::kClosed) {
    return Close();
  }
  if (state != Stream::kDone) {
    return WaitFor(state);
  }
  if (output_.capacity() > kIdleOutputBytes) {
    std::string().swap(output_);
  }
  if (after_flush_ == State::kClosed) {
    return Close();
  }
  SetState(after_flush_);
  if (after_flush_ == State::kDraining) {
    ::shutdown(socket_->fd(), SHUT_WR);
    return Next::kGoOn;
  }
  if (after_flush_ == State::kIdle) {
    sequence_ = 0;
    StartCompression();
  }
  if (!reader_.empty()) {
    return Next::kGoOn;
  }
  reader_.Release(kIdleInputBytes);
  return stream_.HasBufferedInput() ? Next::kGoOn : WaitFor(Stream::kWantRead);
}

ClientConnection::Next ClientConnection::DriveDraining() {
  while (!interrupted() && drained_ < kMostDrained) {
    const SocketStream::Progress got = stream_.Discard();
    if (got.state == Stream::kWantRead) {
      return WaitFor(got.state);
    }
    if (got.state != Stream::kDone) {
      break;
    }
    drained_ += got.bytes;
  }
  return Close();
}

ClientConnection::Next ClientConnection::WaitFor(Stream state) {
  deadline_us_.store(WaitBudgetUs());
  socket_->Wait(state == Stream::kWantWrite, shared_from_this());
  return Next::kStop;
}

// When the wait that begins now gives up.
int64_t ClientConnection::WaitBudgetUs() const {
  const int64_t now = SystemClock().NowUs();
  switch (state_.load(std::memory_order_relaxed)) {
    case State::kIdle:
      return now + (reader_.empty() ? wait_timeout_us_ : read_timeout_us_);
    case State::kFlushing:
      return logged_in_ ? now + write_timeout_us_ : login_deadline_us_;
    case State::kDraining:
      return now + read_timeout_us_;
    case State::kAuthReply:
      return logged_in_ ? now + read_timeout_us_ : login_deadline_us_;  // COM_CHANGE_USER
    default:
      return login_deadline_us_;
  }
}

ClientConnection::Next ClientConnection::OnInterrupted() {
  if (killed_.load() || state_.load(std::memory_order_relaxed) != State::kIdle) {
    return Close();
  }
  timed_out_ = false;
  // Of an idle client it is a packet that answers nothing: number 0. A client that reads it when it
  // sends its next command sees that the connection is lost, and does not take the error for that
  // command's.
  const bool idle = reader_.empty();
  sequence_ = idle ? 0 : 1;
  RefuseAndClose(UserError(idle ? ER_CLIENT_INTERACTION_TIMEOUT : ER_NET_READ_INTERRUPTED), false);
  return Next::kGoOn;
}

// --- packets -------------------------------------------------------------------------------------

void ClientConnection::StartCompression() {
  if ((response_.capabilities() & mysql::kClientCompress) != 0) {
    stream_.StartCompression(FrameCodec::kZlib, kZlibLevel);
  } else if ((response_.capabilities() & mysql::kClientZstdCompression) != 0) {
    stream_.StartCompression(FrameCodec::kZstd, zstd_level_);
  }
}

// Where frames are compressed, their numbers count and not those of the packets within, which go on
// counting at clients that send commands ahead.
Result<bool> ClientConnection::NextPacket(std::string_view* payload) {
  if (!stream_.compressed()) {
    return reader_.Next(&sequence_, payload);
  }
  ASSIGN_OR_RETURN(const bool complete, reader_.Next(nullptr, payload));
  if (complete) {
    sequence_ = stream_.next_number();
  }
  return complete;
}

ClientConnection::Next ClientConnection::OnPacket(std::string_view payload) {
  switch (state_.load(std::memory_order_relaxed)) {
    case State::kLogin:
      return OnLoginPacket(payload);
    case State::kAuthReply:
      return HandOver([self = shared_from_this(), reply = std::string(payload)] {
        self->RunAuthentication(reply);
      });
    default:
      return OnCommandPacket(payload);
  }
}

ClientConnection::Next ClientConnection::OnLoginPacket(std::string_view payload) {
  if (mysql::IsSslRequest(payload)) {
    if (environment_->keys.tls == nullptr || stream_.tls() ||
        !stream_.StartTls(environment_->keys.tls->ssl())) {
      RefuseAndClose(UserError(ER_HANDSHAKE_ERROR), false);
      return Next::kGoOn;
    }
    INVARIANT(reader_.empty());
    SetState(State::kTlsHandshake);
    return Next::kGoOn;
  }
  Result<mysql::LoginRequest> request =
      mysql::ParseHandshakeResponse(payload, mysql::kServerCapabilities);
  if (!request.ok()) {
    RefuseAndClose(request.status(), false);
    return Next::kGoOn;
  }
  request_ = std::move(*request);
  zstd_level_ = std::clamp<int>(request_->zstd_level, kZstdLevelMin, kZstdLevelMax);
  return HandOver([self = shared_from_this()] { self->RunAuthentication(std::nullopt); });
}

ClientConnection::Next ClientConnection::OnCommandPacket(std::string_view payload) {
  Result<Command> command = mysql::ParseCommand(payload, response_.capabilities());
  environment_->counters->commands++;
  if (!command.ok()) {
    response_.WriteError(command.status());
    FlushThen(State::kIdle);
    return Next::kGoOn;
  }
  command_.store(command->code);
  switch (command->code) {
    case CommandCode::kQuit:
      clean_end_ = true;
      return Close();
    case CommandCode::kPing: {
      mysql::OkInfo ok;
      ok.status = handler()->StatusFlags();
      response_.WriteOk(ok);
      FlushThen(State::kIdle);
      return Next::kGoOn;
    }
    case CommandCode::kChangeUser:
      request_ = std::move(std::get<mysql::ChangeUserCommand>(command->body).login);
      return HandOver([self = shared_from_this()] { self->RunAuthentication(std::nullopt); });
    default:
      break;
  }
  received_ = std::move(*command);
  {
    MutexLock lock(run_mutex_);
    running_ = true;
  }
  return HandOver([self = shared_from_this()] {
    const std::shared_ptr<CommandHandler> handler = self->handler();
    self->RunHandler([&self, &handler] {
      Command received = std::move(*self->received_);
      self->received_.reset();
      handler->OnCommand(self, std::move(received));
    });
  });
}

// After this the caller is not the owner any more.
ClientConnection::Next ClientConnection::HandOver(std::function<void()> work) {
  SetState(State::kOwned);
  environment_->pool->Submit(std::move(work));
  return Next::kStop;
}

void ClientConnection::SetState(State state) {
  since_us_.store(SystemClock().NowUs(), std::memory_order_relaxed);
  state_.store(state);
}

void ClientConnection::FlushThen(State after) {
  after_flush_ = after;
  SetState(State::kFlushing);
}

void ClientConnection::RefuseAndClose(const Status& error, bool drain) {
  response_.WriteError(error);
  FlushThen(drain ? State::kDraining : State::kClosed);
}

ClientConnection::Next ClientConnection::Close() {
  SetState(State::kClosed);
  if (!killed_.load()) {
    stream_.SayGoodbye();
  }
  killed_.store(true);
  {
    MutexLock lock(socket_mutex_);
    open_ = false;
    socket_.reset();  // closes; nothing of it may outlive its reactor
  }
  if (!logged_in_) {
    environment_->counters->aborted_connects++;
  } else if (!clean_end_) {
    environment_->counters->aborted_clients++;
  }
  environment_->pool->Submit([self = shared_from_this()] {
    std::shared_ptr<CommandHandler> handler;
    {
      MutexLock lock(self->socket_mutex_);
      handler.swap(self->handler_);
    }
    if (handler != nullptr) {
      handler->OnClose();
      handler.reset();
    }
    self->environment_->registry->Remove(self->id_);
  });
  return Next::kStop;
}

// --- login, on a worker --------------------------------------------------------------------------

namespace {

// The names of a login are in the character set of its collation, and UTF-8 from here on.
void ReadNames(mysql::LoginRequest* request) {
  const auto* collation = row::FindCollation(static_cast<row::CollationId>(request->collation));
  if (collation != nullptr) {
    request->user = collation->charset().Decode(request->user);
    request->database = collation->charset().Decode(request->database);
  }
}

}  // namespace

void ClientConnection::RunAuthentication(std::optional<std::string> reply) {
  mysql::Authenticator::Step step;
  if (!reply.has_value()) {
    mysql::Authenticator::Environment environment;
    environment.accounts = environment_->accounts;
    environment.cache = &environment_->sha2_cache;
    environment.rsa_key = environment_->keys.rsa;
    environment.require_secure_transport = environment_->options.require_secure_transport;
    mysql::Authenticator::Peer peer;
    peer.host = host_;
    peer.secure = stream_.tls();
    peer.tls_cipher = stream_.tls_cipher();
    peer.display_host = IsLoopback(host_) ? "localhost" : host_;
    authenticator_ = std::make_unique<mysql::Authenticator>(environment, peer);
    response_.set_capabilities(request_->capabilities);
    ReadNames(&*request_);
    step = authenticator_->Start(*request_, scramble_);
  } else {
    step = authenticator_->OnPacket(*reply);
  }
  switch (step.outcome) {
    case mysql::Authenticator::Outcome::kContinue:
      response_.packets().Write(step.packet);
      FlushThen(State::kAuthReply);
      break;
    case mysql::Authenticator::Outcome::kFailed:
      LOG_INFO("login of '{}' from {} refused: {}", request_->user, peer(), step.error.message());
      RefuseAndClose(step.error, false);
      break;
    case mysql::Authenticator::Outcome::kSucceeded:
      OnAuthenticated(std::move(step.packet));
      break;
  }
  Drive();
}

void ClientConnection::OnAuthenticated(std::string last_packet) {
  if (!last_packet.empty()) {
    response_.packets().Write(last_packet);
  }
  const Status opened = OpenOrChangeSession();
  authenticator_.reset();
  request_.reset();
  if (!opened.ok()) {
    RefuseAndClose(opened, false);
    return;
  }
  mysql::OkInfo ok;
  ok.status = handler()->StatusFlags();
  response_.WriteOk(ok);
  FlushThen(State::kIdle);
}

Status ClientConnection::OpenOrChangeSession() {
  login_.user = request_->user;
  login_.host = host_;
  login_.display_host = IsLoopback(host_) ? "localhost" : host_;
  login_.port = port_;
  login_.account = authenticator_->account();
  login_.database = std::move(request_->database);
  login_.collation = request_->collation;
  login_.capabilities = request_->capabilities;
  login_.interactive = (request_->capabilities & mysql::kClientInteractive) != 0;
  login_.attributes = std::move(request_->attributes);
  login_.tls_version = stream_.tls_version();
  login_.tls_cipher = stream_.tls_cipher();
  std::shared_ptr<CommandHandler> existing = handler();
  if (existing != nullptr) {
    RETURN_IF_ERROR(existing->OnChangeUser(shared_from_this(), login_));
  } else {
    const NetOptions& options = environment_->options;
    reader_.set_max_allowed_packet(options.max_allowed_packet);
    SetWaitTimeout(login_.interactive ? options.interactive_timeout_s : options.wait_timeout_s);
    ASSIGN_OR_RETURN(existing, environment_->factory->Open(shared_from_this(), login_));
    logged_in_ = true;
    environment_->counters->logins++;
  }
  MutexLock lock(socket_mutex_);
  handler_ = std::move(existing);
  user_ = login_.user;
  return Status::Ok();
}

// --- commands, on a worker -----------------------------------------------------------------------

void ClientConnection::RunHandler(const std::function<void()>& first) {
  first();
  for (;;) {
    std::function<void()> next;
    bool close = false;
    {
      MutexLock lock(run_mutex_);
      if (finished_) {
        INVARIANT(continuation_ == nullptr);
        running_ = finished_ = false;
        close = close_after_;
      } else if (continuation_ != nullptr) {
        next.swap(continuation_);
      } else {
        running_ = false;  // parked
        return;
      }
    }
    if (next == nullptr) {
      CompleteCommand(close);
      return;
    }
    next();
  }
}

void ClientConnection::Post(std::function<void()> continuation) {
  {
    MutexLock lock(run_mutex_);
    INVARIANT(continuation_ == nullptr && !finished_);
    if (running_) {
      continuation_ = std::move(continuation);
      return;
    }
    running_ = true;
  }
  environment_->pool->Submit(
      [self = shared_from_this(), run = std::move(continuation)] { self->RunHandler(run); });
}

void ClientConnection::Finish() {
  FinishCommand(false);
}

void ClientConnection::FinishAndClose() {
  FinishCommand(true);
}

void ClientConnection::FinishCommand(bool close) {
  {
    MutexLock lock(run_mutex_);
    INVARIANT(!finished_ && state_.load() == State::kOwned);
    if (running_) {
      finished_ = true;
      close_after_ = close;
      return;
    }
  }
  CompleteCommand(close);
}

void ClientConnection::CompleteCommand(bool close) {
  INVARIANT(!response_.packets().open());
  FlushThen(close || unreadable_ ? State::kClosed : State::kIdle);
  Drive();
}

// --- output --------------------------------------------------------------------------------------

SocketStream::State ClientConnection::SendBuffered() {
  while (unsent() > 0) {
    const SocketStream::Progress sent = stream_.Write(std::string_view(output_).substr(sent_));
    if (sent.state != Stream::kDone) {
      if (sent_ > kCompactBytes) {
        output_.erase(0, sent_);
        sent_ = 0;
      }
      return sent.state;
    }
    sent_ += sent.bytes;
    environment_->counters->bytes_sent += sent.bytes;
  }
  output_.clear();
  sent_ = 0;
  return Stream::kDone;
}

Status ClientConnection::FlushIfFull() {
  return unsent() < environment_->options.flush_bytes ? Status::Ok() : Flush();
}

Status ClientConnection::Flush() {
  INVARIANT(!response_.packets().open());
  for (;;) {
    const Stream state = killed_.load() ? Stream::kClosed : SendBuffered();
    if (state == Stream::kDone) {
      return Status::Ok();
    }
    if (state == Stream::kClosed) {
      return GiveUpClient();
    }
    if (unsent() < environment_->options.buffer_bytes) {
      return Status::Ok();
    }
    environment_->counters->output_waits++;
    RETURN_IF_ERROR(WaitForClient(state, write_timeout_us_));
  }
}

Status ClientConnection::FlushAll() {
  RETURN_IF_ERROR(Flush());
  while (unsent() > 0) {
    const Stream state = SendBuffered();
    if (state == Stream::kClosed) {
      return GiveUpClient();
    }
    if (state != Stream::kDone) {
      RETURN_IF_ERROR(WaitForClient(state, write_timeout_us_));
    }
  }
  return Status::Ok();
}

Status ClientConnection::ReadPacket(std::string_view* payload) {
  if (unreadable_) {
    return Status::Cancelled("the client can no longer be understood");
  }
  unreadable_ = true;  // unless it goes well
  RETURN_IF_ERROR(FlushAll());
  for (;;) {
    ASSIGN_OR_RETURN(const bool complete, NextPacket(payload));
    if (complete) {
      unreadable_ = false;
      return Status::Ok();
    }
    const SocketStream::Progress got =
        stream_.Read(reader_.Space(std::clamp(reader_.wanted(), kLeastRead, kMostRead)));
    if (got.state == Stream::kDone) {
      reader_.Added(got.bytes);
      environment_->counters->bytes_received += got.bytes;
    } else if (got.state == Stream::kClosed || killed_.load()) {
      return GiveUpClient();
    } else {
      RETURN_IF_ERROR(WaitForClient(got.state, read_timeout_us_));
    }
  }
}

Status ClientConnection::GiveUpClient() {
  killed_.store(true);
  output_.clear();
  sent_ = 0;
  return Status::Cancelled("the client is gone");
}

// The worker itself waits; Kill shuts the descriptor, which ends the wait.
Status ClientConnection::WaitForClient(Stream state, int64_t timeout_us) {
  BlockingScope waiting;
  pollfd wait{};
  wait.fd = socket_->fd();
  wait.events = state == Stream::kWantWrite ? POLLOUT : POLLIN;
  const int64_t timeout_ms = std::min<int64_t>(timeout_us / 1000, INT32_MAX);
  return ::poll(&wait, 1, static_cast<int>(timeout_ms)) == 0 ? GiveUpClient() : Status::Ok();
}

// --- any thread ----------------------------------------------------------------------------------

void ClientConnection::OnTimer(int64_t now_us) {
  int64_t deadline = deadline_us_.load();
  if (deadline > now_us || !deadline_us_.compare_exchange_strong(deadline, kNoDeadline)) {
    return;
  }
  // An idle client gets to read why; the others have had their time.
  const int how = state_.load() == State::kIdle ? SHUT_RD : SHUT_RDWR;
  MutexLock lock(socket_mutex_);
  if (open_) {
    ::shutdown(socket_->fd(), how);
  }
}

void ClientConnection::Kill() {
  killed_.store(true);
  if (const std::shared_ptr<CommandHandler> target = handler(); target != nullptr) {
    target->OnKill(true);
  }
  MutexLock lock(socket_mutex_);
  if (open_) {
    ::shutdown(socket_->fd(), SHUT_RDWR);
  }
}

void ClientConnection::KillQuery() {
  if (const std::shared_ptr<CommandHandler> target = handler(); target != nullptr) {
    target->OnKill(false);
  }
}

std::shared_ptr<CommandHandler> ClientConnection::handler() const {
  MutexLock lock(socket_mutex_);
  return handler_;
}

std::string ClientConnection::user_at_login() const {
  MutexLock lock(socket_mutex_);
  return user_;
}

ConnectionActivity ClientConnection::activity() const {
  ConnectionActivity activity;
  activity.command = command_.load(std::memory_order_relaxed);
  activity.since_us = since_us_.load(std::memory_order_relaxed);
  switch (state_.load(std::memory_order_relaxed)) {
    case State::kLogin:
    case State::kTlsHandshake:
    case State::kAuthReply:
      activity.phase = ConnectionActivity::Phase::kLogin;
      break;
    case State::kIdle:
      activity.phase = ConnectionActivity::Phase::kIdle;
      break;
    case State::kOwned:
      activity.phase = ConnectionActivity::Phase::kCommand;
      break;
    case State::kFlushing:
    case State::kDraining:
      activity.phase = ConnectionActivity::Phase::kSending;
      break;
    case State::kClosed:
      activity.phase = ConnectionActivity::Phase::kClosed;
      break;
  }
  return activity;
}

}  // namespace borealis::server
