#include "row/json/parse.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace borealis::row {

namespace {

// Receives the reader's events. Containers that are open are a stack; false ends the reading.
class TreeBuilder {
 public:
  explicit TreeBuilder(JsonNode* root) : root_(root) {}
  bool too_deep() const { return too_deep_; }
  bool too_big() const { return too_big_; }

  bool Null() { return Add(JsonNode()); }
  bool Bool(bool value) { return Add(JsonNode::Boolean(value)); }
  // The reader's own conversion reads beyond a table when a number has very many digits. It calls
  // only RawNumber; the others are required by its interface.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(int64_t) { return false; }
  bool Uint64(uint64_t) { return false; }
  bool Double(double) { return false; }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    const char* const end = text + size;
    if (std::string_view(text, size).find_first_of(".eE") == std::string_view::npos) {
      int64_t number = 0;
      if (std::from_chars(text, end, number).ec == std::errc()) {
        return Add(JsonNode::Int(number));
      }
      uint64_t unsigned_number = 0;
      if (*text != '-' && std::from_chars(text, end, unsigned_number).ec == std::errc()) {
        return Add(JsonNode::Uint(unsigned_number));
      }
    }
    const double number = std::strtod(std::string(text, size).c_str(), nullptr);
    too_big_ = std::isinf(number);
    return !too_big_ && Add(JsonNode::Double(number));
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return Add(JsonNode::String(std::string(text, size)));
  }
  bool StartObject() { return Open(JsonNode::Object()); }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    open_.back().key.assign(text, size);
    return true;
  }
  bool EndObject(rapidjson::SizeType) {
    open_.back().node.FinishMembers();
    return Close();
  }
  bool StartArray() { return Open(JsonNode::Array()); }
  bool EndArray(rapidjson::SizeType) { return Close(); }

 private:
  struct Level {
    JsonNode node;
    std::string key;  // of the member to come
  };

  bool Open(JsonNode container) {
    if (!Fits()) {
      return false;
    }
    open_.push_back({std::move(container), {}});
    return true;
  }
  bool Close() {
    JsonNode done = std::move(open_.back().node);
    open_.pop_back();
    Place(std::move(done));
    return true;
  }
  bool Add(JsonNode scalar) {
    if (!Fits()) {
      return false;
    }
    Place(std::move(scalar));
    return true;
  }
  bool Fits() {
    too_deep_ = open_.size() >= kMaxJsonDepth;
    return !too_deep_;
  }
  void Place(JsonNode node) {
    if (open_.empty()) {
      *root_ = std::move(node);
    } else if (open_.back().node.is_object()) {
      open_.back().node.AddMember(std::move(open_.back().key), std::move(node));
    } else {
      open_.back().node.items.push_back(std::move(node));
    }
  }

  JsonNode* root_;
  std::vector<Level> open_;
  bool too_deep_ = false;
  bool too_big_ = false;  // a number
};

}  // namespace

bool ParseJson(std::string_view text, JsonNode* out, JsonError* error) {
  *out = JsonNode();
  rapidjson::MemoryStream input(text.data(), text.size());
  rapidjson::Reader reader;
  TreeBuilder builder(out);
  if (reader.Parse<rapidjson::kParseNumbersAsStringsFlag>(input, builder)) {
    if (input.Tell() == text.size()) {
      return true;
    }
    // The reader takes a NUL for the end of its input.
    error->reason = "The document root must not be followed by other values.";
    error->position = input.Tell();
    return false;
  }
  error->too_deep = builder.too_deep();
  error->reason = error->too_deep ? std::string_view()
                                  : std::string_view(rapidjson::GetParseError_En(
                                        builder.too_big() ? rapidjson::kParseErrorNumberTooBig
                                                          : reader.GetParseErrorCode()));
  error->position = reader.GetErrorOffset();
  // A bare control character: later versions of the reader, MySQL's among them, tell it from a
  // wrong escape.
  if (reader.GetParseErrorCode() == rapidjson::kParseErrorStringEscapeInvalid &&
      error->position < text.size() && static_cast<uint8_t>(text[error->position]) < 0x20) {
    error->reason = "Invalid encoding in string.";
  }
  return false;
}

}  // namespace borealis::row
