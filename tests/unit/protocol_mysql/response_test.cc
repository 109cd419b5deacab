// OK, ERR, EOF and metadata, byte by byte.
#include "protocol/mysql/response.h"

#include "base/mysql_error.h"
#include "tests/unit/protocol_mysql/bytes.h"

namespace borealis::mysql {
namespace {

class ResponseTest : public testing::Test {
 protected:
  // Forgets what was written; gives it in hex.
  std::string Take() {
    const std::string hex = ToHex(out_);
    out_.clear();
    return hex;
  }
  std::string out_;
  uint8_t sequence_ = 1;
  ResponseWriter response_{&out_, &sequence_};
};

ColumnDefinition IdColumn() {
  ColumnDefinition column;
  column.schema = "shop";
  column.table = "u";
  column.org_table = "users";
  column.name = "ID";
  column.org_name = "id";
  column.collation = kCollationBinary;
  column.length = 20;
  column.type = ColumnType::kLongLong;
  column.flags = kFlagNotNull | kFlagPrimaryKey | kFlagNum;
  return column;
}

const char* const kIdColumnBody =
    "03 'def' 04 'shop' 01 'u' 05 'users' 02 'ID' 02 'id' 0c 3f00 14000000 08 0380 00 0000";

TEST_F(ResponseTest, OkBytes) {
  OkInfo ok;
  ok.status = kStatusAutocommit;
  response_.WriteOk(ok);
  EXPECT_EQ(Take(), ToHex(FromHex("07000001 00 00 00 0200 0000")));  // MySQL's documentation
  ok.affected_rows = 300;
  ok.last_insert_id = 7;
  ok.warnings = 1;
  ok.info = "Rows matched: 1";
  response_.WriteOk(ok);
  EXPECT_EQ(Take(), ToHex(FromHex("19000002 00 fc2c01 07 0200 0100 0f 'Rows matched: 1'")));
  EXPECT_EQ(response_.last_status(), kStatusAutocommit);
}

TEST_F(ResponseTest, FileRequestBytes) {
  response_.WriteFileRequest("a.csv");
  EXPECT_EQ(Take(), ToHex(FromHex("06000001 fb 'a.csv'")));
}

TEST_F(ResponseTest, SessionChangesOnlyForClientsThatTrack) {
  OkInfo ok;
  ok.status = kStatusAutocommit;
  ok.changes = {{SessionChange::Kind::kSchema, "test", ""},
                {SessionChange::Kind::kSystemVariable, "autocommit", "OFF"},
                {SessionChange::Kind::kStateChanged, "1", ""}};
  response_.WriteOk(ok);
  EXPECT_EQ(Take(), ToHex(FromHex("07000001 00 00 00 0200 0000")));
  response_.set_capabilities(kClientSessionTrack);
  response_.WriteOk(ok);
  EXPECT_EQ(Take(), ToHex(FromHex("25000002 00 00 00 0240 0000 00 1c"
                                  "01 05 04 'test' 00 0f 0a 'autocommit' 03 'OFF' 02 02 01 '1'")));
}

TEST_F(ResponseTest, ErrorBytes) {
  response_.WriteError(UserError(ER_NO_TABLES_USED));
  EXPECT_EQ(Take(), ToHex(FromHex("17000001 ff 4804 '#HY000' 'No tables used'")));  // documentation
  response_.WriteError(Status::Deadlock("lock wait cycle"));
  EXPECT_EQ(Take().substr(8, 16), ToHex(FromHex("ff bd04 '#4000'")));
}

TEST_F(ResponseTest, ErrorInsideARowTakesTheRowBack) {
  response_.packets().Begin();
  response_.packets().body()->append("half a row");
  response_.WriteError(UserError(ER_QUERY_INTERRUPTED));
  EXPECT_EQ(sequence_, 2);
  EXPECT_EQ(out_.substr(13), "Query execution was interrupted");
}

TEST_F(ResponseTest, LongMessagesAreCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 300; ++i) {
    text += "é";
  }
  response_.WriteError(1105, "HY000", text);
  EXPECT_EQ(out_.size(), 4U + 9 + 510);
}

TEST_F(ResponseTest, TextResultSetWithEof) {
  const ColumnDefinition column = IdColumn();
  response_.BeginResultSet({&column, 1}, kStatusAutocommit, 0);
  EXPECT_EQ(Take(), ToHex(FromHex("01000001 01 24000002") + FromHex(kIdColumnBody) +
                          FromHex("05000003 fe 0000 0200")));
  auto row = response_.NewRowWriter(RowEncoding::kText, {&column, 1});
  row->Begin();
  row->AppendInt64(42);
  row->End();
  OkInfo end;
  end.status = kStatusAutocommit | kStatusMoreResultsExist;
  end.warnings = 2;
  response_.EndResultSet(end);
  EXPECT_EQ(Take(), ToHex(FromHex("03000004 02 '42' 05000005 fe 0200 0a00")));
}

TEST_F(ResponseTest, BinaryResultSetWithoutEof) {
  response_.set_capabilities(kClientDeprecateEof);
  const ColumnDefinition column = IdColumn();
  response_.BeginResultSet({&column, 1}, kStatusAutocommit, 0);
  EXPECT_EQ(Take(), ToHex(FromHex("01000001 01 24000002") + FromHex(kIdColumnBody)));
  auto row = response_.NewRowWriter(RowEncoding::kBinary, {&column, 1});
  row->Begin();
  row->AppendInt64(42);
  row->End();
  OkInfo end;
  end.status = kStatusAutocommit;
  response_.EndResultSet(end);
  EXPECT_EQ(Take(), ToHex(FromHex("0a000003 00 00 2a00000000000000 07000004 fe 00 00 0200 0000")));
}

TEST_F(ResponseTest, CursorOpensWithOneEof) {
  const ColumnDefinition column = IdColumn();
  OkInfo ok;
  response_.OpenCursor({&column, 1}, ok);
  EXPECT_EQ(Take(), ToHex(FromHex("01000001 01 24000002") + FromHex(kIdColumnBody) +
                          FromHex("05000003 fe 0000 4000")));
}

TEST_F(ResponseTest, PrepareOk) {
  const ColumnDefinition column = IdColumn();
  response_.WritePrepareOk(9, {&column, 1}, 1, kStatusAutocommit, 0);
  EXPECT_EQ(Take(),
            ToHex(FromHex("0c000001 00 09000000 0100 0100 00 0000"
                          "17000002 03 'def' 00 00 00 01 '?' 00 0c 3f00 00000000 fd 8000 00 0000"
                          "05000003 fe 0000 0200 24000004") +
                  FromHex(kIdColumnBody) + FromHex("05000005 fe 0000 0200")));
  response_.set_capabilities(kClientDeprecateEof);
  response_.WritePrepareOk(10, {}, 0, kStatusAutocommit, 0);
  EXPECT_EQ(Take(), ToHex(FromHex("0c000006 00 0a000000 0000 0000 00 0000")));
}

TEST_F(ResponseTest, FieldListCarriesDefaults) {
  const ColumnDefinition columns[] = {IdColumn(), IdColumn()};
  const std::string zero = "0";
  const std::string* const defaults[] = {nullptr, &zero};
  response_.WriteFieldList(columns, defaults, kStatusAutocommit);
  EXPECT_EQ(Take(), ToHex(FromHex("25000001") + FromHex(kIdColumnBody) + FromHex("fb 26000002") +
                          FromHex(kIdColumnBody) + FromHex("01 '0' 05000003 fe 0000 0200")));
}

}  // namespace
}  // namespace borealis::mysql
