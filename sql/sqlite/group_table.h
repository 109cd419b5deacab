// GROUP BY by hash: takes rows in any order and gives one row for each group.
//
// Keys are equal as their collations say; a group shows the values of its first row. Rows that
// agree byte by byte are known for one group without a collation's sort key.
//
// Memory. Once the groups take `memory_bytes`, rows of new groups go to a sort on disk
// (engine/sorted_runs.h) and become groups one after another when those in memory have been given.
// Arguments of aggregates with DISTINCT count as well (distinct_arguments.h); what else an
// aggregate takes that holds more the more rows it sees does not.
//
//   Add()      for each row, then
//   Next()     for each group
//
// One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/sorted_runs.h"
#include "row/key_codec.h"
#include "row/value.h"
#include "sql/functions/aggregate.h"
#include "sql/functions/eval_context.h"
#include "sql/sqlite/distinct_arguments.h"
#include "sql/sqlite/grouping.h"
#include "sql/sqlite/key_index.h"

namespace borealis::sql {

class GroupTable {
 public:
  struct Options {
    size_t memory_bytes = size_t{64} << 20;
    // Where the sort on disk has its file; asked when it is needed.
    std::function<std::string()> temporary_directory;
  };
  // Borrows `grouping` and `eval`.
  GroupTable(const Grouping* grouping, EvalContext* eval, Options options);

  // REQUIRES: one value for each input; no call of Next yet.
  Status Add(std::span<const row::Value> row);
  // Moves to the first or next group, in the order of their first rows but for those from disk,
  // which follow by key; false at the end.
  Result<bool> Next();
  // Of the group that Next() found, until its next call. `output` as in Grouping::outputs.
  const row::Value& Column(size_t output) const { return results_[output]; }

  // Rows that went to the sort on disk.
  uint64_t rows_on_disk() const { return rest_ == nullptr ? 0 : rest_->count(); }
  // Arguments of aggregates with DISTINCT that did, until the first call of Next.
  uint64_t distinct_on_disk() const { return distinct_.count_aside(); }

 private:
  struct Aggregate {
    AggregateSpec spec;       // without DISTINCT
    row::KeySchema distinct;  // of the arguments; none: each row counts
  };
  struct Group {
    // For each output its value in the first row, or its aggregate.
    std::vector<row::Value> firsts;
    std::vector<std::unique_ptr<Aggregator>> aggregators;
  };

  Status EncodeKeys(std::span<const row::Value> row);
  Status EncodeSortKey(std::span<const row::Value> row);
  // KeyIndex::kNone: the row's group is not in memory. Leaves the keys encoded.
  Result<uint32_t> Find(std::span<const row::Value> row);
  Result<Group> MakeGroup(std::span<const row::Value> row) const;
  // Lets the group's aggregates see the row. `number`: the group's among those that are open.
  Status Step(uint32_t number, Group* group, std::span<const row::Value> row);
  // The last rows for aggregates with DISTINCT of open groups, of which the first is given.
  Status FinishDistinct(Group* first);
  Status PutAside(std::span<const row::Value> row);
  // Once it is so, it stays so: a group has all its rows in memory or all on disk.
  bool IsFull() const {
    return group_bytes_ + same_bytes_.bytes() + equal_.bytes() + distinct_.bytes() >
           options_.memory_bytes;
  }
  // The next group of the rows on disk, if any.
  Result<bool> NextFromDisk();
  Status ReadRow(std::string_view bytes);
  Status Give(Group* group);

  const Grouping& grouping_;
  EvalContext& eval_;
  const Options options_;
  row::KeySchema schema_;
  bool equal_is_same_ = true;                         // equal keys have the same bytes
  std::vector<std::optional<Aggregate>> aggregates_;  // of the outputs
  DistinctArguments distinct_;
  std::vector<Group> groups_;
  size_t group_bytes_ = 0;
  KeyIndex same_bytes_;   // groups by keys as they are
  KeyIndex equal_;        // groups by sort key, unless equal_is_same_
  std::string bytes_;     // of the row at hand
  std::string sort_key_;  // of the row at hand
  std::vector<row::Value> results_;
  size_t next_ = 0;        // of groups_
  bool complete_ = false;  // those in groups_ have seen all their rows

  std::unique_ptr<engine::SortedRuns> rest_;
  std::unique_ptr<engine::SortedRuns::Reader> reader_;
  bool reader_has_row_ = false;
  std::vector<row::Value> row_;  // read from disk
};

}  // namespace borealis::sql
