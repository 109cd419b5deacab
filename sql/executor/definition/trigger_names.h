// Names of triggers are a schema's, not a table's. SQL's entries in the dictionary hold where each
// trigger is, so that a name is found without looking at every table:
//
//   KEY                                                         VALUE
//   't' schema 00 sort key of the name, in hexadecimal 00       table
//
// They change in one atomic schema change with the table (engine::RelatedChanges). Names that
// utf8mb3_general_ci takes for equal are one name.
//
// INV-TRIG-2  Each trigger in a table's description has its 't' entry, which names that table, and
//            there are no others.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/schema_change.h"
#include "sql/executor/definition/foreign_key_relations.h"

namespace borealis::sql {

// The table that has the trigger; nothing when there is no such trigger.
Result<std::optional<std::string>> TableOfTrigger(engine::Engine& engine, std::string_view schema,
                                                  std::string_view trigger);

// The entry appears or disappears with the change; that nobody else has taken the name meanwhile is
// compared under its locks.
void AddTriggerName(std::string_view schema, std::string_view trigger, std::string_view table,
                    engine::RelatedChanges* related);
void DropTriggerName(std::string_view schema, std::string_view trigger,
                     engine::RelatedChanges* related);

// What a statement that drops or renames tables means for the names of their triggers. Error: 1435
// when a table with triggers changes its schema.
Status RelateTriggers(const std::vector<TableChange>& changes, engine::RelatedChanges* related);

// The same for a schema that is dropped with all its tables.
Status RelateTriggersOfSchema(engine::Engine& engine, std::string_view schema,
                              engine::RelatedChanges* related);

}  // namespace borealis::sql
