#include "storage_node/merge.h"

#include <algorithm>

#include "base/fault.h"
#include "base/invariant.h"
#include "volume/edit.h"
#include "volume/record.h"

namespace borealis::storage_node {

namespace {

using Blocks = std::vector<std::shared_ptr<const std::string>>;

// Whether a page can be built from here on without anything older.
bool IsBase(const LayerEntry& entry) {
  return entry.is_image || StartsWithImage(ViewVerifiedRecord(entry.bytes).body);
}

Status ApplyEntry(const LayerEntry& entry, Page* page) {
  if (!entry.is_image) {
    return ApplyRecord(ViewVerifiedRecord(entry.bytes), page);
  }
  if (entry.lsn > page->lsn()) {
    std::memcpy(page->bytes, entry.bytes.data(), kPageSize);
  }
  return Status::Ok();
}

bool Before(const LayerEntry& a, const LayerEntry& b) {
  if (a.page != b.page) {
    return a.page < b.page;
  }
  return a.lsn != b.lsn ? a.lsn < b.lsn : a.is_image < b.is_image;
}

// Gives the entries of several sources page by page.
class PageGroups {
 public:
  Status AddTable(std::vector<LayerEntry> table) {
    std::sort(table.begin(), table.end(), Before);
    table_ = std::move(table);
    return Status::Ok();
  }
  Status AddLayer(std::shared_ptr<Layer> layer) {
    Source source{LayerCursor(std::move(layer)), {}, false};
    RETURN_IF_ERROR(Advance(&source));
    sources_.push_back(std::move(source));
    return Status::Ok();
  }

  // False when there are no more pages. `entries` stay valid until the next call.
  Result<bool> Next(std::vector<LayerEntry>* entries) {
    entries->clear();
    blocks_.clear();
    PageNo page = kNoPage;
    bool found = false;
    for (const Source& source : sources_) {
      if (!source.ended) {
        page = std::min(page, source.entry.page);
        found = true;
      }
    }
    if (table_at_ < table_.size()) {
      page = std::min(page, table_[table_at_].page);
      found = true;
    }
    if (!found) {
      return false;
    }
    for (Source& source : sources_) {
      while (!source.ended && source.entry.page == page) {
        if (blocks_.empty() || blocks_.back() != source.cursor.block()) {
          blocks_.push_back(source.cursor.block());
        }
        entries->push_back(source.entry);
        RETURN_IF_ERROR(Advance(&source));
      }
    }
    for (; table_at_ < table_.size() && table_[table_at_].page == page; ++table_at_) {
      entries->push_back(table_[table_at_]);
    }
    std::sort(entries->begin(), entries->end(), Before);
    return true;
  }

 private:
  struct Source {
    LayerCursor cursor;
    LayerEntry entry;
    bool ended = false;
  };
  static Status Advance(Source* source) {
    ASSIGN_OR_RETURN(const bool more, source->cursor.Next(&source->entry));
    source->ended = !more;
    return Status::Ok();
  }

  std::vector<LayerEntry> table_;
  size_t table_at_ = 0;
  std::vector<Source> sources_;
  Blocks blocks_;
};

class Merger {
 public:
  Merger(FileSystem& files, const std::string& directory, MergePlan plan)
      : files_(files),
        directory_(directory),
        plan_(std::move(plan)),
        writer_(files, directory, plan_.output) {}

  Result<MergeResult> Run() {
    PageGroups groups;
    Lsn complete_above;
    RETURN_IF_ERROR(groups.AddTable(std::move(plan_.table)));
    for (const LayerInfo& info : plan_.layers) {
      ASSIGN_OR_RETURN(auto layer, Layer::Open(files_, directory_, info));
      RETURN_IF_ERROR(groups.AddLayer(std::move(layer)));
      complete_above = std::max(complete_above, info.complete_above);
    }
    for (const LayerInfo& info : plan_.below) {
      ASSIGN_OR_RETURN(auto layer, Layer::Open(files_, directory_, info));
      below_.push_back(std::move(layer));
    }
    RETURN_IF_ERROR(writer_.Create());
    std::vector<LayerEntry> entries;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, groups.Next(&entries));
      if (!more) {
        break;
      }
      RETURN_IF_ERROR(EmitPage(&entries));
    }
    MergeResult result;
    writer_.set_complete_above(std::max(complete_above, dropped_up_to_));
    ASSIGN_OR_RETURN(result.info, writer_.Finish());
    result.dropped = dropped_;
    result.page_count = CountPages();
    return result;
  }

 private:
  Status EmitPage(std::vector<LayerEntry>* entries) {
    if (entries->front().page != kNoPage) {
      RETURN_IF_ERROR(AddImagesWhereTheyPay(entries));
    }
    const size_t base = NewestBase(*entries, plan_.horizon);
    for (size_t i = 0; i < entries->size(); ++i) {
      const LayerEntry& entry = (*entries)[i];
      const bool old_record = !entry.is_image && entry.lsn <= plan_.drop_records_up_to;
      const bool covered = entry.page == kNoPage || (base != kNone && i < base);
      if (covered && (entry.is_image || old_record)) {
        dropped_ = true;
        if (!entry.is_image) {
          dropped_up_to_ = std::max(dropped_up_to_, entry.lsn);
        }
        continue;
      }
      RETURN_IF_ERROR(writer_.Add(entry));
    }
    return Status::Ok();
  }

  size_t CountPages() const {
    std::vector<uint64_t> all;
    for (const LayerPagePlace& place : writer_.pages()) {
      all.push_back(place.page);
    }
    for (const auto& layer : below_) {
      std::vector<uint64_t> both;
      both.reserve(all.size() + layer->page_count());
      size_t at = 0;
      for (size_t i = 0; i < layer->page_count(); ++i) {
        const uint64_t page = layer->page_at(i).value();
        for (; at < all.size() && all[at] < page; ++at) {
          both.push_back(all[at]);
        }
        at += at < all.size() && all[at] == page ? 1 : 0;
        both.push_back(page);
      }
      both.insert(both.end(), all.begin() + static_cast<ptrdiff_t>(at), all.end());
      all = std::move(both);
    }
    return all.size();
  }

  // Index of the newest base at or under `up_to`.
  static size_t NewestBase(const std::vector<LayerEntry>& entries, Lsn up_to) {
    size_t base = kNone;
    for (size_t i = 0; i < entries.size() && entries[i].lsn <= up_to; ++i) {
      if (entries[i].page != kNoPage && IsBase(entries[i])) {
        base = i;
      }
    }
    return base;
  }

  // Which entries are to be followed by an image of the page: the last one under the horizon, so
  // that older versions may go, and the last one of all, when a read there would have to apply many
  // records; and above the horizon one every now and then in a very long chain.
  std::vector<size_t> ImagePlaces(const std::vector<LayerEntry>& entries) const {
    std::vector<size_t> places;
    size_t chain = 0;
    for (size_t i = 0; i < entries.size(); ++i) {
      chain = IsBase(entries[i]) ? 0 : chain + 1;
      const bool is_last = i + 1 == entries.size();
      const bool is_under = entries[i].lsn <= plan_.horizon;
      const bool is_last_under_horizon =
          is_under && (is_last || entries[i + 1].lsn > plan_.horizon);
      const size_t most =
          is_last || is_last_under_horizon ? plan_.image_after_records : kLayerChainMax;
      if (chain > most && (!is_under || is_last_under_horizon)) {
        places.push_back(i);
        chain = 0;
      }
    }
    return places;
  }

  Status AddImagesWhereTheyPay(std::vector<LayerEntry>* entries) {
    const std::vector<size_t> places = ImagePlaces(*entries);
    images_.clear();
    if (places.empty()) {
      return Status::Ok();
    }
    page_.Clear();
    size_t at = NewestBase(*entries, (*entries)[places.front()].lsn);
    if (at == kNone) {
      at = 0;
      // A copied layer may hold images newer than its end, but none above the horizon.
      const Lsn base_lsn = std::max(plan_.horizon, entries->front().lsn);
      RETURN_IF_ERROR(ReadPageFromLayers(below_, entries->front().page, base_lsn, &page_));
    }
    std::vector<LayerEntry> with_images(entries->begin(),
                                        entries->begin() + static_cast<ptrdiff_t>(at));
    auto place = places.begin();
    for (; at < entries->size(); ++at) {
      with_images.push_back((*entries)[at]);
      if (place == places.end()) {
        continue;
      }
      if (Status status = ApplyEntry((*entries)[at], &page_); !status.ok()) {
        COVER("merge.edits_do_not_apply");
        return Status::Ok();  // the page stays as records; its reader is told
      }
      if (at == *place) {
        ++place;
        if (page_.lsn() != (*entries)[at].lsn) {
          continue;  // a newer one is below
        }
        images_.push_back(std::make_unique<Page>(page_));
        SealPage(images_.back().get());
        with_images.push_back({entries->front().page, page_.lsn(), true, images_.back()->view()});
      }
    }
    *entries = std::move(with_images);
    return Status::Ok();
  }

  static constexpr size_t kNone = ~size_t{0};

  FileSystem& files_;
  const std::string directory_;
  MergePlan plan_;
  LayerWriter writer_;
  std::vector<std::shared_ptr<Layer>> below_;
  Page page_;
  std::vector<std::unique_ptr<Page>> images_;  // those made for the page at hand
  bool dropped_ = false;
  Lsn dropped_up_to_;
};

}  // namespace

Status FoldEntries(const std::vector<LayerEntry>& entries, Lsn up_to, Page* page) {
  size_t first = 0;
  for (size_t i = 0; i < entries.size() && entries[i].lsn <= up_to; ++i) {
    if (entries[i].lsn > page->lsn() && IsBase(entries[i])) {
      first = i;
    }
  }
  for (size_t i = first; i < entries.size() && entries[i].lsn <= up_to; ++i) {
    RETURN_IF_ERROR(ApplyEntry(entries[i], page));
  }
  return Status::Ok();
}

Status ReadPageFromLayers(const std::vector<std::shared_ptr<Layer>>& layers, PageNo number,
                          Lsn up_to, Page* page, ReadCost* cost) {
  Blocks blocks;
  std::vector<std::vector<LayerEntry>> found;  // newest layer first
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    if ((*layer)->info().up_to <= page->lsn()) {
      break;
    }
    if ((*layer)->info().from >= up_to) {
      continue;
    }
    std::vector<LayerEntry> entries;
    RETURN_IF_ERROR((*layer)->ReadPage(number, page->lsn(), up_to, &blocks, &entries));
    if (entries.empty()) {
      continue;
    }
    const auto base = std::find_if(entries.rbegin(), entries.rend(), IsBase);
    const bool based = base != entries.rend();
    if (cost != nullptr) {
      ++cost->layers;
      cost->records += static_cast<uint64_t>(base - entries.rbegin());
    }
    found.push_back(std::move(entries));
    if (based) {
      break;
    }
  }
  for (auto entries = found.rbegin(); entries != found.rend(); ++entries) {
    RETURN_IF_ERROR(FoldEntries(*entries, up_to, page));
  }
  return Status::Ok();
}

Result<MergeResult> MergeLayers(FileSystem& files, const std::string& directory, MergePlan plan) {
  const std::string path = directory + "/" + LayerFileName(plan.output.number);
  auto result = Merger(files, directory, std::move(plan)).Run();
  if (!result.ok()) {
    files.Remove(path).IgnoreError();  // an orphan is removed at the next start
  }
  return result;
}

}  // namespace borealis::storage_node
