// What the store's tests share: a store on the plain volume model, and sized keys and values.
#pragma once

#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "engine/store/btree.h"
#include "engine/store/leaf_cursor.h"
#include "engine/store/store.h"
#include "tests/support/assert_ok.h"
#include "tests/support/memory_volume.h"

namespace borealis::engine {

inline std::unique_ptr<Store> OpenStore(MemoryVolume* volume, size_t frames = 4096) {
  Result<std::unique_ptr<Store>> store = Store::OpenWriter(volume, {frames * kPageSize});
  EXPECT_TRUE(store.ok()) << store.status().ToString();
  return std::move(store).value();
}

inline PageNo MakeTree(Store* store, uint64_t index_id = 1) {
  Mtr mtr(store);
  EXPECT_TRUE(mtr.StartWriting().ok());
  Result<PageNo> root = BTree::Create(&mtr, index_id);
  EXPECT_TRUE(root.ok());
  mtr.Commit();
  return *root;
}

// A key that sorts as its number.
inline std::string KeyOf(uint64_t number) {
  std::string key;
  AppendBig(&key, number);
  return key;
}

// The same behind a prefix that separators cannot cut away: few children per page, a tall tree.
inline std::string LongKeyOf(uint64_t number, size_t prefix) {
  return std::string(prefix, 'k') + KeyOf(number);
}

inline Status InsertOne(BTree* tree, std::string_view key, std::string_view value) {
  Mtr mtr(tree->store());
  RETURN_IF_ERROR(mtr.StartWriting());
  Status status = tree->Insert(&mtr, key, value);
  mtr.Commit();
  return status;
}

inline Status UpdateOne(BTree* tree, std::string_view key, std::string_view value) {
  Mtr mtr(tree->store());
  RETURN_IF_ERROR(mtr.StartWriting());
  Status status = tree->Update(&mtr, key, value);
  mtr.Commit();
  return status;
}

inline Status DeleteOne(BTree* tree, std::string_view key) {
  Mtr mtr(tree->store());
  RETURN_IF_ERROR(mtr.StartWriting());
  Status status = tree->Delete(&mtr, key);
  mtr.Commit();
  return status;
}

}  // namespace borealis::engine
