// Native functions of MySQL 8.0 that are not offered, so that their use is refused by name (1235)
// and not taken for a stored function that nobody made (1305).
#include <algorithm>
#include <array>

#include "sql/functions/function.h"

namespace borealis::sql {

namespace {

// Lower case, sorted.
constexpr std::array<std::string_view, 22> kMissing = {
    "extractvalue",  "geomcollection", "geometrycollection",
    "json_table",    "linestring",     "mbrcontains",
    "mbrcoveredby",  "mbrcovers",      "mbrdisjoint",
    "mbrequals",     "mbrintersects",  "mbroverlaps",
    "mbrtouches",    "mbrwithin",      "multilinestring",
    "multipoint",    "multipolygon",   "point",
    "polygon",       "roles_graphml",  "updatexml",
    "weight_string",
};

}  // namespace

bool IsMissingFunction(std::string_view name) {
  return name.starts_with("st_") || std::binary_search(kMissing.begin(), kMissing.end(), name);
}

}  // namespace borealis::sql
