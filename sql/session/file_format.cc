#include "sql/session/file_format.h"

#include <algorithm>

#include "base/mysql_error.h"
#include "sql/session/session.h"

namespace borealis::sql {

namespace {

bool IsAscii(const std::optional<std::string>& text) {
  return !text.has_value() || std::all_of(text->begin(), text->end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x80;
  });
}

std::optional<char> OnlyCharacter(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text[0]);
}

}  // namespace

size_t FixedWidth(const row::Type& type) {
  constexpr size_t kLongTextBytes = 256;
  if (type.is_blob() || type.kind == row::TypeKind::kJson) {
    return kLongTextBytes;
  }
  const int character_bytes =
      type.has_collation() ? row::GetCollation(type.collation).charset().max_bytes : 1;
  return size_t{row::DisplayWidth(type)} * static_cast<size_t>(character_bytes);
}

Result<FieldFormat> CompleteFormat(const FileFormat& written, const row::Charset& charset,
                                   Session* session) {
  if (written.escaped_by.value_or("").size() > 1 || written.enclosed_by.value_or("").size() > 1) {
    return UserError(ER_WRONG_FIELD_TERMINATORS);
  }
  if (!IsAscii(written.escaped_by) || !IsAscii(written.enclosed_by) ||
      !IsAscii(written.field_terminator) || !IsAscii(written.line_terminator) ||
      !IsAscii(written.line_start)) {
    session->diagnostics().AddWarning(UserError(WARN_NON_ASCII_SEPARATOR_NOT_IMPLEMENTED));
  }
  FieldFormat format;
  format.field_terminator = written.field_terminator.value_or(format.field_terminator);
  format.line_terminator = written.line_terminator.value_or(format.line_terminator);
  format.line_start = written.line_start.value_or("");
  format.enclosed_by = OnlyCharacter(written.enclosed_by.value_or(""));
  format.optionally_enclosed = written.optionally_enclosed;
  if (written.escaped_by.has_value()) {
    format.escaped_by = OnlyCharacter(*written.escaped_by);
  } else if ((session->settings().sql_mode & row::kModeNoBackslashEscapes) != 0) {
    format.escaped_by.reset();
  }
  format.charset = written.charset.empty() ? &charset : row::FindCharset(written.charset);
  if (format.charset == nullptr) {
    return UserError(ER_UNKNOWN_CHARACTER_SET, written.charset);
  }
  format.max_field_bytes = session->settings().max_allowed_packet;
  return format;
}

}  // namespace borealis::sql
