#include "sql/accounts/grant_store.h"

#include <algorithm>

namespace borealis::sql {

Result<std::shared_ptr<const GrantTables>> GrantStore::At(uint64_t dictionary_version) {
  uint64_t known = 0;
  {
    MutexLock lock(mutex_);
    if (tables_ != nullptr && checked_version_ >= dictionary_version) {
      return tables_;
    }
    known = tables_ != nullptr ? generation_ : ~uint64_t{0};
  }
  // Without the lock: several may load the same, which does no harm.
  ASSIGN_OR_RETURN(const uint64_t generation, source_->Generation());
  std::shared_ptr<const GrantTables> loaded;
  if (generation != known) {
    ASSIGN_OR_RETURN(GrantTables tables, source_->Load());
    loaded = std::make_shared<const GrantTables>(std::move(tables));
  }
  MutexLock lock(mutex_);
  if (loaded != nullptr && (tables_ == nullptr || generation >= generation_)) {
    tables_ = std::move(loaded);
    generation_ = generation;
  }
  checked_version_ = std::max(checked_version_, dictionary_version);
  return tables_;
}

}  // namespace borealis::sql
