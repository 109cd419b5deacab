// xBestIndex of stored tables: which index, which bounds, which order, at what cost.
//
// Costs are in units of one row read from the clustered tree in order. How many rows a plan meets:
//
//   a whole unique key            one for each combination of values
//   constants                     two dives into the index for each range (EstimateRange), but for
//                                 eq_range_index_dive_limit equalities and more
//   values not known yet          rows by distinct values of the prefix, as counted (statistics.h);
//   (parameters, joins)           a range has a fixed share of that
//   nothing counted yet           a fixed share of the table
//
// Conditions that a plan does not serve still drop rows, which decides in what order tables are
// joined: as many of them as of some rows that are looked at (RowSample), where the conditions are
// known; otherwise each column's takes a share of them, as in MySQL's condition filtering a fixed
// one unless an index tells how many values there are. What conditions on several columns leave,
// and those that the machine does not pass on, the lowering has guessed (passing_share.h).
//
// What the machine passes and where it is wrong is in docs (SQLite's xBestIndex): OFFSET is never
// consumed, `omit` counts for the first 16 arguments only, IN is taken whole for the first 32
// constraints only, arguments are numbered without gaps.
#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "engine/engine.h"
#include "row/collation.h"
#include "row/row_codec.h"
#include "sql/catalog/row_layout.h"
#include "sql/functions/function.h"
#include "sql/sqlite/key_ranges.h"
#include "sql/sqlite/passing_share.h"
#include "sql/sqlite/register_io.h"
#include "sql/sqlite/table_module.h"
#include "sql/sqlite/table_plan.h"

namespace borealis::sql {
namespace {

constexpr int kMaxOmit = 16;
constexpr int kMaxInConstraint = 32;
// Reading the row behind a secondary entry, against reading the next clustered row.
constexpr double kRowFetchCost = 6;
constexpr double kSeekCost = 3.0;
// What a locking scan of everything costs those who want some of it.
constexpr double kLockingScanCost = 20.0;
constexpr double kEqualShare = 0.01;  // of a non-unique index's rows, per key part
constexpr double kRangeShare = 0.3;   // one-sided
constexpr double kBetweenShare = 0.1;
// Of the table's rows that a hash of them costs each look-up: twenty or so share it.
constexpr double kHashShare = 0.05;
// Fewer rows than this tell less than a guess.
constexpr size_t kSampleLeast = 30;
constexpr double kInSize = 5;  // values of an IN list, unknown at planning

using Use = PlanArgument::Use;

struct Match {
  int constraint = -1;
  Use use = Use::kEqual;
};

// One index with everything about the constraints that it can serve.
struct Candidate {
  size_t index = 0;
  std::vector<Match> arguments;
  std::vector<uint32_t> hash_columns;  // not empty: of the arguments, and no index is read
  size_t fixed_parts = 0;              // leading parts with one value each
  bool has_in = false;
  bool unique_point = false;
  bool covering = false;
  bool ordered = false;
  bool reverse = false;
  double rows = 0;
  double cost = 0;
};

class Planner {
 public:
  Planner(const TableModule& module, sqlite3_index_info* info) : module_(module), info_(info) {
    table_rows_ = 1000;
    if (module.engine_table() != nullptr) {
      Result<engine::TableEstimate> estimate = Estimate();
      if (estimate.ok()) {
        table_rows_ = std::max<double>(static_cast<double>(estimate->row_count), 1);
      }
      auto statistics = module_.engine().Statistics(*module_.engine_table());
      if (statistics.ok()) {
        statistics_ = *statistics;
      }
    }
  }

  int Run() {
    if (PlanHandle()) {
      return SQLITE_OK;
    }
    const TableDescriptor& table = module_.table();
    Candidate best;
    bool found = false;
    for (size_t i = 0; i < table.indexes.size(); ++i) {
      if (i > 0 && (!module_.IndexUsable(i) || !table.indexes[i].visible)) {
        continue;
      }
      Candidate candidate = Consider(i);
      // A secondary index that serves nothing is only worth it when it is smaller than the rows.
      if (i > 0 && candidate.arguments.empty() && !candidate.ordered && !candidate.covering) {
        continue;
      }
      if (!found || candidate.cost < best.cost) {
        best = std::move(candidate);
        found = true;
      }
    }
    // Where an index serves the join its statistics are better than a guess.
    if (!std::ranges::any_of(best.arguments, [this](const Match& m) { return IsJoin(m); })) {
      Candidate hashed = ConsiderHash();
      if (!hashed.hash_columns.empty() && hashed.cost < best.cost) {
        best = std::move(hashed);
      }
    }
    Emit(best);
    return SQLITE_OK;
  }

 private:
  Result<engine::TableEstimate> Estimate() const;

  bool CollationFits(int constraint, const row::Type& type) const {
    if (!type.is_text()) {
      return true;
    }
    const char* name = sqlite3_vtab_collation(info_, constraint);
    return name != nullptr && row::GetCollation(type.collation).name() == name;
  }

  // WHERE h = ?: the executor finds rows again by their handle, and OR merges by it.
  bool PlanHandle() {
    for (int i = 0; i < info_->nConstraint; ++i) {
      const auto& constraint = info_->aConstraint[i];
      if (constraint.usable && constraint.iColumn == module_.handle_column() &&
          constraint.op == SQLITE_INDEX_CONSTRAINT_EQ) {
        TablePlan plan;
        plan.by_handle = true;
        plan.unique_point = true;
        plan.rows = 1;
        plan.arguments.push_back({Use::kHandle});
        info_->aConstraintUsage[i].argvIndex = 1;
        info_->aConstraintUsage[i].omit = 1;
        TakeFilter(&plan);
        info_->idxStr = sqlite3_mprintf("%s", plan.Encode().c_str());
        info_->needToFreeIdxStr = 1;
        info_->estimatedRows = 1;
        info_->estimatedCost = kSeekCost;
        info_->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
        return true;
      }
    }
    return false;
  }

  // A constraint that fixes the column to one value (or one of a list).
  Match FindEqual(uint32_t column, const row::Type& type) const {
    Match in;
    for (int i = 0; i < info_->nConstraint; ++i) {
      const auto& constraint = info_->aConstraint[i];
      if (!constraint.usable || constraint.iColumn != static_cast<int>(column) ||
          !CollationFits(i, type)) {
        continue;
      }
      switch (constraint.op) {
        case SQLITE_INDEX_CONSTRAINT_EQ:
          if (i < kMaxInConstraint && sqlite3_vtab_in(info_, i, -1) != 0) {
            in = {i, Use::kIn};
            break;
          }
          return {i, Use::kEqual};
        case SQLITE_INDEX_CONSTRAINT_IS:
          return {i, Use::kSame};
        case SQLITE_INDEX_CONSTRAINT_ISNULL:
          return {i, Use::kIsNull};
        default:
          break;
      }
    }
    return in;
  }

  Match FindBound(uint32_t column, const row::Type& type, bool lower) const {
    for (int i = 0; i < info_->nConstraint; ++i) {
      const auto& constraint = info_->aConstraint[i];
      if (!constraint.usable || constraint.iColumn != static_cast<int>(column) ||
          !CollationFits(i, type)) {
        continue;
      }
      switch (constraint.op) {
        case SQLITE_INDEX_CONSTRAINT_GT:
          if (lower) {
            return {i, Use::kGreater};
          }
          break;
        case SQLITE_INDEX_CONSTRAINT_GE:
          if (lower) {
            return {i, Use::kGreaterEqual};
          }
          break;
        case SQLITE_INDEX_CONSTRAINT_LT:
          if (!lower) {
            return {i, Use::kLess};
          }
          break;
        case SQLITE_INDEX_CONSTRAINT_LE:
          if (!lower) {
            return {i, Use::kLessEqual};
          }
          break;
        default:
          break;
      }
    }
    return {};
  }

  Candidate Consider(size_t index_no) const {
    const TableDescriptor& table = module_.table();
    const IndexDescriptor& index = table.indexes[index_no];
    Candidate candidate;
    candidate.index = index_no;
    double range_share = 1;
    double combinations = 1;
    bool all_not_null = true;
    size_t part_no = 0;
    for (; part_no < index.parts.size(); ++part_no) {
      const IndexPart& part = index.parts[part_no];
      const row::Type& type = table.columns[part.column].type;
      Match match = part.prefix_length == 0 ? FindEqual(part.column, type) : Match();
      if (match.constraint < 0) {
        break;
      }
      if (match.use == Use::kIn && candidate.has_in) {
        break;  // one list per scan
      }
      candidate.has_in |= match.use == Use::kIn;
      combinations *= match.use == Use::kIn ? ListSize(part.column) : 1;
      all_not_null &= match.use == Use::kEqual || match.use == Use::kIn;
      candidate.arguments.push_back(match);
    }
    candidate.fixed_parts = part_no;
    candidate.unique_point =
        index.unique() && part_no == index.parts.size() && part_no > 0 && all_not_null;
    bool bounded = false;
    if (part_no < index.parts.size() && index.parts[part_no].prefix_length == 0) {
      const IndexPart& part = index.parts[part_no];
      const row::Type& type = table.columns[part.column].type;
      Match low = FindBound(part.column, type, true);
      Match high = FindBound(part.column, type, false);
      if (low.constraint >= 0) {
        candidate.arguments.push_back(low);
      }
      if (high.constraint >= 0) {
        candidate.arguments.push_back(high);
      }
      if (low.constraint >= 0 && high.constraint >= 0) {
        range_share = kBetweenShare;
      } else if (low.constraint >= 0 || high.constraint >= 0) {
        range_share = kRangeShare;
      }
      bounded = low.constraint >= 0 || high.constraint >= 0;
    }
    if (candidate.unique_point) {
      candidate.rows = combinations;
    } else if (const auto counted = CountRanges(index_no, candidate); counted.has_value()) {
      candidate.rows = std::max(*counted, 1.0);
    } else {
      const double each = RowsPerValue(index_no, part_no);
      candidate.rows = std::clamp(each * range_share * combinations, 1.0, table_rows_);
      if (part_no > 0 && !bounded && statistics_ == nullptr) {
        // A non-unique key of a small table still selects.
        candidate.rows = std::max(candidate.rows, std::min(table_rows_, 2.0));
      }
    }
    candidate.covering = index_no != 0 && Covers(index_no);
    SetOrder(index, &candidate);
    SetCost(index_no, combinations, &candidate);
    return candidate;
  }

  bool IsJoin(const Match& match) const {
    return match.use == Use::kEqual && !IsConstant(match.constraint) &&
           module_.machine()->IsJoined(
               module_, static_cast<uint32_t>(info_->aConstraint[match.constraint].iColumn));
  }

  // Look-ups by columns that the query joins with other tables. Without hash_columns: nothing to
  // look up by. Rows that are locked, or whose handle is asked for, are read in their tree.
  Candidate ConsiderHash() const {
    Candidate candidate;
    const int handle = std::min(module_.handle_column(), 63);
    if (module_.engine_table() == nullptr || module_.locks() ||
        (info_->colUsed & (uint64_t{1} << handle)) != 0) {
      return candidate;
    }
    double share = 1;
    for (int i = 0; i < info_->nConstraint; ++i) {
      const auto& constraint = info_->aConstraint[i];
      if (constraint.op != SQLITE_INDEX_CONSTRAINT_EQ || constraint.usable == 0 ||
          constraint.iColumn < 0 || constraint.iColumn >= module_.handle_column()) {
        continue;
      }
      const auto column = static_cast<uint32_t>(constraint.iColumn);
      const row::Type& type = module_.table().columns[column].type;
      const bool is_list = i < kMaxInConstraint && sqlite3_vtab_in(info_, i, -1) != 0;
      if (is_list || type.kind == row::TypeKind::kJson || !CollationFits(i, type) ||
          !IsJoin({i, Use::kEqual}) ||
          std::ranges::find(candidate.hash_columns, column) != candidate.hash_columns.end()) {
        continue;
      }
      candidate.arguments.push_back({i, Use::kEqual});
      candidate.hash_columns.push_back(column);
      share *= EqualShareOf(column);
    }
    candidate.rows = std::max(table_rows_ * share, 1.0);
    SetCost(0, 1, &candidate);
    candidate.cost += table_rows_ * kHashShare;
    return candidate;
  }

  double ListSize(uint32_t column) const {
    const ConstantList* list = module_.machine()->LongestListOf(module_, column);
    return list != nullptr ? static_cast<double>(list->values.size()) : kInSize;
  }

  // Rows that share a value of the first `parts` parts. As of when they were counted: values come
  // with rows, and how many share one stays.
  double RowsPerValue(size_t index_no, size_t parts) const {
    if (parts == 0) {
      return table_rows_;
    }
    const engine::IndexStatistics* index =
        statistics_ == nullptr
            ? nullptr
            : statistics_->Find(module_.engine_table()->definition().indexes[index_no].id);
    if (index == nullptr || parts > index->distinct.size()) {
      return table_rows_ * std::pow(kEqualShare, static_cast<double>(parts));
    }
    const auto rows = static_cast<double>(statistics_->row_count);
    const auto distinct = static_cast<double>(index->distinct[parts - 1]);
    return std::max(rows / std::max(distinct, 1.0), 1.0);
  }

  // The constant that a constraint compares with; nothing when it is not known at planning.
  std::optional<row::Value> ConstantOf(const Match& match, const row::Type& type) const {
    sqlite3_value* value = nullptr;
    if (sqlite3_vtab_rhs_value(info_, match.constraint, &value) != SQLITE_OK || value == nullptr) {
      return std::nullopt;
    }
    if (sqlite3_value_type(value) == SQLITE_NULL) {
      return row::Value::Null();
    }
    Result<row::Value> decoded = ValueOf(value, type);
    return decoded.ok() ? std::optional(std::move(decoded).value()) : std::nullopt;
  }

  // The prefixes that the fixed parts leave; false when not all values are known, or they are more
  // than are dived for.
  bool FixedPrefixes(const Candidate& candidate, std::vector<std::string>* prefixes) const {
    const row::KeySchema& keys = module_.keys(candidate.index);
    const IndexDescriptor& index = module_.table().indexes[candidate.index];
    const uint64_t limit = module_.machine()->dive_limit();
    prefixes->assign(1, "");
    for (size_t part = 0; part < candidate.fixed_parts; ++part) {
      const Match& match = candidate.arguments[part];
      std::vector<row::Value> values;
      if (match.use == Use::kIn) {
        const ConstantList* list = module_.machine()->ListOf(module_, index.parts[part].column);
        if (list == nullptr) {
          return false;
        }
        for (const row::Value& value : list->values) {
          values.push_back(value.Borrow());
        }
      } else if (match.use == Use::kIsNull) {
        values.push_back(row::Value::Null());
      } else if (auto constant = ConstantOf(match, keys[part].type); constant.has_value()) {
        values.push_back(std::move(*constant));
      } else {
        return false;
      }
      std::vector<std::string> extended;
      for (const row::Value& value : values) {
        if (value.is_null() && match.use != Use::kIsNull && match.use != Use::kSame) {
          continue;  // equals nothing
        }
        std::vector<std::string> with_value = *prefixes;
        const Result<bool> held = AppendEqual(keys[part], value, &with_value);
        if (!held.ok()) {
          return false;
        }
        if (*held) {
          std::ranges::move(with_value, std::back_inserter(extended));
        }
      }
      *prefixes = std::move(extended);
    }
    return limit == 0 || candidate.fixed_parts == 0 || prefixes->size() < limit;
  }

  // The entries in the candidate's ranges, by dives; nothing when its values are not all known.
  std::optional<double> CountRanges(size_t index_no, const Candidate& candidate) const {
    if (module_.engine_table() == nullptr || candidate.arguments.empty()) {
      return std::nullopt;
    }
    std::vector<std::string> prefixes;
    if (!FixedPrefixes(candidate, &prefixes)) {
      return std::nullopt;
    }
    std::vector<engine::KeyRange> ranges;
    if (candidate.arguments.size() == candidate.fixed_parts) {
      for (const std::string& prefix : prefixes) {
        ranges.push_back(engine::KeyRange::Prefix(prefix));
      }
    } else {
      const row::KeyPart& part = module_.keys(index_no)[candidate.fixed_parts];
      std::vector<RangeBound> bounds;
      for (size_t i = candidate.fixed_parts; i < candidate.arguments.size(); ++i) {
        auto constant = ConstantOf(candidate.arguments[i], part.type);
        if (!constant.has_value()) {
          return std::nullopt;
        }
        if (constant->is_null()) {
          return 0;
        }
        bounds.push_back({candidate.arguments[i].use, std::move(*constant)});
      }
      if (!AppendBounds(part, bounds, prefixes, &ranges).ok()) {
        return std::nullopt;
      }
    }
    double rows = 0;
    for (const engine::KeyRange& range : ranges) {
      auto count = module_.engine().EstimateRange(*module_.engine_table(), index_no, range.lower,
                                                  range.no_upper ? "" : range.upper);
      if (!count.ok()) {
        return std::nullopt;
      }
      rows += static_cast<double>(*count);
    }
    return rows;
  }

  void SetCost(size_t index_no, double combinations, Candidate* candidate) const {
    double per_row = index_no == 0 ? 1.0 : candidate->covering ? 0.7 : kRowFetchCost;
    candidate->cost = kSeekCost * combinations + candidate->rows * per_row;
    if (info_->nOrderBy > 0 && !candidate->ordered && candidate->rows > 1) {
      candidate->cost += candidate->rows * std::log2(candidate->rows) * 0.5;
    }
    if (candidate->arguments.empty() && module_.locks()) {
      candidate->cost *= kLockingScanCost;
    }
    if (candidate->arguments.empty() && index_no != 0 && module_.force_index()) {
      candidate->cost *= 0.1;
    } else if (index_no == 0 && module_.force_index() && candidate->arguments.empty()) {
      candidate->cost *= 1000;  // FORCE INDEX: a table scan is very expensive
    }
  }

  // Whether key parts give all the columns that the query reads.
  bool Covers(size_t index_no) const {
    const TableDescriptor& table = module_.table();
    auto has = [&](size_t index, uint32_t column) {
      const auto& parts = table.indexes[index].parts;
      for (size_t i = 0; i < parts.size(); ++i) {
        if (parts[i].column == column && row::KeyPartDecodable(module_.keys(index)[i])) {
          return true;
        }
      }
      return false;
    };
    for (size_t column = 0; column <= table.columns.size(); ++column) {
      uint64_t bit = uint64_t{1} << std::min<size_t>(column, 63);
      if ((info_->colUsed & bit) == 0 || column == table.columns.size()) {
        continue;  // the handle is in every entry
      }
      auto number = static_cast<uint32_t>(column);
      if (!has(index_no, number) && !has(0, number)) {
        return false;
      }
    }
    const std::optional<uint32_t> filter = FilterNumber();
    const RowFilter* const read = filter ? module_.machine()->FilterOf(*filter) : nullptr;
    return !filter || (read != nullptr &&
                       std::ranges::all_of(read->conditions, [&](const RowFilter::Condition& one) {
                         return std::ranges::all_of(one.columns, [&](uint32_t column) {
                           return has(index_no, column) || has(0, column);
                         });
                       }));
  }

  // ORDER BY is served when, after the fixed parts, it follows the key (and then the clustered key
  // that every entry ends with) in one direction throughout.
  void SetOrder(const IndexDescriptor& index, Candidate* candidate) const {
    if (info_->nOrderBy == 0 || candidate->has_in) {
      return;
    }
    const TableDescriptor& table = module_.table();
    std::vector<IndexPart> parts = index.parts;
    if (candidate->index != 0) {
      const auto& clustered = table.indexes[0].parts;
      parts.insert(parts.end(), clustered.begin(), clustered.end());
    }
    auto is_fixed = [&](int column) {
      for (size_t i = 0; i < candidate->fixed_parts; ++i) {
        if (static_cast<int>(index.parts[i].column) == column) {
          return true;
        }
      }
      return false;
    };
    size_t at = candidate->fixed_parts;
    bool direction_set = false;
    bool reverse = false;
    for (int i = 0; i < info_->nOrderBy; ++i) {
      const auto& order = info_->aOrderBy[i];
      if (is_fixed(order.iColumn)) {
        continue;
      }
      while (at < parts.size() && is_fixed(static_cast<int>(parts[at].column))) {
        ++at;
      }
      if (candidate->unique_point) {
        continue;  // one row
      }
      if (at >= parts.size() || parts[at].prefix_length != 0 ||
          static_cast<int>(parts[at].column) != order.iColumn) {
        return;
      }
      bool backwards = (order.desc != 0) != parts[at].descending;
      if (direction_set && backwards != reverse) {
        return;
      }
      reverse = backwards;
      direction_set = true;
      ++at;
    }
    candidate->ordered = true;
    candidate->reverse = reverse;
  }

  // The share of a column's values that equal one, known to be counted or not.
  double EqualShareOf(uint32_t column) const {
    const TableDescriptor& table = module_.table();
    for (size_t i = 0; i < table.indexes.size(); ++i) {
      const IndexPart& first = table.indexes[i].parts.front();
      if (first.column == column && first.prefix_length == 0 && statistics_ != nullptr) {
        return std::min(RowsPerValue(i, 1) / table_rows_, 1.0);
      }
    }
    return kEqualPasses;
  }

  bool IsConstant(int constraint) const {
    sqlite3_value* value = nullptr;
    return sqlite3_vtab_rhs_value(info_, constraint, &value) == SQLITE_OK && value != nullptr;
  }

  // What passes the conditions on one column that the plan does not serve. Not those with columns
  // of other tables: the machine takes a plan to need the tables of its arguments alone, and would
  // count on the condition where the other table is only read later.
  double PassingShareOf(uint32_t column, const std::vector<bool>& served) const {
    bool lower = false;
    bool upper = false;
    for (int i = 0; i < info_->nConstraint; ++i) {
      const auto& constraint = info_->aConstraint[i];
      if (!constraint.usable || served[i] || constraint.iColumn != static_cast<int>(column)) {
        continue;
      }
      switch (constraint.op) {
        case SQLITE_INDEX_CONSTRAINT_EQ: {
          const bool list = i < kMaxInConstraint && sqlite3_vtab_in(info_, i, -1) != 0;
          if (!list && !IsConstant(i)) {
            break;
          }
          return std::min(EqualShareOf(column) * (list ? ListSize(column) : 1), 1.0);
        }
        case SQLITE_INDEX_CONSTRAINT_IS:
          if (!IsConstant(i)) {
            break;
          }
          return EqualShareOf(column);
        case SQLITE_INDEX_CONSTRAINT_ISNULL:
          return EqualShareOf(column);
        case SQLITE_INDEX_CONSTRAINT_GT:
        case SQLITE_INDEX_CONSTRAINT_GE:
          lower = lower || IsConstant(i);
          break;
        case SQLITE_INDEX_CONSTRAINT_LT:
        case SQLITE_INDEX_CONSTRAINT_LE:
          upper = upper || IsConstant(i);
          break;
        default:
          break;
      }
    }
    return lower && upper ? kBothSidesPass : lower || upper ? kOneSidePasses : 1;
  }

  double PassingShare(const Candidate& plan) const {
    std::vector<bool> served(static_cast<size_t>(info_->nConstraint), false);
    for (const Match& match : plan.arguments) {
      served[match.constraint] = true;
    }
    const std::vector<ColumnTest> tests = TestsOf(served);
    const double guessed = GuessedShare();
    if (const std::optional<double> share = SampledShare(tests); share.has_value()) {
      return *share * guessed;
    }
    double share = guessed;
    for (const ColumnTest& test : tests) {
      share *= PassingShareOf(test.column, served);
    }
    return share;
  }

  // The constraints on one column that a plan does not serve, and what they compare with.
  struct ColumnTest {
    uint32_t column = 0;
    std::vector<RangeBound> bounds;
    std::vector<row::Value> values;  // one of them
    bool known = true;               // no others are on the column
  };

  std::vector<ColumnTest> TestsOf(const std::vector<bool>& served) const {
    std::vector<ColumnTest> tests;
    for (int i = 0; i < info_->nConstraint; ++i) {
      const auto& constraint = info_->aConstraint[i];
      if (served[i] || constraint.usable == 0 || constraint.iColumn < 0 ||
          constraint.iColumn >= module_.handle_column()) {
        continue;
      }
      const auto column = static_cast<uint32_t>(constraint.iColumn);
      auto at = std::ranges::find(tests, column, &ColumnTest::column);
      if (at == tests.end()) {
        at = tests.emplace(tests.end());
        at->column = column;
      }
      AddTest(i, &*at);
    }
    return tests;
  }

  void AddTest(int i, ColumnTest* test) const {
    const auto op = info_->aConstraint[i].op;
    const row::Type& type = module_.table().columns[test->column].type;
    if (op == SQLITE_INDEX_CONSTRAINT_EQ && i < kMaxInConstraint &&
        sqlite3_vtab_in(info_, i, -1) != 0) {
      const ConstantList* list = module_.machine()->LongestListOf(module_, test->column);
      test->known = test->known && list != nullptr && test->values.empty();
      for (size_t v = 0; list != nullptr && v < list->values.size(); ++v) {
        test->values.push_back(list->values[v].Borrow());
      }
      return;
    }
    std::optional<row::Value> constant = ConstantOf({i, Use::kEqual}, type);
    if (!constant.has_value()) {
      return;  // a join: it counts for nothing
    }
    Use use = Use::kEqual;
    switch (op) {
      case SQLITE_INDEX_CONSTRAINT_EQ:
        test->known = test->known && test->values.empty();
        test->values.push_back(std::move(*constant));
        return;
      case SQLITE_INDEX_CONSTRAINT_GT:
        use = Use::kGreater;
        break;
      case SQLITE_INDEX_CONSTRAINT_GE:
        use = Use::kGreaterEqual;
        break;
      case SQLITE_INDEX_CONSTRAINT_LT:
        use = Use::kLess;
        break;
      case SQLITE_INDEX_CONSTRAINT_LE:
        use = Use::kLessEqual;
        break;
      default:
        test->known = false;
        return;
    }
    test->bounds.push_back({use, std::move(*constant)});
  }

  static bool Passes(const ColumnTest& test, const row::Type& type, const row::Value& value) {
    if (value.is_null()) {
      return test.values.empty() && test.bounds.empty();
    }
    const auto order = [&](const row::Value& other) { return CompareValues(type, value, other); };
    const auto within = [&](const RangeBound& bound) {
      if (bound.value.is_null()) {
        return false;
      }
      const int side = order(bound.value);
      switch (bound.use) {
        case Use::kGreater:
          return side > 0;
        case Use::kGreaterEqual:
          return side >= 0;
        case Use::kLess:
          return side < 0;
        default:
          return side <= 0;
      }
    };
    const auto equals = [&](const row::Value& other) {
      return !other.is_null() && order(other) == 0;
    };
    return std::ranges::all_of(test.bounds, within) &&
           (test.values.empty() || std::ranges::any_of(test.values, equals));
  }

  // What passes of the rows that were looked at; nothing where these tell no more than a guess.
  std::optional<double> SampledShare(const std::vector<ColumnTest>& tests) const {
    const auto asks = [](const ColumnTest& test) {
      return !test.values.empty() || !test.bounds.empty();
    };
    if (std::ranges::none_of(tests, asks) ||
        !std::ranges::all_of(tests, [](const ColumnTest& test) { return test.known; })) {
      return std::nullopt;
    }
    const RowSample* const sample = module_.machine()->SampleOf(module_);
    if (sample == nullptr || (!sample->whole && sample->rows.size() < kSampleLeast)) {
      return std::nullopt;
    }
    const auto& layout = SqlRowLayout::Of(*module_.engine_table()).rows();
    size_t passing = 0;
    for (const std::string& bytes : sample->rows) {
      Result<row::RowView> row = row::RowView::Open(layout, bytes);
      if (!row.ok()) {
        return std::nullopt;
      }
      bool passes = true;
      for (size_t t = 0; t < tests.size() && passes; ++t) {
        const Result<row::Value> value = row->Get(tests[t].column);
        if (!value.ok()) {
          return std::nullopt;
        }
        passes = Passes(tests[t], module_.table().columns[tests[t].column].type, *value);
      }
      passing += passes ? 1 : 0;
    }
    // Of many rows that nobody looked at, half of one may pass.
    const double seen =
        sample->whole ? static_cast<double>(passing) : std::max(static_cast<double>(passing), 0.5);
    return seen / std::max(static_cast<double>(sample->rows.size()), 1.0);
  }

  // The lowering's guess for conditions that are not seen here.
  double GuessedShare() const {
    const int i = GuessConstraint();
    sqlite3_value* value = nullptr;
    if (i < 0 || sqlite3_vtab_rhs_value(info_, i, &value) != SQLITE_OK || value == nullptr) {
      return 1;
    }
    return sqlite3_value_double(value) / kShareUnit;
  }
  // The filter that the query has for the table, which is always usable.
  int FilterConstraint() const {
    for (int i = 0; i < info_->nConstraint; ++i) {
      const auto& constraint = info_->aConstraint[i];
      if (constraint.usable && constraint.iColumn == module_.filter_column() &&
          constraint.op == SQLITE_INDEX_CONSTRAINT_EQ) {
        return i;
      }
    }
    return -1;
  }
  std::optional<uint32_t> FilterNumber() const {
    const int i = FilterConstraint();
    sqlite3_value* value = nullptr;
    if (i < 0 || sqlite3_vtab_rhs_value(info_, i, &value) != SQLITE_OK || value == nullptr) {
      return std::nullopt;
    }
    return static_cast<uint32_t>(sqlite3_value_int64(value));
  }
  // Its argument comes after all others, and nobody reads it.
  void TakeFilter(TablePlan* plan) {
    plan->filter = FilterNumber();
    if (!plan->filter.has_value()) {
      return;
    }
    int arguments = 0;
    for (int i = 0; i < info_->nConstraint; ++i) {
      arguments = std::max(arguments, info_->aConstraintUsage[i].argvIndex);
    }
    auto& usage = info_->aConstraintUsage[FilterConstraint()];
    usage.argvIndex = arguments + 1;
    usage.omit = arguments < kMaxOmit ? 1 : 0;
  }

  int GuessConstraint() const {
    for (int i = 0; i < info_->nConstraint; ++i) {
      const auto& constraint = info_->aConstraint[i];
      if (constraint.usable && constraint.iColumn == module_.guess_column()) {
        return i;
      }
    }
    return -1;
  }

  void Emit(const Candidate& best) {
    TablePlan plan;
    plan.index = static_cast<uint32_t>(best.index);
    plan.reverse = best.ordered && best.reverse;
    plan.covering = best.covering;
    plan.unique_point = best.unique_point && !best.has_in;
    plan.hash_columns = best.hash_columns;
    plan.rows = static_cast<uint64_t>(best.hash_columns.empty() ? best.rows : table_rows_);
    // SQLite's last bit stands for all columns from the 64th on.
    const int handle = module_.handle_column();
    plan.yields_handle =
        module_.locks() && handle < 63 && (info_->colUsed & (uint64_t{1} << handle)) != 0;
    for (size_t i = 0; i < best.arguments.size(); ++i) {
      const Match& match = best.arguments[i];
      auto& usage = info_->aConstraintUsage[match.constraint];
      usage.argvIndex = static_cast<int>(i + 1);
      usage.omit = i < kMaxOmit && best.hash_columns.empty() ? 1 : 0;
      if (match.use == Use::kIn) {
        sqlite3_vtab_in(info_, match.constraint, 1);
      }
      plan.arguments.push_back({match.use});
    }
    if (const int guess = GuessConstraint(); guess >= 0 && best.arguments.size() < kMaxOmit) {
      // Always true: taken as an argument that nobody reads, it is not evaluated either.
      info_->aConstraintUsage[guess].argvIndex = static_cast<int>(best.arguments.size() + 1);
      info_->aConstraintUsage[guess].omit = 1;
    }
    TakeFilter(&plan);
    info_->idxNum = static_cast<int>(best.index);
    info_->idxStr = sqlite3_mprintf("%s", plan.Encode().c_str());
    info_->needToFreeIdxStr = 1;
    info_->orderByConsumed = best.ordered ? 1 : 0;
    info_->estimatedRows =
        static_cast<sqlite3_int64>(std::max(best.rows * PassingShare(best), 1.0));
    info_->estimatedCost = best.cost;
    if (plan.unique_point) {
      info_->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
    }
  }

  const TableModule& module_;
  sqlite3_index_info* info_;
  double table_rows_;
  std::shared_ptr<const engine::TableStatistics> statistics_;  // null: could not be read
};

Result<engine::TableEstimate> Planner::Estimate() const {
  return module_.EstimateRows();
}

}  // namespace

int TableModule::Plan(sqlite3_index_info* info) const {
  return Planner(*this, info).Run();
}

// System tables are read whole; equalities on their look-up columns are passed on as hints, and
// which columns are read at all.
int TableModule::PlanSystem(sqlite3_index_info* info) const {
  std::string hints;
  int argument = 0;
  double cost = 1000;
  for (uint32_t column : system_->lookup_columns()) {
    const std::string_view collation =
        row::GetCollation(table_->columns[column].type.collation).name();
    for (int i = 0; i < info->nConstraint; ++i) {
      const auto& constraint = info->aConstraint[i];
      if (constraint.usable && constraint.iColumn == static_cast<int>(column) &&
          constraint.op == SQLITE_INDEX_CONSTRAINT_EQ &&
          collation == sqlite3_vtab_collation(info, i)) {
        info->aConstraintUsage[i].argvIndex = ++argument;
        hints += (hints.empty() ? "" : ",") + std::to_string(column);
        cost /= 10;
        break;
      }
    }
  }
  info->idxStr = sqlite3_mprintf("%llu;%s", info->colUsed, hints.c_str());
  info->needToFreeIdxStr = 1;
  info->estimatedCost = cost;
  info->estimatedRows = static_cast<sqlite3_int64>(cost);
  return SQLITE_OK;
}

}  // namespace borealis::sql
