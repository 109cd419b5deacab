// Where a statement's answer goes: columns, rows, then one outcome.
//
// For each statement the session calls, in this order: OnColumns (only when there is a result set),
// OnRow any number of times, then exactly one of OnDone and OnError. A sink that refuses columns or
// a row (its client is gone) ends the statement with that Status. Called from the thread that runs
// the statement; values and spans are valid only during the call.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "row/type.h"
#include "row/value.h"
#include "sql/context/byte_source.h"

namespace borealis::sql {

// One column of a result set, as the protocol describes it to the client.
struct ResultColumn {
  std::string name;       // alias, or the text it was written as
  std::string org_name;   // column of the table; empty for an expression
  std::string table;      // alias of the table
  std::string org_table;  // the table itself; empty for an expression
  std::string schema;
  row::Type type;
  // Flags that follow from the table and not from the type: PRI_KEY, UNIQUE_KEY, MULTIPLE_KEY,
  // AUTO_INCREMENT, NO_DEFAULT_VALUE, ON_UPDATE_NOW (row::MysqlColumnFlag). The rest is
  // row::WireFlags(type).
  uint16_t extra_flags = 0;
  // Computed while rows are sent, and in no column of a table, not even one that holds the result:
  // its flags are row::WireFlagsOfComputed(type), and text has no number of decimals.
  bool computed = false;
};

// Bits of the status field of OK and EOF packets.
enum ServerStatusFlag : uint16_t {
  kStatusInTransaction = 0x0001,
  kStatusAutocommit = 0x0002,
  kStatusMoreResults = 0x0008,
  kStatusNoGoodIndexUsed = 0x0010,
  kStatusNoIndexUsed = 0x0020,
  kStatusDatabaseDropped = 0x0100,
  kStatusNoBackslashEscapes = 0x0200,
  kStatusInReadOnlyTransaction = 0x2000,
  kStatusSessionStateChanged = 0x4000,
};

// What the session changed that a client asking for CLIENT_SESSION_TRACK wants to know.
struct SessionChange {
  enum class Kind : uint8_t { kSystemVariable, kSchema };
  Kind kind = Kind::kSchema;
  std::string name;   // of the variable
  std::string value;  // of the variable, or the new current database
};

struct OkInfo {
  uint64_t affected_rows = 0;
  uint64_t last_insert_id = 0;
  uint16_t warnings = 0;
  uint16_t status = 0;  // ServerStatusFlag
  std::string info;     // "Records: 3  Duplicates: 0  Warnings: 0"
  std::vector<SessionChange> changes;
};

class ResultSink {
 public:
  virtual ~ResultSink() = default;
  virtual Status OnColumns(std::span<const ResultColumn> columns) = 0;
  virtual Status OnRow(std::span<const row::Value> row) = 0;
  virtual void OnDone(const OkInfo& ok) = 0;
  // `error` is always a user error (it has a MySQL number). `status` as in OkInfo.
  virtual void OnError(const Status& error, uint16_t status) = 0;
  // Before OnError: the SQLSTATE of an error that SIGNAL gave one that is not its number's.
  virtual void OnSqlState(std::string_view /*sqlstate*/) {}
  // A file of the client (LOAD DATA LOCAL), asked for and read where the answer goes: before
  // OnColumns, OnDone and OnError, and gone by then. Destroying it takes what the client still
  // sends. Error 3948 where clients send no files.
  virtual Result<std::unique_ptr<ByteSource>> OpenClientFile(std::string_view name);
};

}  // namespace borealis::sql
