// Aggregators that have a file of their own.
#pragma once

#include <memory>

#include "sql/functions/aggregate.h"

namespace borealis::sql {

std::unique_ptr<Aggregator> MakeGroupConcat(const AggregateSpec& spec);
std::unique_ptr<Aggregator> MakeJsonArrayAgg(const AggregateSpec& spec);
std::unique_ptr<Aggregator> MakeJsonObjectAgg(const AggregateSpec& spec);

// moving_aggregate.cc: of any aggregate one that can Remove.
std::unique_ptr<Aggregator> MakeMovingAggregator(const AggregateSpec& spec);

}  // namespace borealis::sql
