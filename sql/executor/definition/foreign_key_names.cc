#include "sql/executor/definition/foreign_key_names.h"

#include <fmt/format.h>

#include <charconv>

#include "base/mysql_error.h"
#include "row/sql_mode.h"
#include "sql/executor/show/create_text.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr std::string_view kMadeInfix = "_ibfk_";

CreateTextOptions Quoting(Session& session) {
  CreateTextOptions options;
  options.ansi_quotes = (session.settings().sql_mode & row::kModeAnsiQuotes) != 0;
  const Result<TypedValue> quote = session.environment().variables->Get(
      session, VariableScope::kDefault, "sql_quote_show_create");
  options.quote_names = !quote.ok() || quote->value.is_null() || quote->value.raw_int() != 0;
  return options;
}

}  // namespace

std::string MadeForeignKeyName(std::string_view table, uint64_t number) {
  return fmt::format("{}{}{}", table, kMadeInfix, number);
}

std::optional<uint64_t> NumberOfMadeForeignKey(std::string_view name, std::string_view table) {
  return NumberOfMadeName(name, table, kMadeInfix);
}

std::optional<uint64_t> NumberOfMadeName(std::string_view name, std::string_view table,
                                         std::string_view infix) {
  if (name.size() <= table.size() + infix.size() ||
      !SameName(name.substr(0, table.size()), table) ||
      name.substr(table.size(), infix.size()) != infix) {
    return std::nullopt;
  }
  const std::string_view digits = name.substr(table.size() + infix.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || digits[0] == '0') {
    return std::nullopt;
  }
  return number;
}

std::string ForeignKeyText(Session& session, const TableDescriptor& child,
                           const ForeignKeyDescriptor& key, std::string_view table) {
  const CreateTextOptions quoting = Quoting(session);
  // InnoDB knows no SET DEFAULT.
  ForeignKeyDescriptor told = key;
  for (ForeignKeyAction* action : {&told.on_delete, &told.on_update}) {
    if (*action == ForeignKeyAction::kSetDefault) {
      *action = ForeignKeyAction::kNoAction;
    }
  }
  return fmt::format("{}.{}, {}", QuoteNameFor(child.schema, quoting), QuoteNameFor(table, quoting),
                     ForeignKeyClause(child, told, quoting));
}

Status RowIsReferenced(Session& session, const TableDescriptor& child,
                       const ForeignKeyDescriptor& key) {
  return UserError(ER_ROW_IS_REFERENCED_2, ForeignKeyText(session, child, key, child.name));
}

Status NoReferencedRow(Session& session, const TableDescriptor& child,
                       const ForeignKeyDescriptor& key) {
  return UserError(ER_NO_REFERENCED_ROW_2, ForeignKeyText(session, child, key, child.name));
}

}  // namespace borealis::sql
