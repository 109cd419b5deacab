// The names of the zoneinfo database's zones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace borealis::row {

inline constexpr std::string_view kZoneDirectory = "/usr/share/zoneinfo/";

// Zones and links, sorted; those that the database's own list has. Empty without one.
std::vector<std::string> TimeZoneNames();

}  // namespace borealis::row
