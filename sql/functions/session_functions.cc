// Functions about the session and the server, and those with effects: SLEEP, BENCHMARK,
// LAST_INSERT_ID(n), UUID.
#include <fmt/format.h>
#include <unicode/uversion.h>

#include <cmath>

#include "row/collation.h"
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

Status EvalCurrentRole(const EvalCall& call, std::span<const Value>, Value* out) {
  *out =
      Value::String(call.context.session == nullptr ? "NONE" : call.context.session->CurrentRole());
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

// 0 when it slept, 1 when it was interrupted: what reads rows then ends with an error, the rest
// goes on.
Status EvalSleep(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  double seconds = args.null(0) ? -1 : args.Double(0);
  if (seconds < 0) {
    return UserError(ER_WRONG_ARGUMENTS, "sleep.");
  }
  bool interrupted = false;
  if (call.context.session != nullptr) {
    call.context.session->Sleep(seconds, &interrupted);
  }
  return SetInt(out, interrupted ? 1 : 0);
}

constexpr size_t kLockNameChars = 64;

// The name as locks know it: in lower case. Errors: 3057, 4163.
Status LockName(const Args& args, std::string* name) {
  *name = args.null(0) ? "NULL" : args.TextCopy(0);
  if (args.null(0) || name->empty()) {
    return UserError(ER_USER_LOCK_WRONG_NAME, *name);
  }
  if (row::CharCount(*name) > kLockNameChars) {
    return UserError(ER_USER_LOCK_OVERLONG_NAME, *name, kLockNameChars);
  }
  *name = row::LowerText(*name);
  return {};
}

Status EvalGetLock(const EvalCall& call, std::span<const Value> values, Value* out) {
  const Args args(call, values);
  std::string name;
  RETURN_IF_ERROR(LockName(args, &name));
  const int64_t seconds = args.null(1) ? 0 : args.Int(1);
  bool got = false;
  if (call.context.session != nullptr) {
    RETURN_IF_ERROR(call.context.session->GetLock(name, seconds, &got));
  }
  return SetInt(out, got ? 1 : 0);
}

Status EvalReleaseLock(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string name;
  RETURN_IF_ERROR(LockName(Args(call, values), &name));
  const std::optional<bool> released =
      call.context.session == nullptr ? std::nullopt : call.context.session->ReleaseLock(name);
  *out = released.has_value() ? Value::Int(*released ? 1 : 0) : Value::Null();
  return {};
}

Status EvalReleaseAllLocks(const EvalCall& call, std::span<const Value>, Value* out) {
  *out = Value::Uint(call.context.session == nullptr ? 0 : call.context.session->ReleaseAllLocks());
  return {};
}

Status EvalIsFreeLock(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string name;
  RETURN_IF_ERROR(LockName(Args(call, values), &name));
  const bool held = call.context.session != nullptr && call.context.session->LockHolder(name) != 0;
  return SetInt(out, held ? 0 : 1);
}

Status EvalIsUsedLock(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string name;
  RETURN_IF_ERROR(LockName(Args(call, values), &name));
  const uint64_t holder =
      call.context.session == nullptr ? 0 : call.context.session->LockHolder(name);
  *out = holder == 0 ? Value::Null() : Value::Uint(holder);
  return {};
}

Status InferInt(const InferInput&, Type* type) {
  *type = Type::Int();
  return {};
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

Status EvalUuidShort(const EvalCall& call, std::span<const Value>, Value* out) {
  *out = Value::Uint(call.context.session == nullptr ? 0 : call.context.session->ShortUuid());
  return {};
}

Status EvalIcuVersion(const EvalCall&, std::span<const Value>, Value* out) {
  *out = Value::View(U_ICU_VERSION);
  return {};
}

Status EvalLoadFile(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::optional<std::string> bytes;
  if (call.context.session != nullptr) {
    ASSIGN_OR_RETURN(bytes, call.context.session->LoadFile(Args(call, values).TextCopy(0)));
  }
  if (bytes.has_value()) {
    return SetText(call, std::move(*bytes), out);
  }
  *out = Value::Null();
  return {};
}

Status InferLoadFile(const InferInput&, Type* type) {
  *type = Type::Blob(row::TypeKind::kLongBlob);
  return {};
}

// As a server without the component that knows what is strong.
Status EvalPasswordStrength(const EvalCall&, std::span<const Value>, Value* out) {
  return SetInt(out, 0);
}

// BENCHMARK(count, expression): always 0, but for the time it takes, also when it was interrupted;
// the next call then fails. The binder has taken out of the expression what comes from elsewhere:
// those are the arguments after the count.
Status EvalBenchmark(const EvalCall& call, std::span<const Value> values, Value* out) {
  const Args args(call, values);
  *out = Value::Null();
  if (args.null(0)) {
    return {};
  }
  bool is_unsigned;
  const int64_t count = args.Int(0, &is_unsigned);
  if (count < 0 && !is_unsigned) {
    call.context.conversion.Warn(
        UserError(ER_WRONG_VALUE_FOR_TYPE, "count", count, call.function.def().name));
    return {};
  }
  const SessionInfo* session = call.context.session;
  if (session != nullptr && session->Interrupted()) {
    return UserError(ER_QUERY_INTERRUPTED);
  }
  const auto& repeated = call.function.options().repeated;
  const uint64_t times = repeated == nullptr ? 0 : static_cast<uint64_t>(count);
  for (uint64_t i = 0; i < times && (session == nullptr || !session->Interrupted()); ++i) {
    RETURN_IF_ERROR(repeated(call.context, values.subspan(1)));
  }
  return SetInt(out, 0);
}

template <uint32_t kChars>
Status InferName(const InferInput&, Type* type) {
  *type = Type::Varchar(kChars, row::kUtf8mb3GeneralCi);
  return {};
}

}  // namespace

Status SessionInfo::GetLock(std::string_view, int64_t, bool* got) {
  *got = false;
  return {};
}
std::optional<bool> SessionInfo::ReleaseLock(std::string_view) {
  return std::nullopt;
}
uint64_t SessionInfo::LockHolder(std::string_view) const {
  return 0;
}

std::optional<uint64_t> SessionInfo::ThreadOf(uint64_t) const {
  return std::nullopt;
}
Result<std::optional<std::string>> SessionInfo::LoadFile(std::string_view) {
  return std::optional<std::string>();
}

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
      {.name = "current_role",
       .infer = InferName<512>,
       .eval = EvalCurrentRole,
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
       .stability = Stability::kVolatile,
       .number_args = 1},
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
       .number_args = 1,
       .total = true},
      {.name = "get_lock",
       .min_args = 2,
       .max_args = 2,
       .infer = InferInt,
       .eval = EvalGetLock,
       .null_if_any_null = false,
       .stability = Stability::kVolatile,
       .number_args = 0b10},
      {.name = "is_free_lock",
       .min_args = 1,
       .max_args = 1,
       .infer = InferInt,
       .eval = EvalIsFreeLock,
       .null_if_any_null = false,
       .stability = Stability::kVolatile},
      {.name = "is_used_lock",
       .min_args = 1,
       .max_args = 1,
       .infer = InferUnsignedBigInt,
       .eval = EvalIsUsedLock,
       .null_if_any_null = false,
       .stability = Stability::kVolatile},
      {.name = "release_all_locks",
       .min_args = 0,
       .max_args = 0,
       .infer = InferUnsignedBigInt,
       .eval = EvalReleaseAllLocks,
       .null_if_any_null = false,
       .stability = Stability::kVolatile,
       .total = true},
      {.name = "release_lock",
       .min_args = 1,
       .max_args = 1,
       .infer = InferInt,
       .eval = EvalReleaseLock,
       .null_if_any_null = false,
       .stability = Stability::kVolatile},
      {.name = "benchmark",
       .min_args = 1,
       .max_args = kAnyNumber,
       .infer = InferBoolean,
       .eval = EvalBenchmark,
       .null_if_any_null = false,
       .stability = Stability::kVolatile,
       .number_args = 1},
      {.name = "icu_version",
       .infer = InferName<sizeof(U_ICU_VERSION) - 1>,
       .eval = EvalIcuVersion,
       .stability = kStatement,
       .total = true},
      {.name = "load_file",
       .min_args = 1,
       .max_args = 1,
       .infer = InferLoadFile,
       .eval = EvalLoadFile,
       .stability = Stability::kVolatile},
      {.name = "validate_password_strength",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigInt,
       .eval = EvalPasswordStrength},
      {.name = "uuid_short",
       .infer = InferUnsignedBigInt,
       .eval = EvalUuidShort,
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
