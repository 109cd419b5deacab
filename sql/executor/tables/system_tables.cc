#include "sql/executor/tables/system_tables.h"

#include <map>

#include "sql/executor/tables/system_rows.h"

namespace borealis::sql {
namespace {

class SystemTableRegistry final : public SystemTables {
 public:
  SystemTableRegistry() {
    std::map<std::pair<std::string_view, std::string_view>, std::string_view> declared;
    for (const SystemTableDefinition& definition : DeclaredSystemTables()) {
      declared[{definition.schema, definition.name}] = definition.columns;
    }
    for (auto definitions :
         {SchemaSystemTables(), ConstraintSystemTables(), ServerSystemTables(),
          TransactionSystemTables(), LockSystemTables(), StatisticsSystemTables(),
          InnodbSystemTables(), InnodbDictionarySystemTables(), InnodbStateSystemTables(),
          PrivilegeSystemTables(), TriggerSystemTables(), ExtensionSystemTables(),
          PerformanceSystemTables(), TimeZoneSystemTables(), DeclaredSystemTables()}) {
      for (SystemTableDefinition& definition : definitions) {
        if (definition.columns.empty()) {
          definition.columns = declared.at({definition.schema, definition.name});
        }
        Add(definition);
      }
    }
  }

  const SystemTable* Find(std::string_view schema, std::string_view name) const override {
    const auto found_schema = schemas_.find(FoldName(schema));
    if (found_schema == schemas_.end()) {
      return nullptr;
    }
    const auto found = found_schema->second.find(FoldName(name));
    return found == found_schema->second.end() ? nullptr : found->second.table.get();
  }

  std::vector<std::string> Schemas() const override {
    std::vector<std::string> names;
    for (const auto& [name, tables] : schemas_) {
      names.push_back(name);
    }
    return names;
  }

  std::vector<std::string> Tables(std::string_view schema) const override {
    std::vector<std::string> names;
    if (const auto found = schemas_.find(FoldName(schema)); found != schemas_.end()) {
      for (const auto& [folded, table] : found->second) {
        names.push_back(table.name);
      }
    }
    return names;
  }

 private:
  struct NamedTable {
    std::string name;
    std::unique_ptr<SystemTable> table;
  };

  // The first of a name counts.
  void Add(const SystemTableDefinition& definition) {
    NamedTable& named = schemas_[std::string(definition.schema)][FoldName(definition.name)];
    if (named.table == nullptr) {
      named = {std::string(definition.name), MakeSystemTable(definition)};
    }
  }

  // By schema, then by lower-case name.
  std::map<std::string, std::map<std::string, NamedTable>> schemas_;
};

}  // namespace

std::string_view EngineOfSystemTable(const TableDescriptor& table) {
  if (table.schema == "information_schema") {
    return "MEMORY";
  }
  if (table.schema == "performance_schema") {
    return "PERFORMANCE_SCHEMA";
  }
  return table.name == "general_log" || table.name == "slow_log" ? "CSV" : "InnoDB";
}

std::unique_ptr<SystemTables> MakeSystemTables() {
  return std::make_unique<SystemTableRegistry>();
}

}  // namespace borealis::sql
