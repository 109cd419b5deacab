// The accounts as an instance knows them now: one immutable GrantTables, shared by all sessions.
//
// An account statement commits its rows and then makes a schema change that carries a new
// generation of the accounts (GrantSource::Generation). Schema changes reach readers in the log at
// one LSN, like any other; so the dictionary's version, which every statement compares anyway, also
// tells that the accounts may have changed.
//
// INV-ACC-1  The tables read for a generation hold everything committed before that generation was
//            made: the generation is read before the tables are.
#pragma once

#include <cstdint>
#include <memory>

#include "base/mutex.h"
#include "base/result.h"
#include "sql/accounts/grant_tables.h"

namespace borealis::sql {

// Where the accounts are stored. Thread-safe; both calls may block.
class GrantSource {
 public:
  virtual ~GrantSource() = default;
  virtual Result<uint64_t> Generation() = 0;
  virtual Result<GrantTables> Load() = 0;
};

// Thread-safe.
class GrantStore {
 public:
  explicit GrantStore(std::unique_ptr<GrantSource> source) : source_(std::move(source)) {}

  // The accounts as of a dictionary of at least `dictionary_version`.
  Result<std::shared_ptr<const GrantTables>> At(uint64_t dictionary_version);

 private:
  const std::unique_ptr<GrantSource> source_;
  Mutex mutex_{LockRank::kLeaf};
  std::shared_ptr<const GrantTables> tables_ GUARDED_BY(mutex_);
  uint64_t generation_ GUARDED_BY(mutex_) = 0;
  uint64_t checked_version_ GUARDED_BY(mutex_) = 0;  // the dictionary's, that tables_ is good for
};

}  // namespace borealis::sql
