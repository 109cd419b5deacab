#include "row/json/path.h"

#include <algorithm>
#include <unordered_set>

#include "base/mysql_error.h"
#include "row/json/parse.h"
#include "row/json/text.h"

namespace borealis::row {

using Kind = JsonPathLeg::Kind;

bool JsonPathLeg::WrapsScalar() const {
  if (kind == Kind::kCell) {
    return first.In(1) == 0;
  }
  return kind == Kind::kRange && std::max<int64_t>(first.In(1), 0) <= 0 && last.In(1) >= 0;
}

bool JsonPath::is_multiple() const {
  return std::any_of(legs_.begin(), legs_.end(), [](const JsonPathLeg& leg) {
    return leg.kind != Kind::kMember && leg.kind != Kind::kCell;
  });
}

JsonPath JsonPath::Parent() const {
  JsonPath parent = *this;
  parent.legs_.pop_back();
  return parent;
}

class JsonPathParser {
 public:
  JsonPathParser(std::string_view text, JsonPath* out) : text_(text), legs_(&out->legs_) {}

  bool Run() {
    SkipSpaces();
    if (AtEnd() || text_[pos_++] != '$') {
      return false;
    }
    for (SkipSpaces(); !AtEnd(); SkipSpaces()) {
      if (!ReadLeg()) {
        return false;
      }
    }
    return legs_->empty() || legs_->back().kind != Kind::kAllDescendants;
  }
  size_t position() const { return pos_; }

 private:
  bool AtEnd() const { return pos_ >= text_.size(); }
  char peek() const { return AtEnd() ? '\0' : text_[pos_]; }
  static bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }
  void SkipSpaces() {
    while (IsSpace(peek())) {
      ++pos_;
    }
  }

  bool ReadLeg() {
    switch (peek()) {
      case '[':
        return ReadCells();
      case '.':
        return ReadMember();
      case '*':
        return ReadDescendants();
      default:
        return false;
    }
  }

  bool ReadDescendants() {
    ++pos_;
    if (AtEnd() || text_[pos_++] != '*') {
      return false;
    }
    if (AtEnd() || peek() == '*') {
      return false;
    }
    legs_->push_back({Kind::kAllDescendants, {}, {}, {}});
    return true;
  }

  bool ReadCells() {
    ++pos_;
    SkipSpaces();
    JsonPathLeg leg;
    if (peek() == '*') {
      ++pos_;
      leg.kind = Kind::kAllCells;
    } else {
      leg.kind = Kind::kCell;
      if (!ReadIndex(&leg.first)) {
        return false;
      }
      size_t end = pos_;
      SkipSpaces();
      std::string_view rest = text_.substr(std::min(pos_, text_.size()));
      if (pos_ > end && rest.starts_with("to") && rest.size() > 2 && IsSpace(rest[2])) {
        pos_ += 3;
        SkipSpaces();
        leg.kind = Kind::kRange;
        if (!ReadIndex(&leg.last) || IsBackwards(leg)) {
          return false;
        }
      }
    }
    SkipSpaces();
    if (AtEnd() || text_[pos_++] != ']') {
      return false;
    }
    legs_->push_back(std::move(leg));
    return true;
  }

  static bool IsBackwards(const JsonPathLeg& leg) {
    if (leg.first.from_end != leg.last.from_end) {
      return false;
    }
    return leg.first.from_end ? leg.first.number < leg.last.number
                              : leg.first.number > leg.last.number;
  }

  bool ReadIndex(JsonArrayIndex* index) {
    if (text_.substr(std::min(pos_, text_.size())).starts_with("last")) {
      pos_ += 4;
      index->from_end = true;
      size_t end = pos_;
      SkipSpaces();
      if (peek() != '-') {
        pos_ = end;
        return true;
      }
      ++pos_;
      SkipSpaces();
    }
    if (!IsDigit(peek())) {
      return false;
    }
    size_t start = pos_;
    uint64_t number = 0;
    for (; IsDigit(peek()); ++pos_) {
      number = number * 10 + static_cast<uint64_t>(peek() - '0');
      if (number > UINT32_MAX) {
        pos_ = start;
        return false;
      }
    }
    index->number = static_cast<uint32_t>(number);
    return true;
  }

  // Behind the closing quote, or at the first character that ends a name without quotes.
  void SkipName() {
    if (peek() != '"') {
      while (!AtEnd() && !IsSpace(peek()) && peek() != '.' && peek() != '[' && peek() != '*') {
        ++pos_;
      }
      return;
    }
    for (++pos_; !AtEnd() && peek() != '"'; ++pos_) {
      pos_ += peek() == '\\' && pos_ + 1 < text_.size() ? 1 : 0;
    }
    pos_ += AtEnd() ? 0 : 1;
  }

  bool ReadMember() {
    ++pos_;
    SkipSpaces();
    if (AtEnd()) {
      return false;
    }
    JsonPathLeg leg;
    if (peek() == '*') {
      ++pos_;
      leg.kind = Kind::kAllMembers;
      legs_->push_back(std::move(leg));
      return true;
    }
    size_t start = pos_;
    bool quoted = peek() == '"';
    SkipName();
    std::string name(text_.substr(start, pos_ - start));
    JsonNode parsed;
    JsonError error;
    if (!ParseJson(quoted ? name : "\"" + name + "\"", &parsed, &error) ||
        parsed.type != JsonType::kString || (!quoted && !IsJsonIdentifier(parsed.text))) {
      return false;
    }
    leg.name = std::move(parsed.text);
    legs_->push_back(std::move(leg));
    return true;
  }

  std::string_view text_;
  std::vector<JsonPathLeg>* legs_;
  size_t pos_ = 0;
};

bool JsonPath::Parse(std::string_view text, JsonPath* out, size_t* position) {
  out->legs_.clear();
  JsonPathParser parser(text, out);
  bool good = parser.Run();
  *position = parser.position();
  return good;
}

// --- seeking -------------------------------------------------------------------------------------

namespace {

class Seeker {
 public:
  Seeker(const JsonPath& path, bool only_first, std::vector<JsonView>* found)
      : legs_(path.legs()), only_first_(only_first), found_(found) {
    // Only after ** and a wrapped scalar can two ways lead to one value.
    for (const JsonPathLeg& leg : legs_) {
      may_repeat_ |= leg.kind == Kind::kAllDescendants;
    }
  }

  Status Walk(const JsonView& value, size_t leg, int depth) {
    if (value.is_damaged() || depth > kMaxJsonDepth) {
      return UserError(ER_INVALID_JSON_BINARY_DATA);
    }
    if (Done()) {
      return {};
    }
    if (leg == legs_.size()) {
      Take(value);
      return {};
    }
    const JsonPathLeg& step = legs_[leg];
    switch (step.kind) {
      case Kind::kMember: {
        JsonView member;
        return value.is_object() && value.Find(step.name, &member)
                   ? Walk(member, leg + 1, depth + 1)
                   : Status();
      }
      case Kind::kAllMembers:
        return value.is_object() ? WalkItems(value, 0, value.size(), leg + 1, depth) : Status();
      case Kind::kAllCells:
        return value.is_array() ? WalkItems(value, 0, value.size(), leg + 1, depth) : Status();
      case Kind::kCell:
      case Kind::kRange:
        return WalkCells(value, step, leg, depth);
      case Kind::kAllDescendants:
        RETURN_IF_ERROR(Walk(value, leg + 1, depth));
        return WalkItems(value, 0, value.size(), leg, depth);
    }
    return {};
  }

 private:
  bool Done() const { return only_first_ && !found_->empty(); }

  Status WalkItems(const JsonView& value, uint32_t begin, uint32_t end, size_t leg, int depth) {
    for (uint32_t i = begin; i < end && !Done(); ++i) {
      RETURN_IF_ERROR(Walk(value.item(i), leg, depth + 1));
    }
    return {};
  }

  Status WalkCells(const JsonView& value, const JsonPathLeg& step, size_t leg, int depth) {
    if (!value.is_array()) {
      return step.WrapsScalar() ? Walk(value, leg + 1, depth) : Status();
    }
    int64_t size = value.size();
    int64_t begin = step.first.In(value.size());
    int64_t end = (step.kind == Kind::kCell ? begin : step.last.In(value.size())) + 1;
    if (step.kind == Kind::kRange) {
      begin = std::max<int64_t>(begin, 0);
    }
    end = std::min(end, size);
    if (begin < 0 || begin >= end) {
      return {};
    }
    return WalkItems(value, static_cast<uint32_t>(begin), static_cast<uint32_t>(end), leg + 1,
                     depth);
  }

  void Take(const JsonView& value) {
    if (!may_repeat_ || taken_.insert(value.place()).second) {
      found_->push_back(value);
    }
  }

  const std::vector<JsonPathLeg>& legs_;
  bool only_first_;
  std::vector<JsonView>* found_;
  bool may_repeat_ = false;
  std::unordered_set<const void*> taken_;
};

}  // namespace

Status SeekJson(const JsonView& root, const JsonPath& path, bool only_first,
                std::vector<JsonView>* found) {
  found->clear();
  return Seeker(path, only_first, found).Walk(root, 0, 1);
}

JsonNode* SeekJson(JsonNode* root, const JsonPath& path) {
  JsonNode* at = root;
  for (const JsonPathLeg& leg : path.legs()) {
    if (leg.kind == Kind::kMember) {
      at = at->is_object() ? at->Find(leg.name) : nullptr;
    } else if (at->is_array()) {
      int64_t cell = leg.first.In(static_cast<uint32_t>(at->items.size()));
      bool inside = cell >= 0 && cell < static_cast<int64_t>(at->items.size());
      at = inside ? &at->items[static_cast<size_t>(cell)] : nullptr;
    } else if (!leg.WrapsScalar()) {
      at = nullptr;
    }
    if (at == nullptr) {
      return nullptr;
    }
  }
  return at;
}

void AppendMemberLeg(std::string_view key, std::string* out) {
  *out += '.';
  if (IsJsonIdentifier(key)) {
    out->append(key);
  } else {
    AppendQuotedJson(key, out);
  }
}

void AppendCellLeg(uint32_t cell, std::string* out) {
  *out += '[' + std::to_string(cell) + ']';
}

}  // namespace borealis::row
