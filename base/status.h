// The outcome of an operation that can fail: one pointer, null when it succeeded.
//
// Codes are few and say what the caller can do about it. Errors that a MySQL client will see carry
// their MySQL error number (Status::User); SQLSTATE follows from the number (base/mysql_error.h).
// Context is added on the way up as verb phrases: "read page 7: quorum read: timed out".
// Thread-compatible; a const Status may be read from many threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace borealis {

enum class Code : uint8_t {
  kOk = 0,
  kNotFound,         // what was asked for does not exist
  kAlreadyExists,    // what was to be made exists
  kInvalidArgument,  // the caller's mistake, or malformed input from a peer
  kUnsupported,      // well-formed but not offered by this version
  kCorruption,       // bytes that fail verification
  kIoError,          // the operating system refused
  kNoSpace,          // disk or limit exhausted
  kTimedOut,         // gave up waiting; the outcome may be unknown
  kRetry,            // nothing happened; the same call may succeed later
  kUnavailable,      // a peer or quorum cannot be reached now
  kFenced,           // a newer epoch exists; this instance must stop
  kDeadlock,         // the transaction was chosen as victim and rolled back
  kCancelled,        // killed, shutting down or interrupted
  kUser,             // an SQL error with a MySQL number
  kInternal,         // a bug
};

std::string_view CodeName(Code code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message);
  Status(const Status& other);
  Status& operator=(const Status& other);
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  static Status Ok() { return {}; }
  static Status NotFound(std::string m) { return {Code::kNotFound, std::move(m)}; }
  static Status AlreadyExists(std::string m) { return {Code::kAlreadyExists, std::move(m)}; }
  static Status InvalidArgument(std::string m) { return {Code::kInvalidArgument, std::move(m)}; }
  static Status Unsupported(std::string m) { return {Code::kUnsupported, std::move(m)}; }
  static Status Corruption(std::string m) { return {Code::kCorruption, std::move(m)}; }
  static Status IoError(std::string m) { return {Code::kIoError, std::move(m)}; }
  static Status NoSpace(std::string m) { return {Code::kNoSpace, std::move(m)}; }
  static Status TimedOut(std::string m) { return {Code::kTimedOut, std::move(m)}; }
  static Status Retry(std::string m) { return {Code::kRetry, std::move(m)}; }
  static Status Unavailable(std::string m) { return {Code::kUnavailable, std::move(m)}; }
  static Status Fenced(std::string m) { return {Code::kFenced, std::move(m)}; }
  static Status Deadlock(std::string m) { return {Code::kDeadlock, std::move(m)}; }
  static Status Cancelled(std::string m) { return {Code::kCancelled, std::move(m)}; }
  static Status Internal(std::string m) { return {Code::kInternal, std::move(m)}; }
  // An error for the SQL client: `mysql_errno` in 1000..9999, the text as MySQL words it.
  static Status User(int mysql_errno, std::string message);

  bool ok() const { return rep_ == nullptr; }
  Code code() const { return rep_ ? rep_->code : Code::kOk; }
  // 0 unless code() is kUser.
  int user_errno() const { return rep_ ? rep_->user_errno : 0; }
  std::string_view message() const { return rep_ ? std::string_view(rep_->message) : ""; }
  bool Is(Code code) const { return this->code() == code; }

  // Prefixes the message with "context: "; no effect on success or on a user error, whose wording
  // clients match.
  Status Annotate(std::string_view context) &&;
  // "timed out: read page 7: …", or "ok".
  std::string ToString() const;
  // For a call whose failure changes nothing for the caller; say why at the call.
  void IgnoreError() const {}

 private:
  struct Rep {
    Code code;
    int user_errno = 0;
    std::string message;
  };
  std::unique_ptr<Rep> rep_;
};

static_assert(sizeof(Status) == sizeof(void*));

}  // namespace borealis

#define BOREALIS_CONCAT_INNER(a, b) a##b
#define BOREALIS_CONCAT(a, b) BOREALIS_CONCAT_INNER(a, b)

// Returns the Status of `expr` from the enclosing function unless it succeeded.
#define RETURN_IF_ERROR(expr)                                 \
  do {                                                        \
    if (::borealis::Status status_ = (expr); !status_.ok()) { \
      return status_;                                         \
    }                                                         \
  } while (false)
