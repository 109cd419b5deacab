// JSON documents: parsing, the stored form, paths, the order of values.
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "row/json/parse.h"
#include "row/json/path.h"
#include "row/json/sort_key.h"
#include "row/json/text.h"
#include "row/json/view.h"

namespace borealis::row {
namespace {

std::string Bytes(std::string_view text) {
  JsonNode node;
  JsonError error;
  EXPECT_TRUE(ParseJson(text, &node, &error)) << text << ": " << error.reason;
  return JsonBytes(node).value();
}

std::string Shown(std::string_view text) {
  return JsonTextOf(Bytes(text));
}

std::string Found(std::string_view document, std::string_view path_text) {
  JsonPath path;
  size_t position;
  if (!JsonPath::Parse(path_text, &path, &position)) {
    return "error at " + std::to_string(position);
  }
  std::string bytes = Bytes(document);
  std::vector<JsonView> found;
  EXPECT_TRUE(SeekJson(JsonView(bytes), path, false, &found).ok());
  std::string text;
  for (const JsonView& value : found) {
    text += text.empty() ? "" : " ";
    EXPECT_TRUE(AppendJsonText(value, &text).ok());
  }
  return text;
}

TEST(JsonTest, TextIsNormalised) {
  EXPECT_EQ(Shown(R"( {"bb":1,"a":[1,2.50,"x\n"],"a":null} )"), R"({"a": null, "bb": 1})");
  EXPECT_EQ(Shown("[1.0, -0, -0.0, 1e2, 1e20]"), "[1.0, 0, -0.0, 100.0, 1e20]");
  EXPECT_EQ(Shown("[18446744073709551615, -9223372036854775808]"),
            "[18446744073709551615, -9223372036854775808]");
  EXPECT_EQ(Shown(R"("\ud83d\ude00\u0001\/")"), "\"\xF0\x9F\x98\x80\\u0001/\"");
}

TEST(JsonTest, ErrorsNameTheirPlace) {
  struct Case {
    std::string_view text;
    std::string_view reason;
    size_t position;
  };
  for (const Case& c : {
           Case{"", "The document is empty.", 0},
           Case{"{\"a\":", "Invalid value.", 5},
           Case{"[1,]", "Invalid value.", 3},
           Case{"{a:1}", "Missing a name for object member.", 1},
           Case{"[1 2]", "Missing a comma or ']' after an array element.", 3},
           Case{"1 2", "The document root must not be followed by other values.", 2},
           Case{std::string_view("1\0x", 3),
                "The document root must not be followed by other values.", 1},
           Case{"1e999", "Number too big to be stored in double.", 0},
       }) {
    JsonNode node;
    JsonError error;
    ASSERT_FALSE(ParseJson(c.text, &node, &error)) << c.text;
    EXPECT_EQ(error.reason, c.reason) << c.text;
    EXPECT_EQ(error.position, c.position) << c.text;
  }
}

TEST(JsonTest, DepthIsLimited) {
  JsonNode node;
  JsonError error;
  std::string deep = std::string(100, '[') + std::string(100, ']');
  ASSERT_TRUE(ParseJson(deep, &node, &error));
  EXPECT_EQ(node.Depth(), 100);
  EXPECT_FALSE(ParseJson("[" + deep + "]", &node, &error));
  EXPECT_TRUE(error.too_deep);
  EXPECT_FALSE(ParseJson(std::string(1000000, '['), &node, &error));
  EXPECT_TRUE(error.too_deep);
}

TEST(JsonTest, StoredFormIsMysqls) {
  EXPECT_EQ(Bytes("null"), std::string("\x04\x00", 2));
  EXPECT_EQ(Bytes("1"), std::string("\x05\x01\x00", 3));
  EXPECT_EQ(Bytes("\"abc\""),
            "\x0C\x03"
            "abc");
  EXPECT_EQ(Bytes("{\"a\":1}"), std::string("\x00\x01\x00\x0C\x00\x0B\x00\x01\x00\x05\x01\x00"
                                            "a",
                                            13));
  EXPECT_EQ(Bytes("[1,\"a\",1.5,100000,{\"b\":null}]").size(), 46U);
}

TEST(JsonTest, LargeContainersHaveWideOffsets) {
  std::string text = "{\"k\": [\"" + std::string(70000, 'x') + "\", 100000, {\"a\": 1}]}";
  std::string bytes = Bytes(text);
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(JsonTextOf(bytes), text);
  EXPECT_EQ(Found(text, "$.k[1]"), "100000");
  EXPECT_EQ(Found(text, "$.k[2].a"), "1");
}

TEST(JsonTest, Paths) {
  EXPECT_EQ(Found("[[1,2],[3]]", "$**[0]"), "[1, 2] 1 2 3");
  EXPECT_EQ(Found("[1,2,3]", "$[last-1]"), "2");
  EXPECT_EQ(Found("[1,2,3]", "$[1 to last]"), "2 3");
  EXPECT_EQ(Found("1", "$[0 to 3]"), "1");
  EXPECT_EQ(Found("1", "$[1 to 3]"), "");
  EXPECT_EQ(Found(R"({"a b":{"c":1}})", R"( $ . "a b" . c )"), "1");
  EXPECT_EQ(Found("[1]", ""), "error at 0");
  EXPECT_EQ(Found("[1]", "$a"), "error at 1");
  EXPECT_EQ(Found("[1]", "$."), "error at 2");
  EXPECT_EQ(Found("[1]", "$**"), "error at 3");
  EXPECT_EQ(Found("[1]", "$[1 to 0]"), "error at 8");
  EXPECT_EQ(Found("[1]", "$[4294967296]"), "error at 2");
}

TEST(JsonTest, DamagedBytesAreReported) {
  std::string bytes = Bytes(R"({"a": [1, "two", {"b": 3.5}]})");
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int flip = 1; flip < 256; flip <<= 1) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      std::string text;
      JsonNode node;
      JsonView view(damaged);
      EXPECT_EQ(AppendJsonText(view, &text).ok(), view.ToNode(&node).ok());
      EXPECT_EQ(JsonView(std::string_view(damaged).substr(0, i)).ToNode(&node).ok(), false);
    }
  }
}

class Documents {
 public:
  explicit Documents(uint32_t seed) : random_(seed) {}

  JsonNode Next(int depth) {
    switch (random_() % (depth > 3 ? 10 : 12)) {
      case 0:
        return JsonNode();
      case 1:
        return JsonNode::Boolean(random_() % 2 == 0);
      case 2:
        return JsonNode::Int(static_cast<int64_t>(random_() % 7) - 3);
      case 3:
        return JsonNode::Int(static_cast<int64_t>(uint64_t{random_()} << 32 | random_()));
      case 4:
        return JsonNode::Uint(uint64_t{random_()} << 32 | random_());
      case 5:
        return JsonNode::Double((static_cast<double>(random_() % 13) - 6) / 2);
      case 6:
        return JsonNode::Double(std::ldexp(1.1, static_cast<int>(random_() % 400) - 200));
      case 7: {
        Decimal number;
        Decimal::Parse(std::to_string(static_cast<int>(random_() % 13) - 6) + ".50", &number);
        return JsonNode::Dec(number);
      }
      case 8:
        return JsonNode::String(std::string(random_() % 4, static_cast<char>('a' + random_() % 2)));
      case 9:
        return random_() % 2 == 0
                   ? JsonNode::Temporal(JsonType::kDate, static_cast<int64_t>(random_()) << 41)
                   : JsonNode::Opaque(252, std::string(random_() % 3, 'o'));
      case 10: {
        JsonNode array = JsonNode::Array();
        for (uint32_t n = random_() % 4; n > 0; --n) {
          array.items.push_back(Next(depth + 1));
        }
        return array;
      }
      default: {
        JsonNode object = JsonNode::Object();
        for (uint32_t n = random_() % 4; n > 0; --n) {
          object.AddMember(std::string(random_() % 3, static_cast<char>('a' + random_() % 2)),
                           Next(depth + 1));
        }
        object.FinishMembers();
        return object;
      }
    }
  }

 private:
  std::mt19937 random_;
};

TEST(JsonTest, RandomDocumentsRoundTrip) {
  Documents documents(7);
  for (int i = 0; i < 5000; ++i) {
    std::string bytes = JsonBytes(documents.Next(0)).value();
    JsonNode node;
    ASSERT_TRUE(JsonView(bytes).ToNode(&node).ok());
    ASSERT_EQ(JsonBytes(node).value(), bytes);
    std::string copy;
    ASSERT_TRUE(JsonView(bytes).AppendTo(&copy).ok());
    ASSERT_EQ(copy, bytes);
    for (size_t k = 1; k < node.keys.size(); ++k) {  // INV-JSON-1
      ASSERT_TRUE(JsonKeyLess(node.keys[k - 1], node.keys[k]));
    }
    for (size_t k = 0; k < node.keys.size(); ++k) {
      JsonView member;
      ASSERT_TRUE(JsonView(bytes).Find(node.keys[k], &member));
    }
  }
}

TEST(JsonTest, ComparisonIsATotalOrder) {
  Documents documents(11);
  std::vector<std::string> all;
  for (int i = 0; i < 120; ++i) {
    all.push_back(JsonBytes(documents.Next(1)).value());
  }
  for (const char* text :
       {"0.1", "1e-35", "2e-35", "-1e-35", "0", "9007199254740993", "9007199254740992.0",
        "18446744073709551615", "1.8446744073709552e19", "1e300", "-1e300"}) {
    all.push_back(Bytes(text));
  }
  std::vector<std::string> keys(all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    AppendJsonSortKey(JsonView(all[i]), &keys[i]);
  }
  for (const std::string& a : all) {
    ASSERT_EQ(CompareJson(a, a), 0);
    for (const std::string& b : all) {
      int order = CompareJson(a, b);
      int by_key = keys[static_cast<size_t>(&a - all.data())].compare(
          keys[static_cast<size_t>(&b - all.data())]);
      ASSERT_EQ(order, (by_key > 0) - (by_key < 0)) << JsonTextOf(a) << " " << JsonTextOf(b);
      ASSERT_EQ(order, -CompareJson(b, a)) << JsonTextOf(a) << " " << JsonTextOf(b);
      for (const std::string& c : all) {
        if (order <= 0 && CompareJson(b, c) <= 0) {
          ASSERT_LE(CompareJson(a, c), 0)
              << JsonTextOf(a) << " " << JsonTextOf(b) << " " << JsonTextOf(c);
        }
      }
    }
  }
}

}  // namespace
}  // namespace borealis::row
