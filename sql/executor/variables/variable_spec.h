// What is known of one system variable: name, where it lives, how its value is checked and shown.
//
// The table is in variables.def; this is the type of its rows. Variables that SQL itself obeys have
// a `bind` to their member of SessionSettings; the rest keep their text.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "sql/context/settings.h"

namespace borealis::sql {

class Session;

enum class VariableKind : uint8_t { kBool, kInteger, kReal, kText, kEnum };
enum class VariablePlace : uint8_t { kGlobal, kSession, kBoth };

// Reads and writes a member of the settings as the variable's text. `write` checks: 1231, 1115, ….
struct SettingBind {
  std::string (*read)(const SessionSettings&) = nullptr;
  Status (*write)(std::string_view text, SessionSettings*) = nullptr;
};

struct VariableSpec {
  std::string_view name;  // lower case
  VariablePlace place = VariablePlace::kBoth;
  VariableKind kind = VariableKind::kText;
  bool dynamic = true;  // SET may change it
  std::string_view initial;
  uint64_t min = 0;  // integers
  uint64_t max = ~uint64_t{0};
  std::string_view choices;  // kEnum: "OFF,ON,DEMAND"
};

// Character sets whose units are two or four bytes: a client cannot write statements in them.
bool IsOfWideUnits(std::string_view charset);

// All variables, by name.
std::span<const VariableSpec> AllVariables();
const VariableSpec* FindVariable(std::string_view name);  // any case
// Null when the variable keeps its text itself.
const SettingBind* FindSettingBind(std::string_view name);

// The value's text as the kind wants it: "1" and "TRUE" become "ON", numbers are put into their
// range (`clamped` then tells), choices get their written form. Error: 1231.
Status NormaliseVariable(const VariableSpec& spec, std::string_view text, std::string* out,
                         bool* clamped);

}  // namespace borealis::sql
