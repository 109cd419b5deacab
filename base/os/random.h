// Random numbers: Random is seeded and repeatable (simulation, jitter, sampling); SecureRandomBytes
// is the operating system's, for keys, salts and tokens.
#pragma once

#include <cstdint>
#include <string>

namespace borealis {

// xoshiro256++ seeded by splitmix64. Not thread-safe; not for secrets.
class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t Next();
  // Uniform in [0, bound). REQUIRES: bound > 0.
  uint64_t Below(uint64_t bound);
  // Uniform in [0, 1).
  double Unit();
  // True with probability `p`.
  bool Chance(double p) { return Unit() < p; }

 private:
  uint64_t state_[4];
};

// `size` bytes from the operating system; aborts if it has none to give.
std::string SecureRandomBytes(size_t size);

}  // namespace borealis
