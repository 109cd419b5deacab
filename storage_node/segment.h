// A segment: one copy of one protection group, as a node holds it.
//
// Records that are durable in the journal and not yet in layers are in the table: the chain, which
// follows the PG's back links from the layers up to the SCL, and apart from it the records beyond a
// hole. A page's records in the chain are linked newest to oldest. Records are views into journal
// batches, which they keep alive.
//
// INV-SEG-1  In the chain each record's back link is its predecessor's end; the first one's is
//            layered_up_to(). SCL is the end of the last, or layered_up_to() when there is none.
//            (Between NoteLayeredUpTo and ReleaseUpTo the chain begins further down.)
// INV-SEG-3  Of a page with many records in the table there is an image in memory after every
//            kTableChainMax of them, so no read applies more of the table's records than that.
// INV-SEG-2  Nothing at or under layered_up_to() is ever taken back.
// One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "storage_node/journal.h"
#include "storage_node/known_geometry.h"
#include "storage_node/layer.h"
#include "storage_node/manifest.h"
#include "storage_node/merge.h"
#include "storage_node/retention.h"
#include "volume/edit.h"
#include "volume/page.h"
#include "volume/record.h"

namespace borealis::storage_node {

// What the node knows of a volume as a whole.
struct VolumeState {
  VolumeId id;
  VolumeEpoch epoch;  // highest sealed or written here
  // The opener that sealed `epoch` here, if any: no other may with the same epoch.
  bool has_opener = false;
  uint64_t opener_id = 0;
  Lsn vdl_told;
  VolumeEpoch vdl_epoch;  // of the writer that told it
  Retention retention;
  std::vector<AnnulledRange> annulled;  // by `after`, then epoch
  // The highest that was given to this node; told to others, acted upon only when it is durable.
  KnownGeometry geometry;

  void NoteVdl(Lsn vdl, VolumeEpoch teller);
  // Whether the opening of the writer that told the VDL is known here, so that what it annulled is.
  bool KnowsTellersOpening() const { return HighestAnnulling() >= vdl_epoch; }

  bool IsVoid(Lsn end, VolumeEpoch record_epoch) const;
  VolumeEpoch HighestAnnulling() const;
  // A list of annulled ranges holds alone: that with the highest epoch in it. True when `list`
  // takes the place of what was known. (An opening that died may have left a range, on a few nodes,
  // over records that a later opening kept; only the later list tells.)
  bool AdoptList(std::vector<AnnulledRange> list);
};

inline constexpr uint32_t kTableChainMax = 1024;

class Segment {
 public:
  enum class Taken { kNew, kRepeated, kVoid, kConflict };

  Segment(const VolumeState* volume, PgId pg, Journal* journal);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  PgId pg() const { return pg_; }
  const VolumeState& volume() const { return *volume_; }

  // What Insert would say; kConflict for a record that contradicts one already here.
  Taken Probe(const RecordView& record) const;
  // Takes a record that is durable in the batch. The view stays valid as long as the batch.
  Taken Insert(const RecordView& record, JournalBatch* batch);
  // Drops what the volume's annulled ranges make void, and moves on along the chain that is left.
  void DropVoid();

  Lsn scl() const { return scl_; }
  Lsn layered_up_to() const { return layered_up_to_; }
  Lsn highest_held() const;
  // The least LSN at which pages can be read.
  Lsn horizon() const { return horizon_; }
  // Records above this are all available one by one.
  Lsn complete_above() const;
  // Whether void records that this node has not been told about may be in the chain, in the eyes
  // of somebody who knows that the PG's last record at or under `up_to` is `last`.
  bool DoubtfulBetween(Lsn last, Lsn up_to, VolumeEpoch epoch) const;

  uint64_t table_bytes() const { return table_bytes_; }
  uint64_t table_records() const { return chain_.size() + beyond_.size(); }
  // The journal file of the oldest record in the chain; 0 when it is empty.
  uint64_t oldest_journal_file() const;
  // The VDL told, or less where records under it may be void without this node's knowing.
  Lsn SettledVdl() const;
  // Tail for a seal: encoded entries above `above`, and the last record at or under it.
  std::string Tail(Lsn above) const;
  Lsn LastAtOrUnder(Lsn lsn) const;

  // What memory has of a page that is newer than *page, and not above `up_to`: an image of it, and
  // the chain's records in (page->lsn(), up_to].
  void UseTableImage(PageNo number, Lsn up_to, Page* page) const;
  Status ApplyTable(PageNo number, Lsn up_to, Page* page, ReadCost* cost) const;
  // Copies of those records, in LSN order, in (after, up_to].
  std::string TableRecords(PageNo number, Lsn after, Lsn up_to) const;
  // The layers that have entries of the page, oldest first, without those at or under `after` or
  // above `up_to` as a whole.
  std::vector<std::shared_ptr<Layer>> LayersWith(PageNo number, Lsn after, Lsn up_to) const;
  // Those with records in (after, up_to].
  std::vector<std::shared_ptr<Layer>> LayersBetween(Lsn after, Lsn up_to) const;
  // Images that INV-SEG-3 asks for, and have not been made: of which page, as of which LSN.
  std::vector<std::pair<PageNo, Lsn>> TakeImagesDue() { return std::exchange(images_due_, {}); }
  bool HasImagesDue() const { return !images_due_.empty(); }
  // Unless the chain has lost the page's record at the image's LSN meanwhile.
  void AddTableImage(PageNo number, std::unique_ptr<Page> image);
  // Numbers of pages in [from, end) with any record at or under `up_to`, at most `count`; *next is
  // the first page after these that may have one, kNoPage when there is none.
  std::vector<PageNo> PagesIn(PageNo from, PageNo end, Lsn up_to, size_t count, PageNo* next) const;
  // About how many pages have records: as a merge of the newest layer counted them, or, since a
  // restart, what the largest layer has.
  size_t PageCount() const;
  void NotePageCount(size_t count) { counted_pages_ = count; }
  // Of these, about how many have anything on them.
  size_t LivePageCount() const;
  // How many times pages were emptied, in the table and in layers, at or under `line`, while older
  // versions of them are still here: about what a merge by that line would give back.
  size_t EmptiedInTable(Lsn line) const;
  size_t EmptiedInLayers(Lsn line) const;
  // The table's records in (after, up_to] in LSN order, as long as `out` is below `size_max`.
  void ReadTable(Lsn after, Lsn up_to, size_t size_max, std::string* out, bool* more) const;

  // Last chain record at or under SCL and VDL told that is known to be valid: what may go into a
  // layer. It is, when the teller's opening is known here, or when it or a record after it in the
  // chain was written by the teller.
  Lsn LayerCut() const;
  // The chain's records up to `cut`, for a merge plan. Valid until ReleaseUpTo or DropVoid.
  std::vector<LayerEntry> TableEntries(Lsn cut) const;
  // A layer holds them now; the manifest that says so is on its way.
  void NoteLayeredUpTo(Lsn cut);
  // It is durable: out of the table.
  void ReleaseUpTo(Lsn cut);

  const std::vector<std::shared_ptr<Layer>>& layers() const { return layers_; }
  std::vector<LayerInfo> LayerInfos() const;
  // Puts `layer` in the place of those with the given numbers, or at the end when there are none.
  void InstallLayer(std::shared_ptr<Layer> layer, const std::vector<uint64_t>& replaced,
                    Lsn new_horizon);
  // A layer of pages copied from peers, as of up to `new_horizon`, chain from `chain_lsn` on: it
  // goes on top of the layers, or in their place when they are damaged. Describe() says so at once;
  // the SCL, which may be acknowledged, moves when that is durable.
  void StageCopy(std::shared_ptr<Layer> layer, Lsn chain_lsn, Lsn new_horizon);
  void InstallCopy();
  // As the manifest says; layers are given separately.
  void Restore(const SegmentRecord& record, std::vector<std::shared_ptr<Layer>> layers);
  SegmentRecord Describe() const;

  bool damaged = false;    // a layer does not verify: reads that need it are refused
  bool layer_job = false;  // a work on its layers is under way …
  Lsn job_cut;             // … and reads the chain up to here,
  Lsn job_horizon;         // and may raise the horizon to here
  // Copies of all records in memory, in LSN order, and an empty table: for salvage.
  std::vector<std::string> TakeTable();
  // Lets go of all records in memory: their journal space is free.
  void Discard();

 private:
  struct Entry {
    const char* bytes = nullptr;
    JournalBatch* batch = nullptr;
    Lsn end;
    PageNo page;
    uint64_t previous_of_page = 0;  // position in the chain, valid when at or after first_
    VolumeEpoch epoch;
    uint32_t length = 0;
    RecordView View() const { return ViewVerifiedRecord({bytes, length}); }
    bool EmptiesPage() const {
      return length == RecordSize(kEmptyingEdits.size()) && page != kNoPage &&
             View().body == kEmptyingEdits;
    }
  };

  // A page in the chain: its newest record, and how many there are since the last image.
  struct PageTail {
    uint64_t newest = 0;
    uint32_t since_image = 0;
  };

  void ForgetImagesFrom(PageNo number, Lsn lsn);
  void ForgetImagesUpTo(PageNo number, Lsn lsn);
  const Entry& At(uint64_t position) const { return chain_[position - first_]; }
  // Index into chain_ of the first entry with end > lsn.
  size_t UpperBound(Lsn lsn) const;
  const Entry* Find(Lsn end) const;
  // The page's in the chain in (after, up_to], newest first.
  std::vector<const Entry*> EntriesOf(PageNo number, Lsn after, Lsn up_to) const;
  bool CanCutTo(Lsn back_link, VolumeEpoch epoch) const;
  void CutAbove(Lsn lsn);
  void PopBack(bool keep_if_valid);
  void PopFront();
  void PushChain(const Entry& entry);
  void Drain();
  void EraseBeyond(std::map<Lsn, Entry>::iterator at);
  void Forget(const Entry& entry);

  const VolumeState* const volume_;
  const PgId pg_;
  Journal* const journal_;
  std::deque<Entry> chain_;
  uint64_t first_ = 1;  // position of chain_.front(); positions only grow
  std::unordered_map<PageNo, PageTail> pages_;
  std::unordered_map<PageNo, std::vector<std::unique_ptr<Page>>> table_images_;  // by LSN
  std::vector<std::pair<PageNo, Lsn>> images_due_;
  size_t counted_pages_ = 0;
  std::deque<Lsn> emptied_;  // ends of the chain's records that empty their pages
  std::map<Lsn, Entry> beyond_;
  std::multimap<Lsn, Lsn> beyond_by_back_link_;
  Lsn scl_;
  Lsn layered_up_to_;
  Lsn horizon_;
  uint64_t table_bytes_ = 0;
  std::vector<std::shared_ptr<Layer>> layers_;
  struct StagedCopy {
    std::shared_ptr<Layer> layer;
    Lsn chain_lsn;
    Lsn horizon;
    bool replaces = false;  // all other layers, which are damaged
  };
  std::optional<StagedCopy> staged_;
};

}  // namespace borealis::storage_node
