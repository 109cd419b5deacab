// The rows of INSERT … VALUES.
//
// A statement of half a megabyte has a hundred thousand values, nearly all of them plain literals:
// a node for each, to be allocated, bound, evaluated and freed, would cost more than all else that
// is done for its row. So a value that is no more than a literal, DEFAULT or `?` is a tag and eight
// bytes, and the texts of all strings are in one piece; everything else is an expression. As in all
// of the tree nothing points into the statement's text.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/invariant.h"
#include "row/decimal.h"
#include "sql/ast/node.h"

namespace borealis::sql {

struct ValueCell {
  enum class Kind : uint8_t {
    kExpression,  // `bits`: its number among expressions()
    kDefault,
    kNull,
    kUnsigned,   // an integer without sign: `bits`
    kNegative,   // one with a minus: `bits`, as two's complement
    kDecimal,    // `bits`: its number among the decimals
    kFloat,      // the bits of a double
    kString,     // `bits`: offset of its text, `size`: bytes; no introducer
    kParameter,  // `bits`: its number
  };
  Kind kind = Kind::kNull;
  uint32_t size = 0;
  uint64_t bits = 0;

  double float_value() const { return std::bit_cast<double>(bits); }
};

class ValueRows {
 public:
  size_t size() const { return ends_.size(); }
  bool empty() const { return ends_.empty(); }
  std::span<const ValueCell> operator[](size_t row) const {
    const size_t begin = row == 0 ? 0 : ends_[row - 1];
    return std::span(cells_).subspan(begin, ends_[row] - begin);
  }
  const std::vector<ExprPtr>& expressions() const { return expressions_; }
  const row::Decimal& DecimalOf(const ValueCell& cell) const { return decimals_[cell.bits]; }
  std::string_view TextOf(const ValueCell& cell) const {
    return std::string_view(texts_).substr(cell.bits, cell.size);
  }

  // --- for the parser: values in the order written, each row closed by EndRow
  void Add(ValueCell::Kind kind, uint64_t bits = 0) { cells_.push_back({kind, 0, bits}); }
  void AddDecimal(const row::Decimal& number) {
    Add(ValueCell::Kind::kDecimal, decimals_.size());
    decimals_.push_back(number);
  }
  void AddExpression(ExprPtr expression) {
    Add(ValueCell::Kind::kExpression, expressions_.size());
    expressions_.push_back(std::move(expression));
  }
  // A string whose text `append` puts at the end of what it is given.
  template <class Append>
  void AddString(Append append) {
    const size_t begin = texts_.size();
    append(&texts_);
    cells_.push_back(
        {ValueCell::Kind::kString, static_cast<uint32_t>(texts_.size() - begin), begin});
  }
  void EndRow() { ends_.push_back(cells_.size()); }

 private:
  std::vector<ValueCell> cells_;
  std::vector<size_t> ends_;  // by row: where the next one's cells begin
  std::vector<ExprPtr> expressions_;
  std::vector<row::Decimal> decimals_;
  std::string texts_;
};

}  // namespace borealis::sql
