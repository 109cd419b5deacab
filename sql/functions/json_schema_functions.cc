// JSON_SCHEMA_VALID and JSON_SCHEMA_VALIDATION_REPORT, by RapidJSON's validator (draft 4), which is
// MySQL's.
#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include "row/json/text.h"
#include "sql/functions/json_internal.h"

namespace borealis::sql {

namespace {

using row::JsonNode;
using row::Value;

// Schemas elsewhere are not fetched: that one was asked for is all there is to know.
class NoRemoteSchemas final : public rapidjson::IRemoteSchemaDocumentProvider {
 public:
  const rapidjson::SchemaDocument* GetRemoteDocument(const char*, rapidjson::SizeType) override {
    asked_ = true;
    return nullptr;
  }
  bool asked() const { return asked_; }

 private:
  bool asked_ = false;
};

struct Verdict {
  bool valid = false;
  std::string schema_location;
  std::string document_location;
  std::string keyword;
};

// REQUIRES: the text is a JSON document.
Status Parse(const row::JsonView& view, rapidjson::Document* out) {
  std::string text;
  RETURN_IF_ERROR(row::AppendJsonText(view, &text));
  out->Parse(text.data(), text.size());
  return out->HasParseError() ? Status::Internal("a document that does not parse again") : Status();
}

std::string FragmentOf(const rapidjson::SchemaValidator::PointerType& pointer) {
  rapidjson::StringBuffer buffer;
  pointer.StringifyUriFragment(buffer);
  return buffer.GetString();
}

Status Validate(const EvalCall& call, const Args& args, Verdict* verdict) {
  JsonArgument schema;
  JsonArgument document;
  RETURN_IF_ERROR(schema.Read(call, args, 0));
  RETURN_IF_ERROR(document.Read(call, args, 1));
  if (!schema.view().is_object()) {
    return UserError(ER_INVALID_JSON_TYPE, 1, call.function.def().name, "object");
  }
  rapidjson::Document schema_tree;
  rapidjson::Document tree;
  RETURN_IF_ERROR(Parse(schema.view(), &schema_tree));
  RETURN_IF_ERROR(Parse(document.view(), &tree));
  NoRemoteSchemas remote;
  rapidjson::SchemaDocument compiled(schema_tree, &remote);
  if (remote.asked()) {
    return UserError(ER_NOT_SUPPORTED_YET, "references in JSON Schema");
  }
  rapidjson::SchemaValidator validator(compiled);
  verdict->valid = tree.Accept(validator);
  if (!verdict->valid) {
    verdict->schema_location = FragmentOf(validator.GetInvalidSchemaPointer());
    verdict->document_location = FragmentOf(validator.GetInvalidDocumentPointer());
    verdict->keyword = validator.GetInvalidSchemaKeyword();
  }
  return {};
}

Status EvalValid(const EvalCall& call, std::span<const Value> values, Value* out) {
  Verdict verdict;
  RETURN_IF_ERROR(Validate(call, Args(call, values), &verdict));
  return SetInt(out, verdict.valid ? 1 : 0);
}

Status EvalReport(const EvalCall& call, std::span<const Value> values, Value* out) {
  Verdict verdict;
  RETURN_IF_ERROR(Validate(call, Args(call, values), &verdict));
  JsonNode report = JsonNode::Object();
  report.Set("valid", JsonNode::Boolean(verdict.valid));
  if (!verdict.valid) {
    report.Set("reason", JsonNode::String(fmt::format(
                             "The JSON document location '{}' failed requirement "
                             "'{}' at JSON Schema location '{}'",
                             verdict.document_location, verdict.keyword, verdict.schema_location)));
    report.Set("schema-location", JsonNode::String(verdict.schema_location));
    report.Set("document-location", JsonNode::String(verdict.document_location));
    report.Set("schema-failed-keyword", JsonNode::String(verdict.keyword));
  }
  return SetJson(report, out);
}

}  // namespace

std::span<const FunctionDef> JsonSchemaFunctions() {
  static const FunctionDef kTable[] = {
      {.name = "json_schema_valid",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBoolean,
       .eval = EvalValid},
      {.name = "json_schema_validation_report",
       .min_args = 2,
       .max_args = 2,
       .infer = InferJson,
       .eval = EvalReport},
  };
  return kTable;
}

}  // namespace borealis::sql
