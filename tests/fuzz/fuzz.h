// Fuzzing: one binary per input format, all with the same driver (driver.cc).
//
// A target gives seeds and a function that must hold for any input at all: it may not crash, hang
// or break a sanitizer's rule, and it states what must be true of inputs that are accepted
// (FUZZ_CHECK). Inputs are seeds, mutated. Most formats carry checksums, which random changes would
// never get past: Repair puts them right again, as a writer with a bug would.
//
// Input number N of seed S is always the same, whatever came before, so `--seed S --first N --count
// 1` repeats a failure. The failing input is also left in a file, for --input.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace borealis::fuzz {

class Target {
 public:
  virtual ~Target() = default;
  virtual std::vector<std::string> Seeds() = 0;
  virtual void Run(std::string_view input) = 0;
  // Makes checksums match the changed bytes, as far as their places can be told.
  virtual void Repair(std::string* input) { (void)input; }
  // Pieces worth inserting.
  virtual std::vector<std::string> Dictionary() { return {}; }
};

// Each binary defines one.
Target& TheTarget();

[[noreturn]] void Fail(const char* file, int line, const std::string& what);

}  // namespace borealis::fuzz

#define FUZZ_CHECK(condition, what)                                  \
  do {                                                               \
    if (!(condition)) {                                              \
      ::borealis::fuzz::Fail(__FILE__, __LINE__, std::string(what)); \
    }                                                                \
  } while (false)
