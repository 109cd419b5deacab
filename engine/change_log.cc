#include "engine/change_log.h"

#include "base/coding.h"
#include "base/fault.h"
#include "engine/sorted_runs.h"
#include "engine/table_trees.h"

namespace borealis::engine {

namespace {
constexpr size_t kTailBytes = size_t{1} << 20;
}  // namespace

void TableState::SetChangeLog(std::shared_ptr<ChangeLog> log) {
  MutexLock lock(change_log_mutex);
  change_log = std::move(log);
  logs_changes.store(change_log != nullptr, std::memory_order_release);
}

void TableState::LogChange(TrxId trx, std::string_view clustered_key) {
  std::shared_ptr<ChangeLog> log;
  {
    MutexLock lock(change_log_mutex);
    log = change_log;
  }
  if (log != nullptr) {
    log->Add(trx, clustered_key);
  }
}

void ChangeLog::Add(TrxId trx, std::string_view clustered_key) {
  MutexLock lock(mutex_);
  if (!failed_.ok() || beyond_limit_.load(std::memory_order_relaxed)) {
    return;
  }
  AppendVarint(&part_.tail, trx.value());
  AppendSized(&part_.tail, clustered_key);
  ++part_.entries;
  if (part_.file_bytes + part_.tail.size() > limit_bytes_) {
    COVER("change_log.beyond_limit");
    beyond_limit_ = true;
  } else if (part_.tail.size() >= kTailBytes) {
    failed_ = SpillTail();
  }
}

Status ChangeLog::SpillTail() {
  COVER("change_log.spilled");
  if (part_.file == nullptr) {
    ASSIGN_OR_RETURN(part_.file, OpenTemporaryFile(directory_));
  }
  RETURN_IF_ERROR(part_.file->WriteAt(part_.file_bytes, part_.tail));
  part_.file_bytes += part_.tail.size();
  part_.tail.clear();
  return Status::Ok();
}

uint64_t ChangeLog::size() const {
  MutexLock lock(mutex_);
  return part_.entries;
}

Status ChangeLog::CheckWhole() const {
  MutexLock lock(mutex_);
  if (beyond_limit_.load()) {
    return Status::InvalidArgument("the log of changes is beyond its limit");
  }
  return failed_;
}

// The whole entries at the start of `bytes`; *used is how far they go.
Status ChangeLog::VisitBytes(std::string_view bytes, size_t* used, const Visitor& visit) {
  ByteReader reader(bytes);
  for (*used = 0; !reader.empty();) {
    const TrxId trx(reader.Varint());
    const std::string_view key = reader.Sized();
    if (!reader.ok()) {
      return Status::Ok();
    }
    *used = bytes.size() - reader.rest().size();
    RETURN_IF_ERROR(visit(trx, key));
  }
  return Status::Ok();
}

Status ChangeLog::Take(const Visitor& visit) {
  Part part;
  {
    MutexLock lock(mutex_);
    part = std::move(part_);
    part_ = Part();
  }
  std::string bytes;
  std::string chunk;
  for (uint64_t at = 0; at < part.file_bytes;) {
    RETURN_IF_ERROR(part.file->ReadAt(at, kTailBytes, &chunk));
    if (chunk.empty()) {
      return Status::Corruption("log of changes is cut short");
    }
    chunk.resize(std::min<uint64_t>(chunk.size(), part.file_bytes - at));
    at += chunk.size();
    bytes += chunk;
    size_t used = 0;
    RETURN_IF_ERROR(VisitBytes(bytes, &used, visit));
    bytes.erase(0, used);
  }
  bytes += part.tail;
  size_t used = 0;
  RETURN_IF_ERROR(VisitBytes(bytes, &used, visit));
  return used == bytes.size() ? Status::Ok() : Status::Corruption("log of changes is malformed");
}

}  // namespace borealis::engine
