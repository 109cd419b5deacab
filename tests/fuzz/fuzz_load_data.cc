// Files of LOAD DATA under any clauses: cutting them ends, says the same however the bytes arrive,
// and gives out no more than came in.
#include "sql/executor/change/field_splitter.h"
#include "tests/fuzz/fuzz.h"

namespace borealis::fuzz {

namespace {

constexpr size_t kFormatBytes = 8;
constexpr size_t kFieldsOfLine = 3;
constexpr size_t kLineBytes = 5;

class Pieces final : public sql::ByteSource {
 public:
  Pieces(std::string_view bytes, size_t piece) : bytes_(bytes), piece_(piece) {}
  Result<std::string_view> Next() override {
    const std::string_view piece = bytes_.substr(0, piece_);
    bytes_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view bytes_;
  const size_t piece_;
};

// Clauses from a few bytes, made of characters that the files are full of.
sql::FieldFormat FormatOf(std::string_view bytes) {
  constexpr std::string_view kCharacters = ",\n\t\"\\|<>ab\xC3\xA9";
  size_t at = 0;
  const auto next = [&] { return static_cast<unsigned char>(bytes[at++]); };
  const auto character = [&] { return kCharacters[next() % kCharacters.size()]; };
  const auto text = [&](size_t most) {
    std::string out;
    const char first = character();
    for (size_t i = 0; i < static_cast<unsigned char>(first) % (most + 1); ++i) {
      out += kCharacters[(static_cast<unsigned char>(first) + i) % kCharacters.size()];
    }
    return out;
  };
  sql::FieldFormat format;
  format.field_terminator = text(3);
  format.line_terminator = text(2);
  format.line_start = text(2);
  const unsigned char options = next();
  format.enclosed_by = (options & 1) != 0 ? std::optional(character()) : std::nullopt;
  format.escaped_by = (options & 2) != 0 ? std::optional(character()) : std::nullopt;
  format.charset = &row::GetCharset(static_cast<row::CharsetId>(next() % 5));
  format.max_field_bytes = 1U << 20;
  return format;
}

std::string Split(const sql::FieldFormat& format, std::string_view bytes, size_t piece) {
  Pieces source(bytes, piece);
  sql::FieldSplitter splitter(format, &source);
  std::string out;
  size_t taken = 0;
  for (size_t lines = 0;; ++lines) {
    FUZZ_CHECK(lines <= bytes.size() + 1, "more lines than bytes");
    size_t count = 0;
    for (; count < kFieldsOfLine; ++count) {
      sql::Field field;
      const Result<bool> found = format.fixed_size() ? splitter.ReadFixed(kLineBytes, &field.bytes)
                                                     : splitter.ReadField(&field);
      if (!found.ok()) {
        return out + found.status().ToString();
      }
      if (!*found) {
        break;
      }
      taken += field.bytes.size();
      out += std::string(field.bytes) + (field.is_null ? "~\x01" : "\x01");
    }
    const Result<bool> more = splitter.NextLine();
    FUZZ_CHECK(more.ok(), "a source that does not fail");
    out += splitter.line_was_cut() ? "\x02+" : "\x02";
    if (count == 0 || !*more) {
      break;
    }
  }
  FUZZ_CHECK(taken <= bytes.size(), "fields that nothing was read for");
  return out;
}

class LoadDataTarget final : public Target {
 public:
  std::vector<std::string> Seeds() override {
    const std::string format("\x09\x01\x00\x03\x03\x04\x04\x00", kFormatBytes);
    return {format + "1\ta\n2\tb\textra\n\\N\tx\n", format + "1,\"a,b\",c\n\"x\"\"y\",NULL,\\N\n",
            format + "xx<1>a<ab>\n", format + "caf\xC3\xA9\t\xC3\n"};
  }
  std::vector<std::string> Dictionary() override {
    return {"\t", "\n", ",", "\"", "\\", "\\N", "NULL", "\"\"", "\xC3\xA9", "<", ">"};
  }
  void Run(std::string_view input) override {
    if (input.size() < kFormatBytes) {
      return;
    }
    const sql::FieldFormat format = FormatOf(input.substr(0, kFormatBytes));
    const std::string_view bytes = input.substr(kFormatBytes);
    FUZZ_CHECK(Split(format, bytes, 1) == Split(format, bytes, 1000), "how the bytes arrive");
  }
};

}  // namespace

Target& TheTarget() {
  static LoadDataTarget target;
  return target;
}

}  // namespace borealis::fuzz
