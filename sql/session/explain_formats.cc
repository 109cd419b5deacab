// EXPLAIN FORMAT=TREE and FORMAT=JSON: the rows of EXPLAIN's table in the two other shapes that
// clients ask for. The planner has no costs, so none are shown, and conditions are not repeated.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "sql/session/session_internal.h"

namespace borealis::sql {
namespace {

using RowIterator = std::vector<ExplainRow>::const_iterator;

void AddLine(std::string* out, size_t depth, const std::string& text) {
  out->append(depth * 4, ' ').append("-> ").append(text).append("\n");
}

std::string AccessText(const ExplainRow& row) {
  if (!row.has_table || row.type == "const" || row.type == "system") {
    return "Rows fetched before execution";
  }
  if (row.Notes("Table function: json_table")) {
    return "Materialize table function " + row.table;
  }
  const std::string covering = row.Notes("Using index") ? "Covering i" : "I";
  std::string text;
  if (row.type == "eq_ref") {
    text = "Single-row index lookup on " + row.table + " using " + row.key + " (" + row.ref + ")";
  } else if (row.type == "ref" || row.type == "ref_or_null") {
    text = covering + "ndex lookup on " + row.table + " using " + row.key + " (" + row.ref + ")";
  } else if (row.type == "range") {
    text = covering + "ndex range scan on " + row.table + " using " + row.key;
  } else if (row.type == "index") {
    text = covering + "ndex scan on " + row.table + " using " + row.key;
  } else if (row.Notes("Using join buffer (hash join)")) {
    text = "Hash lookup on " + row.table;
  } else {
    text = "Table scan on " + row.table;
  }
  return row.rows != 0 ? text + "  (rows=" + std::to_string(row.rows) + ")" : text;
}

// Three digits as MySQL writes them: 0.0123, 12e-6, 1.23e+6.
std::string ShortNumber(double value) {
  if (value != 0 && value < 0.001) {
    const double micros = value * 1e6;
    return micros < 1 ? fmt::format("{:.3g}e-9", value * 1e9) : fmt::format("{:.3g}e-6", micros);
  }
  if (value < 999999.5 && (value >= 100 || value == std::floor(value))) {
    return fmt::format("{:.0f}", value);
  }
  return fmt::format("{:.3g}", value);
}

// Of one loop, on average.
std::string ActualText(const TableReads& reads) {
  if (reads.loops == 0) {
    return "(never executed)";
  }
  const auto loops = static_cast<double>(reads.loops);
  const auto milliseconds = [&](std::chrono::nanoseconds time) {
    return ShortNumber(static_cast<double>(time.count()) / 1e6 / loops);
  };
  return fmt::format("(actual time={}..{} rows={} loops={})", milliseconds(reads.first_row),
                     milliseconds(reads.all_rows),
                     ShortNumber(static_cast<double>(reads.rows) / loops), reads.loops);
}

std::string TableText(const ExplainRow& row) {
  const std::string text = AccessText(row);
  const std::string_view gap = row.rows != 0 ? " " : "  ";
  return row.reads.has_value() ? fmt::format("{}{}{}", text, gap, ActualText(*row.reads)) : text;
}

// The tables of one block, joined from the left: ((a, b), c). `actual` is of the outermost join.
void AddJoin(std::string* out, size_t depth, RowIterator begin, RowIterator end,
             std::string_view actual) {
  if (end - begin == 1) {
    AddLine(out, depth, TableText(*begin));
    return;
  }
  AddLine(out, depth, "Nested loop inner join" + std::string(actual));
  AddJoin(out, depth + 1, begin, end - 1, "");
  AddLine(out, depth + 1, TableText(*(end - 1)));
}

// `actual` is of the outermost operation, unless that reads a table, which has its own.
void AddBlock(std::string* out, RowIterator begin, RowIterator end, std::string actual) {
  size_t depth = 0;
  const ExplainRow& first = *begin;
  if (first.select_type == "INSERT" || first.select_type == "REPLACE") {
    AddLine(out, depth,
            (first.select_type == "INSERT" ? "Insert into " : "Replace into ") + first.table);
    if (++begin == end) {
      return;
    }
    ++depth;
  } else if (first.select_type == "UPDATE" || first.select_type == "DELETE") {
    AddLine(out, depth++,
            (first.select_type == "UPDATE" ? "Update " : "Delete from ") + first.table);
  } else if (first.block > 1) {
    std::string kind = first.select_type;
    std::transform(kind.begin(), kind.end(), kind.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    AddLine(out, depth++, "Select #" + std::to_string(first.block) + " (" + kind + ")");
  }
  if (begin->Notes("Using filesort")) {
    AddLine(out, depth++, "Sort" + std::exchange(actual, ""));
  }
  if (begin->Notes("Using temporary")) {
    AddLine(out, depth++, "Temporary table" + std::exchange(actual, ""));
  }
  if (begin->rollup) {
    AddLine(out, depth++, "Group aggregate with rollup" + std::exchange(actual, ""));
  }
  AddJoin(out, depth, begin, end, actual);
}

std::string JsonText(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
    }
    if (static_cast<unsigned char>(c) < ' ') {
      constexpr char kDigits[] = "0123456789abcdef";
      out.append("\\u00").append({kDigits[c >> 4], kDigits[c & 15]});
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

// "a,b" as ["a", "b"].
std::string JsonList(std::string_view names) {
  std::string out = "[";
  while (!names.empty()) {
    const size_t comma = std::min(names.find(','), names.size());
    out += (out.size() > 1 ? ", " : "") + JsonText(names.substr(0, comma));
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  return out + "]";
}

std::string JsonTable(const ExplainRow& row, const std::string& indent) {
  std::vector<std::pair<std::string, std::string>> members;
  members.emplace_back("table_name", JsonText(row.table));
  members.emplace_back("access_type", JsonText(row.type));
  if (!row.possible_keys.empty()) {
    members.emplace_back("possible_keys", JsonList(row.possible_keys));
  }
  if (!row.key.empty()) {
    members.emplace_back("key", JsonText(row.key));
    members.emplace_back("key_length", JsonText(row.key_length));
  }
  if (!row.ref.empty()) {
    members.emplace_back("ref", JsonList(row.ref));
  }
  if (row.rows != 0) {
    members.emplace_back("rows_examined_per_scan", std::to_string(row.rows));
  }
  if (row.Notes("Using index")) {
    members.emplace_back("using_index", "true");
  }
  std::string out = "{\n";
  for (size_t i = 0; i < members.size(); ++i) {
    out += indent + "  " + JsonText(members[i].first) + ": " + members[i].second +
           (i + 1 < members.size() ? ",\n" : "\n");
  }
  return out + indent + "}";
}

std::string JsonBlock(RowIterator begin, RowIterator end, const std::string& indent) {
  std::string out = "{\n" + indent + "  \"select_id\": " + std::to_string(begin->block);
  out += ",\n" + indent + "  \"select_type\": " + JsonText(begin->select_type);
  if (!begin->has_table) {
    return out + ",\n" + indent + "  \"message\": \"No tables used\"\n" + indent + "}";
  }
  if (begin->Notes("Using filesort")) {
    out += ",\n" + indent + "  \"using_filesort\": true";
  }
  if (begin->Notes("Using temporary")) {
    out += ",\n" + indent + "  \"using_temporary_table\": true";
  }
  if (begin->rollup) {
    out += ",\n" + indent + "  \"rollup\": true";
  }
  if (end - begin == 1) {
    out += ",\n" + indent + "  \"table\": " + JsonTable(*begin, indent + "  ");
  } else {
    out += ",\n" + indent + "  \"nested_loop\": [\n";
    for (RowIterator row = begin; row != end; ++row) {
      out += indent + "    {\n" + indent +
             "      \"table\": " + JsonTable(*row, indent + "      ") + "\n" + indent +
             (row + 1 != end ? "    },\n" : "    }\n");
    }
    out += indent + "  ]";
  }
  return out + "\n" + indent + "}";
}

RowIterator EndOfBlock(const std::vector<ExplainRow>& rows, RowIterator begin) {
  return std::find_if(begin, rows.end(),
                      [&](const ExplainRow& row) { return row.block != begin->block; });
}

}  // namespace

std::string ExplainAsTree(const std::vector<ExplainRow>& rows, const TableReads* sent) {
  std::string out;
  for (RowIterator begin = rows.begin(); begin != rows.end();) {
    const RowIterator end = EndOfBlock(rows, begin);
    const bool outermost = sent != nullptr && begin == rows.begin();
    AddBlock(&out, begin, end, outermost ? "  " + ActualText(*sent) : "");
    begin = end;
  }
  return out;
}

std::string ExplainAsJson(const std::vector<ExplainRow>& rows) {
  std::string out = "{\n";
  std::string separator;
  for (RowIterator begin = rows.begin(); begin != rows.end();) {
    const RowIterator end = EndOfBlock(rows, begin);
    const std::string name =
        separator.empty() ? "query_block" : "query_block_" + std::to_string(begin->block);
    out += separator + "  " + JsonText(name) + ": " + JsonBlock(begin, end, "  ");
    separator = ",\n";
    begin = end;
  }
  return out + "\n}";
}

}  // namespace borealis::sql
