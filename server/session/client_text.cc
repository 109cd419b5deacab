#include "server/session/client_text.h"

namespace borealis::server {

std::string_view ClientText::Rest(row::CharsetId charset) {
  if (charset != row::CharsetId::kLatin1) {
    converted_ = false;
    return std::string_view(bytes_).substr(begin_);
  }
  if (!converted_) {
    text_ = row::GetCharset(charset).Decode(std::string_view(bytes_).substr(begin_));
    text_begin_ = 0;
    converted_ = true;
  }
  return std::string_view(text_).substr(text_begin_);
}

void ClientText::Skip(size_t size) {
  if (!converted_) {
    begin_ += size;
    return;
  }
  // A latin1 character is one byte.
  begin_ += row::CharCount(std::string_view(text_).substr(text_begin_, size));
  text_begin_ += size;
}

std::string FromClient(std::string bytes, row::CharsetId charset) {
  return charset == row::CharsetId::kLatin1 ? row::GetCharset(charset).Decode(bytes)
                                            : std::move(bytes);
}

}  // namespace borealis::server
