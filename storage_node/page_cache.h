// Pages as last read, so that hot ones are not built from their layers each time.
//
// One version of a page at most, the newest that was asked for; it serves as the base of any read
// at or above its LSN. Bounded; the least recently used goes first. One thread.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>

#include "base/types.h"
#include "volume/page.h"

namespace borealis::storage_node {

class PageCache {
 public:
  explicit PageCache(size_t capacity) : capacity_(capacity) {}

  // Copies the cached version to `page` when it is at or under `up_to`.
  bool Get(VolumeId volume, PageNo number, Lsn up_to, Page* page);
  // Keeps the version unless a newer one is here.
  void Put(VolumeId volume, PageNo number, const Page& page);
  // Drops versions of the volume above `lsn`.
  void DropAbove(VolumeId volume, Lsn lsn);
  // How often that was called. A page that was begun before the last time is not to be put.
  uint64_t drops() const { return drops_; }

 private:
  struct Key {
    VolumeId volume;
    PageNo page;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const {
      return std::hash<PageNo>()(key.page) ^ static_cast<size_t>(key.volume.value());
    }
  };
  struct Kept {
    Key key;
    std::unique_ptr<Page> page;
  };

  const size_t capacity_;
  uint64_t drops_ = 0;
  std::list<Kept> kept_;  // most recently used first
  std::unordered_map<Key, std::list<Kept>::iterator, KeyHash> index_;
};

}  // namespace borealis::storage_node
