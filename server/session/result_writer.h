// A statement's answer as packets: what a session says to its ResultSink, written to a connection.
//
// One per command; used by the thread that runs the command, the parked part included. Translates
// SQL's types and values to the protocol's (neither of the two libraries knows the other).
#pragma once

#include <memory>
#include <vector>

#include "protocol/mysql/response.h"
#include "protocol/mysql/row.h"
#include "row/time_zone.h"
#include "server/net/connection.h"
#include "sql/context/result_sink.h"
#include "sql/context/settings.h"

namespace borealis::server {

class ResultWriter final : public sql::ResultSink {
 public:
  // `settings` are the session's; TIMESTAMPs are shown in its time zone.
  ResultWriter(Connection* connection, mysql::RowEncoding encoding,
               const sql::SessionSettings& settings)
      : connection_(connection), encoding_(encoding), settings_(settings) {}

  Status OnColumns(std::span<const sql::ResultColumn> columns) override;
  Status OnRow(std::span<const row::Value> row) override;
  void OnDone(const sql::OkInfo& ok) override;
  void OnError(const Status& error, uint16_t status) override;
  Result<std::unique_ptr<sql::ByteSource>> OpenClientFile(std::string_view name) override;

  // The outcome of the last statement was an error.
  bool failed() const { return failed_; }

 private:
  void AppendValue(const row::Type& type, const row::Value& value);

  Connection* const connection_;
  const mysql::RowEncoding encoding_;
  const sql::SessionSettings& settings_;
  std::shared_ptr<const row::TimeZone> zone_;  // found for a result that shows TIMESTAMPs
  std::vector<row::Type> types_;
  std::unique_ptr<mysql::RowWriter> rows_;  // null while there is no result set
  bool failed_ = false;
};

mysql::ColumnDefinition ToColumnDefinition(const sql::ResultColumn& column);
mysql::OkInfo ToOkInfo(const sql::OkInfo& ok);

}  // namespace borealis::server
