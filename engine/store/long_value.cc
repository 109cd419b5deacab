#include "engine/store/long_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/fault.h"
#include "base/invariant.h"
#include "engine/store/page_format.h"
#include "engine/store/store.h"

namespace borealis::engine {

namespace {

constexpr size_t kLength = 18;
constexpr size_t kNext = 24;
constexpr size_t kNextCount = 8;
constexpr size_t kData = 88;
constexpr size_t kPayload = kPageSize - kData;
constexpr int kPagesPerMtr = 16;

using NextPages = std::array<PageNo, kNextCount>;

Status CheckLongPage(const MtrPage& page) {
  if (TypeOf(page.page()) != PageType::kLongValue) {
    return Status::Corruption(fmt::format("page {}: expected a long value, found type {}",
                                          page.number().value(),
                                          static_cast<int>(TypeOf(page.page()))));
  }
  return Status::Ok();
}

NextPages LoadNext(const MtrPage& page) {
  NextPages next;
  for (size_t i = 0; i < kNextCount; ++i) {
    next[i] = PageNo(LoadLittle<uint64_t>(page.bytes() + kNext + 8 * i));
  }
  return next;
}

void StoreNext(char* to, const NextPages& next) {
  for (size_t i = 0; i < kNextCount; ++i) {
    StoreLittle(to + 8 * i, next[i].value());
  }
}

std::string_view DataOf(const MtrPage& page) {
  return {page.bytes() + kData, LoadLittle<uint16_t>(page.bytes() + kLength)};
}

// Writes the last page not yet written of `value`; *end is where it ends in the value.
Status WriteLastPage(Mtr* mtr, std::string_view value, uint64_t* end, NextPages* next) {
  ASSIGN_OR_RETURN(MtrPage * page, mtr->Allocate((*next)[0]));
  const uint64_t start = (*end - 1) / kPayload * kPayload;
  const std::string_view data = value.substr(start, *end - start);
  std::string body(kData - kPageHeaderSize, '\0');
  body[kPageTypeOffset - kPageHeaderSize] = static_cast<char>(PageType::kLongValue);
  StoreLittle(body.data() + kLength - kPageHeaderSize, static_cast<uint16_t>(data.size()));
  StoreNext(body.data() + kNext - kPageHeaderSize, *next);
  body.append(data);
  mtr->WriteImage(page, body);
  std::copy_backward(next->begin(), next->end() - 1, next->end());
  (*next)[0] = page->number();
  *end = start;
  return Status::Ok();
}

}  // namespace

void LongValueReference::AppendTo(std::string* to) const {
  AppendLittle(to, first.value());
  AppendLittle(to, length);
  AppendLittle(to, crc);
}

Result<LongValueReference> LongValueReference::Parse(std::string_view bytes) {
  ByteReader reader(bytes);
  LongValueReference reference;
  reference.first = PageNo(reader.Little<uint64_t>());
  reference.length = reader.Little<uint64_t>();
  reference.crc = reader.Little<uint32_t>();
  if (!reader.ok() || !reader.empty() || reference.first == kNoPage || reference.length == 0) {
    return Status::Corruption("malformed reference to a long value");
  }
  return reference;
}

Result<LongValueReference> WriteLongValue(Store* store, std::string_view value) {
  INVARIANT(!value.empty());
  LongValueReference reference;
  reference.length = value.size();
  reference.crc = Crc32c(value);
  NextPages next;
  next.fill(kNoPage);
  uint64_t end = value.size();
  Mtr mtr(store);
  Status status;
  while (end > 0 && status.ok()) {
    status = mtr.StartWriting();
    for (int i = 0; i < kPagesPerMtr && end > 0 && status.ok(); ++i) {
      status = WriteLastPage(&mtr, value, &end, &next);
    }
    mtr.Commit();
    CRASH_POINT("long_value.written_in_part");
  }
  reference.first = next[0];
  if (!status.ok()) {
    // Give back what was written; when that fails too, the pages are lost until the volume is
    // checked.
    bool done = reference.first == kNoPage;
    while (!done && mtr.StartWriting().ok()) {
      Result<bool> freed = FreeLongValueStep(&mtr, reference, kPagesPerMtr);
      mtr.Commit();
      done = !freed.ok() || *freed;
    }
    return std::move(status).Annotate("write a long value");
  }
  return reference;
}

Status ReadLongValue(Store* store, const LongValueReference& reference, uint64_t offset,
                     uint64_t length, std::string* out) {
  if (offset >= reference.length) {
    return Status::Ok();
  }
  const uint64_t end = offset + std::min(length, reference.length - offset);
  const bool whole = offset == 0 && end == reference.length;
  const size_t out_start = out->size();
  uint64_t at = 0;  // offset in the value of the page at hand
  PageNo number = reference.first;
  int since_prefetch = static_cast<int>(kNextCount);
  Mtr mtr(store);
  while (at < end) {
    if (number == kNoPage) {
      return Status::Corruption(fmt::format("long value at page {} ends after {} of {} bytes",
                                            reference.first.value(), at, reference.length));
    }
    ASSIGN_OR_RETURN(MtrPage * page, mtr.Fetch(number, LatchMode::kShared));
    RETURN_IF_ERROR(CheckLongPage(*page));
    const std::string_view data = DataOf(*page);
    if (at + data.size() > offset) {
      const uint64_t from = offset > at ? offset - at : 0;
      out->append(data.substr(from, end - at - from));
    }
    at += data.size();
    const NextPages next = LoadNext(*page);
    number = next[0];
    mtr.Release(page);
    if (++since_prefetch >= static_cast<int>(kNextCount) && at < end) {
      const uint64_t needed = std::min<uint64_t>((end - at + kPayload - 1) / kPayload, kNextCount);
      const auto known = std::find(next.begin(), next.end(), kNoPage) - next.begin();
      store->pool()->Prefetch({next.data(), std::min<size_t>(needed, static_cast<size_t>(known))});
      since_prefetch = 0;
    }
  }
  if (whole && Crc32c(std::string_view(*out).substr(out_start)) != reference.crc) {
    return Status::Corruption(
        fmt::format("long value at page {}: checksum does not match", reference.first.value()));
  }
  return Status::Ok();
}

// The first page stays until all others are gone, so that the reference stays good; each batch
// freed is cut out behind it.
Result<bool> FreeLongValueStep(Mtr* mtr, const LongValueReference& reference, int max_pages) {
  ASSIGN_OR_RETURN(MtrPage * head, mtr->Fetch(reference.first, LatchMode::kExclusive));
  RETURN_IF_ERROR(CheckLongPage(*head));
  RETURN_IF_ERROR(mtr->PrepareFree(head->number()));
  int budget = max_pages;
  while (budget > 0) {
    const NextPages next = LoadNext(*head);
    const auto known = std::find(next.begin(), next.end(), kNoPage) - next.begin();
    const auto count = static_cast<size_t>(std::min<std::ptrdiff_t>(known, budget));
    if (count == 0) {
      mtr->Free(head);
      return true;
    }
    Status status;
    for (size_t i = 0; i < count && status.ok(); ++i) {
      status = mtr->PrepareFree(next[i]);
    }
    Result<MtrPage*> last =
        status.ok() ? mtr->Fetch(next[count - 1], LatchMode::kShared) : Result<MtrPage*>(status);
    if (last.ok()) {
      status = CheckLongPage(**last);
    } else {
      status = last.status();
    }
    if (!status.ok()) {
      return head->modified() ? Result<bool>(false) : Result<bool>(status);
    }
    const NextPages rest = LoadNext(**last);
    mtr->Release(*last);
    for (size_t i = 0; i < count; ++i) {
      mtr->FreeUnseen(next[i]);
    }
    char bytes[8 * kNextCount];
    StoreNext(bytes, rest);
    mtr->Write(head, kNext, {bytes, sizeof bytes});
    budget -= static_cast<int>(count);
  }
  CRASH_POINT("long_value.freed_in_part");
  return false;
}

}  // namespace borealis::engine
