#include "sql/executor/definition/check_names.h"

#include <fmt/format.h>

#include "sql/catalog/table_descriptor.h"
#include "sql/executor/definition/foreign_key_names.h"

namespace borealis::sql {
namespace {

constexpr std::string_view kMadeInfix = "_chk_";

}  // namespace

bool SameCheckName(std::string_view a, std::string_view b) {
  return FoldName(a) == FoldName(b);
}

std::string MadeCheckName(std::string_view table, uint64_t number) {
  return fmt::format("{}{}{}", table, kMadeInfix, number);
}

std::optional<uint64_t> NumberOfMadeCheck(std::string_view name, std::string_view table) {
  return NumberOfMadeName(name, table, kMadeInfix);
}

}  // namespace borealis::sql
