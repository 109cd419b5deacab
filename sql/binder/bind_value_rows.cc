// The rows of VALUES (sql/ast/value_rows.h): literals are looked at, only what they do not say
// themselves is bound.
#include <algorithm>

#include "row/collation.h"
#include "sql/binder/binder_internal.h"

namespace borealis::sql {
namespace {

using row::Type;

// Whether a literal of this text is the text: BindLiteral knows what else it may be, and what has
// to be warned of.
bool MeansItself(std::string_view text, const SessionSettings& settings) {
  if (row::IsAscii(text)) {
    return true;
  }
  const row::CharsetId client = settings.character_set_client;
  if (settings.collation_connection == row::kBinaryCollation) {
    return client != row::CharsetId::kLatin1;  // whose bytes it would be
  }
  const auto valid_in = [&](const row::Charset& charset) {
    return charset.ValidPrefix(text) == text.size();
  };
  const row::Charset& charset = row::GetCollation(settings.collation_connection).charset();
  const bool narrow = client == row::CharsetId::kAscii || client == row::CharsetId::kUtf8mb3;
  return valid_in(charset) && (!narrow || valid_in(row::GetCharset(client)));
}

Type StringType(row::CollationId collation) {
  return collation == row::kBinaryCollation
             ? Type::Blob(row::TypeKind::kLongBlob).NotNull()
             : Type::Text(row::TypeKind::kLongText, collation).NotNull();
}

// Of a cell that is bound.
bool IsDefault(const ValueCell& cell, const BoundValues& values) {
  return cell.kind == ValueCell::Kind::kDefault ||
         (cell.kind == ValueCell::Kind::kExpression && values.expressions[cell.bits] == nullptr);
}

}  // namespace

Status StatementBinder::BindValueRows(const InsertStmt& statement, Scope* scope,
                                      BoundInsert* insert) {
  BoundValues& values = insert->values;
  values.rows = &statement.rows;
  values.expressions.resize(statement.rows.expressions().size());
  values.string_type = StringType(settings().collation_connection);
  const auto& columns = insert->table->columns;
  const bool has_generated = std::ranges::any_of(insert->columns, [&](uint32_t column) {
    return columns[column].generated != GeneratedKind::kNone;
  });
  for (size_t r = 0; r < statement.rows.size(); ++r) {
    const std::span<const ValueCell> cells = statement.rows[r];
    // VALUES () is a row of defaults.
    if (cells.size() != insert->columns.size() &&
        !(cells.empty() && (!statement.has_columns || insert->columns.empty()))) {
      return UserError(ER_WRONG_VALUE_COUNT_ON_ROW, r + 1);
    }
    for (size_t i = 0; i < cells.size(); ++i) {
      RETURN_IF_ERROR(BindValueCell(cells[i], insert->columns[i], scope, insert));
    }
    for (size_t i = 0; has_generated && i < cells.size(); ++i) {
      if (!IsDefault(cells[i], values)) {
        RETURN_IF_ERROR(RefuseGenerated(*insert->table, insert->columns[i]));
      }
    }
  }
  for (const BoundPtr& value : values.expressions) {
    if (value != nullptr) {
      RETURN_IF_ERROR(RefuseReadingTarget(*value, InsertedInto(*insert)));
    }
  }
  return Status::Ok();
}

Status StatementBinder::BindValueCell(const ValueCell& cell, uint32_t column, Scope* scope,
                                      BoundInsert* insert) {
  using Kind = ValueCell::Kind;
  BoundValues& values = insert->values;
  const bool is_expression = cell.kind == Kind::kExpression;
  const Expr* expr = is_expression ? values.rows->expressions()[cell.bits].get() : nullptr;
  if (cell.kind == Kind::kDefault || (is_expression && IsBareDefault(*expr))) {
    return Status::Ok();
  }
  if (is_expression) {
    scope->clause = Clause::kFieldList;
    ASSIGN_OR_RETURN(BoundPtr value, BindExpr(*expr, scope));
    if (scope->has_aggregate) {
      return UserError(ER_INVALID_GROUP_FUNC_USE);
    }
    if (insert->table->columns[column].type.is_numeric()) {
      value = HexAsNumber(value);
    }
    values.expressions[cell.bits] = std::move(value);
  } else if (cell.kind == Kind::kString) {
    const std::string_view text = values.rows->TextOf(cell);
    if (!MeansItself(text, settings())) {
      Literal literal;
      literal.type = LiteralKind::kString;
      literal.text = text;
      literal.first_part = text.size();
      ASSIGN_OR_RETURN(values.strings[cell.bits], BindLiteral(literal));
    }
  }
  return Status::Ok();
}

}  // namespace borealis::sql
