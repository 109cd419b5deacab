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
    return result;
  }

 private:
  Status EmitPage(std::vector<LayerEntry>* entries) {
    if (entries->front().page != kNoPage) {
      RETURN_IF_ERROR(AddImageWhereItPays(entries));
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

  // Records that a read at `up_to` would have to apply.
  static size_t ChainLength(const std::vector<LayerEntry>& entries, Lsn up_to) {
    size_t length = 0;
    for (const LayerEntry& entry : entries) {
      if (entry.lsn > up_to) {
        break;
      }
      length = IsBase(entry) ? 0 : length + 1;
    }
    return length;
  }

  // An image at the horizon lets older versions go; one at the end makes reads short.
  Status AddImageWhereItPays(std::vector<LayerEntry>* entries) {
    Lsn at = plan_.horizon;
    if (ChainLength(*entries, at) <= plan_.image_after_records) {
      at = entries->back().lsn;
      if (ChainLength(*entries, at) <= plan_.image_after_records) {
        return Status::Ok();
      }
    }
    page_.Clear();
    if (NewestBase(*entries, at) == kNone) {
      RETURN_IF_ERROR(ReadPageFromLayers(below_, entries->front().page, at, &page_));
    }
    if (Status status = FoldEntries(*entries, at, &page_); !status.ok()) {
      COVER("merge.edits_do_not_apply");
      return Status::Ok();  // the page stays as records; its reader is told
    }
    SealPage(&page_);
    LayerEntry image{entries->front().page, page_.lsn(), true, page_.view()};
    entries->insert(std::upper_bound(entries->begin(), entries->end(), image, Before), image);
    return Status::Ok();
  }

  static constexpr size_t kNone = ~size_t{0};

  FileSystem& files_;
  const std::string directory_;
  MergePlan plan_;
  LayerWriter writer_;
  std::vector<std::shared_ptr<Layer>> below_;
  Page page_;
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
    const LayerEntry& entry = entries[i];
    if (!entry.is_image) {
      RETURN_IF_ERROR(ApplyRecord(ViewVerifiedRecord(entry.bytes), page));
    } else if (entry.lsn > page->lsn()) {
      std::memcpy(page->bytes, entry.bytes.data(), kPageSize);
    }
  }
  return Status::Ok();
}

Status ReadPageFromLayers(const std::vector<std::shared_ptr<Layer>>& layers, PageNo number,
                          Lsn up_to, Page* page) {
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
    const bool based = std::any_of(entries.begin(), entries.end(), IsBase);
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
