// Expressions: literals, variables, operators, conditions, CASE, CAST, COLLATE.
#include <fmt/format.h>

#include <algorithm>

#include "row/collation.h"
#include "row/convert.h"
#include "row/date_delimiters.h"
#include "row/decimal.h"
#include "row/shown_bytes.h"
#include "row/temporal.h"
#include "sql/ast/print.h"
#include "sql/binder/binder_internal.h"
#include "sql/functions/function.h"

namespace borealis::sql {
namespace {

using row::Type;
using Kind = row::TypeKind;
using row::Value;

BoundPtr One(std::shared_ptr<BoundExpr> node, BoundPtr arg) {
  node->args.push_back(std::move(arg));
  return node;
}

// The text as one of `charset`, with a warning where it is none. A client's own character set keeps
// what is malformed in it: it is refused when it is to be stored.
std::string FittingText(const std::string& text, row::CharsetId sent_as,
                        const row::Charset& charset, EvalContext& context, StatementFacts* facts) {
  const row::Charset& client = row::GetCharset(sent_as);
  size_t valid = charset.ValidPrefix(text);
  const bool narrow = sent_as == row::CharsetId::kAscii || sent_as == row::CharsetId::kUtf8mb3;
  if (narrow && sent_as != charset.id) {
    valid = std::min(valid, client.ValidPrefix(text));
  }
  if (valid == text.size()) {
    return text;
  }
  facts->uncacheable = true;  // each execution warns
  row::WarningSink* warnings = context.conversion.warnings;
  if (sent_as == charset.id || sent_as == row::CharsetId::kBinary) {
    if (warnings != nullptr) {
      warnings->AddWarning(UserError(ER_INVALID_CHARACTER_STRING, charset.name,
                                     row::HexOfBadBytes(std::string_view(text).substr(valid))));
    }
    return text;
  }
  if (warnings != nullptr) {
    const std::string sent = sent_as == row::CharsetId::kLatin1 ? client.Encode(text) : text;
    warnings->AddWarning(row::WarningLevel::kWarning, ER_INVALID_CHARACTER_STRING,
                         fmt::format("Cannot convert string '{}' from {} to {}",
                                     row::EscapedBytes(sent), client.name, charset.name));
  }
  return charset.Decode(charset.Encode(narrow ? client.Encode(text) : text));
}

Result<BoundPtr> BindStringLiteral(const Literal& literal, const SessionSettings& settings,
                                   EvalContext& context, StatementFacts* facts) {
  row::CollationId collation = settings.collation_connection;
  row::CharsetId sent_as = settings.character_set_client;
  if (!literal.charset.empty()) {
    const row::Charset* charset = row::FindCharset(literal.charset);
    if (charset == nullptr) {
      return UserError(ER_UNKNOWN_CHARACTER_SET, literal.charset);
    }
    collation = charset->default_collation;
    sent_as = charset->id;
  }
  if (collation == row::kBinaryCollation) {
    std::string bytes = sent_as == row::CharsetId::kLatin1
                            ? row::GetCharset(sent_as).Encode(literal.text)
                            : literal.text;
    const auto size = static_cast<uint32_t>(bytes.size());
    return MakeLiteral(Type::Varbinary(size), Value::String(std::move(bytes)),
                       Coercibility::kCoercible);
  }
  std::string text =
      FittingText(literal.text, sent_as, row::GetCollation(collation).charset(), context, facts);
  const auto characters = static_cast<uint32_t>(row::CharCount(text));
  return MakeLiteral(Type::Varchar(characters, collation), Value::String(std::move(text)),
                     Coercibility::kCoercible);
}

}  // namespace

StatementBinder::StatementBinder(const BindInput& input, StatementFacts* facts)
    : input_(input), facts_(facts), text_(input.text), names_(input.names) {
  facts_->parameter_count = static_cast<uint32_t>(input.parameters.size());
}

Result<BoundPtr> StatementBinder::BindExpr(const Expr& expr, Scope* scope) {
  switch (expr.kind) {
    case ExprKind::kLiteral:
      return BindLiteral(expr.As<Literal>());
    case ExprKind::kParameter:
      return BindParameter(expr.As<Parameter>());
    case ExprKind::kColumnRef:
      return BindColumnRef(expr.As<ColumnRef>(), scope);
    case ExprKind::kUserVariable:
      return BindUserVariable(expr.As<UserVariable>());
    case ExprKind::kSystemVariable:
      return BindSystemVariable(expr.As<SystemVariable>());
    case ExprKind::kVariableAssignment:
      return BindAssignVariable(expr.As<VariableAssignment>(), scope);
    case ExprKind::kUnary:
      return BindUnary(expr.As<Unary>(), scope);
    case ExprKind::kBinary:
      return BindBinary(expr.As<Binary>(), scope);
    case ExprKind::kLogical:
      return BindLogical(expr.As<Logical>(), scope);
    case ExprKind::kIs:
      return BindIs(expr.As<IsExpr>(), scope);
    case ExprKind::kBetween:
      return BindBetween(expr.As<Between>(), scope);
    case ExprKind::kInList:
      return BindInList(expr.As<InList>(), scope);
    case ExprKind::kInSubquery:
      return BindInSubquery(expr.As<InSubquery>(), scope);
    case ExprKind::kExists:
      return BindExists(expr.As<Exists>(), scope);
    case ExprKind::kQuantified:
      return BindQuantified(expr.As<Quantified>(), scope);
    case ExprKind::kSubquery:
      return BindScalarSubquery(expr.As<Subquery>(), scope);
    case ExprKind::kRow:
      return UserError(ER_OPERAND_COLUMNS, 1);
    case ExprKind::kCase:
      return BindCase(expr.As<CaseExpr>(), scope);
    case ExprKind::kCast:
      return BindCast(expr.As<Cast>(), scope);
    case ExprKind::kCollate:
      return BindCollate(expr.As<Collate>(), scope);
    case ExprKind::kFunctionCall:
      return BindFunctionCall(expr.As<FunctionCall>(), scope);
    case ExprKind::kAggregate:
      return BindAggregate(expr.As<Aggregate>(), scope);
    case ExprKind::kWindowFunction:
      return BindWindowFunction(expr.As<WindowFunction>(), scope);
    case ExprKind::kLike:
    case ExprKind::kRegexp:
    case ExprKind::kConvertUsing:
    case ExprKind::kExtract:
    case ExprKind::kTrim:
    case ExprKind::kIntervalArithmetic:
    case ExprKind::kJsonValue:
      return BindSpecialFunction(expr, scope);
    case ExprKind::kMatchAgainst:
      return Unsupported("MATCH … AGAINST");
    case ExprKind::kDefault:
      return BindDefault(expr.As<DefaultExpr>(), scope);
    case ExprKind::kInsertValue:
      return BindInsertValue(expr.As<InsertValue>(), scope);
  }
  return Status::Internal("expression of an unknown kind");
}

Result<std::vector<BoundPtr>> StatementBinder::BindExprs(const std::vector<ExprPtr>& exprs,
                                                         Scope* scope) {
  std::vector<BoundPtr> bound;
  bound.reserve(exprs.size());
  for (const ExprPtr& expr : exprs) {
    ASSIGN_OR_RETURN(BoundPtr one, BindExpr(*expr, scope));
    bound.push_back(std::move(one));
  }
  return bound;
}

Result<BoundPtr> StatementBinder::BindCondition(const Expr& expr, Scope* scope) {
  ASSIGN_OR_RETURN(BoundPtr bound, BindExpr(expr, scope));
  return Truth(std::move(bound));
}

Result<BoundPtr> StatementBinder::BindChoice(const Expr& expr, Scope* scope) {
  ASSIGN_OR_RETURN(BoundPtr bound, BindExpr(expr, scope));
  return bound->type.kind == Kind::kJson ? Fold(Convert(std::move(bound), Type::Double()))
                                         : Truth(std::move(bound));
}

Result<BoundPtr> StatementBinder::Truth(BoundPtr expr) {
  expr = HexAsNumber(expr);
  if (expr->type.kind == Kind::kJson) {
    environment().eval_context().conversion.Warn(UserError(ER_WARN_JSON_IN_BOOLEAN_CONTEXT));
    return CompareJson(CompareOp::kNotEqual, std::move(expr),
                       MakeLiteral(Type::BigInt(), Value::Int(0)));
  }
  const Type& type = expr->type;
  bool flipped = !SameRegisterForm(type, Type::BigInt());
  if (type.is_null() || (type.is_integral() && !flipped) || type.is_floating()) {
    return expr;
  }
  return Fold(Convert(std::move(expr), Type::Boolean(), BoundConvert::Mode::kTruth));
}

Result<BoundPtr> StatementBinder::BindLiteral(const Literal& literal) {
  switch (literal.type) {
    case LiteralKind::kNull:
      return NullLiteral();
    case LiteralKind::kBoolean: {
      Type type = Type::BigInt();
      type.length = 1;
      auto truth = std::make_shared<BoundLiteral>(
          type.NotNull(), Value::Int(static_cast<int64_t>(literal.integer)));
      truth->boolean = true;
      return BoundPtr(truth);
    }
    case LiteralKind::kInteger: {
      bool big = literal.integer > static_cast<uint64_t>(INT64_MAX);
      Type type = Type::BigInt(big);
      type.length = static_cast<uint32_t>(std::max<size_t>(literal.text.size(), 1) +
                                          (big ? 0 : 1));  // the sign counts
      return MakeLiteral(type, big ? Value::Uint(literal.integer)
                                   : Value::Int(static_cast<int64_t>(literal.integer)));
    }
    case LiteralKind::kDecimal: {
      row::Decimal number;
      if (row::Decimal::Parse(literal.text, &number) == row::DecimalStatus::kBadNumber) {
        return UserError(ER_ILLEGAL_VALUE_FOR_TYPE, "decimal", literal.text);
      }
      return MakeLiteral(Type::Decimal(static_cast<uint32_t>(number.precision()),
                                       static_cast<uint8_t>(number.scale())),
                         Value::Dec(number));
    }
    case LiteralKind::kFloat: {
      size_t consumed = 0;
      bool overflow = false;
      double number = row::DoubleOfText(literal.text, &consumed, &overflow);
      if (overflow) {
        return UserError(ER_ILLEGAL_VALUE_FOR_TYPE, "double", literal.text);
      }
      return MakeLiteral(Type::Double(), Value::Double(number));
    }
    case LiteralKind::kString:
      return BindStringLiteral(literal, settings(), environment().eval_context(), facts_);
    case LiteralKind::kHex:
    case LiteralKind::kBit: {
      if (!literal.charset.empty() && literal.charset != "binary") {
        const row::Charset* charset = row::FindCharset(literal.charset);
        if (charset == nullptr) {
          return UserError(ER_UNKNOWN_CHARACTER_SET, literal.charset);
        }
        std::string text = charset->Decode(literal.text);
        if (const size_t valid = charset->ValidPrefix(text); valid < text.size()) {
          return UserError(ER_INVALID_CHARACTER_STRING, charset->name,
                           row::HexOfBadBytes(std::string_view(text).substr(valid)));
        }
        Type type =
            Type::Varchar(static_cast<uint32_t>(row::CharCount(text)), charset->default_collation);
        return MakeLiteral(type, Value::String(std::move(text)), Coercibility::kCoercible);
      }
      auto bytes = std::make_shared<BoundLiteral>(
          Type::Varbinary(static_cast<uint32_t>(literal.text.size())).NotNull(),
          Value::String(literal.text));
      bytes->coercibility = Coercibility::kCoercible;
      bytes->hex = literal.charset.empty();  // _binary 0x41 is bytes, whatever is wanted
      return BoundPtr(bytes);
    }
    case LiteralKind::kDate:
    case LiteralKind::kTime:
    case LiteralKind::kTimestamp:
      return BindTemporalLiteral(literal);
  }
  return Status::Internal("literal of an unknown kind");
}

Result<BoundPtr> StatementBinder::BindTemporalLiteral(const Literal& literal) {
  row::ParsedTemporal parsed;
  row::SqlMode mode = settings().sql_mode;
  auto wrong = [&](std::string_view type) { return UserError(ER_WRONG_VALUE, type, literal.text); };
  if (literal.type == LiteralKind::kTime) {
    int64_t time = 0;
    if (row::ParseTime(literal.text, &parsed) != row::TemporalStatus::kOk ||
        !row::FinishTime(parsed, 6, mode, &time)) {
      return wrong("TIME");
    }
    return MakeLiteral(Type::Time(static_cast<uint8_t>(parsed.fraction_digits)), Value::Time(time));
  }
  int64_t packed = 0;
  bool date_only = literal.type == LiteralKind::kDate;
  if (row::ParseDateTime(literal.text, mode, &parsed) != row::TemporalStatus::kOk ||
      parsed.has_time == date_only || !row::FinishDateTime(parsed, 6, mode, &packed)) {
    return wrong(date_only ? "DATE" : "DATETIME");
  }
  row::WarnOfDelimiters(literal.text, environment().eval_context().conversion);
  if (date_only) {
    return MakeLiteral(Type::Date(), Value::Date(packed));
  }
  return MakeLiteral(Type::DateTime(static_cast<uint8_t>(parsed.fraction_digits)),
                     Value::DateTime(packed));
}

Result<BoundPtr> StatementBinder::BindParameter(const Parameter& parameter) {
  if (input_.describe_only || parameter.index >= input_.parameters.size()) {
    return NullLiteral();
  }
  const TypedValue& given = input_.parameters[parameter.index];
  if (input_.frame && !given.type.is_null()) {
    auto variable = std::make_shared<BoundParameter>(given.type.Nullable(), parameter.index);
    variable->coercibility = ColumnCoercibility(given.type);
    return BoundPtr(variable);
  }
  if (given.value.is_null()) {
    return NullLiteral();
  }
  Type type = given.type;
  type.nullable = false;
  if (type.is_text()) {
    type.collation = settings().collation_connection;
  }
  auto bound = std::make_shared<BoundParameter>(type, parameter.index);
  bound->coercibility = type.is_string() ? Coercibility::kCoercible : Coercibility::kNumeric;
  return BoundPtr(bound);
}

Result<BoundPtr> StatementBinder::BindSystemVariable(const SystemVariable& expr) {
  ASSIGN_OR_RETURN(TypedValue value, environment().SystemVariable(expr.scope, expr.name));
  facts_->uncacheable = true;
  Coercibility coercibility =
      value.type.is_string() ? Coercibility::kSystem : Coercibility::kNumeric;
  if (value.value.is_null() && value.type.is_null()) {
    return NullLiteral();
  }
  return MakeLiteral(std::move(value.type), std::move(value.value), coercibility);
}

Result<BoundPtr> StatementBinder::BindUserVariable(const UserVariable& expr) {
  facts_->uncacheable = true;
  const TypedValue* value = environment().UserVariable(expr.name);
  Type type = value != nullptr ? value->type : Type::Null();
  if (type.is_null()) {
    // What an unset variable would be once something is assigned to it.
    type = Type::Text(Kind::kLongText, settings().collation_connection);
  }
  type.nullable = true;
  if (facts_->assigns_variables) {
    auto variable = std::make_shared<BoundUserVariable>(type, FoldName(expr.name));
    variable->coercibility = type.is_string() ? Coercibility::kImplicit : Coercibility::kNumeric;
    return BoundPtr(variable);
  }
  if (value == nullptr || value->value.is_null()) {
    return MakeLiteral(type, Value::Null(), Coercibility::kIgnorable);
  }
  return MakeLiteral(type, value->value,
                     type.is_string() ? Coercibility::kImplicit : Coercibility::kNumeric);
}

Result<BoundPtr> StatementBinder::BindAssignVariable(const VariableAssignment& expr, Scope* scope) {
  facts_->uncacheable = true;
  facts_->assigns_variables = true;
  ASSIGN_OR_RETURN(BoundPtr value, BindExpr(*expr.value, scope));
  // Variables are integers, decimals, doubles or strings.
  if (value->type.is_temporal() || value->type.is_enum_or_set()) {
    Type text = Type::Varchar(row::DisplayWidth(value->type), settings().collation_connection);
    value = Convert(std::move(value), text);
  } else if (value->type.kind == Kind::kJson) {
    value = Convert(std::move(value), Type::Text(Kind::kLongText, row::kUtf8mb4Bin));
  } else if (value->type.is_integral()) {
    value = Convert(std::move(value), Type::BigInt(value->type.is_unsigned));
  } else if (value->type.kind == Kind::kFloat) {
    value = Convert(std::move(value), Type::Double());
  }
  Type type = value->type;
  type.nullable = true;
  auto assign = std::make_shared<BoundAssignVariable>(type, FoldName(expr.name));
  assign->coercibility = value->coercibility;
  return One(std::move(assign), std::move(value));
}

Result<BoundPtr> StatementBinder::BindUnary(const Unary& expr, Scope* scope) {
  if (expr.op == UnaryOp::kNot) {
    ASSIGN_OR_RETURN(BoundPtr operand, BindCondition(*expr.operand, scope));
    auto negation = std::make_shared<BoundNot>();
    negation->type.nullable = operand->type.nullable;
    return Fold(One(std::move(negation), std::move(operand)));
  }
  // -9223372036854775808 is a literal, though 9223372036854775808 alone is unsigned.
  if (const auto* literal = expr.operand->TryAs<Literal>();
      literal != nullptr && expr.op == UnaryOp::kMinus && literal->type == LiteralKind::kInteger) {
    if (literal->integer <= static_cast<uint64_t>(INT64_MAX) + 1) {
      Type type = Type::BigInt();
      type.length = static_cast<uint32_t>(literal->text.size() + 1);
      return MakeLiteral(type, Value::Int(static_cast<int64_t>(~literal->integer + 1)));
    }
    row::Decimal number = row::Decimal::FromUint64(literal->integer).Negated();
    return MakeLiteral(Type::Decimal(static_cast<uint32_t>(number.precision()), 0),
                       Value::Dec(number));
  }
  ASSIGN_OR_RETURN(BoundPtr operand, BindExpr(*expr.operand, scope));
  switch (expr.op) {
    case UnaryOp::kMinus:
      return MakeFunction("unary_minus", {std::move(operand)});
    case UnaryOp::kBitNot:
      return MakeFunction("bit_not", {std::move(operand)});
    case UnaryOp::kPlus:
    case UnaryOp::kNot:
      break;
  }
  return operand;
}

Result<BoundPtr> StatementBinder::BindBinary(const Binary& expr, Scope* scope) {
  const auto compare = [&](CompareOp op) {
    return BindComparison(op, *expr.left, *expr.right, scope);
  };
  switch (expr.op) {
    case BinaryOp::kEqual:
      return compare(CompareOp::kEqual);
    case BinaryOp::kNullSafeEqual:
      return compare(CompareOp::kNullSafeEqual);
    case BinaryOp::kNotEqual:
      return compare(CompareOp::kNotEqual);
    case BinaryOp::kLess:
      return compare(CompareOp::kLess);
    case BinaryOp::kLessEqual:
      return compare(CompareOp::kLessEqual);
    case BinaryOp::kGreater:
      return compare(CompareOp::kGreater);
    case BinaryOp::kGreaterEqual:
      return compare(CompareOp::kGreaterEqual);
    default:
      break;
  }
  ASSIGN_OR_RETURN(BoundPtr left, BindExpr(*expr.left, scope));
  ASSIGN_OR_RETURN(BoundPtr right, BindExpr(*expr.right, scope));
  return BindOperator(expr.op, std::move(left), std::move(right));
}

Result<BoundPtr> StatementBinder::BindLogical(const Logical& expr, Scope* scope) {
  auto logical = std::make_shared<BoundLogical>(expr.is_and);
  logical->type.nullable = false;
  for (const ExprPtr& operand : expr.operands) {
    ASSIGN_OR_RETURN(BoundPtr bound, BindCondition(*operand, scope));
    logical->type.nullable |= bound->type.nullable;
    logical->args.push_back(std::move(bound));
  }
  return Fold(logical);
}

Result<BoundPtr> StatementBinder::BindIs(const IsExpr& expr, Scope* scope) {
  if (expr.test == IsTest::kNull) {
    ASSIGN_OR_RETURN(BoundPtr operand, BindExpr(*expr.operand, scope));
    return Fold(One(std::make_shared<BoundIsNull>(expr.negated), std::move(operand)));
  }
  ASSIGN_OR_RETURN(BoundPtr operand, BindCondition(*expr.operand, scope));
  if (expr.test == IsTest::kUnknown) {
    return Fold(One(std::make_shared<BoundIsNull>(expr.negated), std::move(operand)));
  }
  return Fold(One(std::make_shared<BoundIsTruth>(expr.test == IsTest::kTrue, expr.negated),
                  std::move(operand)));
}

Result<BoundPtr> StatementBinder::MakeCase(std::vector<BoundPtr> args, BoundCase::Form form) {
  std::vector<BoundPtr> results;
  for (size_t i = 1; i < args.size(); i += 2) {
    results.push_back(args[i]);
  }
  bool has_else = args.size() % 2 == 1;
  if (has_else) {
    results.push_back(args.back());
  }
  Coercibility coercibility = Coercibility::kNumeric;
  const std::string_view name = form == BoundCase::Form::kIf       ? "if"
                                : form == BoundCase::Form::kNullIf ? "nullif"
                                                                   : "case";
  ASSIGN_OR_RETURN(Type type, CommonType(results, name, &coercibility));
  if (!has_else) {
    type.nullable = true;
  }
  auto node = std::make_shared<BoundCase>(type);
  node->form = form;
  node->coercibility = coercibility;
  for (size_t i = 0; i < args.size(); ++i) {
    bool result = i % 2 == 1 || (has_else && i + 1 == args.size());
    if (result) {
      ASSIGN_OR_RETURN(args[i], Fold(Convert(args[i], type)));
    }
    node->args.push_back(std::move(args[i]));
  }
  return Fold(node);
}

namespace {

// CASE compares documents with each other and with texts as texts, which "=" does not.
void DocumentsAsTexts(BoundPtr* a, BoundPtr* b) {
  const auto is_text = [](const BoundPtr& expr) {
    return expr->type.kind == Kind::kJson || expr->type.is_string();
  };
  if (!is_text(*a) || !is_text(*b)) {
    return;
  }
  for (BoundPtr* const expr : {a, b}) {
    if ((*expr)->type.kind == Kind::kJson) {
      Type type = Type::Text(Kind::kLongText, row::kUtf8mb4Bin);
      type.nullable = (*expr)->type.nullable;
      auto convert = std::make_shared<BoundConvert>(type, BoundConvert::Mode::kImplicit);
      convert->coercibility = Coercibility::kImplicit;
      *expr = One(std::move(convert), std::move(*expr));
    }
  }
}

}  // namespace

Result<BoundPtr> StatementBinder::BindCase(const CaseExpr& expr, Scope* scope) {
  BoundPtr operand;
  if (expr.operand != nullptr) {
    ASSIGN_OR_RETURN(operand, BindExpr(*expr.operand, scope));
  }
  std::vector<BoundPtr> args;
  for (const CaseExpr::When& when : expr.whens) {
    BoundPtr condition;
    if (operand != nullptr) {
      ASSIGN_OR_RETURN(BoundPtr value, BindExpr(*when.condition, scope));
      BoundPtr compared = operand;
      DocumentsAsTexts(&compared, &value);
      RETURN_IF_ERROR(CheckMix({compared, value}, "case"));
      ASSIGN_OR_RETURN(condition,
                       Compare(CompareOp::kEqual, std::move(compared), std::move(value)));
    } else {
      ASSIGN_OR_RETURN(condition, BindChoice(*when.condition, scope));
    }
    args.push_back(std::move(condition));
    ASSIGN_OR_RETURN(BoundPtr result, BindExpr(*when.result, scope));
    args.push_back(std::move(result));
  }
  if (expr.otherwise != nullptr) {
    ASSIGN_OR_RETURN(BoundPtr otherwise, BindExpr(*expr.otherwise, scope));
    args.push_back(std::move(otherwise));
  }
  return MakeCase(std::move(args),
                  operand != nullptr ? BoundCase::Form::kSimpleCase : BoundCase::Form::kCase);
}

// A TIMESTAMP, or a literal that says TIMESTAMP, as the date and time that it is in `zone`.
Result<BoundPtr> StatementBinder::AtTimeZone(BoundPtr operand, std::string_view zone) {
  const Type& type = operand->type;
  const bool literal = type.kind == Kind::kDateTime && operand->Is<BoundLiteral>();
  if (type.kind != Kind::kTimestamp && !literal && !type.is_null()) {
    return UserError(ER_INVALID_CAST, "TIMESTAMP WITH TIME ZONE");
  }
  if (zone != "+00:00" && !SameName(zone, "UTC")) {
    return UserError(ER_UNKNOWN_TIME_ZONE, zone);
  }
  auto text = [&](std::string_view name) {
    return MakeLiteral(Type::Varchar(static_cast<uint32_t>(name.size()), row::kUtf8mb4GeneralCi),
                       row::Value::String(std::string(name)));
  };
  return MakeFunction("convert_tz",
                      {std::move(operand), text(settings().time_zone), text("+00:00")});
}

Result<BoundPtr> StatementBinder::BindCast(const Cast& expr, Scope* scope) {
  if (expr.array) {
    return Unsupported("CAST( .. AS .. ARRAY)");
  }
  ASSIGN_OR_RETURN(BoundPtr operand, BindExpr(*expr.operand, scope));
  if (expr.time_zone.has_value()) {
    ASSIGN_OR_RETURN(operand, AtTimeZone(std::move(operand), *expr.time_zone));
  }
  ASSIGN_OR_RETURN(Type type, CastType(expr.type, *operand, settings()));
  if (type.is_numeric()) {
    operand = HexAsNumber(operand);
  }
  // Dates from text and the like may turn out to be none.
  type.nullable = operand->type.nullable || type.is_temporal() || type.kind == Kind::kJson;
  if (type.kind == Kind::kJson && IsTruthValue(*operand)) {
    return MakeFunction("json boolean", {std::move(operand)});
  }
  auto convert = std::make_shared<BoundConvert>(type, BoundConvert::Mode::kCast);
  convert->coercibility = type.is_string() ? Coercibility::kImplicit : Coercibility::kNumeric;
  return Fold(One(std::move(convert), std::move(operand)));
}

Result<BoundPtr> StatementBinder::BindCollate(const Collate& expr, Scope* scope) {
  ASSIGN_OR_RETURN(BoundPtr operand, BindExpr(*expr.operand, scope));
  const row::Collation* collation = row::FindCollation(expr.collation);
  if (collation == nullptr) {
    return UserError(ER_UNKNOWN_COLLATION, expr.collation);
  }
  Type type = operand->type;
  const bool bare_null = type.kind == Kind::kNull && !operand->Is<BoundParameter>() &&
                         !operand->Is<BoundUserVariable>();
  const auto has_other_charset = [&] {
    return row::GetCollation(type.collation).charset().id != collation->charset().id;
  };
  if (!type.is_text() && !(type.is_enum_or_set() && has_other_charset())) {
    if (type.is_binary_string() || bare_null) {
      if (collation->id() != row::kBinaryCollation) {
        return UserError(ER_COLLATION_CHARSET_MISMATCH, collation->name(), "binary");
      }
      return operand;
    }
    type = Type::Varchar(row::DisplayWidth(operand->type), collation->id());
    type.nullable = operand->type.nullable;
  } else if (has_other_charset()) {
    // A number's text is ASCII and takes any character set.
    if (operand->coercibility <= Coercibility::kCoercible) {
      return UserError(ER_COLLATION_CHARSET_MISMATCH, collation->name(),
                       row::GetCollation(type.collation).charset().name);
    }
  }
  type.collation = collation->id();
  auto convert = std::make_shared<BoundConvert>(type, BoundConvert::Mode::kImplicit);
  convert->coercibility = Coercibility::kExplicit;
  return One(std::move(convert), std::move(operand));
}

namespace {

// Characters of an operand as text; DECIMAL(2,2) is shown with a zero before the point.
uint64_t TextLength(const Type& type) {
  const bool leading_zero = type.is_decimal() && type.length == type.scale;
  return type.is_string() ? row::MaxLength(type) : row::DisplayWidth(type) + (leading_zero ? 1 : 0);
}

}  // namespace

Result<row::Type> CastType(const TypeName& name, const BoundExpr& operand,
                           const SessionSettings& settings) {
  auto fsp = [&]() -> Result<uint8_t> {
    uint64_t digits = name.length.value_or(0);
    if (digits > 6) {
      return UserError(ER_TOO_BIG_PRECISION, digits, "CAST", 6);
    }
    return static_cast<uint8_t>(digits);
  };
  switch (name.kind) {
    case sql::TypeKind::kBigInt:
      return Type::BigInt(name.is_unsigned);
    case sql::TypeKind::kDecimal: {
      uint64_t precision = name.length.value_or(10);
      uint64_t scale = name.scale.value_or(0);
      if (precision == 0) {
        precision = 10;
      }
      if (precision > 65) {
        return UserError(ER_TOO_BIG_PRECISION, precision, "CAST", 65);
      }
      if (scale > 30) {
        return UserError(ER_TOO_BIG_SCALE, scale, "CAST", 30);
      }
      if (scale > precision) {
        return UserError(ER_M_BIGGER_THAN_D, "");
      }
      return Type::Decimal(static_cast<uint32_t>(precision), static_cast<uint8_t>(scale));
    }
    case sql::TypeKind::kFloat:
      return Type::Float();
    case sql::TypeKind::kDouble:
      return Type::Double();
    case sql::TypeKind::kDate:
      return Type::Date();
    case sql::TypeKind::kYear:
      return Type::Year();
    case sql::TypeKind::kTime: {
      ASSIGN_OR_RETURN(uint8_t digits, fsp());
      return Type::Time(digits);
    }
    case sql::TypeKind::kDatetime: {
      ASSIGN_OR_RETURN(uint8_t digits, fsp());
      return Type::DateTime(digits);
    }
    case sql::TypeKind::kJson:
      return Type::Json();
    case sql::TypeKind::kBinary:
    case sql::TypeKind::kVarbinary: {
      uint64_t length =
          name.length.value_or(operand.type.is_string() ? row::ColumnLengthBytes(operand.type)
                                                        : TextLength(operand.type));
      if (!name.length.has_value()) {
        return length > 65535 ? Type::Blob(Kind::kLongBlob)
                              : Type::Varbinary(static_cast<uint32_t>(length));
      }
      return Type::Binary(static_cast<uint32_t>(std::min<uint64_t>(length, UINT32_MAX)));
    }
    case sql::TypeKind::kChar:
    case sql::TypeKind::kVarchar: {
      row::CollationId collation = settings.collation_connection;
      if (!name.charset.empty()) {
        if (name.charset == "binary") {
          return name.length.has_value() ? Type::Binary(static_cast<uint32_t>(*name.length))
                                         : Type::Varbinary(row::ColumnLengthBytes(operand.type));
        }
        const row::Charset* charset = row::FindCharset(name.charset);
        if (charset == nullptr) {
          return UserError(ER_UNKNOWN_CHARACTER_SET, name.charset);
        }
        collation = name.binary_collation ? charset->binary_collation : charset->default_collation;
      }
      const uint64_t length = name.length.value_or(TextLength(operand.type));
      if (length > 16383) {
        return Type::Text(Kind::kLongText, collation);
      }
      return Type::Varchar(static_cast<uint32_t>(length), collation);
    }
    default:
      return StatementBinder::Unsupported("CAST to this type");
  }
}

}  // namespace borealis::sql
