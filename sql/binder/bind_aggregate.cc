// Aggregates and window functions: their types, where they may stand, whose rows they are over.
#include <algorithm>
#include <utility>

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
    // 20240131, 20240131123456 and 8385959, with a fraction.
    case Kind::kDate:
      return 8;
    case Kind::kDateTime:
    case Kind::kTimestamp:
      return 14U + type.scale;
    case Kind::kTime:
      return 7U + type.scale;
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

// Whether aggregates may stand in the part of the block that is being bound.
bool TakesAggregates(const Scope& scope) {
  return scope.select != nullptr && !scope.changes_rows &&
         (scope.clause == Clause::kFieldList || scope.clause == Clause::kHaving ||
          scope.clause == Clause::kOrderBy || IsOfWindow(scope.clause));
}

void Fill(const Aggregate& expr, Coercibility coercibility, std::vector<BoundPtr> args,
          std::vector<BoundOrder> order_by, BoundAggregate* node) {
  node->coercibility = coercibility;
  node->distinct = expr.distinct && expr.fn != AggregateFn::kMin && expr.fn != AggregateFn::kMax;
  node->order_by = std::move(order_by);
  node->separator = expr.separator.value_or(",");
  node->args = std::move(args);
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
    const bool adds = expr.fn == AggregateFn::kSum || expr.fn == AggregateFn::kAvg;
    const bool exact = adds && (arg.is_integral() || arg.is_decimal());
    if (adds && arg.is_temporal()) {
      const uint8_t scale = arg.scale;
      (*args)[0] = Convert((*args)[0], Type::Decimal(DigitsOf(arg), scale));
    } else if (!exact && !arg.is_floating()) {
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
      *coercibility = mixed.coercibility;
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

// Those of GROUP_CONCAT; a number means an argument.
Status StatementBinder::BindAggregateOrder(const Aggregate& expr, const std::vector<BoundPtr>& args,
                                           Scope* scope, std::vector<BoundOrder>* order_by) {
  for (const OrderItem& item : expr.order_by) {
    const auto* literal = item.expr->TryAs<Literal>();
    if (literal != nullptr && literal->type == LiteralKind::kInteger) {
      if (literal->integer < 1 || literal->integer > args.size()) {
        return UserError(ER_BAD_FIELD_ERROR, literal->integer, "order clause");
      }
      order_by->push_back({args[literal->integer - 1], item.descending()});
      continue;
    }
    ASSIGN_OR_RETURN(BoundPtr key, BindExpr(*item.expr, scope));
    order_by->push_back({std::move(key), item.descending()});
  }
  return {};
}

Result<BoundPtr> StatementBinder::BindAggregate(const Aggregate& expr, Scope* scope) {
  if (scope->clause == Clause::kLimit || scope->clause == Clause::kValues) {
    return UserError(ER_INVALID_GROUP_FUNC_USE);
  }
  return expr.over != nullptr ? BindWindowAggregate(expr, scope) : BindGroupAggregate(expr, scope);
}

Result<BoundPtr> StatementBinder::BindWindowAggregate(const Aggregate& expr, Scope* scope) {
  if (expr.distinct) {
    return Unsupported("<window function>(DISTINCT ..)");
  }
  if (expr.fn == AggregateFn::kGroupConcat) {
    return Unsupported("group_concat as window function");
  }
  ASSIGN_OR_RETURN(std::vector<BoundPtr> args, BindWindowArguments(expr.args, scope));
  Coercibility coercibility = Coercibility::kNumeric;
  ASSIGN_OR_RETURN(Type type, AggregateType(expr, &args, &coercibility));
  auto window = std::make_shared<BoundWindow>(KeptInWindow(type), expr.fn);
  RETURN_IF_ERROR(BindWindowSpec(*expr.over, scope, window.get()));
  Fill(expr, coercibility, std::move(args), {}, window.get());
  return BoundPtr(window);
}

Result<BoundPtr> StatementBinder::BindGroupAggregate(const Aggregate& expr, Scope* scope) {
  AggregateCall call;
  call.around = std::exchange(aggregate_, &call);
  call.scope = scope;
  ++scope->in_aggregate;
  std::vector<BoundPtr> args;
  std::vector<BoundOrder> order_by;
  const Status bound = [&]() -> Status {
    ASSIGN_OR_RETURN(args, BindExprs(expr.args, scope));
    return BindAggregateOrder(expr, args, scope, &order_by);
  }();
  --scope->in_aggregate;
  aggregate_ = call.around;
  RETURN_IF_ERROR(bound);
  ASSIGN_OR_RETURN(Scope * owner, OwnerOf(call, scope));
  NoteOwner(call, owner, scope);
  Coercibility coercibility = Coercibility::kNumeric;
  ASSIGN_OR_RETURN(Type type, AggregateType(expr, &args, &coercibility));
  auto node = std::make_shared<BoundAggregate>(type, expr.fn);
  Fill(expr, coercibility, std::move(args), std::move(order_by), node.get());
  node->owner = owner->select;
  return BoundPtr(node);
}

int DepthOf(const Scope* scope) {
  int depth = 0;
  for (const Scope* at = scope->outer; at != nullptr; at = at->outer) {
    ++depth;
  }
  return depth;
}

// Over the columns of its own block it belongs there. Otherwise to the block whose columns it
// names, if aggregates may stand where that block holds the subquery; if not, to the innermost
// block around where they may; and to its own at last, but not in the mode ANSI.
Result<Scope*> StatementBinder::OwnerOf(const AggregateCall& call, Scope* scope) const {
  const bool here = TakesAggregates(*scope);
  Scope* owner = nullptr;
  if (call.columns == DepthOf(scope) || (call.columns < 0 && here)) {
    owner = here ? scope : nullptr;
  } else {
    Scope* at = scope->outer;
    for (; at != nullptr && DepthOf(at) > call.columns; at = at->outer) {
      owner = owner == nullptr && TakesAggregates(*at) ? at : owner;
    }
    owner = at != nullptr && TakesAggregates(*at) ? at : owner;
    const bool may_be_own = here && (settings().sql_mode & row::kModeAnsi) == 0;
    owner = owner == nullptr && may_be_own ? scope : owner;
  }
  // An aggregate of an aggregate: that has to belong to a block around.
  if (owner == nullptr || DepthOf(owner) <= call.aggregates) {
    return UserError(ER_INVALID_GROUP_FUNC_USE);
  }
  return owner;
}

void StatementBinder::NoteOwner(const AggregateCall& call, Scope* owner, Scope* scope) {
  owner->has_aggregate = true;
  if (owner != scope) {
    owner->select->aggregates_below = true;
    for (Scope* inner = scope; inner != owner; inner = inner->outer) {
      if (inner->query != nullptr) {
        inner->query->correlated = true;
      }
    }
  }
  if (call.around != nullptr) {
    const bool counts = DepthOf(call.around->scope) >= DepthOf(owner);
    call.around->aggregates =
        std::max({call.around->aggregates, call.aggregates, counts ? DepthOf(owner) : -1});
  }
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
  ASSIGN_OR_RETURN(std::vector<BoundPtr> args, BindWindowArguments(expr.args, scope));
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

Result<std::vector<BoundPtr>> StatementBinder::BindWindowArguments(
    const std::vector<ExprPtr>& exprs, Scope* scope) {
  ++scope->in_window_call;
  Result<std::vector<BoundPtr>> args = BindExprs(exprs, scope);
  --scope->in_window_call;
  return args;
}

}  // namespace borealis::sql
