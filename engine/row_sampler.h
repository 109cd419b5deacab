// A few rows of a table, for estimates of how many of them a condition leaves.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/status.h"
#include "engine/table.h"

namespace borealis::engine {

// Shows rows as a Cursor gives them, up to `rows_per_leaf` from each of `leaves` leaves that lie
// evenly spread; *whole says whether these were all the table has. Rows as they stand, committed or
// not; long ones are left out. None of a table whose pages are being freed. Reads under shared
// latches, a leaf at a time.
Status SampleRows(const Table& table, uint32_t leaves, uint32_t rows_per_leaf,
                  const std::function<void(std::string_view row)>& see, bool* whole);

}  // namespace borealis::engine
