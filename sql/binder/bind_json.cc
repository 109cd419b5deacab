// What JSON asks of the binder: comparison with other types, truth values as arguments, JSON_VALUE.
#include <algorithm>

#include "row/collation.h"
#include "sql/binder/binder_internal.h"
#include "sql/binder/evaluate.h"
#include "sql/functions/function.h"

namespace borealis::sql {
namespace {

using row::Type;
using Kind = row::TypeKind;

// The first argument that such a function makes JSON of, and the step to the next.
struct ValueArguments {
  std::string_view function;
  size_t first;
  size_t step;
};
constexpr ValueArguments kValueArguments[] = {
    {"json_array", 0, 1},        {"json_object", 1, 2},      {"json_set", 2, 2},
    {"json_insert", 2, 2},       {"json_replace", 2, 2},     {"json_array_append", 2, 2},
    {"json_array_insert", 2, 2}, {"member of", 0, SIZE_MAX}, {"json scalar", 0, SIZE_MAX},
};

// Functions whose result MySQL takes for a truth value.
constexpr std::string_view kPredicates[] = {"like",
                                            "regexp_like",
                                            "xor",
                                            "json_contains",
                                            "json_contains_path",
                                            "json_overlaps",
                                            "member of",
                                            "json_valid",
                                            "json_schema_valid",
                                            "between",
                                            "in",
                                            "isnull",
                                            "is_uuid",
                                            "strcmp"};

}  // namespace

bool IsTruthValue(const BoundExpr& expr) {
  switch (expr.kind) {
    case BoundKind::kLiteral: {
      const auto& literal = expr.As<BoundLiteral>();
      return literal.boolean ||
             (literal.folded_from != nullptr && IsTruthValue(*literal.folded_from));
    }
    case BoundKind::kFunction: {
      std::string_view name = expr.As<BoundFunction>().function->def().name;
      return std::find(std::begin(kPredicates), std::end(kPredicates), name) !=
             std::end(kPredicates);
    }
    case BoundKind::kConvert:
      return expr.As<BoundConvert>().mode == BoundConvert::Mode::kTruth;
    case BoundKind::kCompare:
    case BoundKind::kLogical:
    case BoundKind::kNot:
    case BoundKind::kIsNull:
    case BoundKind::kIsTruth:
    case BoundKind::kIn:
    case BoundKind::kExists:
    case BoundKind::kInSubquery:
      return true;
    default:
      return false;
  }
}

Status StatementBinder::MarkJsonBooleans(std::string_view function, std::vector<BoundPtr>* args) {
  for (const ValueArguments& known : kValueArguments) {
    if (known.function != function) {
      continue;
    }
    for (size_t i = known.first; i < args->size(); i += std::min(known.step, args->size())) {
      if (IsTruthValue(*(*args)[i])) {
        ASSIGN_OR_RETURN((*args)[i], MakeFunction("json boolean", {(*args)[i]}));
      }
    }
  }
  return {};
}

Result<BoundPtr> StatementBinder::AsJson(BoundPtr expr) {
  if (expr->type.kind == Kind::kJson) {
    return expr;
  }
  return MakeFunction("json scalar", {std::move(expr)});
}

Result<BoundPtr> StatementBinder::CompareJson(CompareOp op, BoundPtr a, BoundPtr b) {
  ASSIGN_OR_RETURN(a, AsJson(std::move(a)));
  ASSIGN_OR_RETURN(b, AsJson(std::move(b)));
  auto compare = std::make_shared<BoundCompare>(op);
  compare->type.nullable =
      op != CompareOp::kNullSafeEqual && (a->type.nullable || b->type.nullable);
  compare->args = {std::move(a), std::move(b)};
  return Fold(compare);
}

// The value of DEFAULT … ON EMPTY or ON ERROR; NULL where none is written.
Result<row::Value> StatementBinder::JsonDefault(const JsonOn& on, const Type& type, Scope* scope) {
  if (on.kind != JsonOnKind::kDefault) {
    return row::Value::Null();
  }
  ASSIGN_OR_RETURN(BoundPtr bound, BindExpr(*on.value, scope));
  const auto* literal = bound->TryAs<BoundLiteral>();
  if (literal == nullptr) {
    return Unsupported("a DEFAULT of JSON_VALUE that is no literal");
  }
  row::ConversionContext strict = environment().eval_context().conversion;
  strict.strict = true;
  strict.column = "json_value";
  ASSIGN_OR_RETURN(row::Value value,
                   row::StoreConvert(literal->value, literal->type, type, strict));
  value.Own();
  return value;
}

Result<BoundPtr> StatementBinder::BindJsonValue(const JsonValue& expr, Scope* scope) {
  std::vector<BoundPtr> args(2);
  ASSIGN_OR_RETURN(args[0], BindExpr(*expr.document, scope));
  ASSIGN_OR_RETURN(args[1], BindExpr(*expr.path, scope));
  FunctionOptions options;
  options.cast_type = Type::Varchar(512, row::kUtf8mb4_0900Bin);
  if (expr.returning.has_value()) {
    ASSIGN_OR_RETURN(options.cast_type, CastType(*expr.returning, *args[0], settings()));
  }
  options.json_error_on_empty = expr.on_empty.kind == JsonOnKind::kError;
  options.json_error_on_error = expr.on_error.kind == JsonOnKind::kError;
  ASSIGN_OR_RETURN(options.json_default_on_empty,
                   JsonDefault(expr.on_empty, options.cast_type, scope));
  ASSIGN_OR_RETURN(options.json_default_on_error,
                   JsonDefault(expr.on_error, options.cast_type, scope));
  return MakeFunctionWith("json_value", std::move(args), options);
}

}  // namespace borealis::sql
