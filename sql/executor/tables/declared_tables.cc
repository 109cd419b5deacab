// System tables whose columns are in data files, a file for each schema. Those of which nothing
// else is said are empty: clients ask for them, and what they would list does not exist here.
#include "sql/executor/tables/sql_mode_column.h"
#include "sql/executor/tables/system_rows.h"

namespace borealis::sql {

std::vector<SystemTableDefinition> DeclaredSystemTables() {
  return {
#define T(name, columns) {"information_schema", #name, columns},
#include "sql/executor/tables/information_schema_tables.def"
#undef T
#define T(name, columns) {"performance_schema", #name, columns},
#include "sql/executor/tables/performance_schema_tables.def"
#undef T
#define T(name, columns) {"mysql", #name, columns},
#include "sql/executor/tables/mysql_tables.def"
#undef T
  };
}

}  // namespace borealis::sql
