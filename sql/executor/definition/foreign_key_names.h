// Names and texts of foreign keys: the names that MySQL makes, and the words of its errors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "sql/catalog/table_descriptor.h"

namespace borealis::sql {

class Session;

// The number of a name that was made of the table's: "<table><infix><number>".
std::optional<uint64_t> NumberOfMadeName(std::string_view name, std::string_view table,
                                         std::string_view infix);

// "<table>_ibfk_<number>", for a foreign key without a name.
std::string MadeForeignKeyName(std::string_view table, uint64_t number);
// The number, when the name is one made for that table.
std::optional<uint64_t> NumberOfMadeForeignKey(std::string_view name, std::string_view table);

// `db`.`child`, CONSTRAINT … FOREIGN KEY … REFERENCES …, as errors 1451 and 1452 tell it, in the
// session's way of quoting. `table`: as which the child is named.
std::string ForeignKeyText(Session& session, const TableDescriptor& child,
                           const ForeignKeyDescriptor& key, std::string_view table);

// 1451 and 1452.
Status RowIsReferenced(Session& session, const TableDescriptor& child,
                       const ForeignKeyDescriptor& key);
Status NoReferencedRow(Session& session, const TableDescriptor& child,
                       const ForeignKeyDescriptor& key);

}  // namespace borealis::sql
