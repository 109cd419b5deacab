#include "cli/arguments.h"

#include <fmt/format.h>

#include <charconv>

#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>
#include <boost/program_options/value_semantic.hpp>

namespace borealis::cli {

namespace po = boost::program_options;

namespace {
constexpr const char* kPositional = "positional words";
}

Result<Arguments> Arguments::Parse(const std::vector<std::string>& words,
                                   const std::vector<OptionSpec>& options, size_t positional_max) {
  po::options_description description;
  for (const OptionSpec& option : options) {
    if (option.value_name.empty()) {
      description.add_options()(option.name.c_str(), "");
    } else {
      description.add_options()(option.name.c_str(), po::value<std::vector<std::string>>(), "");
    }
  }
  description.add_options()(kPositional, po::value<std::vector<std::string>>(), "");
  po::positional_options_description positional;
  positional.add(kPositional, -1);
  Arguments arguments;
  // The library reports mistakes by exception; this is the one place that meets them.
  try {
    const auto parsed =
        po::command_line_parser(words)
            .options(description)
            .positional(positional)
            .style(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing)
            .run();
    for (const auto& option : parsed.options) {
      if (option.string_key == kPositional || option.position_key >= 0) {
        arguments.positional_.insert(arguments.positional_.end(), option.value.begin(),
                                     option.value.end());
      } else {
        auto& values = arguments.values_[option.string_key];
        values.insert(values.end(), option.value.begin(), option.value.end());
      }
    }
  } catch (const po::error& error) {
    return Status::InvalidArgument(error.what());
  }
  if (arguments.positional_.size() > positional_max) {
    return Status::InvalidArgument(
        fmt::format("unexpected word '{}'", arguments.positional_[positional_max]));
  }
  return arguments;
}

std::string Arguments::Get(std::string_view option, std::string_view fallback) const {
  const auto found = values_.find(std::string(option));
  return found == values_.end() || found->second.empty() ? std::string(fallback)
                                                         : found->second.back();
}

std::vector<std::string> Arguments::GetAll(std::string_view option) const {
  const auto found = values_.find(std::string(option));
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

Result<uint64_t> Arguments::GetNumber(std::string_view option, uint64_t fallback, uint64_t min,
                                      uint64_t max) const {
  if (!Has(option)) {
    return fallback;
  }
  const std::string text = Get(option);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < min || number > max) {
    return Status::InvalidArgument(
        fmt::format("--{} takes a whole number from {} to {}, not '{}'", option, min, max, text));
  }
  return number;
}

std::string DescribeOptions(const std::vector<OptionSpec>& options) {
  std::string text;
  for (const OptionSpec& option : options) {
    std::string left = "--" + option.name;
    if (!option.value_name.empty()) {
      left += " " + option.value_name;
    }
    text += fmt::format("  {:<28} {}{}\n", left, option.help,
                        option.repeatable ? " (may be repeated)" : "");
  }
  return text;
}

}  // namespace borealis::cli
