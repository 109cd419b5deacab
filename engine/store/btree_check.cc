// Looking at a tree as a whole: the structural check, and the estimates that a planner asks for.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "engine/store/btree.h"
#include "engine/store/leaf_cursor.h"
#include "engine/store/structure_change.h"

namespace borealis::engine {

namespace {

// Walks a tree whose structure holds still (its latch is taken), page copies in hand.
class Verifier {
 public:
  Verifier(Store* store, PageNo root) : store_(store), root_(root) {}

  Result<BTree::Shape> Run() {
    auto page = std::make_unique<Page>();
    RETURN_IF_ERROR(Copy(root_, page.get()));
    const Node node(*page);
    if (TypeOf(*page) != PageType::kIndex) {
      return Fault(root_, "is not an index page");
    }
    index_id_ = node.index_id();
    shape_.height = node.level() + 1;
    chain_.resize(static_cast<size_t>(shape_.height), {kNoPage, root_});
    for (auto& link : chain_) {
      link.expected = kNoPage;
    }
    RETURN_IF_ERROR(Visit(root_, node.level(), "", nullptr));
    for (const auto& link : chain_) {
      if (link.expected != kNoPage) {
        return Fault(link.last, "has a right sibling that the tree does not hold");
      }
    }
    return shape_;
  }

 private:
  // The last page seen on a level, and its right link.
  struct Link {
    PageNo last = kNoPage;
    PageNo expected = kNoPage;
  };

  static Status Fault(PageNo page, std::string_view what) {
    return Status::Corruption(fmt::format("page {} {}", page.value(), what));
  }

  Status Copy(PageNo number, Page* page) {
    Mtr mtr(store_);
    ASSIGN_OR_RETURN(MtrPage * latched, mtr.Fetch(number, LatchMode::kShared));
    *page = latched->page();
    return Status::Ok();
  }

  // `upper` is the first key beyond the subtree, null for none.
  Status Visit(PageNo number, int level, std::string_view lower, const std::string_view* upper) {
    auto page = std::make_unique<Page>();
    RETURN_IF_ERROR(Copy(number, page.get()));
    RETURN_IF_ERROR(CheckPage(number, *page));
    const Node node(*page);
    if (TypeOf(*page) != PageType::kIndex || node.level() != level ||
        node.index_id() != index_id_) {
      return Fault(number, fmt::format("is not a page of level {} of index {}", level, index_id_));
    }
    ASSIGN_OR_RETURN(const bool allocated, store_->space()->IsAllocated(number));
    if (!allocated) {
      return Fault(number, "is in a tree but not allocated");
    }
    Link& link = chain_[static_cast<size_t>(level)];
    if (node.left() != link.last || (link.last != kNoPage && link.expected != number)) {
      return Fault(number,
                   fmt::format("is not linked with its left sibling {}", link.last.value()));
    }
    link = {number, node.right()};
    const int count = node.count();
    if (count > 0 && (node.Key(0) < lower || (upper != nullptr && node.Key(count - 1) >= *upper))) {
      return Fault(number, "has a key outside its parent's bounds");
    }
    if (level == 0) {
      ++shape_.leaf_pages;
      shape_.entries += static_cast<uint64_t>(count);
      shape_.used_bytes += node.used();
      return Status::Ok();
    }
    ++shape_.inner_pages;
    if (node.Key(0) != lower) {
      return Fault(number, "has a first key other than its parent's");
    }
    for (int slot = 0; slot < count; ++slot) {
      const std::string_view next = slot + 1 < count ? node.Key(slot + 1) : std::string_view();
      RETURN_IF_ERROR(
          Visit(node.Child(slot), level - 1, node.Key(slot), slot + 1 < count ? &next : upper));
    }
    return Status::Ok();
  }

  Store* const store_;
  const PageNo root_;
  uint64_t index_id_ = 0;
  BTree::Shape shape_;
  std::vector<Link> chain_;  // by level
};

// What a dive saw of each level: where it went, of how many.
struct Dive {
  struct Step {
    PageNo page = kNoPage;
    int slot = 0;
    int count = 0;
  };
  int height = 0;
  std::array<Step, kLevelMax> steps;  // by level
};

// Descends by `choose(node)`, which at the leaf gives the position.
template <class Choose>
Status DiveBy(Store* store, PageNo root, Choose choose, Dive* dive) {
  Mtr mtr(store);
  ASSIGN_OR_RETURN(MtrPage * page, mtr.Fetch(root, LatchMode::kShared));
  int level = Node(page->bytes()).level();
  const uint64_t index_id = Node(page->bytes()).index_id();
  dive->height = level + 1;
  while (true) {
    RETURN_IF_ERROR(CheckTreePage(*page, index_id, level));
    const Node node(page->bytes());
    const int slot = choose(node);
    dive->steps[static_cast<size_t>(level)] = {page->number(), slot, node.count()};
    if (level == 0) {
      return Status::Ok();
    }
    ASSIGN_OR_RETURN(MtrPage * child, mtr.Fetch(node.Child(slot), LatchMode::kShared));
    mtr.Release(page);
    page = child;
    --level;
  }
}

Status DiveTo(Store* store, PageNo root, const std::string_view* key, bool at_end, Dive* dive) {
  return DiveBy(
      store, root,
      [&](const Node& node) {
        if (key == nullptr) {
          return !at_end ? 0 : node.is_leaf() ? node.count() : node.count() - 1;
        }
        bool exact;
        return node.is_leaf() ? node.LowerBound(*key, &exact) : node.ChildSlot(*key);
      },
      dive);
}

// Leaves walked one by one before an estimate is made of the rest.
constexpr int kLeavesWalked = 8;

}  // namespace

Result<BTree::Shape> BTree::Verify() const {
  latch_->Lock();
  store_->pool()->EnterTraversal();  // on a reader: no log is applied meanwhile
  Result<Shape> shape = Verifier(store_, root_).Run();
  store_->pool()->LeaveTraversal();
  latch_->Unlock();
  if (!shape.ok()) {
    return std::move(shape).status().Annotate(fmt::format("check tree {}", root_.value()));
  }
  return shape;
}

Result<BTree::Estimate> BTree::EstimateSize(int samples) const {
  Estimate estimate;
  double leaves = 0;
  double inner = 0;
  double entries = 0;
  for (int i = 0; i < samples; ++i) {
    // Spread over the root's children, then pseudo-random below: the product of the counts on a
    // uniform random path is an unbiased estimate of the number of leaves.
    uint64_t random = 0x9E37'79B9'7F4A'7C15ULL * static_cast<uint64_t>(i + 1);
    bool at_root = true;
    Dive dive;
    RETURN_IF_ERROR(DiveBy(
        store_, root_,
        [&](const Node& node) {
          if (node.count() == 0) {
            return 0;
          }
          const bool first = std::exchange(at_root, false);
          random ^= random >> 29;
          random *= 0xBF58'476D'1CE4'E5B9ULL;
          random ^= random >> 32;
          const auto count = static_cast<uint64_t>(node.count());
          return static_cast<int>(first ? (2 * static_cast<uint64_t>(i) + 1) * count /
                                              (2 * static_cast<uint64_t>(samples))
                                        : random % count);
        },
        &dive));
    double width = 1;
    for (int level = dive.height - 1; level > 0; --level) {
      inner += width;
      width *= dive.steps[static_cast<size_t>(level)].count;
    }
    estimate.height = dive.height;
    leaves += width;
    entries += width * dive.steps[0].count;
  }
  estimate.leaf_pages = static_cast<uint64_t>(leaves / samples + 0.5);
  estimate.inner_pages = static_cast<uint64_t>(inner / samples + 0.5);
  estimate.entries = static_cast<uint64_t>(entries / samples + 0.5);
  return estimate;
}

Result<std::string> BTree::KeyAt(double fraction) const {
  std::string key;
  Dive dive;
  RETURN_IF_ERROR(DiveBy(
      store_, root_,
      [&](const Node& node) {
        if (node.is_leaf()) {
          if (node.count() > 0) {
            key = node.Key(0);
          }
          return 0;
        }
        const double place = fraction * node.count();
        const int slot = std::clamp(static_cast<int>(place), 0, node.count() - 1);
        fraction = std::clamp(place - slot, 0.0, 1.0);
        return slot;
      },
      &dive));
  return key;
}

Result<uint64_t> BTree::EstimateRange(const std::string_view* lower,
                                      const std::string_view* upper) const {
  if (lower != nullptr && upper != nullptr && *upper <= *lower) {
    return uint64_t{0};
  }
  Dive from;
  Dive to;
  RETURN_IF_ERROR(DiveTo(store_, root_, lower, false, &from));
  RETURN_IF_ERROR(DiveTo(store_, root_, upper, true, &to));
  const Dive::Step& first = from.steps[0];
  const Dive::Step& last = to.steps[0];
  if (first.page == last.page) {
    return static_cast<uint64_t>(std::max(0, last.slot - first.slot));
  }
  // Near ends: count leaf by leaf.
  uint64_t counted = static_cast<uint64_t>(first.count - first.slot);
  uint64_t seen = static_cast<uint64_t>(first.count);
  int walked = 1;
  PageNo right;
  {
    Mtr mtr(store_);
    ASSIGN_OR_RETURN(MtrPage * page, mtr.Fetch(first.page, LatchMode::kShared));
    const uint64_t index_id = Node(page->bytes()).index_id();
    right = Node(page->bytes()).right();
    while (walked < kLeavesWalked && right != kNoPage) {
      ASSIGN_OR_RETURN(MtrPage * next, mtr.Fetch(right, LatchMode::kShared));
      mtr.Release(page);
      page = next;
      if (!CheckTreePage(*page, index_id, 0).ok()) {
        break;  // the tree changed shape between the dives; the estimate below still serves
      }
      if (page->number() == last.page) {
        return counted + static_cast<uint64_t>(last.slot);
      }
      const Node node(page->bytes());
      counted += static_cast<uint64_t>(node.count());
      seen += static_cast<uint64_t>(node.count());
      ++walked;
      right = node.right();
    }
  }
  // Far ends: pages strictly between the two paths, level by level, times the fill of leaves seen.
  const int height = std::min(from.height, to.height);
  double between = 0;
  bool parted = false;
  for (int level = height - 1; level > 0; --level) {
    const Dive::Step& a = from.steps[static_cast<size_t>(level)];
    const Dive::Step& b = to.steps[static_cast<size_t>(level)];
    if (!parted) {
      between = std::max(0, b.slot - a.slot - 1);
      parted = a.slot != b.slot;
      continue;
    }
    const double fanout = (a.count + b.count) / 2.0;
    between = between * fanout + (a.count - a.slot - 1) + b.slot;
  }
  const double fill = static_cast<double>(seen) / walked;
  const double total = (first.count - first.slot) + last.slot + between * fill;
  return std::max(counted, static_cast<uint64_t>(std::max(0.0, total)));
}

}  // namespace borealis::engine
