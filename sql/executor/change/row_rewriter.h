// Makes rows of a table from rows of other columns: an older form of the table, or a query's result
// (CREATE TABLE … SELECT).
//
// Column by column a value is converted as an assignment would (strict by sql_mode), or the
// column's default is taken; then generated columns are computed and checks are tried. Used by one
// thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mysql_error.h"
#include "base/result.h"
#include "row/convert.h"
#include "sql/binder/query.h"
#include "sql/binder/typed.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

struct RowRewriterInput {
  TablePtr table;                       // what the rows become
  std::vector<row::Type> source_types;  // of the columns of the rows that come
  std::vector<int> sources;             // per column of `table`: position in such a row, or -1
  bool try_checks = true;
  // As MySQL's ALTER by copying: dates are tried by the modes of today, and a row that fails has
  // all of its columns tell what is wrong with them.
  bool copies = false;
  // What a NULL for a NOT NULL column is called: 1048 for new rows, 1265 where MySQL copies rows,
  // 1138 where it alters in place.
  MysqlError null_error = ER_BAD_NULL_ERROR;
  // Numbers for the hidden row id and a new AUTO_INCREMENT column.
  std::function<Result<uint64_t>()> next_row_id;
  uint64_t first_auto_increment = 1;
  uint64_t auto_increment_step = 1;
  // A column that becomes AUTO_INCREMENT has its zeros numbered; one that was it keeps them.
  bool numbers_zeros = false;
  // IGNORE: values are taken as without strict mode.
  bool ignore = false;
};

class RowRewriter {
 public:
  // `run` outlives the rewriter.
  static Result<std::unique_ptr<RowRewriter>> Make(StatementRun& run, RowRewriterInput input);

  // Replaces *to; its values may borrow from `from`.
  Status Rewrite(const std::vector<row::Value>& from, std::vector<row::Value>* to);

  uint64_t rows() const { return rows_; }
  // The greatest number an AUTO_INCREMENT column was given; 0: none.
  uint64_t greatest_number() const { return greatest_number_; }

 private:
  bool strict() const;
  RowRewriter(StatementRun& run, RowRewriterInput input) : run_(run), input_(std::move(input)) {}

  Status Bind();
  Result<row::Value> ConvertColumn(size_t column, const row::Value& from);
  Status NullError(size_t column) const;
  Result<row::Value> NewColumn(size_t column, std::vector<row::Value>* to);
  // The next of an AUTO_INCREMENT column, above all so far.
  Result<row::Value> NextNumber(size_t column);
  Result<row::Value> EvaluateColumn(size_t column, const BoundExpr& expr,
                                    const std::vector<row::Value>& row);
  void NoteNumber(const row::Value& value);
  // Ok if the other columns are to be tried before the row's `first` failure is returned.
  Status NoteFailure(Status failure, Status* first);
  row::ConversionContext Conversion(size_t column) const;

  StatementRun& run_;
  RowRewriterInput input_;
  std::unique_ptr<BoundTable> row_table_;
  std::vector<BoundPtr> expressions_;  // per column: generated or default expression, or null
  std::vector<bool> same_type_;        // per column: the value is taken as it is
  struct Check {
    std::string name;
    BoundPtr condition;
  };
  std::vector<Check> checks_;
  uint64_t rows_ = 0;
  uint64_t next_number_ = 1;
  uint64_t greatest_number_ = 0;
};

// What a column of the type holds when it must hold something: 0, '', the zero date, the first
// member.
row::Value ImplicitDefault(const row::Type& type);
// The column that holds what a query's column gives.
ColumnDescriptor ColumnOfResult(const ResultColumn& result);

// CURRENT_TIMESTAMP, of type TIMESTAMP(6), for a column of the type: its fraction is cut to the
// column's digits, where a conversion would round.
row::Value CurrentTimestamp(int64_t now_us, const row::Type& type);

}  // namespace borealis::sql
