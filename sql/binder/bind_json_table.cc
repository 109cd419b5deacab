// JSON_TABLE in FROM: its document, which may name tables before it, and its columns.
#include "row/collation.h"
#include "row/json/parse.h"
#include "sql/binder/binder_internal.h"
#include "sql/binder/column_type.h"
#include "sql/functions/json_table.h"

namespace borealis::sql {
namespace {

using row::Type;

Result<row::JsonPath> ParsePath(const std::string& text) {
  row::JsonPath path;
  size_t position = 0;
  if (!row::JsonPath::Parse(text, &path, &position)) {
    return UserError(ER_INVALID_JSON_PATH, position);
  }
  return path;
}

Status CheckDocument(const Type& type) {
  if (type.is_binary_string()) {
    return UserError(ER_INVALID_JSON_CHARSET, "binary");
  }
  const bool usable = type.is_null() || type.is_text() || type.kind == row::TypeKind::kJson;
  return usable ? Status() : UserError(ER_INVALID_TYPE_FOR_JSON, 1, "json_table");
}

}  // namespace

Result<std::unique_ptr<BoundFrom>> StatementBinder::BindJsonTable(const JsonTable& ref,
                                                                  Scope* scope,
                                                                  ScopeTables* tables) {
  Scope inside = ScopeOfTable(scope, true);
  ASSIGN_OR_RETURN(BoundPtr document, BindExpr(*ref.document, &inside));
  if (inside.has_aggregate) {
    return UserError(ER_INVALID_GROUP_FUNC_USE);
  }
  RETURN_IF_ERROR(CheckDocument(document->type));
  auto spec = std::make_shared<JsonTableSpec>();
  ASSIGN_OR_RETURN(spec->root.path, ParsePath(ref.path));
  BoundTable* table = NewTable(scope->query, BoundTableKind::kJsonTable, ref.alias);
  RETURN_IF_ERROR(BindJsonColumns(ref.columns, table, spec.get(), &spec->root));
  table->document = std::move(document);
  table->json = std::move(spec);
  ExposeTable(table, tables);
  auto from = std::make_unique<BoundFrom>();
  from->table = table;
  return from;
}

Status StatementBinder::BindJsonColumns(const std::vector<JsonTableColumn>& columns,
                                        BoundTable* table, JsonTableSpec* spec,
                                        JsonTableLevel* level) {
  for (const JsonTableColumn& column : columns) {
    if (column.kind == JsonTableColumn::Kind::kNested) {
      JsonTableLevel nested;
      ASSIGN_OR_RETURN(nested.path, ParsePath(column.path));
      RETURN_IF_ERROR(BindJsonColumns(column.nested, table, spec, &nested));
      level->nested.push_back(std::move(nested));
      continue;
    }
    JsonTableField field;
    field.name = column.name;
    field.position = spec->types.size();
    for (const BoundTableColumn& other : table->columns) {
      if (SameName(other.name, column.name)) {
        return UserError(ER_DUP_FIELDNAME, other.name);
      }
    }
    ASSIGN_OR_RETURN(field.type, JsonColumnType(column));
    if (column.kind == JsonTableColumn::Kind::kOrdinality) {
      field.kind = JsonTableField::Kind::kOrdinality;
    } else {
      field.kind = column.kind == JsonTableColumn::Kind::kPath ? JsonTableField::Kind::kPath
                                                               : JsonTableField::Kind::kExists;
      ASSIGN_OR_RETURN(field.path, ParsePath(column.path));
      field.error_on_empty = column.on_empty.kind == JsonOnKind::kError;
      field.error_on_error = column.on_error.kind == JsonOnKind::kError;
      ASSIGN_OR_RETURN(field.on_empty, JsonColumnDefault(column.on_empty, field));
      ASSIGN_OR_RETURN(field.on_error, JsonColumnDefault(column.on_error, field));
    }
    BoundTableColumn bound;
    bound.name = column.name;
    bound.org_name = column.name;
    bound.org_table = table->alias;
    bound.type = field.type;
    bound.coercibility = ColumnCoercibility(field.type);
    table->columns.push_back(std::move(bound));
    spec->types.push_back(field.type);
    level->fields.push_back(std::move(field));
  }
  return {};
}

Result<Type> StatementBinder::JsonColumnType(const JsonTableColumn& column) {
  if (column.kind == JsonTableColumn::Kind::kOrdinality) {
    return Type::BigInt().Nullable();
  }
  ColumnTypeInput input;
  input.column = column.name;
  input.collation = settings().collation_connection;
  input.sql_mode = settings().sql_mode;
  ASSIGN_OR_RETURN(Type type, ResolveColumnType(column.type, input));
  if (names_ != nullptr && type.is_text()) {
    names_->json_charsets[&column] = row::GetCollation(type.collation).charset().name;
  }
  return type.Nullable();
}

Result<row::Value> StatementBinder::JsonColumnDefault(const JsonOn& on,
                                                      const JsonTableField& field) {
  if (on.kind != JsonOnKind::kDefault) {
    return row::Value::Null();
  }
  const auto* literal = on.value->TryAs<Literal>();
  if (literal == nullptr || literal->type != LiteralKind::kString) {
    return Unsupported("a DEFAULT of JSON_TABLE that is no string");
  }
  row::JsonNode tree;
  row::JsonError error;
  if (!row::ParseJson(literal->text, &tree, &error)) {
    return UserError(ER_INVALID_JSON_TEXT_IN_PARAM, 1, "JSON_TABLE", error.reason, error.position);
  }
  ASSIGN_OR_RETURN(std::string bytes, row::JsonBytes(tree));
  row::Value value;
  RETURN_IF_ERROR(
      ConvertJsonField(environment().eval_context(), row::JsonView(bytes), field, &value));
  value.Own();
  return value;
}

}  // namespace borealis::sql
