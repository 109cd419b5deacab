// A value or the Status that explains its absence. Reading the value of a failed Result aborts.
#pragma once

#include <optional>
#include <utility>

#include "base/invariant.h"
#include "base/status.h"

namespace borealis {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    INVARIANT(!status_.ok());
  }

  bool ok() const { return value_.has_value(); }
  const Status& status() const& { return status_; }
  Status status() && { return std::move(status_); }

  T& value() & {
    INVARIANT(value_.has_value());
    return *value_;
  }
  const T& value() const& {
    INVARIANT(value_.has_value());
    return *value_;
  }
  T value() && {
    INVARIANT(value_.has_value());
    return std::move(*value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace borealis

// ASSIGN_OR_RETURN(auto page, pool.Fetch(id)): declares or assigns, or returns the error.
#define ASSIGN_OR_RETURN(target, expr) \
  BOREALIS_ASSIGN_OR_RETURN(BOREALIS_CONCAT(result_, __COUNTER__), target, expr)
#define BOREALIS_ASSIGN_OR_RETURN(name, target, expr) \
  auto name = (expr);                                 \
  if (!name.ok()) {                                   \
    return std::move(name).status();                  \
  }                                                   \
  target = std::move(name).value()
