// Functions about the session and the server, and those with effects: SLEEP, LAST_INSERT_ID(n),
// UUID.
#include <fmt/format.h>

#include <cmath>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

Status EvalUser(const EvalCall& call, std::span<const Value>, Value* out) {
  *out = Value::String(call.context.session == nullptr ? "" : call.context.session->User());
  return {};
}

Status EvalCurrentUser(const EvalCall& call, std::span<const Value>, Value* out) {
  *out = Value::String(call.context.session == nullptr ? "" : call.context.session->CurrentUser());
  return {};
}

Status EvalDatabase(const EvalCall& call, std::span<const Value>, Value* out) {
  std::optional<std::string> name;
  if (call.context.session != nullptr) {
    name = call.context.session->Database();
  }
  *out = name.has_value() ? Value::String(std::move(*name)) : Value::Null();
  return {};
}

Status EvalVersion(const EvalCall& call, std::span<const Value>, Value* out) {
  *out = Value::String(call.context.session == nullptr ? "" : call.context.session->Version());
  return {};
}

Status EvalConnectionId(const EvalCall& call, std::span<const Value>, Value* out) {
  *out = Value::Uint(call.context.session == nullptr ? 0 : call.context.session->ConnectionId());
  return {};
}

Status EvalLastInsertId(const EvalCall& call, std::span<const Value> values, Value* out) {
  SessionInfo* session = call.context.session;
  if (values.empty()) {
    *out = Value::Uint(session == nullptr ? 0 : session->LastInsertId());
    return {};
  }
  if (values[0].is_null()) {
    *out = Value::Null();
    if (session != nullptr) {
      session->SetLastInsertId(0);
    }
    return {};
  }
  uint64_t id = Args(call, values).Bits(0);
  if (session != nullptr) {
    session->SetLastInsertId(id);
  }
  *out = Value::Uint(id);
  return {};
}

Status EvalRowCount(const EvalCall& call, std::span<const Value>, Value* out) {
  return SetInt(out, call.context.session == nullptr ? -1 : call.context.session->RowCount());
}

Status EvalFoundRows(const EvalCall& call, std::span<const Value>, Value* out) {
  return SetInt(out, call.context.session == nullptr
                         ? 0
                         : static_cast<int64_t>(call.context.session->FoundRows()));
}

// 0 when it slept, 1 when it was interrupted.
Status EvalSleep(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  double seconds = args.null(0) ? -1 : args.Double(0);
  if (seconds < 0) {
    return UserError(ER_WRONG_ARGUMENTS, "sleep.");
  }
  bool interrupted = false;
  if (call.context.session != nullptr) {
    call.context.session->Sleep(seconds, &interrupted);
    if (interrupted && call.context.session->Interrupted()) {
      return UserError(ER_QUERY_INTERRUPTED);
    }
  }
  return SetInt(out, interrupted ? 1 : 0);
}

// Version 1 layout as MySQL: 100 ns since 1582, a clock sequence and a node that are random.
Status EvalUuid(const EvalCall& call, std::span<const Value>, Value* out) {
  Random& random = call.context.random();
  uint64_t ticks = static_cast<uint64_t>(call.context.clock->WallUs()) * 10 +
                   0x01B21DD213814000ULL + random.Below(10);
  uint64_t rest = random.Next();
  *out = Value::String(fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", ticks & 0xFFFFFFFF,
                                   ticks >> 32 & 0xFFFF, (ticks >> 48 & 0x0FFF) | 0x1000,
                                   (rest & 0x3FFF) | 0x8000,
                                   (random.Next() & 0xFFFFFFFFFFFFULL) | 0x010000000000ULL));
  return {};
}

template <uint32_t kChars>
Status InferName(const InferInput&, Type* type) {
  *type = Type::Varchar(kChars, row::kUtf8mb3GeneralCi);
  return {};
}

}  // namespace

std::span<const FunctionDef> SessionFunctions() {
  constexpr Stability kStatement = Stability::kStatement;
  static constexpr FunctionDef kTable[] = {
      {.name = "user", .infer = InferName<288>, .eval = EvalUser, .stability = kStatement},
      {.name = "session_user", .infer = InferName<288>, .eval = EvalUser, .stability = kStatement},
      {.name = "system_user", .infer = InferName<288>, .eval = EvalUser, .stability = kStatement},
      {.name = "current_user",
       .infer = InferName<288>,
       .eval = EvalCurrentUser,
       .stability = kStatement},
      {.name = "database", .infer = InferName<64>, .eval = EvalDatabase, .stability = kStatement},
      {.name = "schema", .infer = InferName<64>, .eval = EvalDatabase, .stability = kStatement},
      {.name = "version",
       .infer = InferName<60>,
       .eval = EvalVersion,
       .stability = kStatement,
       .total = true},
      {.name = "connection_id",
       .infer = InferUnsignedBigInt,
       .eval = EvalConnectionId,
       .stability = kStatement,
       .total = true},
      {.name = "last_insert_id",
       .min_args = 0,
       .max_args = 1,
       .infer = InferUnsignedBigInt,
       .eval = EvalLastInsertId,
       .null_if_any_null = false,
       .stability = Stability::kVolatile},
      {.name = "row_count",
       .infer = InferBigInt,
       .eval = EvalRowCount,
       .stability = kStatement,
       .total = true},
      {.name = "found_rows",
       .infer = InferBigInt,
       .eval = EvalFoundRows,
       .stability = kStatement,
       .total = true},
      {.name = "sleep",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigInt,
       .eval = EvalSleep,
       .null_if_any_null = false,
       .stability = Stability::kVolatile,
       .total = true},
      {.name = "uuid",
       .infer = InferName<36>,
       .eval = EvalUuid,
       .stability = Stability::kVolatile,
       .total = true},
  };
  return kTable;
}

}  // namespace borealis::sql
