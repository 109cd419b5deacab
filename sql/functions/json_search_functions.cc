// Whether and where something is in a JSON document: JSON_CONTAINS, JSON_CONTAINS_PATH,
// JSON_OVERLAPS, MEMBER OF, JSON_SEARCH.
#include <algorithm>
#include <unordered_set>

#include "row/collation.h"
#include "sql/functions/json_internal.h"

namespace borealis::sql {

namespace {

using row::CompareJson;
using row::JsonNode;
using row::JsonPath;
using row::JsonType;
using row::JsonView;
using row::Value;

std::vector<JsonView> ItemsOf(const JsonView& value) {
  std::vector<JsonView> items;
  if (!value.is_array()) {
    items.push_back(value);
    return items;
  }
  items.reserve(value.size());
  for (uint32_t i = 0; i < value.size(); ++i) {
    items.push_back(value.item(i));
  }
  return items;
}

void SortItems(std::vector<JsonView>* items) {
  std::sort(items->begin(), items->end(),
            [](const JsonView& a, const JsonView& b) { return CompareJson(a, b) < 0; });
}

bool Contains(const JsonView& target, const JsonView& candidate);

bool ObjectContains(const JsonView& target, const JsonView& candidate) {
  if (!candidate.is_object() || candidate.size() > target.size()) {
    return false;
  }
  for (uint32_t i = 0; i < candidate.size(); ++i) {
    JsonView member;
    if (!target.Find(candidate.key(i), &member) || !Contains(member, candidate.item(i))) {
      return false;
    }
  }
  return true;
}

// Each element of the candidate is in some element of the target. Scalars are looked up in sorted
// order: two long lists of ids are the usual case.
bool ArrayContains(const JsonView& target, const JsonView& candidate) {
  std::vector<JsonView> scalars;
  std::vector<JsonView> containers;
  for (const JsonView& item : ItemsOf(target)) {
    (item.is_container() ? containers : scalars).push_back(item);
  }
  SortItems(&scalars);
  for (const JsonView& wanted : ItemsOf(candidate)) {
    bool found = !wanted.is_container() &&
                 std::binary_search(
                     scalars.begin(), scalars.end(), wanted,
                     [](const JsonView& a, const JsonView& b) { return CompareJson(a, b) < 0; });
    for (size_t i = 0; i < containers.size() && !found; ++i) {
      found = Contains(containers[i], wanted);
    }
    if (!found) {
      return false;
    }
  }
  return true;
}

bool Contains(const JsonView& target, const JsonView& candidate) {
  if (target.is_object()) {
    return ObjectContains(target, candidate);
  }
  return target.is_array() ? ArrayContains(target, candidate) : CompareJson(target, candidate) == 0;
}

Status EvalContains(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  JsonArgument document;
  JsonArgument candidate;
  RETURN_IF_ERROR(document.Read(call, args, 0));
  RETURN_IF_ERROR(candidate.Read(call, args, 1));
  JsonView target = document.view();
  if (args.size() == 3) {
    JsonPath path;
    bool found;
    RETURN_IF_ERROR(ReadJsonPath(args, 2, false, &path));
    RETURN_IF_ERROR(FindJson(document.view(), path, &target, &found));
    if (!found) {
      return {};
    }
  }
  return SetInt(out, Contains(target, candidate.view()) ? 1 : 0);
}

Status EvalContainsPath(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (args.null(0) || args.null(1)) {
    return {};
  }
  JsonArgument document;
  bool one;
  RETURN_IF_ERROR(document.Read(call, args, 0));
  RETURN_IF_ERROR(ReadOneOrAll(call, args, 1, &one));
  for (size_t i = 2; i < args.size(); ++i) {
    if (args.null(i)) {
      return {};
    }
    JsonPath path;
    JsonView value;
    bool found;
    RETURN_IF_ERROR(ReadJsonPath(args, i, true, &path));
    RETURN_IF_ERROR(FindJson(document.view(), path, &value, &found));
    if (found == one) {
      return SetInt(out, one ? 1 : 0);
    }
  }
  return SetInt(out, one ? 0 : 1);
}

bool AnyCommon(std::vector<JsonView> a, std::vector<JsonView> b) {
  SortItems(&a);
  SortItems(&b);
  for (size_t i = 0, k = 0; i < a.size() && k < b.size();) {
    int order = CompareJson(a[i], b[k]);
    if (order == 0) {
      return true;
    }
    ++(order < 0 ? i : k);
  }
  return false;
}

bool Overlap(const JsonView& a, const JsonView& b) {
  if (a.is_array() || b.is_array()) {
    return AnyCommon(ItemsOf(a), ItemsOf(b));
  }
  if (!a.is_object() || !b.is_object()) {
    return CompareJson(a, b) == 0;
  }
  for (uint32_t i = 0; i < a.size(); ++i) {
    JsonView other;
    if (b.Find(a.key(i), &other) && CompareJson(a.item(i), other) == 0) {
      return true;
    }
  }
  return false;
}

Status EvalOverlaps(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  JsonArgument a;
  JsonArgument b;
  RETURN_IF_ERROR(a.Read(call, args, 0));
  RETURN_IF_ERROR(b.Read(call, args, 1));
  return SetInt(out, Overlap(a.view(), b.view()) ? 1 : 0);
}

Status EvalMemberOf(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  JsonArgument array;
  RETURN_IF_ERROR(array.Read(call, args, 1));
  JsonNode value;
  RETURN_IF_ERROR(ReadJsonValue(args, 0, &value));
  ASSIGN_OR_RETURN(std::string bytes, row::JsonBytes(value));
  JsonView wanted(bytes);
  for (const JsonView& item : ItemsOf(array.view())) {
    if (CompareJson(item, wanted) == 0) {
      return SetInt(out, 1);
    }
  }
  return SetInt(out, 0);
}

// --- JSON_SEARCH
// ---------------------------------------------------------------------------------

// Goes through a document and keeps the paths of strings that are like the pattern and lie in a
// value that the path arguments lead to.
class PathSearch {
 public:
  PathSearch(std::string_view pattern, char32_t escape, bool one)
      : collation_(row::GetCollation(row::kUtf8mb4Bin)),
        pattern_(pattern),
        escape_(escape),
        one_(one) {}

  Status In(const JsonView& root, const JsonPath& path) {
    std::vector<JsonView> starts;
    RETURN_IF_ERROR(row::SeekJson(root, path, false, &starts));
    wanted_.clear();
    for (const JsonView& start : starts) {
      wanted_.insert(start.place());
    }
    path_.assign(1, '$');
    Walk(root, false);
    return {};
  }
  const std::vector<std::string>& found() const { return found_; }
  bool done() const { return one_ && !found_.empty(); }

 private:
  void Walk(const JsonView& value, bool inside) {
    inside = inside || wanted_.count(value.place()) != 0;
    if (value.type() == JsonType::kString) {
      if (inside && collation_.Like(value.text(), pattern_, escape_) &&
          known_.insert(path_).second) {
        found_.push_back(path_);
      }
      return;
    }
    size_t size = path_.size();
    for (uint32_t i = 0; i < value.size() && !done(); ++i) {
      if (value.is_object()) {
        row::AppendMemberLeg(value.key(i), &path_);
      } else {
        row::AppendCellLeg(i, &path_);
      }
      Walk(value.item(i), inside);
      path_.erase(size);
    }
  }

  const row::Collation& collation_;
  std::string_view pattern_;
  char32_t escape_;
  bool one_;
  std::string path_;
  std::unordered_set<const void*> wanted_;
  std::unordered_set<std::string> known_;
  std::vector<std::string> found_;
};

// NULL and '' stand for the backslash.
Status ReadEscape(const Args& args, char32_t* escape) {
  *escape = U'\\';
  if (args.size() < 4 || args.null(3)) {
    return {};
  }
  std::string text = args.TextCopy(3);
  size_t size = 0;
  if (text.empty()) {
    return {};
  }
  *escape = row::DecodeChar(text, 0, &size);
  return size == text.size() ? Status() : UserError(ER_WRONG_ARGUMENTS, "ESCAPE");
}

Status EvalSearch(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (args.null(0) || args.null(1) || args.null(2)) {
    return {};
  }
  JsonArgument document;
  bool one;
  char32_t escape;
  RETURN_IF_ERROR(document.Read(call, args, 0));
  RETURN_IF_ERROR(ReadOneOrAll(call, args, 1, &one));
  RETURN_IF_ERROR(ReadEscape(args, &escape));
  std::string pattern = args.TextCopy(2);
  PathSearch search(pattern, escape, one);
  if (args.size() <= 4) {
    RETURN_IF_ERROR(search.In(document.view(), JsonPath()));
  }
  for (size_t i = 4; i < args.size() && !search.done(); ++i) {
    if (args.null(i)) {
      return {};
    }
    JsonPath path;
    RETURN_IF_ERROR(ReadJsonPath(args, i, true, &path));
    RETURN_IF_ERROR(search.In(document.view(), path));
  }
  if (search.found().empty()) {
    return {};
  }
  if (search.found().size() == 1) {
    return SetJson(JsonNode::String(search.found()[0]), out);
  }
  JsonNode paths = JsonNode::Array();
  for (const std::string& path : search.found()) {
    paths.items.push_back(JsonNode::String(path));
  }
  return SetJson(paths, out);
}

}  // namespace

std::span<const FunctionDef> JsonSearchFunctions() {
  static const FunctionDef kTable[] = {
      {.name = "json_contains",
       .min_args = 2,
       .max_args = 3,
       .infer = InferBoolean,
       .eval = EvalContains},
      {.name = "json_contains_path",
       .min_args = 3,
       .max_args = kAnyNumber,
       .infer = InferBoolean,
       .eval = EvalContainsPath,
       .null_if_any_null = false},
      {.name = "json_overlaps",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBoolean,
       .eval = EvalOverlaps},
      {.name = "member of",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBoolean,
       .eval = EvalMemberOf},
      {.name = "json_search",
       .min_args = 3,
       .max_args = kAnyNumber,
       .infer = InferJson,
       .eval = EvalSearch,
       .null_if_any_null = false},
  };
  return kTable;
}

}  // namespace borealis::sql
