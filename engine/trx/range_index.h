// Locked ranges of one index's keys, found by a key that they contain.
//
// A treap ordered by the ranges' lower ends; each node knows the greatest upper end below it, so a
// search leaves out whole subtrees that end before the key. Insert and erase cost O(log n), a
// search O(log n) for each range that it finds. Ranges keep their address until they are erased.
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace borealis::engine {

class LockOwner;

struct LockedRange {
  uint64_t id = 0;
  LockOwner* owner = nullptr;
  std::string lower;
  std::string upper;
  bool lower_inclusive = true;
  bool upper_inclusive = false;
  bool no_upper = false;
  bool exclusive = true;  // for lists only, as in GapBounds: ranges never conflict with each other
  bool place = false;

  bool Contains(std::string_view key) const { return !StartsAfter(key) && !EndsBefore(key); }
  bool StartsAfter(std::string_view key) const {
    return lower_inclusive ? key < lower : key <= lower;
  }
  bool EndsBefore(std::string_view key) const {
    return !no_upper && (upper_inclusive ? key > upper : key >= upper);
  }
  // Ends after the other does.
  bool EndsAfter(const LockedRange& other) const;
};

class RangeIndex {
 public:
  RangeIndex() = default;
  ~RangeIndex();
  RangeIndex(const RangeIndex&) = delete;
  RangeIndex& operator=(const RangeIndex&) = delete;

  const LockedRange* Insert(LockedRange range);
  // `range` is one that Insert gave.
  void Erase(const LockedRange* range);
  void MoveUpperEnd(const LockedRange* range, std::string upper, bool inclusive, bool none);
  // All that contain the key, in the order of their lower ends, until `visit` says false; false
  // then.
  bool VisitContaining(std::string_view key,
                       const std::function<bool(const LockedRange&)>& visit) const;
  void VisitAll(const std::function<void(const LockedRange&)>& visit) const;
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  struct Node;
  // Whether `a` stands before `b` in the tree: by lower end, then by id.
  static bool Before(const LockedRange& a, const LockedRange& b);
  static void Update(Node* node);
  static Node* Merge(Node* left, Node* right);
  // What stands before `at` goes left.
  static void Split(Node* node, const LockedRange& at, Node** left, Node** right);
  static Node* EraseFrom(Node* node, const LockedRange& range, Node** erased);
  // Brings what the nodes from the top to the range's know up to date.
  static void UpdatePath(Node* node, const LockedRange& range);
  static bool Visit(const Node* node, std::string_view key,
                    const std::function<bool(const LockedRange&)>& visit);

  Node* root_ = nullptr;
  size_t size_ = 0;
  uint64_t random_ = 0x9E3779B97F4A7C15;
};

}  // namespace borealis::engine
