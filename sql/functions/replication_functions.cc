// Sets of global transaction identifiers, and waits for a source of replication, which a server
// that replicates nothing does not have.
//
// A set's text is "uuid:1-5:8, uuid:3": UUIDs with intervals of transaction numbers.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

constexpr size_t kUuidChars = 36;

// [begin, end), in order, without overlap; they may touch.
using Intervals = std::map<int64_t, int64_t>;
using GtidSet = std::map<std::string, Intervals>;  // by UUID in lower case

void Add(int64_t begin, int64_t end, Intervals* to) {
  auto next = to->upper_bound(begin);
  if (next != to->begin() && std::prev(next)->second >= begin) {
    --next;
  }
  while (next != to->end() && next->first <= end) {
    begin = std::min(begin, next->first);
    end = std::max(end, next->second);
    next = to->erase(next);
  }
  to->emplace(begin, end);
}

class GtidParser {
 public:
  explicit GtidParser(const std::string& text) : text_(text), at_(text_.c_str()) {}

  bool Run(GtidSet* set) {
    SkipBlanks();
    for (;;) {
      while (*at_ == ',') {
        ++at_;
        SkipBlanks();
      }
      if (*at_ == '\0') {
        return true;
      }
      std::string uuid;
      if (!Uuid(&uuid) || !ReadIntervals(&(*set)[uuid]) || (*at_ != ',' && *at_ != '\0')) {
        return false;
      }
    }
  }

 private:
  void SkipBlanks() {
    while (std::isspace(static_cast<unsigned char>(*at_)) != 0) {
      ++at_;
    }
  }

  bool Uuid(std::string* uuid) {
    for (size_t i = 0; i < kUuidChars; ++i, ++at_) {
      const auto c = static_cast<unsigned char>(*at_);
      const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
      if (dash ? c != '-' : std::isxdigit(c) == 0) {
        return false;
      }
      *uuid += static_cast<char>(std::tolower(c));
    }
    SkipBlanks();
    return true;
  }

  bool ReadIntervals(Intervals* intervals) {
    while (*at_ == ':') {
      ++at_;
      int64_t begin = 0;
      if (!Number(&begin) || begin == 0) {
        return false;
      }
      int64_t last = begin;
      if (*at_ == '-') {
        ++at_;
        if (!Number(&last)) {
          return false;
        }
      }
      if (last >= begin) {
        Add(begin, last + 1, intervals);
      }
    }
    return true;
  }

  bool Number(int64_t* number) {
    char* end = nullptr;
    *number = std::strtoll(at_, &end, 0);
    at_ = end;
    SkipBlanks();
    return *number >= 0 && *number < INT64_MAX;
  }

  const std::string& text_;
  const char* at_;
};

// Error: 1772.
Status ParseGtids(const Args& args, size_t i, GtidSet* set) {
  const std::string text = args.TextCopy(i);
  return GtidParser(text).Run(set) ? Status()
                                   : UserError(ER_MALFORMED_GTID_SET_SPECIFICATION, text);
}

void Subtract(const Intervals& what, Intervals* from) {
  for (const auto& [begin, end] : what) {
    auto next = from->upper_bound(begin);
    next = next == from->begin() ? next : std::prev(next);
    while (next != from->end() && next->first < end) {
      const auto [first, last] = *next;
      if (last <= begin) {
        ++next;
        continue;
      }
      next = from->erase(next);
      if (first < begin) {
        from->emplace(first, begin);
      }
      if (last > end) {
        from->emplace(end, last);
      }
    }
  }
}

Status Difference(const Args& args, GtidSet* set) {
  GtidSet what;
  RETURN_IF_ERROR(ParseGtids(args, 0, set));
  RETURN_IF_ERROR(ParseGtids(args, 1, &what));
  for (const auto& [uuid, intervals] : what) {
    const auto found = set->find(uuid);
    if (found != set->end()) {
      Subtract(intervals, &found->second);
    }
  }
  std::erase_if(*set, [](const auto& entry) { return entry.second.empty(); });
  return {};
}

Status EvalGtidSubset(const EvalCall& call, std::span<const Value> values, Value* out) {
  GtidSet rest;
  RETURN_IF_ERROR(Difference(Args(call, values), &rest));
  *out = Value::Bool(rest.empty());
  return {};
}

Status EvalGtidSubtract(const EvalCall& call, std::span<const Value> values, Value* out) {
  GtidSet rest;
  RETURN_IF_ERROR(Difference(Args(call, values), &rest));
  std::string text;
  for (const auto& [uuid, intervals] : rest) {
    text += text.empty() ? "" : ",\n";
    text += uuid;
    for (const auto& [begin, end] : intervals) {
      text += fmt::format(":{}", begin);
      text += end > begin + 1 ? fmt::format("-{}", end - 1) : "";
    }
  }
  return SetText(call, std::move(text), out);
}

// Two characters that are taken away, ":9" of ":1-100", can leave five: "-8,10". MySQL counts in 32
// bits, also what is shorter than a UUID.
Status InferGtidSubtract(const InferInput& input, Type* type) {
  const auto from = static_cast<uint32_t>(BytesOf(input.args[0].type));
  const auto what = static_cast<uint32_t>(BytesOf(input.args[1].type));
  const uint32_t grown = (what - static_cast<uint32_t>(kUuidChars)) * 5 / 2;
  *type = TextType(from + grown, input.settings.collation_connection);
  return {};
}

// There are no identifiers to wait for.
Status EvalWaitForGtids(const EvalCall& call, std::span<const Value> values, Value*) {
  if (Args(call, values).null(0)) {
    return UserError(ER_MALFORMED_GTID_SET_SPECIFICATION, "NULL");
  }
  return UserError(ER_GTID_MODE_OFF, "use WAIT_FOR_EXECUTED_GTID_SET");
}

Status NoSource(const EvalCall& call, std::span<const Value> values, std::string_view name,
                Value* out) {
  const Args args(call, values);
  *out = Value::Null();
  const bool log = !args.null(0) && !args.TextCopy(0).empty();
  if (log && args.size() > 2 && !args.null(2) && args.Double(2) < 0) {
    return UserError(ER_WRONG_ARGUMENTS, name);
  }
  return {};
}

Status EvalSourcePosWait(const EvalCall& call, std::span<const Value> values, Value* out) {
  return NoSource(call, values, "SOURCE_POS_WAIT.", out);
}

Status EvalMasterPosWait(const EvalCall& call, std::span<const Value> values, Value* out) {
  call.context.conversion.Warn(
      UserError(ER_WARN_DEPRECATED_SYNTAX, "MASTER_POS_WAIT", "SOURCE_POS_WAIT"));
  return NoSource(call, values, "MASTER_POS_WAIT.", out);
}

}  // namespace

std::span<const FunctionDef> ReplicationFunctions() {
  constexpr Stability kVolatile = Stability::kVolatile;
  static constexpr FunctionDef kTable[] = {
      {.name = "gtid_subset",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBigInt,
       .eval = EvalGtidSubset,
       .total = true},
      {.name = "gtid_subtract",
       .min_args = 2,
       .max_args = 2,
       .infer = InferGtidSubtract,
       .eval = EvalGtidSubtract},
      {.name = "wait_for_executed_gtid_set",
       .min_args = 1,
       .max_args = 2,
       .infer = InferBigInt,
       .eval = EvalWaitForGtids,
       .null_if_any_null = false,
       .stability = kVolatile},
      {.name = "source_pos_wait",
       .min_args = 2,
       .max_args = 4,
       .infer = InferBigInt,
       .eval = EvalSourcePosWait,
       .null_if_any_null = false,
       .stability = kVolatile},
      {.name = "master_pos_wait",
       .min_args = 2,
       .max_args = 4,
       .infer = InferBigInt,
       .eval = EvalMasterPosWait,
       .null_if_any_null = false,
       .stability = kVolatile},
  };
  return kTable;
}

}  // namespace borealis::sql
