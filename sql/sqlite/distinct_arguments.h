// Aggregates with DISTINCT over many groups: which rows' arguments an aggregate has to see.
//
// Equal is what the arguments' collations say; arguments with NULL among them do not count. Where
// there is no room for more, new arguments are sorted on disk (engine/sorted_runs.h), and the
// aggregates see them when all rows have been taken.
//
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "engine/sorted_runs.h"
#include "row/key_codec.h"
#include "row/value.h"
#include "sql/sqlite/key_index.h"

namespace borealis::sql {

class DistinctArguments {
 public:
  // The directory of the file on disk is asked for when it is needed.
  explicit DistinctArguments(std::function<std::string()> temporary_directory)
      : temporary_directory_(std::move(temporary_directory)) {}

  // Whether the group's aggregate has to see the arguments now: they are its first of their kind.
  // `schema`: of the arguments that count, others may follow. `full`: new ones are put aside.
  Result<bool> Admit(uint32_t group, uint32_t aggregate, const row::KeySchema& schema,
                     std::span<const row::Value> args, bool full);
  // Calls `see` for the first of each kind among those put aside. Then all is forgotten.
  using See = std::function<Status(uint32_t group, uint32_t aggregate, std::span<row::Value> args)>;
  Status Finish(const See& see);

  // What it takes of memory.
  size_t bytes() const { return seen_.bytes(); }
  // Arguments put aside since the last Finish.
  uint64_t count_aside() const { return aside_ == nullptr ? 0 : aside_->count(); }

 private:
  Status SeeThoseAside(const See& see);

  const std::function<std::string()> temporary_directory_;
  KeyIndex seen_;    // group, aggregate and the arguments' sort key
  std::string key_;  // of the arguments at hand
  std::unique_ptr<engine::SortedRuns> aside_;
};

}  // namespace borealis::sql
