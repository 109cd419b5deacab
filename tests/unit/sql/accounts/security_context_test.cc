// What an account and its active roles may do together.
#include "sql/accounts/security_context.h"

#include <gtest/gtest.h>

namespace borealis::sql {
namespace {

using P = Privilege;

class SecurityContextTest : public ::testing::Test {
 protected:
  Account& Make(const std::string& name) {
    Account account;
    account.key = {name, "%"};
    tables_.Add(std::move(account));
    return *tables_.FindMutable({name, "%"});
  }
  SecurityContext Context(const std::string& name, const std::set<AccountKey>& roles = {}) {
    return {std::make_shared<const GrantTables>(tables_), {name, "%"}, roles};
  }

  GrantTables tables_;
};

TEST_F(SecurityContextTest, TheServersOwnMayDoEverything) {
  const SecurityContext own;
  EXPECT_TRUE(own.unrestricted());
  EXPECT_TRUE(own.HasDynamic("ROLE_ADMIN"));
  EXPECT_TRUE(own.OnTable("a", "b").Has(P::kDrop));
}

TEST_F(SecurityContextTest, AnAccountThatIsGoneMayDoNothing) {
  const SecurityContext gone = Context("nobody");
  EXPECT_FALSE(gone.unrestricted());
  EXPECT_FALSE(gone.OnTable("shop", "orders").Has(P::kSelect));
  EXPECT_FALSE(gone.SeesSchema("shop"));
  EXPECT_TRUE(gone.SeesSchema("information_schema"));
}

TEST_F(SecurityContextTest, LevelsAddUp) {
  Account& account = Make("u");
  account.global = {P::kProcess};
  account.schemas["shop"] = {P::kSelect};
  account.tables[{"shop", "orders"}].table = {P::kInsert};
  account.tables[{"shop", "orders"}].columns["price"] = {P::kUpdate};
  const SecurityContext context = Context("u");
  EXPECT_EQ(context.OnSchema("shop"), (PrivilegeSet{P::kProcess, P::kSelect}));
  EXPECT_EQ(context.OnTable("shop", "orders"), (PrivilegeSet{P::kProcess, P::kSelect, P::kInsert}));
  EXPECT_TRUE(context.OnColumn("shop", "orders", "price").Has(P::kUpdate));
  EXPECT_FALSE(context.OnColumn("shop", "orders", "id").Has(P::kUpdate));
  EXPECT_TRUE(context.OnAnyColumn("shop", "orders").Has(P::kUpdate));
  EXPECT_FALSE(context.OnTable("other", "orders").Has(P::kSelect));
  EXPECT_TRUE(context.SeesTable("shop", "anything"));
  EXPECT_FALSE(context.SeesTable("other", "orders"));
}

TEST_F(SecurityContextTest, OfSchemaPatternsTheMostSpecificCounts) {
  Account& account = Make("u");
  account.schemas["shop%"] = {P::kSelect};
  account.schemas["shop_eu%"] = {P::kInsert};
  account.schemas["shop_eu"] = {P::kDelete};
  const SecurityContext context = Context("u");
  EXPECT_EQ(context.OnSchema("shop_eu"), (PrivilegeSet{P::kDelete}));
  EXPECT_EQ(context.OnSchema("shop_us"), (PrivilegeSet{P::kSelect}));
}

TEST_F(SecurityContextTest, ActiveRolesAddTheirsAndThoseOfTheirRoles) {
  Make("r2").schemas["shop"] = {P::kInsert};
  Account& r1 = Make("r1");
  r1.dynamic["ROLE_ADMIN"] = false;
  r1.roles[{"r2", "%"}] = false;
  Make("u").roles[{"r1", "%"}] = false;
  EXPECT_FALSE(Context("u").HasDynamic("ROLE_ADMIN"));
  const SecurityContext active = Context("u", {{"r1", "%"}});
  EXPECT_TRUE(active.HasDynamic("ROLE_ADMIN"));
  EXPECT_TRUE(active.OnSchema("shop").Has(P::kInsert));
}

TEST(PrivilegeTest, NamesAreFoundAndLevelsNest) {
  EXPECT_EQ(FindPrivilege("CREATE TEMPORARY TABLES"), P::kCreateTemporaryTables);
  EXPECT_EQ(FindPrivilege("create"), std::nullopt);
  EXPECT_TRUE(IsDynamicPrivilege("ROLE_ADMIN"));
  EXPECT_FALSE(IsDynamicPrivilege("SELECT"));
  for (const auto& [coarse, fine] : {std::pair{PrivilegeLevel::kGlobal, PrivilegeLevel::kSchema},
                                     std::pair{PrivilegeLevel::kSchema, PrivilegeLevel::kTable},
                                     std::pair{PrivilegeLevel::kTable, PrivilegeLevel::kColumn}}) {
    EXPECT_TRUE(PrivilegesAt(coarse).HasAll(PrivilegesAt(fine)));
  }
  EXPECT_EQ(PrivilegesAt(PrivilegeLevel::kColumn),
            (PrivilegeSet{P::kSelect, P::kInsert, P::kUpdate, P::kReferences}));
  EXPECT_EQ(PrivilegeList({P::kUpdate, P::kSelect, P::kGrantOption}), "SELECT, UPDATE");
  EXPECT_EQ(DeniedList({P::kInsert, P::kGrantOption, P::kAlter}), "INSERT, GRANT, ALTER");
}

}  // namespace
}  // namespace borealis::sql
