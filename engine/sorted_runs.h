// Sorts more pairs of byte strings than memory should hold.
//
// Pairs collect in memory; each time the budget is reached they are sorted and written to a
// temporary file as a run. Reading merges the runs; where there are more than one merge can take,
// some are merged into longer ones first. The file loses its name as soon as it is open, so it goes
// with its last user, however that ends.
//
// One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.h"
#include "base/result.h"

namespace borealis::engine {

// A file without a name in `directory`, to be read and written.
Result<std::unique_ptr<File>> OpenTemporaryFile(const std::string& directory);

class SortedRuns {
 public:
  // Ascending by key; pairs of equal keys follow each other in no order.
  class Reader {
   public:
    virtual ~Reader() = default;
    // Moves to the first or next pair; false at the end.
    virtual Result<bool> Next() = 0;
    // Valid until the next call of Next.
    virtual std::string_view key() const = 0;
    virtual std::string_view value() const = 0;
  };

  SortedRuns(std::string directory, size_t memory_bytes)
      : directory_(std::move(directory)), memory_bytes_(memory_bytes) {}

  Status Add(std::string_view key, std::string_view value);
  uint64_t count() const { return count_; }
  // Runs written to the file so far.
  size_t runs() const { return runs_.size(); }
  // From the first pair, any number of times; nothing may be added afterwards. One reader at a
  // time; it must go before this.
  Result<std::unique_ptr<Reader>> Read();

  static constexpr size_t kMergedAtOnce = 64;

 private:
  struct Item {
    uint64_t head;  // first bytes of the key: decides most comparisons
    uint64_t offset;
    uint32_t key_size;
    uint32_t value_size;
  };
  struct Run {
    uint64_t begin = 0;
    uint64_t end = 0;
  };
  class MemoryReader;
  class RunReader;
  class MergeReader;

  std::string_view KeyOf(const Item& item) const {
    return std::string_view(bytes_).substr(item.offset, item.key_size);
  }
  std::string_view ValueOf(const Item& item) const {
    return std::string_view(bytes_).substr(item.offset + item.key_size, item.value_size);
  }
  void SortItems();
  Status Spill();
  // Until one merge can take all runs.
  Status MergeSome();
  Result<std::unique_ptr<Reader>> Merge(size_t first, size_t count);

  const std::string directory_;
  const size_t memory_bytes_;
  uint64_t count_ = 0;
  bool sorted_ = false;
  std::string bytes_;
  std::vector<Item> items_;
  std::unique_ptr<File> file_;
  uint64_t file_end_ = 0;
  std::vector<Run> runs_;
};

}  // namespace borealis::engine
