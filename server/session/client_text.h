// The statements that a client sent in one command, as UTF-8.
//
// INV-ROW-1 has text in UTF-8 everywhere inside; this is where statements become so, from
// character_set_client, before anything looks at them. Only latin1 has bytes to change: what comes
// as utf8mb4, utf8mb3, ascii or binary is handed on as it is, unread (what is malformed in it is
// found where it matters: names by the parser, literals by the binder). A statement may change
// character_set_client for those after it (SET NAMES), so the rest is converted anew then.
#pragma once

#include <string>
#include <string_view>

#include "row/collation.h"

namespace borealis::server {

class ClientText {
 public:
  explicit ClientText(std::string bytes) : bytes_(std::move(bytes)) {}

  // What is left, as a client of that character set means it. Valid until the next call.
  std::string_view Rest(row::CharsetId charset);
  // REQUIRES: Rest was called and `size` bytes of it are whole characters.
  void Skip(size_t size);
  bool at_end() const { return begin_ == bytes_.size(); }

 private:
  const std::string bytes_;
  size_t begin_ = 0;  // of what is left
  bool converted_ = false;
  std::string text_;  // when converted: what was left then
  size_t text_begin_ = 0;
};

// Bytes of the client that are no statement (a name, a parameter), as UTF-8.
std::string FromClient(std::string bytes, row::CharsetId charset);

}  // namespace borealis::server
