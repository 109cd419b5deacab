// What GROUP BY makes of the rows of a select, without the rows: how a row's values come about,
// which of them say to what group it belongs, and what is wanted of each group.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "row/type.h"
#include "sql/functions/aggregate.h"
#include "sql/sqlite/call_site.h"

namespace borealis::sql {

struct Grouping {
  // Of the columns of the statement that gives the rows.
  std::vector<row::Type> given;
  // The values of a row, the keys first, and the steps from what is given to each.
  std::vector<row::Type> inputs;
  std::vector<std::vector<CallStep>> steps;
  size_t keys = 0;

  struct Output {
    row::Type type;
    // Of the aggregate's arguments the first one, the others follow it; without an aggregate the
    // value that is wanted of the group's first row.
    size_t input = 0;
    std::optional<AggregateSpec> aggregate;
    size_t arguments = 0;
  };
  std::vector<Output> outputs;
};

}  // namespace borealis::sql
