#include "sql/executor/change/table_writer.h"

#include <algorithm>

#include "base/mysql_error.h"
#include "engine/cursor.h"
#include "row/json/view.h"
#include "sql/binder/binder.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/change/duplicate_entry.h"
#include "sql/executor/change/row_rewriter.h"
#include "sql/functions/eval_context.h"
#include "sql/parser/parser.h"
#include "sql/program/session_programs.h"
#include "sql/session/session.h"

namespace borealis::sql {

namespace {

// Text of a stored expression, bound over the table's row. The tree may go: bound nodes own what
// they need.
Result<BoundPtr> BindStored(Session& session, const std::string& text, const BoundTable& row,
                            bool condition) {
  ASSIGN_OR_RETURN(const ExprPtr expr, ParseExpression(text, session.parser_options()));
  BindInput input;
  input.environment = &session.binder_environment();
  input.text = text;
  return condition ? BindRowCondition(*expr, row, input) : BindRowExpression(*expr, row, input);
}

}  // namespace

TableWriter::TableWriter(StatementRun& run, TablePtr table, bool ignore)
    : run_(run),
      table_(std::move(table)),
      ignore_(ignore),
      strict_((!ignore || run.session.caller_is_strict()) &&
              row::IsStrict(run.session.settings().sql_mode)),
      conversion_(run.session.eval_context().conversion) {
  conversion_.strict = strict_;
  conversion_.warnings = &run.session.diagnostics();
}

Result<std::unique_ptr<TableWriter>> TableWriter::Open(StatementRun& run, const TablePtr& table,
                                                       bool ignore) {
  std::unique_ptr<TableWriter> writer(new TableWriter(run, table, ignore));
  RETURN_IF_ERROR(run.session.CheckMayChange(*table));
  RETURN_IF_ERROR(SessionPrograms::CheckMayChange(&run.session, *table));
  ASSIGN_OR_RETURN(
      const OpenedTable entry,
      run.session.catalog().Open(*run.session.transaction(), *table, engine::TableUse::kChange));
  if (entry.engine == nullptr) {
    return UserError(ER_NON_INSERTABLE_TABLE, table->name, "statement");
  }
  if (entry.table->version != table->version) {
    // DDL came between binding and opening; the session runs the statement again.
    return Status::Retry("the table was altered meanwhile");
  }
  writer->engine_table_ = entry.engine;
  writer->engine_ = entry.owner;
  writer->transaction_ = entry.transaction;
  writer->row_table_ = MakeRowTable(table, table->name);
  RETURN_IF_ERROR(writer->BindExpressions());
  writer->foreign_keys_ = ForeignKeyGuard::For(run, *run.session.transaction(), table, nullptr);
  return writer;
}

Result<std::unique_ptr<TableWriter>> TableWriter::ForCascades(StatementRun& run,
                                                              const engine::TableRef& table,
                                                              CascadeState* cascades) {
  std::unique_ptr<TableWriter> writer(new TableWriter(run, DescriptorOf(*table), false));
  writer->engine_table_ = table;
  writer->engine_ = run.session.environment().engine;
  writer->transaction_ = run.session.transaction();
  writer->row_table_ = MakeRowTable(writer->table_, writer->table_->name);
  RETURN_IF_ERROR(writer->BindExpressions());
  writer->foreign_keys_ =
      ForeignKeyGuard::For(run, *run.session.transaction(), writer->table_, cascades);
  return writer;
}

Status TableWriter::BindExpressions() {
  const size_t count = table_->columns.size();
  defaults_.resize(count);
  generated_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const ColumnDescriptor& column = table_->columns[i];
    if (column.default_value.kind == DefaultKind::kExpression) {
      ASSIGN_OR_RETURN(defaults_[i],
                       BindStored(run_.session, column.default_value.text, *row_table_, false));
    }
    if (column.generated != GeneratedKind::kNone) {
      has_generated_ = true;
      ASSIGN_OR_RETURN(generated_[i],
                       BindStored(run_.session, column.generated_text, *row_table_, false));
    }
  }
  for (const CheckDescriptor& check : table_->checks) {
    if (check.enforced) {
      ASSIGN_OR_RETURN(BoundPtr condition, BindStored(run_.session, check.text, *row_table_, true));
      checks_.push_back({&check, std::move(condition)});
    }
  }
  return Status::Ok();
}

const row::ConversionContext& TableWriter::conversion(uint32_t column) {
  conversion_.table = table_->name;
  conversion_.column = table_->columns[column].name;
  conversion_.row_number = row_number_;
  return conversion_;
}

RowValues TableWriter::BlankRow() const {
  RowValues row(table_->columns.size());
  for (size_t i = 0; i < row.size(); ++i) {
    const ColumnDefault& given = table_->columns[i].default_value;
    if (given.kind == DefaultKind::kLiteral) {
      row[i] = given.value.Borrow();
    }
  }
  return row;
}

row::Value TableWriter::TypeDefault(const row::Type& type) const {
  using row::TypeKind;
  if (type.kind == TypeKind::kEnum) {
    return row::Value::Uint(1);
  }
  if (type.kind == TypeKind::kJson) {
    return row::Value::String(std::string(row::JsonNullBytes()));
  }
  row::ConversionContext lenient;
  lenient.strict = false;
  lenient.sql_mode = row::SqlMode{};
  const row::Value zero = type.is_string() ? row::Value::String("") : row::Value::Int(0);
  auto converted = row::StoreConvert(zero, type, lenient);
  return converted.ok() ? std::move(converted).value() : row::Value::Null();
}

Result<row::Value> TableWriter::Now(uint32_t column) {
  const row::Type& type = table_->columns[column].type;
  return row::StoreConvert(CurrentTimestamp(run_.session.eval_context().now_us, type),
                           row::Type::Timestamp(6), type, conversion(column));
}

Result<row::Value> TableWriter::Default(uint32_t column, const RowValues& row, bool left_out) {
  const ColumnDescriptor& descriptor = table_->columns[column];
  if (descriptor.generated != GeneratedKind::kNone) {
    return row::Value::Null();  // until it is computed
  }
  switch (descriptor.default_value.kind) {
    case DefaultKind::kLiteral:
      return descriptor.default_value.value.Borrow();
    case DefaultKind::kNow:
      return Now(column);
    case DefaultKind::kExpression: {
      const EvalFrame::Row frame[] = {{row_table_.get(), row}};
      ASSIGN_OR_RETURN(const row::Value value, Evaluate(*defaults_[column], frame));
      return row::StoreConvert(value, defaults_[column]->type, descriptor.type, conversion(column));
    }
    case DefaultKind::kNone:
      break;
  }
  if (MayBeNull(descriptor) || defers_nulls_) {
    return row::Value::Null();
  }
  if (descriptor.auto_increment) {
    return TypeDefault(descriptor.type);
  }
  const TableDescriptor* view = insert_ != nullptr && left_out ? insert_->view.get() : nullptr;
  const Status missing = view != nullptr
                             ? UserError(ER_NO_DEFAULT_FOR_VIEW_FIELD, view->schema, view->name)
                             : UserError(ER_NO_DEFAULT_FOR_FIELD, descriptor.name);
  // An ENUM without a default starts with its first member in every mode.
  if (strict_ && descriptor.type.kind != row::TypeKind::kEnum) {
    return missing;
  }
  // A column that is left out is told once for the statement, DEFAULT each time.
  if (descriptor.type.kind != row::TypeKind::kEnum &&
      (!left_out || missing_told_.insert(column).second)) {
    run_.session.diagnostics().AddWarning(missing);
  }
  return TypeDefault(descriptor.type);
}

Status TableWriter::PutDefaults(const std::function<bool(uint32_t column)>& is_left_out,
                                RowValues* row) {
  Status missing;
  for (uint32_t i = 0; i < row->size(); ++i) {
    const ColumnDescriptor& column = table_->columns[i];
    if (column.hidden || column.generated != GeneratedKind::kNone || !is_left_out(i)) {
      continue;
    }
    Result<row::Value> value = Default(i, *row, /*left_out=*/true);
    const int number = value.status().user_errno();
    if (number == ER_NO_DEFAULT_FOR_FIELD || number == ER_NO_DEFAULT_FOR_VIEW_FIELD) {
      run_.session.diagnostics().AddError(value.status());
      missing = missing.ok() ? value.status() : std::move(missing);
      continue;
    }
    ASSIGN_OR_RETURN((*row)[i], std::move(value));
    (*row)[i].Own();
  }
  return missing;
}

Status TableWriter::Store(uint32_t column, const row::Value& value, const row::Type& from,
                          bool multi_row, RowValues* row) {
  const ColumnDescriptor& descriptor = table_->columns[column];
  if (value.is_null()) {
    if (descriptor.auto_increment && null_number_ == NullNumber::kZero) {
      (*row)[column] = TypeDefault(descriptor.type);
      return Status::Ok();
    }
    if (!MayBeNull(descriptor) && !defers_nulls_) {
      return StoreNullAnyway(column, multi_row, row);
    }
    (*row)[column] = row::Value::Null();
    return Status::Ok();
  }
  ASSIGN_OR_RETURN((*row)[column],
                   row::StoreConvert(value, from, descriptor.type, conversion(column)));
  (*row)[column].Own();
  return Status::Ok();
}

Status TableWriter::StoreNullAnyway(uint32_t column, bool multi_row, RowValues* row) {
  const ColumnDescriptor& descriptor = table_->columns[column];
  const Status error = UserError(ER_BAD_NULL_ERROR, descriptor.name);
  if (strict_ || !(multi_row || ignore_)) {
    Diagnostics& diagnostics = run_.session.diagnostics();
    const Status made_null = diagnostics.strict_error();
    if (made_null.ok()) {
      return error;
    }
    diagnostics.AddError(made_null);
    diagnostics.AddError(error);
    return made_null;
  }
  if (!tells_nulls_once_ || nulls_told_.insert(column).second) {
    run_.session.diagnostics().AddWarning(error);
  }
  const bool is_enum = descriptor.type.kind == row::TypeKind::kEnum;
  (*row)[column] = is_enum ? row::Value::Uint(0) : TypeDefault(descriptor.type);
  return Status::Ok();
}

Status TableWriter::CheckNulls(const std::vector<bool>* given, bool multi_row, RowValues* row) {
  const auto is_refused = [&](uint32_t i, bool has_value) {
    const ColumnDescriptor& column = table_->columns[i];
    return (given == nullptr || (*given)[i]) == has_value && (*row)[i].is_null() &&
           !MayBeNull(column) && !column.hidden && column.generated == GeneratedKind::kNone;
  };
  for (uint32_t i = 0; i < row->size(); ++i) {
    if (is_refused(i, true)) {
      RETURN_IF_ERROR(Store(i, row::Value::Null(), table_->columns[i].type, multi_row, row));
    }
  }
  return PutDefaults([&](uint32_t i) { return is_refused(i, false); }, row);
}

Status TableWriter::ComputeGenerated(RowValues* row) {
  for (uint32_t i = 0; has_generated_ && i < generated_.size(); ++i) {
    if (generated_[i] == nullptr) {
      continue;
    }
    const EvalFrame::Row frame[] = {{row_table_.get(), *row}};
    ASSIGN_OR_RETURN(row::Value value, Evaluate(*generated_[i], frame));
    value.Own();
    RETURN_IF_ERROR(Store(i, value, generated_[i]->type, /*multi_row=*/false, row));
  }
  return {};
}

Status TableWriter::Complete(RowValues* row) {
  RETURN_IF_ERROR(ComputeGenerated(row));
  return checks_.empty() ? Status::Ok() : CheckConstraints(*row);
}

Status TableWriter::CheckConstraints(const RowValues& row) {
  const EvalFrame::Row rows[] = {{row_table_.get(), row}};
  EvalFrame frame;
  frame.context = &run_.session.eval_context();
  frame.rows = rows;
  for (const BoundCheck& bound : checks_) {
    ASSIGN_OR_RETURN(const row::Value value, sql::Evaluate(*bound.condition, frame));
    // Only FALSE violates a check; NULL does not.
    if (!value.is_null() && !row::ToBool(value, bound.condition->type, conversion_)) {
      const Status error = UserError(ER_CHECK_CONSTRAINT_VIOLATED, bound.check->name);
      if (!ignore_) {
        return error;
      }
      run_.session.diagnostics().AddWarning(error);
      return Status::NotFound("row skipped");
    }
  }
  return Status::Ok();
}

void TableWriter::TouchTimestamps(const std::vector<bool>& assigned, RowValues* row) const {
  for (size_t i = 0; i < table_->columns.size(); ++i) {
    const ColumnDescriptor& column = table_->columns[i];
    if (column.on_update_now && !assigned[i]) {
      auto now = row::StoreConvert(row::Value::Timestamp(run_.session.eval_context().now_us),
                                   row::Type::Timestamp(6), column.type, conversion_);
      if (now.ok()) {
        (*row)[i] = std::move(now).value();
      }
    }
  }
}

std::vector<TypedValue> TableWriter::WithOuterColumns(std::span<const EvalFrame::Row> rows) const {
  std::vector<TypedValue> parameters(insert_->first_outer_parameter);
  for (size_t i = 0; i < std::min(parameters.size(), run_.parameters.size()); ++i) {
    parameters[i] = {run_.parameters[i].type, run_.parameters[i].value.Borrow()};
  }
  for (const BoundInsert::OuterColumn& outer : insert_->outer_columns) {
    const auto row = std::ranges::find(rows, outer.table, &EvalFrame::Row::table);
    parameters.push_back(
        {outer.table->columns[outer.column].type,
         row != rows.end() ? row->values[outer.column].Borrow() : row::Value::Null()});
  }
  return parameters;
}

Result<row::Value> TableWriter::Evaluate(const BoundExpr& expr,
                                         std::span<const EvalFrame::Row> rows) {
  EvalFrame frame;
  frame.context = &run_.session.eval_context();
  frame.rows = rows;
  frame.parameters = run_.parameters;
  frame.run_subquery = [&](const BoundQuery& query, std::vector<RowValues>* out) {
    if (insert_ == nullptr || insert_->outer_columns.empty()) {
      return run_.session.CollectSubquery(query, run_.parameters, out);
    }
    return run_.session.CollectSubquery(query, WithOuterColumns(rows), out);
  };
  frame.find_variable = [this](std::string_view name) {
    return run_.session.FindUserVariable(name);
  };
  return sql::Evaluate(expr, frame);
}

Status TableWriter::Insert(const RowValues& row, engine::DuplicateKey* duplicate) {
  bytes_.clear();
  RETURN_IF_ERROR(row::EncodeRow(SqlRowLayout::Of(*engine_table_).rows(), row, &bytes_));
  const engine::Savepoint before = transaction_->SetSavepoint();
  Status inserted =
      engine::Insert(*transaction_, *engine_table_, bytes_, duplicate, write_options_);
  if (foreign_keys_ == nullptr) {
    return inserted;
  }
  if (inserted.Is(Code::kAlreadyExists)) {
    RETURN_IF_ERROR(SettleIgnored(
        foreign_keys_->CheckTurnedAway(nullptr, row, nullptr, duplicate->index_no), before));
  }
  RETURN_IF_ERROR(std::move(inserted));
  return SettleIgnored(foreign_keys_->CheckInserted(row), before);
}

Status TableWriter::Update(std::string_view clustered_key, const RowValues& before,
                           const RowValues& row, engine::DuplicateKey* duplicate) {
  const engine::Savepoint savepoint = transaction_->SetSavepoint();
  return SettleIgnored(UpdateKeepingKeys(clustered_key, before, row, nullptr, duplicate),
                       savepoint);
}

Status TableWriter::UpdateKeepingKeys(std::string_view clustered_key, const RowValues& before,
                                      const RowValues& row, const ForeignKeyDescriptor* settled,
                                      engine::DuplicateKey* duplicate) {
  const bool is_parent = foreign_keys_ != nullptr && foreign_keys_->is_parent();
  if (is_parent) {
    RETURN_IF_ERROR(foreign_keys_->BeforeUpdate(before, row));
  }
  bytes_.clear();
  RETURN_IF_ERROR(row::EncodeRow(SqlRowLayout::Of(*engine_table_).rows(), row, &bytes_));
  Status updated = engine::Update(*transaction_, *engine_table_, clustered_key, bytes_, duplicate,
                                  write_options_);
  if (foreign_keys_ != nullptr && updated.Is(Code::kAlreadyExists)) {
    RETURN_IF_ERROR(foreign_keys_->CheckTurnedAway(&before, row, settled, duplicate->index_no));
  }
  RETURN_IF_ERROR(std::move(updated));
  if (is_parent) {
    RETURN_IF_ERROR(foreign_keys_->AfterUpdate(clustered_key, before, row));
  }
  return foreign_keys_ != nullptr ? foreign_keys_->CheckUpdated(before, row, settled)
                                  : Status::Ok();
}

Status TableWriter::DeleteKeepingKeys(std::string_view clustered_key, const RowValues& row) {
  if (foreign_keys_ != nullptr && foreign_keys_->is_parent()) {
    RETURN_IF_ERROR(foreign_keys_->BeforeDelete(clustered_key, row));
  }
  return engine::Delete(*transaction_, *engine_table_, clustered_key);
}

Status TableWriter::SettleIgnored(Status status, engine::Savepoint before) {
  const bool forbidden = status.user_errno() == ER_ROW_IS_REFERENCED_2 ||
                         status.user_errno() == ER_NO_REFERENCED_ROW_2;
  const bool ignored = ignore_ && forbidden;
  // A failed statement of a stored program may be let pass by a handler: its row must be undone.
  if (ignored || (status.user_errno() != 0 && run_.session.program_depth() != 0)) {
    RETURN_IF_ERROR(transaction_->RollbackTo(before));
  }
  if (!ignored) {
    return status;
  }
  run_.session.diagnostics().AddWarning(status);
  return Status::NotFound("row left as it was");
}

Status TableWriter::DeleteInCascade(std::string_view clustered_key, const RowValues& row) {
  return DeleteKeepingKeys(clustered_key, row);
}

Status TableWriter::UpdateInCascade(std::string_view clustered_key, const RowValues& before,
                                    RowValues* row, const ForeignKeyDescriptor* key,
                                    size_t* duplicate) {
  RETURN_IF_ERROR(ComputeGenerated(row));
  engine::DuplicateKey met;
  Status status = UpdateKeepingKeys(clustered_key, before, *row, key, &met);
  *duplicate = met.index_no;
  return status;
}

Status TableWriter::BumpAutoIncrement(const RowValues& row) {
  const int column = table_->auto_increment_column();
  if (column < 0) {
    return Status::Ok();
  }
  const auto number = static_cast<uint32_t>(column);
  bool is_unsigned = false;
  const int64_t id = row[number].is_null()
                         ? 0
                         : row::ToInteger(row[number], table_->columns[number].type,
                                          conversion(number), &is_unsigned);
  if (id <= 0 && !is_unsigned) {
    return Status::Ok();
  }
  return engine_->BumpAutoIncrement(*engine_table_, static_cast<uint64_t>(id));
}

Status TableWriter::Delete(std::string_view clustered_key) {
  if (foreign_keys_ == nullptr || !foreign_keys_->is_parent()) {
    return engine::Delete(*transaction_, *engine_table_, clustered_key);
  }
  ASSIGN_OR_RETURN(const RowValues row, ReadLocked(clustered_key));
  const engine::Savepoint before = transaction_->SetSavepoint();
  return SettleIgnored(DeleteKeepingKeys(clustered_key, row), before);
}

Result<RowValues> TableWriter::ReadLocked(std::string_view clustered_key) {
  std::string bytes;
  RETURN_IF_ERROR(engine::Get(*transaction_, *engine_table_, clustered_key,
                              engine::LockMode::kExclusive, engine::WaitPolicy::kWait, &bytes));
  return Decode(bytes);
}

Result<RowValues> TableWriter::Decode(std::string_view row) const {
  ASSIGN_OR_RETURN(const row::RowView view,
                   row::RowView::Open(SqlRowLayout::Of(*engine_table_).rows(), row));
  RowValues values;
  RETURN_IF_ERROR(view.GetAll(&values));
  for (row::Value& value : values) {
    value.Own();
  }
  return values;
}

// "Duplicate entry '1-abc' for key 't.name'".
Status TableWriter::DuplicateError(const RowValues& row, size_t index_no) const {
  return DuplicateEntry(*table_, index_no, row, run_);
}

std::string TableWriter::KeyText(const RowValues& row, size_t index_no) const {
  return KeyEntry(*table_, index_no, row, run_);
}

Status CheckViewOption(const BoundViewCheck& check, std::span<const EvalFrame::Row> rows,
                       TableWriter* writer) {
  if (check.condition == nullptr) {
    return {};
  }
  ASSIGN_OR_RETURN(const row::Value value, writer->Evaluate(*check.condition, rows));
  const bool fulfilled =
      !value.is_null() && row::ToBool(value, check.condition->type, row::ConversionContext());
  return fulfilled ? Status() : UserError(ER_VIEW_CHECK_FAILED, check.schema, check.name);
}

}  // namespace borealis::sql
