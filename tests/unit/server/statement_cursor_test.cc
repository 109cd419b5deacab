// The rows of a cursor: all come back as they went in, in order, however many and however large.
#include "server/session/statement_cursor.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace borealis::server {
namespace {

std::vector<mysql::ColumnDefinition> Columns() {
  std::vector<mysql::ColumnDefinition> columns(2);
  columns[0].type = mysql::ColumnType::kLongLong;
  columns[1].type = mysql::ColumnType::kVarString;
  return columns;
}

void Add(StatementCursor* cursor, int64_t number, std::string_view text) {
  cursor->new_rows().Begin();
  cursor->new_rows().AppendInt64(number);
  cursor->new_rows().AppendString(text);
  cursor->new_rows().End();
  ASSERT_TRUE(cursor->OnRowAdded().ok());
}

// The same row as the connection would be sent it at once.
std::string Payload(int64_t number, std::string_view text) {
  std::string bytes;
  uint8_t sequence = 0;
  mysql::PacketWriter packets(&bytes, &sequence);
  mysql::BinaryRowWriter writer(&packets,
                                {mysql::ColumnType::kLongLong, mysql::ColumnType::kVarString});
  writer.Begin();
  writer.AppendInt64(number);
  writer.AppendString(text);
  const std::string payload = bytes.substr(mysql::kFrameHeaderSize);
  writer.Abandon();
  return payload;
}

void ExpectRow(StatementCursor* cursor, const std::string& payload) {
  std::string_view row;
  const auto any = cursor->Next(&row);
  ASSERT_TRUE(any.ok()) << any.status().ToString();
  ASSERT_TRUE(*any);
  EXPECT_TRUE(row == payload);  // too large to print
}

void ExpectEnd(StatementCursor* cursor) {
  std::string_view row;
  const auto any = cursor->Next(&row);
  ASSERT_TRUE(any.ok()) << any.status().ToString();
  EXPECT_FALSE(*any);
}

TEST(StatementCursorTest, FewRowsStayInMemory) {
  StatementCursor cursor("/nowhere", Columns());
  Add(&cursor, -1, "one");
  Add(&cursor, 2, "");
  EXPECT_EQ(cursor.file_bytes(), 0U);
  ExpectRow(&cursor, Payload(-1, "one"));
  ExpectRow(&cursor, Payload(2, ""));
  ExpectEnd(&cursor);
  ExpectEnd(&cursor);
}

TEST(StatementCursorTest, AnEmptyResultHasNoRows) {
  StatementCursor cursor("/nowhere", Columns());
  ExpectEnd(&cursor);
}

TEST(StatementCursorTest, ManyRowsGoThroughAFile) {
  StatementCursor cursor(::testing::TempDir(), Columns());
  constexpr int kRows = 50'000;  // sequence numbers wrap around many times
  for (int i = 0; i < kRows; ++i) {
    Add(&cursor, i, std::string(static_cast<size_t>(i % 100), 'x'));
  }
  EXPECT_GT(cursor.file_bytes(), uint64_t{kRows} * 20);
  for (int i = 0; i < kRows; ++i) {
    ExpectRow(&cursor, Payload(i, std::string(static_cast<size_t>(i % 100), 'x')));
  }
  ExpectEnd(&cursor);
}

TEST(StatementCursorTest, RowsLargerThanAFrameComeBackWhole) {
  StatementCursor cursor(::testing::TempDir(), Columns());
  const std::string large(mysql::kMaxFramePayload + 5, 'l');
  // Its payload, with the header of the row and the lengths, is exactly one frame.
  const size_t around = Payload(2, std::string(1 << 20, 'e')).size() - (1 << 20);
  const std::string exact(mysql::kMaxFramePayload - around, 'e');
  ASSERT_EQ(Payload(2, exact).size(), mysql::kMaxFramePayload);
  Add(&cursor, 1, large);
  Add(&cursor, 2, exact);
  Add(&cursor, 3, "small");
  ExpectRow(&cursor, Payload(1, large));
  ExpectRow(&cursor, Payload(2, exact));
  ExpectRow(&cursor, Payload(3, "small"));
  ExpectEnd(&cursor);
}

TEST(StatementCursorTest, WithoutADirectoryForItsFileRowsAreRefused) {
  StatementCursor cursor("/nowhere", Columns());
  cursor.new_rows().Begin();
  cursor.new_rows().AppendInt64(1);
  cursor.new_rows().AppendString(std::string(StatementCursor::kMemoryBytes, 'x'));
  cursor.new_rows().End();
  EXPECT_FALSE(cursor.OnRowAdded().ok());
}

}  // namespace
}  // namespace borealis::server
