// Calls one function on literals and gives the answer as text, with the errors and warnings beside.
#pragma once

#include <string>
#include <vector>

#include "sql/functions/function.h"

namespace borealis::sql {

struct Lit {
  Lit(int number) : type(row::Type::BigInt()), value(row::Value::Int(number)) {}
  Lit(int64_t number) : type(row::Type::BigInt()), value(row::Value::Int(number)) {}
  Lit(uint64_t number) : type(row::Type::BigInt(true)), value(row::Value::Uint(number)) {}
  Lit(double number) : type(row::Type::Double()), value(row::Value::Double(number)) {}
  Lit(const char* text)
      : type(row::Type::Varchar(static_cast<uint32_t>(row::CharCount(text)),
                                row::kDefaultCollation)),
        value(row::Value::String(text)) {}
  Lit(row::Type t, row::Value v) : type(std::move(t)), value(std::move(v)) {}
  row::Type type;
  row::Value value;
};

inline Lit Null() {
  return {row::Type::Null(), row::Value::Null()};
}
inline Lit Dec(const char* text) {
  row::Decimal decimal;
  row::Decimal::Parse(text, &decimal);
  return {row::Type::Decimal(static_cast<uint32_t>(decimal.precision()),
                             static_cast<uint8_t>(decimal.scale())),
          row::Value::Dec(decimal)};
}
inline Lit Bytes(std::string bytes) {
  return {row::Type::Varbinary(static_cast<uint32_t>(bytes.size())),
          row::Value::String(std::move(bytes))};
}
// A literal of a temporal type, from its text.
inline Lit Temporal(row::Type type, const char* text) {
  row::ConversionContext context;
  context.sql_mode = 0;
  auto value = row::StoreConvert(row::Value::String(text), type, context);
  return {type, value.ok() ? std::move(*value) : row::Value::Null()};
}
inline Lit Date(const char* text) {
  return Temporal(row::Type::Date(), text);
}
inline Lit DateTime(const char* text, uint8_t fsp = 0) {
  return Temporal(row::Type::DateTime(fsp), text);
}
inline Lit Time(const char* text, uint8_t fsp = 0) {
  return Temporal(row::Type::Time(fsp), text);
}

class Warnings : public row::WarningSink {
 public:
  using WarningSink::AddWarning;
  void AddWarning(row::WarningLevel, int mysql_errno, std::string message) override {
    numbers.push_back(mysql_errno);
    messages.push_back(std::move(message));
  }
  std::vector<int> numbers;
  std::vector<std::string> messages;
};

class Caller {
 public:
  Caller() {
    context.conversion.warnings = &warnings;
    // 2024-01-05 10:11:12.345678 UTC.
    context.SetNow(1704449472345678);
  }

  // "NULL", the text of the value, or "error N".
  std::string operator()(std::string_view name, std::vector<Lit> args,
                         const FunctionOptions& options = {}) {
    const FunctionDef* def = FindFunction(name);
    if (def == nullptr) {
      return "no function";
    }
    std::vector<FunctionArg> bound;
    std::vector<row::Value> values;
    for (const Lit& arg : args) {
      row::Type arg_type = arg.type;
      arg_type.nullable = arg.value.is_null();
      bound.push_back({arg_type, &arg.value});
      values.push_back(arg.value);
    }
    BindSettings bind = settings;
    for (size_t i = 0; i < args.size(); ++i) {
      if ((def->collation_args >> std::min<size_t>(i, 31) & 1) != 0 &&
          (args[i].type.is_binary_string() || args[i].type.is_text())) {
        bind.collation = args[i].type.is_text() ? args[i].type.collation : row::kBinaryCollation;
        break;
      }
    }
    auto instance = BindFunction(*def, bound, bind, options);
    if (!instance.ok()) {
      return "error " + std::to_string(instance.status().user_errno());
    }
    type = (*instance)->type();
    row::Value out;
    Status status = (*instance)->Eval(context, values, &out);
    if (!status.ok()) {
      message = std::string(status.message());
      return "error " + std::to_string(status.user_errno());
    }
    if (out.is_null()) {
      return type.nullable ? "NULL" : "NULL of a type that is never null";
    }
    return row::ToText(out, type, context.conversion.time_zone());
  }

  EvalContext context;
  Warnings warnings;
  BindSettings settings;
  row::Type type;       // of the last call
  std::string message;  // of the last error
};

}  // namespace borealis::sql
