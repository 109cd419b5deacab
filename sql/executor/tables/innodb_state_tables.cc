// information_schema.INNODB_BUFFER_POOL_STATS, and the stopwords of InnoDB's full-text search.
#include "engine/engine.h"
#include "sql/executor/tables/system_rows.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// There is one pool. Pages are not aged by half lists, nor written from here: such figures are 0.
Status ScanBufferPoolStats(SystemRows& rows) {
  const engine::EngineCounters counters = rows.session().environment().engine->counters();
  const uint64_t total = counters.buffer_pool_pages_total;
  const uint64_t used = counters.buffer_pool_pages_used;
  const uint64_t gets = counters.buffer_pool_read_requests;
  const uint64_t reads = counters.buffer_pool_reads;
  SystemRow row = rows.NewRow();
  row.Number(0).Number(total).Number(total > used ? total - used : 0).Number(used);
  for (int i = 0; i < 8; ++i) {  // OLD_DATABASE_PAGES to PAGES_NOT_MADE_YOUNG
    row.Number(0);
  }
  for (int i = 0; i < 2; ++i) {
    row.Real(0);
  }
  row.Number(reads).Number(0).Number(0).Real(0).Real(0).Real(0).Number(gets);
  row.Number(gets == 0 ? 0 : 1000 - std::min<uint64_t>(1000, reads * 1000 / gets));
  row.Number(0).Number(0).Number(counters.buffer_pool_read_ahead);
  row.Number(counters.buffer_pool_read_ahead_evicted);
  return rows.Add(row.Rest());
}

// "the" is twice in InnoDB's list as well.
Status ScanStopwords(SystemRows& rows) {
  constexpr std::string_view kStopwords[] = {
      "a",    "about", "an",  "are",  "as",   "at",    "be",  "by",   "com",  "de",  "en",   "for",
      "from", "how",   "i",   "in",   "is",   "it",    "la",  "of",   "on",   "or",  "that", "the",
      "this", "to",    "was", "what", "when", "where", "who", "will", "with", "und", "the",  "www"};
  for (const std::string_view word : kStopwords) {
    SystemRow row = rows.NewRow();
    RETURN_IF_ERROR(rows.Add(row.Text(word)));
  }
  return Status::Ok();
}

constexpr std::string_view kSchema = "information_schema";

}  // namespace

std::vector<SystemTableDefinition> InnodbStateSystemTables() {
  return {{kSchema, "INNODB_BUFFER_POOL_STATS", "", ScanBufferPoolStats},
          {kSchema, "INNODB_FT_DEFAULT_STOPWORD", "", ScanStopwords}};
}

}  // namespace borealis::sql
