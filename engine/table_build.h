// Builds new trees of a table while other transactions read and change its rows.
//
// The trees are always the image of the table as one read view sees it, and go from one view to the
// next:
//
//   Start     nobody uses the table; the change log begins, and the first view is made
//   Load      the image of the first view: rows in order, index entries sorted, trees filled in
//             bulk (store/bulk_load.h)
//   CatchUp   a new view; for each row in the log: first what the old view saw goes out of the
//             trees, for all of them, then what the new view sees comes in. Again while much is
//             left.
//   Finish    nobody uses the table; the same with a last view, which sees every transaction there
//             was
//
// A log of images ("set entry X", as InnoDB's) would have to be applied in the order of the
// changes, take rollbacks into account, and could meet duplicates that never existed at any one
// time. With views the log need only say which rows to look at; row versions say the rest, and a
// duplicate is one that a reader could have seen.
//
// INV-DDL-3  Between the calls the new trees hold exactly what the rows that `view_` sees make of
//            them; the log holds every row that a later view may see otherwise.
//
// One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/change_log.h"
#include "engine/row.h"
#include "engine/schema_changer.h"
#include "engine/sorted_runs.h"
#include "engine/store/bulk_load.h"
#include "engine/trx/read_view.h"

namespace borealis::engine {

// Fills `target` (all its trees empty, or kept ones to be left alone) from the rows of `source`.
struct TableBuild {
  const Table* source = nullptr;
  const Table* target = nullptr;
  std::vector<bool> build;   // [index_no of target]
  RowMapper rewrite;         // null: rows stay as they are
  bool keeps_order = false;  // rows come in the order that they had
  DuplicateKey* duplicate = nullptr;
  std::string* duplicate_row = nullptr;
};

class TableBuilder {
 public:
  TableBuilder(SchemaChange& change, TableBuild build);
  // The log ends.
  ~TableBuilder();
  TableBuilder(const TableBuilder&) = delete;
  TableBuilder& operator=(const TableBuilder&) = delete;

  // REQUIRES: the table's exclusive metadata lock.
  Status Start();
  Status Load();
  Status CatchUp();
  // REQUIRES: the table's exclusive metadata lock. Afterwards the trees are those of the table as
  // it is.
  Status Finish();

 private:
  // The entries that a row has in the new trees. keys[0] and row are set only when rows are
  // rewritten.
  struct Image {
    bool exists = false;
    std::string row;  // in its new form
    std::string clustered_key;
    std::vector<IndexKey> keys;  // [index_no]
  };

  Core& core() const { return change_.core(); }
  const BTree& TreeOf(size_t index_no) const { return build_.target->trees().tree(index_no); }
  BTree& TreeOf(size_t index_no) { return build_.target->trees().tree(index_no); }
  bool rewrites() const { return build_.rewrite != nullptr; }
  Result<const ReadView*> MakeView();

  // --- rows as a view sees them
  using RowVisitor = std::function<Status(std::string_view key, std::string_view row)>;
  Status VisitRows(const RowVisitor& visit);
  Result<bool> ReadRow(const ReadView& view, std::string_view key, std::string* row) const;
  Status MakeImage(const ReadView& view, std::string_view key, Image* image);
  // Keys of the built secondary indexes of a row in its new form.
  Status BuildKeys(std::string_view row, std::string_view clustered_key,
                   std::vector<IndexKey>* keys) const;

  // --- loading
  Status LoadRows(std::vector<std::unique_ptr<SortedRuns>>* entries);
  Status LoadRowsInto(BulkLoad* load, std::vector<std::unique_ptr<SortedRuns>>* entries);
  Status LoadRow(std::string_view row, BulkLoad* load, std::vector<std::unique_ptr<SortedRuns>>*);
  Status LoadSortedRows(SortedRuns* rows, BulkLoad* load,
                        std::vector<std::unique_ptr<SortedRuns>>* entries);
  Status LoadIndex(size_t index_no, SortedRuns* entries);
  Status AddEntries(std::string_view row, std::string_view clustered_key,
                    std::vector<std::unique_ptr<SortedRuns>>* entries);
  // The entry of a row in the new clustered tree, as one that everybody sees.
  Result<std::string> StoreRow(std::string_view row, size_t key_size);

  // --- catching up
  Result<uint64_t> Advance(const ReadView* to);
  Status RemoveImage(const Image& image);
  Status InsertImage(const Image& image);
  Status RemoveRow(std::string_view clustered_key);
  Status CheckLog() const;

  Status Duplicate(size_t index_no, std::string_view clustered_key, std::string_view row);
  std::unique_ptr<SortedRuns> NewRuns() const;

  SchemaChange& change_;
  const TableBuild build_;
  const std::shared_ptr<ChangeLog> log_;
  const ReadView* view_ = nullptr;
};

}  // namespace borealis::engine
