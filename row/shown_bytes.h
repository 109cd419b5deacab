// Bytes that are no text of their character set, as error messages and warnings show them.
#pragma once

#include <string>
#include <string_view>

namespace borealis::row {

// The first three, as digits: "E97A".
std::string HexOfBadBytes(std::string_view bytes);
// Each as it is where it is printable ASCII, and as \xNN otherwise.
std::string PrintableBytes(std::string_view bytes);
// The first six, with \xNN for what is not printable ASCII, and "..." when there are more.
std::string EscapedBytes(std::string_view bytes);

}  // namespace borealis::row
