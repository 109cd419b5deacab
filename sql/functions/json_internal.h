// Shared by the files that implement JSON functions: documents, paths and values as arguments, and
// documents as results.
#pragma once

#include <string>
#include <vector>

#include "row/json/path.h"
#include "row/json/view.h"
#include "sql/functions/functions_internal.h"

namespace borealis::sql {

// A JSON document given as an argument: JSON as it is, text parsed. Stays where it is made, since
// its view may point into itself.
class JsonArgument {
 public:
  JsonArgument() = default;
  JsonArgument(const JsonArgument&) = delete;
  JsonArgument& operator=(const JsonArgument&) = delete;

  // REQUIRES: argument `i` is not NULL. Errors 3141, 3144, 3146, 3157.
  Status Read(const EvalCall& call, const Args& args, size_t i);
  const row::JsonView& view() const { return view_; }

 private:
  std::string bytes_;
  row::JsonView view_;
};

// The same as a tree, for functions that change the document.
Status ReadJsonTree(const EvalCall& call, const Args& args, size_t i, row::JsonNode* out);
// REQUIRES: argument `i` is not NULL. Errors 3143; 3149 for one of several values unless
// `multiple`.
Status ReadJsonPath(const Args& args, size_t i, bool multiple, row::JsonPath* out);
// Any SQL value as JSON: NULL is null, text a string. Error 3144 never: bytes become opaque.
Status ReadJsonValue(const Args& args, size_t i, row::JsonNode* out);
// The name of a member. Errors 3158 (NULL), 3144 (bytes).
Status ReadJsonKey(const Args& args, size_t i, std::string* key);
// "one" or "all", in any case (3154).
Status ReadOneOrAll(const EvalCall& call, const Args& args, size_t i, bool* one);
// The value that a path leads to in a document; *found is false when there is none.
Status FindJson(const row::JsonView& root, const row::JsonPath& path, row::JsonView* value,
                bool* found);

// A document as the result. Errors 3150, 3151, 3157.
Status SetJson(const row::JsonNode& node, row::Value* out);
Status SetJson(const row::JsonView& view, row::Value* out);

Status InferJson(const InferInput& input, row::Type* type);
// LONGTEXT in utf8mb4_bin, as everything that MySQL makes of JSON's characters.
Status InferJsonText(const InferInput& input, row::Type* type);

}  // namespace borealis::sql
