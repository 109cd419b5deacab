// What is told of result columns, and how texts leave, under each character_set_results. The
// numbers are those of MySQL.
#include "server/session/result_charset.h"

#include "base/mysql_error.h"

namespace borealis::server {
namespace {

using row::Type;
using row::TypeKind;

sql::SessionSettings Results(row::CollationId collation) {
  sql::SessionSettings settings;
  settings.collation_connection = collation;
  settings.character_set_results = row::GetCollation(collation).charset().id;
  return settings;
}

sql::SessionSettings Unconverted() {
  sql::SessionSettings settings;
  settings.results_unconverted = true;
  return settings;
}

struct Told {
  unsigned collation;
  uint32_t length;
  bool operator==(const Told&) const = default;
};

Told Of(const sql::SessionSettings& settings, const Type& type, const std::string& table = "t") {
  sql::ResultColumn column;
  column.org_table = table;
  column.type = type;
  const mysql::ColumnDefinition definition = ResultCharset(settings).Describe(column);
  return {definition.collation, definition.length};
}

const Type kName = Type::Varchar(20, row::kUtf8mb4_0900AiCi);
const Type kLatin = Type::Varchar(20, row::kLatin1SwedishCi);
const Type kText = Type::Text(TypeKind::kText, row::kUtf8mb4_0900AiCi);
const Type kJson = [] {
  Type type;
  type.kind = TypeKind::kJson;
  return type;
}();

TEST(ResultCharsetTest, LengthsAreInBytesOfTheResult) {
  EXPECT_EQ(Of(Results(255), kName), (Told{255, 80}));
  EXPECT_EQ(Of(Results(255), kLatin), (Told{255, 80}));
  EXPECT_EQ(Of(Results(255), kText), (Told{255, 262140}));
  EXPECT_EQ(Of(Results(46), kName), (Told{46, 80}));
  EXPECT_EQ(Of(Results(8), kName), (Told{8, 20}));
  EXPECT_EQ(Of(Results(8), kText), (Told{8, 65535}));
  EXPECT_EQ(Of(Results(33), kName), (Told{33, 60}));
  EXPECT_EQ(Of(Results(33), kText), (Told{33, 196605}));
  EXPECT_EQ(Of(Results(63), kName), (Told{63, 20}));
  EXPECT_EQ(Of(Results(8), Type::Varbinary(20)), (Told{63, 20}));
  EXPECT_EQ(Of(Results(8), Type::Text(TypeKind::kLongText, 255)), (Told{8, 4294967295U}));
}

TEST(ResultCharsetTest, WithoutConversionColumnsTellTheirOwn) {
  EXPECT_EQ(Of(Unconverted(), kName), (Told{255, 80}));
  EXPECT_EQ(Of(Unconverted(), kLatin), (Told{8, 20}));
  EXPECT_EQ(Of(Unconverted(), Type::Varchar(20, 33)), (Told{33, 60}));
  EXPECT_EQ(Of(Unconverted(), kText), (Told{255, 65535}));
}

TEST(ResultCharsetTest, JsonOfAFunctionIsText) {
  EXPECT_EQ(Of(Results(8), kJson).collation, 63U);
  EXPECT_EQ(Of(Results(8), kJson, ""), (Told{8, 1073741823}));
  EXPECT_EQ(Of(Results(255), kJson, ""), (Told{255, 4294967292U}));
  EXPECT_EQ(Of(Unconverted(), kJson, ""), (Told{46, 4294967295U}));
}

std::string Sent(const sql::SessionSettings& settings, const Type& type, const std::string& value) {
  const row::Charset* encoding = ResultCharset(settings).EncodingOf(type);
  return encoding == nullptr ? value : encoding->Encode(value);
}

TEST(ResultCharsetTest, ValuesLeaveInTheCharacterSetOfTheResult) {
  EXPECT_EQ(ResultCharset(Results(255)).EncodingOf(kName), nullptr);
  EXPECT_EQ(ResultCharset(Results(255)).EncodingOf(kLatin), nullptr);
  EXPECT_EQ(ResultCharset(Results(8)).EncodingOf(Type::Varbinary(20)), nullptr);
  EXPECT_EQ(ResultCharset(Results(8)).EncodingOf(Type::BigInt()), nullptr);
  EXPECT_EQ(Sent(Results(8), kName, "é€日"), "\xE9\x80?");
  EXPECT_EQ(Sent(Results(8), kLatin, "é€"), "\xE9\x80");
  EXPECT_EQ(Sent(Results(8), kJson, "[\"é\"]"), "[\"\xE9\"]");
  EXPECT_EQ(Sent(Results(11), kName, "é€日"), "???");
  EXPECT_EQ(Sent(Results(33), kName, "日😀"), "日?");
  EXPECT_EQ(Sent(Unconverted(), kLatin, "é"), "\xE9");
  EXPECT_EQ(Sent(Unconverted(), kName, "é"), "é");
  EXPECT_EQ(Sent(Results(63), kLatin, "é"), "\xE9");
}

TEST(ResultCharsetTest, NamesAndMessagesAreNeverMalformed) {
  EXPECT_EQ(ResultCharset(Results(255)).Name("a\xE9x"), "a?x");
  EXPECT_EQ(ResultCharset(Results(8)).Name("é日"), "\xE9?");
  const Status error = UserError(ER_BAD_DB_ERROR, "é€日\xE9");
  EXPECT_EQ(ResultCharset(Results(11)).Error(error).message(),
            "Unknown database '\\00E9\\20AC\\65E5?'");
  EXPECT_EQ(ResultCharset(Results(8)).Error(error).message(), "Unknown database '\xE9\x80\\65E5?'");
  EXPECT_EQ(ResultCharset(Results(255)).Error(error).message(), "Unknown database 'é€日?'");
  EXPECT_EQ(ResultCharset(Unconverted()).Error(error).user_errno(), ER_BAD_DB_ERROR);
}

}  // namespace
}  // namespace borealis::server
