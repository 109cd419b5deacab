// Cuts the bytes of a LOAD DATA file into lines and fields, exactly as MySQL does.
//
// A field begins with the enclosing character or not; enclosed, it ends with that character and a
// terminator, so terminators inside it are text; otherwise it ends with a terminator. The escape
// character takes the next one literally or makes n, t, r, b, 0, Z a control character; an escaped
// N that is the whole field is NULL. Characters of several bytes are kept together, so that no byte
// of them is taken for a terminator. What comes before LINES STARTING BY is skipped.
//
//   while (true) {
//     while (ReadField(&field)) …      false: no field is left on this line
//     if (!NextLine()) break;          skips what is left of the line; false: the data has ended
//   }
//
// INV-LOAD-1  Lines and fields do not depend on how the source cuts the bytes.
// Memory is bounded by the longest field, and that by `max_field_bytes`. Used by one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/context/byte_source.h"
#include "sql/session/file_format.h"

namespace borealis::sql {

struct Field {
  std::string_view bytes;  // in the file's character set; valid until the next call
  bool is_null = false;
};

class FieldSplitter {
 public:
  // `source` outlives the splitter.
  FieldSplitter(FieldFormat format, ByteSource* source);

  // The next field of the line; false when the line, or the data, has no more. Errors: those of the
  // source, 1300 for bytes that begin no character, 1153 for a field that is too long.
  Result<bool> ReadField(Field* field);
  // For fields that have neither terminators nor enclosing characters: `size` bytes, escapes
  // counted once, or what the line has before it ends; valid until the next call. False when no
  // data is left.
  Result<bool> ReadFixed(size_t size, std::string_view* line);
  // Goes on to the next line; false when there is none.
  Result<bool> NextLine();
  // Whether NextLine skipped something.
  bool line_was_cut() const { return line_was_cut_; }

 private:
  static constexpr int kEnd = -1;      // of the data, or the source failed (failure_)
  static constexpr int kNothing = -2;  // no byte: what an unset character is compared as

  int Get();
  int Refill();
  // Bytes are taken back in the order opposite to Get.
  void Unget(int c) { pushed_back_.push_back(c); }
  // Takes the rest of a terminator whose first character was just got; gives back what was none.
  bool TakeRest(std::string_view terminator);
  bool SkipToLineStart();
  // One character or a piece of one, `c` its first byte, after everything special was excluded.
  // False: the field's data ended within it.
  Result<bool> AppendCharacter(int c, bool first_byte_escaped);
  Result<bool> Finish(bool enclosed, bool line_ended, Field* field);
  // The characters after the first, which decides whether the field is enclosed.
  Result<bool> ReadFrom(int enclosing, Field* field);
  char Unescape(int c);
  // Bytes of the character that begins with `c`; 0 when none does.
  size_t CharacterSize(int c) const;

  const FieldFormat format_;
  ByteSource* const source_;
  const int field_end_;
  int line_end_;
  const int enclosing_;
  const int escape_;

  std::string_view piece_;  // of the source, what is not yet consumed
  Status failure_;          // of the source
  std::vector<int> pushed_back_;
  std::string text_;
  bool escaped_null_ = false;  // an escaped N was met in the field
  bool at_line_start_;
  bool line_ended_ = false;  // its terminator was met: NextLine has to be called
  bool ended_ = false;
  bool line_was_cut_ = false;
};

}  // namespace borealis::sql
