#include "sql/executor/definition/table_alteration.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/row_codec.h"
#include "sql/ast/print.h"
#include "sql/executor/change/duplicate_entry.h"
#include "sql/executor/change/row_rewriter.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/foreign_key_alteration.h"
#include "sql/executor/definition/foreign_key_relations.h"
#include "sql/executor/definition/foreign_key_validation.h"
#include "sql/executor/definition/online_ddl.h"
#include "sql/executor/definition/trigger_names.h"
#include "sql/executor/tables/innodb_tables.h"
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

// `sources`: per column of the new table its position in the old one.
bool SameParts(const IndexDescriptor& old_index, const IndexDescriptor& new_index,
               const std::vector<int>& sources) {
  return old_index.unique() == new_index.unique() &&
         std::equal(old_index.parts.begin(), old_index.parts.end(), new_index.parts.begin(),
                    new_index.parts.end(), [&](const IndexPart& x, const IndexPart& y) {
                      return static_cast<int>(x.column) == sources[y.column] &&
                             x.prefix_length == y.prefix_length && x.descending == y.descending;
                    });
}

// MySQL keeps a VARCHAR in place while its length needs as many bytes as before.
bool GrowsInPlace(const row::Type& from, const row::Type& to) {
  if (from.length == to.length || from.is_enum_or_set()) {
    return true;
  }
  const bool variable =
      from.kind == row::TypeKind::kVarchar || from.kind == row::TypeKind::kVarbinary;
  return variable && (RowBytes(from) <= 256) == (RowBytes(to) <= 256);
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
    if (!request_.nothing) {
      RETURN_IF_ERROR(CheckPrimaryKeyRequired(run_, *finished_.table));
    }
    Decide();
    Classify();
    engine::SchemaChangeOptions how = ChangeOptions(run_, old_table());
    ASSIGN_OR_RETURN(how.related, RelateKeys());
    ASSIGN_OR_RETURN(const engine::Concurrency concurrency,
                     CheckOnlineOptions(request_.online, nature_));
    RETURN_IF_ERROR(CountRowVersions());
    ASSIGN_OR_RETURN(engine_table_,
                     EngineOf(run_, old_table()).FindTable(name_.schema, name_.name));
    if (engine_table_->version() != request_.old->version) {
      return Status::Retry("another change of the table came first");
    }
    engine::TableAlteration alteration;
    engine::DuplicateKey duplicate;
    std::string duplicate_row;
    alteration.expected_version = request_.old->version;
    alteration.concurrency = concurrency;
    alteration.changes_columns = work_ != Work::kRewrite && (adds_ || drops_);
    alteration.rename = request_.rename;
    alteration.duplicate = &duplicate;
    alteration.duplicate_row = &duplicate_row;
    PlanIndexes(&alteration);
    if (work_ == Work::kRewrite) {
      RETURN_IF_ERROR(PrepareRewrite(&alteration));
    } else {
      RETURN_IF_ERROR(SetInitialValues());
      SettleStoredForm();
    }
    alteration.payload = EncodeTableDescriptor(*finished_.table);
    Status altered = EngineOf(run_, old_table()).AlterTable(name_, alteration, how);
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
    if (!request_.nothing || old_table().temporary) {
      run_.ok.info = fmt::format("Records: {}  Duplicates: 0  Warnings: {}", copied,
                                 run_.session.diagnostics().count());
    }
    return {};
  }

 private:
  const TableDescriptor& old_table() const { return *request_.old; }
  TableDescriptor& new_table() { return *finished_.table; }

  bool validates_keys() const {
    return new_keys_.any() && run_.session.settings().foreign_key_checks;
  }

  Result<engine::RelatedChanges> RelateKeys() {
    if (old_table().temporary) {
      RETURN_IF_ERROR(new_table().foreign_keys.empty() ? Status::Ok()
                                                       : UserError(ER_CANNOT_ADD_FOREIGN));
      return engine::RelatedChanges();
    }
    RETURN_IF_ERROR(CheckKeyedAlteration(
        run_, {request_.old.get(), finished_.table.get(), &finished_.column_sources, copies_}));
    std::vector<TableChange> change = {{request_.old, finished_.table, finished_.column_sources}};
    ASSIGN_OR_RETURN(engine::RelatedChanges related, RelateForeignKeys(run_, change));
    RETURN_IF_ERROR(RelateTriggers(change, &related));
    return related;
  }

  // What becomes of the stored rows.
  void Decide() {
    const TableDescriptor& from = old_table();
    TableDescriptor& to = new_table();
    std::vector<bool> kept_columns(from.columns.size());
    int before = -1;
    for (size_t i = 0; i < to.columns.size(); ++i) {
      const int source = finished_.column_sources[i];
      if (source >= 0) {
        kept_columns[static_cast<size_t>(source)] = true;
        moves_ |= source < before;
        before = source;
        NoteChangedColumn(from.columns[static_cast<size_t>(source)], to.columns[i]);
      } else {
        NoteNewColumn(to.columns[i]);
      }
    }
    drops_ = std::find(kept_columns.begin(), kept_columns.end(), false) != kept_columns.end();
    clustered_ = SameParts(from.indexes[0], to.indexes[0], finished_.column_sources) &&
                 finished_.index_sources[0] == from.indexes[0].name;
    const std::string& algorithm = request_.online.algorithm;
    nature_.checks_rows = finished_.has_new_check || request_.check_rows;
    nature_.drops_primary_key = from.has_primary_key() && !to.has_primary_key();
    nature_.checks_keys = validates_keys();
    copies_ = type_changed_ || recomputed_ || becomes_numbered_ || nature_.checks_rows ||
              nature_.checks_keys || nature_.drops_primary_key || algorithm == "COPY";
    // Who says INPLACE gets a table whose rows have all columns in their places again.
    const bool tidies = algorithm == "INPLACE" && (adds_ || drops_);
    if (!clustered_ || must_rewrite_ || copies_ || request_.force || tidies) {
      work_ = Work::kRewrite;
    }
    size_t kept = 0;
    for (size_t i = 0; i < to.indexes.size(); ++i) {
      std::string& source = finished_.index_sources[i];
      const int position = source.empty() ? -1 : from.FindIndex(source);
      if (position >= 0 && SameParts(from.indexes[static_cast<size_t>(position)], to.indexes[i],
                                     finished_.column_sources)) {
        ++kept;
        indexes_described_ |=
            source != to.indexes[i].name ||
            from.indexes[static_cast<size_t>(position)].visible != to.indexes[i].visible;
      } else {
        source.clear();
      }
    }
    indexes_change_ = kept != to.indexes.size() || kept != from.indexes.size();
    if (indexes_change_ && work_ == Work::kDescription) {
      work_ = Work::kBuild;
    }
  }

  // As MySQL sees it.
  void Classify() {
    const TableDescriptor& from = old_table();
    const TableDescriptor& to = new_table();
    nature_.changes_type = type_changed_ || grows_by_copy_;
    nature_.adds_numbers = adds_numbers_;
    const bool table_described = from.comment != to.comment || from.collation != to.collation ||
                                 from.row_format != to.row_format || from.options != to.options ||
                                 request_.auto_increment.has_value();
    const bool keys_change = new_keys_.any() || from.foreign_keys.size() != to.foreign_keys.size();
    if (indexes_change_ || indexes_described_ || table_described || keys_change || grows_) {
      nature_.AtLeast(AlterationClass::kInplace);
    }
    if (moves_ || nullable_changed_ || must_rewrite_ || request_.force || !clustered_) {
      nature_.AtLeast(AlterationClass::kRebuild);
    }
    if (type_changed_ || grows_by_copy_ || recomputed_ || becomes_numbered_ ||
        nature_.checks_rows || nature_.checks_keys || nature_.drops_primary_key) {
      nature_.AtLeast(AlterationClass::kCopy);
    }
    nature_.only_names = request_.nothing && nature_.kind == AlterationClass::kInstant;
  }

  // Instant additions and drops are counted; beyond MySQL's bound the rows are rewritten.
  Status CountRowVersions() {
    const StoredForm& stored = old_table().stored;
    new_table().stored.row_versions = stored.row_versions;
    if (work_ == Work::kRewrite || (!adds_ && !drops_)) {
      return {};
    }
    const size_t places = stored.dropped.size() + new_table().columns.size() + 1;
    if (stored.row_versions < StoredForm::kRowVersionsMax && places < row::RowSchema::kMaxColumns) {
      ++new_table().stored.row_versions;
      return {};
    }
    if (request_.online.algorithm == "INSTANT") {
      return UserError(ER_INNODB_MAX_ROW_VERSION, InnodbName(name_.schema, name_.name));
    }
    work_ = Work::kRewrite;
    return {};
  }

  void NoteChangedColumn(const ColumnDescriptor& from, const ColumnDescriptor& to) {
    if (!StoredAlike(from.type, to.type)) {
      row::Type nullable = to.type.Nullable(from.type.nullable);
      type_changed_ |= !StoredAlike(from.type, nullable);
      must_rewrite_ = true;
    } else if (from.type.length != to.type.length && !from.type.is_enum_or_set()) {
      (GrowsInPlace(from.type, to.type) ? grows_ : grows_by_copy_) = true;
    }
    becomes_numbered_ |= to.auto_increment && !from.auto_increment;
    must_rewrite_ |= to.auto_increment && !from.auto_increment;
    nullable_changed_ |= from.type.nullable != to.type.nullable;
    recomputed_ |= from.generated != to.generated || from.generated_text != to.generated_text;
  }

  void NoteNewColumn(const ColumnDescriptor& column) {
    const ColumnDefault& value = column.default_value;
    const bool computed = column.generated != GeneratedKind::kNone;
    const bool no_value = value.kind == DefaultKind::kNone && column.type.has_date();
    adds_ = true;
    adds_numbers_ |= column.auto_increment;
    recomputed_ |= column.generated == GeneratedKind::kStored ||
                   (!computed && value.kind == DefaultKind::kExpression);
    must_rewrite_ |= computed || column.auto_increment || no_value || column.hidden;
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
  Status SetInitialValues() {
    for (size_t i = 0; i < new_table().columns.size(); ++i) {
      ColumnDescriptor& column = new_table().columns[i];
      if (finished_.column_sources[i] >= 0) {
        continue;
      }
      switch (column.default_value.kind) {
        case DefaultKind::kLiteral:
          column.initial_value = column.default_value.value;
          break;
        case DefaultKind::kNow: {
          const row::Value now = CurrentTimestamp(run_.session.statement_time_us(), column.type);
          ASSIGN_OR_RETURN(column.initial_value,
                           row::StoreConvert(now, row::Type::Timestamp(6), column.type,
                                             DefinitionConversion(run_, column.name)));
          break;
        }
        default:
          column.initial_value = ImplicitDefault(column.type);
      }
    }
    return {};
  }

  // INV-CAT-2: old columns keep their places, new ones get places after all that are stored.
  void SettleStoredForm() {
    const StoredForm& from = old_table().stored;
    StoredForm& to = new_table().stored;
    const size_t stored = old_table().columns.size() + from.dropped.size();
    std::vector<bool> used(stored);
    auto next = static_cast<uint32_t>(stored);
    bool in_order = true;
    for (size_t i = 0; i < new_table().columns.size(); ++i) {
      const int source = finished_.column_sources[i];
      const uint32_t place = source >= 0 ? from.PlaceOf(static_cast<size_t>(source)) : next++;
      if (source >= 0) {
        used[place] = true;
      }
      to.places.push_back(place);
      in_order = in_order && place == i;
    }
    to.dropped = from.dropped;
    for (const StoredForm::Dropped& dropped : to.dropped) {
      used[dropped.place] = true;
    }
    for (size_t i = 0; i < old_table().columns.size(); ++i) {
      const uint32_t place = from.PlaceOf(i);
      if (!used[place]) {
        to.dropped.push_back({place, old_table().columns[i].type.Nullable()});
      }
    }
    if (in_order && to.dropped.empty()) {
      to.places.clear();
    }
  }

  // Whether rewritten rows have the order of the old ones.
  bool KeepsOrder() const {
    const std::vector<IndexPart>& parts = finished_.table->indexes[0].parts;
    return clustered_ && std::all_of(parts.begin(), parts.end(), [&](const IndexPart& part) {
             const auto source = static_cast<size_t>(finished_.column_sources[part.column]);
             return StoredAlike(old_table().columns[source].type,
                                finished_.table->columns[part.column].type);
           });
  }

  Status PrepareRewrite(engine::TableAlteration* alteration) {
    alteration->keeps_order = KeepsOrder();
    new_table().stored = {};
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
    input.copies = copies_;
    input.null_error = copies_ ? WARN_DATA_TRUNCATED : ER_INVALID_USE_OF_NULL;
    input.next_row_id = [this] { return EngineOf(run_, old_table()).NextRowId(*engine_table_); };
    const SessionSettings& settings = run_.session.settings();
    input.first_auto_increment =
        std::max<uint64_t>(request_.auto_increment.value_or(1), settings.auto_increment_offset);
    input.auto_increment_step = settings.auto_increment_increment;
    input.numbers_zeros =
        becomes_numbered_ && (settings.sql_mode & row::kModeNoAutoValueOnZero) == 0;
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
    ASSIGN_OR_RETURN(engine::TableRef table,
                     EngineOf(run_, old_table()).FindTable(name.schema, name.name));
    return EngineOf(run_, old_table())
        .SetAutoIncrement(*table,
                          std::max<uint64_t>(request_.auto_increment.value_or(1), greatest + 1));
  }

  StatementRun& run_;
  const engine::TableName& name_;
  const AlterationRequest& request_;
  FinishedTable finished_;
  ForeignKeyValidation new_keys_;
  engine::TableRef engine_table_;
  Work work_ = Work::kDescription;
  AlterationNature nature_;
  bool must_rewrite_ = false;
  bool type_changed_ = false;
  bool copies_ = false;            // as MySQL's COPY: counts rows, tries checks
  bool recomputed_ = false;        // values of stored columns
  bool becomes_numbered_ = false;  // a column is AUTO_INCREMENT now and was not
  bool clustered_ = true;          // rows keep their keys
  bool adds_ = false;
  bool adds_numbers_ = false;
  bool drops_ = false;
  bool moves_ = false;          // columns among themselves
  bool grows_ = false;          // the length of a column; as MySQL does in place
  bool grows_by_copy_ = false;  // and as it does not
  bool nullable_changed_ = false;
  bool indexes_change_ = false;
  bool indexes_described_ = false;
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
