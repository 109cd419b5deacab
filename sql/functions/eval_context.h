// What a function may know beside its arguments: the statement's time, the session's settings, and
// where warnings go. One per running statement; not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/os/random.h"
#include "base/os/time.h"
#include "row/convert.h"

namespace borealis::sql {

// MySQL's generator of random numbers, so that RAND(n) gives the numbers that users know.
class RandomSequence {
 public:
  explicit RandomSequence(uint32_t seed)
      : first_((seed * 0x10001U + 55555555U) % kMax), second_(seed * 0x10000001U % kMax) {}
  // From 0 to below 1.
  double Next();

 private:
  static constexpr uint32_t kMax = 0x3FFFFFFF;
  uint64_t first_;
  uint64_t second_;
};

class FunctionInstance;

// What USER(), LAST_INSERT_ID() and their like answer. The session implements it.
class SessionInfo {
 public:
  virtual ~SessionInfo() = default;
  virtual std::string User() const = 0;         // as the client gave it: name@host
  virtual std::string CurrentUser() const = 0;  // the account it was taken for
  virtual std::string CurrentRole() const { return "NONE"; }
  virtual std::optional<std::string> Database() const = 0;
  virtual uint64_t ConnectionId() const = 0;
  virtual uint64_t LastInsertId() const = 0;
  virtual void SetLastInsertId(uint64_t id) = 0;  // LAST_INSERT_ID(expr)
  virtual int64_t RowCount() const = 0;
  virtual uint64_t FoundRows() const = 0;
  virtual std::string Version() const = 0;
  // Waits; *interrupted when the statement was killed meanwhile.
  virtual void Sleep(double seconds, bool* interrupted) = 0;
  // User-level locks. `seconds` below 0: for ever; *got is false when they have passed. The lock's
  // name has been checked and folded.
  virtual Status GetLock(std::string_view name, int64_t seconds, bool* got);
  virtual std::optional<bool> ReleaseLock(std::string_view name);  // nothing: nobody holds it
  virtual uint64_t ReleaseAllLocks() { return 0; }
  virtual uint64_t LockHolder(std::string_view name) const;  // connection id; 0: nobody
  // UUID_SHORT().
  virtual uint64_t ShortUuid() { return 0; }
  // PS_THREAD_ID: nothing where there is no such connection.
  virtual std::optional<uint64_t> ThreadOf(uint64_t connection_id) const;
  // LOAD_FILE: nothing where it may not be read or is longer than max_allowed_packet.
  virtual Result<std::optional<std::string>> LoadFile(std::string_view name);
  // KILL or a time limit reached: long evaluations stop with 1317.
  virtual bool Interrupted() const { return false; }
};

struct EvalContext {
  // sql_mode, session time zone, warnings, current date. `strict` and `column` matter to
  // assignment only.
  row::ConversionContext conversion;
  // NOW(): microseconds since 1970 UTC, the same for the whole statement.
  int64_t now_us = 0;
  const Clock* clock = &SystemClock();  // SYSDATE()
  SessionInfo* session = nullptr;       // functions about the session are NULL or 0 without one
  uint32_t div_precision_increment = 4;
  uint32_t default_week_format = 0;
  uint64_t group_concat_max_len = 1024;
  uint64_t max_allowed_packet = 64 << 20;
  uint64_t cte_max_recursion_depth = 1000;
  row::CollationId collation_connection = row::CollationId{255};
  std::string block_encryption_mode = "aes-128-ecb";
  // The statement changes rows and the mode says ERROR_FOR_DIVISION_BY_ZERO with strict: 1365 is
  // then an error, not a warning.
  bool division_by_zero_is_error = false;
  // The statement has told that it sorts JSON arrays or objects.
  bool json_sorting_told = false;

  // RAND() without argument, seeded on first use.
  Random& random();
  // RAND(constant) goes on from row to row of a statement: the sequence of one such call.
  RandomSequence& SequenceOf(const FunctionInstance& call, uint32_t seed);
  // A new statement: sets now_us, and conversion.current_date by the session's zone; sequences
  // start anew.
  void SetNow(int64_t utc_micros);

 private:
  std::unique_ptr<Random> random_;
  std::map<const FunctionInstance*, RandomSequence> sequences_;
};

}  // namespace borealis::sql
