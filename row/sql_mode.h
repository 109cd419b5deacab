// The settings that change what a conversion does, with MySQL's sql_mode bits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace borealis::row {

using SqlMode = uint64_t;
inline constexpr SqlMode kModeRealAsFloat = 1;
inline constexpr SqlMode kModePipesAsConcat = 2;
inline constexpr SqlMode kModeAnsiQuotes = 4;
inline constexpr SqlMode kModeIgnoreSpace = 8;
inline constexpr SqlMode kModeOnlyFullGroupBy = 32;
inline constexpr SqlMode kModeNoUnsignedSubtraction = 64;
inline constexpr SqlMode kModeNoDirInCreate = 128;
inline constexpr SqlMode kModeAnsi = 0x40000;
inline constexpr SqlMode kModeNoAutoValueOnZero = 0x80000;
inline constexpr SqlMode kModeNoBackslashEscapes = 0x100000;
inline constexpr SqlMode kModeStrictTransTables = 0x200000;
inline constexpr SqlMode kModeStrictAllTables = 0x400000;
inline constexpr SqlMode kModeNoZeroInDate = 0x800000;
inline constexpr SqlMode kModeNoZeroDate = 0x1000000;
inline constexpr SqlMode kModeAllowInvalidDates = 0x2000000;
inline constexpr SqlMode kModeErrorForDivisionByZero = 0x4000000;
inline constexpr SqlMode kModeTraditional = 0x8000000;
inline constexpr SqlMode kModeHighNotPrecedence = 0x20000000;
inline constexpr SqlMode kModeNoEngineSubstitution = 0x40000000;
inline constexpr SqlMode kModePadCharToFullLength = 0x80000000;
inline constexpr SqlMode kModeTimeTruncateFractional = 0x100000000;

inline constexpr SqlMode kDefaultSqlMode = kModeOnlyFullGroupBy | kModeStrictTransTables |
                                           kModeNoZeroInDate | kModeNoZeroDate |
                                           kModeErrorForDivisionByZero | kModeNoEngineSubstitution;

inline bool IsStrict(SqlMode mode) {
  return (mode & (kModeStrictTransTables | kModeStrictAllTables)) != 0;
}

// "STRICT_TRANS_TABLES,NO_ZERO_DATE" and back. An unknown name is error 1231 for sql_mode;
// ANSI and TRADITIONAL expand to the modes they stand for.
std::string SqlModeText(SqlMode mode);
Result<SqlMode> ParseSqlMode(std::string_view text);

}  // namespace borealis::row
