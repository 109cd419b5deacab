// Copies of byte strings that stay where they are until all of them go. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace borealis::sql {

class ByteArena {
 public:
  // The copy's address.
  const char* Copy(std::string_view bytes) {
    if (bytes.size() > free_bytes_) {
      free_bytes_ = std::max(bytes.size(), kChunkBytes);
      chunks_.push_back(std::make_unique_for_overwrite<char[]>(free_bytes_));
      free_ = chunks_.back().get();
      bytes_ += free_bytes_;
    }
    char* const place = free_;
    std::copy(bytes.begin(), bytes.end(), place);
    free_ += bytes.size();
    free_bytes_ -= bytes.size();
    return place;
  }
  // What it takes of memory.
  size_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kChunkBytes = size_t{64} << 10;

  std::vector<std::unique_ptr<char[]>> chunks_;
  char* free_ = nullptr;  // in the last chunk
  size_t free_bytes_ = 0;
  size_t bytes_ = 0;
};

}  // namespace borealis::sql
