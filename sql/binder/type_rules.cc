// Types and collations of several operands together, and small tree tools.
#include <algorithm>

#include "row/collation.h"
#include "row/register.h"
#include "sql/binder/binder_internal.h"
#include "sql/functions/function.h"

namespace borealis::sql {
namespace {

using row::Type;
using Kind = row::TypeKind;

int IntegerRank(const Type& type) {
  switch (type.kind) {
    case Kind::kTinyInt:
      return 1;
    case Kind::kSmallInt:
    case Kind::kYear:
      return 2;
    case Kind::kMediumInt:
      return 3;
    case Kind::kInt:
      return 4;
    default:
      return 5;
  }
}

Kind IntegerOfRank(int rank) {
  static constexpr Kind kKinds[] = {Kind::kTinyInt,   Kind::kTinyInt, Kind::kSmallInt,
                                    Kind::kMediumInt, Kind::kInt,     Kind::kBigInt};
  return kKinds[std::min(rank, 5)];
}

// Digits before the point that an exact number of the type may have.
uint32_t IntegerDigits(const Type& type) {
  if (type.is_decimal()) {
    return type.length - type.scale;
  }
  switch (IntegerRank(type)) {
    case 1:
      return 3;
    case 2:
      return 5;
    case 3:
      return type.is_unsigned ? 8 : 7;
    case 4:
      return 10;
    default:
      break;
  }
  const bool is_unsigned = type.is_unsigned || type.kind == Kind::kBit;
  const uint32_t most = is_unsigned ? 20 : 19;
  const bool has_width = type.kind == Kind::kBigInt && type.length != 0;
  return has_width ? std::clamp<uint32_t>(type.length - (is_unsigned ? 0 : 1), 1, most) : most;
}

Type CommonInteger(const Type& a, const Type& b) {
  if (a.kind == Kind::kYear && b.kind == Kind::kYear) {
    return a;
  }
  if (a.kind == Kind::kBit && b.kind == Kind::kBit) {
    return Type::Bit(std::max(a.length, b.length));
  }
  int rank = std::max(IntegerRank(a), IntegerRank(b));
  bool a_unsigned = a.is_unsigned || a.kind == Kind::kBit || a.kind == Kind::kYear;
  bool b_unsigned = b.is_unsigned || b.kind == Kind::kBit || b.kind == Kind::kYear;
  if (a_unsigned == b_unsigned) {
    Type type = Type::Integer(IntegerOfRank(rank), a_unsigned);
    type.length = std::max(a.length, b.length);
    if (type.kind == Kind::kBigInt && type.length != 0) {
      type.length = std::max(DisplayWidth(a), DisplayWidth(b));
    }
    return type;
  }
  int unsigned_rank = IntegerRank(a_unsigned ? a : b);
  int signed_rank = IntegerRank(a_unsigned ? b : a);
  if (signed_rank > unsigned_rank) {
    return Type::Integer(IntegerOfRank(signed_rank), false);
  }
  if (unsigned_rank < 5) {
    return Type::Integer(IntegerOfRank(unsigned_rank + 1), false);
  }
  return Type::Decimal(20, 0);
}

Type CommonNumber(const Type& a, const Type& b) {
  if (a.is_floating() || b.is_floating()) {
    return FloatingOver(a, b);
  }
  if (a.is_decimal() || b.is_decimal()) {
    uint8_t scale =
        std::max(a.is_decimal() ? a.scale : uint8_t{0}, b.is_decimal() ? b.scale : uint8_t{0});
    uint32_t digits = std::max(IntegerDigits(a), IntegerDigits(b));
    return Type::Decimal(std::min<uint32_t>(digits + scale, 65), scale);
  }
  return CommonInteger(a, b);
}

Type CommonTemporal(const Type& a, const Type& b) {
  uint8_t scale = std::max(a.scale, b.scale);
  if (a.kind == b.kind) {
    Type type = a;
    type.scale = scale;
    return type;
  }
  // DATE with TIME too: a TIME becomes today's.
  return Type::DateTime(scale);
}

// The text type that holds any value of either.
Type CommonString(const Type& a, const Type& b) {
  uint64_t size_a = a.is_string() ? MaxLength(a) : DisplayWidth(a);
  uint64_t size_b = b.is_string() ? MaxLength(b) : DisplayWidth(b);
  uint64_t size = std::max(size_a, size_b);
  bool binary =
      a.is_binary_string() || b.is_binary_string() || a.kind == Kind::kBit || b.kind == Kind::kBit;
  bool blob = a.is_blob() || b.is_blob() || a.kind == Kind::kJson || b.kind == Kind::kJson;
  if (blob || size > 65535 / 4) {
    bool large = size > 16777215 || a.kind == Kind::kLongText || b.kind == Kind::kLongText ||
                 a.kind == Kind::kLongBlob || b.kind == Kind::kLongBlob || a.kind == Kind::kJson ||
                 b.kind == Kind::kJson;
    bool medium = size > 65535;
    if (binary) {
      return Type::Blob(large ? Kind::kLongBlob : medium ? Kind::kMediumBlob : Kind::kBlob);
    }
    return Type::Text(large    ? Kind::kLongText
                      : medium ? Kind::kMediumText
                               : Kind::kText,
                      row::kDefaultCollation);
  }
  auto length = static_cast<uint32_t>(size);
  if (binary) {
    return Type::Varbinary(length);
  }
  if (a.kind == Kind::kChar && b.kind == Kind::kChar && a.length == b.length) {
    return Type::Char(length, row::kDefaultCollation);
  }
  return Type::Varchar(length, row::kDefaultCollation);
}

}  // namespace

row::Type CommonOf(const Type& a, const Type& b) {
  bool nullable = a.nullable || b.nullable;
  Type type;
  if (a.is_null()) {
    type = b;
  } else if (b.is_null()) {
    type = a;
  } else if (a == b.Nullable(a.nullable)) {
    type = a;
    if (type.is_enum_or_set()) {
      type = CommonString(a, b);
    }
  } else if (a.is_numeric() && b.is_numeric() &&
             !(a.kind == Kind::kBit && b.kind != Kind::kBit && !b.is_integral()) &&
             !(b.kind == Kind::kBit && a.kind != Kind::kBit && !a.is_integral())) {
    type = CommonNumber(a, b);
  } else if (a.is_temporal() && b.is_temporal()) {
    type = CommonTemporal(a, b);
  } else if (a.kind == Kind::kJson && b.kind == Kind::kJson) {
    type = a;
  } else {
    type = CommonString(a, b);
  }
  type.nullable = nullable;
  type.zerofill = false;  // of columns alone
  return type;
}

namespace {

row::CollationId CollationOf(const BoundExpr& expr) {
  return expr.type.has_collation() ? expr.type.collation : row::kBinaryCollation;
}

// MySQL names two and three operands, and not more.
Status IllegalMix(const std::vector<BoundPtr>& exprs, std::string_view operation) {
  static constexpr std::string_view kNames[] = {"EXPLICIT",  "",        "IMPLICIT",  "SYSCONST",
                                                "COERCIBLE", "NUMERIC", "IGNORABLE", "NONE"};
  const auto collation = [&](size_t i) { return row::GetCollation(CollationOf(*exprs[i])).name(); };
  const auto binds = [&](size_t i) { return kNames[static_cast<size_t>(exprs[i]->coercibility)]; };
  switch (exprs.size()) {
    case 2:
      return UserError(ER_CANT_AGGREGATE_2COLLATIONS, collation(0), binds(0), collation(1),
                       binds(1), operation);
    case 3:
      return UserError(ER_CANT_AGGREGATE_3COLLATIONS, collation(0), binds(0), collation(1),
                       binds(1), collation(2), binds(2), operation);
    default:
      return UserError(ER_CANT_AGGREGATE_NCOLLATIONS, operation);
  }
}

// Of two operands that are no byte strings. False: they do not mix.
bool MixText(MixedCollation* mixed, MixedCollation other) {
  if (mixed->coercibility != other.coercibility) {
    *mixed = other.coercibility < mixed->coercibility ? other : *mixed;
    return true;
  }
  if (mixed->coercibility == Coercibility::kExplicit) {
    return false;
  }
  const row::Collation& a = row::GetCollation(mixed->collation);
  const row::Collation& b = row::GetCollation(other.collation);
  if (a.charset().id != b.charset().id) {
    // The wider character set wins.
    mixed->collation = a.charset().id > b.charset().id ? a.id() : b.id();
  } else if (a.is_bytewise() != b.is_bytewise()) {
    mixed->collation = a.is_bytewise() ? a.id() : b.id();
  } else {
    *mixed = {a.charset().binary_collation, Coercibility::kNone};
  }
  return true;
}

// JSON's characters are of utf8mb4_bin.
std::vector<BoundPtr> WithJsonAsText(std::vector<BoundPtr> exprs) {
  for (BoundPtr& expr : exprs) {
    if (expr->type.kind == Kind::kJson) {
      auto text =
          std::make_shared<BoundParameter>(Type::Text(Kind::kLongText, row::kUtf8mb4Bin), 0);
      text->coercibility = Coercibility::kImplicit;
      expr = std::move(text);
    }
  }
  return exprs;
}

// The type of the text that the bytes are where text binds harder.
Type AsText(const Type& type) {
  if (!type.is_binary_string()) {
    return type;
  }
  const uint64_t size = MaxLength(type);
  return type.is_blob() ? Type::Text(size > 16777215 ? Kind::kLongText
                                     : size > 65535  ? Kind::kMediumText
                                                     : Kind::kText,
                                     row::kDefaultCollation)
                              .Nullable(type.nullable)
                        : Type::Varchar(static_cast<uint32_t>(size), row::kDefaultCollation)
                              .Nullable(type.nullable);
}

}  // namespace

Status CheckCharacters(const std::vector<BoundPtr>& exprs, row::CollationId collation,
                       std::string_view operation) {
  const row::Charset& charset = row::GetCollation(collation).charset();
  const bool fits = std::ranges::all_of(exprs, [&](const BoundPtr& expr) {
    const auto* literal = expr->TryAs<BoundLiteral>();
    if (literal == nullptr || !expr->type.is_text() || !literal->value.is_string() ||
        collation == row::kBinaryCollation) {
      return true;
    }
    const std::string_view text = literal->value.bytes();
    return row::GetCollation(expr->type.collation).charset().id == charset.id ||
           charset.ValidPrefix(text) == text.size();
  });
  return fits ? Status::Ok() : IllegalMix(exprs, operation);
}

Result<MixedCollation> MixCollations(const std::vector<BoundPtr>& exprs, std::string_view operation,
                                     CollationUse use) {
  const bool compares = use == CollationUse::kComparison;
  MixedCollation mixed;
  for (const BoundPtr& expr : exprs) {
    // A number as text is ASCII and takes any collation.
    if (expr->type.is_null() || (!expr->type.has_collation() && !expr->type.is_binary_string())) {
      continue;
    }
    const MixedCollation other = {CollationOf(*expr), expr->coercibility};
    if (mixed.coercibility == Coercibility::kIgnorable) {
      mixed = other;
    } else if (mixed.collation == other.collation) {
      mixed.coercibility = std::min(mixed.coercibility, other.coercibility);
    } else if (mixed.collation == row::kBinaryCollation) {
      // Bytes with text: bytes, unless the text binds harder.
      mixed = mixed.coercibility <= other.coercibility ? mixed : other;
    } else if (other.collation == row::kBinaryCollation) {
      mixed = other.coercibility <= mixed.coercibility ? other : mixed;
    } else if (!MixText(&mixed, other) || (compares && mixed.coercibility == Coercibility::kNone)) {
      return IllegalMix(exprs, operation);
    }
  }
  if (compares && mixed.coercibility == Coercibility::kNone) {
    return IllegalMix(exprs, operation);
  }
  RETURN_IF_ERROR(CheckCharacters(exprs, mixed.collation, operation));
  return mixed;
}

Result<row::Type> CommonType(const std::vector<BoundPtr>& exprs, std::string_view operation,
                             Coercibility* coercibility) {
  Type type;
  bool first = true;
  for (const BoundPtr& expr : exprs) {
    type = first ? expr->type : CommonOf(type, expr->type);
    first = false;
  }
  *coercibility = Coercibility::kNumeric;
  const std::vector<BoundPtr> texts = WithJsonAsText(exprs);
  if (type.is_binary_string() && std::ranges::none_of(exprs, [](const BoundPtr& expr) {
        return expr->type.kind == Kind::kBit;
      })) {
    ASSIGN_OR_RETURN(const MixedCollation mixed,
                     MixCollations(texts, operation, CollationUse::kResult));
    if (mixed.collation != row::kBinaryCollation) {
      type = AsText(exprs[0]->type);
      for (size_t i = 1; i < exprs.size(); ++i) {
        type = CommonOf(type, AsText(exprs[i]->type));
      }
    }
  }
  if (type.is_null()) {
    *coercibility = Coercibility::kIgnorable;
  }
  if (type.is_enum_or_set() && exprs.size() > 1) {
    type = CommonString(type, type).Nullable(type.nullable);
  }
  if (type.is_text()) {
    ASSIGN_OR_RETURN(MixedCollation mixed, MixCollations(texts, operation, CollationUse::kResult));
    if (mixed.coercibility == Coercibility::kIgnorable) {
      mixed = {type.collation, Coercibility::kCoercible};
    }
    if (mixed.collation != row::kBinaryCollation) {
      type.collation = mixed.collation;
    }
    *coercibility = mixed.coercibility;
  } else if (type.is_binary_string()) {
    *coercibility = Coercibility::kImplicit;
  }
  return type;
}

BoundPtr MakeLiteral(Type type, row::Value value, Coercibility coercibility) {
  type.nullable = value.is_null();
  auto literal = std::make_shared<BoundLiteral>(std::move(type), std::move(value));
  literal->coercibility = coercibility;
  return literal;
}

BoundPtr NullLiteral() {
  return MakeLiteral(Type::Null(), row::Value::Null(), Coercibility::kIgnorable);
}

bool IsFixed(const BoundExpr& expr) {
  if (expr.kind == BoundKind::kLiteral || expr.kind == BoundKind::kParameter) {
    return true;
  }
  const auto* convert = expr.TryAs<BoundConvert>();
  return convert != nullptr && IsFixed(*convert->args[0]);
}

bool SameRegisterForm(const Type& a, const Type& b) {
  if (a.is_null() || b.is_null()) {
    return true;
  }
  auto flipped = [](const Type& t) {
    return (t.kind == Kind::kBigInt && t.is_unsigned) || (t.kind == Kind::kBit && t.length == 64);
  };
  auto group = [&](const Type& t) -> int {
    if (t.is_integral() || t.is_enum_or_set()) {
      // SET can have 64 members; its number is kept as it is.
      return flipped(t) ? 2 : 1;
    }
    if (t.is_floating()) {
      return 3;
    }
    if (t.is_decimal()) {
      return 4;
    }
    switch (t.kind) {
      case Kind::kDate:
      case Kind::kDateTime:
        return 5;
      case Kind::kTime:
        return 6;
      case Kind::kTimestamp:
        return 7;
      case Kind::kJson:
        return 8;
      default:
        return t.is_text() ? 9 : 10;
    }
  };
  if (group(a) != group(b)) {
    return false;
  }
  return a.is_enum_or_set() == b.is_enum_or_set();
}

BoundPtr Convert(BoundPtr expr, const Type& type, BoundConvert::Mode mode) {
  if (mode == BoundConvert::Mode::kImplicit) {
    if (expr->type == type.Nullable(expr->type.nullable)) {
      return expr;
    }
    if (const auto* literal = expr->TryAs<BoundLiteral>();
        literal != nullptr && literal->value.is_null()) {
      Type null_type = type;
      null_type.nullable = true;
      return MakeLiteral(null_type, row::Value::Null(), Coercibility::kIgnorable);
    }
  }
  Type result = type;
  result.nullable = type.nullable || expr->type.nullable;
  auto convert = std::make_shared<BoundConvert>(result, mode);
  convert->coercibility = result.has_collation() || result.is_binary_string()
                              ? expr->coercibility
                              : Coercibility::kNumeric;
  if (convert->coercibility == Coercibility::kNumeric && result.has_collation()) {
    convert->coercibility = Coercibility::kCoercible;
  }
  convert->args.push_back(std::move(expr));
  return convert;
}

namespace {

// The node of which a literal is the folded value.
const BoundPtr& Unfolded(const BoundPtr& expr) {
  const auto* literal = expr->TryAs<BoundLiteral>();
  return literal != nullptr && literal->folded_from != nullptr ? literal->folded_from : expr;
}

// A result of a choice before it was given the type of all.
const BoundPtr& OwnResult(const BoundPtr& result) {
  const BoundPtr& node = Unfolded(result);
  const auto* convert = node->TryAs<BoundConvert>();
  return convert != nullptr && convert->mode == BoundConvert::Mode::kImplicit ? convert->args[0]
                                                                              : result;
}

}  // namespace

BoundPtr ChoiceAsText(const BoundPtr& expr, row::CollationId collation) {
  const auto* choice = Unfolded(expr)->TryAs<BoundCase>();
  if (choice == nullptr || choice->coalesce || !choice->type.is_decimal()) {
    return nullptr;
  }
  const Type text = Type::Varchar(row::DisplayWidth(choice->type), collation);
  auto shown = std::make_shared<BoundCase>(text.Nullable(choice->type.nullable));
  shown->form = choice->form;
  shown->coercibility = Coercibility::kCoercible;
  bool differs = false;
  for (size_t i = 0; i < choice->args.size(); ++i) {
    const bool is_else = choice->args.size() % 2 == 1 && i + 1 == choice->args.size();
    if (i % 2 == 0 && !is_else) {
      shown->args.push_back(choice->args[i]);
      continue;
    }
    const BoundPtr& own = OwnResult(choice->args[i]);
    BoundPtr nested = ChoiceAsText(own, collation);
    differs |= nested != nullptr || (!own->type.is_null() && own->type.scale != choice->type.scale);
    shown->args.push_back(nested != nullptr ? std::move(nested) : Convert(own, text));
  }
  return differs ? BoundPtr(std::move(shown)) : nullptr;
}

BoundPtr AndAlso(BoundPtr a, BoundPtr b) {
  if (a == nullptr) {
    return b;
  }
  if (b == nullptr) {
    return a;
  }
  auto both = std::make_shared<BoundLogical>(true);
  auto add = [&](const BoundPtr& part) {
    const auto* nested = part->TryAs<BoundLogical>();
    if (nested != nullptr && nested->is_and) {
      both->args.insert(both->args.end(), nested->args.begin(), nested->args.end());
    } else {
      both->args.push_back(part);
    }
  };
  add(a);
  add(b);
  return both;
}

namespace {

using Visit = std::function<void(const BoundExpr&)>;

void ForEachRoot(const BoundQuery& query, const Visit& visit);

void ForEachRoot(const BoundPtr& expr, const Visit& visit) {
  if (expr != nullptr) {
    visit(*expr);
  }
}

void ForEachRoot(const BoundFrom& from, const Visit& visit) {
  if (from.table == nullptr) {
    ForEachRoot(*from.left, visit);
    ForEachRoot(*from.right, visit);
    ForEachRoot(from.on, visit);
    return;
  }
  ForEachRoot(from.table->document, visit);
  if (from.table->query != nullptr) {
    ForEachRoot(*from.table->query, visit);
  }
}

void ForEachRoot(const BoundSelect& select, const Visit& visit) {
  if (select.from != nullptr) {
    ForEachRoot(*select.from, visit);
  }
  for (const BoundItem& item : select.items) {
    visit(*item.expr);
  }
  for (const BoundPtr& group : select.group_by) {
    visit(*group);
  }
  ForEachRoot(select.where, visit);
  ForEachRoot(select.having, visit);
}

// The expressions of a query that are no part of another.
void ForEachRoot(const BoundQuery& query, const Visit& visit) {
  for (const std::shared_ptr<BoundCte>& cte : query.ctes) {
    ForEachRoot(*cte->query, visit);
  }
  if (query.body.select != nullptr) {
    ForEachRoot(*query.body.select, visit);
  }
  if (query.body.set_operation != nullptr) {
    ForEachRoot(*query.body.set_operation->left, visit);
    ForEachRoot(*query.body.set_operation->right, visit);
  }
  for (const std::vector<BoundPtr>& row : query.body.values) {
    for (const BoundPtr& value : row) {
      visit(*value);
    }
  }
  for (const BoundOrder& order : query.order_by) {
    visit(*order.expr);
  }
}

void ForEachOperand(const BoundExpr& expr, const Visit& visit) {
  for (const BoundPtr& arg : expr.args) {
    visit(*arg);
  }
  if (expr.kind == BoundKind::kAggregate || expr.kind == BoundKind::kWindow) {
    for (const BoundOrder& order : static_cast<const BoundAggregate&>(expr).order_by) {
      visit(*order.expr);
    }
  }
  if (const auto* window = expr.TryAs<BoundWindow>()) {
    for (const BoundPtr& part : window->partition_by) {
      visit(*part);
    }
    for (const BoundOrder& order : window->window_order) {
      visit(*order.expr);
    }
  }
}

}  // namespace

void Walk(const BoundExpr& expr, const std::function<void(const BoundExpr&)>& visit) {
  visit(expr);
  ForEachOperand(expr, [&](const BoundExpr& part) { Walk(part, visit); });
}

void ForEachPart(const BoundExpr& expr, const std::function<void(const BoundExpr&)>& visit) {
  ForEachOperand(expr, visit);
  if (const BoundQuery* query = SubqueryOf(expr)) {
    ForEachRoot(*query, visit);
  }
}

void WalkDeep(const BoundExpr& expr, const std::function<void(const BoundExpr&)>& visit) {
  visit(expr);
  ForEachPart(expr, [&](const BoundExpr& part) { WalkDeep(part, visit); });
}

bool HoldsAggregate(const BoundExpr& expr) {
  bool holds = false;
  WalkDeep(expr, [&](const BoundExpr& part) { holds |= part.Is<BoundAggregate>(); });
  return holds;
}

bool HoldsAggregateOf(const BoundExpr& expr, const BoundSelect* owner) {
  bool holds = false;
  WalkDeep(expr, [&](const BoundExpr& part) {
    const auto* aggregate = part.TryAs<BoundAggregate>();
    holds |= aggregate != nullptr && aggregate->owner == owner;
  });
  return holds;
}

const BoundQuery* SubqueryOf(const BoundExpr& expr) {
  if (const auto* scalar = expr.TryAs<BoundScalarSubquery>()) {
    return scalar->query.get();
  }
  if (const auto* exists = expr.TryAs<BoundExists>()) {
    return exists->query.get();
  }
  const auto* in = expr.TryAs<BoundInSubquery>();
  return in != nullptr ? in->query.get() : nullptr;
}

bool SameExpr(const BoundExpr& a, const BoundExpr& b) {
  if (&a == &b) {
    return true;
  }
  if (a.kind != b.kind || a.args.size() != b.args.size()) {
    return false;
  }
  switch (a.kind) {
    case BoundKind::kLiteral:
      if (!a.As<BoundLiteral>().value.Identical(b.As<BoundLiteral>().value)) {
        return false;
      }
      break;
    case BoundKind::kParameter:
      if (a.As<BoundParameter>().index != b.As<BoundParameter>().index) {
        return false;
      }
      break;
    case BoundKind::kColumn:
      return a.As<BoundColumn>().table == b.As<BoundColumn>().table &&
             a.As<BoundColumn>().column == b.As<BoundColumn>().column;
    case BoundKind::kConvert:
      if (a.As<BoundConvert>().mode != b.As<BoundConvert>().mode ||
          !(a.type == b.type.Nullable(a.type.nullable))) {
        return false;
      }
      break;
    case BoundKind::kFunction:
      if (!SameFunction(a.As<BoundFunction>(), b.As<BoundFunction>())) {
        return false;
      }
      break;
    case BoundKind::kCompare:
      if (a.As<BoundCompare>().op != b.As<BoundCompare>().op) {
        return false;
      }
      break;
    case BoundKind::kLogical:
      if (a.As<BoundLogical>().is_and != b.As<BoundLogical>().is_and) {
        return false;
      }
      break;
    case BoundKind::kIsNull:
      if (a.As<BoundIsNull>().negated != b.As<BoundIsNull>().negated) {
        return false;
      }
      break;
    case BoundKind::kIsTruth:
      if (a.As<BoundIsTruth>().truth != b.As<BoundIsTruth>().truth ||
          a.As<BoundIsTruth>().negated != b.As<BoundIsTruth>().negated) {
        return false;
      }
      break;
    case BoundKind::kIn:
      if (a.As<BoundIn>().negated != b.As<BoundIn>().negated) {
        return false;
      }
      break;
    case BoundKind::kAggregate: {
      const auto& x = a.As<BoundAggregate>();
      const auto& y = b.As<BoundAggregate>();
      if (x.owner != y.owner || x.fn != y.fn || x.distinct != y.distinct ||
          x.separator != y.separator || !x.order_by.empty() || !y.order_by.empty()) {
        return false;
      }
      break;
    }
    case BoundKind::kNot:
    case BoundKind::kCase:
    case BoundKind::kGrouping:
      break;
    // Two subqueries, windows or variables are never taken for the same.
    case BoundKind::kScalarSubquery:
    case BoundKind::kExists:
    case BoundKind::kInSubquery:
    case BoundKind::kWindow:
    case BoundKind::kUserVariable:
    case BoundKind::kAssignVariable:
      return false;
  }
  for (size_t i = 0; i < a.args.size(); ++i) {
    if (!SameExpr(*a.args[i], *b.args[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace borealis::sql
