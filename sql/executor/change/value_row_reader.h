// Rows of VALUES as rows of the table: literals are converted from where the parser has put them,
// expressions evaluated, in the order written.
//
// One per statement; used on its thread.
#pragma once

#include <vector>

#include "sql/binder/dml.h"
#include "sql/executor/change/table_writer.h"

namespace borealis::sql {

class ValueRowReader {
 public:
  // `multi_row` as for TableWriter::Store. All must outlive the reader.
  ValueRowReader(const StatementRun& run, const BoundInsert& insert, TableWriter* writer,
                 bool multi_row);

  size_t size() const { return insert_.values.size(); }
  // Row `number`, from 0: `row` is begun anew, `given` says which columns got a value.
  Status Read(size_t number, RowValues* row, std::vector<bool>* given);
  // Whether reading the row does nothing that could be told but for errors and warnings, and gives
  // the same whatever the rows before it have done.
  bool IsPlain(size_t number) const;

 private:
  // False: the column's default is wanted.
  Result<bool> Store(const ValueCell& cell, uint32_t column, RowValues* row);
  Result<bool> StoreDefault(uint32_t column, RowValues* row);
  Result<bool> StoreExpression(const BoundExpr* expression, uint32_t column, RowValues* row);
  Status StoreValue(uint32_t column, const row::Value& value, const row::Type& type,
                    RowValues* row) {
    return writer_->Store(column, value, type, multi_row_, row);
  }

  const BoundInsert& insert_;
  const ValueRows& rows_;
  TableWriter* const writer_;
  const bool multi_row_;
  const std::span<const TypedValue> parameters_;
  bool all_plain_ = true;
  std::vector<row::Type> parameter_types_;  // as literals of this connection
  const RowValues blank_;
  const row::Type signed_ = row::Type::BigInt().NotNull();
  const row::Type unsigned_ = row::Type::BigInt(/*is_unsigned=*/true).NotNull();
  const row::Type double_ = row::Type::Double().NotNull();
};

}  // namespace borealis::sql
