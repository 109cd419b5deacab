// Aggregates: counting, sums, extremes, bits, variance. GROUP_CONCAT is in group_concat.cc, those
// that make JSON in json_aggregates.cc.
#include "sql/functions/aggregate.h"

#include <cmath>
#include <unordered_set>

#include "row/key_codec.h"
#include "sql/functions/aggregate_internal.h"
#include "sql/functions/functions_internal.h"

namespace borealis::sql {

using row::Decimal;
using row::Type;
using row::Value;

Status Aggregator::Remove(EvalContext&, std::span<const Value>) {
  return Status::Internal("aggregate cannot take a row back");
}

namespace {

bool AnyNull(std::span<const Value> args) {
  for (const Value& arg : args) {
    if (arg.is_null()) {
      return true;
    }
  }
  return false;
}

class CountAggregator final : public Aggregator {
 public:
  Status Step(EvalContext&, std::span<const Value> args) override {
    count_ += AnyNull(args) ? 0 : 1;
    return {};
  }
  Status Remove(EvalContext&, std::span<const Value> args) override {
    count_ -= AnyNull(args) ? 0 : 1;
    return {};
  }
  bool can_remove() const override { return true; }
  Status Finish(EvalContext&, Value* out) override { return SetInt(out, count_); }

 private:
  int64_t count_ = 0;
};

// SUM and AVG of integers and decimals, exact. Integers add up in 128 bits and become a decimal
// only at the end: 2^63 rows of 2^64 still fit.
class ExactSum final : public Aggregator {
 public:
  ExactSum(const AggregateSpec& spec)
      : arg_(spec.arg_types[0]), result_(spec.result), average_(spec.fn == AggregateFn::kAvg) {}

  Status Step(EvalContext& context, std::span<const Value> args) override {
    return Change(context, args[0], false);
  }
  Status Remove(EvalContext& context, std::span<const Value> args) override {
    return Change(context, args[0], true);
  }
  bool can_remove() const override { return true; }

  Status Finish(EvalContext& context, Value* out) override {
    if (count_ == 0) {
      *out = Value::Null();
      return {};
    }
    Decimal total;
    if (Decimal::Add(decimals_, IntegerPart(), &total) == row::DecimalStatus::kOverflow) {
      return UserError(ER_DATA_OUT_OF_RANGE, "DECIMAL", "sum");
    }
    if (average_) {
      Decimal mean;
      Decimal::Div(total, Decimal::FromInt64(count_),
                   static_cast<int>(context.div_precision_increment), &mean);
      mean.Round(result_.scale, &total);
    } else if (total.scale() < result_.scale) {
      total.Round(result_.scale, &total);
    }
    *out = Value::Dec(total);
    return {};
  }

 private:
  Status Change(EvalContext& context, const Value& value, bool remove) {
    if (value.is_null()) {
      return {};
    }
    count_ += remove ? -1 : 1;
    if (value.kind() == row::ValueKind::kInt) {
      integers_ += remove ? -static_cast<__int128>(value.int_value()) : value.int_value();
      return {};
    }
    if (value.kind() == row::ValueKind::kUint) {
      __int128 wide = static_cast<__int128>(value.uint_value());
      integers_ += remove ? -wide : wide;
      return {};
    }
    Decimal number = row::ToDecimal(value, arg_, context.conversion);
    row::DecimalStatus status = remove ? Decimal::Sub(decimals_, number, &decimals_)
                                       : Decimal::Add(decimals_, number, &decimals_);
    return status == row::DecimalStatus::kOverflow
               ? UserError(ER_DATA_OUT_OF_RANGE, "DECIMAL", "sum")
               : Status();
  }
  Decimal IntegerPart() const {
    unsigned __int128 magnitude = integers_ < 0 ? -static_cast<unsigned __int128>(integers_)
                                                : static_cast<unsigned __int128>(integers_);
    Decimal high = Decimal::FromUint64(static_cast<uint64_t>(magnitude >> 32));
    Decimal low = Decimal::FromUint64(static_cast<uint64_t>(magnitude & 0xFFFFFFFF));
    Decimal::Mul(high, Decimal::FromUint64(uint64_t{1} << 32), &high);
    Decimal::Add(high, low, &high);
    return integers_ < 0 ? high.Negated() : high;
  }

  Type arg_;
  Type result_;
  bool average_;
  int64_t count_ = 0;
  __int128 integers_ = 0;
  Decimal decimals_;
};

class DoubleSum final : public Aggregator {
 public:
  explicit DoubleSum(const AggregateSpec& spec)
      : arg_(spec.arg_types[0]), average_(spec.fn == AggregateFn::kAvg) {}
  Status Step(EvalContext& context, std::span<const Value> args) override {
    if (!args[0].is_null()) {
      sum_ += row::ToDouble(args[0], arg_, context.conversion);
      ++count_;
    }
    return {};
  }
  Status Finish(EvalContext&, Value* out) override {
    if (count_ == 0) {
      *out = Value::Null();
      return {};
    }
    if (!std::isfinite(sum_)) {
      return UserError(ER_DATA_OUT_OF_RANGE, "DOUBLE", "sum");
    }
    *out = Value::Double(average_ ? sum_ / static_cast<double>(count_) : sum_);
    return {};
  }

 private:
  Type arg_;
  bool average_;
  double sum_ = 0;
  int64_t count_ = 0;
};

// MIN, MAX.
class ExtremeAggregator final : public Aggregator {
 public:
  ExtremeAggregator(const AggregateSpec& spec)
      : arg_(spec.arg_types[0]),
        result_(spec.result),
        sign_(spec.fn == AggregateFn::kMax ? 1 : -1) {}
  Status Step(EvalContext&, std::span<const Value> args) override {
    const Value& value = args[0];
    if (!value.is_null() && (best_.is_null() || CompareValues(result_, value, best_) * sign_ > 0)) {
      best_ = value;
      best_.Own();
    }
    return {};
  }
  Status Finish(EvalContext& context, Value* out) override {
    return ConvertValue(context, best_, arg_, result_, out);
  }
  size_t memory_bytes() const override {
    return 64 + (best_.is_string() ? best_.bytes().size() : 0);
  }

 private:
  Type arg_;
  Type result_;
  int sign_;
  Value best_;
};

class AnyValueAggregator final : public Aggregator {
 public:
  Status Step(EvalContext&, std::span<const Value> args) override {
    if (!seen_) {
      first_ = args[0];
      first_.Own();
      seen_ = true;
    }
    return {};
  }
  Status Finish(EvalContext&, Value* out) override {
    *out = first_;
    return {};
  }

 private:
  bool seen_ = false;
  Value first_;
};

class BitAggregator final : public Aggregator {
 public:
  explicit BitAggregator(const AggregateSpec& spec)
      : arg_(spec.arg_types[0]),
        fn_(spec.fn),
        bits_(fn_ == AggregateFn::kBitAnd ? UINT64_MAX : 0) {}
  Status Step(EvalContext& context, std::span<const Value> args) override {
    if (args[0].is_null()) {
      return {};
    }
    bool is_unsigned;
    uint64_t bits =
        static_cast<uint64_t>(row::ToInteger(args[0], arg_, context.conversion, &is_unsigned));
    bits_ = fn_ == AggregateFn::kBitAnd  ? bits_ & bits
            : fn_ == AggregateFn::kBitOr ? bits_ | bits
                                         : bits_ ^ bits;
    return {};
  }
  Status Finish(EvalContext&, Value* out) override {
    *out = Value::Uint(bits_);
    return {};
  }

 private:
  Type arg_;
  AggregateFn fn_;
  uint64_t bits_;
};

// Of byte strings, which must be of one length. No rows: as long as the argument may be.
class ByteBitAggregator final : public Aggregator {
 public:
  explicit ByteBitAggregator(const AggregateSpec& spec)
      : fn_(spec.fn),
        bits_(row::ColumnLengthBytes(spec.arg_types[0]),
              fn_ == AggregateFn::kBitAnd ? '\xFF' : '\0') {}
  Status Step(EvalContext& /*context*/, std::span<const Value> args) override {
    if (args[0].is_null()) {
      return {};
    }
    const std::string_view bytes = args[0].bytes();
    if (!any_) {
      any_ = true;
      bits_ = bytes;
      return {};
    }
    if (bytes.size() != bits_.size()) {
      return UserError(ER_INVALID_BITWISE_OPERANDS_SIZE);
    }
    for (size_t i = 0; i < bytes.size(); ++i) {
      bits_[i] = static_cast<char>(fn_ == AggregateFn::kBitAnd  ? bits_[i] & bytes[i]
                                   : fn_ == AggregateFn::kBitOr ? bits_[i] | bytes[i]
                                                                : bits_[i] ^ bytes[i]);
    }
    return {};
  }
  Status Finish(EvalContext& /*context*/, Value* out) override {
    *out = Value::String(bits_);
    return {};
  }
  size_t memory_bytes() const override { return sizeof(*this) + bits_.size(); }

 private:
  AggregateFn fn_;
  std::string bits_;
  bool any_ = false;
};

// Welford's running mean and sum of squared deviations.
class VarianceAggregator final : public Aggregator {
 public:
  explicit VarianceAggregator(const AggregateSpec& spec) : arg_(spec.arg_types[0]), fn_(spec.fn) {}
  Status Step(EvalContext& context, std::span<const Value> args) override {
    if (args[0].is_null()) {
      return {};
    }
    double value = row::ToDouble(args[0], arg_, context.conversion);
    ++count_;
    double delta = value - mean_;
    mean_ += delta / static_cast<double>(count_);
    squares_ += delta * (value - mean_);
    return {};
  }
  Status Finish(EvalContext&, Value* out) override {
    bool sample = fn_ == AggregateFn::kStddevSamp || fn_ == AggregateFn::kVarSamp;
    if (count_ <= (sample ? 1 : 0)) {
      *out = Value::Null();
      return {};
    }
    double variance = squares_ / static_cast<double>(sample ? count_ - 1 : count_);
    bool root = fn_ == AggregateFn::kStddevPop || fn_ == AggregateFn::kStddevSamp;
    *out = Value::Double(root ? std::sqrt(variance) : variance);
    return {};
  }

 private:
  Type arg_;
  AggregateFn fn_;
  int64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

// Lets through the first of equal tuples, equal by the arguments' collations.
class DistinctAggregator final : public Aggregator {
 public:
  DistinctAggregator(const AggregateSpec& spec, std::unique_ptr<Aggregator> inner)
      : inner_(std::move(inner)) {
    for (const Type& type : spec.arg_types) {
      schema_.push_back({type});
    }
  }
  Status Step(EvalContext& context, std::span<const Value> args) override {
    std::span<const Value> own = args.first(schema_.size());
    if (AnyNull(own)) {
      return {};
    }
    key_.clear();
    RETURN_IF_ERROR(row::EncodeKey(schema_, own, &key_));
    if (!seen_.insert(key_).second) {
      return {};
    }
    bytes_ += key_.size() + 48;
    return inner_->Step(context, args);
  }
  Status Finish(EvalContext& context, Value* out) override { return inner_->Finish(context, out); }
  size_t memory_bytes() const override { return bytes_ + inner_->memory_bytes(); }

 private:
  std::unique_ptr<Aggregator> inner_;
  row::KeySchema schema_;
  std::unordered_set<std::string> seen_;
  std::string key_;
  size_t bytes_ = 0;
};

bool IsExact(const Type& type) {
  return NumberClassOf(type) != NumberClass::kDouble;
}

std::unique_ptr<Aggregator> MakePlain(const AggregateSpec& spec) {
  switch (spec.fn) {
    case AggregateFn::kCount:
      return std::make_unique<CountAggregator>();
    case AggregateFn::kSum:
    case AggregateFn::kAvg:
      if (spec.result.is_floating()) {
        return std::make_unique<DoubleSum>(spec);
      }
      return std::make_unique<ExactSum>(spec);
    case AggregateFn::kMin:
    case AggregateFn::kMax:
      return std::make_unique<ExtremeAggregator>(spec);
    case AggregateFn::kBitAnd:
    case AggregateFn::kBitOr:
    case AggregateFn::kBitXor:
      if (spec.arg_types[0].is_binary_string()) {
        return std::make_unique<ByteBitAggregator>(spec);
      }
      return std::make_unique<BitAggregator>(spec);
    case AggregateFn::kStddevPop:
    case AggregateFn::kStddevSamp:
    case AggregateFn::kVarPop:
    case AggregateFn::kVarSamp:
      return std::make_unique<VarianceAggregator>(spec);
    case AggregateFn::kGroupConcat:
      return MakeGroupConcat(spec);
    case AggregateFn::kJsonArrayAgg:
      return MakeJsonArrayAgg(spec);
    case AggregateFn::kJsonObjectAgg:
      return MakeJsonObjectAgg(spec);
    case AggregateFn::kStCollect:
      break;
  }
  return nullptr;
}

}  // namespace

Result<std::unique_ptr<Aggregator>> MakeAggregator(const AggregateSpec& spec) {
  if (spec.moving_frame) {
    AggregateSpec fixed = spec;
    fixed.moving_frame = false;
    ASSIGN_OR_RETURN(std::unique_ptr<Aggregator> aggregator, MakeAggregator(fixed));
    return aggregator->can_remove() ? std::move(aggregator) : MakeMovingAggregator(fixed);
  }
  if (spec.arg_types.empty() && spec.fn != AggregateFn::kCount) {
    return Status::InvalidArgument("aggregate without an argument");
  }
  std::unique_ptr<Aggregator> plain = MakePlain(spec);
  if (plain == nullptr) {
    return UserError(ER_NOT_SUPPORTED_YET, "ST_COLLECT");
  }
  if (spec.distinct && !spec.arg_types.empty()) {
    return std::unique_ptr<Aggregator>(
        std::make_unique<DistinctAggregator>(spec, std::move(plain)));
  }
  return plain;
}

std::unique_ptr<Aggregator> MakeAnyValue() {
  return std::make_unique<AnyValueAggregator>();
}

Result<Type> AggregateResultType(AggregateFn fn, std::span<const Type> args,
                                 uint32_t div_precision_increment, row::CollationId collation) {
  const Type none = Type::Null();
  const Type& arg = args.empty() ? none : args[0];
  switch (fn) {
    case AggregateFn::kCount:
      return Type::BigInt().NotNull();
    case AggregateFn::kSum:
      return IsExact(arg) ? DecimalType(IntegerDigitsOf(arg) + 22, ScaleOf(arg)) : Type::Double();
    case AggregateFn::kAvg:
      return IsExact(arg)
                 ? DecimalType(IntegerDigitsOf(arg),
                               std::min<uint32_t>(ScaleOf(arg) + div_precision_increment, 30))
                 : Type::Double();
    case AggregateFn::kMin:
    case AggregateFn::kMax:
      return arg.is_enum_or_set() ? Type::Varchar(row::DisplayWidth(arg), arg.collation).Nullable()
                                  : arg.Nullable();
    case AggregateFn::kBitAnd:
    case AggregateFn::kBitOr:
    case AggregateFn::kBitXor:
      return arg.is_binary_string() ? Type::Varbinary(row::ColumnLengthBytes(arg) + 1).NotNull()
                                    : Type::BigInt(true).NotNull();
    case AggregateFn::kStddevPop:
    case AggregateFn::kStddevSamp:
    case AggregateFn::kVarPop:
    case AggregateFn::kVarSamp:
      return Type::Double();
    case AggregateFn::kGroupConcat:
      return collation == row::kBinaryCollation ? Type::Blob(row::TypeKind::kBlob)
                                                : Type::Text(row::TypeKind::kText, collation);
    case AggregateFn::kJsonArrayAgg:
    case AggregateFn::kJsonObjectAgg:
      return Type::Json();
    default:
      return UserError(ER_NOT_SUPPORTED_YET, "ST_COLLECT");
  }
}

}  // namespace borealis::sql
