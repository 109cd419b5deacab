#include "sql/executor/change/duplicate_entry.h"

#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/convert.h"
#include "row/row_codec.h"
#include "row/shown_bytes.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr size_t kEntryBytesMax = 64;

// BINARY(n) is padded with zeros, which nobody wants to read.
std::string WithoutPadding(std::string text) {
  const size_t last = text.find_last_not_of('\0');
  text.resize(last == std::string::npos ? std::min<size_t>(text.size(), 1) : last + 1);
  return text;
}

std::string PartText(const row::Value& value, const row::Type& type, size_t prefix_length,
                     const row::TimeZone& zone) {
  if (value.is_null()) {
    return "NULL";
  }
  std::string text = row::ToText(value, type, zone);
  if (prefix_length != 0) {
    text.resize(type.is_text() ? row::OffsetOfChar(text, prefix_length)
                               : std::min(text.size(), prefix_length));
  }
  if (type.kind == row::TypeKind::kBinary) {
    text = WithoutPadding(std::move(text));
  }
  return type.is_binary_string() || type.kind == row::TypeKind::kBit ? row::PrintableBytes(text)
                                                                     : row::Printable(text);
}

}  // namespace

std::string KeyEntry(const TableDescriptor& table, size_t index_no, std::span<const row::Value> row,
                     const StatementRun& run) {
  const IndexDescriptor& index = table.indexes[index_no];
  const row::TimeZone& zone = run.session.eval_context().conversion.time_zone();
  std::string entry;
  for (const IndexPart& part : index.parts) {
    entry += entry.empty() ? "" : "-";  // what is empty at the front is not told, as in MySQL
    entry += PartText(row[part.column], table.columns[part.column].type, part.prefix_length, zone);
  }
  if (entry.size() > kEntryBytesMax) {
    entry.resize(kEntryBytesMax);
    entry.resize(row::ValidUtf8Prefix(entry));
  }
  return entry;
}

Status DuplicateEntry(const TableDescriptor& table, size_t index_no,
                      std::span<const row::Value> row, const StatementRun& run) {
  return UserError(ER_DUP_ENTRY, KeyEntry(table, index_no, row, run),
                   table.name + "." + table.indexes[index_no].name);
}

Status DuplicateEntry(const TableDescriptor& table, size_t index_no, std::string_view row,
                      const StatementRun& run) {
  if (index_no >= table.indexes.size()) {
    return Status::Internal("duplicate in an unknown index");
  }
  const row::RowSchema schema = MakeRowSchema(table);
  ASSIGN_OR_RETURN(const row::RowView view, row::RowView::Open(schema, row));
  std::vector<row::Value> values;
  RETURN_IF_ERROR(view.GetAll(&values));
  return DuplicateEntry(table, index_no, values, run);
}

}  // namespace borealis::sql
