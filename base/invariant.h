// Assertions. Which one to use:
//   INVARIANT(x), INVARIANT_LE(a, b) …  always on; for LSN order, epochs, quorum arithmetic, latch
//                                       ranks, and anything else where data is at stake.
//   DCHECK(x)                           debug and sanitizer builds; hot paths and O(n) checks.
//   NEVER(x)                            believed impossible but with a safe exit:
//                                       if (NEVER(n == 0)) return Status::Internal(…);
// Input from disk, network or client is never asserted: it is checked and answered with a Status.
#pragma once

#include <cstdint>
#include <string>

namespace borealis {

// Prints the failure to standard error and aborts.
[[noreturn]] void InvariantFailed(const char* file, int line, const char* expression,
                                  const std::string& values);

namespace internal {
template <class T>
std::string PrintOperand(const T& value) {
  if constexpr (requires { std::to_string(value); }) {
    return std::to_string(value);
  } else if constexpr (requires { value.ToString(); }) {
    return value.ToString();
  } else {
    return "?";
  }
}
}  // namespace internal

}  // namespace borealis

#define INVARIANT(x)                                           \
  do {                                                         \
    if (!(x)) [[unlikely]] {                                   \
      ::borealis::InvariantFailed(__FILE__, __LINE__, #x, ""); \
    }                                                          \
  } while (false)

#define BOREALIS_INVARIANT_OP(a, op, b)                                                       \
  do {                                                                                        \
    const auto& invariant_a_ = (a);                                                           \
    const auto& invariant_b_ = (b);                                                           \
    if (!(invariant_a_ op invariant_b_)) [[unlikely]] {                                       \
      ::borealis::InvariantFailed(__FILE__, __LINE__, #a " " #op " " #b,                      \
                                  ::borealis::internal::PrintOperand(invariant_a_) + " vs " + \
                                      ::borealis::internal::PrintOperand(invariant_b_));      \
    }                                                                                         \
  } while (false)

#define INVARIANT_EQ(a, b) BOREALIS_INVARIANT_OP(a, ==, b)
#define INVARIANT_NE(a, b) BOREALIS_INVARIANT_OP(a, !=, b)
#define INVARIANT_LT(a, b) BOREALIS_INVARIANT_OP(a, <, b)
#define INVARIANT_LE(a, b) BOREALIS_INVARIANT_OP(a, <=, b)
#define INVARIANT_GT(a, b) BOREALIS_INVARIANT_OP(a, >, b)
#define INVARIANT_GE(a, b) BOREALIS_INVARIANT_OP(a, >=, b)

#if !defined(NDEBUG) || defined(BOREALIS_SANITIZED)
#define DCHECK(x) INVARIANT(x)
#define NEVER(x) \
  ((x) ? (::borealis::InvariantFailed(__FILE__, __LINE__, "never: " #x, ""), true) : false)
#else
#define DCHECK(x)      \
  do {                 \
    (void)sizeof((x)); \
  } while (false)
#define NEVER(x) __builtin_expect(static_cast<bool>(x), false)
#endif
