// Schema changes that take other tables and SQL's own entries along (RelatedChanges).
#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

class RelatedChangesTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    Create("parent", "0", {true});
  }

  uint64_t ParentVersion() { return engine_->FindTable("test", "parent").value()->version(); }

  static SchemaChangeOptions Related(uint64_t parent_version) {
    SchemaChangeOptions how;
    how.related.tables = {{{"test", "parent"}, parent_version, " 0"}};
    how.related.entries = {{"r/parent/child", "x"}};
    return how;
  }

  Entries SqlEntries() { return engine_->ListSqlEntries("r/").value(); }
};

TEST_F(RelatedChangesTest, BothSidesChangeInOneStep) {
  Session session(engine_.get());
  ASSERT_OK(session.Insert("parent", "1,a"));
  ASSERT_OK(session.Commit());
  const uint64_t version = ParentVersion();
  ASSERT_OK(engine_->CreateTable(MakeDefinition("child", "0", {true}), Related(version)).status());
  const TableRef parent = engine_->FindTable("test", "parent").value();
  EXPECT_EQ(parent->definition().payload, " 0");
  EXPECT_GT(parent->version(), version);
  EXPECT_OK(engine_->CheckTable(*parent));
  EXPECT_EQ(Session(engine_.get()).Scan("parent"), "1,a");
  EXPECT_EQ(SqlEntries(), (Entries{{"r/parent/child", "x"}}));
}

TEST_F(RelatedChangesTest, NothingHappensWhenARelatedTableIsAnother) {
  const uint64_t version = ParentVersion();
  SchemaChangeOptions how = Related(version + 1);
  EXPECT_TRUE(
      engine_->CreateTable(MakeDefinition("child", "0", {true}), how).status().Is(Code::kRetry));
  how.related.tables[0].expected_version = 0;  // there should be none
  EXPECT_TRUE(
      engine_->CreateTable(MakeDefinition("child", "0", {true}), how).status().Is(Code::kRetry));
  EXPECT_FALSE(engine_->FindTable("test", "child").ok());
  EXPECT_EQ(ParentVersion(), version);
  EXPECT_TRUE(SqlEntries().empty());
}

TEST_F(RelatedChangesTest, NothingHappensWhenEntriesAreNotAsExpected) {
  SchemaChangeOptions how = Related(ParentVersion());
  how.related.expected = {{"r/", {"r/parent/other"}}};
  EXPECT_TRUE(
      engine_->CreateTable(MakeDefinition("child", "0", {true}), how).status().Is(Code::kRetry));
  EXPECT_TRUE(SqlEntries().empty());
  how.related.expected = {{"r/", {}}};
  ASSERT_OK(engine_->CreateTable(MakeDefinition("child", "0", {true}), how).status());
  SchemaChangeOptions drop;
  drop.related.entries = {{"r/parent/child", std::nullopt}};
  drop.related.expected = {{"r/", {"r/parent/child"}}};
  ASSERT_OK(engine_->DropTables({{"test", "child"}}, drop));
  EXPECT_TRUE(SqlEntries().empty());
}

// A view: it shares the tables' names, changes as they do, and has no tree to free.
TEST_F(RelatedChangesTest, ANameWithoutTreesLivesThroughChangesAndACrash) {
  ASSERT_OK(engine_->CreateTable(MakeDefinition("v", "0", {}), {}).status());
  EXPECT_TRUE(
      engine_->CreateTable(MakeDefinition("v", "0", {true}), {}).status().Is(Code::kAlreadyExists));
  TableAlteration alteration;
  alteration.expected_version = engine_->FindTable("test", "v").value()->version();
  alteration.payload = "1";
  ASSERT_OK(engine_->AlterTable({"test", "v"}, alteration, {}));
  EXPECT_TRUE(engine_->AlterTable({"test", "v"}, alteration, {}).Is(Code::kRetry));
  alteration.expected_version = 0;
  EXPECT_TRUE(engine_->AlterTable({"test", "parent"}, alteration, {}).Is(Code::kInvalidArgument));
  ASSERT_OK(engine_->RenameTables({{{"test", "v"}, {"test", "w"}}}, {}));
  Crash();
  const TableRef view = engine_->FindTable("test", "w").value();
  EXPECT_EQ(view->definition().payload, "1");
  EXPECT_EQ(view->index_count(), 0U);
  EXPECT_FALSE(engine_->FindTable("test", "v").ok());
  ASSERT_OK(engine_->DropTables({{"test", "w"}}, {}));
  ASSERT_OK(engine_->RunBackground());
  EXPECT_FALSE(engine_->FindTable("test", "w").ok());
  Check("parent");
}

}  // namespace
}  // namespace borealis::engine::testing
