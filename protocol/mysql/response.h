// The packets a server answers with: OK, ERR, EOF, result set metadata, prepared statements.
//
// A command is answered by one of
//   WriteOk | WriteError
//   BeginResultSet, rows (row.h), EndResultSet or WriteError        repeated, all but the last with
//                                                                   kStatusMoreResultsExist
//   OpenCursor                                                      then COM_STMT_FETCH: rows,
//   EndResultSet WritePrepareOk | WriteFieldList | WriteText
// Writes append to the owner's buffer; nothing fails. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "protocol/mysql/constants.h"
#include "protocol/mysql/packet.h"
#include "protocol/mysql/row.h"

namespace borealis::mysql {

// One fact about the session that changed, for clients with CLIENT_SESSION_TRACK.
struct SessionChange {
  enum class Kind : uint8_t {
    kSystemVariable = 0,              // name, value
    kSchema = 1,                      // name
    kStateChanged = 2,                // name is "1"
    kGtids = 3,                       // name is the GTID set
    kTransactionCharacteristics = 4,  // name is the statement that restores them
    kTransactionState = 5,            // name is eight letters, "T_______"
  };
  Kind kind = Kind::kStateChanged;
  std::string name;
  std::string value;
};

struct OkInfo {
  uint64_t affected_rows = 0;
  uint64_t last_insert_id = 0;
  uint16_t status = 0;  // ServerStatus
  uint16_t warnings = 0;
  std::string info;  // "Rows matched: 1  Changed: 1  Warnings: 0"
  std::vector<SessionChange> changes;
};

struct ColumnDefinition {
  std::string schema;
  std::string table;  // alias
  std::string org_table;
  std::string name;  // alias
  std::string org_name;
  uint16_t collation = kCollationUtf8mb4;  // kCollationBinary for what is not text
  uint32_t length = 0;                     // bytes, not characters
  ColumnType type = ColumnType::kVarString;
  uint16_t flags = 0;  // ColumnFlag
  uint8_t decimals = 0;
};

enum class RowEncoding { kText, kBinary };

class ResponseWriter {
 public:
  // Both outlive the writer.
  ResponseWriter(std::string* out, uint8_t* sequence) : packets_(out, sequence) {}

  void set_capabilities(uint32_t capabilities) { capabilities_ = capabilities; }
  uint32_t capabilities() const { return capabilities_; }
  bool Has(uint32_t capability) const { return (capabilities_ & capability) != 0; }
  PacketWriter& packets() { return packets_; }

  void WriteOk(const OkInfo& ok);
  void WriteError(int mysql_errno, std::string_view sqlstate, std::string_view message);
  // Errors that carry no MySQL number are mapped by ToUserError. An open row is abandoned.
  void WriteError(const Status& error);

  // Column count, definitions and, for clients that want it, EOF.
  void BeginResultSet(std::span<const ColumnDefinition> columns, uint16_t status,
                      uint16_t warnings);
  std::unique_ptr<RowWriter> NewRowWriter(RowEncoding encoding,
                                          std::span<const ColumnDefinition> columns);
  // EOF, or OK with header 0xFE for clients with DEPRECATE_EOF.
  void EndResultSet(const OkInfo& ok);
  // The answer to COM_STMT_EXECUTE that opened a cursor: metadata, no rows.
  void OpenCursor(std::span<const ColumnDefinition> columns, const OkInfo& ok);

  // Parameter definitions follow for `parameter_count` > 0; they say only that there are so many.
  void WritePrepareOk(uint32_t statement_id, std::span<const ColumnDefinition> columns,
                      uint16_t parameter_count, uint16_t status, uint16_t warnings);
  // COM_FIELD_LIST: definitions with defaults (one for each column; nullptr is NULL).
  void WriteFieldList(std::span<const ColumnDefinition> columns,
                      std::span<const std::string* const> defaults, uint16_t status);
  // COM_STATISTICS: a bare string.
  void WriteText(std::string_view text) { packets_.Write(text); }

  // LOAD DATA LOCAL: asks for a file of the client. It sends its bytes as packets and an empty one
  // at the end, also when it cannot read the file, and then awaits the answer.
  void WriteFileRequest(std::string_view name);

  // Status flags of the last OK or EOF written.
  uint16_t last_status() const { return last_status_; }

 private:
  void AppendOkBody(uint8_t header, const OkInfo& ok);
  void WriteDefinitions(std::span<const ColumnDefinition> columns);
  void WriteEof(uint16_t status, uint16_t warnings);
  // The EOF after definitions, which DEPRECATE_EOF does away with.
  void WriteEndOfDefinitions(uint16_t status, uint16_t warnings);

  PacketWriter packets_;
  uint32_t capabilities_ = 0;
  uint16_t last_status_ = 0;
};

}  // namespace borealis::mysql
