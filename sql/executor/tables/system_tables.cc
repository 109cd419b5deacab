#include "sql/executor/tables/system_tables.h"

#include <map>

#include "sql/executor/tables/system_rows.h"

namespace borealis::sql {
namespace {

class SystemTableRegistry final : public SystemTables {
 public:
  SystemTableRegistry() {
    for (auto definitions : {SchemaSystemTables(), ConstraintSystemTables(), ServerSystemTables(),
                             TransactionSystemTables(), LockSystemTables(),
                             StatisticsSystemTables(), InnodbSystemTables(),
                             PrivilegeSystemTables(), TriggerSystemTables(), EmptySystemTables()}) {
      for (const SystemTableDefinition& definition : definitions) {
        schemas_[std::string(definition.schema)][FoldName(definition.name)] =
            MakeSystemTable(definition);
      }
    }
  }

  const SystemTable* Find(std::string_view schema, std::string_view name) const override {
    const auto found_schema = schemas_.find(FoldName(schema));
    if (found_schema == schemas_.end()) {
      return nullptr;
    }
    const auto found = found_schema->second.find(FoldName(name));
    return found == found_schema->second.end() ? nullptr : found->second.get();
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
        names.push_back(table->descriptor()->name);
      }
    }
    return names;
  }

 private:
  // By schema, then by lower-case name.
  std::map<std::string, std::map<std::string, std::unique_ptr<SystemTable>>> schemas_;
};

}  // namespace

std::unique_ptr<SystemTables> MakeSystemTables() {
  return std::make_unique<SystemTableRegistry>();
}

}  // namespace borealis::sql
