#include "row/time_zone_names.h"

#include <algorithm>

#include "base/os/file.h"

namespace borealis::row {

// The list is the database's source, shortened: a line "Z name …" begins a zone, "L zone name" is a
// link.
std::vector<std::string> TimeZoneNames() {
  std::vector<std::string> names;
  std::string path(kZoneDirectory);
  path += "tzdata.zi";
  const Result<std::string> source = ReadWholeFile(RealFileSystem(), path);
  if (!source.ok()) {
    return names;
  }
  for (std::string_view rest = *source; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.starts_with("Z ")) {
      names.emplace_back(line.substr(2, line.find(' ', 2) - 2));
    } else if (line.starts_with("L ")) {
      names.emplace_back(line.substr(line.rfind(' ') + 1));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace borealis::row
