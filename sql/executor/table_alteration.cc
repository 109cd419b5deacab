#include "sql/executor/table_alteration.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/row_codec.h"
#include "sql/ast/print.h"
#include "sql/executor/definition_run.h"
#include "sql/executor/duplicate_entry.h"
#include "sql/executor/foreign_key_alteration.h"
#include "sql/executor/foreign_key_relations.h"
#include "sql/executor/foreign_key_validation.h"
#include "sql/executor/row_rewriter.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

enum class Work : uint8_t { kDescription, kBuild, kRewrite };

bool MembersExtend(const row::TypeMembers& from, const row::TypeMembers& to) {
  if (from == nullptr || to == nullptr) {
    return from == to;
  }
  return from->size() <= to->size() && std::equal(from->begin(), from->end(), to->begin());
}

// Every value of `from` is a value of `to`, in the same bytes of rows and of keys.
bool StoredAlike(const row::Type& from, const row::Type& to) {
  if (from.kind != to.kind || from.is_unsigned != to.is_unsigned || from.scale != to.scale ||
      from.collation != to.collation || (from.nullable && !to.nullable)) {
    return false;
  }
  switch (from.kind) {
    case row::TypeKind::kVarchar:
    case row::TypeKind::kVarbinary:
    case row::TypeKind::kChar:
      return from.length <= to.length;
    case row::TypeKind::kDecimal:
    case row::TypeKind::kBit:
    case row::TypeKind::kBinary:
    case row::TypeKind::kFloat:
    case row::TypeKind::kDouble:
      return from.length == to.length;
    case row::TypeKind::kEnum:
    case row::TypeKind::kSet:
      return MembersExtend(from.members, to.members);
    default:
      return true;  // display widths do not count
  }
}

bool SameParts(const TableDescriptor& old_table, const IndexDescriptor& a,
               const IndexDescriptor& b) {
  (void)old_table;
  return a.unique() == b.unique() &&
         std::equal(a.parts.begin(), a.parts.end(), b.parts.begin(), b.parts.end(),
                    [](const IndexPart& x, const IndexPart& y) {
                      return x.column == y.column && x.prefix_length == y.prefix_length &&
                             x.descending == y.descending;
                    });
}

class Alteration {
 public:
  Alteration(StatementRun& run, const engine::TableName& name, const AlterationRequest& request,
             FinishedTable finished)
      : run_(run),
        name_(name),
        request_(request),
        finished_(std::move(finished)),
        new_keys_(run, request.old, finished_.table, finished_.column_sources) {}

  Status Execute() {
    Decide();
    engine::SchemaChangeOptions how = ChangeOptions(run_);
    ASSIGN_OR_RETURN(how.related, RelateKeys());
    RETURN_IF_ERROR(CheckOnlineOptions());
    ASSIGN_OR_RETURN(engine_table_, EngineOf(run_).FindTable(name_.schema, name_.name));
    if (engine_table_->version() != request_.old->version) {
      return Status::Retry("another change of the table came first");
    }
    engine::TableAlteration alteration;
    engine::DuplicateKey duplicate;
    std::string duplicate_row;
    alteration.expected_version = request_.old->version;
    alteration.rename = request_.rename;
    alteration.duplicate = &duplicate;
    alteration.duplicate_row = &duplicate_row;
    PlanIndexes(&alteration);
    if (work_ == Work::kRewrite) {
      RETURN_IF_ERROR(PrepareRewrite(&alteration));
    } else {
      SetInitialValues();
    }
    alteration.payload = EncodeTableDescriptor(*finished_.table);
    Status altered = EngineOf(run_).AlterTable(name_, alteration, how);
    if (altered.Is(Code::kAlreadyExists)) {
      if (duplicate_row.empty()) {
        return UserError(ER_TABLE_EXISTS_ERROR, request_.rename ? request_.rename->name : "");
      }
      return DuplicateEntry(*finished_.table, duplicate.index_no, duplicate_row, run_);
    }
    if (altered.Is(Code::kNotFound)) {
      return UserError(ER_NO_SUCH_TABLE, name_.schema, name_.name);
    }
    RETURN_IF_ERROR(altered);
    engine_table_.reset();
    RETURN_IF_ERROR(SettleAutoIncrement());
    uint64_t copied = copies_ && rewriter_ != nullptr ? rewriter_->rows() : 0;
    run_.ok.affected_rows = copied;
    run_.ok.info = fmt::format("Records: {}  Duplicates: 0  Warnings: {}", copied,
                               run_.session.diagnostics().count());
    return {};
  }

 private:
  const TableDescriptor& old_table() const { return *request_.old; }
  TableDescriptor& new_table() { return *finished_.table; }

  bool validates_keys() const {
    return new_keys_.any() && run_.session.settings().foreign_key_checks;
  }

  Result<engine::RelatedChanges> RelateKeys() {
    RETURN_IF_ERROR(CheckKeyedAlteration(
        run_, {request_.old.get(), finished_.table.get(), &finished_.column_sources, copies_}));
    std::vector<TableChange> change = {{request_.old, finished_.table, finished_.column_sources}};
    return RelateForeignKeys(run_, change);
  }

  // What becomes of the stored rows.
  void Decide() {
    const TableDescriptor& from = old_table();
    TableDescriptor& to = new_table();
    bool same_places = to.columns.size() >= from.columns.size();
    for (size_t i = 0; i < to.columns.size(); ++i) {
      int source = finished_.column_sources[i];
      if (i < from.columns.size()) {
        same_places = same_places && source == static_cast<int>(i);
      }
      if (source >= 0) {
        NoteChangedColumn(from.columns[static_cast<size_t>(source)], to.columns[i]);
      } else {
        NoteNewColumn(to.columns[i]);
      }
    }
    bool clustered = SameParts(from, from.indexes[0], to.indexes[0]) &&
                     finished_.index_sources[0] == from.indexes[0].name;
    copies_ = type_changed_ || finished_.has_new_check || request_.check_rows || validates_keys();
    if (!same_places || !clustered || must_rewrite_ || copies_ || request_.force) {
      work_ = Work::kRewrite;
      return;
    }
    work_ = Work::kDescription;
    size_t kept = 0;
    for (size_t i = 0; i < to.indexes.size(); ++i) {
      const std::string& source = finished_.index_sources[i];
      int position = source.empty() ? -1 : from.FindIndex(source);
      if (position >= 0 &&
          SameParts(from, from.indexes[static_cast<size_t>(position)], to.indexes[i])) {
        ++kept;
      } else {
        finished_.index_sources[i].clear();
      }
    }
    if (kept != to.indexes.size() || kept != from.indexes.size()) {
      work_ = Work::kBuild;
    }
  }

  void NoteChangedColumn(const ColumnDescriptor& from, const ColumnDescriptor& to) {
    if (!StoredAlike(from.type, to.type)) {
      row::Type nullable = to.type.Nullable(from.type.nullable);
      type_changed_ |= !StoredAlike(from.type, nullable);
      must_rewrite_ = true;
    }
    if (from.generated != to.generated || from.generated_text != to.generated_text) {
      must_rewrite_ = true;
    }
  }

  void NoteNewColumn(const ColumnDescriptor& column) {
    const ColumnDefault& value = column.default_value;
    bool constant = value.kind == DefaultKind::kLiteral ||
                    (value.kind == DefaultKind::kNone && !column.type.has_date());
    must_rewrite_ |= column.generated != GeneratedKind::kNone || column.auto_increment || !constant;
  }

  // Refuses what ALGORITHM and LOCK ask for and the work does not allow. The engine holds the
  // table's metadata lock exclusively as long as it works.
  Status CheckOnlineOptions() const {
    const OnlineDdlOptions& online = request_.online;
    if (online.algorithm == "INSTANT" && work_ != Work::kDescription) {
      return UserError(ER_ALTER_OPERATION_NOT_SUPPORTED, "ALGORITHM=INSTANT",
                       "ALGORITHM=COPY/INPLACE");
    }
    if (online.algorithm == "INPLACE" && copies_) {
      return UserError(ER_ALTER_OPERATION_NOT_SUPPORTED_REASON, "ALGORITHM=INPLACE",
                       type_changed_      ? "Cannot change column type INPLACE"
                       : validates_keys() ? "Adding foreign keys needs foreign_key_checks=OFF"
                                          : "Checks of existing rows need a copy",
                       "ALGORITHM=COPY");
    }
    if (work_ != Work::kDescription && (online.lock == "NONE" || online.lock == "SHARED")) {
      return UserError(ER_ALTER_OPERATION_NOT_SUPPORTED_REASON, "LOCK=" + online.lock,
                       "The table is locked while its rows or indexes are built", "LOCK=EXCLUSIVE");
    }
    return {};
  }

  void PlanIndexes(engine::TableAlteration* alteration) {
    for (size_t i = 0; i < new_table().indexes.size(); ++i) {
      const IndexDescriptor& index = new_table().indexes[i];
      engine::TableAlteration::Index out;
      out.name = index.name;
      out.unique = index.unique() || index.kind == IndexKind::kRowId;
      if (work_ != Work::kRewrite) {
        out.keep = finished_.index_sources[i];
      }
      alteration->indexes.push_back(std::move(out));
    }
  }

  // Rows that are left as they are read as these values in the columns they lack.
  void SetInitialValues() {
    for (size_t i = old_table().columns.size(); i < new_table().columns.size(); ++i) {
      ColumnDescriptor& column = new_table().columns[i];
      column.initial_value = column.default_value.kind == DefaultKind::kLiteral
                                 ? column.default_value.value
                                 : ImplicitDefault(column.type);
    }
  }

  Status PrepareRewrite(engine::TableAlteration* alteration) {
    for (ColumnDescriptor& column : new_table().columns) {
      column.initial_value = row::Value::Null();
    }
    RowRewriterInput input;
    input.table = finished_.table;
    input.sources = finished_.column_sources;
    for (const ColumnDescriptor& column : old_table().columns) {
      input.source_types.push_back(column.type);
    }
    input.try_checks = copies_;
    input.next_row_id = [this] { return EngineOf(run_).NextRowId(*engine_table_); };
    const SessionSettings& settings = run_.session.settings();
    input.first_auto_increment =
        std::max<uint64_t>(request_.auto_increment.value_or(1), settings.auto_increment_offset);
    input.auto_increment_step = settings.auto_increment_increment;
    ASSIGN_OR_RETURN(rewriter_, RowRewriter::Make(run_, std::move(input)));
    old_rows_ = MakeRowSchema(old_table());
    new_rows_ = MakeRowSchema(new_table());
    alteration->rewrite = [this](std::string_view from, std::string* to) -> Status {
      if ((rewriter_->rows() & 255) == 0) {
        RETURN_IF_ERROR(run_.session.CheckInterrupt());
      }
      ASSIGN_OR_RETURN(row::RowView view, row::RowView::Open(old_rows_, from));
      RETURN_IF_ERROR(view.GetAll(&from_values_));
      RETURN_IF_ERROR(rewriter_->Rewrite(from_values_, &to_values_));
      if (validates_keys()) {
        RETURN_IF_ERROR(new_keys_.Check(to_values_));
      }
      to->clear();
      return row::EncodeRow(new_rows_, to_values_, to);
    };
    return {};
  }

  // Numbers that the counter would give must be above those in the table.
  Status SettleAutoIncrement() {
    int position = new_table().auto_increment_column();
    int was = old_table().auto_increment_column();
    bool same =
        position >= 0 && was >= 0 && finished_.column_sources[static_cast<size_t>(position)] == was;
    if (position < 0 || (same && !request_.auto_increment.has_value())) {
      return {};
    }
    engine::TableName name = request_.rename.value_or(name_);
    const std::string& column = new_table().columns[static_cast<size_t>(position)].name;
    ASSIGN_OR_RETURN(auto rows, run_.session.CollectQueryText(fmt::format(
                                    "SELECT CAST(IFNULL(MAX({}), 0) AS UNSIGNED) FROM {}.{}",
                                    QuoteIdentifier(column), QuoteIdentifier(name.schema),
                                    QuoteIdentifier(name.name))));
    uint64_t greatest = 0;
    if (!rows.empty() && rows[0][0].kind() == row::ValueKind::kUint) {
      greatest = rows[0][0].uint_value();
    }
    ASSIGN_OR_RETURN(engine::TableRef table, EngineOf(run_).FindTable(name.schema, name.name));
    return EngineOf(run_).SetAutoIncrement(
        *table, std::max<uint64_t>(request_.auto_increment.value_or(1), greatest + 1));
  }

  StatementRun& run_;
  const engine::TableName& name_;
  const AlterationRequest& request_;
  FinishedTable finished_;
  ForeignKeyValidation new_keys_;
  engine::TableRef engine_table_;
  Work work_ = Work::kDescription;
  bool must_rewrite_ = false;
  bool type_changed_ = false;
  bool copies_ = false;  // as MySQL's COPY: counts rows, tries checks
  std::unique_ptr<RowRewriter> rewriter_;
  row::RowSchema old_rows_;
  row::RowSchema new_rows_;
  std::vector<row::Value> from_values_;
  std::vector<row::Value> to_values_;
};

}  // namespace

Status AlterByDraft(StatementRun& run, const engine::TableName& name, TableDraft* draft,
                    const AlterationRequest& request) {
  ASSIGN_OR_RETURN(FinishedTable finished, draft->Finish());
  return Alteration(run, name, request, std::move(finished)).Execute();
}

}  // namespace borealis::sql
