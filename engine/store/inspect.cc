#include "engine/store/inspect.h"

#include <fmt/format.h>

#include "engine/store/page_format.h"
#include "engine/store/space.h"

namespace borealis::engine {

namespace {

std::string Hex(std::string_view bytes, size_t max) {
  if (bytes.empty()) {
    return "-";
  }
  std::string text;
  for (const char byte : bytes.substr(0, max)) {
    text += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  }
  return bytes.size() > max ? text + fmt::format("… ({} bytes)", bytes.size()) : text;
}

std::string PageName(PageNo page) {
  return page == kNoPage ? std::string("none") : std::to_string(page.value());
}

std::string_view TypeName(PageType type) {
  switch (type) {
    case PageType::kNone:
      return "never written";
    case PageType::kVolumeHeader:
      return "volume header";
    case PageType::kBitmap:
      return "allocation bitmap";
    case PageType::kIndex:
      return "index";
    case PageType::kLongValue:
      return "long value";
    case PageType::kUndo:
      return "undo";
    case PageType::kUndoDirectory:
      return "undo directory";
    case PageType::kFree:
      return "free";
  }
  return "other";
}

void DescribeIndex(const Page& page, const DescribeOptions& options, std::string* text) {
  const Node node(page);
  *text += fmt::format(
      "index {} level {} entries {} left {} right {} max trx id {}\n"
      "heap top {} garbage {} free {}\n",
      node.index_id(), node.level(), node.count(), PageName(node.left()), PageName(node.right()),
      node.max_trx_id(), node.heap_top(), node.garbage(), node.free_total());
  for (int slot = 0; options.entries && slot < node.count(); ++slot) {
    const EntryView entry = node.Entry(slot);
    *text += fmt::format("{:5} @{:5} +{:4} key {}", slot, entry.offset, entry.size,
                         Hex(entry.key, options.bytes_max));
    *text += node.is_leaf() ? fmt::format(" value {}\n", Hex(entry.value, options.bytes_max))
                            : fmt::format(" child {}\n", node.Child(slot).value());
  }
}

void DescribeBitmap(PageNo number, const Page& page, std::string* text) {
  const uint64_t first = space::GroupOf(number) * space::kGroupPages;
  uint64_t allocated = 0;
  std::string runs;
  uint64_t run = 0;
  int shown = 0;
  for (uint64_t i = 0; i <= space::kGroupPages; ++i) {
    const bool set =
        i < space::kGroupPages &&
        (static_cast<uint8_t>(page.bytes[space::kBits + i / 8]) & (1u << (i % 8))) != 0;
    if (set) {
      ++allocated;
      ++run;
    } else if (run > 0) {
      if (++shown <= 20) {
        runs += fmt::format(" [{},{})", first + i - run, first + i);
      }
      run = 0;
    }
  }
  *text +=
      fmt::format("pages {} to {}, {} allocated in {} runs:{}{}\n", first,
                  first + space::kGroupPages - 1, allocated, shown, runs, shown > 20 ? " …" : "");
}

}  // namespace

std::string DescribePage(PageNo number, const Page& page, const DescribeOptions& options) {
  const PageType type = TypeOf(page);
  std::string text = fmt::format("page {} lsn {} type {} ({})\n", number.value(),
                                 page.lsn().value(), static_cast<int>(type), TypeName(type));
  if (const Status status = CheckPage(number, page); !status.ok()) {
    text += status.ToString() + "\nbytes 16: " + Hex(page.view().substr(kPageHeaderSize, 64), 64) +
            "\n";
    return text;
  }
  switch (type) {
    case PageType::kIndex:
      DescribeIndex(page, options, &text);
      break;
    case PageType::kBitmap:
      DescribeBitmap(number, page, &text);
      break;
    case PageType::kVolumeHeader:
      text += fmt::format("format version {}\n",
                          LoadLittle<uint32_t>(page.bytes + space::kHeaderVersion));
      for (size_t slot = 0; slot < space::kSlotCount; ++slot) {
        const auto value = LoadLittle<uint64_t>(page.bytes + space::kHeaderSlots + 8 * slot);
        if (value != 0) {
          text += fmt::format("slot {} = {}\n", slot, value);
        }
      }
      break;
    case PageType::kLongValue:
      text += fmt::format("{} bytes, next", LoadLittle<uint16_t>(page.bytes + 18));
      for (size_t i = 0; i < 8; ++i) {
        text += " " + PageName(PageNo(LoadLittle<uint64_t>(page.bytes + 24 + 8 * i)));
      }
      text += "\n";
      break;
    default:
      break;
  }
  return text;
}

}  // namespace borealis::engine
