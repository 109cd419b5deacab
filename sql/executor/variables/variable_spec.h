// What is known of one system variable: name, where it lives, how its value is checked and shown.
//
// The table is in variables.def and its neighbours; this is the type of its rows. Variables that
// SQL itself obeys have a `bind` to their member of SessionSettings; the rest keep their text.
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
// What a text must look like: some of the choices; name=on and name=off; a number with a sign.
enum class TextForm : uint8_t { kAny, kSet, kSwitches, kSigned };

// Reads and writes a member of the settings as the variable's text. `write` checks: 1231, 1115, ….
struct SettingBind {
  std::string (*read)(const SessionSettings&) = nullptr;
  Status (*write)(std::string_view text, SessionSettings*) = nullptr;
};

struct VariableSpec {
  std::string_view name;  // lower case
  VariablePlace place = VariablePlace::kBoth;
  VariableKind kind = VariableKind::kText;
  bool dynamic = true;        // SET may change it
  bool default_only = false;  // but to nothing other than `initial`
  std::string_view initial;
  uint64_t min = 0;  // integers
  uint64_t max = ~uint64_t{0};
  uint64_t block = 1;  // integers are multiples of it
  double least = 0;    // kReal
  double most = 0;
  TextForm form = TextForm::kAny;  // kText
  std::string_view choices;        // kEnum and TextForm::kSet: "OFF,ON,DEMAND"
};

// Character sets whose units are two or four bytes: a client cannot write statements in them.
bool IsOfWideUnits(std::string_view charset);

// All variables, by name.
std::span<const VariableSpec> AllVariables();
const VariableSpec* FindVariable(std::string_view name);  // any case
// Null when the variable keeps its text itself.
const SettingBind* FindSettingBind(std::string_view name);

// The value's text as the kind wants it: "1" and "TRUE" become "ON", numbers are put into their
// range (`clamped` then tells), choices get their written form. Errors: 1231, 1232, and 1235 for a
// value that would promise what is not here.
Status NormaliseVariable(const VariableSpec& spec, std::string_view text, std::string* out,
                         bool* clamped);

}  // namespace borealis::sql
