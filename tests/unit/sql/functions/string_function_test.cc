// Functions of text: the manual's examples, and the edges.
#include <gtest/gtest.h>

#include "call.h"

namespace borealis::sql {
namespace {

TEST(StringFunctionTest, Parts) {
  Caller call;
  EXPECT_EQ(call("concat", {"My", "S", "QL"}), "MySQL");
  EXPECT_EQ(call("concat", {"My", Null()}), "NULL");
  EXPECT_EQ(call("concat", {Dec("14.30"), 1}), "14.301");
  EXPECT_EQ(call("concat_ws", {",", "a", Null(), "b"}), "a,b");
  EXPECT_EQ(call("concat_ws", {Null(), "a"}), "NULL");
  EXPECT_EQ(call("substring", {"Quadratically", 5}), "ratically");
  EXPECT_EQ(call("substring", {"Quadratically", 5, 6}), "ratica");
  EXPECT_EQ(call("substring", {"Sakila", -3}), "ila");
  EXPECT_EQ(call("substring", {"Sakila", -5, 3}), "aki");
  EXPECT_EQ(call("substring", {"abc", 0}), "");
  EXPECT_EQ(call("substring", {"abc", -9}), "");
  EXPECT_EQ(call("substring", {"日本語", 2, 1}), "本");
  EXPECT_EQ(call("left", {"foobarbar", 5}), "fooba");
  EXPECT_EQ(call("right", {"日本語", 2}), "本語");
  EXPECT_EQ(call("left", {"abc", -1}), "");
  EXPECT_EQ(call("substring_index", {"www.mysql.com", ".", 2}), "www.mysql");
  EXPECT_EQ(call("substring_index", {"www.mysql.com", ".", -2}), "mysql.com");
  EXPECT_EQ(call("substring_index", {"www", ".", -2}), "www");
  EXPECT_EQ(call("insert", {"Quadratic", 3, 4, "What"}), "QuWhattic");
  EXPECT_EQ(call("insert", {"Quadratic", -1, 4, "What"}), "Quadratic");
  EXPECT_EQ(call("insert", {"Quadratic", 3, 100, "What"}), "QuWhat");
}

TEST(StringFunctionTest, MapsAndPads) {
  Caller call;
  EXPECT_EQ(call("upper", {"héja"}), "HÉJA");
  EXPECT_EQ(call("lower", {"ÄB"}), "äb");
  EXPECT_EQ(call("upper", {Bytes("ab")}), "ab");
  EXPECT_EQ(call("trim", {"  bar  "}), "bar");
  FunctionOptions leading;
  leading.trim_trailing = false;
  EXPECT_EQ(call("trim", {"xxxbarxxx", "x"}, leading), "barxxx");
  FunctionOptions trailing;
  trailing.trim_leading = false;
  EXPECT_EQ(call("trim", {"barxxyz", "xyz"}, trailing), "barx");
  EXPECT_EQ(call("trim", {"xx", "x"}), "");
  EXPECT_EQ(call("ltrim", {"  a "}), "a ");
  EXPECT_EQ(call("rtrim", {" a  "}), " a");
  EXPECT_EQ(call("lpad", {"hi", 4, "??"}), "??hi");
  EXPECT_EQ(call("lpad", {"hi", 1, "??"}), "h");
  EXPECT_EQ(call("rpad", {"hi", 5, "ab"}), "hiaba");
  EXPECT_EQ(call("rpad", {"hi", -1, "a"}), "NULL");
  EXPECT_EQ(call("lpad", {"hi", 5, ""}), "");
  EXPECT_EQ(call("repeat", {"ab", 3}), "ababab");
  EXPECT_EQ(call("repeat", {"ab", -1}), "");
  EXPECT_EQ(call("space", {3}), "   ");
  EXPECT_EQ(call("replace", {"www.mysql.com", "w", "Ww"}), "WwWwWw.mysql.com");
  EXPECT_EQ(call("replace", {"aaa", "A", "b"}), "aaa");
  EXPECT_EQ(call("reverse", {"aé日"}), "日éa");
  EXPECT_EQ(call("quote", {"Don't!"}), "'Don\\'t!'");
  EXPECT_EQ(call("quote", {Null()}), "NULL");
  EXPECT_EQ(call("format", {Dec("12332.123456"), 4}), "12,332.1235");
  EXPECT_EQ(call("format", {-1234567.891, 2}), "-1,234,567.89");
  EXPECT_EQ(call("format", {123, 0}), "123");
  EXPECT_EQ(call("char", {77, 121, 83, 81, 76}), "MySQL");
}

TEST(StringFunctionTest, LimitsByPacketSize) {
  Caller call;
  call.context.max_allowed_packet = 1024;
  EXPECT_EQ(call("repeat", {"x", 1025}), "NULL");
  EXPECT_EQ(call("repeat", {"x", INT64_MAX}), "NULL");
  EXPECT_EQ(call("lpad", {"x", INT64_MAX, "y"}), "NULL");
  EXPECT_EQ(call("space", {2000}), "NULL");
  EXPECT_EQ(call.warnings.numbers, std::vector<int>(4, 1301));
}

TEST(StringFunctionTest, Measures) {
  Caller call;
  EXPECT_EQ(call("length", {"日本"}), "6");
  EXPECT_EQ(call("char_length", {"日本"}), "2");
  EXPECT_EQ(call("bit_length", {"ab"}), "16");
  Lit latin(row::Type::Varchar(3, row::kLatin1SwedishCi), row::Value::String("äö"));
  EXPECT_EQ(call("length", {latin}), "2");
  EXPECT_EQ(call("hex", {latin}), "E4F6");
  EXPECT_EQ(call("locate", {"bar", "foobarbar"}), "4");
  EXPECT_EQ(call("locate", {"BAR", "foobarbar", 5}), "7");
  EXPECT_EQ(call("locate", {"xbar", "foobar"}), "0");
  EXPECT_EQ(call("instr", {"日本語", "語"}), "3");
  EXPECT_EQ(call("find_in_set", {"B", "a,b,c"}), "2");
  EXPECT_EQ(call("find_in_set", {"", "a,,c"}), "2");
  EXPECT_EQ(call("find_in_set", {"x", ""}), "0");
  EXPECT_EQ(call("ascii", {"2"}), "50");
  EXPECT_EQ(call("ord", {"日"}), "15112101");
  EXPECT_EQ(call("soundex", {"Quadratically"}), "Q36324");
  EXPECT_EQ(call("charset", {"a"}), "utf8mb4");
  EXPECT_EQ(call("collation", {1}), "binary");
}

TEST(EncodingTest, RoundTripsAndDigests) {
  Caller call;
  EXPECT_EQ(call("hex", {255}), "FF");
  EXPECT_EQ(call("hex", {"abc"}), "616263");
  EXPECT_EQ(call("unhex", {"4D7953514C"}), "MySQL");
  EXPECT_EQ(call("unhex", {"GG"}), "NULL");
  EXPECT_EQ(call("to_base64", {"abc"}), "YWJj");
  EXPECT_EQ(call("to_base64", {"ab"}), "YWI=");
  EXPECT_EQ(call("from_base64", {"YWI="}), "ab");
  EXPECT_EQ(call("from_base64", {"YW!="}), "NULL");
  EXPECT_EQ(call("md5", {"testing"}), "ae2b1fca515949e5d54fb22b8ed95575");
  EXPECT_EQ(call("sha1", {"abc"}), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(call("sha2", {"abc", 224}), "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
  EXPECT_EQ(call("sha2", {"abc", 1}), "NULL");
  EXPECT_EQ(call("inet_aton", {"10.0.5.9"}), "167773449");
  EXPECT_EQ(call("inet_aton", {"127.1"}), "2130706433");
  EXPECT_EQ(call("inet_aton", {"1.2.3.256"}), "NULL");
  EXPECT_EQ(call("inet_ntoa", {167773449}), "10.0.5.9");
  EXPECT_EQ(call("is_uuid", {"6ccd780c-baba-1026-9564-5b8c656024db"}), "1");
  EXPECT_EQ(call("is_uuid", {"6ccd780c-baba"}), "0");
  const char* uuid = "6ccd780c-baba-1026-9564-5b8c656024db";
  std::string binary = call("uuid_to_bin", {uuid, 1});
  EXPECT_EQ(call("hex", {Bytes(binary)}), "1026BABA6CCD780C95645B8C656024DB");
  EXPECT_EQ(call("bin_to_uuid", {Bytes(binary), 1}), uuid);
  EXPECT_EQ(call("uuid_to_bin", {"x"}), "error 1411");
  EXPECT_EQ(call("is_uuid", {call("uuid", {}).c_str()}), "1");
}

TEST(RegexpTest, MatchesAndReplaces) {
  Caller call;
  EXPECT_EQ(call("regexp_like", {"Michael!", ".*"}), "1");
  EXPECT_EQ(call("regexp_like", {"CamelCase", "CAMELCASE"}), "1");
  EXPECT_EQ(call("regexp_like", {"CamelCase", "CAMELCASE", "c"}), "0");
  EXPECT_EQ(call("regexp_like", {"a", "^[a-d]"}), "1");
  EXPECT_EQ(call("regexp_like", {"a\nb", "^b$", "m"}), "1");
  EXPECT_EQ(call("regexp_like", {"a", "("}), "error 3691");
  EXPECT_EQ(call("regexp_like", {"a", "["}), "error 3696");
  EXPECT_EQ(call("regexp_instr", {"dog cat dog", "dog", 2}), "9");
  EXPECT_EQ(call("regexp_instr", {"aa aaa aaaa", "a{4}"}), "8");
  EXPECT_EQ(call("regexp_substr", {"abc def ghi", "[a-z]+", 1, 3}), "ghi");
  EXPECT_EQ(call("regexp_substr", {"abc", "x"}), "NULL");
  EXPECT_EQ(call("regexp_replace", {"a b c", "b", "X"}), "a X c");
  EXPECT_EQ(call("regexp_replace", {"abc def ghi", "[a-z]+", "X", 1, 3}), "abc def X");
  EXPECT_EQ(call("regexp_replace", {"日本語", "(.)本", "$1-"}), "日-語");
  EXPECT_EQ(call("regexp_instr", {"日😀x", "x"}), "3");
}

}  // namespace
}  // namespace borealis::sql
