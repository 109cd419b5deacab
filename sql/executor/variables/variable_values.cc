// The texts that SET and options give variables: checked, and brought into the form they are kept
// in.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "base/mysql_error.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/executor/variables/variable_spec.h"

namespace borealis::sql {
namespace {

Status WrongValue(std::string_view name, std::string_view value) {
  return UserError(ER_WRONG_VALUE_FOR_VAR, name, value);
}

Status NormaliseBool(const VariableSpec& spec, std::string_view text, std::string* out) {
  const std::string folded = FoldName(text);
  if (folded == "on" || folded == "1" || folded == "true") {
    *out = "ON";
  } else if (folded == "off" || folded == "0" || folded == "false") {
    *out = "OFF";
  } else {
    return WrongValue(spec.name, text);
  }
  return Status::Ok();
}

Status NormaliseInteger(const VariableSpec& spec, std::string_view text, std::string* out,
                        bool* clamped) {
  uint64_t number = 0;
  const bool negative = text.starts_with('-');
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!negative && (end != text.data() + text.size() || error == std::errc::invalid_argument)) {
    return UserError(ER_WRONG_TYPE_FOR_VAR, spec.name);
  }
  number = negative ? 0 : error == std::errc::result_out_of_range ? ~uint64_t{0} : number;
  uint64_t inside = std::clamp(number, spec.min, spec.max);
  inside -= inside % spec.block;
  *clamped = negative || inside != number;
  *out = std::to_string(inside);
  return Status::Ok();
}

Status NormaliseReal(const VariableSpec& spec, std::string_view text, std::string* out,
                     bool* clamped) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size() || error != std::errc()) {
    return UserError(ER_WRONG_TYPE_FOR_VAR, spec.name);
  }
  const double inside = std::clamp(number, spec.least, spec.most);
  *clamped = inside != number;
  *out = fmt::format("{:.6f}", inside);
  return Status::Ok();
}

// What commas part in a list.
std::vector<std::string_view> Items(std::string_view list) {
  std::vector<std::string_view> items;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    items.push_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return items;
}

// A choice by name, or by its number from 0.
Status NormaliseEnum(const VariableSpec& spec, std::string_view text, std::string* out) {
  int number = 0;
  for (const std::string_view choice : Items(spec.choices)) {
    if (SameName(choice, text) || std::to_string(number++) == text) {
      *out = choice;
      return Status::Ok();
    }
  }
  return WrongValue(spec.name, text);
}

// The choices that the text names, or whose bits it has as a number, in their order.
Status NormaliseSet(const VariableSpec& spec, std::string_view text, std::string* out) {
  const std::vector<std::string_view> choices = Items(spec.choices);
  uint64_t wanted = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wanted);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    wanted = 0;
    for (const std::string_view item : Items(text)) {
      const auto named = std::find_if(choices.begin(), choices.end(),
                                      [&](auto choice) { return SameName(choice, item); });
      wanted |= uint64_t{1} << (named - choices.begin());
    }
  }
  if (wanted >> choices.size() != 0) {
    return WrongValue(spec.name, text);
  }
  out->clear();
  for (size_t i = 0; i < choices.size(); ++i) {
    if ((wanted >> i & 1) != 0) {
      *out += (out->empty() ? "" : ",") + std::string(choices[i]);
    }
  }
  return Status::Ok();
}

// "name=value" in two; the value is empty where there is none.
std::pair<std::string_view, std::string_view> SplitSwitch(std::string_view item) {
  const size_t equals = std::min(item.find('='), item.size());
  return {item.substr(0, equals), item.substr(std::min(equals + 1, item.size()))};
}

// Switches that the text does not name are as they are at first.
Status NormaliseSwitches(const VariableSpec& spec, std::string_view text, std::string* out) {
  std::vector<std::pair<std::string_view, std::string_view>> switches;
  for (const std::string_view item : Items(spec.initial)) {
    switches.push_back(SplitSwitch(item));
  }
  for (const std::string_view item : Items(text)) {
    const auto [name, value] = SplitSwitch(item);
    const auto known = std::find_if(switches.begin(), switches.end(),
                                    [&](const auto& one) { return SameName(one.first, name); });
    const bool on = SameName(value, "on");
    if (known != switches.end() && (on || SameName(value, "off"))) {
      known->second = on ? "on" : "off";
    } else if (!SameName(known == switches.end() ? item : value, "default")) {
      return WrongValue(spec.name, text);
    }
  }
  out->clear();
  for (const auto& [name, value] : switches) {
    *out += fmt::format("{}{}={}", out->empty() ? "" : ",", name, value);
  }
  return Status::Ok();
}

Status NormaliseText(const VariableSpec& spec, std::string_view text, std::string* out) {
  switch (spec.form) {
    case TextForm::kSet:
      return NormaliseSet(spec, text, out);
    case TextForm::kSwitches:
      return NormaliseSwitches(spec, text, out);
    case TextForm::kSigned: {
      int64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (end != text.data() + text.size() || error != std::errc()) {
        return UserError(ER_WRONG_TYPE_FOR_VAR, spec.name);
      }
      break;
    }
    case TextForm::kAny:
      break;
  }
  *out = text;
  return Status::Ok();
}

Status NormaliseKind(const VariableSpec& spec, std::string_view text, std::string* out,
                     bool* clamped) {
  switch (spec.kind) {
    case VariableKind::kBool:
      return NormaliseBool(spec, text, out);
    case VariableKind::kInteger:
      return NormaliseInteger(spec, text, out, clamped);
    case VariableKind::kReal:
      return NormaliseReal(spec, text, out, clamped);
    case VariableKind::kEnum:
      return NormaliseEnum(spec, text, out);
    case VariableKind::kText:
      return NormaliseText(spec, text, out);
  }
  return Status::Ok();
}

}  // namespace

Status NormaliseVariable(const VariableSpec& spec, std::string_view text, std::string* out,
                         bool* clamped) {
  *clamped = false;
  RETURN_IF_ERROR(NormaliseKind(spec, text, out, clamped));
  if (spec.default_only && *out != spec.initial) {
    return UserError(ER_NOT_SUPPORTED_YET, fmt::format("{}={}", spec.name, *out));
  }
  return Status::Ok();
}

}  // namespace borealis::sql
