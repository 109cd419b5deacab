// Rows of a running query.
//
// Values are as the columns' types hold them (row/value.h); text and binary borrow memory that is
// valid until the next call. Destroying a source ends its query.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "row/value.h"

namespace borealis::sql {

class RowSource {
 public:
  virtual ~RowSource() = default;
  RowSource() = default;
  RowSource(const RowSource&) = delete;
  RowSource& operator=(const RowSource&) = delete;

  // False at the end. Errors are user errors or the engine's.
  virtual Result<bool> Next(std::vector<row::Value>* row) = 0;
};

}  // namespace borealis::sql
