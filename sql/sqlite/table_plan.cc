#include "sql/sqlite/table_plan.h"

#include <charconv>

namespace borealis::sql {

// "index:flags:arguments:rows", the hashed columns and the filter, e.g. "2:rc:eegl:120",
// "0::ee:1000:3:7" or "0:::1000?2".
std::string TablePlan::Encode() const {
  std::string text = std::to_string(index) + ":";
  if (reverse) {
    text += 'r';
  }
  if (covering) {
    text += 'c';
  }
  if (unique_point) {
    text += 'u';
  }
  if (by_handle) {
    text += 'h';
  }
  if (yields_handle) {
    text += 'y';
  }
  text += ':';
  for (const PlanArgument& argument : arguments) {
    text += static_cast<char>(argument.use);
  }
  text += ":" + std::to_string(rows);
  for (uint32_t column : hash_columns) {
    text += ":" + std::to_string(column);
  }
  text += filter.has_value() ? "?" + std::to_string(*filter) : "";
  return text;
}

std::optional<TablePlan> TablePlan::Decode(std::string_view text) {
  TablePlan plan;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), plan.index);
  if (error != std::errc()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  size_t second = text.find(':', 1);
  if (text.empty() || text[0] != ':' || second == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view flags = text.substr(1, second - 1);
  plan.reverse = flags.find('r') != std::string_view::npos;
  plan.covering = flags.find('c') != std::string_view::npos;
  plan.unique_point = flags.find('u') != std::string_view::npos;
  plan.by_handle = flags.find('h') != std::string_view::npos;
  plan.yields_handle = flags.find('y') != std::string_view::npos;
  size_t third = text.find(':', second + 1);
  if (third == std::string_view::npos) {
    return std::nullopt;
  }
  for (char use : text.substr(second + 1, third - second - 1)) {
    plan.arguments.push_back({static_cast<PlanArgument::Use>(use)});
  }
  const char* const stop = text.data() + text.size();
  const char* at = std::from_chars(text.data() + third + 1, stop, plan.rows).ptr;
  while (at < stop && *at == ':') {
    at = std::from_chars(at + 1, stop, plan.hash_columns.emplace_back()).ptr;
  }
  if (at < stop && *at == '?') {
    std::from_chars(at + 1, stop, plan.filter.emplace());
  }
  return plan;
}

}  // namespace borealis::sql
