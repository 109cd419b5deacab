#include "engine/store/page_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace borealis::engine {

namespace {

using namespace node;

// Reads a length varint of one or two bytes; no page holds longer entries.
inline size_t ReadLength(const char** at) {
  const auto first = static_cast<uint8_t>(**at);
  if (first < 128) {
    ++*at;
    return first;
  }
  const auto second = static_cast<uint8_t>((*at)[1]);
  *at += 2;
  return (first & 127u) | (static_cast<size_t>(second) << 7);
}

Status Fault(PageNo number, std::string what) {
  return Status::Corruption(fmt::format("page {}: {}", number.value(), what));
}

// Decodes an entry of a page not yet trusted; false when it does not lie in [offset, heap_top).
bool DecodeUntrusted(const char* bytes, size_t offset, size_t heap_top, EntryView* entry) {
  size_t lengths[2];
  size_t at = offset;
  for (size_t& length : lengths) {
    if (at + 2 > heap_top) {
      return false;
    }
    const auto first = static_cast<uint8_t>(bytes[at]);
    const auto second = static_cast<uint8_t>(bytes[at + 1]);
    if (first < 128) {
      length = first;
      at += 1;
    } else if (second < 128 && second > 0) {
      length = (first & 127u) | (static_cast<size_t>(second) << 7);
      at += 2;
    } else {
      return false;
    }
  }
  if (at + lengths[0] + lengths[1] > heap_top) {
    return false;
  }
  entry->key = {bytes + at, lengths[0]};
  entry->value = {bytes + at + lengths[0], lengths[1]};
  entry->offset = offset;
  entry->size = at + lengths[0] + lengths[1] - offset;
  return true;
}

Status CheckIndexPage(PageNo number, const Page& page) {
  const Node view(page);
  const auto count = static_cast<size_t>(view.count());
  const size_t heap_top = view.heap_top();
  if (view.level() >= kLevelMax) {
    return Fault(number, fmt::format("level {}", view.level()));
  }
  if (count > kCapacity / kSlotSize || heap_top < kHeap ||
      heap_top + kSlotSize * count > kPageSize) {
    return Fault(number, fmt::format("{} entries and heap top {} do not fit", count, heap_top));
  }
  if (view.level() > 0 && count == 0) {
    return Fault(number, "inner page without entries");
  }
  size_t live = 0;
  EntryView before;
  std::vector<std::pair<size_t, size_t>> places;  // (offset, size)
  places.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t offset = view.EntryOffset(static_cast<int>(i));
    EntryView entry;
    if (offset < kHeap || !DecodeUntrusted(page.bytes, offset, heap_top, &entry)) {
      return Fault(number, fmt::format("entry {} at {} is malformed", i, offset));
    }
    if (entry.key.size() > kKeySizeMax || entry.size > kEntrySizeMax) {
      return Fault(number, fmt::format("entry {} is too long", i));
    }
    if (view.level() > 0 && entry.value.size() != sizeof(uint64_t)) {
      return Fault(number, fmt::format("inner entry {} is not a page number", i));
    }
    if (i > 0 && entry.key <= before.key) {
      return Fault(number, fmt::format("keys of entries {} and {} are out of order", i - 1, i));
    }
    live += entry.size;
    places.emplace_back(offset, entry.size);
    before = entry;
  }
  std::sort(places.begin(), places.end());
  for (size_t i = 1; i < count; ++i) {
    if (places[i - 1].first + places[i - 1].second > places[i].first) {
      return Fault(number, fmt::format("entries overlap at {}", places[i].first));
    }
  }
  if (live + view.garbage() != heap_top - kHeap) {
    return Fault(number, fmt::format("heap of {} bytes is {} of entries and {} of garbage",
                                     heap_top - kHeap, live, view.garbage()));
  }
  return Status::Ok();
}

}  // namespace

size_t MaxValueSize(size_t key_size) {
  const size_t fixed = VarintSize(key_size) + key_size;
  const size_t rest = kEntrySizeMax - fixed;
  return rest <= 128 ? rest - 1 : rest - 2;
}

EntryView Node::EntryAt(size_t offset) const {
  const char* at = bytes_ + offset;
  const size_t key_size = ReadLength(&at);
  const size_t value_size = ReadLength(&at);
  EntryView entry;
  entry.key = {at, key_size};
  entry.value = {at + key_size, value_size};
  entry.offset = offset;
  entry.size = static_cast<size_t>(at + key_size + value_size - (bytes_ + offset));
  return entry;
}

std::string_view Node::Key(int slot) const {
  const char* at = bytes_ + EntryOffset(slot);
  const size_t key_size = ReadLength(&at);
  ReadLength(&at);
  return {at, key_size};
}

int Node::LowerBound(std::string_view key, bool* exact) const {
  int low = 0;
  int high = count();
  *exact = false;
  while (low < high) {
    const int middle = (low + high) / 2;
    // Entries lie anywhere in the page: fetch both candidates of the next step meanwhile.
    if (high - low > 2) {
      __builtin_prefetch(bytes_ + EntryOffset((low + middle) / 2));
      __builtin_prefetch(bytes_ + EntryOffset((middle + 1 + high) / 2));
    }
    const int order = Key(middle).compare(key);
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
      *exact |= order == 0;
    }
  }
  return low;
}

int Node::ChildSlot(std::string_view key) const {
  bool exact;
  const int slot = LowerBound(key, &exact);
  return exact || slot == 0 ? slot : slot - 1;
}

Status CheckPage(PageNo number, const Page& page) {
  switch (TypeOf(page)) {
    case PageType::kNone:
    case PageType::kFree:
    case PageType::kVolumeHeader:
    case PageType::kBitmap:
      return Status::Ok();
    case PageType::kIndex:
      return CheckIndexPage(number, page);
    case PageType::kLongValue: {
      const size_t length = LoadLittle<uint16_t>(page.bytes + 18);
      return length == 0 || length > kPageSize - 88
                 ? Fault(number, fmt::format("long-value page of {} bytes", length))
                 : Status::Ok();
    }
    default:
      return static_cast<uint8_t>(TypeOf(page)) >= static_cast<uint8_t>(PageType::kUndo)
                 ? Status::Ok()
                 : Fault(number,
                         fmt::format("unknown page type {}", static_cast<int>(TypeOf(page))));
  }
}

}  // namespace borealis::engine
