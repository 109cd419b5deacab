#include "sql/parser/secrets.h"

#include <gtest/gtest.h>

namespace borealis::sql {
namespace {

std::string Shown(std::string_view text) {
  return WithoutSecrets(text).value_or(std::string(text));
}

TEST(SecretsTest, PasswordsOfAccountStatementsAreTakenOut) {
  EXPECT_EQ(
      Shown("CREATE USER a@'h' IDENTIFIED BY 'x', b identified with p as 'y' COMMENT 'c'"),
      "CREATE USER a@'h' IDENTIFIED BY <secret>, b identified with p as <secret> COMMENT 'c'");
  EXPECT_EQ(Shown("ALTER USER a IDENTIFIED BY \"x''y\" REPLACE 'old'"),
            "ALTER USER a IDENTIFIED BY <secret> REPLACE <secret>");
  EXPECT_EQ(Shown("/* c */ alter user a Identified by 0x4142"),
            "/* c */ alter user a Identified by <secret>");
  EXPECT_EQ(Shown("SET PASSWORD FOR a = 'x' REPLACE 'y'"),
            "SET PASSWORD FOR a = <secret> REPLACE <secret>");
  EXPECT_EQ(Shown("SELECT 1; SET PASSWORD='x'; SELECT 'x'"),
            "SELECT 1; SET PASSWORD=<secret>; SELECT 'x'");
}

TEST(SecretsTest, StatementsInsideStringsAreTakenOut) {
  EXPECT_EQ(Shown("PREPARE s FROM 'ALTER USER a IDENTIFIED BY \\'x\\''"),
            "PREPARE s FROM <secret>");
  EXPECT_EQ(Shown("SET @a = 'create user a identified by ''x'''"), "SET @a = <secret>");
}

TEST(SecretsTest, UnclosedStringsHideTheRest) {
  EXPECT_EQ(Shown("CREATE USER a IDENTIFIED BY 'x"), "CREATE USER a IDENTIFIED BY <secret>");
}

TEST(SecretsTest, OtherStatementsStayAsTheyAre) {
  for (const char* text : {"INSERT INTO u (password) VALUES ('x')", "SELECT 'identified by'",
                           "SELECT password AS 'p' FROM u", "CREATE TABLE t (password INT)"}) {
    EXPECT_FALSE(WithoutSecrets(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace borealis::sql
