// One volume opened by an instance: volume, buffer pool, space allocation, tree latches.
//
// Everything above (trees, undo, dictionary) gets its pages through a Store and an Mtr. A writer
// has a Volume; a reader instance has a PageReader and an applied log (BufferPool::ApplyLog).
// Thread-safe; must outlive every Mtr and BTree on it.
#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>

#include "base/mutex.h"
#include "base/result.h"
#include "engine/store/buffer_pool.h"
#include "engine/store/space.h"
#include "storage_client/volume.h"

namespace borealis::engine {

// Excludes structure changes of one tree from each other. Held by an Mtr until it ends.
class TreeLatch {
 public:
  explicit TreeLatch(PageNo root) : root_(root) {}

  void Lock() {
    latch_order::CheckTreeLatch(root_);
    latch_.LockExclusive();
  }
  void Unlock() { latch_.UnlockExclusive(); }

 private:
  const PageNo root_;
  PageLatch latch_;
};

struct StoreOptions {
  size_t buffer_pool_bytes = size_t{128} << 20;
};

class Store {
 public:
  // A volume never written is formatted (StartWriting, one Mtr); otherwise its format is checked.
  static Result<std::unique_ptr<Store>> OpenWriter(Volume* volume, const StoreOptions& options);
  // The pool stands at reader->vdl() to begin with.
  static Result<std::unique_ptr<Store>> OpenReader(PageReader* reader, const StoreOptions& options);

  PageReader* reader() const { return reader_; }
  // Null on a reader instance.
  Volume* volume() const { return volume_; }
  bool is_replica() const { return volume_ == nullptr; }
  BufferPool* pool() { return &pool_; }
  Space* space() { return &space_; }
  // The latch of the tree with this root; one per root for the life of the Store.
  TreeLatch* TreeLatchOf(PageNo root);

 private:
  Store(PageReader* reader, Volume* volume, const StoreOptions& options);

  PageReader* const reader_;
  Volume* const volume_;
  BufferPool pool_;
  Space space_;
  Mutex mutex_{LockRank::kLeaf};
  std::unordered_map<PageNo, std::unique_ptr<TreeLatch>> tree_latches_ GUARDED_BY(mutex_);
};

}  // namespace borealis::engine
