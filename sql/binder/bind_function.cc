// Functions and operators: by name through sql/functions, and those that the typed tree has nodes
// for (IF, COALESCE, NULLIF …), which evaluate lazily.
#include <algorithm>

#include "row/collation.h"
#include "row/decimal.h"
#include "sql/ast/print.h"
#include "sql/binder/binder_internal.h"
#include "sql/binder/evaluate.h"
#include "sql/binder/print_bound.h"
#include "sql/functions/function.h"

namespace borealis::sql {
namespace {

using row::Type;
using Kind = row::TypeKind;
using row::Value;

bool IsArithmetic(BinaryOp op) {
  return op <= BinaryOp::kShiftRight;
}

// A byte string, and no hexadecimal literal.
bool IsBytes(const BoundExpr& expr) {
  const auto* literal = expr.TryAs<BoundLiteral>();
  return expr.type.is_binary_string() && (literal == nullptr || !literal->hex);
}

// Whether & | ^ are over bytes: then hexadecimal literals are no numbers.
bool CombinesBytes(BinaryOp op, const BoundExpr& left, const BoundExpr& right) {
  return (op == BinaryOp::kBitAnd || op == BinaryOp::kBitOr || op == BinaryOp::kBitXor) &&
         left.type.is_binary_string() && right.type.is_binary_string() &&
         (IsBytes(left) || IsBytes(right));
}

std::string_view FunctionOfArithmetic(BinaryOp op) {
  return op == BinaryOp::kIntDivide ? "div" : BinaryOpText(op);
}

// Collects what folding would warn about: such an expression is left for each execution to warn.
class CountingSink final : public row::WarningSink {
 public:
  void AddWarning(row::WarningLevel, int, std::string) override { ++count_; }
  int count() const { return count_; }

 private:
  int count_ = 0;
};

// A function `name` of the database, or of the current one when that is not empty.
Status NoSuchFunction(std::string_view database, std::string_view name, bool collides = false) {
  std::string full = database.empty() ? "" : std::string(database) + ".";
  full.append(name);
  return collides ? UserError(ER_FUNC_INEXISTENT_NAME_COLLISION, full)
                  : UserError(ER_SP_DOES_NOT_EXIST, "FUNCTION", full);
}

bool PadsBlocks(std::string_view block_encryption_mode) {
  return block_encryption_mode.ends_with("-ecb") || block_encryption_mode.ends_with("-cbc");
}

// No row of the query around it says what it is.
bool IsSameForAllRows(const BoundExpr& expr) {
  bool same = true;
  Walk(expr, [&](const BoundExpr& part) {
    const BoundQuery* query = SubqueryOf(part);
    same &= !part.Is<BoundColumn>() && !part.Is<BoundAggregate>() && !part.Is<BoundWindow>() &&
            (query == nullptr || !query->correlated);
  });
  return same;
}

bool ArgsAreLiterals(const BoundExpr& expr) {
  return std::all_of(expr.args.begin(), expr.args.end(),
                     [](const BoundPtr& arg) { return arg->Is<BoundLiteral>(); });
}

}  // namespace

BoundPtr HexAsNumber(const BoundPtr& expr) {
  const auto* literal = expr->TryAs<BoundLiteral>();
  if (literal == nullptr || !literal->hex) {
    return expr;
  }
  uint64_t number = 0;
  for (char c : literal->value.bytes()) {
    number = number << 8 | static_cast<unsigned char>(c);
  }
  return MakeLiteral(Type::BigInt(true), Value::Uint(number));
}

Result<BoundPtr> StatementBinder::Fold(BoundPtr expr) {
  switch (expr->kind) {
    case BoundKind::kFunction:
      if (expr->As<BoundFunction>().function->def().stability != Stability::kPure) {
        return expr;
      }
      break;
    case BoundKind::kConvert:
      if (expr->As<BoundConvert>().mode == BoundConvert::Mode::kAnyValue) {
        return expr;
      }
      break;
    case BoundKind::kCompare:
    case BoundKind::kLogical:
    case BoundKind::kNot:
    case BoundKind::kIsNull:
    case BoundKind::kIsTruth:
    case BoundKind::kCase:
    case BoundKind::kIn:
      break;
    default:
      return expr;
  }
  if (!ArgsAreLiterals(*expr)) {
    return expr;
  }
  EvalContext& context = environment().eval_context();
  CountingSink sink;
  row::WarningSink* outer = std::exchange(context.conversion.warnings, &sink);
  EvalFrame frame;
  frame.context = &context;
  Result<Value> value = Evaluate(*expr, frame);
  context.conversion.warnings = outer;
  if (!value.ok() || sink.count() != 0) {
    return expr;
  }
  Value owned = std::move(value).value();
  owned.Own();
  auto literal = std::make_shared<BoundLiteral>(expr->type, std::move(owned));
  literal->type.nullable = literal->value.is_null();
  literal->coercibility = expr->coercibility;
  literal->folded_from = std::move(expr);
  return BoundPtr(literal);
}

bool SameFunction(const BoundFunction& a, const BoundFunction& b) {
  const FunctionInstance& x = *a.function;
  const FunctionInstance& y = *b.function;
  return &x.def() == &y.def() && x.def().stability != Stability::kVolatile &&
         x.options().unit == y.options().unit && x.options().subtract == y.options().subtract &&
         x.options().trim_leading == y.options().trim_leading &&
         x.options().trim_trailing == y.options().trim_trailing &&
         x.options().cast_type == y.options().cast_type &&
         x.options().json_error_on_empty == y.options().json_error_on_empty &&
         x.options().json_error_on_error == y.options().json_error_on_error &&
         x.options().json_default_on_empty.Identical(y.options().json_default_on_empty) &&
         x.options().json_default_on_error.Identical(y.options().json_default_on_error) &&
         a.type == b.type;
}

Result<BoundPtr> StatementBinder::MakeFunction(std::string_view name, std::vector<BoundPtr> args) {
  return MakeFunctionWith(name, std::move(args), FunctionOptions());
}

namespace {

// Bytes among the texts of a call become text; regular expressions refuse the mix (3995).
void BytesToText(const FunctionDef& def, row::CollationId collation, std::vector<BoundPtr>* args) {
  if (collation == row::kBinaryCollation || def.name.starts_with("regexp_")) {
    return;
  }
  for (size_t i = 0; i < args->size(); ++i) {
    BoundPtr& arg = (*args)[i];
    const bool takes_part = (def.collation_args >> std::min<size_t>(i, 31) & 1) != 0;
    if (takes_part && arg->type.is_binary_string()) {
      const Type text = arg->type.is_blob() ? Type::Text(Kind::kLongText, collation)
                                            : Type::Varchar(arg->type.length, collation);
      arg = Convert(arg, text.Nullable(arg->type.nullable));
    }
  }
}

}  // namespace

Result<BoundPtr> StatementBinder::MakeFunctionWith(std::string_view name,
                                                   std::vector<BoundPtr> args,
                                                   const FunctionOptions& options) {
  const FunctionDef* def = FindFunction(name);
  if (def == nullptr && IsMissingFunction(name)) {
    return UserError(ER_NOT_SUPPORTED_YET, std::string(name) + "()");
  }
  if (def == nullptr) {
    return NoSuchFunction(environment().database(), name);
  }
  RETURN_IF_ERROR(MarkJsonBooleans(name, &args));
  for (size_t i = 0; i < args.size(); ++i) {
    if ((def->number_args >> std::min<size_t>(i, 31) & 1) != 0) {
      args[i] = HexAsNumber(args[i]);
    }
  }
  BindSettings bind;
  bind.collation_connection = settings().collation_connection;
  bind.collation = settings().collation_connection;
  bind.div_precision_increment = settings().div_precision_increment;
  bind.sql_mode = settings().sql_mode;
  bind.aes_pads = PadsBlocks(settings().block_encryption_mode);
  Coercibility coercibility = Coercibility::kCoercible;
  if (def->collation_args != 0) {
    std::vector<BoundPtr> texts;
    for (size_t i = 0; i < args.size(); ++i) {
      if ((def->collation_args >> std::min<size_t>(i, 31) & 1) != 0) {
        texts.push_back(args[i]);
      }
    }
    const CollationUse use =
        def->compares_texts ? CollationUse::kComparison : CollationUse::kResult;
    const bool led = def->leading_arg >= 0;
    ASSIGN_OR_RETURN(
        MixedCollation mixed,
        MixCollations(led ? std::vector{args[static_cast<size_t>(def->leading_arg)]} : texts, name,
                      use));
    if (led && mixed.coercibility == Coercibility::kIgnorable) {
      mixed = {settings().collation_connection, Coercibility::kCoercible};
    }
    if (mixed.coercibility != Coercibility::kIgnorable) {
      RETURN_IF_ERROR(led ? CheckCharacters(texts, mixed.collation, name) : Status::Ok());
      bind.collation = mixed.collation;
      coercibility = mixed.coercibility;
      BytesToText(*def, mixed.collation, &args);
      for (BoundPtr& arg : args) {
        ASSIGN_OR_RETURN(arg, arg->Is<BoundConvert>() ? Fold(arg) : Result<BoundPtr>(arg));
      }
    }
  }
  std::vector<FunctionArg> described;
  described.reserve(args.size());
  for (const BoundPtr& arg : args) {
    const auto* literal = arg->TryAs<BoundLiteral>();
    described.push_back({arg->type, literal != nullptr ? &literal->value : nullptr});
  }
  FunctionOptions described_options = options;
  described_options.describe = [def, options, args] {
    return PrintBoundCall(def->name, options, args);
  };
  ASSIGN_OR_RETURN(std::shared_ptr<const FunctionInstance> instance,
                   BindFunction(*def, described, bind, described_options));
  auto node = std::make_shared<BoundFunction>(instance->type(), instance);
  if (node->type.is_null()) {
    node->coercibility = Coercibility::kIgnorable;
  } else if (node->type.is_string()) {
    node->coercibility =
        def->stability == Stability::kStatement ? Coercibility::kSystem : coercibility;
  }
  node->args = std::move(args);
  return Fold(node);
}

Result<BoundPtr> StatementBinder::BindOperator(BinaryOp op, BoundPtr left, BoundPtr right) {
  if (CombinesBytes(op, *left, *right)) {
    return MakeFunction(FunctionOfArithmetic(op), {std::move(left), std::move(right)});
  }
  if (IsArithmetic(op)) {
    return MakeFunction(FunctionOfArithmetic(op), {HexAsNumber(left), HexAsNumber(right)});
  }
  switch (op) {
    case BinaryOp::kXor: {
      ASSIGN_OR_RETURN(BoundPtr a, Truth(std::move(left)));
      ASSIGN_OR_RETURN(BoundPtr b, Truth(std::move(right)));
      return MakeFunction("xor", {std::move(a), std::move(b)});
    }
    case BinaryOp::kConcat:
      return MakeFunction("concat", {std::move(left), std::move(right)});
    case BinaryOp::kJsonExtract:
      return MakeFunction("json_extract", {std::move(left), std::move(right)});
    case BinaryOp::kJsonUnquote: {
      ASSIGN_OR_RETURN(BoundPtr inner,
                       MakeFunction("json_extract", {std::move(left), std::move(right)}));
      return MakeFunction("json_unquote", {std::move(inner)});
    }
    case BinaryOp::kMemberOf:
      return MakeFunction("member of", {std::move(left), std::move(right)});
    case BinaryOp::kSoundsLike: {
      ASSIGN_OR_RETURN(BoundPtr a, MakeFunction("soundex", {std::move(left)}));
      ASSIGN_OR_RETURN(BoundPtr b, MakeFunction("soundex", {std::move(right)}));
      return Compare(CompareOp::kEqual, std::move(a), std::move(b));
    }
    default:
      return Status::Internal("operator of an unknown kind");
  }
}

Result<BoundPtr> StatementBinder::MakeCoalesce(std::vector<BoundPtr> args, std::string_view name) {
  Coercibility coercibility = Coercibility::kNumeric;
  ASSIGN_OR_RETURN(Type type, CommonType(args, name, &coercibility));
  type.nullable = true;
  for (BoundPtr& arg : args) {
    type.nullable = type.nullable && arg->type.nullable;
    ASSIGN_OR_RETURN(arg, Fold(Convert(arg, type)));
  }
  if (args.size() == 1) {
    return args[0];
  }
  auto node = std::make_shared<BoundCase>(type);
  node->coalesce = true;
  node->form = name == "ifnull" ? BoundCase::Form::kIfNull : BoundCase::Form::kCoalesce;
  node->coercibility = coercibility;
  node->args = std::move(args);
  return Fold(node);
}

// Messages name a function in the letters of the statement.
std::string StatementBinder::NameAsWritten(const FunctionCall& expr) const {
  std::string_view written = text().substr(std::min<size_t>(expr.span.begin, text().size()));
  written.remove_prefix(written.starts_with('`') ? 1 : 0);
  written = written.substr(0, expr.name.size());
  return SameName(written, expr.name) ? std::string(written) : expr.name;
}

Result<BoundPtr> StatementBinder::BindFunctionCall(const FunctionCall& expr, Scope* scope) {
  if (!expr.schema.empty() || expr.name_collides) {
    const std::string_view database =
        expr.schema.empty() ? environment().database() : std::string_view(expr.schema);
    return NoSuchFunction(database, NameAsWritten(expr), expr.name_collides);
  }
  auto wrong_count = [&] {
    return UserError(ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, NameAsWritten(expr));
  };
  const std::string& name = expr.name;
  size_t count = expr.args.size();
  if (name == "grouping") {
    return BindGrouping(expr, scope);
  }
  if (name == "if") {
    if (count != 3) {
      return wrong_count();
    }
    ASSIGN_OR_RETURN(BoundPtr condition, BindChoice(*expr.args[0], scope));
    ASSIGN_OR_RETURN(BoundPtr then, BindExpr(*expr.args[1], scope));
    ASSIGN_OR_RETURN(BoundPtr otherwise, BindExpr(*expr.args[2], scope));
    return MakeCase({std::move(condition), std::move(then), std::move(otherwise)},
                    BoundCase::Form::kIf);
  }
  if (name == "name_const") {
    return count == 2 ? BindNameConst(expr, scope) : wrong_count();
  }
  ASSIGN_OR_RETURN(std::vector<BoundPtr> args, BindExprs(expr.args, scope));
  if (name == "benchmark") {
    return count == 2 ? MakeBenchmark(args[0], args[1]) : wrong_count();
  }
  if (name == "rand" && count == 1 && IsFixed(*args[0])) {
    return MakeFunction("rand sequence", std::move(args));
  }
  if (name == "ifnull" || name == "coalesce") {
    if (count == 0 || (name == "ifnull" && count != 2)) {
      return wrong_count();
    }
    return MakeCoalesce(std::move(args), name);
  }
  if (name == "nullif") {
    if (count != 2) {
      return wrong_count();
    }
    RETURN_IF_ERROR(CheckMix(args, name));
    ASSIGN_OR_RETURN(BoundPtr equal, Compare(CompareOp::kEqual, args[0], args[1]));
    ASSIGN_OR_RETURN(equal, Truth(std::move(equal)));
    BoundPtr null = Convert(NullLiteral(), args[0]->type);
    return MakeCase({std::move(equal), std::move(null), args[0]}, BoundCase::Form::kNullIf);
  }
  if (name == "isnull") {
    if (count != 1) {
      return wrong_count();
    }
    auto test = std::make_shared<BoundIsNull>(false);
    test->args = std::move(args);
    return Fold(test);
  }
  if (name == "coercibility") {
    if (count != 1) {
      return wrong_count();
    }
    // Before MySQL 9 "none" is told as 1.
    const Coercibility told = args[0]->coercibility;
    return MakeLiteral(Type::BigInt(),
                       Value::Int(told == Coercibility::kNone ? 1 : static_cast<int>(told)));
  }
  if (name == "any_value") {
    if (count != 1) {
      return wrong_count();
    }
    auto any = std::make_shared<BoundConvert>(args[0]->type, BoundConvert::Mode::kAnyValue);
    any->coercibility = args[0]->coercibility;
    any->args = std::move(args);
    return BoundPtr(any);
  }
  if (name == "row_count" || name == "found_rows" || name == "last_insert_id") {
    facts_->uncacheable |= name != "last_insert_id";
  }
  if (!expr.charset.empty() && expr.charset != "binary") {
    const row::Charset* charset = row::FindCharset(expr.charset);
    if (charset == nullptr) {
      return UserError(ER_UNKNOWN_CHARACTER_SET, expr.charset);
    }
    ASSIGN_OR_RETURN(BoundPtr bytes, MakeFunction(name, std::move(args)));
    auto text = std::make_shared<BoundConvert>(
        Type::Varchar(row::ColumnLengthBytes(bytes->type), charset->default_collation),
        BoundConvert::Mode::kCast);
    text->coercibility = Coercibility::kCoercible;
    text->args.push_back(std::move(bytes));
    return Fold(text);
  }
  if (expr.type.has_value()) {
    return Unsupported("WEIGHT_STRING AS type");
  }
  const FunctionDef* def = FindFunction(name);
  if (def == nullptr && !IsMissingFunction(name)) {
    return NoSuchFunction(environment().database(), NameAsWritten(expr));
  }
  if (def != nullptr && !AcceptsCount(*def, count)) {
    return wrong_count();
  }
  FunctionOptions options;
  if (expr.unit.has_value()) {
    options.unit = *expr.unit;
  }
  return MakeFunctionWith(name, std::move(args), options);
}

Result<BoundPtr> StatementBinder::BindSpecialFunction(const Expr& expr, Scope* scope) {
  auto negate = [&](BoundPtr operand) -> Result<BoundPtr> {
    auto negation = std::make_shared<BoundNot>();
    negation->type.nullable = operand->type.nullable;
    negation->args.push_back(std::move(operand));
    return Fold(negation);
  };
  FunctionOptions options;
  switch (expr.kind) {
    case ExprKind::kLike: {
      const auto& like = expr.As<Like>();
      std::vector<BoundPtr> args;
      ASSIGN_OR_RETURN(BoundPtr operand, BindExpr(*like.operand, scope));
      ASSIGN_OR_RETURN(BoundPtr pattern, BindExpr(*like.pattern, scope));
      args = {std::move(operand), std::move(pattern)};
      if (like.escape != nullptr) {
        ASSIGN_OR_RETURN(BoundPtr escape, BindExpr(*like.escape, scope));
        if (!IsSameForAllRows(*escape)) {
          return UserError(ER_WRONG_ARGUMENTS, "ESCAPE");
        }
        args.push_back(std::move(escape));
      } else if ((settings().sql_mode & row::kModeNoBackslashEscapes) != 0) {
        args.push_back(MakeLiteral(Type::Varchar(0, settings().collation_connection),
                                   Value::String(""), Coercibility::kCoercible));
      }
      ASSIGN_OR_RETURN(BoundPtr result, MakeFunction("like", std::move(args)));
      return like.negated ? negate(std::move(result)) : std::move(result);
    }
    case ExprKind::kRegexp: {
      const auto& regexp = expr.As<Regexp>();
      ASSIGN_OR_RETURN(BoundPtr operand, BindExpr(*regexp.operand, scope));
      ASSIGN_OR_RETURN(BoundPtr pattern, BindExpr(*regexp.pattern, scope));
      ASSIGN_OR_RETURN(BoundPtr result,
                       MakeFunction("regexp_like", {std::move(operand), std::move(pattern)}));
      return regexp.negated ? negate(std::move(result)) : std::move(result);
    }
    case ExprKind::kExtract: {
      const auto& extract = expr.As<Extract>();
      options.unit = extract.unit;
      ASSIGN_OR_RETURN(BoundPtr operand, BindExpr(*extract.operand, scope));
      return MakeFunctionWith("extract", {std::move(operand)}, options);
    }
    case ExprKind::kTrim: {
      const auto& trim = expr.As<Trim>();
      options.trim_leading = trim.side != TrimSide::kTrailing;
      options.trim_trailing = trim.side != TrimSide::kLeading;
      std::vector<BoundPtr> args;
      ASSIGN_OR_RETURN(BoundPtr operand, BindExpr(*trim.operand, scope));
      args.push_back(std::move(operand));
      if (trim.remove != nullptr) {
        ASSIGN_OR_RETURN(BoundPtr remove, BindExpr(*trim.remove, scope));
        args.push_back(std::move(remove));
      }
      return MakeFunctionWith("trim", std::move(args), options);
    }
    case ExprKind::kIntervalArithmetic: {
      const auto& arithmetic = expr.As<IntervalArithmetic>();
      options.unit = arithmetic.unit;
      options.subtract = arithmetic.subtract;
      ASSIGN_OR_RETURN(BoundPtr operand, BindExpr(*arithmetic.operand, scope));
      ASSIGN_OR_RETURN(BoundPtr amount, BindExpr(*arithmetic.amount, scope));
      return MakeFunctionWith("date_add", {std::move(operand), std::move(amount)}, options);
    }
    case ExprKind::kConvertUsing: {
      const auto& convert = expr.As<ConvertUsing>();
      ASSIGN_OR_RETURN(BoundPtr operand, BindExpr(*convert.operand, scope));
      Type type;
      uint64_t length = operand->type.is_string() ? row::MaxLength(operand->type)
                                                  : row::DisplayWidth(operand->type);
      if (convert.charset == "binary") {
        type = length > 65535 ? Type::Blob(Kind::kLongBlob)
                              : Type::Varbinary(row::ColumnLengthBytes(operand->type));
      } else {
        const row::Charset* charset = row::FindCharset(convert.charset);
        if (charset == nullptr) {
          return UserError(ER_UNKNOWN_CHARACTER_SET, convert.charset);
        }
        type = length > 16383
                   ? Type::Text(Kind::kLongText, charset->default_collation)
                   : Type::Varchar(static_cast<uint32_t>(length), charset->default_collation);
      }
      type.nullable = operand->type.nullable;
      auto node = std::make_shared<BoundConvert>(type, BoundConvert::Mode::kCast);
      node->coercibility = Coercibility::kImplicit;
      node->args.push_back(std::move(operand));
      return Fold(node);
    }
    default:
      return BindJsonValue(expr.As<JsonValue>(), scope);
  }
}

Result<BoundPtr> StatementBinder::BindDefault(const DefaultExpr& expr, Scope* scope) {
  if (expr.column == nullptr) {
    return Unsupported("DEFAULT in an expression");
  }
  ASSIGN_OR_RETURN(BoundPtr bound, BindColumnRef(expr.column->As<ColumnRef>(), scope));
  const auto* column = bound->TryAs<BoundColumn>();
  if (column == nullptr || column->table->table == nullptr) {
    return UnknownColumn(expr.column->As<ColumnRef>(), scope->clause);
  }
  const ColumnDescriptor& descriptor = column->table->table->columns[column->column];
  switch (descriptor.default_value.kind) {
    case DefaultKind::kLiteral:
      return MakeLiteral(descriptor.type, descriptor.default_value.value, bound->coercibility);
    case DefaultKind::kNone:
      return UserError(ER_NO_DEFAULT_FOR_FIELD, descriptor.name);
    case DefaultKind::kNow:
      return Unsupported("DEFAULT(column) of CURRENT_TIMESTAMP");
    case DefaultKind::kExpression:
      return UserError(ER_DEFAULT_AS_VAL_GENERATED);
  }
  return Status::Internal("default of an unknown kind");
}

Result<BoundPtr> StatementBinder::BindInsertValue(const InsertValue& expr, Scope* scope) {
  const auto& ref = expr.column->As<ColumnRef>();
  const Scope* changing = scope;
  while (changing != nullptr && changing->proposed == nullptr) {
    changing = changing->outer;
  }
  if (changing != scope) {
    // Outside ON DUPLICATE KEY UPDATE it is NULL, and of a subquery's own tables there.
    ASSIGN_OR_RETURN(BoundPtr column, BindColumnRef(ref, scope));
    const auto* bound = column->TryAs<BoundColumn>();
    if (changing == nullptr || bound == nullptr ||
        std::ranges::find(changing->from.tables, bound->table) == changing->from.tables.end()) {
      return Convert(NullLiteral(), column->type);
    }
  }
  const BoundTable& proposed = *changing->proposed;
  for (size_t i = 0; i < proposed.columns.size(); ++i) {
    const BoundTableColumn& column = proposed.columns[i];
    if (!column.name.empty() && SameName(column.name, ref.column)) {
      auto bound = std::make_shared<BoundColumn>(column.type, &proposed, static_cast<uint32_t>(i));
      bound->coercibility = column.coercibility;
      return BoundPtr(bound);
    }
  }
  return UnknownColumn(ref, scope->clause);
}

}  // namespace borealis::sql
