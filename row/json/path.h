// JSON paths: $, .member, ."quoted member", [3], [last-1], [1 to last], [*], .* and **.
//
// A step to an array's cell also goes through a value that is no array as if it were an array of
// it: $[0] and $[last] of a scalar are the scalar.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "row/json/view.h"

namespace borealis::row {

struct JsonArrayIndex {
  uint32_t number = 0;
  bool from_end = false;  // last - number

  // The cell in an array of `size`; may lie outside it. Negative: before the first.
  int64_t In(uint32_t size) const {
    return from_end ? static_cast<int64_t>(size) - 1 - number : static_cast<int64_t>(number);
  }
};

struct JsonPathLeg {
  enum class Kind : uint8_t {
    kMember,          // .name
    kCell,            // [3]
    kRange,           // [1 to last]
    kAllMembers,      // .*
    kAllCells,        // [*]
    kAllDescendants,  // **: the value itself and everything in it
  };
  Kind kind = Kind::kMember;
  std::string name;
  JsonArrayIndex first;
  JsonArrayIndex last;  // kRange

  // The leg as a value that is no array: the value itself.
  bool WrapsScalar() const;
};

class JsonPath {
 public:
  // False when the text is no path; *position is the character MySQL names in error 3143.
  static bool Parse(std::string_view text, JsonPath* out, size_t* position);

  const std::vector<JsonPathLeg>& legs() const { return legs_; }
  bool is_root() const { return legs_.empty(); }
  // Has *, ** or a range, so that more than one value may be meant.
  bool is_multiple() const;
  JsonPath Parent() const;

 private:
  friend class JsonPathParser;
  std::vector<JsonPathLeg> legs_;
};

// Values that the path leads to in document order, each once; the first alone with `only_first`.
// Error when the document is damaged.
Status SeekJson(const JsonView& root, const JsonPath& path, bool only_first,
                std::vector<JsonView>* found);
// The one node that a path without wildcards leads to, or null. REQUIRES: !path.is_multiple().
JsonNode* SeekJson(JsonNode* root, const JsonPath& path);

// Steps of a path as text: ".name" or ".\"a b\"", "[3]".
void AppendMemberLeg(std::string_view key, std::string* out);
void AppendCellLeg(uint32_t cell, std::string* out);

}  // namespace borealis::row
