#include "row/date_delimiters.h"

#include <array>
#include <string>

#include "base/mysql_error.h"

namespace borealis::row {

namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// As it is written in a message.
std::string Shown(char c) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '\r':
      return "\\r";
    default:
      return {c};
  }
}

// 'YYYY-MM-DD', alone or with ' HH:MM:SS' and what follows that: nearly all there is.
bool IsStandard(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00 00:00:00";
  if (text.size() != 10 && text.size() != kForm.size()) {
    return false;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    if (kForm[i] == '0' ? !IsDigit(text[i]) : text[i] != kForm[i]) {
      return false;
    }
  }
  return true;
}

class DelimiterReader {
 public:
  DelimiterReader(std::string_view text, const ConversionContext& context)
      : text_(text), context_(context) {}

  void Read() {
    if (At() == ' ') {
      return Superfluous();
    }
    const size_t first = pos_;
    SkipDigits();
    if (pos_ - first > 4 || pos_ == text_.size()) {  // without delimiters
      return;
    }
    // After the year, the month, the day, the hour and the minute.
    constexpr std::array<char, 5> kStandard = {'-', '-', ' ', ':', ':'};
    for (const char standard : kStandard) {
      if (pos_ == text_.size() || !ReadRun(standard)) {
        return;
      }
      SkipDigits();
    }
    if (At() == '.') {
      ++pos_;
      SkipDigits();
    }
    if (At() == ' ') {
      Superfluous();
    }
  }

 private:
  char At() const { return pos_ < text_.size() ? text_[pos_] : '\0'; }
  void SkipDigits() {
    while (IsDigit(At())) {
      ++pos_;
    }
  }

  // False when there is nothing more to say.
  bool ReadRun(char standard) {
    const bool as_standard = At() == standard || (standard == ' ' && At() == 'T');
    if (!as_standard) {
      context_.Warn(UserError(ER_WARN_DEPRECATED_DATETIME_DELIMITER, Shown(At()), pos_, text_,
                              context_.row_number, std::string(1, standard)));
      return false;
    }
    ++pos_;
    if (pos_ < text_.size() && !IsDigit(At())) {
      Superfluous();
      return false;
    }
    return true;
  }

  void Superfluous() {
    context_.Warn(UserError(ER_WARN_DEPRECATED_SUPERFLUOUS_DELIMITER, Shown(At()), pos_, text_,
                            context_.row_number));
  }

  const std::string_view text_;
  const ConversionContext& context_;
  size_t pos_ = 0;
};

}  // namespace

void WarnOfDelimiters(std::string_view text, const ConversionContext& context) {
  if (context.warnings != nullptr && !IsStandard(text)) {
    DelimiterReader(text, context).Read();
  }
}

}  // namespace borealis::row
