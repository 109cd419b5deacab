#include "sql/session/outfile.h"

#include <algorithm>

#include "base/mysql_error.h"
#include "row/convert.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"

namespace borealis::sql {

namespace {

constexpr std::string_view kEscapeLetters = "ntrb0ZN";
constexpr std::string_view kNumberCharacters = ".0123456789e+-";

bool IsOneOf(int c, std::string_view characters) {
  return c > 0 && characters.find(static_cast<char>(c)) != std::string_view::npos;
}

int FirstOf(std::string_view text) {
  return text.empty() ? -1 : static_cast<unsigned char>(text[0]);
}

}  // namespace

RowFormatter::RowFormatter(FieldFormat format, bool named, std::span<const ResultColumn> columns,
                           Session* session)
    : format_(std::move(format)), named_(named), columns_(columns), session_(session) {
  fixed_ = format_.fixed_size() &&
           std::none_of(columns.begin(), columns.end(), [](const ResultColumn& column) {
             return column.type.is_blob() || column.type.kind == row::TypeKind::kJson;
           });
  if (format_.line_terminator.empty()) {
    format_.line_terminator = format_.field_terminator;
  }
  if (format_.field_terminator.empty()) {
    format_.optionally_enclosed = false;
  }
  separator_ = format_.enclosed_by.has_value() ? static_cast<unsigned char>(*format_.enclosed_by)
                                               : FirstOf(format_.field_terminator);
}

bool RowFormatter::IsText(size_t column) const {
  const row::Type& type = columns_[column].type;
  return !type.is_numeric() || type.kind == row::TypeKind::kBit;
}

void RowFormatter::WarnIfAmbiguous() const {
  bool texts = false;
  bool numbers = false;
  for (size_t i = 0; i < columns_.size(); ++i) {
    (IsText(i) ? texts : numbers) = true;
  }
  const bool enclosed = format_.enclosed_by.has_value();
  const bool as_escape = IsOneOf(separator_, kEscapeLetters) && !enclosed &&
                         (texts || IsOneOf(separator_, kNumberCharacters));
  const bool as_number = (format_.optionally_enclosed || !enclosed) && numbers &&
                         IsOneOf(FirstOf(format_.field_terminator), kNumberCharacters);
  if (as_escape || as_number) {
    session_->diagnostics().AddWarning(
        row::WarningLevel::kWarning, 1475,
        "First character of the FIELDS TERMINATED string is ambiguous; please use non-optional and "
        "non-empty FIELDS ENCLOSED BY");
  }
}

std::string RowFormatter::BytesOf(size_t column, const row::Value& value) {
  const row::Type& type = columns_[column].type;
  std::string text = row::ToText(value, type, session_->eval_context().conversion.time_zone());
  if (!named_) {
    return type.has_collation() ? row::GetCollation(type.collation).charset().Encode(text) : text;
  }
  if (format_.charset->id == row::CharsetId::kBinary || type.kind == row::TypeKind::kBit) {
    return text;
  }
  const size_t valid = format_.charset->ValidPrefix(text);
  if (valid == text.size()) {
    return format_.charset->Encode(text);
  }
  session_->diagnostics().AddWarning(UserError(ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, "string",
                                               row::Printable(std::string_view(text).substr(valid)),
                                               columns_[column].name, row_number_));
  if (type.is_binary_string()) {
    text.resize(valid);
  }
  return format_.charset->Encode(text);
}

void RowFormatter::AppendLine(std::span<const row::Value> row, std::string* out) {
  ++row_number_;
  *out += format_.line_start;
  for (size_t i = 0; i < row.size(); ++i) {
    *out += i == 0 ? "" : format_.field_terminator;
    AppendField(i, row[i], out);
  }
  *out += format_.line_terminator;
}

void RowFormatter::AppendPlain(std::span<const row::Value> row, std::string* out) {
  ++row_number_;
  for (size_t i = 0; i < row.size(); ++i) {
    *out += row[i].is_null() ? std::string(1, '\0') : BytesOf(i, row[i]);
  }
}

void RowFormatter::AppendField(size_t column, const row::Value& value, std::string* out) {
  const size_t width = fixed_ ? FixedWidth(columns_[column].type) : 0;
  if (value.is_null() && fixed_) {
    out->append(width, ' ');
    return;
  }
  if (value.is_null()) {
    *out += format_.escaped_by.has_value() ? std::string{*format_.escaped_by, 'N'} : "NULL";
    return;
  }
  const bool text = IsText(column);
  const bool enclosed = format_.enclosed_by.has_value() && (text || !format_.optionally_enclosed);
  const std::string_view around = enclosed ? std::string_view(&*format_.enclosed_by, 1) : "";
  std::string bytes = BytesOf(column, value);
  bytes.resize(fixed_ ? std::min(bytes.size(), width) : bytes.size());
  *out += around;
  if (format_.escaped_by.has_value() && (text || IsOneOf(separator_, kNumberCharacters))) {
    AppendEscaped(bytes, enclosed, out);
  } else {
    *out += bytes;
  }
  *out += around;
  out->append(fixed_ ? width - bytes.size() : 0, ' ');
}

void RowFormatter::AppendEscaped(std::string_view bytes, bool enclosed, std::string* out) const {
  const int escape = static_cast<unsigned char>(*format_.escaped_by);
  const int field_end = FirstOf(format_.field_terminator);
  const int bound = enclosed ? separator_ : field_end;
  const int line_end = FirstOf(format_.line_terminator);
  const bool ambiguous = IsOneOf(separator_, kEscapeLetters);
  const bool ambiguous_field_end = IsOneOf(field_end, kEscapeLetters);
  for (const char byte : bytes) {
    const int c = static_cast<unsigned char>(byte);
    const bool special = c == escape || c == bound || c == line_end || c == 0;
    // Escaped, such a terminator would be read as a control character; only what encloses may be
    // doubled instead.
    if (special && (enclosed || !ambiguous_field_end || c != field_end)) {
      *out += static_cast<char>(ambiguous && c == separator_ ? separator_ : escape);
      *out += c == 0 ? '0' : byte;
    } else {
      *out += byte;
    }
  }
}

}  // namespace borealis::sql
