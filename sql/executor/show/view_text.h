// Views as they are shown, and whether they still mean something.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/binder/binder.h"
#include "sql/catalog/table_descriptor.h"

namespace borealis::sql {

class Session;

// For binding text that stands outside the statement at hand. `text` is borrowed.
BindInput ViewInput(Session& session, std::string_view text);

// Ok, or why it cannot be used: 1356 when something that it is made from is missing, 1462 when it
// contains itself.
Status CheckView(Session& session, const TablePtr& view);

// The query as SHOW CREATE VIEW has it.
std::string ViewQueryText(const TableDescriptor& view, bool without_schemas);
// Whether all tables that it names are in `database`: the current one then need not be told.
bool NamesOnly(const TableDescriptor& view, std::string_view database);

}  // namespace borealis::sql
