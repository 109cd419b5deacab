#include "sql/program/program_cursor.h"

#include "base/mysql_error.h"
#include "sql/program/program_frame.h"
#include "sql/session/session.h"

namespace borealis::sql {

Status ProgramCursorState::Open(Session* session, NestedStatement* query,
                                const ProgramFrame& frame) {
  if (open_) {
    return UserError(ER_SP_CURSOR_ALREADY_OPEN);
  }
  RETURN_IF_ERROR(session->CollectNested(query, frame.values(), &types_, &rows_));
  open_ = true;
  next_ = 0;
  return {};
}

Status ProgramCursorState::Fetch(std::span<const uint32_t> slots, ProgramFrame* frame) {
  if (!open_) {
    return UserError(ER_SP_CURSOR_NOT_OPEN);
  }
  if (slots.size() != types_.size()) {
    return UserError(ER_SP_WRONG_NO_OF_FETCH_ARGS);
  }
  if (next_ == rows_.size()) {
    return UserError(ER_SP_FETCH_NO_DATA);
  }
  std::vector<row::Value>& row = rows_[next_++];
  for (size_t i = 0; i < slots.size(); ++i) {
    RETURN_IF_ERROR(frame->Assign(slots[i], {types_[i], std::move(row[i])}));
  }
  row.clear();
  return {};
}

Status ProgramCursorState::Close() {
  if (!open_) {
    return UserError(ER_SP_CURSOR_NOT_OPEN);
  }
  Forget();
  return {};
}

}  // namespace borealis::sql
