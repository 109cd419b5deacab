#include "sql/executor/change/row_rewriter.h"

#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/json/view.h"
#include "sql/binder/binder.h"
#include "sql/binder/evaluate.h"
#include "sql/functions/eval_context.h"
#include "sql/parser/parser.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// Text, members and bytes are stored alike whatever their declared length; everything else must be
// of the very same type.
bool StoredAlike(const row::Type& from, const row::Type& to) {
  return from.Nullable() == to.Nullable();
}

bool IsZero(const row::Value& value) {
  switch (value.kind()) {
    case row::ValueKind::kInt:
      return value.int_value() == 0;
    case row::ValueKind::kUint:
      return value.uint_value() == 0;
    case row::ValueKind::kDouble:
      return value.double_value() == 0;
    default:
      return false;
  }
}

}  // namespace

ColumnDescriptor ColumnOfResult(const ResultColumn& result) {
  ColumnDescriptor column;
  column.name = result.name;
  column.type = result.type;
  row::Type& type = column.type;
  if (type.kind == row::TypeKind::kNull) {
    type = row::Type::Binary(0);
  }
  // What surely fits an INT becomes one; the width of a column with ZEROFILL says nothing of that.
  constexpr uint32_t kIntDigits = 10;
  if (type.kind == row::TypeKind::kBigInt && !type.zerofill && type.length != 0 &&
      type.length < kIntDigits) {
    type.kind = row::TypeKind::kInt;
  }
  if (type.is_integer() && !type.zerofill && type.length != 1) {
    type.length = 0;
  }
  if (type.kind == row::TypeKind::kVarchar || type.kind == row::TypeKind::kVarbinary) {
    uint64_t unit =
        type.kind == row::TypeKind::kVarbinary
            ? 1
            : static_cast<uint64_t>(row::GetCollation(type.collation).charset().max_bytes);
    if (type.length * unit > 65535 / 4 * 4) {
      type = type.is_text() ? row::Type::Text(row::TypeKind::kLongText, type.collation)
                            : row::Type::Blob(row::TypeKind::kLongBlob);
      type.nullable = result.type.nullable;
    }
  }
  if ((type.kind == row::TypeKind::kChar || type.kind == row::TypeKind::kBinary) &&
      type.length > 255) {
    type = type.is_text() ? row::Type::Varchar(type.length, type.collation)
                          : row::Type::Varbinary(type.length);
    type.nullable = result.type.nullable;
  }
  if (type.nullable) {
    column.default_value.kind = DefaultKind::kLiteral;
  } else if (!type.is_blob() && type.kind != row::TypeKind::kJson && !type.has_date()) {
    column.default_value = {DefaultKind::kLiteral, ImplicitDefault(type), ""};
  }
  return column;
}

row::Value ImplicitDefault(const row::Type& type) {
  switch (type.kind) {
    case row::TypeKind::kDecimal:
      return row::Value::Dec(row::Decimal());
    case row::TypeKind::kFloat:
    case row::TypeKind::kDouble:
      return row::Value::Double(0);
    case row::TypeKind::kBit:
    case row::TypeKind::kYear:
    case row::TypeKind::kSet:
      return row::Value::Uint(0);
    case row::TypeKind::kEnum:
      return row::Value::Uint(1);
    case row::TypeKind::kDate:
      return row::Value::Date(0);
    case row::TypeKind::kTime:
      return row::Value::Time(0);
    case row::TypeKind::kDateTime:
      return row::Value::DateTime(0);
    case row::TypeKind::kTimestamp:
      return row::Value::Timestamp(0);
    case row::TypeKind::kBinary:
      return row::Value::String(std::string(type.length, '\0'));
    case row::TypeKind::kJson:
      return row::Value::String(std::string(row::JsonNullBytes()));
    default:
      if (type.is_integer()) {
        return type.is_unsigned ? row::Value::Uint(0) : row::Value::Int(0);
      }
      return row::Value::String("");
  }
}

row::Value CurrentTimestamp(int64_t now_us, const row::Type& type) {
  int64_t unit = 1;
  for (int digits = 6; digits > type.scale; --digits) {
    unit *= 10;
  }
  return row::Value::Timestamp(now_us - now_us % unit);
}

Result<std::unique_ptr<RowRewriter>> RowRewriter::Make(StatementRun& run, RowRewriterInput input) {
  std::unique_ptr<RowRewriter> rewriter(new RowRewriter(run, std::move(input)));
  RETURN_IF_ERROR(rewriter->Bind());
  return rewriter;
}

Status RowRewriter::Bind() {
  const TableDescriptor& table = *input_.table;
  next_number_ = input_.first_auto_increment;
  row_table_ = MakeRowTable(input_.table, table.name);
  BindInput bind;
  bind.environment = &run_.session.binder_environment();
  expressions_.resize(table.columns.size());
  same_type_.resize(table.columns.size());
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const ColumnDescriptor& column = table.columns[i];
    int source = input_.sources[i];
    bool computed = column.generated != GeneratedKind::kNone;
    if (!computed && source >= 0) {
      same_type_[i] = StoredAlike(input_.source_types[static_cast<size_t>(source)], column.type) &&
                      !(input_.copies && column.type.has_date());
      continue;
    }
    if (!computed && column.default_value.kind != DefaultKind::kExpression) {
      continue;
    }
    const std::string& text = computed ? column.generated_text : column.default_value.text;
    ASSIGN_OR_RETURN(ExprPtr expr, ParseExpression(text));
    bind.text = text;
    ASSIGN_OR_RETURN(expressions_[i], BindRowExpression(*expr, *row_table_, bind));
  }
  if (!input_.try_checks) {
    return {};
  }
  for (const CheckDescriptor& check : table.checks) {
    if (!check.enforced) {
      continue;
    }
    ASSIGN_OR_RETURN(ExprPtr expr, ParseExpression(check.text));
    bind.text = check.text;
    ASSIGN_OR_RETURN(BoundPtr condition, BindRowCondition(*expr, *row_table_, bind));
    checks_.push_back({check.name, std::move(condition)});
  }
  return {};
}

bool RowRewriter::strict() const {
  return !input_.ignore && row::IsStrict(run_.session.settings().sql_mode);
}

row::ConversionContext RowRewriter::Conversion(size_t column) const {
  row::ConversionContext context = run_.session.eval_context().conversion;
  context.strict = strict();
  context.table = input_.table->name;
  context.column = input_.table->columns[column].name;
  context.row_number = rows_ + 1;
  context.warnings = &run_.session.diagnostics();
  return context;
}

void RowRewriter::NoteNumber(const row::Value& value) {
  uint64_t number = 0;
  if (value.kind() == row::ValueKind::kUint) {
    number = value.uint_value();
  } else if (value.kind() == row::ValueKind::kInt && value.int_value() > 0) {
    number = static_cast<uint64_t>(value.int_value());
  } else if (value.kind() == row::ValueKind::kDouble && value.double_value() > 0) {
    number = static_cast<uint64_t>(value.double_value());
  }
  greatest_number_ = std::max(greatest_number_, number);
}

Status RowRewriter::NullError(size_t column) const {
  const std::string& name = input_.table->columns[column].name;
  switch (input_.null_error) {
    case WARN_DATA_TRUNCATED:
      return UserError(WARN_DATA_TRUNCATED, name, rows_ + 1);
    case ER_BAD_NULL_ERROR:
      return UserError(ER_BAD_NULL_ERROR, name);
    default:
      return UserError(input_.null_error);
  }
}

Result<row::Value> RowRewriter::ConvertColumn(size_t column, const row::Value& from) {
  const ColumnDescriptor& to = input_.table->columns[column];
  row::Value value;
  if (same_type_[column] || from.is_null()) {
    value = from.Borrow();
  } else {
    size_t source = static_cast<size_t>(input_.sources[column]);
    ASSIGN_OR_RETURN(
        value, row::StoreConvert(from, input_.source_types[source], to.type, Conversion(column)));
  }
  if (to.auto_increment && (value.is_null() || (input_.numbers_zeros && IsZero(value)))) {
    return NextNumber(column);
  }
  if (value.is_null() && !to.type.nullable) {
    if (strict()) {
      return NullError(column);
    }
    run_.session.diagnostics().AddWarning(UserError(WARN_DATA_TRUNCATED, to.name, rows_ + 1));
    return ImplicitDefault(to.type);
  }
  return value;
}

Result<row::Value> RowRewriter::EvaluateColumn(size_t column, const BoundExpr& expr,
                                               const std::vector<row::Value>& row) {
  EvalFrame::Row frame_row{row_table_.get(), row};
  EvalFrame frame;
  frame.context = &run_.session.eval_context();
  frame.rows = {&frame_row, 1};
  ASSIGN_OR_RETURN(row::Value value, Evaluate(expr, frame));
  const row::Type& type = input_.table->columns[column].type;
  if (!value.is_null()) {
    ASSIGN_OR_RETURN(value, row::StoreConvert(value, expr.type, type, Conversion(column)));
  }
  if (value.is_null() && !type.nullable) {
    return UserError(ER_BAD_NULL_ERROR, input_.table->columns[column].name);
  }
  value.Own();
  return value;
}

Result<row::Value> RowRewriter::NextNumber(size_t column) {
  const uint64_t step = input_.auto_increment_step;
  if (next_number_ <= greatest_number_) {
    next_number_ += ((greatest_number_ - next_number_) / step + 1) * step;
  }
  const row::Value number = row::Value::Uint(next_number_);
  next_number_ += step;
  return row::StoreConvert(number, row::Type::BigInt(true), input_.table->columns[column].type,
                           Conversion(column));
}

// A column that has no source: its number, default, or implicit default.
Result<row::Value> RowRewriter::NewColumn(size_t column, std::vector<row::Value>* to) {
  const ColumnDescriptor& descriptor = input_.table->columns[column];
  if (descriptor.hidden && descriptor.generated == GeneratedKind::kNone) {
    ASSIGN_OR_RETURN(uint64_t id, input_.next_row_id());
    return row::Value::Uint(id);
  }
  if (descriptor.auto_increment) {
    return NextNumber(column);
  }
  switch (descriptor.default_value.kind) {
    case DefaultKind::kLiteral:
      return descriptor.default_value.value.Borrow();
    case DefaultKind::kNow:
      return row::StoreConvert(CurrentTimestamp(run_.session.statement_time_us(), descriptor.type),
                               row::Type::Timestamp(6), descriptor.type, Conversion(column));
    case DefaultKind::kExpression:
      return EvaluateColumn(column, *expressions_[column], *to);
    case DefaultKind::kNone:
      break;
  }
  row::Value zero = ImplicitDefault(descriptor.type);
  if (descriptor.type.has_date() &&
      (run_.session.settings().sql_mode & row::kModeNoZeroDate) != 0) {
    // A date has no zero that strict mode would take.
    const std::string_view zeros =
        descriptor.type.kind == row::TypeKind::kDate ? "0000-00-00" : "0000-00-00 00:00:00";
    return row::StoreConvert(row::Value::View(zeros),
                             row::Type::Varchar(19, row::kDefaultCollation), descriptor.type,
                             Conversion(column));
  }
  return zero;
}

Status RowRewriter::NoteFailure(Status failure, Status* first) {
  if (!input_.copies || failure.user_errno() == 0) {
    return failure;
  }
  run_.session.diagnostics().AddError(failure);
  if (first->ok()) {
    *first = std::move(failure);
  }
  return {};
}

Status RowRewriter::Rewrite(const std::vector<row::Value>& from, std::vector<row::Value>* to) {
  const TableDescriptor& table = *input_.table;
  to->assign(table.columns.size(), row::Value::Null());
  // Generated columns and default expressions may refer to any plain column, so they come last.
  for (int pass = 0; pass < 3; ++pass) {
    Status failed;
    for (size_t i = 0; i < table.columns.size(); ++i) {
      const ColumnDescriptor& column = table.columns[i];
      bool computed = column.generated != GeneratedKind::kNone;
      bool expression = !computed && expressions_[i] != nullptr;
      if (pass != (computed ? 2 : expression ? 1 : 0)) {
        continue;
      }
      if (computed) {
        ASSIGN_OR_RETURN((*to)[i], EvaluateColumn(i, *expressions_[i], *to));
      } else if (input_.sources[i] >= 0) {
        Result<row::Value> value = ConvertColumn(i, from[static_cast<size_t>(input_.sources[i])]);
        if (!value.ok()) {
          RETURN_IF_ERROR(NoteFailure(std::move(value).status(), &failed));
          continue;
        }
        (*to)[i] = std::move(value).value();
      } else {
        ASSIGN_OR_RETURN((*to)[i], NewColumn(i, to));
      }
      if (column.auto_increment) {
        NoteNumber((*to)[i]);
      }
    }
    RETURN_IF_ERROR(std::move(failed));
  }
  ++rows_;
  EvalFrame::Row frame_row{row_table_.get(), *to};
  EvalFrame frame;
  frame.context = &run_.session.eval_context();
  frame.rows = {&frame_row, 1};
  for (const Check& check : checks_) {
    // A check is violated when it is false; NULL passes.
    ASSIGN_OR_RETURN(row::Value truth, Evaluate(*check.condition, frame));
    if (!truth.is_null() &&
        !row::ToBool(truth, check.condition->type, run_.session.eval_context().conversion)) {
      return UserError(ER_CHECK_CONSTRAINT_VIOLATED, check.name);
    }
  }
  return {};
}

}  // namespace borealis::sql
