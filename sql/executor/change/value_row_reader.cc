#include "sql/executor/change/value_row_reader.h"

#include <algorithm>

#include "sql/functions/function.h"
#include "sql/session/session.h"

namespace borealis::sql {

namespace {

// Neither queries, which see the rows before, nor functions that do something (SLEEP, GET_LOCK).
bool IsPlainExpression(const BoundExpr* expr) {
  if (expr == nullptr) {
    return true;
  }
  const auto* call = expr->TryAs<BoundFunction>();
  const bool does_something =
      call != nullptr && call->function->def().stability == Stability::kVolatile;
  return !does_something && !HasSubquery(*expr) &&
         std::all_of(expr->args.begin(), expr->args.end(),
                     [](const BoundPtr& arg) { return IsPlainExpression(arg.get()); });
}

// What expressions read of the columns that have no value yet.
RowValues RowToRead(const BoundInsert& insert, const TableWriter& writer) {
  RowValues row = writer.BlankRow();
  for (size_t i = 0; i < row.size(); ++i) {
    const ColumnDescriptor& column = insert.table->columns[i];
    if (!column.hidden && column.generated == GeneratedKind::kNone && !column.type.nullable &&
        column.default_value.kind == DefaultKind::kNone) {
      row[i] = writer.TypeDefault(column.type);
    }
  }
  return row;
}

}  // namespace

ValueRowReader::ValueRowReader(const StatementRun& run, const BoundInsert& insert,
                               TableWriter* writer, bool multi_row)
    : insert_(insert),
      rows_(*insert.values.rows),
      writer_(writer),
      multi_row_(multi_row),
      parameters_(run.parameters),
      blank_(RowToRead(insert, *writer)) {
  for (const TypedValue& parameter : parameters_) {
    row::Type type = parameter.type;
    type.nullable = false;
    if (type.is_text()) {
      type.collation = run.session.settings().collation_connection;
    }
    parameter_types_.push_back(std::move(type));
  }
  const auto& expressions = insert_.values.expressions;
  all_plain_ = std::all_of(expressions.begin(), expressions.end(),
                           [](const BoundPtr& expr) { return IsPlainExpression(expr.get()); });
}

Status ValueRowReader::Read(size_t number, RowValues* row, std::vector<bool>* given) {
  *row = blank_;
  given->assign(blank_.size(), false);
  const std::span<const ValueCell> cells = rows_[number];
  for (size_t i = 0; i < cells.size(); ++i) {
    const uint32_t column = insert_.columns[i];
    ASSIGN_OR_RETURN((*given)[column], Store(cells[i], column, row));
  }
  return Status::Ok();
}

bool ValueRowReader::IsPlain(size_t number) const {
  const std::span<const ValueCell> cells = rows_[number];
  return all_plain_ || std::all_of(cells.begin(), cells.end(), [this](const ValueCell& cell) {
           return cell.kind != ValueCell::Kind::kExpression ||
                  IsPlainExpression(insert_.values.expressions[cell.bits].get());
         });
}

Result<bool> ValueRowReader::Store(const ValueCell& cell, uint32_t column, RowValues* row) {
  using Kind = ValueCell::Kind;
  using row::Value;
  switch (cell.kind) {
    case Kind::kDefault:
      return StoreDefault(column, row);
    case Kind::kExpression:
      return StoreExpression(insert_.values.expressions[cell.bits].get(), column, row);
    case Kind::kNull:
      RETURN_IF_ERROR(StoreValue(column, Value::Null(), signed_, row));
      return true;
    case Kind::kUnsigned: {
      const bool large = cell.bits > static_cast<uint64_t>(INT64_MAX);
      const Value value =
          large ? Value::Uint(cell.bits) : Value::Int(static_cast<int64_t>(cell.bits));
      RETURN_IF_ERROR(StoreValue(column, value, large ? unsigned_ : signed_, row));
      return true;
    }
    case Kind::kNegative:
      RETURN_IF_ERROR(
          StoreValue(column, Value::Int(static_cast<int64_t>(cell.bits)), signed_, row));
      return true;
    case Kind::kDecimal: {
      const row::Decimal& number = rows_.DecimalOf(cell);
      RETURN_IF_ERROR(StoreValue(column, Value::Dec(number),
                                 row::Type::Decimal(static_cast<uint32_t>(number.precision()),
                                                    static_cast<uint8_t>(number.scale())),
                                 row));
      return true;
    }
    case Kind::kFloat:
      RETURN_IF_ERROR(StoreValue(column, Value::Double(cell.float_value()), double_, row));
      return true;
    case Kind::kString: {
      if (const BoundExpr* other = insert_.values.MeaningOf(cell); other != nullptr) {
        return StoreExpression(other, column, row);
      }
      RETURN_IF_ERROR(
          StoreValue(column, Value::View(rows_.TextOf(cell)), insert_.values.string_type, row));
      return true;
    }
    case Kind::kParameter: {
      const bool known = cell.bits < parameters_.size();
      RETURN_IF_ERROR(StoreValue(column,
                                 known ? parameters_[cell.bits].value.Borrow() : Value::Null(),
                                 known ? parameter_types_[cell.bits] : signed_, row));
      return true;
    }
  }
  return Status::Internal("value of an unknown kind");
}

// What has no default is told in the order of the values; a default itself may be made of columns
// that come later, and a trigger may give what there is none for.
Result<bool> ValueRowReader::StoreDefault(uint32_t column, RowValues* row) {
  if (insert_.table->columns[column].default_value.kind != DefaultKind::kNone ||
      writer_->defers_nulls()) {
    return false;
  }
  ASSIGN_OR_RETURN((*row)[column], writer_->Default(column, *row));
  (*row)[column].Own();
  return true;
}

Result<bool> ValueRowReader::StoreExpression(const BoundExpr* expression, uint32_t column,
                                             RowValues* row) {
  if (expression == nullptr) {
    return StoreDefault(column, row);
  }
  const EvalFrame::Row frame[] = {{insert_.target.get(), *row}};
  ASSIGN_OR_RETURN(const row::Value value, writer_->Evaluate(*expression, frame));
  RETURN_IF_ERROR(StoreValue(column, value, expression->type, row));
  return true;
}

}  // namespace borealis::sql
