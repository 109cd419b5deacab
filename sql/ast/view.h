// What CREATE VIEW says besides the query. Stored as numbers: see sql/catalog/descriptor_codec.cc.
#pragma once

#include <cstdint>

namespace borealis::sql {

enum class ViewAlgorithm : uint8_t { kUndefined = 0, kMerge = 1, kTemptable = 2 };
enum class ViewCheck : uint8_t { kNone = 0, kLocal = 1, kCascaded = 2 };

}  // namespace borealis::sql
