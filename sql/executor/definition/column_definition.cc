// The columns of a table draft: types, defaults, the keys and checks written on them, and edits of
// ALTER TABLE.
#include <fmt/format.h>

#include <algorithm>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "sql/ast/print.h"
#include "sql/binder/binder.h"
#include "sql/binder/column_type.h"
#include "sql/binder/evaluate.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/stored_text.h"
#include "sql/executor/definition/table_draft.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr size_t kCommentChars = 1024;

Status InvalidDefault(const std::string& column) {
  return UserError(ER_INVALID_DEFAULT, column);
}

// The fractional digits of NOW(n), CURRENT_TIMESTAMP; -1 when `expr` is something else.
int NowDigits(const Expr& expr) {
  const auto* call = expr.TryAs<FunctionCall>();
  if (call == nullptr || call->name != "now") {
    return -1;
  }
  if (call->args.empty()) {
    return 0;
  }
  const auto* digits = call->args[0]->TryAs<Literal>();
  return digits != nullptr && digits->type == LiteralKind::kInteger
             ? static_cast<int>(digits->integer)
             : -1;
}

bool IsNullLiteral(const Expr& expr) {
  const auto* literal = expr.TryAs<Literal>();
  return literal != nullptr && literal->type == LiteralKind::kNull;
}

// DATE'…' and its kind, which MySQL takes for functions here.
bool IsTemporalLiteral(const Expr& expr) {
  const auto* literal = expr.TryAs<Literal>();
  return literal != nullptr &&
         (literal->type == LiteralKind::kDate || literal->type == LiteralKind::kTime ||
          literal->type == LiteralKind::kTimestamp);
}

bool TakesNow(const row::Type& type) {
  return type.kind == row::TypeKind::kDateTime || type.kind == row::TypeKind::kTimestamp;
}

bool CanCount(const row::Type& type) {
  return type.is_integer() || type.is_floating();
}

// x'41' and b'1' written as the default of a number count as numbers.
std::optional<row::Value> NumberOfBytes(const Expr& expr, const row::Type& type) {
  const auto* literal = expr.TryAs<Literal>();
  if (literal == nullptr || !type.is_numeric() || type.kind == row::TypeKind::kBit ||
      (literal->type != LiteralKind::kHex && literal->type != LiteralKind::kBit) ||
      literal->text.size() > 8) {
    return std::nullopt;
  }
  uint64_t number = 0;
  for (char c : literal->text) {
    number = number << 8 | static_cast<unsigned char>(c);
  }
  return row::Value::Uint(number);
}

// Tells what the conversion of a default tells, and knows whether that was more than notes.
class DefaultWarnings final : public row::WarningSink {
 public:
  explicit DefaultWarnings(Diagnostics* diagnostics) : diagnostics_(*diagnostics) {}
  void AddWarning(row::WarningLevel level, int mysql_errno, std::string message) override {
    warned_ |= level != row::WarningLevel::kNote;
    diagnostics_.AddWarning(level, mysql_errno, std::move(message));
  }
  bool warned() const { return warned_; }

 private:
  Diagnostics& diagnostics_;
  bool warned_ = false;
};

// Whether the text is a member of the ENUM, or members of the SET: numbers stand for none here.
bool NamesMembers(const row::Type& type, std::string_view text) {
  const row::Collation& collation = row::GetCollation(type.collation);
  const auto is_member = [&](std::string_view name) {
    return std::ranges::any_of(*type.members, [&](const std::string& member) {
      return collation.Compare(member, name) == 0;
    });
  };
  if (type.kind == row::TypeKind::kEnum) {
    return is_member(text);
  }
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    if (!is_member(text.substr(0, end))) {
      return false;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

}  // namespace

std::string StoredExpression(const StatementRun& run, const Expr& expr) {
  PrintOptions options;
  options.bare_columns = true;
  options.default_charset =
      row::GetCollation(run.session.settings().collation_connection).charset().name;
  options.cast_charset = options.default_charset;
  return PrintExpr(expr, options);
}

bool MentionsColumn(std::string_view text, std::string_view column) {
  StoredTextFacts facts = ReadStoredText(text);
  return std::any_of(facts.columns.begin(), facts.columns.end(),
                     [&](const std::string& name) { return SameName(name, column); });
}

Status TableDraft::BuildLiteralDefault(const Expr& expr, DraftColumn* draft) {
  ColumnDescriptor& column = draft->column;
  if (IsTemporalLiteral(expr)) {
    return InvalidDefault(column.name);
  }
  if (IsNullLiteral(expr)) {
    if (!column.type.nullable) {
      return InvalidDefault(column.name);
    }
    draft->null_written = true;
    column.default_value = {DefaultKind::kLiteral, row::Value::Null(), ""};
    return {};
  }
  bool large = column.type.is_blob() || column.type.kind == row::TypeKind::kJson;
  if (large) {
    const auto* literal = expr.TryAs<Literal>();
    bool empty =
        literal != nullptr && literal->type == LiteralKind::kString && literal->text.empty();
    Status refused = UserError(ER_BLOB_CANT_HAVE_DEFAULT, column.name);
    if (row::IsStrict(run_.session.settings().sql_mode) || !empty) {
      return refused;
    }
    run_.session.diagnostics().AddWarning(refused);
    return {};
  }
  BindInput input;
  input.environment = &run_.session.binder_environment();
  input.text = run_.text;
  StatementFacts facts;
  ASSIGN_OR_RETURN(BoundPtr bound, BindScalar(expr, input, &facts));
  if (!IsConstant(*bound)) {
    return InvalidDefault(column.name);
  }
  EvalFrame frame;
  frame.context = &run_.session.eval_context();
  ASSIGN_OR_RETURN(row::Value value, Evaluate(*bound, frame));
  row::Type from = bound->type;
  if (std::optional<row::Value> number = NumberOfBytes(expr, column.type)) {
    value = *number;
    from = row::Type::BigInt(true);
  }
  if (column.type.is_enum_or_set()) {
    std::string text = row::ToText(value, from);
    if (!NamesMembers(column.type, text)) {
      return InvalidDefault(column.name);
    }
    from = row::Type::Varchar(static_cast<uint32_t>(text.size()), row::kDefaultCollation);
    value = row::Value::String(std::move(text));
  }
  // A row's value would be adjusted without strict mode; a default never is.
  Diagnostics& diagnostics = run_.session.diagnostics();
  DefaultWarnings warnings(&diagnostics);
  row::ConversionContext conversion = DefinitionConversion(run_, column.name);
  conversion.strict = row::IsStrict(run_.session.settings().sql_mode);
  conversion.warnings = &warnings;
  Result<row::Value> stored = row::StoreConvert(value, from, column.type, conversion);
  if (stored.status().user_errno() != 0) {
    diagnostics.AddError(stored.status());
  }
  if (!stored.ok() || stored->is_null() || warnings.warned()) {
    return InvalidDefault(column.name);
  }
  stored->Own();
  column.default_value = {DefaultKind::kLiteral, std::move(stored).value(), ""};
  return {};
}

Status TableDraft::BuildDefault(const DefaultValue& value, DraftColumn* draft) {
  ColumnDescriptor& column = draft->column;
  if (column.generated != GeneratedKind::kNone) {
    return UserError(ER_WRONG_USAGE, "DEFAULT", "generated column");
  }
  if (column.auto_increment) {
    return InvalidDefault(column.name);
  }
  int now = NowDigits(*value.expr);
  if (now >= 0 && (!value.parenthesised || (TakesNow(column.type) && now == column.type.scale))) {
    if (!TakesNow(column.type) || now != column.type.scale) {
      return InvalidDefault(column.name);
    }
    column.default_value = {DefaultKind::kNow, row::Value::Null(), ""};
    return {};
  }
  if (value.parenthesised) {
    column.default_value = {DefaultKind::kExpression, row::Value::Null(),
                            StoredExpression(run_, *value.expr)};
    return {};
  }
  return BuildLiteralDefault(*value.expr, draft);
}

Result<DraftColumn> TableDraft::BuildColumn(const ColumnDefinition& definition) {
  RETURN_IF_ERROR(CheckColumnName(definition.name));
  DraftColumn draft;
  ColumnDescriptor& column = draft.column;
  column.name = definition.name;
  ColumnTypeInput input;
  input.column = definition.name;
  input.collation = options_.collation;
  input.sql_mode = run_.session.settings().sql_mode;
  input.warnings = &run_.session.diagnostics();
  ASSIGN_OR_RETURN(column.type, ResolveColumnType(definition.type, input));
  column.type.nullable = definition.nullable.value_or(!definition.type.serial);
  column.collation_written = column.type.has_collation() && (!definition.type.charset.empty() ||
                                                             !definition.type.collation.empty());
  draft.null_written = definition.nullable.value_or(false);
  column.auto_increment = definition.auto_increment || definition.type.serial;
  column.invisible = !definition.visible.value_or(true);
  column.comment = definition.comment.value_or("");
  if (row::CharCount(column.comment) > kCommentChars) {
    return UserError(ER_TOO_LONG_FIELD_COMMENT, column.name, kCommentChars);
  }
  if (definition.generated.has_value()) {
    column.generated =
        definition.generated->stored ? GeneratedKind::kStored : GeneratedKind::kVirtual;
    column.generated_text = StoredExpression(run_, *definition.generated->expr);
  }
  if (column.auto_increment) {
    if (column.generated != GeneratedKind::kNone) {
      return UserError(ER_WRONG_USAGE, "AUTO_INCREMENT", "generated column");
    }
    if (!CanCount(column.type)) {
      return UserError(ER_WRONG_FIELD_SPEC, column.name);
    }
    column.type.nullable = false;
  }
  if (definition.default_value.has_value()) {
    RETURN_IF_ERROR(BuildDefault(*definition.default_value, &draft));
  } else if (column.type.nullable && column.generated == GeneratedKind::kNone) {
    column.default_value = {DefaultKind::kLiteral, row::Value::Null(), ""};
  }
  if (definition.on_update != nullptr) {
    int digits = NowDigits(*definition.on_update);
    if (!TakesNow(column.type) || digits != column.type.scale) {
      return UserError(ER_INVALID_ON_UPDATE, column.name);
    }
    if (column.generated != GeneratedKind::kNone) {
      return UserError(ER_WRONG_USAGE, "ON UPDATE", "generated column");
    }
    column.on_update_now = true;
  }
  return draft;
}

Status TableDraft::AddColumnKeys(const ColumnDefinition& definition) {
  if (definition.primary_key) {
    IndexDefinition index;
    index.type = IndexType::kPrimary;
    index.parts.emplace_back();
    index.parts.back().column = definition.name;
    RETURN_IF_ERROR(AddIndex(index));
  }
  if (definition.unique || definition.type.serial) {
    IndexDefinition index;
    index.type = IndexType::kUnique;
    index.parts.emplace_back();
    index.parts.back().column = definition.name;
    RETURN_IF_ERROR(AddIndex(index));
  }
  for (const CheckConstraint& check : definition.checks) {
    RETURN_IF_ERROR(AddCheck(check, definition.name));
  }
  return {};
}

Status TableDraft::AddColumn(const ColumnDefinition& definition,
                             const std::optional<ColumnPosition>& position) {
  ASSIGN_OR_RETURN(DraftColumn draft, BuildColumn(definition));
  if (FindColumn(definition.name) >= 0) {
    return UserError(ER_DUP_FIELDNAME, definition.name);
  }
  columns_.push_back(std::move(draft));
  if (position.has_value()) {
    RETURN_IF_ERROR(MoveColumn(columns_.size() - 1, *position));
  }
  return AddColumnKeys(definition);
}

Status TableDraft::ReplaceColumn(size_t position, const ColumnDefinition& definition) {
  ASSIGN_OR_RETURN(DraftColumn draft, BuildColumn(definition));
  // Rows hold what a stored column computed, and nothing of a virtual one.
  if ((columns_[position].column.generated == GeneratedKind::kVirtual) !=
      (draft.column.generated == GeneratedKind::kVirtual)) {
    return UserError(ER_UNSUPPORTED_ACTION_ON_GENERATED_COLUMN, "Changing the STORED status");
  }
  std::string old_name = columns_[position].column.name;
  if (old_name != definition.name) {
    int other = FindColumn(definition.name);
    if (other >= 0 && static_cast<size_t>(other) != position) {
      return UserError(ER_DUP_FIELDNAME, definition.name);
    }
    RETURN_IF_ERROR(RenameColumn(old_name, definition.name));
  }
  draft.source = columns_[position].source;
  draft.column.initial_value = columns_[position].column.initial_value;
  columns_[position] = std::move(draft);
  return AddColumnKeys(definition);
}

Status TableDraft::MoveColumn(size_t position, const ColumnPosition& to) {
  DraftColumn moved = std::move(columns_[position]);
  columns_.erase(columns_.begin() + static_cast<ptrdiff_t>(position));
  ptrdiff_t at = 0;
  if (!to.first) {
    int after = FindColumn(to.after);
    if (after < 0) {
      return UserError(ER_BAD_FIELD_ERROR, to.after, name_.name);
    }
    at = after + 1;
  }
  columns_.insert(columns_.begin() + at, std::move(moved));
  return {};
}

namespace {

Status CheckNotInChecks(const std::vector<DraftCheck>& checks, std::string_view column,
                        bool dropping) {
  for (const DraftCheck& check : checks) {
    const bool only = ReadStoredText(check.check.text).columns.size() == 1;
    if (MentionsColumn(check.check.text, column) && !(dropping && only)) {
      return UserError(ER_DEPENDENT_BY_CHECK_CONSTRAINT, check.check.name, column);
    }
  }
  return {};
}

}  // namespace

Status TableDraft::CheckNotReferenced(std::string_view name, bool dropping) const {
  const Status by_check = CheckNotInChecks(checks_, name, dropping);
  RETURN_IF_ERROR(dropping ? Status::Ok() : by_check);  // told first of a new name
  for (const DraftColumn& other : columns_) {
    const ColumnDescriptor& column = other.column;
    if (SameName(column.name, name) && !column.hidden) {
      continue;
    }
    if (column.generated != GeneratedKind::kNone && MentionsColumn(column.generated_text, name)) {
      return column.hidden ? UserError(ER_DEPENDENT_BY_FUNCTIONAL_INDEX, name)
                           : UserError(ER_DEPENDENT_BY_GENERATED_COLUMN, name);
    }
    if (column.default_value.kind == DefaultKind::kExpression &&
        MentionsColumn(column.default_value.text, name)) {
      return UserError(ER_DEPENDENT_BY_DEFAULT_GENERATED_VALUE, name, name_.name);
    }
  }
  return by_check;
}

Status TableDraft::DropColumn(std::string_view name, bool added_again) {
  int position = FindColumn(name);
  if (position < 0) {
    return UserError(ER_CANT_DROP_FIELD_OR_KEY, name);
  }
  for (const DraftForeignKey& key : foreign_keys_) {
    if (std::ranges::any_of(key.columns,
                            [&](const std::string& column) { return SameName(column, name); })) {
      return UserError(ER_FK_COLUMN_CANNOT_DROP, name, key.key.name);
    }
  }
  RETURN_IF_ERROR(CheckNotReferenced(name, true));
  std::string dropped = columns_[static_cast<size_t>(position)].column.name;
  columns_.erase(columns_.begin() + position);
  std::erase_if(checks_,
                [&](const DraftCheck& check) { return MentionsColumn(check.check.text, dropped); });
  for (DraftIndex& index : indexes_) {
    if (added_again) {
      break;
    }
    std::erase_if(index.parts,
                  [&](const DraftPart& part) { return SameName(part.column, dropped); });
  }
  std::erase_if(indexes_, [](const DraftIndex& index) { return index.parts.empty(); });
  return {};
}

Status TableDraft::RenameColumn(std::string_view from, std::string_view to) {
  RETURN_IF_ERROR(CheckColumnName(to));
  int position = FindColumn(from);
  if (position < 0) {
    return UserError(ER_BAD_FIELD_ERROR, from, name_.name);
  }
  if (!SameName(from, to)) {
    if (FindColumn(to) >= 0) {
      return UserError(ER_DUP_FIELDNAME, to);
    }
    RETURN_IF_ERROR(CheckNotReferenced(from, false));
  }
  std::string old = columns_[static_cast<size_t>(position)].column.name;
  columns_[static_cast<size_t>(position)].column.name = to;
  for (DraftIndex& index : indexes_) {
    for (DraftPart& part : index.parts) {
      if (SameName(part.column, old)) {
        part.column = to;
      }
    }
  }
  for (DraftForeignKey& key : foreign_keys_) {
    std::replace_if(
        key.columns.begin(), key.columns.end(),
        [&](const std::string& column) { return SameName(column, old); }, std::string(to));
  }
  return {};
}

Status TableDraft::SetDefault(std::string_view name, const DefaultValue* value) {
  int position = FindColumn(name);
  if (position < 0) {
    return UserError(ER_BAD_FIELD_ERROR, name, name_.name);
  }
  DraftColumn& draft = columns_[static_cast<size_t>(position)];
  if (value != nullptr && IsTemporalLiteral(*value->expr)) {
    return InvalidDefault(draft.column.name);
  }
  draft.column.default_value = {};
  return value == nullptr ? Status::Ok() : BuildDefault(*value, &draft);
}

}  // namespace borealis::sql
