// An immutable byte string that many holders share without copying: built once, sent to six nodes.
// Copying one copies a pointer. Thread-safe to read from many threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace borealis {

class SharedBytes {
 public:
  SharedBytes() = default;
  explicit SharedBytes(std::string bytes)
      : owner_(std::make_shared<const std::string>(std::move(bytes))), view_(*owner_) {}

  std::string_view view() const { return view_; }
  size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  // A part of the same bytes, sharing their ownership. REQUIRES: offset + size <= size().
  SharedBytes Slice(size_t offset, size_t size) const {
    SharedBytes slice;
    slice.owner_ = owner_;
    slice.view_ = view_.substr(offset, size);
    return slice;
  }

 private:
  std::shared_ptr<const std::string> owner_;
  std::string_view view_;
};

}  // namespace borealis
