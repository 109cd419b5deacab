// Character sets, and UTF-8 itself: decoding, counting, validity, case.
#include <unicode/uchar.h>

#include <algorithm>

#include "row/collation.h"

namespace borealis::row {

namespace {

// Windows-1252's 80..9F, which MySQL calls latin1; the five holes map to themselves.
constexpr char16_t kCp1252[32] = {0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                  0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
                                  0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                  0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

// -1 when latin1 lacks the character.
int Latin1Byte(char32_t c) {
  if (c < 0x80 || (c >= 0xA0 && c <= 0xFF)) {
    return static_cast<int>(c);
  }
  for (int i = 0; i < 32; ++i) {
    if (kCp1252[i] == c) {
      return 0x80 + i;
    }
  }
  return -1;
}

bool Has(CharsetId id, char32_t c) {
  switch (id) {
    case CharsetId::kBinary:
      return true;
    case CharsetId::kAscii:
      return c < 0x80;
    case CharsetId::kLatin1:
      return c != kBadChar && Latin1Byte(c) >= 0;
    case CharsetId::kUtf8mb3:
      return c < 0x10000;
    case CharsetId::kUtf8mb4:
      return c != kBadChar;
  }
  return false;
}

template <class Map>
std::string MapText(std::string_view text, Map map) {
  std::string mapped;
  mapped.reserve(text.size());
  for (size_t pos = 0; pos < text.size();) {
    size_t size;
    char32_t c = DecodeChar(text, pos, &size);
    if (c == kBadChar) {
      mapped += text[pos];
    } else {
      AppendChar(&mapped, map(c));
    }
    pos += size;
  }
  return mapped;
}

bool IsContinuation(char byte) {
  return (static_cast<uint8_t>(byte) & 0xC0) == 0x80;
}

}  // namespace

size_t Charset::EncodedSize(std::string_view text) const {
  return id == CharsetId::kLatin1 || id == CharsetId::kAscii ? CharCount(text) : text.size();
}

std::string Charset::Encode(std::string_view text) const {
  if (id == CharsetId::kBinary || id == CharsetId::kUtf8mb4 || IsAscii(text)) {
    return std::string(text);
  }
  std::string encoded;
  encoded.reserve(text.size());
  for (size_t pos = 0; pos < text.size();) {
    size_t size;
    char32_t c = DecodeChar(text, pos, &size);
    if (!Has(id, c)) {
      encoded += '?';
    } else if (id == CharsetId::kLatin1) {
      encoded += static_cast<char>(Latin1Byte(c));
    } else {
      encoded.append(text.substr(pos, size));
    }
    pos += size;
  }
  return encoded;
}

std::string Charset::Decode(std::string_view bytes) const {
  if (id != CharsetId::kLatin1 || IsAscii(bytes)) {
    return std::string(bytes);
  }
  std::string text;
  for (char byte : bytes) {
    uint8_t b = static_cast<uint8_t>(byte);
    AppendChar(&text, b >= 0x80 && b < 0xA0 ? kCp1252[b - 0x80] : b);
  }
  return text;
}

size_t Charset::ValidPrefix(std::string_view text) const {
  if (id == CharsetId::kBinary) {
    return text.size();
  }
  size_t pos = 0;
  while (pos < text.size()) {
    if (static_cast<uint8_t>(text[pos]) < 0x80) {
      ++pos;
      continue;
    }
    size_t size;
    char32_t c = DecodeChar(text, pos, &size);
    if (c == kBadChar || !Has(id, c)) {
      return pos;
    }
    pos += size;
  }
  return pos;
}

char32_t DecodeChar(std::string_view text, size_t pos, size_t* size) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[pos + i]); };
  auto more = [&](size_t count) {
    if (text.size() - pos <= count) {
      return false;
    }
    for (size_t i = 1; i <= count; ++i) {
      if (!IsContinuation(text[pos + i])) {
        return false;
      }
    }
    return true;
  };
  uint8_t lead = byte(0);
  *size = 1;
  if (lead < 0x80) {
    return lead;
  }
  if (lead >= 0xC2 && lead < 0xE0 && more(1)) {
    *size = 2;
    return static_cast<char32_t>(lead & 0x1F) << 6 | (byte(1) & 0x3F);
  }
  if (lead >= 0xE0 && lead < 0xF0 && more(2)) {
    char32_t c = static_cast<char32_t>(lead & 0x0F) << 12 |
                 static_cast<char32_t>(byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    if (c >= 0x800 && (c < 0xD800 || c > 0xDFFF)) {
      *size = 3;
      return c;
    }
  } else if (lead >= 0xF0 && lead < 0xF5 && more(3)) {
    char32_t c = static_cast<char32_t>(lead & 0x07) << 18 |
                 static_cast<char32_t>(byte(1) & 0x3F) << 12 |
                 static_cast<char32_t>(byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    if (c >= 0x10000 && c <= 0x10FFFF) {
      *size = 4;
      return c;
    }
  }
  return kBadChar;
}

void AppendChar(std::string* text, char32_t c) {
  auto put = [&](char32_t byte) { *text += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18 & 0x07));
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

size_t CharCount(std::string_view text) {
  size_t count = 0;
  for (size_t pos = 0; pos < text.size(); ++count) {
    size_t size = 1;
    if (static_cast<uint8_t>(text[pos]) >= 0x80) {
      DecodeChar(text, pos, &size);
    }
    pos += size;
  }
  return count;
}

size_t OffsetOfChar(std::string_view text, size_t chars) {
  size_t pos = 0;
  for (; chars > 0 && pos < text.size(); --chars) {
    size_t size = 1;
    if (static_cast<uint8_t>(text[pos]) >= 0x80) {
      DecodeChar(text, pos, &size);
    }
    pos += size;
  }
  return pos;
}

size_t ValidUtf8Prefix(std::string_view text) {
  return GetCharset(CharsetId::kUtf8mb4).ValidPrefix(text);
}

bool IsAscii(std::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::copy_n(text.data() + i, 8, reinterpret_cast<char*>(&word));
    if ((word & 0x8080808080808080U) != 0) {
      return false;
    }
  }
  for (; i < text.size(); ++i) {
    if (static_cast<uint8_t>(text[i]) >= 0x80) {
      return false;
    }
  }
  return true;
}

std::string UpperText(std::string_view text) {
  return MapText(text, [](char32_t c) -> char32_t {
    if (c < 0x80) {
      return c >= 'a' && c <= 'z' ? c - 32 : c;
    }
    return static_cast<char32_t>(u_toupper(static_cast<UChar32>(c)));
  });
}

std::string LowerText(std::string_view text) {
  return MapText(text, [](char32_t c) -> char32_t {
    if (c < 0x80) {
      return c >= 'A' && c <= 'Z' ? c + 32 : c;
    }
    return static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)));
  });
}

}  // namespace borealis::row
