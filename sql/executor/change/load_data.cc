// LOAD DATA [LOCAL] INFILE: lines of a file, which the server or the client has, become rows.
//
// The file is read piece by piece while rows go in; nothing of it is kept. A field's text is stored
// as INSERT stores a string. What differs from INSERT, as MySQL has it: a field that is missing
// (1261) or NULL for a NOT NULL column (1263) is the type's zero, not the column's default; a
// TIMESTAMP NOT NULL is then the statement's time; and columns that nothing names need no default.
// In strict mode the warnings 1261, 1262 and 1263 are errors.
#include "sql/executor/change/load_data.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/mysql_error.h"
#include "sql/ast/stmt.h"
#include "sql/binder/binder.h"
#include "sql/executor/change/field_splitter.h"
#include "sql/executor/change/row_inserter.h"
#include "sql/session/server_file.h"
#include "sql/session/session.h"

namespace borealis::sql {

namespace {

// What a field is, for a column or a variable.
row::Type TextType(const row::Charset& charset) {
  return charset.id == row::CharsetId::kBinary
             ? row::Type::Blob(row::TypeKind::kLongBlob)
             : row::Type::Text(row::TypeKind::kLongText, charset.default_collation);
}

// In a line of fixed size such a column takes all that is left.
bool IsLong(const row::Type& type) {
  return type.is_blob() || type.kind == row::TypeKind::kJson;
}

class LoadRun {
 public:
  LoadRun(StatementRun& run, const BoundLoad& load, const StatementFacts& facts, FieldFormat format)
      : run_(run),
        statement_(run.statement.As<LoadDataStmt>()),
        load_(load),
        table_(*load.insert.table),
        facts_(facts),
        format_(std::move(format)),
        session_(run.session) {}

  Status Execute();

 private:
  Result<std::unique_ptr<ByteSource>> OpenSource() const;
  // The rows' columns before fields are read: which ones something gives a value.
  void NoteGiven();
  Status LoadRows(FieldSplitter* splitter);
  // False: the data has ended.
  Result<bool> ReadRow(FieldSplitter* splitter, bool skipped, RowValues* row);
  // The same for columns that have their widths in the file.
  Result<bool> ReadFixedRow(FieldSplitter* splitter, bool skipped, RowValues* row);
  Status StoreField(uint32_t column, std::string_view bytes, RowValues* row);
  Status Take(const BoundLoad::Field& target, const Field& field, RowValues* row);
  Status TakeMissing(const BoundLoad::Field& target, RowValues* row);
  Status Assign(RowValues* row, std::vector<bool>* given);
  Status SettleNulls(RowValues* row);
  // What the type's bytes being zero mean.
  row::Value Zero(const row::Type& type) const;
  bool IsCurrentTime(const ColumnDescriptor& column) const {
    return column.type.kind == row::TypeKind::kTimestamp && !column.type.nullable;
  }
  bool SetsVariables() const {
    return std::any_of(load_.fields.begin(), load_.fields.end(),
                       [](const BoundLoad::Field& field) { return !field.column.has_value(); });
  }
  // An error in strict mode, else a warning.
  Status Complain(Status problem) const;
  void Report();

  StatementRun& run_;
  const LoadDataStmt& statement_;
  const BoundLoad& load_;
  const TableDescriptor& table_;
  const StatementFacts& facts_;
  const FieldFormat format_;
  Session& session_;
  std::unique_ptr<RowInserter> inserter_;
  TableWriter* writer_ = nullptr;  // the inserter's
  std::vector<bool> given_;
  RowValues blank_;
  uint64_t records_ = 0;
  uint64_t row_number_ = 1;
};

Status LoadRun::Execute() {
  ASSIGN_OR_RETURN(inserter_, RowInserter::Open(run_, load_.insert, facts_, /*multi_row=*/true));
  writer_ = &inserter_->writer();
  NoteGiven();
  // From here on the client sends: all that can be refused before has been.
  ASSIGN_OR_RETURN(const std::unique_ptr<ByteSource> source, OpenSource());
  FieldSplitter splitter(format_, source.get());
  session_.diagnostics().set_strict(writer_->strict());
  if (load_.assignments.empty() && !SetsVariables()) {
    inserter_->StartBatches();
  }
  Status done = inserter_->Finish(LoadRows(&splitter));
  session_.diagnostics().set_strict(false);
  RETURN_IF_ERROR(std::move(done));
  Report();
  return Status::Ok();
}

Result<std::unique_ptr<ByteSource>> LoadRun::OpenSource() const {
  if (statement_.local) {
    return run_.sink.OpenClientFile(statement_.file);
  }
  ASSIGN_OR_RETURN(const std::string path, ServerFilePath(session_, statement_.file));
  return OpenServerFile(path);
}

void LoadRun::NoteGiven() {
  blank_ = writer_->BlankRow();
  given_.resize(blank_.size());
  for (const uint32_t column : load_.insert.columns) {
    given_[column] = true;
  }
  for (size_t i = 0; i < given_.size(); ++i) {
    const ColumnDescriptor& column = table_.columns[i];
    if (!given_[i] && !column.hidden && column.generated == GeneratedKind::kNone &&
        column.default_value.kind == DefaultKind::kNone && !column.type.nullable &&
        !column.auto_increment) {
      blank_[i] = writer_->TypeDefault(column.type);
      given_[i] = true;
    }
  }
}

Status LoadRun::LoadRows(FieldSplitter* splitter) {
  // Lines without a terminator are skipped as rows are: field by field.
  uint64_t skipped_rows = statement_.ignore_lines;
  while (!format_.line_terminator.empty() && skipped_rows > 0) {
    --skipped_rows;
    ASSIGN_OR_RETURN(const bool more, splitter->NextLine());
    skipped_rows = more ? skipped_rows : 0;
  }
  for (;;) {
    RETURN_IF_ERROR(session_.CheckInterrupt());
    writer_->set_row_number(row_number_);
    RowValues row = blank_;
    ASSIGN_OR_RETURN(const bool read, format_.fixed_size()
                                          ? ReadFixedRow(splitter, skipped_rows > 0, &row)
                                          : ReadRow(splitter, skipped_rows > 0, &row));
    if (!read) {
      return Status::Ok();
    }
    if (skipped_rows > 0) {
      --skipped_rows;
      continue;
    }
    std::vector<bool> given = given_;
    RETURN_IF_ERROR(Assign(&row, &given));
    RETURN_IF_ERROR(SettleNulls(&row));
    ASSIGN_OR_RETURN(const bool tried, inserter_->Add(given, nullptr, &row));
    ASSIGN_OR_RETURN(const bool more, splitter->NextLine());
    records_ += tried ? 1 : 0;
    if (!more) {
      return Status::Ok();
    }
    if (tried && splitter->line_was_cut()) {
      RETURN_IF_ERROR(Complain(UserError(ER_WARN_TOO_MANY_RECORDS, row_number_)));
    }
    row_number_ += tried ? 1 : 0;
  }
}

Result<bool> LoadRun::ReadRow(FieldSplitter* splitter, bool skipped, RowValues* row) {
  size_t count = 0;
  for (; count < load_.fields.size(); ++count) {
    Field field;
    ASSIGN_OR_RETURN(const bool found, splitter->ReadField(&field));
    if (!found) {
      break;
    }
    if (!skipped) {
      RETURN_IF_ERROR(Take(load_.fields[count], field, row));
    }
  }
  if (count == 0) {
    return false;
  }
  for (; !skipped && count < load_.fields.size(); ++count) {
    RETURN_IF_ERROR(TakeMissing(load_.fields[count], row));
  }
  return true;
}

Status LoadRun::Take(const BoundLoad::Field& target, const Field& field, RowValues* row) {
  if (!target.column.has_value()) {
    row::Value text = field.is_null ? row::Value::Null()
                                    : row::Value::String(format_.charset->Decode(field.bytes));
    session_.SetUserVariable(target.variable, {TextType(*format_.charset), std::move(text)});
    return Status::Ok();
  }
  const uint32_t number = *target.column;
  if (!field.is_null) {
    return StoreField(number, field.bytes, row);
  }
  (*row)[number] = row::Value::Null();
  if (IsCurrentTime(table_.columns[number])) {
    ASSIGN_OR_RETURN((*row)[number], writer_->Now(number));
  }
  return Status::Ok();
}

Status LoadRun::StoreField(uint32_t column, std::string_view bytes, RowValues* row) {
  const row::Type& to = table_.columns[column].type;
  // Bytes stay what they are in the file where the column holds bytes.
  const bool raw = to.is_binary_string() || to.kind == row::TypeKind::kBit;
  const row::Type from =
      raw ? row::Type::Blob(row::TypeKind::kLongBlob) : TextType(*format_.charset);
  std::string text = raw ? std::string(bytes) : format_.charset->Decode(bytes);
  return writer_->Store(column, row::Value::String(std::move(text)), from, inserter_->multi_row(),
                        row);
}

Result<bool> LoadRun::ReadFixedRow(FieldSplitter* splitter, bool skipped, RowValues* row) {
  size_t size = 0;
  for (const BoundLoad::Field& field : load_.fields) {
    size += FixedWidth(table_.columns[*field.column].type);
  }
  std::string_view line;
  ASSIGN_OR_RETURN(const bool found, splitter->ReadFixed(std::max<size_t>(size, 1), &line));
  if (!found || skipped) {
    return found;
  }
  for (const BoundLoad::Field& field : load_.fields) {
    const uint32_t number = *field.column;
    const ColumnDescriptor& column = table_.columns[number];
    if (!line.empty()) {
      const size_t width =
          IsLong(column.type) ? line.size() : std::min(FixedWidth(column.type), line.size());
      RETURN_IF_ERROR(StoreField(number, line.substr(0, width), row));
      line.remove_prefix(width);
      continue;
    }
    RETURN_IF_ERROR(Complain(UserError(ER_WARN_TOO_FEW_RECORDS, row_number_)));
    if (IsCurrentTime(column)) {
      ASSIGN_OR_RETURN((*row)[number], writer_->Now(number));
    } else if ((*row)[number].is_null()) {
      (*row)[number] = Zero(column.type);  // nothing is NULL in such a file
    }
  }
  RETURN_IF_ERROR(line.empty() ? Status::Ok()
                               : Complain(UserError(ER_WARN_TOO_MANY_RECORDS, row_number_)));
  return true;
}

Status LoadRun::TakeMissing(const BoundLoad::Field& target, RowValues* row) {
  if (!target.column.has_value()) {
    session_.SetUserVariable(target.variable, {TextType(*format_.charset), row::Value::Null()});
    return Status::Ok();
  }
  RETURN_IF_ERROR(Complain(UserError(ER_WARN_TOO_FEW_RECORDS, row_number_)));
  const uint32_t number = *target.column;
  const ColumnDescriptor& column = table_.columns[number];
  if (IsCurrentTime(column)) {
    ASSIGN_OR_RETURN((*row)[number], writer_->Now(number));
  } else if (!column.type.nullable || !blank_[number].is_null()) {
    (*row)[number] = Zero(column.type);
  }
  return Status::Ok();
}

row::Value LoadRun::Zero(const row::Type& type) const {
  return type.kind == row::TypeKind::kEnum ? row::Value::Uint(0) : writer_->TypeDefault(type);
}

Status LoadRun::Assign(RowValues* row, std::vector<bool>* given) {
  for (const BoundAssignment& assignment : load_.assignments) {
    if (assignment.value == nullptr) {
      (*given)[assignment.column] = false;  // DEFAULT: as if it were not named
      continue;
    }
    const EvalFrame::Row frame[] = {{load_.insert.target.get(), *row}};
    ASSIGN_OR_RETURN(const row::Value value, writer_->Evaluate(*assignment.value, frame));
    RETURN_IF_ERROR(writer_->Store(assignment.column, value, assignment.value->type,
                                   inserter_->multi_row(), row));
    (*given)[assignment.column] = true;
  }
  return Status::Ok();
}

// Only once the assignments are done is a NULL field a wrong one.
Status LoadRun::SettleNulls(RowValues* row) {
  for (const BoundLoad::Field& target : load_.fields) {
    if (!target.column.has_value() || !(*row)[*target.column].is_null()) {
      continue;
    }
    const ColumnDescriptor& column = table_.columns[*target.column];
    if (column.type.nullable || column.auto_increment || column.generated != GeneratedKind::kNone) {
      continue;
    }
    RETURN_IF_ERROR(Complain(UserError(ER_WARN_NULL_TO_NOTNULL, column.name, row_number_)));
    (*row)[*target.column] = Zero(column.type);
  }
  return Status::Ok();
}

Status LoadRun::Complain(Status problem) const {
  if (writer_->strict()) {
    return problem;
  }
  session_.diagnostics().AddWarning(problem);
  return Status::Ok();
}

void LoadRun::Report() {
  const uint64_t copied = inserter_->affected() - inserter_->deleted();
  run_.ok.affected_rows = inserter_->affected();
  if (inserter_->first_generated() != 0) {
    session_.set_last_insert_id(inserter_->first_generated());
  }
  run_.ok.info =
      fmt::format("Records: {}  Deleted: {}  Skipped: {}  Warnings: {}", records_,
                  inserter_->deleted(), records_ - copied, session_.diagnostics().count());
}

// Rows of fixed size cannot hold everything. Errors: 1084, 1409.
Status CheckFixedSize(const BoundLoad& load, const FieldFormat& format) {
  if (!format.fixed_size()) {
    return Status::Ok();
  }
  for (const BoundLoad::Field& field : load.fields) {
    if (!field.column.has_value()) {
      return UserError(ER_LOAD_FROM_FIXED_SIZE_ROWS_TO_VAR);
    }
    const row::Type& type = load.insert.table->columns[*field.column].type;
    if (format.line_terminator.empty() && IsLong(type)) {
      return UserError(ER_BLOBS_AND_NO_TERMINATED);
    }
  }
  return Status::Ok();
}

Status RefuseLocal(const Session& session) {
  const SystemVariables* variables = session.environment().variables;
  const bool allowed =
      variables != nullptr && variables->IntegerValue("local_infile").value_or(0) != 0;
  return allowed ? Status::Ok() : UserError(ER_CLIENT_LOCAL_FILES_DISABLED);
}

}  // namespace

Status ExecuteLoadData(StatementRun& run) {
  const auto& statement = run.statement.As<LoadDataStmt>();
  Session& session = run.session;
  if (statement.xml) {
    return UserError(ER_NOT_SUPPORTED_YET, "LOAD XML");
  }
  RETURN_IF_ERROR(statement.local ? RefuseLocal(session) : Status::Ok());
  const row::Charset& usual = row::GetCollation(session.settings().collation_database).charset();
  ASSIGN_OR_RETURN(FieldFormat format, CompleteFormat(statement.format, usual, &session));
  StatementFacts facts;
  BindInput input;
  input.environment = &session.binder_environment();
  input.text = run.text;
  // What SET finds in the variables is text, whatever they held before.
  for (const ExprPtr& target : statement.columns) {
    if (const auto* variable = target->TryAs<UserVariable>()) {
      session.SetUserVariable(variable->name, {TextType(*format.charset), row::Value::Null()});
    }
  }
  ASSIGN_OR_RETURN(const auto load, BindLoad(statement, input, &facts));
  RETURN_IF_ERROR(CheckFixedSize(*load, format));
  return LoadRun(run, *load, facts, std::move(format)).Execute();
}

}  // namespace borealis::sql
