// STATEMENT_DIGEST and STATEMENT_DIGEST_TEXT: a statement without its values.
//
// MySQL's digest is of its parser's token numbers, which differ between its versions; here it is of
// the digest's text. Either is the same for the same text.
#include <openssl/evp.h>

#include <algorithm>

#include "sql/functions/functions_internal.h"
#include "sql/parser/digest.h"
#include "sql/parser/parser.h"
#include "sql/parser/parser_mode.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

// What stands behind the first statement is an error, as it is without CLIENT_MULTI_STATEMENTS.
Status CheckStatement(std::string_view text, const ParserOptions& options) {
  const Result<ParsedStatement> parsed = Parse(text, options);
  if (!parsed.ok()) {
    return parsed.status();
  }
  if (parsed->statement == nullptr) {
    return UserError(ER_EMPTY_QUERY);
  }
  const size_t rest = text.find_first_not_of(" \t\r\n\v\f", parsed->consumed);
  if (rest == std::string_view::npos) {
    return {};
  }
  constexpr size_t kShown = 80;
  const auto line = std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(rest), '\n') + 1;
  return UserError(ER_PARSE_ERROR, text.substr(rest, kShown), line);
}

// Error: 3676.
Status Normalise(const EvalCall& call, std::span<const Value> values, std::string* normal) {
  const std::string text = Args(call, values).TextCopy(0);
  const ParserOptions options = ParserOptionsUnder(call.context.conversion.sql_mode);
  const Status checked = CheckStatement(text, options);
  if (!checked.ok()) {
    return UserError(ER_DIGEST_PARSE_ERROR, checked.message());
  }
  *normal = NormaliseStatement(text, options);
  return {};
}

Status EvalDigestText(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string text;
  RETURN_IF_ERROR(Normalise(call, values, &text));
  return SetText(call, std::move(text), out);
}

Status EvalDigest(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string text;
  RETURN_IF_ERROR(Normalise(call, values, &text));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const int good = EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  INVARIANT(good == 1);
  *out = Value::String(HexOf({reinterpret_cast<const char*>(digest), size}, false));
  return {};
}

Status InferText(const InferInput& input, Type* type) {
  *type = TextType(UINT32_MAX, input.settings.collation_connection);
  return {};
}

}  // namespace

std::span<const FunctionDef> DigestFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "statement_digest",
       .min_args = 1,
       .max_args = 1,
       .infer = InferAscii<64>,
       .eval = EvalDigest,
       .stability = Stability::kStatement},
      {.name = "statement_digest_text",
       .min_args = 1,
       .max_args = 1,
       .infer = InferText,
       .eval = EvalDigestText,
       .stability = Stability::kStatement},
  };
  return kTable;
}

}  // namespace borealis::sql
