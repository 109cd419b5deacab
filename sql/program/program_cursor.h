// A cursor of a stored program. OPEN reads all rows, as MySQL's does into a temporary table: what
// is changed afterwards does not show, and the tables are free for other statements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "row/type.h"
#include "row/value.h"

namespace borealis::sql {

class NestedStatement;
class ProgramFrame;
class Session;

class ProgramCursorState {
 public:
  // Errors: 1325 it is open; those of the query.
  Status Open(Session* session, NestedStatement* query, const ProgramFrame& frame);
  // The next row into the slots. Errors: 1326 not open, 1328 another number of columns, 1329 no
  // more rows.
  Status Fetch(std::span<const uint32_t> slots, ProgramFrame* frame);
  // Error: 1326.
  Status Close();
  // When its block is left.
  void Forget() { *this = ProgramCursorState(); }

 private:
  bool open_ = false;
  size_t next_ = 0;
  std::vector<row::Type> types_;
  std::vector<std::vector<row::Value>> rows_;
};

}  // namespace borealis::sql
