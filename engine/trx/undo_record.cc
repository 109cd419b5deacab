#include "engine/trx/undo_record.h"

#include <algorithm>

#include "base/coding.h"

namespace borealis::engine {

namespace {
constexpr uint8_t kFlagOldReference = 1;
constexpr uint8_t kFlagNewReference = 2;
constexpr uint8_t kFlagDeletes = 4;
constexpr uint8_t kFlagGivenUp = 16;
}  // namespace

std::string EncodeUndo(const UndoDraft& draft) {
  std::string body;
  body.reserve(64 + draft.clustered_key.size());
  AppendUndo(draft, &body);
  return body;
}

void AppendUndo(const UndoDraft& draft, std::string* out) {
  out->push_back(static_cast<char>(draft.type));
  out->push_back(static_cast<char>((draft.old_reference.empty() ? 0 : kFlagOldReference) |
                                   (draft.new_reference.empty() ? 0 : kFlagNewReference) |
                                   (draft.deletes ? kFlagDeletes : 0) |
                                   (draft.given_up.empty() ? 0 : kFlagGivenUp)));
  AppendVarint(out, draft.clustered_index.value());
  AppendSized(out, draft.clustered_key);
  if (draft.type == UndoType::kChange) {
    char header[kRowHeaderSize];
    draft.old_header.EncodeTo(header);
    out->append(header, kRowHeaderSize);
    const std::string_view a = draft.old_stored;
    const std::string_view b = draft.new_stored;
    const size_t shorter = std::min(a.size(), b.size());
    const size_t prefix = static_cast<size_t>(
        std::mismatch(a.begin(), a.begin() + shorter, b.begin()).first - a.begin());
    size_t suffix = 0;
    while (suffix < shorter - prefix && a[a.size() - 1 - suffix] == b[b.size() - 1 - suffix]) {
      ++suffix;
    }
    AppendVarint(out, prefix);
    AppendVarint(out, suffix);
    AppendSized(out, a.substr(prefix, a.size() - prefix - suffix));
  }
  out->append(draft.old_reference);
  out->append(draft.new_reference);
  if (!draft.given_up.empty()) {
    AppendVarint(out, draft.given_up.size());
    for (const auto& [index, key] : draft.given_up) {
      AppendVarint(out, index.value());
      AppendSized(out, key);
    }
  }
}

Result<UndoRecord> ParseUndo(std::string_view body) {
  ByteReader reader(body);
  UndoRecord record;
  const auto type = reader.Little<uint8_t>();
  const auto flags = reader.Little<uint8_t>();
  if (type != static_cast<uint8_t>(UndoType::kInsert) &&
      type != static_cast<uint8_t>(UndoType::kChange)) {
    return Status::Corruption("undo record of unknown type");
  }
  record.type = static_cast<UndoType>(type);
  record.deletes = (flags & kFlagDeletes) != 0;
  record.old_reference_freed = (flags & kUndoOldReferenceFreed) != 0;
  record.clustered_index = IndexId(reader.Varint());
  record.clustered_key = reader.Sized();
  if (record.type == UndoType::kChange) {
    const std::string_view header = reader.Bytes(kRowHeaderSize);
    if (!reader.ok()) {
      return Status::Corruption("undo record is cut short");
    }
    // A header alone may claim a reference that follows in the difference.
    std::string padded(header);
    padded.append(kLongValueReferenceSize, '\0');
    ASSIGN_OR_RETURN(RowView old_row, DecodeRow(padded));
    record.old_header = old_row.header;
    record.prefix = reader.Varint();
    record.suffix = reader.Varint();
    record.middle = reader.Sized();
  }
  if ((flags & kFlagOldReference) != 0) {
    record.old_reference = reader.Bytes(kLongValueReferenceSize);
  }
  if ((flags & kFlagNewReference) != 0) {
    record.new_reference = reader.Bytes(kLongValueReferenceSize);
  }
  if ((flags & kFlagGivenUp) != 0) {
    for (uint64_t left = reader.Varint(); left > 0 && reader.ok(); --left) {
      const IndexId index(reader.Varint());
      record.given_up.emplace_back(index, reader.Sized());
    }
  }
  if (!reader.ok() || !reader.empty()) {
    return Status::Corruption("undo record is malformed");
  }
  return record;
}

std::string EncodeUndoLogHeader(const UndoLogHeader& header) {
  std::string body;
  body.push_back(static_cast<char>(UndoType::kLogBegin));
  body.push_back(header.committed ? 1 : 0);
  AppendLittle(&body, header.trx.value());
  AppendLittle(&body, header.commit_no);
  return body;
}

Result<UndoLogHeader> ParseUndoLogHeader(std::string_view body) {
  ByteReader reader(body);
  UndoLogHeader header;
  const auto type = reader.Little<uint8_t>();
  const auto committed = reader.Little<uint8_t>();
  header.committed = committed == 1;
  header.trx = TrxId(reader.Little<uint64_t>());
  header.commit_no = reader.Little<uint64_t>();
  if (!reader.ok() || !reader.empty() || type != static_cast<uint8_t>(UndoType::kLogBegin) ||
      committed > 1) {
    return Status::Corruption("undo log header is malformed");
  }
  return header;
}

Status ApplyUndo(const UndoRecord& record, std::string_view new_stored, std::string* old_stored) {
  if (record.prefix > new_stored.size() || record.suffix > new_stored.size() - record.prefix) {
    return Status::Corruption("undo record does not fit its row");
  }
  std::string old;
  old.reserve(record.prefix + record.middle.size() + record.suffix);
  old.append(new_stored.substr(0, record.prefix));
  old.append(record.middle);
  old.append(new_stored.substr(new_stored.size() - record.suffix));
  *old_stored = std::move(old);
  return Status::Ok();
}

}  // namespace borealis::engine
