// Comparison: in which type MySQL compares two operands, and the conversions that lead there.
#include <algorithm>
#include <cmath>

#include "row/collation.h"
#include "row/date_delimiters.h"
#include "sql/binder/binder_internal.h"
#include "sql/binder/narrow.h"
#include "sql/functions/function.h"

namespace borealis::sql {
namespace {

using row::Type;
using Kind = row::TypeKind;

CompareOp Flip(CompareOp op) {
  switch (op) {
    case CompareOp::kLess:
      return CompareOp::kGreater;
    case CompareOp::kLessEqual:
      return CompareOp::kGreaterEqual;
    case CompareOp::kGreater:
      return CompareOp::kLess;
    case CompareOp::kGreaterEqual:
      return CompareOp::kLessEqual;
    default:
      return op;
  }
}

bool IsEquality(CompareOp op) {
  return op == CompareOp::kEqual || op == CompareOp::kNullSafeEqual || op == CompareOp::kNotEqual;
}

bool IsRange(CompareOp op) {
  return !IsEquality(op);
}

bool IsStringLike(const Type& type) {
  return type.is_string() || type.is_enum_or_set();
}

BoundPtr MakeCompare(CompareOp op, BoundPtr a, BoundPtr b) {
  auto compare = std::make_shared<BoundCompare>(op);
  compare->type.nullable =
      op != CompareOp::kNullSafeEqual && (a->type.nullable || b->type.nullable);
  compare->args = {std::move(a), std::move(b)};
  return compare;
}

std::string_view OperatorName(CompareOp op) {
  static constexpr std::string_view kNames[] = {"=", "<=>", "<>", "<", "<=", ">", ">="};
  return kNames[static_cast<size_t>(op)];
}

// The type in which two non-string, non-JSON operands, or a string and such a one, are compared.
Type CompareType(const Type& a, const Type& b) {
  if (a.is_temporal() || b.is_temporal()) {
    const Type& temporal = a.is_temporal() ? a : b;
    const Type& other = a.is_temporal() ? b : a;
    if (other.is_temporal()) {
      if (temporal.kind == Kind::kTime && other.kind == Kind::kTime) {
        return Type::Time(6);
      }
      if (temporal.kind == Kind::kTimestamp && other.kind == Kind::kTimestamp) {
        return Type::Timestamp(6);
      }
      return Type::DateTime(6);
    }
    if (IsStringLike(other)) {
      return temporal.kind == Kind::kTime ? Type::Time(6) : Type::DateTime(6);
    }
    return Type::Double();
  }
  if (a.is_numeric() && b.is_numeric() && !a.is_floating() && !b.is_floating()) {
    if (a.is_decimal() || b.is_decimal() || !SameRegisterForm(a, b)) {
      return Type::Decimal(65, 30);
    }
    return Type::BigInt();
  }
  return Type::Double();
}

// A TIME and a text compare as texts, unless a constant is compared with a column.
bool ComparesTimeAsText(const BoundExpr& time, const BoundExpr& other) {
  return time.type.kind == Kind::kTime && IsStringLike(other.type) && !other.Is<BoundParameter>() &&
         !(time.Is<BoundColumn>() && IsFixed(other));
}

// Whether every value of `from` is one of `to`, and the same one.
bool HoldsAll(const Type& to, const Type& from) {
  if (to.is_integer() && from.is_integer()) {
    return to.is_unsigned == from.is_unsigned && from.kind <= to.kind;
  }
  if (to.is_decimal()) {
    return from.is_decimal() && from.scale <= to.scale &&
           from.length - from.scale <= to.length - to.scale;
  }
  return !to.is_enum_or_set() && to.kind == from.kind && from.scale <= to.scale;
}

bool IsConstantText(const BoundExpr& expr) {
  const auto* literal = expr.TryAs<BoundLiteral>();
  return literal != nullptr && literal->value.is_string();
}

// The constant text is no value of the type of the column that it is compared with.
Status WrongValue(std::string_view what, const BoundColumn& column, const BoundExpr& constant) {
  return Status::User(ER_TRUNCATED_WRONG_VALUE,
                      fmt::format("Incorrect {} value: '{}' for column '{}' at row 1", what,
                                  row::Printable(constant.As<BoundLiteral>().value.bytes()),
                                  column.table->columns[column.column].name));
}

// The same in a list that the operand is looked for in.
Status WrongItem(const BoundExpr& operand, const BoundExpr& constant) {
  const std::string text = row::Printable(constant.As<BoundLiteral>().value.bytes());
  if (operand.type.kind == Kind::kTime) {
    return UserError(ER_TRUNCATED_WRONG_VALUE, "time", text);
  }
  const auto* column = operand.TryAs<BoundColumn>();
  return column != nullptr && operand.type.kind != Kind::kDate
             ? WrongValue("datetime", *column, constant)
             : Status::User(ER_TRUNCATED_WRONG_VALUE,
                            fmt::format("Incorrect datetime value: '{}'", text));
}

Type TimeAsText(const Type& time, const SessionSettings& settings) {
  return Type::Varchar(row::DisplayWidth(time), settings.collation_connection);
}

}  // namespace

Result<BoundPtr> StatementBinder::NarrowConstant(CompareOp* op, const Type& column,
                                                 const BoundPtr& constant) {
  const BoundPtr none;
  if (input_.no_narrowing && constant->kind == BoundKind::kParameter) {
    return none;
  }
  if (column.is_floating() || column.is_string() || column.is_null() ||
      column.kind == Kind::kJson || constant->type.kind == Kind::kJson) {
    return none;
  }
  if (column.is_enum_or_set() && !IsEquality(*op)) {
    return none;
  }
  row::ConversionContext conversion = environment().eval_context().conversion;
  Type narrow_type = column.NotNull();
  if (column.kind == Kind::kDate) {
    narrow_type = Type::DateTime(6);
  } else if (column.is_temporal()) {
    narrow_type.scale = 6;
  }
  if (const auto* parameter = constant->TryAs<BoundParameter>()) {
    const TypedValue& given = input_.parameters[parameter->index];
    if (input_.frame) {
      // What is bound must hold for any value of the variable.
      if (!HoldsAll(column, given.type)) {
        return none;
      }
    } else {
      ASSIGN_OR_RETURN(std::optional<row::Value> value,
                       NarrowExactly(given.value, given.type, column, conversion));
      if (!value.has_value()) {
        return none;
      }
    }
    uint32_t slot = facts_->parameter_count + static_cast<uint32_t>(facts_->narrowed.size());
    facts_->narrowed.push_back({parameter->index, column});
    if (column.is_decimal()) {
      narrow_type = Type::Decimal(65, 30);
    }
    auto narrowed = std::make_shared<BoundParameter>(narrow_type, slot);
    narrowed->coercibility = Coercibility::kNumeric;
    return BoundPtr(narrowed);
  }
  const auto* literal = constant->TryAs<BoundLiteral>();
  if (literal == nullptr) {
    return none;
  }
  ASSIGN_OR_RETURN(std::optional<row::Value> value,
                   NarrowExactly(literal->value, literal->type, column, conversion));
  if (value.has_value()) {
    if (column.has_date() && literal->value.is_string()) {
      row::WarnOfDelimiters(literal->value.bytes(), conversion);
    }
    if (value->kind() == row::ValueKind::kDecimal) {
      narrow_type = Type::Decimal(65, static_cast<uint8_t>(value->decimal_value().scale()));
    }
    return MakeLiteral(narrow_type, std::move(*value));
  }
  // k < 5.5 is k <= 5, and k > 5.5 is k >= 6.
  if (IsRange(*op) && column.is_integer() && !column.is_unsigned && constant->type.is_numeric() &&
      !constant->type.is_integral()) {
    double number = row::ToDouble(literal->value, literal->type, conversion);
    if (std::abs(number) < 9e15) {
      bool below = *op == CompareOp::kLess || *op == CompareOp::kLessEqual;
      *op = below ? CompareOp::kLessEqual : CompareOp::kGreaterEqual;
      double whole = below ? std::floor(number) : std::ceil(number);
      return MakeLiteral(Type::BigInt(), row::Value::Int(static_cast<int64_t>(whole)));
    }
  }
  return none;
}

// Constant text that is compared with a date must be one (1525).
Status StatementBinder::CheckDateText(const BoundPtr& text, const Type& with) {
  if (!IsConstantText(*text) || !with.has_date()) {
    return {};
  }
  const auto& literal = text->As<BoundLiteral>();
  return NarrowExactly(literal.value, literal.type, with, environment().eval_context().conversion)
      .status();
}

// Of several that a date or time is looked for among, those that are none are told and passed over.
void StatementBinder::DropNoDates(const BoundExpr& operand,
                                  std::vector<std::vector<BoundPtr>>* items) {
  const row::ConversionContext& conversion = environment().eval_context().conversion;
  const auto is_none = [&](const std::vector<BoundPtr>& item) {
    if (item.size() != 1 || !IsConstantText(*item[0])) {
      return false;
    }
    const auto& literal = item[0]->As<BoundLiteral>();
    const Result<std::optional<row::Value>> narrowed =
        NarrowExactly(literal.value, literal.type, operand.type, conversion);
    const bool none =
        !narrowed.ok() || (operand.type.kind == Kind::kTime && !narrowed.value().has_value());
    if (none) {
      conversion.Warn(WrongItem(operand, literal));
    }
    return none;
  };
  std::erase_if(*items, is_none);
}

Result<BoundPtr> StatementBinder::Compare(CompareOp op, BoundPtr a, BoundPtr b) {
  if (IsFixed(*a) && !IsFixed(*b)) {
    RETURN_IF_ERROR(CheckMix({a, b}, OperatorName(op)));
    return Compare(Flip(op), std::move(b), std::move(a));
  }
  auto is_null = [](const BoundPtr& e) {
    const auto* literal = e->TryAs<BoundLiteral>();
    return literal != nullptr && literal->value.is_null();
  };
  if (is_null(a) || is_null(b)) {
    if (op != CompareOp::kNullSafeEqual) {
      return MakeLiteral(Type::Boolean(), row::Value::Null(), Coercibility::kIgnorable);
    }
    auto test = std::make_shared<BoundIsNull>(false);
    test->args.push_back(is_null(b) ? std::move(a) : std::move(b));
    return Fold(test);
  }
  if (a->type.kind == Kind::kJson || b->type.kind == Kind::kJson) {
    return CompareJson(op, std::move(a), std::move(b));
  }
  if (ComparesTimeAsText(*a, *b) || ComparesTimeAsText(*b, *a)) {
    BoundPtr& time = a->type.kind == Kind::kTime ? a : b;
    ASSIGN_OR_RETURN(time, Fold(Convert(time, TimeAsText(time->type, settings()))));
  }
  if (a->type.is_numeric()) {
    b = HexAsNumber(b);
  }
  if (b->type.is_numeric()) {
    a = HexAsNumber(a);
  }
  if (!IsFixed(*a) && IsFixed(*b)) {
    CompareOp narrowed_op = op;
    Type against = a->type;
    if (against.kind == Kind::kTime && !a->Is<BoundColumn>()) {
      against.scale = 6;  // only of columns it is known what they hold
    }
    ASSIGN_OR_RETURN(BoundPtr constant, NarrowConstant(&narrowed_op, against, b));
    if (constant != nullptr) {
      return MakeCompare(narrowed_op, std::move(a), std::move(constant));
    }
    if (a->type.kind == Kind::kTime && a->Is<BoundColumn>() && IsConstantText(*b)) {
      environment().eval_context().conversion.Warn(WrongValue("time", a->As<BoundColumn>(), *b));
      ASSIGN_OR_RETURN(a, Fold(Convert(a, TimeAsText(a->type, settings()))));
    }
  }
  RETURN_IF_ERROR(CheckDateText(a, b->type));
  RETURN_IF_ERROR(CheckDateText(b, a->type));
  if (IsStringLike(a->type) && IsStringLike(b->type)) {
    ASSIGN_OR_RETURN(MixedCollation mixed,
                     MixCollations({a, b}, OperatorName(op), CollationUse::kComparison));
    auto to = [&](const Type& from) {
      if (mixed.collation == row::kBinaryCollation) {
        return Type::Blob(Kind::kLongBlob);
      }
      Type type = from.is_text() ? from : Type::Varchar(row::DisplayWidth(from), mixed.collation);
      type.collation = mixed.collation;
      return type;
    };
    // Members of one ENUM compare by number only for equality.
    if (IsEquality(op) && a->type.kind == Kind::kEnum && b->type.kind == Kind::kEnum &&
        a->type.members == b->type.members && a->type.members != nullptr) {
      return Fold(MakeCompare(op, std::move(a), std::move(b)));
    }
    auto convert = [&](BoundPtr e) {
      if (e->type.is_binary_string() && mixed.collation == row::kBinaryCollation) {
        return e;
      }
      Type type = to(e->type);
      return Convert(std::move(e), type);
    };
    ASSIGN_OR_RETURN(a, Fold(convert(std::move(a))));
    ASSIGN_OR_RETURN(b, Fold(convert(std::move(b))));
    return Fold(MakeCompare(op, std::move(a), std::move(b)));
  }
  Type type = CompareType(a->type, b->type);
  auto convert = [&](BoundPtr e) -> BoundPtr {
    if (SameRegisterForm(e->type, type) && !e->type.is_enum_or_set()) {
      return e;
    }
    if (type.kind == Kind::kBigInt && e->type.is_integral()) {
      return e;  // both are of one form already
    }
    return Convert(std::move(e), type);
  };
  if (type.kind != Kind::kBigInt) {
    ASSIGN_OR_RETURN(a, Fold(convert(std::move(a))));
    ASSIGN_OR_RETURN(b, Fold(convert(std::move(b))));
  }
  return Fold(MakeCompare(op, std::move(a), std::move(b)));
}

Status CheckMix(const std::vector<BoundPtr>& operands, std::string_view operation) {
  const auto compares_as_text = [](const BoundPtr& operand) {
    return operand->type.is_null() || IsStringLike(operand->type);
  };
  return std::ranges::all_of(operands, compares_as_text)
             ? MixCollations(operands, operation, CollationUse::kComparison).status()
             : Status();
}

Result<BoundPtr> StatementBinder::BindInList(const InList& expr, Scope* scope) {
  ASSIGN_OR_RETURN(std::vector<BoundPtr> left, BindRowOperand(*expr.operand, scope));
  std::vector<std::vector<BoundPtr>> rights;
  std::vector<BoundPtr> compares;
  bool uniform = left.size() == 1;
  BoundPtr common;
  auto in = std::make_shared<BoundIn>(expr.negated);
  for (const ExprPtr& item : expr.items) {
    RETURN_IF_ERROR(CheckSameShape(*expr.operand, *item));
    ASSIGN_OR_RETURN(std::vector<BoundPtr> right, BindRowOperand(*item, scope));
    rights.push_back(std::move(right));
  }
  if (left.size() == 1 && rights.size() > 1) {
    std::vector<BoundPtr> operands = left;
    for (const std::vector<BoundPtr>& right : rights) {
      operands.push_back(right[0]);
    }
    RETURN_IF_ERROR(CheckMix(operands, " IN "));
  }
  if (left.size() == 1 && left[0]->type.is_temporal() && rights.size() > 1) {
    DropNoDates(*left[0], &rights);
    if (rights.empty()) {
      return Compare(expr.negated ? CompareOp::kEqual : CompareOp::kNotEqual, left[0], left[0]);
    }
  }
  for (const std::vector<BoundPtr>& right : rights) {
    ASSIGN_OR_RETURN(BoundPtr compare, CompareRows(CompareOp::kEqual, left, right));
    const auto* plain = compare->TryAs<BoundCompare>();
    if (uniform && plain != nullptr && plain->op == CompareOp::kEqual &&
        (common == nullptr || (SameExpr(*common, *plain->args[0]) &&
                               common->type.collation == plain->args[0]->type.collation))) {
      common = plain->args[0];
      in->args.push_back(plain->args[1]);
      in->type.nullable |= plain->type.nullable;
    } else if (uniform && compare->Is<BoundLiteral>() && !IsFixed(*left[0])) {
      in->args.push_back(NullLiteral());  // x = NULL
      in->type.nullable = true;
    } else {
      uniform = false;
    }
    compares.push_back(std::move(compare));
  }
  if (uniform && common != nullptr) {
    in->args.insert(in->args.begin(), common);
    return Fold(std::move(in));
  }
  BoundPtr any;
  if (compares.size() == 1) {
    any = compares[0];
  } else {
    auto logical = std::make_shared<BoundLogical>(false);
    logical->args = std::move(compares);
    any = std::move(logical);
  }
  if (expr.negated) {
    auto negation = std::make_shared<BoundNot>();
    negation->args.push_back(std::move(any));
    any = std::move(negation);
  }
  return Fold(std::move(any));
}

// BETWEEN compares all three in one way: with a number and a text among them as numbers. A column
// of numbers or dates is compared with constants in its own type.
static bool ComparesAsNumbers(const BoundExpr& operand, const BoundExpr& low,
                              const BoundExpr& high) {
  const bool has_number = low.type.is_numeric() || high.type.is_numeric();
  if (operand.type.is_temporal()) {
    return has_number && (IsStringLike(low.type) || IsStringLike(high.type)) &&
           !operand.Is<BoundColumn>();
  }
  return IsStringLike(operand.type) && has_number;
}

Result<BoundPtr> StatementBinder::BindBetween(const Between& expr, Scope* scope) {
  ASSIGN_OR_RETURN(BoundPtr operand, BindExpr(*expr.operand, scope));
  ASSIGN_OR_RETURN(BoundPtr low, BindExpr(*expr.low, scope));
  ASSIGN_OR_RETURN(BoundPtr high, BindExpr(*expr.high, scope));
  RETURN_IF_ERROR(CheckMix({operand, low, high}, "between"));
  if (ComparesAsNumbers(*operand, *low, *high)) {
    for (BoundPtr* side : {&operand, &low, &high}) {
      ASSIGN_OR_RETURN(*side, Fold(Convert(HexAsNumber(*side), Type::Double())));
    }
  }
  auto both = std::make_shared<BoundLogical>(true);
  ASSIGN_OR_RETURN(BoundPtr above, Compare(CompareOp::kGreaterEqual, operand, std::move(low)));
  ASSIGN_OR_RETURN(BoundPtr below, Compare(CompareOp::kLessEqual, operand, std::move(high)));
  both->type.nullable = above->type.nullable || below->type.nullable;
  both->args = {std::move(above), std::move(below)};
  BoundPtr result = std::move(both);
  if (expr.negated) {
    auto negation = std::make_shared<BoundNot>();
    negation->type.nullable = result->type.nullable;
    negation->args.push_back(std::move(result));
    result = std::move(negation);
  }
  return Fold(std::move(result));
}

}  // namespace borealis::sql
