// How rows stand in a file: the clauses FIELDS and LINES of LOAD DATA and SELECT … INTO OUTFILE
// with their defaults put in.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/result.h"
#include "row/collation.h"
#include "sql/ast/query.h"

namespace borealis::sql {

class Session;

struct FieldFormat {
  std::string field_terminator = "\t";  // empty: fields end only with the line
  std::string line_terminator = "\n";   // empty: lines end after their last field
  std::string line_start;
  std::optional<char> enclosed_by;
  bool optionally_enclosed = false;
  std::optional<char> escaped_by = '\\';
  const row::Charset* charset = &row::GetCharset(row::CharsetId::kUtf8mb4);
  size_t max_field_bytes = size_t{64} << 20;

  // Neither what ends a field nor what encloses it is told: fields have their columns' widths.
  bool fixed_size() const { return field_terminator.empty() && !enclosed_by.has_value(); }
};

// The bytes that a column has in a file of fixed size.
size_t FixedWidth(const row::Type& type);

// The clauses as the session's sql_mode and limits complete them; `charset` is that of files for
// which the statement names none. Errors: 1083, 1115. May warn (1638).
Result<FieldFormat> CompleteFormat(const FileFormat& written, const row::Charset& charset,
                                   Session* session);

}  // namespace borealis::sql
