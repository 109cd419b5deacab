#include "engine/store/node_edit.h"

#include <algorithm>
#include <vector>

#include "base/invariant.h"

namespace borealis::engine {

namespace {

using namespace node;

char* PutVarint(char* to, size_t value) {
  if (value >= 128) {
    *to++ = static_cast<char>(value | 128u);
    value >>= 7;
  }
  *to++ = static_cast<char>(value);
  return to;
}

// Encodes an entry at `to`; returns its size.
size_t PutEntry(char* to, std::string_view key, std::string_view value) {
  char* at = PutVarint(PutVarint(to, key.size()), value.size());
  // Not memcpy: an empty view may have no pointer.
  at = std::copy(key.begin(), key.end(), at);
  at = std::copy(value.begin(), value.end(), at);
  return static_cast<size_t>(at - to);
}

}  // namespace

void NodeEditor::WriteCounters(size_t count, size_t heap_top, size_t garbage) {
  char bytes[6];
  StoreLittle(bytes, static_cast<uint16_t>(count));
  StoreLittle(bytes + 2, static_cast<uint16_t>(heap_top));
  StoreLittle(bytes + 4, static_cast<uint16_t>(garbage));
  mtr_->WriteChanged(page_, kCount, {bytes, sizeof bytes});
}

void NodeEditor::WriteSlot(int slot, size_t offset) {
  mtr_->WriteU16(page_, view().SlotOffset(slot), static_cast<uint16_t>(offset));
}

void NodeEditor::Format(int level, uint64_t index_id) {
  NodeBuilder(level, index_id).WriteTo(mtr_, page_);
}

bool NodeEditor::Insert(int slot, std::string_view key, std::string_view value) {
  const size_t size = EntrySize(key.size(), value.size());
  if (view().free_total() < size + kSlotSize) {
    return false;
  }
  if (view().free_contiguous() < size + kSlotSize) {
    Compact();
  }
  const Node now = view();
  const int count = now.count();
  const size_t offset = now.heap_top();
  DCHECK(slot >= 0 && slot <= count);
  char entry[kEntrySizeMax];
  INVARIANT_LE(size, sizeof entry);
  PutEntry(entry, key, value);
  mtr_->Write(page_, offset, {entry, size});
  if (slot < count) {
    mtr_->Move(page_, now.SlotOffset(count), now.SlotOffset(count - 1),
               kSlotSize * static_cast<size_t>(count - slot));
  }
  WriteSlot(slot, offset);
  WriteCounters(static_cast<size_t>(count) + 1, offset + size, now.garbage());
  page_->set_insert_hint(slot);
  return true;
}

void NodeEditor::InsertRun(int slot, std::span<const NodeEntry> entries) {
  size_t size = 0;
  for (const NodeEntry& entry : entries) {
    size += EntrySize(entry.key.size(), entry.value.size());
  }
  const size_t directory_size = kSlotSize * entries.size();
  INVARIANT_LE(size + directory_size, view().free_total());
  if (view().free_contiguous() < size + directory_size) {
    Compact();
  }
  const Node now = view();
  const int count = now.count();
  const int added = static_cast<int>(entries.size());
  DCHECK(slot >= 0 && slot <= count);
  std::string heap(size, '\0');
  std::string directory(directory_size, '\0');
  size_t used = 0;
  size_t slot_at = directory_size;  // slots run downwards
  for (const NodeEntry& entry : entries) {
    slot_at -= kSlotSize;
    StoreLittle(directory.data() + slot_at, static_cast<uint16_t>(now.heap_top() + used));
    used += PutEntry(heap.data() + used, entry.key, entry.value);
  }
  INVARIANT_EQ(used, size);
  const size_t heap_top = now.heap_top();
  const size_t garbage = now.garbage();
  mtr_->Write(page_, heap_top, heap);
  if (slot < count) {
    mtr_->Move(page_, now.SlotOffset(count + added - 1), now.SlotOffset(count - 1),
               kSlotSize * static_cast<size_t>(count - slot));
  }
  mtr_->Write(page_, now.SlotOffset(slot + added - 1), directory);
  WriteCounters(static_cast<size_t>(count + added), heap_top + size, garbage);
  page_->set_insert_hint(slot + added - 1);
}

void NodeEditor::Erase(int slot) {
  const Node now = view();
  const int count = now.count();
  DCHECK(slot >= 0 && slot < count);
  const EntryView entry = now.Entry(slot);
  size_t heap_top = now.heap_top();
  size_t garbage = now.garbage();
  if (count == 1) {
    heap_top = kHeap;
    garbage = 0;
  } else if (entry.offset + entry.size == heap_top) {
    heap_top -= entry.size;
  } else {
    garbage += entry.size;
  }
  if (slot < count - 1) {
    mtr_->Move(page_, now.SlotOffset(count - 2), now.SlotOffset(count - 1),
               kSlotSize * static_cast<size_t>(count - 1 - slot));
  }
  WriteCounters(static_cast<size_t>(count) - 1, heap_top, garbage);
}

bool NodeEditor::Replace(int slot, std::string_view value) {
  const Node now = view();
  const EntryView old = now.Entry(slot);
  char entry[kEntrySizeMax];
  const size_t size = EntrySize(old.key.size(), value.size());
  INVARIANT_LE(size, sizeof entry);
  PutEntry(entry, old.key, value);
  const bool last_in_heap = old.offset + old.size == now.heap_top();
  const auto count = static_cast<size_t>(now.count());
  if (size <= old.size) {
    const size_t spare = old.size - size;
    mtr_->WriteChanged(page_, old.offset, {entry, size});
    WriteCounters(count, now.heap_top() - (last_in_heap ? spare : 0),
                  now.garbage() + (last_in_heap ? 0 : spare));
    return true;
  }
  if (last_in_heap && now.free_contiguous() >= size - old.size) {
    mtr_->WriteChanged(page_, old.offset, {entry, size});
    WriteCounters(count, old.offset + size, now.garbage());
    return true;
  }
  if (now.free_contiguous() >= size) {
    const size_t offset = now.heap_top();
    mtr_->Write(page_, offset, {entry, size});
    WriteSlot(slot, offset);
    WriteCounters(count, offset + size, now.garbage() + old.size);
    return true;
  }
  if (now.free_total() < size - old.size) {
    return false;
  }
  const std::string key(old.key);
  const std::string copy(value);
  Erase(slot);
  INVARIANT(Insert(slot, key, copy));
  return true;
}

void NodeEditor::Truncate(int count) {
  const Node now = view();
  size_t dropped = 0;
  for (int slot = count; slot < now.count(); ++slot) {
    dropped += now.Entry(slot).size;
  }
  if (count == 0) {
    WriteCounters(0, kHeap, 0);
  } else {
    WriteCounters(static_cast<size_t>(count), now.heap_top(), now.garbage() + dropped);
  }
}

void NodeEditor::Compact() {
  const Node now = view();
  const int count = now.count();
  struct Live {
    size_t offset, size;
    int slot;
  };
  std::vector<Live> live;
  live.reserve(static_cast<size_t>(count));
  for (int slot = 0; slot < count; ++slot) {
    const EntryView entry = now.Entry(slot);
    live.push_back({entry.offset, entry.size, slot});
  }
  std::sort(live.begin(), live.end(),
            [](const Live& a, const Live& b) { return a.offset < b.offset; });
  std::string directory(page_->page().view().substr(kPageSize - now.DirectorySize()));
  // Runs of adjacent entries slide down together; moves go upwards, so nothing is overwritten.
  size_t target = kHeap;
  for (size_t first = 0; first < live.size();) {
    size_t end = first;
    size_t run = 0;
    while (end < live.size() && live[end].offset == live[first].offset + run) {
      const size_t slot_at =
          directory.size() - kSlotSize * (static_cast<size_t>(live[end].slot) + 1);
      StoreLittle(directory.data() + slot_at, static_cast<uint16_t>(target + run));
      run += live[end].size;
      ++end;
    }
    if (live[first].offset != target) {
      mtr_->Move(page_, target, live[first].offset, run);
    }
    target += run;
    first = end;
  }
  mtr_->WriteChanged(page_, kPageSize - directory.size(), directory);
  WriteCounters(static_cast<size_t>(count), target, 0);
}

void NodeEditor::AppendFrom(const Node& source, int from, int to) {
  size_t size = 0;
  for (int slot = from; slot < to; ++slot) {
    size += source.Entry(slot).size;
  }
  const auto added = static_cast<size_t>(to - from);
  INVARIANT_LE(size + kSlotSize * added, view().free_total());
  if (view().free_contiguous() < size + kSlotSize * added) {
    Compact();
  }
  const Node now = view();
  std::string heap;
  std::string slots(kSlotSize * added, '\0');
  heap.reserve(size);
  for (int slot = from; slot < to; ++slot) {
    const EntryView entry = source.Entry(slot);
    const size_t from_end = kSlotSize * (static_cast<size_t>(slot - from) + 1);
    StoreLittle(slots.data() + slots.size() - from_end,
                static_cast<uint16_t>(now.heap_top() + heap.size()));
    heap.append(entry.key.data() + entry.key.size() + entry.value.size() - entry.size, entry.size);
  }
  const size_t count = static_cast<size_t>(now.count()) + added;
  mtr_->Write(page_, now.heap_top(), heap);
  mtr_->Write(page_, kPageSize - kSlotSize * count, slots);
  WriteCounters(count, now.heap_top() + heap.size(), now.garbage());
}

void NodeEditor::RaiseMaxTrxId(uint64_t trx_id) {
  if (view().max_trx_id() < trx_id) {
    char bytes[8];
    StoreLittle(bytes, trx_id);
    mtr_->WriteChanged(page_, kMaxTrxId, {bytes, sizeof bytes});
  }
}

NodeBuilder::NodeBuilder(int level, uint64_t index_id) {
  image_.Clear();
  image_.bytes[kPageTypeOffset] = static_cast<char>(PageType::kIndex);
  image_.bytes[kLevel] = static_cast<char>(level);
  StoreLittle(image_.bytes + kHeapTop, static_cast<uint16_t>(kHeap));
  StoreLittle(image_.bytes + kIndexId, index_id);
  SetLinks(kNoPage, kNoPage);
}

void NodeBuilder::SetLinks(PageNo left, PageNo right) {
  StoreLittle(image_.bytes + kLeft, left.value());
  StoreLittle(image_.bytes + kRight, right.value());
}

void NodeBuilder::SetMaxTrxId(uint64_t trx_id) {
  StoreLittle(image_.bytes + kMaxTrxId, trx_id);
}

bool NodeBuilder::Fits(size_t entry_size) const {
  return view().free_contiguous() >= entry_size + kSlotSize;
}

void NodeBuilder::Append(std::string_view key, std::string_view value) {
  const size_t size = EntrySize(key.size(), value.size());
  INVARIANT(Fits(size));
  const Node now = view();
  const int count = now.count();
  const size_t offset = now.heap_top();
  PutEntry(image_.bytes + offset, key, value);
  StoreLittle(image_.bytes + now.SlotOffset(count), static_cast<uint16_t>(offset));
  StoreLittle(image_.bytes + kCount, static_cast<uint16_t>(count + 1));
  StoreLittle(image_.bytes + kHeapTop, static_cast<uint16_t>(offset + size));
}

void NodeBuilder::WriteTo(Mtr* mtr, MtrPage* page) const {
  const Node now = view();
  mtr->WriteImage(page, image_.view().substr(kPageHeaderSize, now.heap_top() - kPageHeaderSize));
  if (now.count() > 0) {
    mtr->Write(page, kPageSize - now.DirectorySize(),
               image_.view().substr(kPageSize - now.DirectorySize()));
  }
}

void NodeBuilder::AppendFrom(const Node& source, int from, int to) {
  for (int slot = from; slot < to; ++slot) {
    const EntryView entry = source.Entry(slot);
    Append(entry.key, entry.value);
  }
}

}  // namespace borealis::engine
