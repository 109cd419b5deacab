// An open table: one published definition with its layout and trees. What cursors and changes take.
//
// A Table is immutable and shared; DDL publishes a new one and marks the old one stale. A
// transaction that holds the table's metadata lock (Engine::OpenTable takes it) never meets that.
// Thread-safe.
#pragma once

#include <atomic>
#include <memory>

#include "engine/definition.h"

namespace borealis::engine {

class TableTrees;   // the engine's own: trees and statistics
struct TableState;  // survives DDL: counters of the table

class Table {
 public:
  Table(TableDefinition definition, std::shared_ptr<const RowLayout> layout,
        std::shared_ptr<TableTrees> trees, std::shared_ptr<TableState> state)
      : definition_(std::move(definition)),
        layout_(std::move(layout)),
        trees_(std::move(trees)),
        state_(std::move(state)) {}

  const TableDefinition& definition() const { return definition_; }
  TableId id() const { return definition_.id; }
  uint64_t version() const { return definition_.version; }
  size_t index_count() const { return definition_.indexes.size(); }
  const RowLayout& layout() const { return *layout_; }
  // True once DDL has published a successor or dropped the table.
  bool stale() const { return stale_.load(std::memory_order_acquire); }

  TableTrees& trees() const { return *trees_; }
  TableState& state() const { return *state_; }
  const std::shared_ptr<TableTrees>& shared_trees() const { return trees_; }
  const std::shared_ptr<TableState>& shared_state() const { return state_; }
  void MarkStale() const { stale_.store(true, std::memory_order_release); }

 private:
  const TableDefinition definition_;
  const std::shared_ptr<const RowLayout> layout_;
  const std::shared_ptr<TableTrees> trees_;
  const std::shared_ptr<TableState> state_;
  mutable std::atomic<bool> stale_{false};
};

using TableRef = std::shared_ptr<const Table>;

}  // namespace borealis::engine
