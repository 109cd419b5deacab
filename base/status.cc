#include "base/status.h"

#include "base/invariant.h"

namespace borealis {

std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kOk:
      return "ok";
    case Code::kNotFound:
      return "not found";
    case Code::kAlreadyExists:
      return "already exists";
    case Code::kInvalidArgument:
      return "invalid argument";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kCorruption:
      return "corruption";
    case Code::kIoError:
      return "i/o error";
    case Code::kNoSpace:
      return "no space";
    case Code::kTimedOut:
      return "timed out";
    case Code::kRetry:
      return "retry";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kFenced:
      return "fenced";
    case Code::kDeadlock:
      return "deadlock";
    case Code::kCancelled:
      return "cancelled";
    case Code::kUser:
      return "sql error";
    case Code::kInternal:
      return "internal error";
  }
  return "unknown";
}

Status::Status(Code code, std::string message)
    : rep_(std::make_unique<Rep>(Rep{code, 0, std::move(message)})) {
  INVARIANT(code != Code::kOk);
}

Status::Status(const Status& other)
    : rep_(other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr) {}

Status& Status::operator=(const Status& other) {
  rep_ = other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr;
  return *this;
}

Status Status::User(int mysql_errno, std::string message) {
  Status status(Code::kUser, std::move(message));
  status.rep_->user_errno = mysql_errno;
  return status;
}

Status Status::Annotate(std::string_view context) && {
  if (rep_ != nullptr && rep_->code != Code::kUser) {
    rep_->message = std::string(context) + ": " + rep_->message;
  }
  return std::move(*this);
}

std::string Status::ToString() const {
  if (ok()) {
    return "ok";
  }
  std::string text(CodeName(rep_->code));
  if (rep_->user_errno != 0) {
    text += " " + std::to_string(rep_->user_errno);
  }
  return text + ": " + rep_->message;
}

}  // namespace borealis
