// A table as InnoDB's own words have it, where MySQL shows those.
#pragma once

#include <string>

#include "sql/catalog/table_descriptor.h"

namespace borealis::sql {

// As a path of files: "schema/table", with @ and four hexadecimal digits for each character that is
// no ASCII letter, digit or underscore. (MySQL has shorter codes for letters of some alphabets.)
std::string InnodbName(const std::string& schema, const std::string& table);

// "Dynamic" for DYNAMIC, which is the default.
std::string RowFormat(const TableDescriptor& table);

}  // namespace borealis::sql
