// JSON. The first byte says what the rest is. Stored bytes: whatever they are, reading ends, and
// what reads as a document is stored, printed and parsed to an equal one. Text: what parses prints
// to text that parses to the same. Paths: what parses leads somewhere or nowhere.
#include "row/json/parse.h"
#include "row/json/path.h"
#include "row/json/sort_key.h"
#include "row/json/text.h"
#include "row/json/view.h"
#include "tests/fuzz/fuzz.h"

namespace borealis::fuzz {

namespace {

using row::JsonNode;
using row::JsonPath;
using row::JsonView;

constexpr std::string_view kText =
    R"({"a": [1, -70000, 1.5e300, "x\u00e9", null, true, {"b": []}], "bb": 18446744073709551615})";

std::string Stored(std::string_view text) {
  JsonNode node;
  row::JsonError error;
  FUZZ_CHECK(row::ParseJson(text, &node, &error), "a seed does not parse");
  return row::JsonBytes(node).value();
}

class JsonTarget final : public Target {
 public:
  std::vector<std::string> Seeds() override {
    JsonNode odd = JsonNode::Array();
    odd.items.push_back(JsonNode::Dec(row::Decimal::FromInt64(-1234)));
    odd.items.push_back(JsonNode::Temporal(row::JsonType::kDate, int64_t{1} << 50));
    odd.items.push_back(JsonNode::Opaque(252, "bytes"));
    odd.items.push_back(JsonNode::String(std::string(70000, 'x')));
    return {"b" + Stored(kText), "b" + row::JsonBytes(odd).value(), "t" + std::string(kText),
            "p$.a[last-1 to last]**.\"b c\"[*].*", "p$[0].a[1 to 3]"};
  }
  std::vector<std::string> Dictionary() override { return {"last", " to ", "**", "\\u", "\""}; }

  void Run(std::string_view input) override {
    if (input.empty()) {
      return;
    }
    std::string_view rest = input.substr(1);
    switch (input[0]) {
      case 'b':
        return RunStored(rest);
      case 't':
        return RunText(rest);
      default:
        return RunPath(rest);
    }
  }

 private:
  void RunStored(std::string_view bytes) {
    JsonView view(bytes);
    std::string text;
    row::CompareJson(view, JsonView(document_));
    view.Depth();
    std::string key;
    row::AppendJsonSortKey(view, &key);
    JsonNode node;
    bool readable = view.ToNode(&node).ok();
    bool printable = row::AppendJsonText(view, &text).ok();
    FUZZ_CHECK(readable == printable, "a tree without text, or text without a tree");
    if (!readable) {
      return;
    }
    std::string again = row::JsonBytes(node).value();
    JsonNode same;
    FUZZ_CHECK(JsonView(again).ToNode(&same).ok(), "what was stored is damaged");
    FUZZ_CHECK(row::CompareJson(again, row::JsonBytes(same).value()) == 0, "not the same again");
  }

  void RunText(std::string_view text) {
    JsonNode node;
    row::JsonError error;
    if (!row::ParseJson(text, &node, &error)) {
      FUZZ_CHECK(error.position <= text.size(), "an error behind the end");
      return;
    }
    std::string bytes = row::JsonBytes(node).value();
    std::string printed = row::JsonTextOf(bytes);
    FUZZ_CHECK(Stored(printed) == bytes, "text that reads as something else");
  }

  void RunPath(std::string_view text) {
    JsonPath path;
    size_t position;
    if (!JsonPath::Parse(text, &path, &position)) {
      FUZZ_CHECK(position <= text.size(), "an error behind the end");
      return;
    }
    std::vector<JsonView> found;
    FUZZ_CHECK(row::SeekJson(JsonView(document_), path, false, &found).ok(), "seek fails");
    if (!path.is_multiple()) {
      JsonNode node;
      FUZZ_CHECK(JsonView(document_).ToNode(&node).ok(), "the document is damaged");
      JsonNode* there = row::SeekJson(&node, path);
      FUZZ_CHECK((there != nullptr) == !found.empty(), "tree and view disagree");
    }
  }

  std::string document_ = Stored(kText);
};

}  // namespace

Target& TheTarget() {
  static JsonTarget target;
  return target;
}

}  // namespace borealis::fuzz
