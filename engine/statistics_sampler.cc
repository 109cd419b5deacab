#include "engine/statistics_sampler.h"

#include <algorithm>
#include <string>

#include "engine/cursor.h"
#include "engine/store/leaf_cursor.h"
#include "engine/table_trees.h"

namespace borealis::engine {

namespace {

// Values skipped over from one sampled leaf on, before the rest is taken to be like these.
constexpr int kSkipsPerSample = 10;
// With fewer changes of a prefix than this in a leaf, values are skipped over.
constexpr double kChangesPerLeafLeast = 2;

bool IsDeleted(std::string_view value) {
  return !value.empty() && (value[0] & 1) != 0;  // row_format.h: both kinds of entries
}

class Sampler {
 public:
  Sampler(const Table& table, size_t index_no, const std::atomic<bool>& stop)
      : table_(table),
        index_no_(index_no),
        tree_(table.trees().tree(index_no)),
        stop_(stop),
        changes_(table.layout().counted_prefixes(index_no)) {}

  Result<SampledIndex> Run(uint64_t sample_pages) {
    sample_pages = std::max<uint64_t>(sample_pages, 1);
    ASSIGN_OR_RETURN(const BTree::Estimate size, tree_.EstimateSize());
    SampledIndex result;
    IndexStatistics& statistics = result.statistics;
    statistics.id = table_.definition().indexes[index_no_].id;
    if (size.leaf_pages <= sample_pages) {
      RETURN_IF_ERROR(ReadAll());
      result.entries = entries_;
      statistics.leaf_pages = std::max<uint64_t>(leaves_, 1);
      for (const uint64_t changes : changes_) {
        statistics.distinct.push_back(entries_ == 0 ? 0 : changes + 1);
      }
    } else {
      RETURN_IF_ERROR(ReadSome(sample_pages));
      statistics.leaf_pages = size.leaf_pages;
      result.entries = Scale(entries_, size.leaf_pages);
      RETURN_IF_ERROR(EstimateDistinct(size.leaf_pages, result.entries, &statistics.distinct));
    }
    statistics.pages = statistics.leaf_pages + size.inner_pages;
    statistics.sampled_pages = std::max<uint64_t>(leaves_, 1);
    return result;
  }

 private:
  Status CheckStop() const {
    return stop_.load(std::memory_order_relaxed) ? Status::Cancelled("statistics: stopping")
                                                 : Status::Ok();
  }

  uint64_t Scale(uint64_t seen, uint64_t leaf_pages) const {
    const double each =
        static_cast<double>(seen) / static_cast<double>(std::max<uint64_t>(leaves_, 1));
    return static_cast<uint64_t>(each * static_cast<double>(leaf_pages) + 0.5);
  }

  // Compares with the entry before, if there is one.
  Status Compare(std::string_view key) {
    if (has_last_) {
      const auto differs = std::mismatch(last_.begin(), last_.end(), key.begin(), key.end());
      const auto same = static_cast<size_t>(differs.second - key.begin());
      RETURN_IF_ERROR(table_.layout().CountedPrefixEnds(index_no_, key, &ends_));
      for (size_t i = 0; i < changes_.size() && i < ends_.size(); ++i) {
        changes_[i] += ends_[i] > same ? 1 : 0;
      }
    }
    last_.assign(key);
    has_last_ = true;
    return Status::Ok();
  }

  Status ReadAll() {
    Mtr mtr(tree_.store());
    LeafCursor cursor(&tree_, &mtr);
    RETURN_IF_ERROR(cursor.SeekFirst(LatchMode::kShared));
    PageNo leaf = kNoPage;
    while (cursor.valid()) {
      if (cursor.leaf()->number() != leaf) {
        RETURN_IF_ERROR(CheckStop());
        leaf = cursor.leaf()->number();
        ++leaves_;
      }
      if (!IsDeleted(cursor.value())) {
        RETURN_IF_ERROR(Compare(cursor.key()));
        ++entries_;
      }
      RETURN_IF_ERROR(cursor.Next());
    }
    return Status::Ok();
  }

  Status ReadSome(uint64_t sample_pages) {
    for (uint64_t i = 0; i < sample_pages; ++i) {
      RETURN_IF_ERROR(CheckStop());
      const double fraction = (static_cast<double>(i) + 0.5) / static_cast<double>(sample_pages);
      ASSIGN_OR_RETURN(std::string key, tree_.KeyAt(fraction));
      if (!starts_.empty() && key <= starts_.back()) {
        continue;
      }
      RETURN_IF_ERROR(ReadLeaf(key));
      starts_.push_back(std::move(key));
    }
    return Status::Ok();
  }

  // One leaf, and the change on the way to the next.
  Status ReadLeaf(std::string_view first_key) {
    Mtr mtr(tree_.store());
    LeafCursor cursor(&tree_, &mtr);
    RETURN_IF_ERROR(cursor.Seek(first_key, SeekMode::kAtLeast, LatchMode::kShared));
    has_last_ = false;
    ++leaves_;
    const PageNo leaf = cursor.valid() ? cursor.leaf()->number() : kNoPage;
    while (cursor.valid()) {
      const bool behind = cursor.leaf()->number() != leaf;
      if (!IsDeleted(cursor.value())) {
        RETURN_IF_ERROR(Compare(cursor.key()));
        if (behind) {
          break;
        }
        ++entries_;
      }
      RETURN_IF_ERROR(cursor.Next());
    }
    return Status::Ok();
  }

  Status EstimateDistinct(uint64_t leaf_pages, uint64_t entries, std::vector<uint64_t>* distinct) {
    for (size_t i = 0; i < changes_.size(); ++i) {
      const double per_leaf =
          static_cast<double>(changes_[i]) / static_cast<double>(std::max<uint64_t>(leaves_, 1));
      uint64_t estimate = Scale(changes_[i], leaf_pages) + 1;
      if (per_leaf < kChangesPerLeafLeast) {
        ASSIGN_OR_RETURN(estimate, SkipThrough(i));
      }
      // A longer prefix has no fewer values, and no index more than entries.
      estimate = std::max(estimate, distinct->empty() ? uint64_t{1} : distinct->back());
      distinct->push_back(std::min(estimate, std::max<uint64_t>(entries, 1)));
    }
    return Status::Ok();
  }

  // Distinct values of prefix `prefix_no`, stretch by stretch between the sampled leaves.
  Result<uint64_t> SkipThrough(size_t prefix_no) {
    ASSIGN_OR_RETURN(std::string from, tree_.KeyAt(0));
    double total = 1;
    for (size_t i = 0; i <= starts_.size(); ++i) {
      RETURN_IF_ERROR(CheckStop());
      const std::string* to = i < starts_.size() ? &starts_[i] : nullptr;
      ASSIGN_OR_RETURN(const double changes, SkipStretch(prefix_no, from, to));
      total += changes;
      if (to != nullptr) {
        from = *to;
      }
    }
    return static_cast<uint64_t>(total + 0.5);
  }

  Result<std::string> PrefixOf(size_t prefix_no, std::string_view key) {
    RETURN_IF_ERROR(table_.layout().CountedPrefixEnds(index_no_, key, &ends_));
    const size_t end = prefix_no < ends_.size() ? ends_[prefix_no] : key.size();
    return std::string(key.substr(0, end));
  }

  // Changes of the prefix in [from, to], `to` null for the index's end.
  Result<double> SkipStretch(size_t prefix_no, const std::string& from, const std::string* to) {
    std::string at = from;
    for (int skips = 0; skips < kSkipsPerSample; ++skips) {
      ASSIGN_OR_RETURN(const std::string prefix, PrefixOf(prefix_no, at));
      std::string next;
      RETURN_IF_ERROR(FirstAfter(prefix, &next));
      if (next.empty() || (to != nullptr && next >= *to)) {
        const bool changes_at_end = to != nullptr && !to->starts_with(prefix);
        return skips + (changes_at_end ? 1.0 : 0.0);
      }
      at = std::move(next);
    }
    const std::string_view lower = from;
    const std::string_view middle = at;
    const std::string_view upper = to != nullptr ? std::string_view(*to) : std::string_view();
    ASSIGN_OR_RETURN(const uint64_t passed, tree_.EstimateRange(&lower, &middle));
    ASSIGN_OR_RETURN(const uint64_t all,
                     tree_.EstimateRange(&lower, to != nullptr ? &upper : nullptr));
    const double share =
        static_cast<double>(all) / static_cast<double>(std::max<uint64_t>(passed, 1));
    return kSkipsPerSample * std::max(share, 1.0);
  }

  // The first live key behind all with `prefix`; empty when there is none.
  Status FirstAfter(const std::string& prefix, std::string* key) {
    const std::string end = PrefixEnd(prefix);
    key->clear();
    if (end.empty()) {
      return Status::Ok();
    }
    Mtr mtr(tree_.store());
    LeafCursor cursor(&tree_, &mtr);
    RETURN_IF_ERROR(cursor.Seek(end, SeekMode::kAtLeast, LatchMode::kShared));
    while (cursor.valid() && IsDeleted(cursor.value())) {
      RETURN_IF_ERROR(cursor.Next());
    }
    if (cursor.valid()) {
      key->assign(cursor.key());
    }
    return Status::Ok();
  }

  const Table& table_;
  const size_t index_no_;
  const BTree& tree_;
  const std::atomic<bool>& stop_;
  uint64_t leaves_ = 0;   // read
  uint64_t entries_ = 0;  // in them
  std::vector<uint64_t> changes_;
  std::vector<std::string> starts_;  // first keys of the leaves read
  bool has_last_ = false;
  std::string last_;
  std::vector<size_t> ends_;
};

}  // namespace

Result<SampledIndex> SampleIndex(const Table& table, size_t index_no, uint64_t sample_pages,
                                 const std::atomic<bool>& stop) {
  return Sampler(table, index_no, stop).Run(sample_pages);
}

}  // namespace borealis::engine
