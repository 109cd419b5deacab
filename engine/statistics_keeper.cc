#include "engine/statistics_keeper.h"

#include <algorithm>

#include "base/coding.h"
#include "base/obs/log.h"
#include "engine/schema_changer.h"
#include "engine/statistics_sampler.h"

namespace borealis::engine {

namespace {

constexpr uint64_t kFormat = 1;
// How old a reader's copy may get: nothing in the log tells it of new statistics.
constexpr int64_t kReaderCopyUs = 10'000'000;
// Between two counts of one table by the background.
constexpr int64_t kRecountUs = 10'000'000;
// From the change that makes a table due until it is counted: a load that begins is let go on.
constexpr int64_t kSettleUs = 500'000;
// How long the background waits for a table's metadata lock before it takes another table's turn.
constexpr int64_t kMetadataWaitUs = 1'000'000;
constexpr int64_t kIdleUs = 1'000'000;
// Tables that are not counted by themselves look again at their options after so many changes.
constexpr uint64_t kLookAgain = 100'000;
// Plans are made anew when a table has become so many times larger or smaller.
constexpr double kPlansOutdatedFactor = 1.5;

// Entry of the table: format, rows, clustered pages, secondary pages, wall time.
std::string EncodeTable(const TableStatistics& statistics) {
  std::string to;
  AppendVarint(&to, kFormat);
  AppendVarint(&to, statistics.row_count);
  AppendVarint(&to, statistics.clustered_pages);
  AppendVarint(&to, statistics.secondary_pages);
  AppendVarint(&to, static_cast<uint64_t>(statistics.updated_wall_us));
  return to;
}

// Entry of an index: format, leaf pages, pages, sampled pages, count, distinct values.
std::string EncodeIndex(const IndexStatistics& index) {
  std::string to;
  AppendVarint(&to, kFormat);
  AppendVarint(&to, index.leaf_pages);
  AppendVarint(&to, index.pages);
  AppendVarint(&to, index.sampled_pages);
  AppendVarint(&to, index.distinct.size());
  for (const uint64_t distinct : index.distinct) {
    AppendVarint(&to, distinct);
  }
  return to;
}

// False for what another version wrote: it counts as missing.
bool ParseTable(std::string_view bytes, TableStatistics* statistics) {
  ByteReader reader(bytes);
  const uint64_t format = reader.Varint();
  statistics->row_count = reader.Varint();
  statistics->clustered_pages = reader.Varint();
  statistics->secondary_pages = reader.Varint();
  statistics->updated_wall_us = static_cast<int64_t>(reader.Varint());
  return reader.ok() && reader.empty() && format == kFormat;
}

bool ParseIndex(std::string_view bytes, IndexStatistics* index) {
  ByteReader reader(bytes);
  const uint64_t format = reader.Varint();
  index->leaf_pages = reader.Varint();
  index->pages = reader.Varint();
  index->sampled_pages = reader.Varint();
  for (uint64_t left = reader.Varint(); left > 0 && reader.ok(); --left) {
    index->distinct.push_back(reader.Varint());
  }
  return reader.ok() && reader.empty() && format == kFormat;
}

bool IsOf(const TableStatistics& statistics, const Table& table) {
  const IndexId clustered = table.definition().indexes[kClusteredIndex].id;
  return std::any_of(statistics.indexes.begin(), statistics.indexes.end(),
                     [&](const IndexStatistics& index) { return index.id == clustered; });
}

bool HasAllIndexes(const TableStatistics& statistics, const Table& table) {
  const auto& indexes = table.definition().indexes;
  return std::all_of(indexes.begin(), indexes.end(), [&](const IndexDefinition& index) {
    return statistics.Find(index.id) != nullptr;
  });
}

bool Differs(uint64_t before, uint64_t now) {
  const auto a = static_cast<double>(std::max<uint64_t>(before, 1));
  const auto b = static_cast<double>(std::max<uint64_t>(now, 1));
  return a > b * kPlansOutdatedFactor || b > a * kPlansOutdatedFactor;
}

// Whether plans made with the one would be made differently with the other.
bool OutdatesPlans(const TableStatistics* before, const TableStatistics& now) {
  if (before == nullptr || before->rough || Differs(before->row_count, now.row_count)) {
    return true;
  }
  for (const IndexStatistics& index : now.indexes) {
    const IndexStatistics* old = before->Find(index.id);
    if (old == nullptr || old->distinct.size() != index.distinct.size()) {
      return true;
    }
    for (size_t i = 0; i < index.distinct.size(); ++i) {
      if (Differs(old->distinct[i], index.distinct[i])) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

const IndexStatistics* TableStatistics::Find(IndexId id) const {
  for (const IndexStatistics& index : indexes) {
    if (index.id == id && !index.distinct.empty()) {
      return &index;
    }
  }
  return nullptr;
}

void StatisticsKeeper::set_defaults(const StatisticsDefaults& defaults) {
  MutexLock lock(mutex_);
  defaults_ = defaults;
}

StatisticsKeeper::Settings StatisticsKeeper::SettingsOf(const Table& table) const {
  const StatisticsOptions options = table.layout().statistics_options();
  MutexLock lock(mutex_);
  Settings settings;
  settings.persistent = options.persistent.value_or(defaults_.persistent);
  settings.auto_recalc = options.auto_recalc.value_or(defaults_.auto_recalc);
  const uint64_t pages =
      settings.persistent ? defaults_.persistent_sample_pages : defaults_.transient_sample_pages;
  settings.sample_pages = options.sample_pages.value_or(pages);
  return settings;
}

// ---------------------------------------------------------------------------------------------
// What is known

Result<std::shared_ptr<const TableStatistics>> StatisticsKeeper::Get(const Table& table) {
  TableState& state = table.state();
  const bool may_be_old = core_->store->is_replica();
  const int64_t now = may_be_old ? core_->clock->NowUs() : 0;
  std::shared_ptr<const TableStatistics> statistics;
  {
    MutexLock lock(state.statistics_mutex);
    if (state.statistics != nullptr && IsOf(*state.statistics, table) &&
        (!may_be_old || now - state.statistics_read_us < kReaderCopyUs)) {
      statistics = state.statistics;
    }
  }
  if (statistics == nullptr) {
    ASSIGN_OR_RETURN(statistics, Load(table));
    if (statistics == nullptr) {
      ASSIGN_OR_RETURN(statistics, Rough(table));
      // The tree was looked at as it is now.
      state.changes.rows.store(0);
    }
    MutexLock lock(state.statistics_mutex);
    state.statistics = statistics;
    state.statistics_read_us = now;
  }
  if (!may_be_old && !HasAllIndexes(*statistics, table)) {
    Queue(table);  // never counted, or an index has come since
  }
  return statistics;
}

Result<std::shared_ptr<const TableStatistics>> StatisticsKeeper::Load(const Table& table) {
  auto statistics = std::make_shared<TableStatistics>();
  ASSIGN_OR_RETURN(const auto entries, core_->dictionary.ReadStatistics(table.id()));
  const size_t table_key = dictionary_key::Statistics(table.id()).size();
  for (const auto& [key, value] : entries) {
    if (key.size() == table_key) {
      statistics->stored = ParseTable(value, statistics.get());
    } else if (key.size() == table_key + sizeof(uint64_t)) {
      IndexStatistics index;
      index.id = IndexId(LoadBig<uint64_t>(key.data() + table_key));
      if (ParseIndex(value, &index)) {
        statistics->indexes.push_back(std::move(index));
      }
    }
  }
  if (!statistics->stored || !IsOf(*statistics, table)) {
    return std::shared_ptr<const TableStatistics>();
  }
  return std::shared_ptr<const TableStatistics>(std::move(statistics));
}

Result<std::shared_ptr<const TableStatistics>> StatisticsKeeper::Rough(const Table& table) {
  auto statistics = std::make_shared<TableStatistics>();
  statistics->rough = true;
  statistics->updated_wall_us = core_->clock->WallUs();
  TreePin pin(table.trees());
  for (size_t i = 0; i < table.index_count(); ++i) {
    IndexStatistics index;
    index.id = table.definition().indexes[i].id;
    if (pin.held()) {
      ASSIGN_OR_RETURN(const BTree::Estimate size, table.trees().tree(i).EstimateSize());
      index.leaf_pages = size.leaf_pages;
      index.pages = size.leaf_pages + size.inner_pages;
      if (i == kClusteredIndex) {
        statistics->row_count = size.entries;
        statistics->clustered_pages = index.pages;
      } else {
        statistics->secondary_pages += index.pages;
      }
    }
    statistics->indexes.push_back(std::move(index));
  }
  return std::shared_ptr<const TableStatistics>(std::move(statistics));
}

// ---------------------------------------------------------------------------------------------
// Counting

Result<std::shared_ptr<TableStatistics>> StatisticsKeeper::Count(const Table& table,
                                                                 uint64_t sample_pages) {
  TreePin pin(table.trees());
  if (!pin.held()) {
    return Status::NotFound("table is being dropped");
  }
  auto statistics = std::make_shared<TableStatistics>();
  for (size_t i = 0; i < table.index_count(); ++i) {
    ASSIGN_OR_RETURN(SampledIndex index, SampleIndex(table, i, sample_pages, core_->stopping));
    if (i == kClusteredIndex) {
      statistics->row_count = index.entries;
      statistics->clustered_pages = index.statistics.pages;
    } else {
      statistics->secondary_pages += index.statistics.pages;
    }
    statistics->indexes.push_back(std::move(index.statistics));
  }
  statistics->updated_wall_us = core_->clock->WallUs();
  return statistics;
}

Status StatisticsKeeper::Analyze(const Table& table, const SchemaChangeOptions& how) {
  if (core_->store->is_replica()) {
    return Status::InvalidArgument("a reader instance stores no statistics");
  }
  const Settings settings = SettingsOf(table);
  const TableChanges& changes = table.state().changes;
  const int64_t rows_before = changes.rows.load();
  const uint64_t changed_before = changes.changed.load();
  ASSIGN_OR_RETURN(std::shared_ptr<TableStatistics> statistics,
                   Count(table, settings.sample_pages));
  if (settings.persistent) {
    statistics->stored = true;
    RETURN_IF_ERROR(Store(table, *statistics, how));
  }
  Publish(table, std::move(statistics), rows_before, changed_before);
  return Status::Ok();
}

Status StatisticsKeeper::Store(const Table& table, const TableStatistics& statistics,
                               const SchemaChangeOptions& how) {
  const TableDefinition& definition = table.definition();
  SchemaChangeOptions options = how;
  options.passes_instance_locks = true;  // nobody's rows or definitions change
  SchemaChange lock(core_, options);
  RETURN_IF_ERROR(lock.LockShared({definition.schema, definition.name}));  // INV-STA-1
  if (table.stale()) {
    return Status::Retry("table has changed while it was counted");
  }
  std::vector<DictionaryChange> entries;
  for (const IndexStatistics& index : statistics.indexes) {
    entries.push_back({dictionary_key::Statistics(definition.id, index.id), EncodeIndex(index)});
  }
  entries.push_back({dictionary_key::Statistics(definition.id), EncodeTable(statistics)});
  return core_->dictionary.WriteStatistics(entries);
}

void StatisticsKeeper::Publish(const Table& table,
                               std::shared_ptr<const TableStatistics> statistics,
                               int64_t rows_before, uint64_t changed_before) {
  TableState& state = table.state();
  const uint64_t rows = statistics->row_count;
  bool outdated = false;
  {
    MutexLock lock(state.statistics_mutex);
    outdated = OutdatesPlans(state.statistics.get(), *statistics);
    state.changes.due_at.store(statistics->stored ? rows / 10 : 16 + rows / 16);
    state.statistics = std::move(statistics);
    state.changes.rows.fetch_sub(rows_before);
    state.changes.changed.fetch_sub(changed_before);
  }
  if (outdated) {
    core_->dictionary.OutdatePlans();
  }
}

// ---------------------------------------------------------------------------------------------
// Background

void StatisticsKeeper::Queue(const Table& table) {
  if (table.state().changes.queued.exchange(true)) {
    return;
  }
  MutexLock lock(mutex_);
  const TableDefinition& definition = table.definition();
  queue_.push_back({{definition.schema, definition.name},
                    definition.id,
                    table.shared_state(),
                    core_->clock->NowUs()});
  changed_.NotifyAll();
}

void StatisticsKeeper::Wake() {
  MutexLock lock(mutex_);
  changed_.NotifyAll();
}

bool StatisticsKeeper::TakeDue(Due* due, int64_t* wait_us) {
  const int64_t now = core_->clock->NowUs();
  std::erase_if(counted_at_, [&](const auto& entry) { return now - entry.second >= kRecountUs; });
  *wait_us = queue_.empty() ? kIdleUs : kRecountUs;
  for (auto entry = queue_.begin(); entry != queue_.end(); ++entry) {
    const auto counted = counted_at_.find(entry->id);
    const int64_t due_us =
        std::max(entry->queued_us + kSettleUs,
                 counted == counted_at_.end() ? 0 : counted->second + kRecountUs);
    if (due_us <= now) {
      *due = std::move(*entry);
      queue_.erase(entry);
      counted_at_[due->id] = now;
      return true;
    }
    *wait_us = std::min(*wait_us, due_us - now);
  }
  return false;
}

void StatisticsKeeper::Run() {
  while (!core_->stopping.load()) {
    Due due;
    {
      MutexLock lock(mutex_);
      int64_t wait_us = 0;
      if (!TakeDue(&due, &wait_us)) {
        changed_.WaitFor(mutex_, std::clamp<int64_t>(wait_us, 1'000, kIdleUs));
        continue;
      }
    }
    const int64_t started = core_->clock->NowUs();
    Status status = Recount(due);
    if (!status.ok() && !status.Is(Code::kNotFound) && !core_->stopping.load()) {
      LOG_INFO("statistics of {}.{}: {}", due.name.schema, due.name.name, status.ToString());
    }
    const int64_t rest_until = 2 * core_->clock->NowUs() - started;
    MutexLock lock(mutex_);
    for (int64_t left = rest_until - core_->clock->NowUs(); left > 0 && !core_->stopping.load();
         left = rest_until - core_->clock->NowUs()) {
      changed_.WaitFor(mutex_, left);
    }
  }
}

Status StatisticsKeeper::Recount(const Due& due) {
  // From here on a change may queue it again: for what it has not been counted with.
  due.state->changes.queued.store(false);
  ASSIGN_OR_RETURN(const TableRef table, core_->dictionary.Find(due.name));
  if (table->id() != due.id) {
    return Status::NotFound("table has been replaced");
  }
  TableChanges& changes = table->state().changes;
  ASSIGN_OR_RETURN(const std::shared_ptr<const TableStatistics> known, Get(*table));
  const Settings settings = SettingsOf(*table);
  const uint64_t due_at = known->stored ? known->row_count / 10 : 16 + known->row_count / 16;
  const bool complete = HasAllIndexes(*known, *table);
  if (!settings.auto_recalc || (complete && changes.changed.load() <= due_at)) {
    changes.due_at.store(settings.auto_recalc ? due_at : changes.changed.load() + kLookAgain);
    return Status::Ok();
  }
  // Not again before it has been counted, or has failed to be.
  changes.due_at.store(~uint64_t{0});
  SchemaChangeOptions how;
  how.metadata_wait_timeout_us = kMetadataWaitUs;
  Status status = Analyze(*table, how);
  if (!status.ok()) {
    changes.due_at.store(changes.changed.load());
  }
  return status;
}

}  // namespace borealis::engine
