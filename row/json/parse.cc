#include "row/json/parse.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
namespace borealis::row {

namespace {

// Receives the reader's events. Containers that are open are a stack; false ends the reading.
class TreeBuilder {
 public:
  explicit TreeBuilder(JsonNode* root) : root_(root) {}
  bool too_deep() const { return too_deep_; }

  bool Null() { return Add(JsonNode()); }
  bool Bool(bool value) { return Add(JsonNode::Boolean(value)); }
  bool Int(int value) { return Add(JsonNode::Int(value)); }
  bool Uint(unsigned value) { return Add(JsonNode::Int(value)); }
  bool Int64(int64_t value) { return Add(JsonNode::Int(value)); }
  bool Uint64(uint64_t value) {
    return Add(value <= static_cast<uint64_t>(INT64_MAX)
                   ? JsonNode::Int(static_cast<int64_t>(value))
                   : JsonNode::Uint(value));
  }
  bool Double(double value) { return Add(JsonNode::Double(value)); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }
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
};

}  // namespace

bool ParseJson(std::string_view text, JsonNode* out, JsonError* error) {
  *out = JsonNode();
  rapidjson::MemoryStream input(text.data(), text.size());
  rapidjson::Reader reader;
  TreeBuilder builder(out);
  if (reader.Parse<rapidjson::kParseFullPrecisionFlag>(input, builder)) {
    if (input.Tell() == text.size()) {
      return true;
    }
    // The reader takes a NUL for the end of its input.
    error->reason = "The document root must not be followed by other values.";
    error->position = input.Tell();
    return false;
  }
  error->too_deep = builder.too_deep();
  error->reason = error->too_deep
                      ? std::string_view()
                      : std::string_view(rapidjson::GetParseError_En(reader.GetParseErrorCode()));
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
