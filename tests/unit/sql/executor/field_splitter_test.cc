// Lines and fields of LOAD DATA's files. Expectations are MySQL's behaviour; what statements make
// of the fields is in tests/sql/load.
#include "sql/executor/change/field_splitter.h"

#include <gtest/gtest.h>

#include "base/mysql_error.h"

namespace borealis::sql {
namespace {

class Pieces final : public ByteSource {
 public:
  Pieces(std::string bytes, size_t piece) : bytes_(std::move(bytes)), piece_(piece) {}
  Result<std::string_view> Next() override {
    if (next_ >= bytes_.size() && !failure.ok()) {
      return failure;
    }
    const std::string_view piece = std::string_view(bytes_).substr(next_, piece_);
    next_ += piece.size();
    return piece;
  }
  Status failure;  // at the end

 private:
  const std::string bytes_;
  const size_t piece_;
  size_t next_ = 0;
};

// Lines in brackets, fields with a bar between, NULL as ~, "+" after a line of which something was
// skipped; an error ends it with its number.
std::string Split(const FieldFormat& format, ByteSource* source, size_t fields_of_line) {
  FieldSplitter splitter(format, source);
  std::string out;
  for (;;) {
    std::string line;
    size_t count = 0;
    for (; count < fields_of_line; ++count) {
      Field field;
      const Result<bool> found = splitter.ReadField(&field);
      if (!found.ok()) {
        return out + "[" + line + "!" + std::to_string(found.status().user_errno());
      }
      if (!*found) {
        break;
      }
      line += count == 0 ? "" : "|";
      line += field.is_null ? "~" : std::string(field.bytes);
    }
    if (count == 0) {
      return out;
    }
    out += "[" + line + "]";
    const Result<bool> more = splitter.NextLine();
    if (!more.ok()) {
      return out + "!" + std::to_string(more.status().user_errno());
    }
    out += splitter.line_was_cut() ? "+" : "";
    if (!*more) {
      return out;
    }
  }
}

// The outcome must not depend on how the source cuts the bytes.
std::string Split(const FieldFormat& format, const std::string& bytes, size_t fields_of_line = 9) {
  std::string first;
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{1000}}) {
    Pieces source(bytes, piece);
    std::string outcome = Split(format, &source, fields_of_line);
    if (piece == 1) {
      first = std::move(outcome);
    } else {
      EXPECT_EQ(outcome, first) << "in pieces of " << piece;
    }
  }
  return first;
}

FieldFormat Csv() {
  FieldFormat format;
  format.field_terminator = ",";
  format.enclosed_by = '"';
  return format;
}

TEST(FieldSplitterTest, TabsAndLinesByDefault) {
  EXPECT_EQ(Split({}, "1\ta\n\n2\t\t\n3"), "[1|a][][2||][3]");
  EXPECT_EQ(Split({}, ""), "");
  EXPECT_EQ(Split({}, "\n"), "[]");
}

TEST(FieldSplitterTest, EscapesAndNull) {
  EXPECT_EQ(Split({}, "a\\tb\\nc\\\\d\\xe\t\\N\tx\\N\tN\n"), "[a\tb\nc\\dxe|~|xN|N]");
  EXPECT_EQ(Split({}, "a\\\tb\\\nc\\"), "[a\tb\nc\\]");
  FieldFormat plain;
  plain.escaped_by.reset();
  EXPECT_EQ(Split(plain, "a\\tb\t\\N\n"), "[a\\tb|\\N]");
}

TEST(FieldSplitterTest, Enclosed) {
  EXPECT_EQ(Split(Csv(), "\"a,b\",\"c\nd\",\"e\"\"f\",g\"h\n"), "[a,b|c\nd|e\"f|g\"h]");
  EXPECT_EQ(Split(Csv(), "\"a\"b\",c\n"), "[a\"b|c]") << "ends only before a terminator";
  EXPECT_EQ(Split(Csv(), "\"open\n"), "[\"open\n]") << "never closed: the character is text";
  EXPECT_EQ(Split(Csv(), "NULL,\"NULL\",\"\\N\",null\n"), "[~|NULL|~|null]");
  FieldFormat never = Csv();
  never.enclosed_by.reset();
  EXPECT_EQ(Split(never, "NULL,\"a\"\n"), "[NULL|\"a\"]");
}

TEST(FieldSplitterTest, EnclosingCharacterThatEscapes) {
  FieldFormat format = Csv();
  format.escaped_by = '"';
  EXPECT_EQ(Split(format, "\"a\"\"b\",\"\\n\"\n\"c\",d\n"), "[a\"b|\\n][c|d]");
}

TEST(FieldSplitterTest, LongTerminators) {
  FieldFormat format;
  format.field_terminator = "<ab>";
  format.line_terminator = "<abc>\r\n";
  EXPECT_EQ(Split(format, "1<a<ab>2<ab<ab>3<abc>\r<abc>\r\n4"), "[1<a|2<ab|3<abc>\r][4]");
}

TEST(FieldSplitterTest, LinesThatStartWithSomething) {
  FieldFormat format;
  format.line_start = ">>";
  EXPECT_EQ(Split(format, "head\nx>>>1\ta\nnone\n>>2\tb\n"), "[>1|a][2|b]");
}

TEST(FieldSplitterTest, LinesWithoutTerminatorEndAfterTheirFields) {
  FieldFormat format;
  format.field_terminator = "|";
  format.line_terminator = "";
  EXPECT_EQ(Split(format, "1|2|3|4|5", 2), "[1|2][3|4][5]");
  format.line_terminator = "|";
  EXPECT_EQ(Split(format, "1|2|3|4|5", 2), "[1|2][3|4][5]");
}

TEST(FieldSplitterTest, RestOfALineIsSkipped) {
  EXPECT_EQ(Split({}, "1\t2\t3\n4\t5\n6\t7\t\\\n8\n9\t0\n", 2), "[1|2]+[4|5][6|7]+[9|0]");
}

TEST(FieldSplitterTest, CharactersAreNotCut) {
  FieldFormat format;
  format.field_terminator = "\xA9";  // the second byte of é
  EXPECT_EQ(Split(format, "caf\xC3\xA9s\tx\n"), "[caf\xC3\xA9s\tx]");
  EXPECT_EQ(Split({}, "a\xC3\tb\n"), "[a\xC3|b]") << "no character: the tab counts";
  EXPECT_EQ(Split({}, "ab\xFF\tc\n"), "[!1300");
  EXPECT_EQ(Split({}, "ab\xE2\x82"), "[ab]") << "a character that the end cuts is dropped";
  format = {};
  format.charset = &row::GetCharset(row::CharsetId::kLatin1);
  EXPECT_EQ(Split(format, "ab\xFF\tc\n"), "[ab\xFF|c]");
}

TEST(FieldSplitterTest, LinesOfFixedSize) {
  for (const size_t piece : {size_t{1}, size_t{100}}) {
    Pieces source("12345\n12\\n\n123456\n1", piece);
    FieldFormat format;
    format.field_terminator.clear();
    FieldSplitter splitter(format, &source);
    std::string out;
    std::string_view line;
    for (Result<bool> more = true; more.ok() && *more; more = splitter.NextLine()) {
      out += splitter.line_was_cut() ? "+" : "";
      const Result<bool> found = splitter.ReadFixed(4, &line);
      ASSERT_TRUE(found.ok());
      out += *found ? "[" + std::string(line) + "]" : "";
    }
    EXPECT_EQ(out, "[1234]+[12\n][1234]+[1]");
  }
}

TEST(FieldSplitterTest, FieldsHaveALimit) {
  FieldFormat format;
  format.max_field_bytes = 10;
  EXPECT_EQ(Split(format, "0123456789\t1\n"), "[0123456789|1]");
  EXPECT_EQ(Split(format, "0123456789a\t1\n"), "[!1153");
}

TEST(FieldSplitterTest, FailureOfTheSourceIsNoEndOfTheData) {
  for (const char* bytes : {"", "1\t2", "1\t2\n", "1\t2\t3", "\"1", "1\\", "1\t\xC3"}) {
    Pieces source(bytes, 100);
    source.failure = UserError(EE_READ, "f", 5, "failed");
    EXPECT_TRUE(Split(Csv(), &source, 2).ends_with("!2")) << bytes;
    Pieces tabs(bytes, 100);
    tabs.failure = UserError(EE_READ, "f", 5, "failed");
    EXPECT_TRUE(Split({}, &tabs, 2).ends_with("!2")) << bytes;
  }
}

}  // namespace
}  // namespace borealis::sql
