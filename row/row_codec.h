// The bytes of a row: any one column can be read without decoding the others.
//
//   OFFSET      SIZE        DESCRIPTION
//   0           1           format version (1)
//   1           1           flags: bit 0 = 4-byte variable offsets (else 2)
//   2           2           n, number of columns present, little-endian
//   4           (n+7)/8     null bitmap, bit i%8 of byte i/8
//   …           F(n)        fixed-width columns in order, each at its static place; zeros when null
//   …           V(n)*w      end offset of each variable-width column, from the start of the last
//   area;
//                           the top bit marks an out-of-line reference
//   …           …           variable-width columns in order
//
// Fixed-width forms, little-endian: integers of their own width (1, 2, 3, 4, 8 bytes), FLOAT 4,
// DOUBLE 8, DECIMAL its fixed comparable form, BIT 8, YEAR 2, DATE 4, TIME, DATETIME and TIMESTAMP
// 8, ENUM 2, SET 8. Everything else is variable-width.
//
// Columns are only ever appended to what is stored: a row written when there were fewer has a
// smaller n, and the missing columns read as the schema's default (instant ADD COLUMN). A schema
// may show the stored columns in another order, and not all of them (instant DROP COLUMN): those
// that it does not show are written as NULL and never read.
//
// A variable column may hold an out-of-line reference instead of its value. The codec stores and
// returns those bytes; what they mean is the engine's.
//
// Bytes come from disk: every offset is checked when a RowView is opened or a column read, and what
// does not fit is kCorruption.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "row/type.h"
#include "row/value.h"

namespace borealis::row {

struct RowColumn {
  Type type;
  // What rows written before the column existed have. NULL when the column allows it.
  Value default_value;
};

// The columns of a table with their static places. Immutable; share it.
class RowSchema {
 public:
  static constexpr size_t kMaxColumns = 4096;

  RowSchema() : RowSchema(std::vector<RowColumn>{}) {}
  // REQUIRES: at most kMaxColumns.
  explicit RowSchema(std::vector<RowColumn> columns);
  explicit RowSchema(const std::vector<Type>& types);
  // `stored` in storage order; column i of the schema is stored[places[i]]. REQUIRES: places are
  // distinct and in range.
  RowSchema(std::vector<RowColumn> stored, std::vector<uint32_t> places);

  size_t size() const { return shown_.empty() ? columns_.size() : shown_.size(); }
  // Columns that a row written now has.
  size_t stored_size() const { return columns_.size(); }
  const RowColumn& column(size_t i) const { return columns_[Place(i)]; }
  const Type& type(size_t i) const { return column(i).type; }
  bool is_fixed(size_t i) const { return spots_[Place(i)].width != 0; }

 private:
  friend class RowView;
  friend Status EncodeRow(const RowSchema&, std::span<const Value>, std::span<const bool>,
                          std::string*);
  struct Spot {
    uint32_t fixed_before;     // bytes of fixed-width columns before this one
    uint16_t variable_before;  // variable-width columns before this one
    uint8_t width;             // 0 for variable-width
  };
  size_t Place(size_t column) const { return shown_.empty() ? column : shown_[column]; }
  // The column of the schema that is stored there; -1: it is not shown.
  int ColumnAt(size_t place) const {
    return shown_.empty() ? static_cast<int>(place) : column_at_[place];
  }
  bool StoresFixed(size_t place) const { return spots_[place].width != 0; }

  std::vector<RowColumn> columns_;  // as stored
  std::vector<Spot> spots_;         // one more than columns: the last gives the totals
  std::vector<uint32_t> shown_;     // per column of the schema: its place; empty: all, in order
  std::vector<int> column_at_;      // the other way round
};

// Appends the row of `values` (one per column; or fewer, when the schema shows what is stored: then
// the row has only those) to `out`.
// Values must already be of their columns' types (row/convert.h); a value that cannot be stored in
// its column is kInvalidArgument. `out_of_line` is empty or says which columns' values are
// references.
Status EncodeRow(const RowSchema& schema, std::span<const Value> values,
                 std::span<const bool> out_of_line, std::string* out);
inline Status EncodeRow(const RowSchema& schema, std::span<const Value> values, std::string* out) {
  return EncodeRow(schema, values, {}, out);
}

// Reads columns of one encoded row. Borrows the schema and the bytes; values it returns borrow the
// bytes as well (or the schema, for defaults).
class RowView {
 public:
  // Checks the header and every offset.
  static Result<RowView> Open(const RowSchema& schema, std::string_view bytes);

  // Columns present in the bytes; those stored later read as defaults.
  size_t stored_columns() const { return stored_; }
  bool IsNull(size_t column) const;
  bool IsOutOfLine(size_t column) const;
  // The value; for an out-of-line column the reference's bytes as kString.
  Result<Value> Get(size_t column) const;
  // All columns, replacing `values`.
  Status GetAll(std::vector<Value>* values) const;

 private:
  RowView(const RowSchema* schema, std::string_view bytes) : schema_(schema), bytes_(bytes) {}
  uint32_t EndOffset(size_t variable_index) const;

  const RowSchema* schema_;
  std::string_view bytes_;
  uint32_t stored_ = 0;
  uint32_t fixed_start_ = 0;
  uint32_t offsets_start_ = 0;
  uint32_t data_start_ = 0;
  bool wide_ = false;
};

// Bytes of one value alone in its row form (for statistics, logs and out-of-line columns).
Status EncodeColumn(const Type& type, const Value& value, std::string* out);
Result<Value> DecodeColumn(const Type& type, std::string_view bytes);

}  // namespace borealis::row
