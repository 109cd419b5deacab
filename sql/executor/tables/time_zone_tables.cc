// mysql.time_zone_name and mysql.time_zone: the zones that time_zone and CONVERT_TZ take by name.
// Their changes of clocks stay in the zoneinfo database, which zones are read from.
#include "row/time_zone_names.h"
#include "sql/executor/tables/system_rows.h"

namespace borealis::sql {
namespace {

Status ScanNames(SystemRows& rows) {
  uint64_t id = 0;
  for (const std::string& name : row::TimeZoneNames()) {
    SystemRow row = rows.NewRow();
    RETURN_IF_ERROR(rows.Add(row.Text(name).Number(++id)));
  }
  return Status::Ok();
}

Status ScanZones(SystemRows& rows) {
  const size_t zones = row::TimeZoneNames().size();
  for (uint64_t id = 1; id <= zones; ++id) {
    SystemRow row = rows.NewRow();
    RETURN_IF_ERROR(rows.Add(row.Number(id).Text("N")));
  }
  return Status::Ok();
}

}  // namespace

std::vector<SystemTableDefinition> TimeZoneSystemTables() {
  return {{"mysql", "time_zone_name", "", ScanNames}, {"mysql", "time_zone", "", ScanZones}};
}

}  // namespace borealis::sql
