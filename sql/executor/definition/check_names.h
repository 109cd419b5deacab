// Names of check constraints: the names that MySQL makes, and how names compare.
//
// They are unique in a schema (INV-CHECK-1 in foreign_key_relations.h). Case does not count,
// accents do, unlike in names of columns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace borealis::sql {

bool SameCheckName(std::string_view a, std::string_view b);

// "<table>_chk_<number>", for a check without a name.
std::string MadeCheckName(std::string_view table, uint64_t number);
// The number, when the name is one made for that table.
std::optional<uint64_t> NumberOfMadeCheck(std::string_view name, std::string_view table);

}  // namespace borealis::sql
