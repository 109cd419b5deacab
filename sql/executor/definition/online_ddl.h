// ALGORITHM= and LOCK= of ALTER TABLE, CREATE INDEX and DROP INDEX: what MySQL would grant, and
// what it refuses with which reason.
//
// The class of an alteration is MySQL's, not what the engine has to do: that is often less. So a
// statement that MySQL refuses is refused here, too, and one that it accepts takes no more than it
// allows.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "engine/schema_change.h"
#include "sql/ast/ddl.h"

namespace borealis::sql {

enum class AlterationClass : uint8_t {
  kInstant,  // the description alone
  kInplace,  // indexes, and what MySQL counts as such
  kRebuild,  // all rows, under the eyes of others
  kCopy,     // all rows, converted or checked one by one: nobody may change any meanwhile
};

struct AlterationNature {
  AlterationClass kind = AlterationClass::kInstant;
  bool changes_type = false;
  bool drops_primary_key = false;
  bool adds_numbers = false;  // an AUTO_INCREMENT column
  bool checks_keys = false;   // foreign keys to be tried on every row
  bool checks_rows = false;   // refused by MySQL before it asks the storage engine
  bool only_names = false;    // nothing, or a new name for the table

  void AtLeast(AlterationClass other) { kind = kind < other ? other : kind; }
};

// What others may do meanwhile. Errors: 1845, 1846, 1221, 1800, 1801.
Result<engine::Concurrency> CheckOnlineOptions(const OnlineDdlOptions& online,
                                               const AlterationNature& nature);

}  // namespace borealis::sql
