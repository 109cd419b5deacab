#include "protocol/mysql/response.h"

#include "base/invariant.h"
#include "base/mysql_error.h"
#include "protocol/mysql/wire.h"

namespace borealis::mysql {

namespace {

constexpr uint8_t kOkHeader = 0x00;
constexpr uint8_t kEofHeader = 0xFE;
constexpr uint8_t kErrorHeader = 0xFF;
constexpr uint8_t kFileRequestHeader = 0xFB;
constexpr size_t kSqlStateSize = 5;
constexpr size_t kMaxErrorMessage = 512;  // clients keep no more

void AppendColumnDefinition(std::string* body, const ColumnDefinition& column) {
  AppendLenEncString(body, "def");
  AppendLenEncString(body, column.schema);
  AppendLenEncString(body, column.table);
  AppendLenEncString(body, column.org_table);
  AppendLenEncString(body, column.name);
  AppendLenEncString(body, column.org_name);
  AppendInt1(body, 0x0C);  // size of what follows
  AppendLittle(body, column.collation);
  AppendLittle(body, column.length);
  AppendInt1(body, static_cast<uint8_t>(column.type));
  AppendLittle(body, column.flags);
  AppendInt1(body, column.decimals);
  body->append(2, '\0');
}

void AppendSessionChange(std::string* out, const SessionChange& change) {
  std::string data;
  switch (change.kind) {
    case SessionChange::Kind::kSystemVariable:
      AppendLenEncString(&data, change.name);
      AppendLenEncString(&data, change.value);
      break;
    case SessionChange::Kind::kGtids:
      AppendInt1(&data, 0);  // encoding specification
      AppendLenEncString(&data, change.name);
      break;
    case SessionChange::Kind::kSchema:
    case SessionChange::Kind::kStateChanged:
    case SessionChange::Kind::kTransactionCharacteristics:
    case SessionChange::Kind::kTransactionState:
      AppendLenEncString(&data, change.name);
      break;
  }
  AppendInt1(out, static_cast<uint8_t>(change.kind));
  AppendLenEncString(out, data);
}

// Cuts UTF-8 without splitting a character.
std::string_view Cut(std::string_view text, size_t most) {
  if (text.size() <= most) {
    return text;
  }
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) {
    --most;
  }
  return text.substr(0, most);
}

}  // namespace

void ResponseWriter::AppendOkBody(uint8_t header, const OkInfo& ok) {
  std::string* body = packets_.body();
  const bool tracks = Has(kClientSessionTrack);
  const bool changed = tracks && !ok.changes.empty();
  uint16_t status = ok.status;
  if (changed) {
    status |= kStatusSessionStateChanged;
  }
  AppendInt1(body, header);
  AppendLenEncInt(body, ok.affected_rows);
  AppendLenEncInt(body, ok.last_insert_id);
  AppendLittle(body, status);
  AppendLittle(body, ok.warnings);
  last_status_ = status;
  if (changed || !ok.info.empty()) {
    AppendLenEncString(body, ok.info);
  }
  if (changed) {
    std::string changes;
    for (const SessionChange& change : ok.changes) {
      AppendSessionChange(&changes, change);
    }
    AppendLenEncString(body, changes);
  }
}

void ResponseWriter::WriteOk(const OkInfo& ok) {
  packets_.Begin();
  AppendOkBody(kOkHeader, ok);
  packets_.End();
}

void ResponseWriter::WriteError(int mysql_errno, std::string_view sqlstate,
                                std::string_view message) {
  INVARIANT_EQ(sqlstate.size(), kSqlStateSize);
  if (packets_.open()) {
    packets_.Abandon();
  }
  std::string* body = packets_.Begin();
  AppendInt1(body, kErrorHeader);
  AppendLittle(body, static_cast<uint16_t>(mysql_errno));
  body->push_back('#');
  body->append(sqlstate);
  body->append(Cut(message, kMaxErrorMessage - 1));
  packets_.End();
}

void ResponseWriter::WriteError(const Status& error) {
  INVARIANT(!error.ok());
  const Status user = ToUserError(error);
  WriteError(user.user_errno(), SqlStateOf(user.user_errno()), user.message());
}

void ResponseWriter::WriteEof(uint16_t status, uint16_t warnings) {
  std::string* body = packets_.Begin();
  AppendInt1(body, kEofHeader);
  AppendLittle(body, warnings);
  AppendLittle(body, status);
  packets_.End();
  last_status_ = status;
}

void ResponseWriter::WriteEndOfDefinitions(uint16_t status, uint16_t warnings) {
  if (!Has(kClientDeprecateEof)) {
    WriteEof(status, warnings);
  }
}

void ResponseWriter::WriteDefinitions(std::span<const ColumnDefinition> columns) {
  for (const ColumnDefinition& column : columns) {
    AppendColumnDefinition(packets_.Begin(), column);
    packets_.End();
  }
}

void ResponseWriter::BeginResultSet(std::span<const ColumnDefinition> columns, uint16_t status,
                                    uint16_t warnings) {
  INVARIANT(!columns.empty());
  AppendLenEncInt(packets_.Begin(), columns.size());
  packets_.End();
  WriteDefinitions(columns);
  WriteEndOfDefinitions(status, warnings);
}

std::unique_ptr<RowWriter> ResponseWriter::NewRowWriter(RowEncoding encoding,
                                                        std::span<const ColumnDefinition> columns) {
  if (encoding == RowEncoding::kText) {
    return std::make_unique<TextRowWriter>(&packets_);
  }
  std::vector<ColumnType> types;
  types.reserve(columns.size());
  for (const ColumnDefinition& column : columns) {
    types.push_back(column.type);
  }
  return std::make_unique<BinaryRowWriter>(&packets_, std::move(types));
}

void ResponseWriter::EndResultSet(const OkInfo& ok) {
  if (!Has(kClientDeprecateEof)) {
    WriteEof(ok.status, ok.warnings);
    return;
  }
  packets_.Begin();
  AppendOkBody(kEofHeader, ok);
  packets_.End();
}

void ResponseWriter::OpenCursor(std::span<const ColumnDefinition> columns, const OkInfo& ok) {
  INVARIANT(!columns.empty());
  AppendLenEncInt(packets_.Begin(), columns.size());
  packets_.End();
  WriteDefinitions(columns);
  OkInfo with_cursor = ok;
  with_cursor.status |= kStatusCursorExists;
  EndResultSet(with_cursor);
}

void ResponseWriter::WritePrepareOk(uint32_t statement_id,
                                    std::span<const ColumnDefinition> columns,
                                    uint16_t parameter_count, uint16_t status, uint16_t warnings) {
  std::string* body = packets_.Begin();
  AppendInt1(body, kOkHeader);
  AppendLittle(body, statement_id);
  AppendLittle(body, static_cast<uint16_t>(columns.size()));
  AppendLittle(body, parameter_count);
  AppendInt1(body, 0);
  AppendLittle(body, warnings);
  packets_.End();
  last_status_ = status;
  if (parameter_count > 0) {
    ColumnDefinition parameter;
    parameter.name = "?";
    parameter.collation = kCollationBinary;
    parameter.flags = kFlagBinary;
    for (uint16_t i = 0; i < parameter_count; ++i) {
      AppendColumnDefinition(packets_.Begin(), parameter);
      packets_.End();
    }
    WriteEndOfDefinitions(status, warnings);
  }
  if (!columns.empty()) {
    WriteDefinitions(columns);
    WriteEndOfDefinitions(status, warnings);
  }
}

void ResponseWriter::WriteFieldList(std::span<const ColumnDefinition> columns,
                                    std::span<const std::string* const> defaults, uint16_t status) {
  INVARIANT_EQ(columns.size(), defaults.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    std::string* body = packets_.Begin();
    AppendColumnDefinition(body, columns[i]);
    if (defaults[i] == nullptr) {
      AppendInt1(body, kNullMarker);
    } else {
      AppendLenEncString(body, *defaults[i]);
    }
    packets_.End();
  }
  OkInfo end;
  end.status = status;
  EndResultSet(end);
}

void ResponseWriter::WriteFileRequest(std::string_view name) {
  std::string* body = packets_.Begin();
  AppendInt1(body, kFileRequestHeader);
  body->append(name);
  packets_.End();
}

}  // namespace borealis::mysql
