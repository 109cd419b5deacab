#include "sql/executor/definition/trigger_names.h"

#include <algorithm>

#include "base/mysql_error.h"
#include "row/collation.h"

namespace borealis::sql {
namespace {

std::string SchemaPrefix(std::string_view schema) {
  std::string key = "t";
  key.append(schema).push_back('\0');
  return key;
}

// No key is a prefix of another one.
std::string NameKey(std::string_view schema, std::string_view trigger) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string key = SchemaPrefix(schema);
  for (const char byte : row::GetCollation(row::kUtf8mb3GeneralCi).SortKey(trigger)) {
    key.push_back(kDigits[static_cast<unsigned char>(byte) >> 4]);
    key.push_back(kDigits[static_cast<unsigned char>(byte) & 15]);
  }
  key.push_back('\0');
  return key;
}

// Another session may have given the table a trigger since it was looked at.
void ExpectVersion(const TableDescriptor& table, engine::RelatedChanges* related) {
  const engine::TableName name{table.schema, table.name};
  const bool listed =
      std::any_of(related->tables.begin(), related->tables.end(),
                  [&](const engine::RelatedChanges::Table& other) { return other.name == name; });
  if (!listed) {
    related->tables.push_back({name, table.version, std::nullopt});
  }
}

}  // namespace

Result<std::optional<std::string>> TableOfTrigger(engine::Engine& engine, std::string_view schema,
                                                  std::string_view trigger) {
  ASSIGN_OR_RETURN(const auto entries, engine.ListSqlEntries(NameKey(schema, trigger)));
  return entries.empty() ? std::nullopt : std::optional(entries[0].second);
}

void AddTriggerName(std::string_view schema, std::string_view trigger, std::string_view table,
                    engine::RelatedChanges* related) {
  const std::string key = NameKey(schema, trigger);
  related->expected.push_back({key, {}});
  related->entries.push_back({key, std::string(table)});
}

void DropTriggerName(std::string_view schema, std::string_view trigger,
                     engine::RelatedChanges* related) {
  related->entries.push_back({NameKey(schema, trigger), std::nullopt});
}

Status RelateTriggers(const std::vector<TableChange>& changes, engine::RelatedChanges* related) {
  for (const TableChange& change : changes) {
    if (change.before == nullptr || change.before->temporary) {
      continue;
    }
    ExpectVersion(*change.before, related);
    const std::vector<TriggerDescriptor>& triggers = change.before->triggers;
    if (triggers.empty()) {
      continue;
    }
    if (change.after != nullptr && change.after->schema != change.before->schema) {
      return UserError(ER_TRG_IN_WRONG_SCHEMA);
    }
    for (const TriggerDescriptor& trigger : triggers) {
      const std::string key = NameKey(change.before->schema, trigger.name);
      if (change.after == nullptr) {
        related->entries.push_back({key, std::nullopt});
      } else if (change.after->name != change.before->name) {
        related->entries.push_back({key, change.after->name});
      }
    }
  }
  return Status::Ok();
}

Status RelateTriggersOfSchema(engine::Engine& engine, std::string_view schema,
                              engine::RelatedChanges* related) {
  engine::RelatedChanges::Expectation expected{SchemaPrefix(schema), {}};
  ASSIGN_OR_RETURN(const auto entries, engine.ListSqlEntries(expected.prefix));
  for (const auto& [key, table] : entries) {
    expected.keys.push_back(key);
    related->entries.push_back({key, std::nullopt});
  }
  related->expected.push_back(std::move(expected));
  return Status::Ok();
}

}  // namespace borealis::sql
