#include "sql/executor/change/duplicate_entry.h"

#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/convert.h"
#include "row/row_codec.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr size_t kEntryBytesMax = 64;

}  // namespace

Status DuplicateEntry(const TableDescriptor& table, size_t index_no, std::string_view row,
                      const StatementRun& run) {
  if (index_no >= table.indexes.size()) {
    return Status::Internal("duplicate in an unknown index");
  }
  const IndexDescriptor& index = table.indexes[index_no];
  row::RowSchema schema = MakeRowSchema(table);
  ASSIGN_OR_RETURN(row::RowView view, row::RowView::Open(schema, row));
  std::string entry;
  for (const IndexPart& part : index.parts) {
    if (!entry.empty()) {
      entry += '-';
    }
    ASSIGN_OR_RETURN(row::Value value, view.Get(part.column));
    if (value.is_null()) {
      entry += "NULL";
      continue;
    }
    const row::Type& type = table.columns[part.column].type;
    std::string text = row::ToText(value, type, run.session.eval_context().conversion.time_zone());
    if (part.prefix_length != 0) {
      text.resize(type.is_text() ? row::OffsetOfChar(text, part.prefix_length)
                                 : std::min<size_t>(text.size(), part.prefix_length));
    }
    entry += type.is_binary_string() ? row::Printable(text) : text;
  }
  if (entry.size() > kEntryBytesMax) {
    entry.resize(kEntryBytesMax - 3);
    entry.resize(row::ValidUtf8Prefix(entry));
    entry += "...";
  }
  return UserError(ER_DUP_ENTRY, entry, table.name + "." + index.name);
}

}  // namespace borealis::sql
