// A statement's answer as packets: what a session says to its ResultSink, written to a connection.
//
// One per command; used by the thread that runs the command, the parked part included. Translates
// SQL's types and values to the protocol's (neither of the two libraries knows the other). For a
// client that asked for a cursor the rows are kept for it instead, and only their columns are sent.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "protocol/mysql/response.h"
#include "protocol/mysql/row.h"
#include "row/time_zone.h"
#include "server/net/connection.h"
#include "server/session/result_charset.h"
#include "server/session/statement_cursor.h"
#include "sql/context/result_sink.h"
#include "sql/context/settings.h"

namespace borealis::server {

class ResultWriter final : public sql::ResultSink {
 public:
  // `settings` are the session's; text is sent in its
  // character_set_results and TIMESTAMPs in its time zone.
  ResultWriter(Connection* connection, mysql::RowEncoding encoding,
               const sql::SessionSettings& settings)
      : connection_(connection), encoding_(encoding), settings_(settings) {}

  // From now on the rows of a result go to a cursor, which is put into `place` once all are there.
  // REQUIRES: the binary encoding.
  void KeepRows(std::string temporary_directory, std::unique_ptr<StatementCursor>* place) {
    cursor_directory_ = std::move(temporary_directory);
    cursor_place_ = place;
  }

  Status OnColumns(std::span<const sql::ResultColumn> columns) override;
  Status OnRow(std::span<const row::Value> row) override;
  void OnDone(const sql::OkInfo& ok) override;
  void OnError(const Status& error, uint16_t status) override;
  void OnSqlState(std::string_view sqlstate) override { sqlstate_ = sqlstate; }
  Result<std::unique_ptr<sql::ByteSource>> OpenClientFile(std::string_view name) override;

  // The outcome of the last statement was an error.
  bool failed() const { return failed_; }

 private:
  struct Column {
    row::Type type;
    const row::Charset* encoding;  // null: as it is
  };

  void AppendText(const row::Charset* encoding, std::string_view text);
  void AppendValue(const Column& column, const row::Value& value);

  Connection* const connection_;
  const mysql::RowEncoding encoding_;
  const sql::SessionSettings& settings_;
  std::shared_ptr<const row::TimeZone> zone_;  // found for a result that shows TIMESTAMPs
  std::vector<mysql::ColumnDefinition> definitions_;
  std::vector<Column> columns_;
  std::unique_ptr<mysql::RowWriter> sent_rows_;  // null while there is no result set that is sent
  std::string cursor_directory_;
  std::unique_ptr<StatementCursor>* cursor_place_ = nullptr;  // null: rows are sent
  std::unique_ptr<StatementCursor> cursor_;                   // null while no rows are kept
  mysql::RowWriter* rows_ = nullptr;                          // of sent_rows_ or cursor_
  bool failed_ = false;
  std::string sqlstate_;  // of the error that comes; empty: its number's
};

mysql::OkInfo ToOkInfo(const sql::OkInfo& ok);

}  // namespace borealis::server
