// FLOAT and DOUBLE as MySQL prints them: the shortest digits that read back as the same value (six
// significant ones for FLOAT), without exponent while the decimal point lies within 15 digits, else
// as "1.5e20" or "1e-15". One place, because result sets, CAST to CHAR and CONCAT must agree.
#pragma once

#include <cstddef>

namespace borealis {

inline constexpr size_t kDoubleTextSize = 40;

// Write to `out`, which has kDoubleTextSize bytes, without NUL; return the length.
size_t DoubleToText(double value, char* out);
size_t FloatToText(float value, char* out);
// With exactly `decimals` (0 to 30) digits after the point, zeros where the shortest ones end:
// DOUBLE(M,D). `out` has 384 bytes.
size_t FixedDoubleToText(double value, int decimals, char* out);

}  // namespace borealis
