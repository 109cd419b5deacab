#include "engine/trx/range_index.h"

#include <tuple>
#include <vector>

#include "base/invariant.h"

namespace borealis::engine {

struct RangeIndex::Node {
  LockedRange range;
  uint64_t priority = 0;                  // a node's is at least its children's
  const LockedRange* last_end = nullptr;  // of the subtree
  Node* left = nullptr;
  Node* right = nullptr;
};

bool LockedRange::EndsAfter(const LockedRange& other) const {
  if (no_upper || other.no_upper) {
    return no_upper && !other.no_upper;
  }
  return std::tie(upper, upper_inclusive) > std::tie(other.upper, other.upper_inclusive);
}

RangeIndex::~RangeIndex() {
  std::vector<Node*> nodes;
  if (root_ != nullptr) {
    nodes.push_back(root_);
  }
  while (!nodes.empty()) {
    Node* node = nodes.back();
    nodes.pop_back();
    for (Node* child : {node->left, node->right}) {
      if (child != nullptr) {
        nodes.push_back(child);
      }
    }
    delete node;
  }
}

bool RangeIndex::Before(const LockedRange& a, const LockedRange& b) {
  if (const int order = a.lower.compare(b.lower); order != 0) {
    return order < 0;
  }
  if (a.lower_inclusive != b.lower_inclusive) {
    return a.lower_inclusive;
  }
  return a.id < b.id;
}

void RangeIndex::Update(Node* node) {
  node->last_end = &node->range;
  for (const Node* child : {node->left, node->right}) {
    if (child != nullptr && child->last_end->EndsAfter(*node->last_end)) {
      node->last_end = child->last_end;
    }
  }
}

RangeIndex::Node* RangeIndex::Merge(Node* left, Node* right) {
  if (left == nullptr || right == nullptr) {
    return left == nullptr ? right : left;
  }
  Node* top = left->priority >= right->priority ? left : right;
  if (top == left) {
    left->right = Merge(left->right, right);
  } else {
    right->left = Merge(left, right->left);
  }
  Update(top);
  return top;
}

void RangeIndex::Split(Node* node, const LockedRange& at, Node** left, Node** right) {
  if (node == nullptr) {
    *left = *right = nullptr;
    return;
  }
  if (Before(node->range, at)) {
    Split(node->right, at, &node->right, right);
    *left = node;
  } else {
    Split(node->left, at, left, &node->left);
    *right = node;
  }
  Update(node);
}

const LockedRange* RangeIndex::Insert(LockedRange range) {
  // xorshift: depth needs no better chance than this.
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  Node* node = new Node{std::move(range), random_, nullptr, nullptr, nullptr};
  Update(node);
  Node* left = nullptr;
  Node* right = nullptr;
  Split(root_, node->range, &left, &right);
  root_ = Merge(Merge(left, node), right);
  ++size_;
  return &node->range;
}

RangeIndex::Node* RangeIndex::EraseFrom(Node* node, const LockedRange& range, Node** erased) {
  INVARIANT(node != nullptr);
  if (&node->range == &range) {
    *erased = node;
    return Merge(node->left, node->right);
  }
  Node*& child = Before(range, node->range) ? node->left : node->right;
  child = EraseFrom(child, range, erased);
  Update(node);
  return node;
}

void RangeIndex::Erase(const LockedRange* range) {
  Node* erased = nullptr;
  root_ = EraseFrom(root_, *range, &erased);
  delete erased;
  --size_;
}

void RangeIndex::UpdatePath(Node* node, const LockedRange& range) {
  INVARIANT(node != nullptr);
  if (&node->range != &range) {
    UpdatePath(Before(range, node->range) ? node->left : node->right, range);
  }
  Update(node);
}

void RangeIndex::MoveUpperEnd(const LockedRange* range, std::string upper, bool inclusive,
                              bool none) {
  auto* own = const_cast<LockedRange*>(range);
  own->upper = std::move(upper);
  own->upper_inclusive = inclusive;
  own->no_upper = none;
  UpdatePath(root_, *range);
}

bool RangeIndex::Visit(const Node* node, std::string_view key,
                       const std::function<bool(const LockedRange&)>& visit) {
  if (node == nullptr || node->last_end->EndsBefore(key)) {
    return true;
  }
  if (!Visit(node->left, key, visit)) {
    return false;
  }
  if (node->range.StartsAfter(key)) {
    return true;  // as do all to the right
  }
  if (!node->range.EndsBefore(key) && !visit(node->range)) {
    return false;
  }
  return Visit(node->right, key, visit);
}

bool RangeIndex::VisitContaining(std::string_view key,
                                 const std::function<bool(const LockedRange&)>& visit) const {
  return Visit(root_, key, visit);
}

void RangeIndex::VisitAll(const std::function<void(const LockedRange&)>& visit) const {
  std::vector<const Node*> path;
  for (const Node* node = root_; node != nullptr || !path.empty();) {
    if (node != nullptr) {
      path.push_back(node);
      node = node->left;
      continue;
    }
    node = path.back();
    path.pop_back();
    visit(node->range);
    node = node->right;
  }
}

}  // namespace borealis::engine
