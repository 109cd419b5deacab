// What MySQL offers beside its performance_schema: numbers of bytes and times for people to read,
// threads of connections.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

struct Unit {
  double size;
  std::string_view name;
};

constexpr Unit kByteUnits[] = {{1, "bytes"},    {0x1p10, "KiB"}, {0x1p20, "MiB"}, {0x1p30, "GiB"},
                               {0x1p40, "TiB"}, {0x1p50, "PiB"}, {0x1p60, "EiB"}};
constexpr Unit kTimeUnits[] = {{1, "ps"},   {1e3, "ns"},    {1e6, "us"},    {1e9, "ms"},
                               {1e12, "s"}, {60e12, "min"}, {3600e12, "h"}, {86400e12, "d"}};

// In the largest unit of which there is one; the smallest without a fraction, `width` wide.
std::string InUnits(double number, std::span<const Unit> units, int width) {
  constexpr double kLong = 100000;
  size_t i = units.size() - 1;
  while (i > 0 && std::fabs(number) < units[i].size) {
    --i;
  }
  const double count = number / units[i].size;
  if (i == 0) {
    return fmt::format("{:{}} {}", static_cast<int>(count), width, units[i].name);
  }
  return std::fabs(count) >= kLong ? fmt::format("{:4.2e} {}", count, units[i].name)
                                   : fmt::format("{:4.2f} {}", count, units[i].name);
}

Status EvalFormatBytes(const EvalCall& call, std::span<const Value> values, Value* out) {
  *out = Value::String(InUnits(Args(call, values).Double(0), kByteUnits, 4));
  return {};
}

Status EvalFormatPicoTime(const EvalCall& call, std::span<const Value> values, Value* out) {
  *out = Value::String(InUnits(Args(call, values).Double(0), kTimeUnits, 3));
  return {};
}

Status InferShort(const InferInput&, Type* type) {
  *type = Type::Varchar(11, row::kUtf8mb3GeneralCi);
  return {};
}

Status ThreadOf(const EvalCall& call, uint64_t connection_id, Value* out) {
  const SessionInfo* session = call.context.session;
  const std::optional<uint64_t> thread =
      session == nullptr ? std::nullopt : session->ThreadOf(connection_id);
  *out = thread.has_value() ? Value::Uint(*thread) : Value::Null();
  return {};
}

Status EvalCurrentThread(const EvalCall& call, std::span<const Value>, Value* out) {
  const SessionInfo* session = call.context.session;
  return ThreadOf(call, session == nullptr ? 0 : session->ConnectionId(), out);
}

Status EvalThread(const EvalCall& call, std::span<const Value> values, Value* out) {
  return ThreadOf(call, Args(call, values).Bits(0), out);
}

}  // namespace

std::span<const FunctionDef> PerformanceFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "format_bytes",
       .min_args = 1,
       .max_args = 1,
       .infer = InferShort,
       .eval = EvalFormatBytes,
       .number_args = 1},
      {.name = "format_pico_time",
       .min_args = 1,
       .max_args = 1,
       .infer = InferShort,
       .eval = EvalFormatPicoTime,
       .number_args = 1},
      {.name = "ps_current_thread_id",
       .infer = InferUnsignedBigInt,
       .eval = EvalCurrentThread,
       .stability = Stability::kStatement},
      {.name = "ps_thread_id",
       .min_args = 1,
       .max_args = 1,
       .infer = InferUnsignedBigInt,
       .eval = EvalThread,
       .stability = Stability::kStatement,
       .number_args = 1},
  };
  return kTable;
}

}  // namespace borealis::sql
