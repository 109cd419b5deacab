// The registry, binding, and calls.
#include "sql/functions/function.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {

namespace {

const std::unordered_map<std::string_view, const FunctionDef*>& Registry() {
  static const auto* registry = [] {
    auto* map = new std::unordered_map<std::string_view, const FunctionDef*>;
    for (auto table : {AddressFunctions(),    ArithmeticFunctions(),     BitFunctions(),
                       BitTextFunctions(),    ComparisonFunctions(),     CompressionFunctions(),
                       DateFunctions(),       DateArithmeticFunctions(), EncodingFunctions(),
                       EncryptionFunctions(), DigestFunctions(),         PerformanceFunctions(),
                       FormatFunctions(),     FrameFunctions(),          ReplicationFunctions(),
                       JsonChangeFunctions(), JsonCreateFunctions(),     JsonOrderFunctions(),
                       JsonReadFunctions(),   JsonSchemaFunctions(),     JsonSearchFunctions(),
                       JsonValueFunctions(),  LogicFunctions(),          MathFunctions(),
                       RegexpFunctions(),     SessionFunctions(),        StringFunctions(),
                       TextSearchFunctions()}) {
      for (const FunctionDef& def : table) {
        INVARIANT(def.infer != nullptr && def.eval != nullptr);
        INVARIANT(map->emplace(def.name, &def).second);
      }
    }
    return map;
  }();
  return *registry;
}

}  // namespace

const FunctionDef* FindFunction(std::string_view name) {
  auto found = Registry().find(name);
  return found == Registry().end() ? nullptr : found->second;
}

std::vector<const FunctionDef*> AllFunctions() {
  std::vector<const FunctionDef*> all;
  for (const auto& [name, def] : Registry()) {
    all.push_back(def);
  }
  std::sort(all.begin(), all.end(),
            [](const FunctionDef* a, const FunctionDef* b) { return a->name < b->name; });
  return all;
}

Result<std::shared_ptr<const FunctionInstance>> BindFunction(const FunctionDef& def,
                                                             std::span<const FunctionArg> args,
                                                             const BindSettings& settings,
                                                             const FunctionOptions& options) {
  if (!AcceptsCount(def, args.size())) {
    return UserError(ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, def.name);
  }
  auto instance = std::make_shared<FunctionInstance>();
  instance->def_ = &def;
  instance->options_ = options;
  instance->settings_ = settings;
  bool nullable = false;
  for (const FunctionArg& arg : args) {
    nullable |= arg.type.nullable;
    instance->arg_types_.push_back(arg.type);
  }
  InferInput input{args, settings, options};
  row::Type type;
  RETURN_IF_ERROR(def.infer(input, &type));
  type.nullable = def.null_from_args ? nullable : !def.total || (def.null_if_any_null && nullable);
  instance->type_ = std::move(type);
  return std::shared_ptr<const FunctionInstance>(std::move(instance));
}

Status FunctionInstance::Eval(EvalContext& context, std::span<const row::Value> args,
                              row::Value* out) const {
  DCHECK(args.size() == arg_types_.size());
  if (def_->null_if_any_null) {
    for (const row::Value& arg : args) {
      if (arg.is_null()) {
        *out = row::Value::Null();
        return {};
      }
    }
  }
  return def_->eval({context, *this}, args, out);
}

Random& EvalContext::random() {
  if (random_ == nullptr) {
    std::string seed = SecureRandomBytes(8);
    uint64_t number;
    std::copy(seed.begin(), seed.end(), reinterpret_cast<char*>(&number));
    random_ = std::make_unique<Random>(number);
  }
  return *random_;
}

double RandomSequence::Next() {
  first_ = (first_ * 3 + second_) % kMax;
  second_ = (first_ + second_ + 33) % kMax;
  return static_cast<double>(first_) / static_cast<double>(kMax);
}

RandomSequence& EvalContext::SequenceOf(const FunctionInstance& call, uint32_t seed) {
  return sequences_.try_emplace(&call, seed).first->second;
}

void EvalContext::SetNow(int64_t utc_micros) {
  sequences_.clear();
  json_sorting_told = false;
  now_us = utc_micros;
  conversion.current_date = row::DateOf(conversion.time_zone().ToLocal(utc_micros));
}

// --- arguments and results
// ------------------------------------------------------------------------

std::string_view Args::Text(size_t i, std::string* buffer) const {
  const row::Value& value = values_[i];
  if (value.is_string() && type(i).kind != row::TypeKind::kJson) {
    const bool among_bytes = call_.function.def().collation_args != 0 && IsBinaryText(call_);
    if (!type(i).is_text() || !among_bytes) {
      return value.bytes();
    }
    // Among bytes a text is the bytes of its character set.
    *buffer = row::GetCollation(type(i).collation).charset().Encode(value.bytes());
    return *buffer;
  }
  *buffer = row::ToText(value, type(i), call_.context.conversion.time_zone());
  return *buffer;
}

std::string Args::TextCopy(size_t i) const {
  std::string buffer;
  std::string_view text = Text(i, &buffer);
  return text.data() == buffer.data() ? std::move(buffer) : std::string(text);
}

std::string Args::Bytes(size_t i) const {
  std::string text = TextCopy(i);
  return type(i).is_text() ? row::GetCollation(type(i).collation).charset().Encode(text) : text;
}

std::string HexOf(std::string_view bytes, bool upper) {
  const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (char byte : bytes) {
    hex += digits[static_cast<uint8_t>(byte) >> 4];
    hex += digits[static_cast<uint8_t>(byte) & 15];
  }
  return hex;
}

void WarnOfArgument(const EvalCall& call, std::string_view what, std::string_view value) {
  const std::string_view name = call.function.def().name;
  std::string shown(value);
  if (const auto& describe = call.function.options().describe; describe != nullptr) {
    const std::string written = describe();  // name(argument)
    shown = written.substr(name.size() + 1, written.size() - name.size() - 2);
  }
  call.context.conversion.Warn(UserError(ER_WRONG_VALUE_FOR_TYPE, what, shown, name));
}

bool FitsPacket(const EvalCall& call, uint64_t bytes, row::Value* out) {
  if (bytes <= call.context.max_allowed_packet) {
    return true;
  }
  call.context.conversion.Warn(UserError(ER_WARN_ALLOWED_PACKET_OVERFLOWED,
                                         call.function.def().name,
                                         call.context.max_allowed_packet));
  *out = row::Value::Null();
  return false;
}

Status SetText(const EvalCall& call, std::string text, row::Value* out) {
  if (FitsPacket(call, text.size(), out)) {
    *out = row::Value::String(std::move(text));
  }
  return {};
}

Status OutOfRange(const EvalCall& call, std::span<const row::Value> args,
                  std::string_view type_name) {
  if (call.function.options().describe) {
    return UserError(ER_DATA_OUT_OF_RANGE, type_name, call.function.options().describe());
  }
  std::string_view name = call.function.def().name;
  bool word = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  Args shown(call, args);
  std::string text;
  for (size_t i = 0; i < args.size(); ++i) {
    std::string arg = args[i].is_null() ? "NULL" : shown.TextCopy(i);
    if (args[i].is_string()) {
      arg = "'" + row::Printable(arg) + "'";
    }
    text += i == 0 ? "" : (word && name != "div" ? "," : fmt::format(" {} ", name));
    text += arg;
  }
  if (name == "unary_minus") {
    text = "-(" + text + ")";
  } else if (word && name != "div") {
    text = fmt::format("{}({})", name, text);
  } else {
    text = "(" + text + ")";
  }
  return UserError(ER_DATA_OUT_OF_RANGE, type_name, text);
}

Status SetDouble(const EvalCall& call, std::span<const row::Value> args, double value,
                 row::Value* out) {
  if (!(value >= -1.7976931348623157e308 && value <= 1.7976931348623157e308)) {
    return OutOfRange(call, args, "DOUBLE");
  }
  *out = row::Value::Double(value);
  return {};
}

bool IsBinaryText(const EvalCall& call) {
  return call.function.settings().collation == row::kBinaryCollation;
}

}  // namespace borealis::sql
