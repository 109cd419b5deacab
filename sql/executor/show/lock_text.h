// What locks stand on, in MySQL's words: names of indexes and the keys of their entries.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "engine/engine.h"

namespace borealis::sql {

// As of when it was made. An index that is dropped while its locks are listed has no name.
class LockNames {
 public:
  struct Index {
    engine::TableRef table;
    size_t number = 0;
    const engine::TableDefinition& definition() const { return table->definition(); }
    const std::string& name() const { return definition().indexes[number].name; }
  };

  static Result<LockNames> Read(engine::Engine& engine);

  // Null: unknown.
  const Index* Find(engine::IndexId index) const;
  // "7, 30": the entry's values, those of the clustered key included. Nothing when they are not to
  // be had, as for a key that nobody has inserted.
  std::optional<std::string> KeyText(engine::IndexId index, const std::string& key) const;

 private:
  explicit LockNames(engine::Engine* engine) : engine_(engine) {}

  engine::Engine* engine_;
  std::map<uint64_t, Index> indexes_;
};

// ENGINE_LOCK_ID.
std::string LockId(const engine::LockInfo& lock);
// LOCK_DATA.
std::optional<std::string> LockData(const LockNames& names, const engine::LockInfo& lock);

}  // namespace borealis::sql
