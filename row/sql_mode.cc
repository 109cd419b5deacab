#include "row/sql_mode.h"

#include <algorithm>

#include "base/mysql_error.h"

namespace borealis::row {

namespace {

struct ModeName {
  std::string_view name;
  SqlMode mode;
};

constexpr SqlMode kAnsiModes = kModeRealAsFloat | kModePipesAsConcat | kModeAnsiQuotes |
                               kModeIgnoreSpace | kModeOnlyFullGroupBy | kModeAnsi;
constexpr SqlMode kTraditionalModes =
    kModeStrictTransTables | kModeStrictAllTables | kModeNoZeroInDate | kModeNoZeroDate |
    kModeErrorForDivisionByZero | kModeTraditional | kModeNoEngineSubstitution;

// In the order of the bits, which is the order MySQL prints.
constexpr ModeName kNames[] = {
    {"REAL_AS_FLOAT", kModeRealAsFloat},
    {"PIPES_AS_CONCAT", kModePipesAsConcat},
    {"ANSI_QUOTES", kModeAnsiQuotes},
    {"IGNORE_SPACE", kModeIgnoreSpace},
    {"ONLY_FULL_GROUP_BY", kModeOnlyFullGroupBy},
    {"NO_UNSIGNED_SUBTRACTION", kModeNoUnsignedSubtraction},
    {"NO_DIR_IN_CREATE", kModeNoDirInCreate},
    {"ANSI", kModeAnsi},
    {"NO_AUTO_VALUE_ON_ZERO", kModeNoAutoValueOnZero},
    {"NO_BACKSLASH_ESCAPES", kModeNoBackslashEscapes},
    {"STRICT_TRANS_TABLES", kModeStrictTransTables},
    {"STRICT_ALL_TABLES", kModeStrictAllTables},
    {"NO_ZERO_IN_DATE", kModeNoZeroInDate},
    {"NO_ZERO_DATE", kModeNoZeroDate},
    {"ALLOW_INVALID_DATES", kModeAllowInvalidDates},
    {"ERROR_FOR_DIVISION_BY_ZERO", kModeErrorForDivisionByZero},
    {"TRADITIONAL", kModeTraditional},
    {"HIGH_NOT_PRECEDENCE", kModeHighNotPrecedence},
    {"NO_ENGINE_SUBSTITUTION", kModeNoEngineSubstitution},
    {"PAD_CHAR_TO_FULL_LENGTH", kModePadCharToFullLength},
    {"TIME_TRUNCATE_FRACTIONAL", kModeTimeTruncateFractional},
};

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return upper;
}

}  // namespace

std::string SqlModeText(SqlMode mode) {
  std::string text;
  for (const ModeName& entry : kNames) {
    if ((mode & entry.mode) != 0) {
      text += text.empty() ? "" : ",";
      text += entry.name;
    }
  }
  return text;
}

Result<SqlMode> ParseSqlMode(std::string_view text) {
  SqlMode mode = 0;
  for (std::string_view rest = text; !rest.empty();) {
    size_t comma = rest.find(',');
    std::string name = Upper(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    const auto* found = std::find_if(std::begin(kNames), std::end(kNames),
                                     [&](const ModeName& entry) { return entry.name == name; });
    if (found == std::end(kNames)) {
      if (name.empty()) {
        continue;
      }
      return UserError(ER_WRONG_VALUE_FOR_VAR, "sql_mode", name);
    }
    mode |= found->mode == kModeAnsi          ? kAnsiModes
            : found->mode == kModeTraditional ? kTraditionalModes
                                              : found->mode;
  }
  return mode;
}

}  // namespace borealis::row
