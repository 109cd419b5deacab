#include "row/json/view.h"

#include <algorithm>
#include <bit>

#include "base/coding.h"
#include "base/mysql_error.h"

namespace borealis::row {

namespace {

// Type bytes; docs/formats/json.md.
enum Code : uint8_t {
  kSmallObject = 0x00,
  kLargeObject = 0x01,
  kSmallArray = 0x02,
  kLargeArray = 0x03,
  kLiteral = 0x04,
  kInt16 = 0x05,
  kUint16 = 0x06,
  kInt32 = 0x07,
  kUint32 = 0x08,
  kInt64 = 0x09,
  kUint64 = 0x0A,
  kDouble = 0x0B,
  kString = 0x0C,
  kOpaque = 0x0F,
};
constexpr uint8_t kLiteralNull = 0;
constexpr uint8_t kLiteralTrue = 1;
constexpr uint8_t kLiteralFalse = 2;

// Codes of opaque values that are types of JSON's own.
constexpr uint8_t kOpaqueTime = 11;
constexpr uint8_t kOpaqueDate = 10;
constexpr uint8_t kOpaqueDateTime = 12;
constexpr uint8_t kOpaqueDecimal = 246;

constexpr size_t kSmallLimit = 0xFFFF;
constexpr size_t kMaxKeySize = 0xFFFF;

size_t LengthSize(size_t length) {
  size_t bytes = 1;
  while (length >= 0x80) {
    length >>= 7;
    ++bytes;
  }
  return bytes;
}

void AppendLength(std::string* out, size_t length) {
  while (length >= 0x80) {
    *out += static_cast<char>(0x80 | (length & 0x7F));
    length >>= 7;
  }
  *out += static_cast<char>(length);
}

// Seven bits a byte, at most five bytes.
bool ReadLength(std::string_view* bytes, size_t* length) {
  *length = 0;
  for (size_t i = 0; i < bytes->size() && i < 5; ++i) {
    auto byte = static_cast<uint8_t>((*bytes)[i]);
    *length |= static_cast<size_t>(byte & 0x7F) << (7 * i);
    if ((byte & 0x80) == 0) {
      bytes->remove_prefix(i + 1);
      return *length <= bytes->size();
    }
  }
  return false;
}

uint8_t IntegerCode(const JsonNode& node) {
  int64_t v = node.integer;
  if (node.type == JsonType::kUint) {
    auto u = static_cast<uint64_t>(v);
    return u <= UINT16_MAX ? kUint16 : u <= UINT32_MAX ? kUint32 : kUint64;
  }
  return v >= INT16_MIN && v <= INT16_MAX   ? kInt16
         : v >= INT32_MIN && v <= INT32_MAX ? kInt32
                                            : kInt64;
}

size_t IntegerSize(uint8_t code) {
  switch (code) {
    case kInt16:
    case kUint16:
      return 2;
    case kInt32:
    case kUint32:
      return 4;
    default:
      return 8;
  }
}

uint8_t OpaqueCode(const JsonNode& node) {
  switch (node.type) {
    case JsonType::kDate:
      return kOpaqueDate;
    case JsonType::kTime:
      return kOpaqueTime;
    case JsonType::kDateTime:
      return kOpaqueDateTime;
    case JsonType::kDecimal:
      return kOpaqueDecimal;
    default:
      return node.opaque_type;
  }
}

// The bytes of an opaque value behind its length.
std::string OpaqueBytes(const JsonNode& node) {
  std::string bytes;
  if (node.type == JsonType::kOpaque) {
    return node.text;
  }
  if (node.type == JsonType::kDecimal) {
    int precision = node.decimal.precision();
    bytes += static_cast<char>(precision);
    bytes += static_cast<char>(node.decimal.scale());
    node.decimal.AppendFixed(precision, node.decimal.scale(), &bytes);
    return bytes;
  }
  AppendLittle(&bytes, static_cast<uint64_t>(node.integer));
  return bytes;
}

// Sizes are known before a byte is written, so that each container is laid out once, with offsets
// of the width it needs.
struct Layout {
  uint8_t code = kLiteral;
  size_t size = 0;  // without the type byte
  std::vector<Layout> items;
};

bool Inlined(uint8_t code, bool large) {
  return code == kLiteral || code == kInt16 || code == kUint16 ||
         (large && (code == kInt32 || code == kUint32));
}

Status MakeLayout(const JsonNode& node, Layout* layout);

size_t ContainerSize(const JsonNode& node, const Layout& layout, bool large) {
  size_t width = large ? 4 : 2;
  size_t size = 2 * width + node.items.size() * (1 + width);
  for (const std::string& key : node.keys) {
    size += width + 2 + key.size();
  }
  for (const Layout& item : layout.items) {
    size += Inlined(item.code, large) ? 0 : item.size;
  }
  return size;
}

Status MakeContainerLayout(const JsonNode& node, Layout* layout) {
  for (const std::string& key : node.keys) {
    if (key.size() > kMaxKeySize) {
      return UserError(ER_JSON_KEY_TOO_BIG);
    }
  }
  layout->items.resize(node.items.size());
  for (size_t i = 0; i < node.items.size(); ++i) {
    RETURN_IF_ERROR(MakeLayout(node.items[i], &layout->items[i]));
  }
  layout->size = ContainerSize(node, *layout, false);
  bool large = layout->size > kSmallLimit || node.items.size() > kSmallLimit;
  if (large) {
    layout->size = ContainerSize(node, *layout, true);
    if (layout->size > UINT32_MAX) {
      return UserError(ER_JSON_VALUE_TOO_BIG);
    }
  }
  layout->code = node.is_object() ? (large ? kLargeObject : kSmallObject)
                                  : (large ? kLargeArray : kSmallArray);
  return {};
}

Status MakeLayout(const JsonNode& node, Layout* layout) {
  switch (node.type) {
    case JsonType::kObject:
    case JsonType::kArray:
      return MakeContainerLayout(node, layout);
    case JsonType::kNull:
    case JsonType::kBoolean:
      *layout = {kLiteral, 1, {}};
      return {};
    case JsonType::kInt:
    case JsonType::kUint:
      layout->code = IntegerCode(node);
      layout->size = IntegerSize(layout->code);
      return {};
    case JsonType::kDouble:
      *layout = {kDouble, 8, {}};
      return {};
    case JsonType::kString:
      *layout = {kString, LengthSize(node.text.size()) + node.text.size(), {}};
      break;
    default: {
      size_t bytes = OpaqueBytes(node).size();
      *layout = {kOpaque, 1 + LengthSize(bytes) + bytes, {}};
    }
  }
  return layout->size > UINT32_MAX ? UserError(ER_JSON_VALUE_TOO_BIG) : Status();
}

uint8_t LiteralOf(const JsonNode& node) {
  if (node.type == JsonType::kNull) {
    return kLiteralNull;
  }
  return node.integer != 0 ? kLiteralTrue : kLiteralFalse;
}

class Writer {
 public:
  explicit Writer(std::string* out) : out_(out) {}

  void Write(const JsonNode& node, const Layout& layout) {
    switch (layout.code) {
      case kLiteral:
        *out_ += static_cast<char>(LiteralOf(node));
        return;
      case kDouble:
        AppendLittle(out_, std::bit_cast<uint64_t>(node.real));
        return;
      case kString:
        AppendLength(out_, node.text.size());
        *out_ += node.text;
        return;
      case kOpaque: {
        std::string bytes = OpaqueBytes(node);
        *out_ += static_cast<char>(OpaqueCode(node));
        AppendLength(out_, bytes.size());
        *out_ += bytes;
        return;
      }
      case kSmallObject:
      case kLargeObject:
      case kSmallArray:
      case kLargeArray:
        WriteContainer(node, layout);
        return;
      default: {
        char bytes[8];
        StoreLittle(bytes, static_cast<uint64_t>(node.integer));
        out_->append(bytes, layout.size);
      }
    }
  }

 private:
  void Offset(size_t value, bool large) {
    if (large) {
      AppendLittle(out_, static_cast<uint32_t>(value));
    } else {
      AppendLittle(out_, static_cast<uint16_t>(value));
    }
  }

  void WriteContainer(const JsonNode& node, const Layout& layout) {
    bool large = layout.code == kLargeObject || layout.code == kLargeArray;
    size_t width = large ? 4 : 2;
    Offset(node.items.size(), large);
    Offset(layout.size, large);
    size_t next = 2 * width + node.items.size() * (1 + width) + node.keys.size() * (width + 2);
    for (const std::string& key : node.keys) {
      Offset(next, large);
      AppendLittle(out_, static_cast<uint16_t>(key.size()));
      next += key.size();
    }
    for (size_t i = 0; i < node.items.size(); ++i) {
      const Layout& item = layout.items[i];
      *out_ += static_cast<char>(item.code);
      if (Inlined(item.code, large)) {
        Offset(InlineBits(node.items[i], item.code), large);
      } else {
        Offset(next, large);
        next += item.size;
      }
    }
    for (const std::string& key : node.keys) {
      *out_ += key;
    }
    for (size_t i = 0; i < node.items.size(); ++i) {
      if (!Inlined(layout.items[i].code, large)) {
        Write(node.items[i], layout.items[i]);
      }
    }
  }

  static size_t InlineBits(const JsonNode& node, uint8_t code) {
    return code == kLiteral ? LiteralOf(node) : static_cast<size_t>(node.integer);
  }

  std::string* out_;
};

}  // namespace

Status AppendJson(const JsonNode& node, std::string* out) {
  Layout layout;
  RETURN_IF_ERROR(MakeLayout(node, &layout));
  out->reserve(out->size() + 1 + layout.size);
  *out += static_cast<char>(layout.code);
  Writer(out).Write(node, layout);
  return {};
}

Result<std::string> JsonBytes(const JsonNode& node) {
  std::string bytes;
  RETURN_IF_ERROR(AppendJson(node, &bytes));
  return bytes;
}

std::string_view JsonNullBytes() {
  return std::string_view("\x04\x00", 2);
}

// --- reading -------------------------------------------------------------------------------------

JsonView::JsonView(std::string_view document) : type_(JsonType::kDamaged) {
  if (!document.empty()) {
    *this = JsonView(static_cast<uint8_t>(document[0]), document.substr(1), document.data());
  }
}

JsonView::JsonView(uint8_t code, std::string_view value, const void* place)
    : type_(JsonType::kDamaged), code_(code), place_(place) {
  if (code <= kLargeArray) {
    ReadContainer(code, value);
  } else if (code == kOpaque) {
    ReadOpaque(value);
  } else {
    ReadScalar(code, value);
  }
}

void JsonView::ReadScalar(uint8_t code, std::string_view value) {
  if (code == kString) {
    size_t length;
    if (ReadLength(&value, &length)) {
      data_ = value.substr(0, length);
      type_ = JsonType::kString;
    }
    return;
  }
  if (code == kLiteral) {
    if (value.empty() || static_cast<uint8_t>(value[0]) > kLiteralFalse) {
      return;
    }
    integer_ = value[0] == kLiteralTrue ? 1 : 0;
    type_ = value[0] == kLiteralNull ? JsonType::kNull : JsonType::kBoolean;
    return;
  }
  size_t size = IntegerSize(code);
  if (code > kDouble || value.size() < size) {
    return;
  }
  char bytes[8] = {};
  std::copy_n(value.data(), size, bytes);
  auto bits = LoadLittle<uint64_t>(bytes);
  if (code == kDouble) {
    real_ = std::bit_cast<double>(bits);
    type_ = real_ == real_ && real_ - real_ == 0 ? JsonType::kDouble : JsonType::kDamaged;
    return;
  }
  bool is_unsigned = code == kUint16 || code == kUint32 || code == kUint64;
  int shift = static_cast<int>(64 - size * 8);
  integer_ = static_cast<int64_t>(bits);
  if (!is_unsigned) {
    integer_ = static_cast<int64_t>(bits << shift) >> shift;
  }
  type_ = is_unsigned ? JsonType::kUint : JsonType::kInt;
}

void JsonView::ReadOpaque(std::string_view value) {
  if (value.empty()) {
    return;
  }
  opaque_type_ = static_cast<uint8_t>(value[0]);
  value.remove_prefix(1);
  size_t length;
  if (!ReadLength(&value, &length)) {
    return;
  }
  data_ = value.substr(0, length);
  switch (opaque_type_) {
    case kOpaqueDecimal: {
      Decimal checked;
      bool good = data_.size() > 2 && static_cast<uint8_t>(data_[0]) <= Decimal::kMaxPrecision &&
                  data_[0] != 0 && static_cast<uint8_t>(data_[1]) <= Decimal::kMaxScale &&
                  Decimal::ReadFixed(data_.substr(2), static_cast<uint8_t>(data_[0]),
                                     static_cast<uint8_t>(data_[1]), &checked);
      type_ = good ? JsonType::kDecimal : JsonType::kDamaged;
      return;
    }
    case kOpaqueDate:
    case kOpaqueTime:
    case kOpaqueDateTime:
      if (data_.size() == 8) {
        integer_ = static_cast<int64_t>(LoadLittle<uint64_t>(data_.data()));
        type_ = opaque_type_ == kOpaqueDate   ? JsonType::kDate
                : opaque_type_ == kOpaqueTime ? JsonType::kTime
                                              : JsonType::kDateTime;
      }
      return;
    default:
      type_ = JsonType::kOpaque;
  }
}

void JsonView::ReadContainer(uint8_t code, std::string_view value) {
  large_ = code == kLargeObject || code == kLargeArray;
  bool object = code == kSmallObject || code == kLargeObject;
  size_t width = OffsetSize();
  if (value.size() < 2 * width) {
    return;
  }
  data_ = value;
  size_t count = ReadOffset(0);
  size_t size = ReadOffset(width);
  size_t tables = 2 * width + count * (1 + width) + (object ? count * (width + 2) : 0);
  if (size > value.size() || tables > size) {
    return;
  }
  data_ = value.substr(0, size);
  count_ = static_cast<uint32_t>(count);
  type_ = object ? JsonType::kObject : JsonType::kArray;
}

uint32_t JsonView::ReadOffset(size_t at) const {
  return large_ ? LoadLittle<uint32_t>(data_.data() + at) : LoadLittle<uint16_t>(data_.data() + at);
}

size_t JsonView::EntriesStart() const {
  return 2 * OffsetSize() + (is_object() ? count_ * (OffsetSize() + 2) : 0);
}

JsonView JsonView::item(uint32_t i) const {
  size_t at = EntriesStart() + i * (1 + OffsetSize());
  auto code = static_cast<uint8_t>(data_[at]);
  const char* place = data_.data() + at;
  if (Inlined(code, large_)) {
    return JsonView(code, data_.substr(at + 1, OffsetSize()), place);
  }
  size_t offset = ReadOffset(at + 1);
  size_t tables = EntriesStart() + count_ * (1 + OffsetSize());
  if (offset < tables || offset > data_.size()) {  // INV-JSON-2
    return JsonView(std::string_view());
  }
  return JsonView(code, data_.substr(offset), place);
}

std::string_view JsonView::key(uint32_t i) const {
  size_t at = 2 * OffsetSize() + i * (OffsetSize() + 2);
  size_t offset = ReadOffset(at);
  size_t length = LoadLittle<uint16_t>(data_.data() + at + OffsetSize());
  if (offset > data_.size() || length > data_.size() - offset) {
    return {};
  }
  return data_.substr(offset, length);
}

bool JsonView::Find(std::string_view key, JsonView* value) const {
  uint32_t low = 0;
  for (uint32_t high = count_; low < high;) {
    uint32_t middle = low + (high - low) / 2;
    if (JsonKeyLess(this->key(middle), key)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == count_ || this->key(low) != key) {
    return false;
  }
  *value = item(low);
  return true;
}

Decimal JsonView::decimal() const {
  Decimal number;
  Decimal::ReadFixed(data_.substr(2), static_cast<uint8_t>(data_[0]),
                     static_cast<uint8_t>(data_[1]), &number);
  return number;
}

Status JsonView::Damaged() const {
  return UserError(ER_INVALID_JSON_BINARY_DATA);
}

Status JsonView::AppendTo(std::string* out) const {
  if (is_container()) {
    *out += static_cast<char>(code_);
    out->append(data_);
    return {};
  }
  JsonNode scalar;
  RETURN_IF_ERROR(ToNode(&scalar));
  return AppendJson(scalar, out);
}

Result<size_t> JsonView::StoredSize() const {
  if (is_container()) {
    return data_.size() + 1;
  }
  std::string bytes;
  RETURN_IF_ERROR(AppendTo(&bytes));
  return bytes.size();
}

Status JsonView::ToNode(int depth, JsonNode* out) const {
  if (is_damaged() || depth > kMaxJsonDepth) {
    return Damaged();
  }
  *out = JsonNode();
  out->type = type_;
  out->integer = integer_;
  out->real = real_;
  out->opaque_type = opaque_type_;
  if (type_ == JsonType::kDecimal) {
    out->decimal = decimal();
  } else if (type_ == JsonType::kString || type_ == JsonType::kOpaque) {
    out->text = data_;
  }
  out->items.resize(count_);
  for (uint32_t i = 0; i < count_; ++i) {
    RETURN_IF_ERROR(item(i).ToNode(depth + 1, &out->items[i]));
    if (is_object()) {
      out->keys.emplace_back(key(i));
    }
  }
  if (is_object()) {
    out->FinishMembers();
  }
  return {};
}

int JsonView::Depth(int above) const {
  if (is_damaged() || above > kMaxJsonDepth) {
    return 0;
  }
  int deepest = 0;
  for (uint32_t i = 0; i < count_; ++i) {
    deepest = std::max(deepest, item(i).Depth(above + 1));
  }
  return deepest + 1;
}

}  // namespace borealis::row
