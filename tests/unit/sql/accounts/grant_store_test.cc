// When the store reads the accounts again.
#include "sql/accounts/grant_store.h"

#include <functional>

#include <gtest/gtest.h>

namespace borealis::sql {
namespace {

class FakeSource final : public GrantSource {
 public:
  Result<uint64_t> Generation() override { return generation; }
  Result<GrantTables> Load() override {
    ++loads;
    GrantTables tables;
    for (int i = 0; i < accounts; ++i) {
      Account account;
      account.key = {"u" + std::to_string(i), "%"};
      tables.Add(std::move(account));
    }
    if (while_loading) {
      std::exchange(while_loading, nullptr)();
    }
    return tables;
  }

  uint64_t generation = 1;
  int accounts = 1;
  int loads = 0;
  std::function<void()> while_loading;
};

TEST(GrantStoreTest, ReadsAgainOnlyForANewGeneration) {
  auto owned = std::make_unique<FakeSource>();
  FakeSource& source = *owned;
  GrantStore store(std::move(owned));
  const auto first = *store.At(10);
  EXPECT_EQ(*store.At(10), first);
  EXPECT_EQ(*store.At(11), first);  // another schema change
  EXPECT_EQ(source.loads, 1);
  source.generation = 2;
  source.accounts = 2;
  EXPECT_EQ(*store.At(11), first);  // nobody has seen a newer dictionary
  EXPECT_EQ((*store.At(12))->accounts().size(), 2U);
  EXPECT_EQ(source.loads, 2);
  EXPECT_EQ(first->accounts().size(), 1U);  // who holds the old ones keeps them
}

TEST(GrantStoreTest, AChangeWhileLoadingIsReadAgain) {
  auto owned = std::make_unique<FakeSource>();
  FakeSource& source = *owned;
  GrantStore store(std::move(owned));
  source.while_loading = [&] {  // commits after the tables were read, and announces itself
    source.accounts = 2;
    source.generation = 2;
  };
  EXPECT_EQ((*store.At(10))->accounts().size(), 1U);
  EXPECT_EQ((*store.At(11))->accounts().size(), 2U);
}

}  // namespace
}  // namespace borealis::sql
