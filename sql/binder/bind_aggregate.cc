// Aggregates and window functions: their types, and where they may stand.
#include <algorithm>

#include "row/collation.h"
#include "sql/ast/print.h"
#include "sql/binder/binder_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using Kind = row::TypeKind;

// Windows keep integers as INT or BIGINT.
Type KeptInWindow(const Type& type) {
  if (!type.is_integer() && type.kind != Kind::kYear) {
    return type;
  }
  constexpr uint32_t kIntDigits = 10;
  const Kind kind = row::DisplayWidth(type) < kIntDigits ? Kind::kInt : Kind::kBigInt;
  const Type kept = Type::Integer(kind, type.is_unsigned).Nullable(type.nullable);
  return SameRegisterForm(type, kept) ? kept : type;
}

Type ExactOperand(const Type& type) {
  if (type.is_decimal()) {
    return type;
  }
  return Type::Decimal(static_cast<uint32_t>(type.is_integral() ? 20 : 65), 0);
}

uint32_t DigitsOf(const Type& type) {
  switch (type.kind) {
    case Kind::kTinyInt:
      return 3;
    case Kind::kSmallInt:
      return 5;
    case Kind::kMediumInt:
      return 8;
    case Kind::kInt:
      return 10;
    case Kind::kYear:
      return 4;
    case Kind::kDecimal:
      return type.length;
    default:
      return type.is_unsigned ? 20 : 19;
  }
}

// DOUBLE, with as many digits after the point as a FLOAT(M, D) has, and some more.
Type FloatingOf(const Type& arg, uint32_t more_digits) {
  Type type = Type::Double();
  const uint32_t scale = arg.scale + more_digits;
  if (arg.is_floating() && scale < Type::kFloatingScale) {
    constexpr uint32_t kDigits = 17;
    type.scale = static_cast<uint8_t>(scale);
    type.length = kDigits + scale;
  }
  return type;
}

Type SumType(const Type& arg) {
  if (arg.is_integral() || arg.is_decimal()) {
    Type exact = ExactOperand(arg);
    uint32_t precision = std::min<uint32_t>(DigitsOf(arg) + 22, 65);
    return Type::Decimal(precision, exact.scale).Nullable();
  }
  return FloatingOf(arg, 0).Nullable();
}

Type AverageType(const Type& arg, uint32_t increment) {
  if (arg.is_integral() || arg.is_decimal()) {
    Type exact = ExactOperand(arg);
    uint32_t scale = std::min<uint32_t>(exact.scale + increment, 30);
    uint32_t precision = std::min<uint32_t>(DigitsOf(arg) + increment, 65);
    return Type::Decimal(std::max(precision, scale), static_cast<uint8_t>(scale)).Nullable();
  }
  return FloatingOf(arg, increment).Nullable();
}

bool IsNumberAggregate(AggregateFn fn) {
  switch (fn) {
    case AggregateFn::kSum:
    case AggregateFn::kAvg:
    case AggregateFn::kStddevPop:
    case AggregateFn::kStddevSamp:
    case AggregateFn::kVarPop:
    case AggregateFn::kVarSamp:
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<row::Type> StatementBinder::AggregateType(const Aggregate& expr, std::vector<BoundPtr>* args,
                                                 Coercibility* coercibility) {
  *coercibility = Coercibility::kNumeric;
  const Type none = Type::Null();
  const Type& arg = args->empty() ? none : (*args)[0]->type;
  if (IsNumberAggregate(expr.fn)) {
    bool exact = (arg.is_integral() || arg.is_decimal()) &&
                 (expr.fn == AggregateFn::kSum || expr.fn == AggregateFn::kAvg);
    if (!exact && !arg.is_floating()) {
      (*args)[0] = Convert((*args)[0], Type::Double());
    }
  }
  switch (expr.fn) {
    case AggregateFn::kCount: {
      Type type = Type::BigInt().NotNull();
      type.length = 21;
      return type;
    }
    case AggregateFn::kSum:
      return SumType((*args)[0]->type);
    case AggregateFn::kAvg:
      return AverageType((*args)[0]->type, settings().div_precision_increment);
    case AggregateFn::kMin:
    case AggregateFn::kMax: {
      RETURN_IF_ERROR(
          CheckMix({(*args)[0], (*args)[0]}, expr.fn == AggregateFn::kMin ? "min" : "max"));
      if (arg.is_enum_or_set()) {
        // By text, not by number.
        Type text = Type::Char(row::DisplayWidth(arg), arg.collation);
        (*args)[0] = Convert((*args)[0], text);
      }
      *coercibility = (*args)[0]->coercibility;
      return (*args)[0]->type.Nullable();
    }
    case AggregateFn::kBitAnd:
    case AggregateFn::kBitOr:
    case AggregateFn::kBitXor: {
      (*args)[0] = HexAsNumber((*args)[0]);
      if ((*args)[0]->type.is_binary_string()) {
        constexpr uint32_t kLongest = 511;
        const uint32_t length = row::ColumnLengthBytes((*args)[0]->type);
        return length > kLongest
                   ? Result<Type>(UserError(ER_INVALID_BITWISE_AGGREGATE_OPERANDS_SIZE))
                   : Type::Varbinary(length + 1).NotNull();
      }
      Type type = Type::BigInt(true).NotNull();
      type.length = 21;
      return type;
    }
    case AggregateFn::kStddevPop:
    case AggregateFn::kStddevSamp:
    case AggregateFn::kVarPop:
    case AggregateFn::kVarSamp:
      return Type::Double().Nullable();
    case AggregateFn::kGroupConcat: {
      *coercibility = Coercibility::kImplicit;
      std::vector<BoundPtr> texts;
      bool binary = false;
      for (BoundPtr& part : *args) {
        binary |= part->type.is_binary_string();
        if (part->type.kind == Kind::kJson) {
          auto text = std::make_shared<BoundConvert>(
              Type::Text(Kind::kLongText, row::kUtf8mb4Bin).Nullable(part->type.nullable),
              BoundConvert::Mode::kImplicit);
          text->coercibility = Coercibility::kImplicit;
          text->args.push_back(std::move(part));
          part = std::move(text);
        } else if (!part->type.is_string()) {
          part = Convert(part, Type::Varchar(std::max<uint32_t>(row::DisplayWidth(part->type), 1),
                                             settings().collation_connection));
        }
        texts.push_back(part);
      }
      if (binary) {
        return Type::Blob(Kind::kBlob).Nullable();
      }
      ASSIGN_OR_RETURN(MixedCollation mixed,
                       MixCollations(texts, "group_concat", CollationUse::kResult));
      row::CollationId collation = mixed.coercibility == Coercibility::kIgnorable
                                       ? settings().collation_connection
                                       : mixed.collation;
      return Type::Text(settings().group_concat_max_len > 65535 ? Kind::kLongText : Kind::kText,
                        collation)
          .Nullable();
    }
    case AggregateFn::kJsonArrayAgg:
      RETURN_IF_ERROR(MarkJsonBooleans("json_array", args));
      return Type::Json().Nullable();
    case AggregateFn::kJsonObjectAgg:
      RETURN_IF_ERROR(MarkJsonBooleans("json_object", args));
      return Type::Json().Nullable();
    case AggregateFn::kStCollect:
      return Unsupported("ST_COLLECT");
  }
  return Status::Internal("aggregate of an unknown kind");
}

Result<BoundPtr> StatementBinder::BindAggregate(const Aggregate& expr, Scope* scope) {
  bool windowed = expr.over != nullptr;
  if (scope->clause == Clause::kLimit || scope->clause == Clause::kValues ||
      (!windowed && scope->in_aggregate > 0) ||
      (!windowed && (scope->clause == Clause::kWhere || scope->clause == Clause::kOn ||
                     scope->clause == Clause::kGroupBy || scope->clause == Clause::kAssignment))) {
    return UserError(ER_INVALID_GROUP_FUNC_USE);
  }
  if (windowed && expr.distinct) {
    return Unsupported("<window function>(DISTINCT ..)");
  }
  if (windowed && expr.fn == AggregateFn::kGroupConcat) {
    return Unsupported("group_concat as window function");
  }
  int& depth = windowed ? scope->in_window_call : scope->in_aggregate;
  ++depth;
  Result<std::vector<BoundPtr>> bound = BindExprs(expr.args, scope);
  std::vector<BoundOrder> order_by;
  Status order_status;
  for (const OrderItem& item : expr.order_by) {
    if (const auto* literal = item.expr->TryAs<Literal>();
        literal != nullptr && literal->type == LiteralKind::kInteger && bound.ok()) {
      if (literal->integer < 1 || literal->integer > bound->size()) {
        order_status = UserError(ER_BAD_FIELD_ERROR, literal->integer, "order clause");
        break;
      }
      order_by.push_back({(*bound)[literal->integer - 1], item.descending()});
      continue;
    }
    Result<BoundPtr> key = BindExpr(*item.expr, scope);
    if (!key.ok()) {
      order_status = std::move(key).status();
      break;
    }
    order_by.push_back({std::move(key).value(), item.descending()});
  }
  --depth;
  if (!bound.ok()) {
    return std::move(bound).status();
  }
  RETURN_IF_ERROR(order_status);
  std::vector<BoundPtr> args = std::move(bound).value();
  Coercibility coercibility = Coercibility::kNumeric;
  ASSIGN_OR_RETURN(Type type, AggregateType(expr, &args, &coercibility));

  std::shared_ptr<BoundAggregate> node;
  if (windowed) {
    auto window = std::make_shared<BoundWindow>(KeptInWindow(type), expr.fn);
    RETURN_IF_ERROR(BindWindowSpec(*expr.over, scope, window.get()));
    node = std::move(window);
  } else {
    node = std::make_shared<BoundAggregate>(type, expr.fn);
    Scope* const owner = OwnerOf(args, scope);
    owner->has_aggregate = true;
    if (owner != scope && owner->select != nullptr) {
      owner->select->aggregates_below = true;
    }
  }
  node->coercibility = coercibility;
  node->distinct = expr.distinct && expr.fn != AggregateFn::kMin && expr.fn != AggregateFn::kMax;
  node->order_by = std::move(order_by);
  node->separator = expr.separator.value_or(",");
  node->args = std::move(args);
  return BoundPtr(node);
}

// An aggregate belongs to the innermost block whose columns it uses; without columns to its own.
Scope* StatementBinder::OwnerOf(const std::vector<BoundPtr>& args, Scope* scope) const {
  std::vector<const BoundTable*> used;
  for (const BoundPtr& arg : args) {
    Walk(*arg, [&](const BoundExpr& e) {
      if (const auto* column = e.TryAs<BoundColumn>()) {
        used.push_back(column->table);
      }
    });
  }
  if (used.empty()) {
    return scope;
  }
  for (Scope* at = scope; at != nullptr; at = at->outer) {
    for (const BoundTable* table : at->from.tables) {
      if (std::find(used.begin(), used.end(), table) != used.end()) {
        bool allowed = at->clause == Clause::kFieldList || at->clause == Clause::kHaving ||
                       at->clause == Clause::kOrderBy;
        return allowed ? at : scope;
      }
    }
  }
  return scope;
}

// How many rows NTILE, NTH_VALUE, LEAD and LAG are about is a whole number.
Status StatementBinder::CheckRowCount(WindowFn fn, const std::vector<BoundPtr>& args) const {
  const bool shifts = fn == WindowFn::kLead || fn == WindowFn::kLag;
  const size_t place = fn == WindowFn::kNtile ? 0 : 1;
  if ((!shifts && fn != WindowFn::kNtile && fn != WindowFn::kNthValue) || args.size() <= place) {
    return Status::Ok();
  }
  const row::Value* count = nullptr;
  if (const auto* literal = args[place]->TryAs<BoundLiteral>()) {
    count = &literal->value;
  } else if (const auto* parameter = args[place]->TryAs<BoundParameter>()) {
    if (input_.describe_only || input_.frame || parameter->index >= input_.parameters.size()) {
      return Status::Ok();
    }
    count = &input_.parameters[parameter->index].value;
  }
  const int64_t least = shifts ? 0 : 1;
  const bool good =
      count != nullptr && ((count->kind() == row::ValueKind::kInt && count->int_value() >= least) ||
                           (count->kind() == row::ValueKind::kUint &&
                            count->uint_value() >= static_cast<uint64_t>(least)));
  return good ? Status::Ok()
              : UserError(ER_WRONG_ARGUMENTS, FoldName(std::string(WindowFunctionName(fn))));
}

Result<BoundPtr> StatementBinder::BindWindowFunction(const WindowFunction& expr, Scope* scope) {
  if (expr.ignore_nulls) {
    return Unsupported("IGNORE NULLS");
  }
  if (expr.from_last) {
    return Unsupported("FROM LAST");
  }
  ++scope->in_window_call;
  Result<std::vector<BoundPtr>> bound = BindExprs(expr.args, scope);
  --scope->in_window_call;
  if (!bound.ok()) {
    return std::move(bound).status();
  }
  std::vector<BoundPtr> args = std::move(bound).value();
  Type type = Type::BigInt();
  Coercibility coercibility = Coercibility::kNumeric;
  bool counts = false;
  switch (expr.fn) {
    case WindowFn::kRowNumber:
    case WindowFn::kRank:
    case WindowFn::kDenseRank:
    case WindowFn::kNtile:
      counts = true;
      type = Type::BigInt().NotNull();
      break;
    case WindowFn::kPercentRank:
    case WindowFn::kCumeDist:
      type = Type::Double().NotNull();
      break;
    case WindowFn::kLead:
    case WindowFn::kLag:
      if (args.size() == 3) {
        ASSIGN_OR_RETURN(type, CommonType({args[0], args[2]}, "lead", &coercibility));
        args[0] = Convert(args[0], type);
        args[2] = Convert(args[2], type);
        break;
      }
      [[fallthrough]];
    case WindowFn::kFirstValue:
    case WindowFn::kLastValue:
    case WindowFn::kNthValue:
      type = args[0]->type.Nullable();
      coercibility = args[0]->coercibility;
      break;
  }
  RETURN_IF_ERROR(CheckRowCount(expr.fn, args));
  type = KeptInWindow(type);
  auto window = std::make_shared<BoundWindow>(type, AggregateFn::kCount);
  window->is_aggregate = false;
  window->window_fn = expr.fn;
  window->coercibility = coercibility;
  window->args = std::move(args);
  if (expr.over != nullptr) {
    RETURN_IF_ERROR(BindWindowSpec(*expr.over, scope, window.get()));
  }
  if (counts) {
    // MySQL numbers rows with BIGINT UNSIGNED.
    return Convert(window, Type::BigInt(true).NotNull());
  }
  return BoundPtr(window);
}

}  // namespace borealis::sql
