// Buffer pool, mini-transactions, page allocation, long values, page descriptions.
#include <atomic>
#include <fstream>
#include <set>
#include <sstream>

#include "base/os/thread.h"
#include "engine/store/inspect.h"
#include "engine/store/long_value.h"
#include "tests/unit/engine/store_testing.h"
#include "volume/edit.h"

namespace borealis::engine {
namespace {

Status AcceptAll(PageNo, const Page&) {
  return Status::Ok();
}

// Writes `byte` all over page `number` and returns its LSN.
Lsn WritePage(MemoryVolume* volume, PageNo number, char byte) {
  std::string edits;
  AppendFillEdit(&edits, kPageHeaderSize, kPageSize - kPageHeaderSize, static_cast<uint8_t>(byte));
  RecordDraft draft{RecordKind::kEdit, number, edits, {}};
  return volume->Append({&draft, 1});
}

TEST(BufferPoolTest, ReadsOnceAndEvicts) {
  MemoryVolume volume;
  for (uint64_t i = 0; i < 200; ++i) {
    WritePage(&volume, PageNo(i), static_cast<char>(i));
  }
  BufferPool pool(&volume, &volume, 64 * kPageSize, &AcceptAll);
  for (int round = 0; round < 3; ++round) {
    for (uint64_t i = 0; i < 200; ++i) {
      Result<PageGuard> guard = pool.Fetch(PageNo(i), LatchMode::kShared);
      ASSERT_TRUE(guard.ok());
      EXPECT_EQ(guard->page().bytes[5000], static_cast<char>(i));
      guard->Release();
      EXPECT_TRUE(pool.FetchCached(PageNo(i), LatchMode::kShared).holds());
    }
  }
  const BufferPoolCounters counters = pool.counters();
  EXPECT_EQ(counters.frames, 64u);
  EXPECT_EQ(counters.misses, 600u);
  EXPECT_EQ(counters.evictions, 600u - 64u);
  EXPECT_EQ(counters.overflow_frames, 0u);
}

TEST(BufferPoolTest, ConcurrentMissesReadOnce) {
  MemoryVolume volume;
  for (uint64_t i = 0; i < 50; ++i) {
    WritePage(&volume, PageNo(i), 'x');
  }
  BufferPool pool(&volume, &volume, 64 * kPageSize, &AcceptAll);
  {
    std::vector<Thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back("reader", [&] {
        for (uint64_t i = 0; i < 50; ++i) {
          Result<PageGuard> guard = pool.Fetch(PageNo(i), LatchMode::kShared);
          ASSERT_TRUE(guard.ok());
          EXPECT_EQ(guard->page().bytes[100], 'x');
        }
      });
    }
  }
  EXPECT_EQ(volume.read_count(), 50u);
}

TEST(BufferPoolTest, PagesAboveTheVdlStay) {
  MemoryVolume volume;
  auto store = OpenStore(&volume, 64);
  BTree tree(store.get(), MakeTree(store.get()));
  volume.HoldDurability();
  std::atomic<bool> done{false};
  Thread writer("writer", [&] {
    for (uint64_t i = 0; i < 1000; ++i) {
      ASSERT_OK(InsertOne(&tree, KeyOf(i), std::string(2000, 'v')));
    }
    done = true;
  });
  while (store->pool()->counters().durability_waits == 0) {
    ASSERT_FALSE(done.load()) << "64 frames cannot hold 1000 rows of 2000 bytes undurable";
    std::this_thread::yield();
  }
  const Lsn held = volume.vdl();
  EXPECT_LT(held, volume.appended());
  EXPECT_LE(store->pool()->counters().frames, 70u);
  volume.Release();
  writer.Join();
  EXPECT_TRUE(done.load());
  EXPECT_TRUE(tree.Verify().ok());
}

TEST(BufferPoolTest, FencedWhileWaitingForTheVdl) {
  MemoryVolume volume;
  auto store = OpenStore(&volume, 64);
  BTree tree(store.get(), MakeTree(store.get()));
  volume.HoldDurability();
  Status status;
  Thread writer("writer", [&] {
    for (uint64_t i = 0; i < 1000 && status.ok(); ++i) {
      status = InsertOne(&tree, KeyOf(i), std::string(2000, 'v'));
    }
  });
  while (store->pool()->counters().durability_waits == 0) {
    std::this_thread::yield();
  }
  volume.Fence();
  writer.Join();
  EXPECT_TRUE(status.Is(Code::kFenced)) << status.ToString();
}

TEST(BufferPoolTest, AllFixedMakesFramesBeyondTheSize) {
  MemoryVolume volume;
  BufferPool pool(&volume, &volume, 64 * kPageSize, &AcceptAll);
  std::vector<PageGuard> guards;
  for (uint64_t i = 0; i < 100; ++i) {
    Result<PageGuard> guard = pool.Fetch(PageNo(i), LatchMode::kShared);
    ASSERT_TRUE(guard.ok());
    guards.push_back(std::move(guard).value());
  }
  EXPECT_EQ(pool.counters().overflow_frames, 36u);
  guards.clear();
  for (uint64_t i = 100; i < 200; ++i) {
    ASSERT_TRUE(pool.Fetch(PageNo(i), LatchMode::kShared).ok());
  }
  EXPECT_EQ(pool.counters().frames, 64u);
}

TEST(BufferPoolTest, FailedReadIsReportedAndForgotten) {
  MemoryVolume volume;
  WritePage(&volume, PageNo(3), 'x');
  BufferPool pool(&volume, &volume, 64 * kPageSize, &AcceptAll);
  volume.FailReadsWith(Status::Unavailable("test"));
  EXPECT_TRUE(pool.Fetch(PageNo(3), LatchMode::kShared).status().Is(Code::kUnavailable));
  volume.FailReadsWith(Status::Ok());
  EXPECT_TRUE(pool.Fetch(PageNo(3), LatchMode::kShared).ok());
}

TEST(BufferPoolTest, MalformedPageIsCorruption) {
  MemoryVolume volume;
  WritePage(&volume, PageNo(3), static_cast<char>(PageType::kIndex));
  BufferPool pool(&volume, &volume, 64 * kPageSize, &CheckPage);
  EXPECT_TRUE(pool.Fetch(PageNo(3), LatchMode::kShared).status().Is(Code::kCorruption));
}

TEST(BufferPoolTest, PrefetchReadsTogetherWhatIsMissing) {
  MemoryVolume volume;
  std::vector<PageNo> numbers;
  for (uint64_t i = 0; i < 20; ++i) {
    WritePage(&volume, PageNo(i), static_cast<char>('a' + i));
    numbers.push_back(PageNo(i));
  }
  BufferPool pool(&volume, &volume, 256 * kPageSize, &AcceptAll);
  ASSERT_TRUE(pool.Fetch(PageNo(4), LatchMode::kShared).ok());
  pool.Prefetch(numbers);
  EXPECT_EQ(pool.counters().prefetched, 19u);
  for (const PageNo number : numbers) {
    PageGuard guard = pool.FetchCached(number, LatchMode::kShared);
    ASSERT_TRUE(guard.holds());
    EXPECT_EQ(guard.page().bytes[99], static_cast<char>('a' + number.value()));
  }
  EXPECT_EQ(pool.counters().misses, 1u);
}

TEST(BufferPoolTest, Resizes) {
  MemoryVolume volume;
  BufferPool pool(&volume, &volume, 512 * kPageSize, &AcceptAll);
  const auto touch = [&](uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      ASSERT_TRUE(pool.Fetch(PageNo(i), LatchMode::kShared).ok());
    }
  };
  touch(2000);
  EXPECT_EQ(pool.counters().frames, 512u);
  pool.Resize(100 * kPageSize);
  EXPECT_EQ(pool.counters().frames, 100u);
  touch(500);
  EXPECT_EQ(pool.counters().frames, 100u);
  pool.Resize(1000 * kPageSize);
  touch(2000);
  EXPECT_EQ(pool.counters().frames, 1000u);
}

// What is fixed stays until it is let go; everything else goes at once, with its memory.
TEST(BufferPoolTest, ShrinksWhileInUse) {
  MemoryVolume volume;
  for (uint64_t i = 0; i < 2000; ++i) {
    WritePage(&volume, PageNo(i), static_cast<char>(i));
  }
  BufferPool pool(&volume, &volume, 2000 * kPageSize, &AcceptAll);
  std::vector<PageGuard> guards;
  for (uint64_t i = 0; i < 2000; ++i) {
    Result<PageGuard> guard = pool.Fetch(PageNo(i), LatchMode::kShared);
    ASSERT_TRUE(guard.ok());
    if (i % 10 == 0) {
      guards.push_back(std::move(guard).value());
      guards.back().UnlockOnly();  // fixed is enough, and latches have an order
    }
  }
  pool.Resize(100 * kPageSize);
  EXPECT_FALSE(pool.ContinueResize());
  EXPECT_GE(pool.counters().frames, guards.size());
  EXPECT_LE(pool.counters().frames, guards.size() + 100);
  for (const PageGuard& guard : guards) {
    EXPECT_EQ(guard.page().bytes[5000], static_cast<char>(guard.number().value()));
  }
  guards.clear();
  EXPECT_TRUE(pool.ContinueResize());
  EXPECT_LE(pool.counters().frames, pool.counters().target_frames);
}

TEST(BufferPoolTest, ResizesUnderLoad) {
  MemoryVolume volume;
  for (uint64_t i = 0; i < 600; ++i) {
    WritePage(&volume, PageNo(i), static_cast<char>(i));
  }
  BufferPool pool(&volume, &volume, 512 * kPageSize, &AcceptAll);
  std::atomic<bool> stop{false};
  std::vector<Thread> threads;
  for (uint64_t t = 0; t < 3; ++t) {
    threads.emplace_back("user", [&, t] {
      std::mt19937_64 random(t);
      while (!stop.load()) {
        const PageNo number(random() % 600);
        Result<PageGuard> guard = pool.Fetch(number, LatchMode::kShared);
        ASSERT_TRUE(guard.ok());
        ASSERT_EQ(guard->page().bytes[5000], static_cast<char>(number.value()));
      }
    });
  }
  for (int round = 0; round < 50; ++round) {
    pool.Resize((round % 2 == 0 ? 64 : 700) * kPageSize);
    std::this_thread::yield();
  }
  stop = true;
  threads.clear();
  pool.Resize(64 * kPageSize);
  EXPECT_TRUE(pool.ContinueResize());
  EXPECT_LE(pool.counters().frames, 64u);
}

TEST(FrameMemoryTest, FreesChunksThatAreWhole) {
  FrameMemory memory;
  std::vector<Page*> pages;
  for (int i = 0; i < 300; ++i) {
    pages.push_back(memory.Take());
    std::memset(pages.back()->bytes, i, kPageSize);
  }
  EXPECT_EQ(memory.chunks_for_testing(), 3u);
  for (size_t i = 0; i < pages.size(); ++i) {
    EXPECT_EQ(pages[i]->bytes[77], static_cast<char>(i));
  }
  for (Page* page : pages) {
    memory.Give(page);
  }
  EXPECT_EQ(memory.chunks_for_testing(), 0u);
}

TEST(BufferPoolTest, ReportsTheLowestReadPoint) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  BTree tree(store.get(), MakeTree(store.get()));
  for (uint64_t i = 0; i < 3000; ++i) {
    ASSERT_OK(InsertOne(&tree, KeyOf(i), "v"));
    if (i % 100 == 0) {
      store->pool()->ReportReadPoint();  // the model refuses reads below it
    }
  }
  EXPECT_TRUE(tree.Verify().ok());
}

TEST(MtrTest, OneRecordPerPage) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  Mtr mtr(store.get());
  ASSERT_OK(mtr.StartWriting());
  Result<MtrPage*> a = mtr.Allocate(kNoPage);
  Result<MtrPage*> b = mtr.Allocate(kNoPage);
  ASSERT_TRUE(a.ok() && b.ok());
  for (int i = 0; i < 5000; ++i) {
    mtr.Write(*a, 100, std::string(50, static_cast<char>(i)));  // outgrows an image
  }
  mtr.Fill(*b, 200, 100, 7);
  mtr.Move(*b, 250, 200, 100);
  mtr.Mark(RecordKind::kTrxBegin, std::string(8, '\1'));
  const PageNo a_number = (*a)->number();
  const Lsn before = volume.vdl();
  const Lsn end = mtr.Commit();
  EXPECT_EQ(volume.appended(), end);
  int records = 0;
  bool cpl = false;
  volume.ForEachRecord(before, end, [&](const RecordView& record) {
    ++records;
    EXPECT_FALSE(cpl) << "the consistency point is the last";
    cpl = record.is_consistency_point;
    EXPECT_LE(record.length, 3 * kPageSize);
  });
  EXPECT_EQ(records, 4);  // two pages, the bitmap, the mark
  EXPECT_TRUE(cpl);
  Page page;
  ASSERT_OK(volume.ReadPage(a_number, end, &page));
  EXPECT_EQ(page.bytes[149], static_cast<char>(4999));
}

TEST(MtrTest, EmptyCommitAppendsNothing) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  const Lsn before = volume.appended();
  Mtr mtr(store.get());
  ASSERT_OK(mtr.StartWriting());
  ASSERT_TRUE(mtr.Allocate(kNoPage).ok());  // not edited: stays free
  EXPECT_EQ(mtr.Commit(), Lsn(0));
  EXPECT_EQ(volume.appended(), before);
}

TEST(MtrTest, AbandoningChangesAborts) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  EXPECT_DEATH(
      {
        Mtr mtr(store.get());
        if (mtr.StartWriting().ok()) {
          mtr.Write(*mtr.Allocate(kNoPage), 100, "x");
        }
      },
      "has_changes");
}

TEST(SpaceTest, AllocatesLowestFirstAndReuses) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  const auto allocate = [&] {
    Mtr mtr(store.get());
    EXPECT_TRUE(mtr.StartWriting().ok());
    Result<MtrPage*> page = mtr.Allocate(kNoPage);
    mtr.Write(*page, 100, "x");
    const PageNo number = (*page)->number();
    mtr.Commit();
    return number;
  };
  EXPECT_EQ(allocate(), PageNo(2));
  EXPECT_EQ(allocate(), PageNo(3));
  EXPECT_TRUE(*store->space()->IsAllocated(PageNo(3)));
  EXPECT_FALSE(*store->space()->IsAllocated(PageNo(4)));
  {
    Mtr mtr(store.get());
    ASSERT_OK(mtr.StartWriting());
    ASSERT_OK(mtr.PrepareFree(PageNo(2)));
    mtr.FreeUnseen(PageNo(2));
    // Not before the freeing Mtr commits.
    Result<MtrPage*> other = mtr.Allocate(kNoPage);
    ASSERT_TRUE(other.ok());
    EXPECT_EQ((*other)->number(), PageNo(4));
    mtr.Commit();
  }
  EXPECT_EQ(allocate(), PageNo(2));
  EXPECT_EQ(allocate(), PageNo(4));
  // A reopened volume knows.
  auto copy = volume.CrashCopy(volume.appended());
  auto reopened = OpenStore(copy.get());
  EXPECT_EQ(reopened->space()->MeasureUsage()->allocated_pages, 5u);
}

TEST(SpaceTest, HeaderSlots) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  Mtr mtr(store.get());
  ASSERT_OK(mtr.StartWriting());
  ASSERT_OK(Space::SetSlot(&mtr, 0, 42));
  ASSERT_OK(Space::SetSlot(&mtr, 63, 43));
  EXPECT_EQ(*Space::GetSlot(&mtr, 0), 42u);
  mtr.Commit();
  EXPECT_EQ(*Space::GetSlot(&mtr, 63), 43u);
  EXPECT_EQ(*Space::GetSlot(&mtr, 1), 0u);
}

TEST(SpaceTest, GrowsIntoTheNextGroup) {
  MemoryVolume volume;
  auto store = OpenStore(&volume, 64);
  Mtr mtr(store.get());
  ASSERT_OK(mtr.StartWriting());
  Result<MtrPage*> last = mtr.Allocate(PageNo(space::kGroupPages - 2));
  ASSERT_TRUE(last.ok());
  EXPECT_EQ((*last)->number(), PageNo(space::kGroupPages - 1));
  mtr.Write(*last, 100, "x");
  mtr.Commit();
  {
    // Fill group 0 in the bitmap itself, then open again.
    std::string edits;
    AppendFillEdit(&edits, space::kBits, space::kGroupPages / 8, 0xff);
    RecordDraft draft{RecordKind::kEdit, PageNo(1), edits, {}};
    volume.Append({&draft, 1});
  }
  auto reopened = OpenStore(&volume, 64);
  Mtr next(reopened.get());
  ASSERT_OK(next.StartWriting());
  Result<MtrPage*> fresh = next.Allocate(kNoPage);
  ASSERT_TRUE(fresh.ok());
  EXPECT_EQ((*fresh)->number(), PageNo(space::kGroupPages));
  next.Write(*fresh, 100, "x");
  next.Commit();
  EXPECT_EQ(reopened->space()->MeasureUsage()->highest, PageNo(space::kGroupPages + 1));
}

TEST(SpaceTest, ConcurrentAllocationsAreDistinct) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  std::vector<std::vector<PageNo>> got(4);
  {
    std::vector<Thread> threads;
    for (size_t t = 0; t < got.size(); ++t) {
      threads.emplace_back("allocator", [&, t] {
        for (int i = 0; i < 300; ++i) {
          Mtr mtr(store.get());
          ASSERT_OK(mtr.StartWriting());
          Result<MtrPage*> page = mtr.Allocate(kNoPage);
          ASSERT_TRUE(page.ok());
          if (i % 5 == 0) {
            continue;  // unedited: given back
          }
          mtr.Write(*page, 100, "x");
          got[t].push_back((*page)->number());
          mtr.Commit();
          if (i % 3 == 0) {
            ASSERT_OK(mtr.StartWriting());
            ASSERT_OK(mtr.PrepareFree(got[t].back()));
            mtr.FreeUnseen(got[t].back());
            mtr.Commit();
            got[t].pop_back();
          }
        }
      });
    }
  }
  std::set<PageNo> all;
  size_t count = 0;
  for (const auto& pages : got) {
    count += pages.size();
    all.insert(pages.begin(), pages.end());
  }
  EXPECT_EQ(all.size(), count);
  EXPECT_EQ(store->space()->MeasureUsage()->allocated_pages, count + 2);
}

TEST(LongValueTest, WritesReadsAndFrees) {
  MemoryVolume volume;
  auto store = OpenStore(&volume, 64);
  std::mt19937_64 random(1);
  for (const size_t size :
       {size_t{1}, size_t{16296}, size_t{16297}, size_t{100000}, size_t{5000000}}) {
    std::string value(size, '\0');
    for (char& c : value) {
      c = static_cast<char>(random());
    }
    Result<LongValueReference> written = WriteLongValue(store.get(), value);
    ASSERT_TRUE(written.ok());
    std::string bytes;
    written->AppendTo(&bytes);
    ASSERT_EQ(bytes.size(), kLongValueReferenceSize);
    Result<LongValueReference> reference = LongValueReference::Parse(bytes);
    ASSERT_TRUE(reference.ok());
    std::string read;
    ASSERT_OK(ReadLongValue(store.get(), *reference, 0, size, &read));
    EXPECT_TRUE(read == value);
    for (int i = 0; i < 10; ++i) {
      const size_t offset = random() % size;
      const size_t length = random() % size + 1;
      read = "before";
      ASSERT_OK(ReadLongValue(store.get(), *reference, offset, length, &read));
      EXPECT_TRUE(read == "before" + value.substr(offset, length));
    }
    bool done = false;
    while (!done) {
      Mtr mtr(store.get());
      ASSERT_OK(mtr.StartWriting());
      Result<bool> freed = FreeLongValueStep(&mtr, *reference, 10);
      ASSERT_TRUE(freed.ok());
      done = *freed;
      mtr.Commit();
    }
    EXPECT_EQ(store->space()->MeasureUsage()->allocated_pages, 2u) << size;
    Page page;
    ASSERT_OK(volume.ReadPage(reference->first, volume.vdl(), &page));
    EXPECT_TRUE(IsAllZero(page.view().substr(kPageHeaderSize)));  // INV-SPC-3
  }
}

TEST(LongValueTest, DamagedReferenceIsCorruption) {
  EXPECT_TRUE(LongValueReference::Parse("short").status().Is(Code::kCorruption));
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  Result<LongValueReference> reference = WriteLongValue(store.get(), std::string(50000, 'x'));
  ASSERT_TRUE(reference.ok());
  std::string read;
  LongValueReference bad = *reference;
  bad.length += 1;
  EXPECT_TRUE(ReadLongValue(store.get(), bad, 0, ~uint64_t{0}, &read).Is(Code::kCorruption));
  bad = *reference;
  bad.crc ^= 1;
  EXPECT_TRUE(ReadLongValue(store.get(), bad, 0, ~uint64_t{0}, &read).Is(Code::kCorruption));
  bad = *reference;
  bad.first = PageNo(1);
  EXPECT_TRUE(ReadLongValue(store.get(), bad, 0, 10, &read).Is(Code::kCorruption));
}

TEST(LongValueTest, RefusedWhenFenced) {
  MemoryVolume volume;
  auto store = OpenStore(&volume, 64);
  ASSERT_TRUE(WriteLongValue(store.get(), "x").ok());
  volume.Fence();
  EXPECT_TRUE(WriteLongValue(store.get(), std::string(5000000, 'x')).status().Is(Code::kFenced));
}

TEST(CheckPageTest, SurvivesAnyDamage) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  const PageNo root = MakeTree(store.get());
  BTree tree(store.get(), root);
  std::mt19937_64 random(1);
  for (uint64_t i = 0; i < 60; ++i) {
    ASSERT_OK(InsertOne(&tree, KeyOf(random()), std::string(random() % 200, 'v')));
  }
  Page good;
  ASSERT_OK(volume.ReadPage(root, volume.vdl(), &good));
  ASSERT_OK(CheckPage(root, good));
  EXPECT_NE(DescribePage(root, good).find("entries 60"), std::string::npos);
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    Page bad = good;
    for (uint64_t flips = random() % 4 + 1; flips > 0; --flips) {
      // Mostly where structure lives: header and directory.
      const uint64_t where = random() % 3;
      const uint64_t at = where == 0   ? 17 + random() % 47
                          : where == 1 ? kPageSize - 1 - random() % 130
                                       : 64 + random() % (kPageSize - 64);
      bad.bytes[at] = static_cast<char>(random());
    }
    const Status status = CheckPage(root, bad);
    refused += status.ok() ? 0 : 1;
    const std::string text = DescribePage(root, bad);  // under ASan: never outside the page
    ASSERT_FALSE(text.empty());
  }
  EXPECT_GT(refused, 1000);
}

TEST(InspectTest, DescribesEveryType) {
  MemoryVolume volume;
  auto store = OpenStore(&volume);
  ASSERT_TRUE(WriteLongValue(store.get(), std::string(20000, 'x')).ok());
  Page page;
  const auto describe = [&](uint64_t number) {
    EXPECT_TRUE(volume.ReadPage(PageNo(number), volume.vdl(), &page).ok());
    return DescribePage(PageNo(number), page);
  };
  EXPECT_NE(describe(0).find("format version 1"), std::string::npos);
  EXPECT_NE(describe(1).find("4 allocated in 1 runs: [0,4)"), std::string::npos) << describe(1);
  EXPECT_NE(describe(3).find("16296 bytes"), std::string::npos) << describe(3);
  EXPECT_NE(describe(99).find("never written"), std::string::npos);
}

// The worked example of docs/formats/page.md is a page, and means what is said there.
TEST(InspectTest, WorkedExampleOfTheFormatDocument) {
  std::ifstream file(BOREALIS_SOURCE_DIR "/docs/formats/page.md");
  Page page;
  page.Clear();
  std::string line;
  std::string described;
  enum { kProse, kHex, kText } block = kProse;
  while (std::getline(file, line)) {
    if (line.starts_with("```")) {
      block = line == "```hexdump" ? kHex : line == "```text" ? kText : kProse;
    } else if (block == kHex) {
      std::istringstream in(line);
      size_t offset = 0;
      char colon = 0;
      in >> offset >> colon >> std::hex;
      for (int byte; in >> byte; ++offset) {
        ASSERT_LT(offset, kPageSize);
        page.bytes[offset] = static_cast<char>(byte);
      }
    } else if (block == kText) {
      described += line + "\n";
    }
  }
  ASSERT_TRUE(PageIsIntact(page));
  ASSERT_OK(CheckPage(PageNo(2), page));
  EXPECT_EQ(DescribePage(PageNo(2), page), described);
  const Node node(page);
  ASSERT_EQ(node.count(), 3);
  EXPECT_EQ(node.Key(0), "apple");
  EXPECT_EQ(node.Value(0), "pale");
  EXPECT_EQ(node.Key(1), "banana");
  EXPECT_EQ(node.Value(1), "");
  EXPECT_EQ(node.Key(2), "cherry");
  EXPECT_EQ(node.index_id(), 9u);
}

}  // namespace
}  // namespace borealis::engine
