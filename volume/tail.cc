#include "volume/tail.h"

#include "base/coding.h"

namespace borealis {

void AppendTailEntry(std::string* to, const TailEntry& entry) {
  AppendLittle(to, entry.end.value());
  AppendLittle(to, entry.length);
  AppendLittle(to, static_cast<uint32_t>(entry.is_consistency_point ? 1 : 0));
  AppendLittle(to, entry.epoch.value());
  AppendLittle(to, entry.pg_back_link.value());
}

Result<std::vector<TailEntry>> ParseTail(std::string_view bytes) {
  std::vector<TailEntry> entries;
  ByteReader reader(bytes);
  Lsn previous(0);
  while (!reader.empty()) {
    TailEntry entry;
    entry.end = Lsn(reader.Little<uint64_t>());
    entry.length = reader.Little<uint32_t>();
    entry.is_consistency_point = (reader.Little<uint32_t>() & 1) != 0;
    entry.epoch = VolumeEpoch(reader.Little<uint64_t>());
    entry.pg_back_link = Lsn(reader.Little<uint64_t>());
    if (!reader.ok() || entry.end <= previous || entry.length > entry.end.value()) {
      return Status::Corruption("segment tail is malformed");
    }
    previous = entry.end;
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace borealis
