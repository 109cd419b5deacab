// Command lines: options with values, flags and positional words, described once for parsing and
// help.
//
// Built on Boost.Program_options, which this header keeps out of everybody else's translation
// units.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace borealis::cli {

struct OptionSpec {
  std::string name;        // without the dashes
  std::string value_name;  // empty for a flag
  std::string help;
  bool repeatable = false;
};

class Arguments {
 public:
  // kInvalidArgument for unknown options, missing values and too many positional words.
  static Result<Arguments> Parse(const std::vector<std::string>& words,
                                 const std::vector<OptionSpec>& options, size_t positional_max);

  bool Has(std::string_view option) const { return values_.contains(std::string(option)); }
  // The value given last, or `fallback`.
  std::string Get(std::string_view option, std::string_view fallback = "") const;
  std::vector<std::string> GetAll(std::string_view option) const;
  // kInvalidArgument when it is not a number in [min, max].
  Result<uint64_t> GetNumber(std::string_view option, uint64_t fallback, uint64_t min,
                             uint64_t max) const;
  const std::vector<std::string>& positional() const { return positional_; }

 private:
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> positional_;
};

// "  --port PORT   port of the cluster endpoint" for each option.
std::string DescribeOptions(const std::vector<OptionSpec>& options);

}  // namespace borealis::cli
