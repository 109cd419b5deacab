#include "storage_node/page_cache.h"

namespace borealis::storage_node {

bool PageCache::Get(VolumeId volume, PageNo number, Lsn up_to, Page* page) {
  const auto at = index_.find({volume, number});
  if (at == index_.end() || at->second->page->lsn() > up_to) {
    return false;
  }
  kept_.splice(kept_.begin(), kept_, at->second);
  *page = *at->second->page;
  return true;
}

void PageCache::Put(VolumeId volume, PageNo number, const Page& page) {
  if (capacity_ == 0) {
    return;
  }
  const Key key{volume, number};
  if (const auto at = index_.find(key); at != index_.end()) {
    if (at->second->page->lsn() < page.lsn()) {
      *at->second->page = page;
    }
    return;
  }
  if (kept_.size() >= capacity_) {
    index_.erase(kept_.back().key);
    kept_.splice(kept_.begin(), kept_, std::prev(kept_.end()));
  } else {
    kept_.push_front({key, std::make_unique<Page>()});
  }
  kept_.front().key = key;
  *kept_.front().page = page;
  index_[key] = kept_.begin();
}

void PageCache::DropAbove(VolumeId volume, Lsn lsn) {
  ++drops_;
  for (auto at = kept_.begin(); at != kept_.end();) {
    const auto next = std::next(at);
    if (at->key.volume == volume && at->page->lsn() > lsn) {
      index_.erase(at->key);
      kept_.erase(at);
    }
    at = next;
  }
}

}  // namespace borealis::storage_node
