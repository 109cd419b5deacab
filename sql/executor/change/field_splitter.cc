#include "sql/executor/change/field_splitter.h"

#include "base/mysql_error.h"

namespace borealis::sql {

namespace {

int FirstOf(std::string_view text, int none) {
  return text.empty() ? none : static_cast<unsigned char>(text[0]);
}

int CharacterOf(std::optional<char> c, int none) {
  return c.has_value() ? static_cast<unsigned char>(*c) : none;
}

}  // namespace

FieldSplitter::FieldSplitter(FieldFormat format, ByteSource* source)
    : format_(std::move(format)),
      source_(source),
      field_end_(FirstOf(format_.field_terminator, kNothing)),
      line_end_(FirstOf(format_.line_terminator, kNothing)),
      enclosing_(CharacterOf(format_.enclosed_by, kNothing)),
      escape_(CharacterOf(format_.escaped_by, kNothing)),
      at_line_start_(!format_.line_start.empty()) {
  if (format_.field_terminator == format_.line_terminator) {
    line_end_ = kNothing;  // fields are counted instead
  }
}

int FieldSplitter::Get() {
  if (!pushed_back_.empty()) {
    const int c = pushed_back_.back();
    pushed_back_.pop_back();
    return c;
  }
  if (piece_.empty()) {
    return Refill();
  }
  const int c = static_cast<unsigned char>(piece_[0]);
  piece_.remove_prefix(1);
  return c;
}

int FieldSplitter::Refill() {
  if (!failure_.ok()) {
    return kEnd;
  }
  Result<std::string_view> next = source_->Next();
  if (!next.ok()) {
    failure_ = std::move(next).status();
    return kEnd;
  }
  if (next->empty()) {
    return kEnd;
  }
  piece_ = next->substr(1);
  return static_cast<unsigned char>((*next)[0]);
}

bool FieldSplitter::TakeRest(std::string_view terminator) {
  for (size_t i = 1; i < terminator.size(); ++i) {
    const int c = Get();
    if (c == static_cast<unsigned char>(terminator[i])) {
      continue;
    }
    Unget(c);
    while (--i > 0) {
      Unget(static_cast<unsigned char>(terminator[i]));
    }
    return false;
  }
  return true;
}

bool FieldSplitter::SkipToLineStart() {
  at_line_start_ = false;
  const int first = FirstOf(format_.line_start, kNothing);
  for (;;) {
    const int c = Get();
    if (c == kEnd) {
      line_ended_ = ended_ = true;
      return false;
    }
    if (c == first && TakeRest(format_.line_start)) {
      return true;
    }
  }
}

char FieldSplitter::Unescape(int c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'b':
      return '\b';
    case '0':
      return '\0';
    case 'Z':
      return '\x1A';
    case 'N':
      escaped_null_ = true;
      return 'N';
    default:
      return static_cast<char>(c);
  }
}

size_t FieldSplitter::CharacterSize(int c) const {
  const bool utf8mb4 = format_.charset->id == row::CharsetId::kUtf8mb4;
  if (c < 0x80 || (!utf8mb4 && format_.charset->id != row::CharsetId::kUtf8mb3)) {
    return 1;
  }
  if (c < 0xC2) {
    return 0;
  }
  if (c < 0xE0) {
    return 2;
  }
  if (c < 0xF0) {
    return 3;
  }
  return utf8mb4 && c < 0xF8 ? 4 : 0;
}

Result<bool> FieldSplitter::AppendCharacter(int c, bool first_byte_escaped) {
  const size_t size = CharacterSize(c);
  if (size == 0) {
    return UserError(ER_INVALID_CHARACTER_STRING, format_.charset->name,
                     std::string_view(text_.c_str()));
  }
  const size_t begin = text_.size();
  text_ += static_cast<char>(c);
  for (size_t i = 1; i < size; ++i) {
    int next = Get();
    if (next == kEnd) {
      text_.resize(begin);
      return false;
    }
    if (next == escape_ && first_byte_escaped) {
      next = static_cast<unsigned char>(Unescape(Get()));
    }
    text_ += static_cast<char>(next);
  }
  const std::string_view character = std::string_view(text_).substr(begin);
  if (size > 1 && format_.charset->ValidPrefix(character) != size) {
    // No character: its first byte stands alone, the others may mean anything.
    while (text_.size() > begin + 1) {
      Unget(static_cast<unsigned char>(text_.back()));
      text_.pop_back();
    }
  }
  return true;
}

Result<bool> FieldSplitter::Finish(bool enclosed, bool line_ended, Field* field) {
  RETURN_IF_ERROR(failure_);
  line_ended_ = line_ended;
  field->bytes = std::string_view(text_).substr(enclosed ? 1 : 0);
  // The bare word is NULL only where text can be told from it by being enclosed.
  const bool word = !enclosed && format_.enclosed_by.has_value() && field->bytes == "NULL";
  field->is_null = word || (escaped_null_ && field->bytes.size() == 1);
  return true;
}

Result<bool> FieldSplitter::ReadField(Field* field) {
  escaped_null_ = false;
  if (line_ended_ || (at_line_start_ && !SkipToLineStart())) {
    RETURN_IF_ERROR(failure_);
    return false;
  }
  const int c = Get();
  if (c == kEnd) {
    line_ended_ = ended_ = true;
    RETURN_IF_ERROR(failure_);
    return false;
  }
  text_.clear();
  if (c == enclosing_) {
    text_ += static_cast<char>(c);  // dropped if the field turns out to be enclosed
    return ReadFrom(c, field);
  }
  Unget(c);
  return ReadFrom(kNothing, field);
}

Result<bool> FieldSplitter::ReadFrom(int enclosing, Field* field) {
  bool first_byte_escaped = false;
  for (;;) {
    if (text_.size() > format_.max_field_bytes) {
      return UserError(ER_NET_PACKET_TOO_LARGE);
    }
    int c = Get();
    if (c == kEnd) {
      break;
    }
    if (c == escape_) {
      c = Get();
      if (c == kEnd) {
        text_ += static_cast<char>(escape_);
        break;
      }
      // Where both are the same character it stands for itself when doubled, and nothing else.
      if (escape_ != enclosing_ || c == escape_) {
        if (CharacterSize(c) == 1) {
          text_ += Unescape(c);
        } else {
          first_byte_escaped = true;
          Unget(c);
        }
        continue;
      }
      Unget(c);
      c = escape_;
    }
    if (enclosing == kNothing) {
      if (c == line_end_ && TakeRest(format_.line_terminator)) {
        return Finish(false, true, field);
      }
      if (c == field_end_ && TakeRest(format_.field_terminator)) {
        return Finish(false, false, field);
      }
    } else if (c == enclosing) {
      c = Get();
      if (c == enclosing) {
        text_ += static_cast<char>(c);  // doubled
        continue;
      }
      if (c == kEnd || (c == line_end_ && TakeRest(format_.line_terminator))) {
        return Finish(true, true, field);
      }
      if (c == field_end_ && TakeRest(format_.field_terminator)) {
        return Finish(true, false, field);
      }
      Unget(c);
      c = enclosing;  // it is text
    }
    ASSIGN_OR_RETURN(const bool whole, AppendCharacter(c, first_byte_escaped));
    first_byte_escaped = false;
    if (!whole) {
      break;
    }
  }
  ended_ = true;
  return Finish(false, true, field);
}

Result<bool> FieldSplitter::ReadFixed(size_t size, std::string_view* line) {
  if (line_ended_ || (at_line_start_ && !SkipToLineStart())) {
    RETURN_IF_ERROR(failure_);
    return false;
  }
  text_.clear();
  while (text_.size() < size && !line_ended_) {
    int c = Get();
    if (c == escape_) {
      c = Get();
      text_ += c == kEnd ? static_cast<char>(escape_) : Unescape(c);
      line_ended_ = ended_ = c == kEnd;
    } else if (c == kEnd) {
      line_ended_ = ended_ = true;
    } else if (c == line_end_ && TakeRest(format_.line_terminator)) {
      line_ended_ = true;
    } else {
      text_ += static_cast<char>(c);
    }
  }
  RETURN_IF_ERROR(failure_);
  *line = text_;
  return !ended_ || !text_.empty();
}

Result<bool> FieldSplitter::NextLine() {
  RETURN_IF_ERROR(failure_);
  line_was_cut_ = false;
  at_line_start_ = !format_.line_start.empty();
  if (line_ended_ || ended_) {
    line_ended_ = false;
    return !ended_;
  }
  if (line_end_ == kNothing) {
    return true;
  }
  for (;;) {
    int c = Get();
    const size_t size = c == kEnd ? 1 : CharacterSize(c);
    for (size_t i = 1; i < size && c != kEnd; ++i) {
      c = Get();
    }
    if (c == escape_) {
      line_was_cut_ = true;
      c = Get();
      if (c != kEnd) {
        continue;
      }
    }
    if (c == kEnd) {
      ended_ = true;
      RETURN_IF_ERROR(failure_);
      return false;
    }
    if (c == line_end_ && TakeRest(format_.line_terminator)) {
      return true;
    }
    line_was_cut_ = true;
  }
}

}  // namespace borealis::sql
