#include "sql/executor/variables/engine_variables.h"

#include "engine/engine.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/session/system_variables.h"

namespace borealis::sql {

void ApplyEngineVariables(const SystemVariables& variables, engine::Engine& engine) {
  engine::StatisticsDefaults defaults;
  const auto value = [&](std::string_view name, uint64_t otherwise) {
    return variables.IntegerValue(name).value_or(otherwise);
  };
  defaults.persistent = value("innodb_stats_persistent", 1) != 0;
  defaults.auto_recalc = value("innodb_stats_auto_recalc", 1) != 0;
  defaults.persistent_sample_pages =
      value("innodb_stats_persistent_sample_pages", defaults.persistent_sample_pages);
  defaults.transient_sample_pages =
      value("innodb_stats_transient_sample_pages", defaults.transient_sample_pages);
  engine.SetStatisticsDefaults(defaults);
}

bool IsEngineVariable(std::string_view name) {
  return FoldName(name).starts_with("innodb_stats_");
}

}  // namespace borealis::sql
