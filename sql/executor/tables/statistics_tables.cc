// mysql.innodb_table_stats and mysql.innodb_index_stats: the stored statistics of tables.
//
// They show what the volume's dictionary keeps (engine/statistics_keeper.h) and cannot be written:
// statistics are set by counting alone.
#include <fmt/format.h>

#include <algorithm>

#include "engine/engine.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/tables/system_rows.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr std::string_view kTableStats =
    "database_name varchar(64) BIN NOT NULL, table_name varchar(199) BIN NOT NULL, last_update "
    "timestamp NOT NULL, n_rows bigint unsigned NOT NULL, clustered_index_size bigint unsigned "
    "NOT NULL, sum_of_other_index_sizes bigint unsigned NOT NULL";

constexpr std::string_view kIndexStats =
    "database_name varchar(64) BIN NOT NULL, table_name varchar(199) BIN NOT NULL, index_name "
    "varchar(64) BIN NOT NULL, last_update timestamp NOT NULL, stat_name varchar(64) BIN NOT "
    "NULL, stat_value bigint unsigned NOT NULL, sample_size bigint unsigned, stat_description "
    "varchar(1024) BIN NOT NULL";

using StatisticsPtr = std::shared_ptr<const engine::TableStatistics>;
using StatisticsVisitor =
    std::function<Status(const CatalogEntry&, const engine::TableStatistics&)>;

// Calls `visit` for the tables whose statistics are stored.
Status ForEachStored(SystemRows& rows, const StatisticsVisitor& visit) {
  return ForEachTable(rows, 0, 1, [&](const CatalogEntry& entry) -> Status {
    if (entry.engine == nullptr || entry.table->kind != TableKind::kBase) {
      return Status::Ok();
    }
    engine::Engine& engine = *rows.session().environment().engine;
    ASSIGN_OR_RETURN(const StatisticsPtr statistics, engine.Statistics(*entry.engine));
    return statistics->stored ? visit(entry, *statistics) : Status::Ok();
  });
}

Status ScanTableStats(SystemRows& rows) {
  return ForEachStored(
      rows, [&](const CatalogEntry& entry, const engine::TableStatistics& statistics) {
        SystemRow row = rows.NewRow();
        row.Text(entry.table->schema).Text(entry.table->name).Time(statistics.updated_wall_us);
        row.Number(statistics.row_count).Number(statistics.clustered_pages);
        return rows.Add(row.Number(statistics.secondary_pages));
      });
}

struct Figure {
  std::string name;
  uint64_t value = 0;
  std::optional<uint64_t> sampled;
  std::string description;
};

std::vector<Figure> FiguresOf(const CatalogEntry& entry, size_t index_no,
                              const engine::IndexStatistics& index) {
  const std::vector<uint32_t>& columns = SqlRowLayout::Of(*entry.engine).counted_columns(index_no);
  std::vector<Figure> figures;
  std::string prefix;
  for (size_t i = 0; i < index.distinct.size() && i < columns.size(); ++i) {
    prefix += (i == 0 ? "" : ",") + entry.table->columns[columns[i]].name;
    figures.push_back(
        {fmt::format("n_diff_pfx{:02}", i + 1), index.distinct[i], index.sampled_pages, prefix});
  }
  figures.push_back({"n_leaf_pages", index.leaf_pages, {}, "Number of leaf pages in the index"});
  figures.push_back({"size", index.pages, {}, "Number of pages in the index"});
  return figures;
}

Status AddIndexes(SystemRows& rows, const CatalogEntry& entry,
                  const engine::TableStatistics& statistics) {
  const TableDescriptor& table = *entry.table;
  std::vector<size_t> by_name;
  for (size_t i = 0; i < table.indexes.size(); ++i) {
    by_name.push_back(i);
  }
  std::sort(by_name.begin(), by_name.end(),
            [&](size_t a, size_t b) { return table.indexes[a].name < table.indexes[b].name; });
  for (const size_t index_no : by_name) {
    const engine::IndexId id = entry.engine->definition().indexes[index_no].id;
    const engine::IndexStatistics* index = statistics.Find(id);
    if (index == nullptr) {
      continue;
    }
    for (const Figure& figure : FiguresOf(entry, index_no, *index)) {
      SystemRow row = rows.NewRow();
      row.Text(table.schema).Text(table.name).Text(table.indexes[index_no].name);
      row.Time(statistics.updated_wall_us).Text(figure.name).Number(figure.value);
      RETURN_IF_ERROR(rows.Add(row.NumberOrNull(figure.sampled).Text(figure.description)));
    }
  }
  return Status::Ok();
}

Status ScanIndexStats(SystemRows& rows) {
  return ForEachStored(rows,
                       [&](const CatalogEntry& entry, const engine::TableStatistics& statistics) {
                         return AddIndexes(rows, entry, statistics);
                       });
}

}  // namespace

std::vector<SystemTableDefinition> StatisticsSystemTables() {
  return {
      {"mysql", "innodb_table_stats", kTableStats, ScanTableStats, {0, 1}},
      {"mysql", "innodb_index_stats", kIndexStats, ScanIndexStats, {0, 1}},
  };
}

}  // namespace borealis::sql
