// The statements that make what is there: SHOW CREATE TABLE, VIEW and DATABASE, in MySQL's exact
// text. Dumps, migrations and ORMs parse it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "row/time_zone.h"
#include "sql/catalog/table_descriptor.h"

namespace borealis::sql {

struct CreateTextOptions {
  const row::TimeZone* zone = nullptr;  // in which defaults of TIMESTAMP columns are written
  bool quote_names = true;              // sql_quote_show_create
  bool ansi_quotes = false;             // names in double quotes
  // The next AUTO_INCREMENT number; it is written when it is above 1.
  uint64_t next_auto_increment = 0;
};

std::string QuoteNameFor(std::string_view name, const CreateTextOptions& options);
// CONSTRAINT … FOREIGN KEY … REFERENCES …
std::string ForeignKeyClause(const TableDescriptor& table, const ForeignKeyDescriptor& key,
                             const CreateTextOptions& options);

std::string CreateTableText(const TableDescriptor& table, const CreateTextOptions& options);
// Names are in full unless they are all of the current `database`.
std::string CreateViewText(const TableDescriptor& view, std::string_view database,
                           const CreateTextOptions& options);
std::string CreateDatabaseText(std::string_view name, const SchemaDescriptor& schema,
                               bool if_not_exists, const CreateTextOptions& options);

// 'text' as in column defaults and comments: quotes doubled, backslashes and control characters
// escaped.
std::string QuoteLiteral(std::string_view text);

}  // namespace borealis::sql
