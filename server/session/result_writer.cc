#include "server/session/result_writer.h"

#include "base/mysql_error.h"
#include "row/convert.h"
#include "row/temporal.h"

namespace borealis::server {

namespace {

mysql::DateTime ToWire(const row::TemporalParts& parts) {
  mysql::DateTime wire;
  wire.year = static_cast<uint16_t>(parts.year);
  wire.month = static_cast<uint8_t>(parts.month);
  wire.day = static_cast<uint8_t>(parts.day);
  wire.hour = static_cast<uint8_t>(parts.hour);
  wire.minute = static_cast<uint8_t>(parts.minute);
  wire.second = static_cast<uint8_t>(parts.second);
  wire.microsecond = static_cast<uint32_t>(parts.microsecond);
  return wire;
}

mysql::TimeOfDay TimeToWire(const row::TemporalParts& parts) {
  mysql::TimeOfDay wire;
  wire.negative = parts.negative;
  wire.hour = static_cast<uint32_t>(parts.hour);
  wire.minute = static_cast<uint8_t>(parts.minute);
  wire.second = static_cast<uint8_t>(parts.second);
  wire.microsecond = static_cast<uint32_t>(parts.microsecond);
  return wire;
}

// A file that the client was asked for and now sends.
class ClientFile final : public sql::ByteSource {
 public:
  explicit ClientFile(Connection* connection) : connection_(connection) {}
  // INV-NET-3: the client reads no answer before it has sent all of the file.
  ~ClientFile() override {
    while (!ended_) {
      Next().status().IgnoreError();
    }
  }

  Result<std::string_view> Next() override {
    std::string_view piece;
    if (!ended_) {
      ended_ = true;
      RETURN_IF_ERROR(connection_->ReadPacket(&piece));
      ended_ = piece.empty();
    }
    return piece;
  }

 private:
  Connection* const connection_;
  bool ended_ = false;
};

}  // namespace

mysql::OkInfo ToOkInfo(const sql::OkInfo& ok) {
  mysql::OkInfo wire;
  wire.affected_rows = ok.affected_rows;
  wire.last_insert_id = ok.last_insert_id;
  wire.status = ok.status;
  wire.warnings = ok.warnings;
  wire.info = ok.info;
  for (const sql::SessionChange& change : ok.changes) {
    const bool schema = change.kind == sql::SessionChange::Kind::kSchema;
    wire.changes.push_back(
        {schema ? mysql::SessionChange::Kind::kSchema : mysql::SessionChange::Kind::kSystemVariable,
         schema ? change.value : change.name, schema ? "" : change.value});
  }
  return wire;
}

Status ResultWriter::OnColumns(std::span<const sql::ResultColumn> columns) {
  definitions_.clear();
  columns_.clear();
  const ResultCharset charset(settings_);
  for (const sql::ResultColumn& column : columns) {
    definitions_.push_back(charset.Describe(column));
    columns_.push_back({column.type, charset.EncodingOf(column.type)});
    if (column.type.kind == row::TypeKind::kTimestamp && zone_ == nullptr) {
      ASSIGN_OR_RETURN(zone_, row::TimeZone::Find(settings_.time_zone));
    }
  }
  if (cursor_place_ != nullptr) {
    cursor_ = std::make_unique<StatementCursor>(cursor_directory_, definitions_);
    rows_ = &cursor_->new_rows();
    return Status::Ok();
  }
  mysql::ResponseWriter& response = connection_->response();
  response.BeginResultSet(definitions_, response.last_status(), /*warnings=*/0);
  sent_rows_ = response.NewRowWriter(encoding_, definitions_);
  rows_ = sent_rows_.get();
  return Status::Ok();
}

Status ResultWriter::OnRow(std::span<const row::Value> row) {
  rows_->Begin();
  for (size_t i = 0; i < row.size(); ++i) {
    AppendValue(columns_[i], row[i]);
  }
  rows_->End();
  return cursor_ != nullptr ? cursor_->OnRowAdded() : connection_->FlushIfFull();
}

void ResultWriter::AppendText(const row::Charset* encoding, std::string_view text) {
  if (encoding == nullptr || row::IsAscii(text)) {
    rows_->AppendString(text);
  } else {
    rows_->AppendString(encoding->Encode(text));
  }
}

void ResultWriter::AppendValue(const Column& column, const row::Value& value) {
  const row::Type& type = column.type;
  // Leading zeros are text; the binary encoding has the number, whose size the client knows.
  const bool zeros = type.zerofill && encoding_ == mysql::RowEncoding::kText;
  switch (value.kind()) {
    case row::ValueKind::kNull:
      rows_->AppendNull();
      return;
    case row::ValueKind::kInt:
      if (!zeros) {
        rows_->AppendInt64(value.int_value());
        return;
      }
      break;
    case row::ValueKind::kUint:
      if (!zeros && (type.is_integer() || type.kind == row::TypeKind::kYear)) {
        rows_->AppendUint64(value.uint_value());
        return;
      }
      break;
    case row::ValueKind::kDouble:
      if (zeros) {
        break;
      }
      if (type.kind == row::TypeKind::kFloat && type.scale == row::Type::kFloatingScale) {
        rows_->AppendFloat(static_cast<float>(value.double_value()));
      } else {
        rows_->AppendDouble(value.double_value(), type.scale);
      }
      return;
    case row::ValueKind::kDecimal:
      break;
    case row::ValueKind::kString:
      if (type.kind == row::TypeKind::kJson) {
        break;
      }
      AppendText(column.encoding, value.bytes());
      return;
    case row::ValueKind::kDate:
      rows_->AppendDate(ToWire(row::UnpackDateTime(value.temporal())));
      return;
    case row::ValueKind::kDateTime:
      rows_->AppendDateTime(ToWire(row::UnpackDateTime(value.temporal())), type.scale);
      return;
    case row::ValueKind::kTime:
      rows_->AppendTime(TimeToWire(row::UnpackTime(value.temporal())), type.scale);
      return;
    case row::ValueKind::kTimestamp: {
      const row::TimeZone& zone = zone_ != nullptr ? *zone_ : *row::TimeZone::Utc();
      rows_->AppendDateTime(ToWire(row::UnpackDateTime(zone.ToLocal(value.temporal()))),
                            type.scale);
      return;
    }
  }
  // ENUM, SET, BIT, JSON, DECIMAL: their text, which the binary encoding has as well. And ZEROFILL.
  AppendText(column.encoding, row::ToText(value, type));
}

void ResultWriter::OnDone(const sql::OkInfo& ok) {
  failed_ = false;
  rows_ = nullptr;
  if (cursor_ != nullptr) {
    connection_->response().OpenCursor(definitions_, ToOkInfo(ok));
    *cursor_place_ = std::move(cursor_);
  } else if (sent_rows_ != nullptr) {
    connection_->response().EndResultSet(ToOkInfo(ok));
    sent_rows_ = nullptr;
  } else {
    connection_->response().WriteOk(ToOkInfo(ok));
  }
}

void ResultWriter::OnError(const Status& error, uint16_t /*status*/) {
  failed_ = true;
  rows_ = nullptr;
  sent_rows_ = nullptr;
  cursor_ = nullptr;
  const Status told = ResultCharset(settings_).Error(error);
  if (sqlstate_.empty()) {
    connection_->response().WriteError(told);
  } else {
    connection_->response().WriteError(told.user_errno(), std::exchange(sqlstate_, {}),
                                       told.message());
  }
}

Result<std::unique_ptr<sql::ByteSource>> ResultWriter::OpenClientFile(std::string_view name) {
  if (!connection_->response().Has(mysql::kClientLocalFiles)) {
    return UserError(ER_CLIENT_LOCAL_FILES_DISABLED);
  }
  connection_->response().WriteFileRequest(name);
  return std::unique_ptr<sql::ByteSource>(std::make_unique<ClientFile>(connection_));
}

}  // namespace borealis::server
