// Pages of a segment: built from layers and table, listed, counted.
#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/fault.h"
#include "base/invariant.h"
#include "storage_node/segment.h"

namespace borealis::storage_node {

// The newest image of the page in the table at or under `up_to`, if it is newer than what is there.
void Segment::UseTableImage(PageNo number, Lsn up_to, Page* page) const {
  const auto images = table_images_.find(number);
  if (images == table_images_.end()) {
    return;
  }
  const auto after = std::upper_bound(
      images->second.begin(), images->second.end(), up_to,
      [](Lsn wanted, const std::unique_ptr<Page>& image) { return wanted < image->lsn(); });
  if (after != images->second.begin() && (*std::prev(after))->lsn() > page->lsn()) {
    std::memcpy(page->bytes, (*std::prev(after))->bytes, kPageSize);
  }
}

// The record of the page that ended at `lsn` has gone, and what was made with it.
void Segment::ForgetImagesFrom(PageNo number, Lsn lsn) {
  std::erase_if(images_due_,
                [&](const auto& due) { return due.first == number && due.second >= lsn; });
  const auto images = table_images_.find(number);
  if (images == table_images_.end()) {
    return;
  }
  while (!images->second.empty() && images->second.back()->lsn() >= lsn) {
    images->second.pop_back();
    if (const auto tail = pages_.find(number); tail != pages_.end()) {
      tail->second.since_image = kTableChainMax - 1;  // one is due with the next record
    }
  }
  if (images->second.empty()) {
    table_images_.erase(images);
  }
}

// The record of the page that ended at `lsn` has gone to a layer.
void Segment::ForgetImagesUpTo(PageNo number, Lsn lsn) {
  std::erase_if(images_due_,
                [&](const auto& due) { return due.first == number && due.second <= lsn; });
  const auto images = table_images_.find(number);
  if (images == table_images_.end()) {
    return;
  }
  std::erase_if(images->second, [&](const auto& image) { return image->lsn() <= lsn; });
  if (images->second.empty()) {
    table_images_.erase(images);
  }
}

void Segment::AddTableImage(PageNo number, std::unique_ptr<Page> image) {
  const Entry* record = image->lsn() > scl_ ? nullptr : Find(image->lsn());
  if (record == nullptr || record->page != number) {
    return;
  }
  COVER("segment.table_image");
  auto& images = table_images_[number];
  const auto at = std::lower_bound(
      images.begin(), images.end(), image->lsn(),
      [](const std::unique_ptr<Page>& other, Lsn lsn) { return other->lsn() < lsn; });
  if (at == images.end() || (*at)->lsn() != image->lsn()) {
    images.insert(at, std::move(image));
  }
}

std::vector<const Segment::Entry*> Segment::EntriesOf(PageNo number, Lsn after, Lsn up_to) const {
  std::vector<const Entry*> found;
  const auto newest = pages_.find(number);
  if (newest == pages_.end()) {
    return found;
  }
  for (uint64_t position = newest->second.newest; position >= first_;
       position = At(position).previous_of_page) {
    const Entry& entry = At(position);
    if (entry.end <= after) {
      break;
    }
    if (entry.end <= up_to) {
      found.push_back(&entry);
    }
  }
  return found;
}

Status Segment::ApplyTable(PageNo number, Lsn up_to, Page* page, ReadCost* cost) const {
  const auto found = EntriesOf(number, page->lsn(), up_to);
  cost->records += found.size();
  for (auto entry = found.rbegin(); entry != found.rend(); ++entry) {
    RETURN_IF_ERROR(ApplyRecord((*entry)->View(), page));
  }
  return Status::Ok();
}

std::string Segment::TableRecords(PageNo number, Lsn after, Lsn up_to) const {
  std::string records;
  const auto found = EntriesOf(number, after, up_to);
  for (auto entry = found.rbegin(); entry != found.rend(); ++entry) {
    records.append((*entry)->bytes, (*entry)->length);
  }
  return records;
}

std::vector<std::shared_ptr<Layer>> Segment::LayersWith(PageNo number, Lsn after, Lsn up_to) const {
  auto layers = LayersBetween(after, up_to);
  std::erase_if(layers, [number](const std::shared_ptr<Layer>& layer) {
    const size_t at = layer->LowerBound(number);
    return at == layer->page_count() || layer->page_at(at) != number;
  });
  return layers;
}

std::vector<std::shared_ptr<Layer>> Segment::LayersBetween(Lsn after, Lsn up_to) const {
  std::vector<std::shared_ptr<Layer>> layers;
  for (const auto& layer : layers_) {
    if (layer->info().up_to > after && layer->info().from < up_to) {
      layers.push_back(layer);
    }
  }
  return layers;
}

std::vector<PageNo> Segment::PagesIn(PageNo from, PageNo end, Lsn up_to, size_t count,
                                     PageNo* next) const {
  std::vector<PageNo> pages;
  *next = kNoPage;
  const auto take = [&](PageNo page) {
    if (page < end) {
      pages.push_back(page);
    } else {
      *next = std::min(*next, page);
    }
    return page < end;
  };
  for (const auto& layer : layers_) {
    if (layer->info().from >= up_to) {
      continue;
    }
    size_t at = layer->LowerBound(from);
    for (size_t taken = 0; at < layer->page_count() && taken <= count; ++at, ++taken) {
      if (!take(layer->page_at(at))) {
        break;
      }
    }
  }
  for (const auto& [page, position] : pages_) {
    if (page >= from && page != kNoPage) {
      take(page);
    }
  }
  std::sort(pages.begin(), pages.end());
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  std::erase(pages, kNoPage);
  if (pages.size() > count) {
    *next = pages[count];
    pages.resize(count);
  }
  return pages;
}

size_t Segment::PageCount() const {
  size_t count = std::max(counted_pages_, pages_.size());
  for (const auto& layer : layers_) {
    count = std::max(count, layer->page_count());
  }
  return count;
}

size_t Segment::LivePageCount() const {
  size_t empty = 0;
  for (const auto& layer : layers_) {
    empty = std::max<size_t>(empty, layer->info().empty_pages);
  }
  return PageCount() - std::min(empty, PageCount());
}

size_t Segment::EmptiedInTable(Lsn line) const {
  return static_cast<size_t>(std::upper_bound(emptied_.begin(), emptied_.end(), line) -
                             emptied_.begin());
}

size_t Segment::EmptiedInLayers(Lsn line) const {
  size_t count = 0;
  for (const auto& layer : layers_) {
    count += layer->info().up_to <= line ? layer->info().covering_pages : 0;
  }
  return count;
}

}  // namespace borealis::storage_node
