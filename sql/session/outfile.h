// SELECT … INTO OUTFILE and INTO DUMPFILE: the rows of a query as text of a file.
//
// OUTFILE writes what LOAD DATA with the same clauses reads back; DUMPFILE the values alone, of at
// most two rows (as MySQL has it). Text is written in its column's character set unless the
// statement names one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "row/value.h"
#include "sql/context/result_sink.h"
#include "sql/session/file_format.h"

namespace borealis::sql {

class Session;

// Rows as lines.
class RowFormatter {
 public:
  // `named`: the statement names the format's character set.
  RowFormatter(FieldFormat format, bool named, std::span<const ResultColumn> columns,
               Session* session);

  // 1475 where readers could not tell where a field ends.
  void WarnIfAmbiguous() const;
  void AppendLine(std::span<const row::Value> row, std::string* out);
  // The values with nothing around them; NULL is a zero byte.
  void AppendPlain(std::span<const row::Value> row, std::string* out);

 private:
  std::string BytesOf(size_t column, const row::Value& value);
  void AppendField(size_t column, const row::Value& value, std::string* out);
  void AppendEscaped(std::string_view bytes, bool enclosed, std::string* out) const;
  bool IsText(size_t column) const;

  FieldFormat format_;
  const bool named_;
  const std::span<const ResultColumn> columns_;
  Session* const session_;
  bool fixed_;     // columns have their widths, filled up with spaces
  int separator_;  // first character of what bounds a field; -1: none
  uint64_t row_number_ = 0;
};

}  // namespace borealis::sql
