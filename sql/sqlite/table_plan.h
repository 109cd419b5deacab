// How a scan of a stored table is to be done: what xBestIndex decides and xFilter obeys.
//
// The plan travels between the two as text (idxStr), because the machine copies nothing else. It is
// also what EXPLAIN shows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace borealis::sql {

// One argument that xFilter gets, in order.
struct PlanArgument {
  enum class Use : char {
    kEqual = 'e',   // column = value
    kSame = 's',    // column <=> value
    kIsNull = 'n',  // column IS NULL (the argument itself is NULL)
    kIn = 'i',      // column IN (values), all at once
    kGreater = 'g',
    kGreaterEqual = 'G',
    kLess = 'l',
    kLessEqual = 'L',
    kHandle = 'h',  // the row's handle
  };
  Use use = Use::kEqual;
};

struct TablePlan {
  uint32_t index = 0;
  bool reverse = false;
  // The index entry has all columns that the query reads.
  bool covering = false;
  // All parts of a unique key are given: at most one row per combination.
  bool unique_point = false;
  // Handle look-up; no index, one argument.
  bool by_handle = false;
  // The query yields the row's handle, so a row whose handle was not asked for did not match.
  bool yields_handle = false;
  // Estimated rows per scan, for EXPLAIN.
  uint64_t rows = 0;
  // Arguments for the leading key parts, one per part, then range bounds on the next part. With
  // hash_columns, one equality for each of those.
  std::vector<PlanArgument> arguments;
  // Not empty: rows are looked up by these columns, which no index serves (row_hash.h).
  std::vector<uint32_t> hash_columns;
  // Number of the filter whose rows alone are given (RowFilter).
  std::optional<uint32_t> filter;

  std::string Encode() const;
  static std::optional<TablePlan> Decode(std::string_view text);
};

}  // namespace borealis::sql
