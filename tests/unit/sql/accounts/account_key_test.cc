// Host patterns, and which of several accounts a client means.
#include "sql/accounts/account_key.h"

#include <gtest/gtest.h>

#include "sql/accounts/grant_tables.h"

namespace borealis::sql {
namespace {

TEST(AccountKeyTest, WildcardsMatchAsInLike) {
  EXPECT_TRUE(MatchesWildcards("shop_1", "shop%"));
  EXPECT_TRUE(MatchesWildcards("shop_1", "shop\\_1"));
  EXPECT_FALSE(MatchesWildcards("shopx1", "shop\\_1"));
  EXPECT_TRUE(MatchesWildcards("shopx1", "shop_1"));
  EXPECT_TRUE(MatchesWildcards("", "%"));
  EXPECT_FALSE(MatchesWildcards("", "_"));
  EXPECT_TRUE(MatchesWildcards("abcabd", "%ab_"));
  EXPECT_FALSE(MatchesWildcards("abcabd", "%abc"));
  EXPECT_TRUE(MatchesWildcards("a%b", "a\\%b"));
  EXPECT_FALSE(MatchesWildcards("a", "a\\"));
}

TEST(AccountKeyTest, HostsMatchByAddressNameNetworkAndPattern) {
  EXPECT_TRUE(HostMatches("127.0.0.1", "localhost"));
  EXPECT_TRUE(HostMatches("::1", "localhost"));
  EXPECT_FALSE(HostMatches("10.0.0.1", "localhost"));
  EXPECT_TRUE(HostMatches("10.1.2.3", "10.1.%"));
  EXPECT_FALSE(HostMatches("10.11.2.3", "10.1.%"));
  EXPECT_TRUE(HostMatches("192.168.1.77", "192.168.1.0/255.255.255.0"));
  EXPECT_FALSE(HostMatches("192.168.2.77", "192.168.1.0/255.255.255.0"));
  EXPECT_TRUE(HostMatches("192.168.1.77", "192.168.1.0/24"));
  EXPECT_TRUE(HostMatches("1.2.3.4", "0.0.0.0/0"));
  EXPECT_FALSE(HostMatches("::1", "0.0.0.0/0"));
  EXPECT_FALSE(HostMatches("1.2.3.4", "1.2.3.4/33"));
  EXPECT_TRUE(HostMatches("1.2.3.4", ""));
}

GrantTables TablesOf(std::initializer_list<AccountKey> keys) {
  GrantTables tables;
  for (const AccountKey& key : keys) {
    Account account;
    account.key = key;
    tables.Add(std::move(account));
  }
  return tables;
}

TEST(AccountKeyTest, TheMostSpecificHostComesFirstThenTheNamedUser) {
  const GrantTables tables = TablesOf({{"ann", "%"},
                                       {"ann", "10.%"},
                                       {"ann", "10.1.%"},
                                       {"ann", "10.1.1.0/24"},
                                       {"ann", "10.1.1.1"},
                                       {"", "10.1.1.1"},
                                       {"", "localhost"},
                                       {"bob", "%"}});
  const auto meant = [&](std::string_view user, std::string_view address) {
    const Account* account = tables.FindForLogin(user, address);
    return account == nullptr ? "nobody" : QuotedAccount(account->key);
  };
  EXPECT_EQ(meant("ann", "10.1.1.1"), "'ann'@'10.1.1.1'");
  EXPECT_EQ(meant("ann", "10.1.1.2"), "'ann'@'10.1.1.0/24'");
  EXPECT_EQ(meant("ann", "10.1.2.1"), "'ann'@'10.1.%'");
  EXPECT_EQ(meant("ann", "10.2.2.1"), "'ann'@'10.%'");
  EXPECT_EQ(meant("ann", "11.2.2.1"), "'ann'@'%'");
  EXPECT_EQ(meant("bob", "10.1.1.1"), "''@'10.1.1.1'");  // the host counts before the user
  EXPECT_EQ(meant("bob", "127.0.0.1"), "''@'localhost'");
  EXPECT_EQ(meant("bob", "9.9.9.9"), "'bob'@'%'");
  EXPECT_EQ(meant("eve", "9.9.9.9"), "nobody");
}

TEST(AccountKeyTest, RolesAreReachedThroughRoles) {
  GrantTables tables = TablesOf({{"u", "%"}, {"r1", "%"}, {"r2", "%"}, {"r3", "%"}});
  tables.FindMutable({"u", "%"})->roles[{"r1", "%"}] = false;
  tables.FindMutable({"r1", "%"})->roles[{"r2", "%"}] = false;
  EXPECT_TRUE(tables.Reaches({"u", "%"}, {"r2", "%"}));
  EXPECT_FALSE(tables.Reaches({"u", "%"}, {"r3", "%"}));
  EXPECT_FALSE(tables.Reaches({"r2", "%"}, {"u", "%"}));
  tables.Rename({"r1", "%"}, {"r9", "%"});
  EXPECT_TRUE(tables.Reaches({"u", "%"}, {"r2", "%"}));
  tables.Erase({"r9", "%"});
  EXPECT_TRUE(tables.Find({"u", "%"})->roles.empty());
}

}  // namespace
}  // namespace borealis::sql
