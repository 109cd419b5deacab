#include "engine/store/store.h"

#include "engine/store/mtr.h"
#include "engine/store/page_format.h"

namespace borealis::engine {

Store::Store(PageReader* reader, Volume* volume, const StoreOptions& options)
    : reader_(reader),
      volume_(volume),
      pool_(reader, volume, options.buffer_pool_bytes, &CheckPage),
      space_(&pool_) {}

Result<std::unique_ptr<Store>> Store::OpenWriter(Volume* volume, const StoreOptions& options) {
  std::unique_ptr<Store> store(new Store(volume, volume, options));
  Mtr mtr(store.get());
  RETURN_IF_ERROR(mtr.StartWriting());
  Status status = Space::CheckFormat(&mtr);
  if (status.Is(Code::kNotFound)) {
    status = Space::Format(&mtr);
    mtr.Commit();
  }
  if (!status.ok()) {
    return std::move(status).Annotate("open the volume");
  }
  return store;
}

Result<std::unique_ptr<Store>> Store::OpenReader(PageReader* reader, const StoreOptions& options) {
  std::unique_ptr<Store> store(new Store(reader, nullptr, options));
  Mtr mtr(store.get());
  RETURN_IF_ERROR(Space::CheckFormat(&mtr).Annotate("open the volume"));
  return store;
}

TreeLatch* Store::TreeLatchOf(PageNo root) {
  MutexLock lock(mutex_);
  std::unique_ptr<TreeLatch>& latch = tree_latches_[root];
  if (latch == nullptr) {
    latch = std::make_unique<TreeLatch>(root);
  }
  return latch.get();
}

}  // namespace borealis::engine
