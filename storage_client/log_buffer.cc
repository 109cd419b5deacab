#include "storage_client/log_buffer.h"

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/invariant.h"

namespace borealis::storage_client {

namespace {
constexpr int64_t kClockMarkEveryUs = 1'000'000;
// Records without a page belong to the first protection group.
constexpr PgId kMarksPg{0};
}  // namespace

SharedBytes LogChunk::InLsnOrder() const {
  if (parts.size() == 1) {
    return parts.front().bytes;
  }
  std::map<PgId, std::string_view> rest;
  for (const PgBytes& part : parts) {
    rest[part.pg] = part.bytes.view();
  }
  std::string ordered;
  ordered.reserve(size_bytes);
  for (const RecordSpan& record : records) {
    std::string_view& from = rest[record.pg];
    ordered.append(from.substr(0, record.length));
    from.remove_prefix(record.length);
  }
  return SharedBytes(std::move(ordered));
}

LogBuffer::LogBuffer(uint64_t pages_per_pg, VolumeEpoch epoch, Lsn start, std::map<PgId, Lsn> tails)
    : pages_per_pg_(pages_per_pg),
      epoch_(epoch),
      end_(start),
      taken_(start),
      tails_(std::move(tails)) {
  for (const auto& [pg, tail] : tails_) {
    INVARIANT_LE(tail, start);
  }
}

Lsn LogBuffer::Append(std::span<RecordDraft> drafts, std::span<const uint32_t> body_crcs,
                      int64_t now_us, int64_t wall_us) {
  INVARIANT(!drafts.empty());
  INVARIANT_EQ(drafts.size(), body_crcs.size());
  if (now_us >= next_clock_mark_us_) {
    next_clock_mark_us_ = now_us + kClockMarkEveryUs;
    std::string body;
    AppendLittle(&body, static_cast<uint64_t>(wall_us));
    RecordDraft mark;
    mark.kind = RecordKind::kClockMark;
    mark.body = body;
    AppendOne(mark, Crc32c(body), true);
  }
  for (size_t i = 0; i < drafts.size(); ++i) {
    AppendOne(drafts[i], body_crcs[i], i + 1 == drafts.size());
    drafts[i].end = end_;
  }
  INVARIANT_LE(end_, hard_limit_);
  return end_;
}

void LogBuffer::AppendOne(const RecordDraft& draft, uint32_t body_crc, bool is_consistency_point) {
  INVARIANT((draft.kind == RecordKind::kEdit) == (draft.page != kNoPage));
  RecordPlace place;
  const size_t length = RecordSize(draft.body.size());
  place.end = end_ + length;
  place.epoch = epoch_;
  place.pg = draft.page == kNoPage
                 ? kMarksPg
                 : PgId(static_cast<uint32_t>(draft.page.value() / pages_per_pg_));
  Lsn& tail = tails_[place.pg];
  place.pg_back_link = tail;
  place.is_consistency_point = is_consistency_point;
  Gathering& gathering = gathering_[place.pg];
  AppendRecord(&gathering.bytes, draft, body_crc, place);
  gathering.last_end = place.end;
  records_.push_back({place.end, static_cast<uint32_t>(length), place.pg, is_consistency_point});
  tail = place.end;
  end_ = place.end;
}

LogChunkPtr LogBuffer::Take() {
  if (records_.empty()) {
    return nullptr;
  }
  INVARIANT(records_.back().is_consistency_point);
  auto chunk = std::make_shared<LogChunk>();
  chunk->start = taken_;
  chunk->end = end_;
  for (auto& [pg, gathering] : gathering_) {
    chunk->size_bytes += gathering.bytes.size();
    chunk->parts.push_back({pg, gathering.last_end, SharedBytes(std::move(gathering.bytes))});
  }
  INVARIANT_EQ(chunk->size_bytes, chunk->end - chunk->start);
  chunk->records = std::move(records_);
  records_.clear();
  gathering_.clear();
  taken_ = end_;
  return chunk;
}

}  // namespace borealis::storage_client
