// The order of latches (INV-BTR-4), and that a wrong one is caught the first time it is walked.
#include "engine/store/latch_order.h"

#include "base/mutex.h"
#include "tests/unit/engine/store_testing.h"
#include "volume/edit.h"

namespace borealis::engine {
namespace {

class LatchOrderTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!latch_order::kChecked) {
      GTEST_SKIP() << "only debug and sanitizer builds check the order";
    }
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    for (uint64_t i = 0; i < 200; ++i) {
      ASSERT_OK(InsertOne(&tree_, LongKeyOf(i, 100), std::string(1500, 'v')));
    }
    Mtr mtr(store_.get());
    Result<MtrPage*> root = mtr.Fetch(tree_.root(), LatchMode::kShared);
    ASSERT_TRUE(root.ok());
    const Node node((*root)->bytes());
    ASSERT_EQ(node.level(), 1);
    first_ = node.Child(0);
    second_ = node.Child(1);
  }

  // Latches the pages one after the other, as one thread does.
  void Take(std::initializer_list<PageNo> pages, LatchMode mode = LatchMode::kShared) {
    Mtr mtr(store_.get());
    for (const PageNo page : pages) {
      (void)mtr.Fetch(page, mode).ok();
    }
  }
  // A page of another type than a tree's.
  PageNo MakePage(PageType type) {
    Mtr mtr(store_.get());
    EXPECT_TRUE(mtr.StartWriting().ok());
    MtrPage* const page = *mtr.Allocate(kNoPage);
    mtr.WriteU8(page, kPageTypeOffset, static_cast<uint8_t>(type));
    const PageNo number = page->number();
    mtr.Commit();
    return number;
  }

  MemoryVolume volume_;
  std::unique_ptr<Store> store_ = OpenStore(&volume_);
  BTree tree_{store_.get(), MakeTree(store_.get())};
  PageNo first_, second_;  // the tree's two leftmost leaves
};

TEST_F(LatchOrderTest, InOrder) {
  Take({tree_.root(), first_, second_});
  Take({MakePage(PageType::kUndo), tree_.root(), first_, second_, PageNo(0), PageNo(1)},
       LatchMode::kExclusive);
}

TEST_F(LatchOrderTest, AgainstTheOrderOneMayTry) {
  Mtr mtr(store_.get());
  ASSERT_TRUE(mtr.Fetch(second_, LatchMode::kShared).ok());
  EXPECT_TRUE(mtr.TryFetch(first_, LatchMode::kShared).ok());
  EXPECT_TRUE(mtr.TryFetch(tree_.root(), LatchMode::kShared).ok());
}

TEST_F(LatchOrderTest, FromChildToParent) {
  EXPECT_DEATH(Take({first_, tree_.root()}), "INV-BTR-4.*from a child to its parent");
}

TEST_F(LatchOrderTest, FromRightToLeft) {
  EXPECT_DEATH(Take({second_, first_}), "INV-BTR-4.*from right to left");
  EXPECT_DEATH(Take({second_, first_}, LatchMode::kExclusive), "INV-BTR-4.*from right to left");
}

TEST_F(LatchOrderTest, TreeBeforeUndo) {
  const PageNo undo = MakePage(PageType::kUndo);
  EXPECT_DEATH(Take({first_, undo}), "INV-BTR-4.*places");
}

TEST_F(LatchOrderTest, BitmapBeforeTree) {
  EXPECT_DEATH(Take({PageNo(1), first_}), "INV-BTR-4.*places");
}

TEST_F(LatchOrderTest, OnePageInTwoMtrs) {
  EXPECT_DEATH(
      {
        Mtr one(store_.get());
        (void)one.Fetch(first_, LatchMode::kShared).ok();
        Take({first_});
      },
      "INV-BTR-4.*takes a page twice");
}

TEST_F(LatchOrderTest, TreeLatchAfterTheRoot) {
  EXPECT_DEATH(
      {
        Mtr mtr(store_.get());
        (void)mtr.Fetch(tree_.root(), LatchMode::kShared).ok();
        store_->TreeLatchOf(tree_.root())->Lock();
      },
      "INV-BTR-4.*the latch of a tree");
}

TEST_F(LatchOrderTest, LatchUnderAMutexOfThePool) {
  EXPECT_DEATH(
      {
        Mutex mutex(LockRank::kBufferPool);
        PageLatch latch;
        MutexLock lock(mutex);
        latch.LockShared();
      },
      "invariant failed");
}

}  // namespace
}  // namespace borealis::engine
