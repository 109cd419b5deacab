// Undo records: how to get the version of a row before a change, what rollback has to take back,
// and what purge has to clear away. Layout in docs/formats/undo.md.
//
// A record names its row by clustered index id (not table id: TRUNCATE and rebuilds make new trees,
// and undo of the old ones must not touch them) and clustered key. A change keeps the old header
// and the difference between the old and the new stored bytes: common prefix and suffix are left
// out. The secondary keys that the change gave up are listed, so purge need not rebuild old rows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "engine/definition.h"
#include "engine/row/row_format.h"

namespace borealis::engine {

enum class UndoType : uint8_t {
  kLogBegin = 1,  // start of one transaction's records
  kInsert = 2,    // a row that was not there
  kChange = 3,    // another version of a row that was: update, delete mark, insert over a ghost
};

// What the caller fills in to describe a change.
struct UndoDraft {
  UndoType type = UndoType::kInsert;
  IndexId clustered_index;
  std::string_view clustered_key;
  RowHeader old_header;            // kChange
  std::string_view old_stored;     // kChange
  std::string_view new_stored;     // kChange: against which the difference is taken
  std::string_view old_reference;  // off-page part of the old version, to be freed by purge
  std::string_view new_reference;  // off-page part of the new version, to be freed by rollback
  bool deletes = false;            // the new version is delete-marked
  // Index id and secondary key (without the clustered part) of entries no longer current.
  std::vector<std::pair<IndexId, std::string_view>> given_up;
};

// A parsed record; views into the bytes it was parsed from.
struct UndoRecord {
  UndoType type = UndoType::kInsert;
  bool deletes = false;
  bool old_reference_freed = false;
  IndexId clustered_index;
  std::string_view clustered_key;
  RowHeader old_header;
  size_t prefix = 0;
  size_t suffix = 0;
  std::string_view middle;
  std::string_view old_reference;
  std::string_view new_reference;
  std::vector<std::pair<IndexId, std::string_view>> given_up;
};

// Body of a kLogBegin record.
struct UndoLogHeader {
  static constexpr size_t kSize = 18;
  TrxId trx;
  bool committed = false;
  uint64_t commit_no = 0;
};

// Bodies, without the frame that undo_log.h puts around them. The first byte is the type, the
// second the flags.
inline constexpr size_t kUndoFlagsOffset = 1;
inline constexpr uint8_t kUndoOldReferenceFreed = 8;

std::string EncodeUndo(const UndoDraft& draft);
void AppendUndo(const UndoDraft& draft, std::string* out);
Result<UndoRecord> ParseUndo(std::string_view body);
std::string EncodeUndoLogHeader(const UndoLogHeader& header);
Result<UndoLogHeader> ParseUndoLogHeader(std::string_view body);

// The stored bytes of the version before. `new_stored` are those of the version after it;
// kCorruption when they do not fit together.
Status ApplyUndo(const UndoRecord& record, std::string_view new_stored, std::string* old_stored);

}  // namespace borealis::engine
