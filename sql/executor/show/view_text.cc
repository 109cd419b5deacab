#include "sql/executor/show/view_text.h"

#include <algorithm>

#include "sql/ast/print.h"
#include "sql/parser/parser.h"
#include "sql/session/session.h"

namespace borealis::sql {

BindInput ViewInput(Session& session, std::string_view text) {
  BindInput input;
  input.environment = &session.binder_environment();
  input.text = text;
  return input;
}

Status CheckView(Session& session, const TablePtr& view) {
  return BindViewDefinition(view, ViewInput(session, view->view->text)).status();
}

std::string ViewQueryText(const TableDescriptor& view, bool without_schemas) {
  const Result<ParsedStatement> parsed = Parse(view.view->text);
  const auto* select = parsed.ok() && parsed->statement != nullptr
                           ? parsed->statement->TryAs<SelectStmt>()
                           : nullptr;
  if (select == nullptr) {
    return view.view->text;
  }
  PrintOptions options;
  options.without_schemas = without_schemas;
  return PrintQuery(*select->query, options);
}

bool NamesOnly(const TableDescriptor& view, std::string_view database) {
  return std::all_of(view.view->tables.begin(), view.view->tables.end(),
                     [&](const ReferencingTable& table) { return table.schema == database; });
}

}  // namespace borealis::sql
