// A cursor of a prepared statement (CURSOR_TYPE_READ_ONLY): its whole result, kept on the server
// while the client fetches it a few rows at a time.
//
// All rows are made when the statement is executed, as MySQL does it. So a cursor holds no
// transaction and no lock, any number may be open, and later statements, commits and changes of
// the table do not touch it. A TIMESTAMP is shown in the time zone of the execution.
//
// Rows are kept as the packets they are sent in, which are a stream that its reader can cut back
// into rows: the first kMemoryBytes in memory, the rest in a temporary file, which goes with the
// cursor. One thread.
//
//   new_rows().Begin() … End(), OnRowAdded()      for each row
//   Next()                                        for each row, when all are there
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/os/file.h"
#include "base/result.h"
#include "protocol/mysql/packet.h"
#include "protocol/mysql/response.h"
#include "protocol/mysql/row.h"

namespace borealis::server {

class StatementCursor {
 public:
  static constexpr size_t kMemoryBytes = size_t{256} << 10;

  StatementCursor(std::string temporary_directory,
                  std::span<const mysql::ColumnDefinition> columns);
  StatementCursor(const StatementCursor&) = delete;
  StatementCursor& operator=(const StatementCursor&) = delete;

  mysql::RowWriter& new_rows() { return rows_; }
  // REQUIRES: no row is begun, and none was read.
  Status OnRowAdded();

  // The next row as the payload of its packet, valid until the next call; false at the end.
  Result<bool> Next(std::string_view* row);

  // Of rows that are not in memory.
  uint64_t file_bytes() const { return file_bytes_; }

 private:
  // Gives more of the stream to the reader; false when it has had all.
  Result<bool> ReadMore();

  const std::string directory_;
  // The stream: what is in the file, then what is in memory.
  std::unique_ptr<File> file_;  // null: all is in memory
  uint64_t file_bytes_ = 0;
  std::string memory_;
  uint8_t next_written_ = 0;  // sequence numbers of the packets
  uint8_t next_read_ = 0;
  mysql::PacketWriter packets_{&memory_, &next_written_};
  mysql::BinaryRowWriter rows_;
  uint64_t read_bytes_ = 0;  // of the stream, that the reader has been given
  mysql::PacketReader reader_;
};

}  // namespace borealis::server
