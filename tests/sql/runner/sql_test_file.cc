#include "tests/sql/runner/sql_test_file.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace borealis::sqltest {
namespace {

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  size_t at = 0;
  while (at < text.size()) {
    size_t end = text.find('\n', at);
    if (end == std::string_view::npos) {
      end = text.size();
    }
    lines.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::vector<std::string_view> SplitWords(std::string_view line) {
  std::vector<std::string_view> words;
  size_t at = 0;
  while (at < line.size()) {
    size_t end = line.find(' ', at);
    if (end == std::string_view::npos) {
      end = line.size();
    }
    if (end > at) {
      words.push_back(line.substr(at, end - at));
    }
    at = end + 1;
  }
  return words;
}

bool ParseHeader(const std::string& line, Record* record) {
  std::vector<std::string_view> words = SplitWords(line);
  auto number = [&](size_t i, auto* out) {
    if (words.size() <= i) {
      return false;
    }
    auto [end, error] = std::from_chars(words[i].data(), words[i].data() + words[i].size(), *out);
    return error == std::errc() && end == words[i].data() + words[i].size();
  };
  if (words[0] == "statement" && words.size() >= 2) {
    if (words[1] == "ok") {
      record->kind = Record::Kind::kOk;
      return true;
    }
    if (words[1] == "error") {
      record->kind = Record::Kind::kError;
      return number(2, &record->error);
    }
    if (words[1] == "count") {
      record->kind = Record::Kind::kCount;
      return number(2, &record->count);
    }
    return false;
  }
  if (words[0] == "query") {
    record->kind = Record::Kind::kQuery;
    record->sort_rows = words.size() > 1 && words[1] == "rowsort";
    return words.size() == 1 || record->sort_rows || words[1] == "nosort";
  }
  if (words[0] == "connection" && words.size() == 2) {
    record->kind = Record::Kind::kConnection;
    record->text = words[1];
    return true;
  }
  if (words[0] == "warnings") {
    record->kind = Record::Kind::kWarnings;
    return true;
  }
  return false;
}

std::string JoinRow(const std::vector<std::string>& row) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) {
    line += (i == 0 ? "" : "\t") + row[i];
  }
  return line;
}

std::string Describe(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += "    " + line + "\n";
  }
  return text;
}

std::string CheckRows(const Record& record, const Outcome& outcome) {
  if (outcome.error != 0) {
    return "error " + std::to_string(outcome.error) + ": " + outcome.message;
  }
  std::vector<std::string> got;
  for (const auto& row : outcome.rows) {
    got.push_back(JoinRow(row));
  }
  std::vector<std::string> expected = record.expected;
  if (record.sort_rows) {
    std::sort(got.begin(), got.end());
    std::sort(expected.begin(), expected.end());
  }
  if (got == expected) {
    return "";
  }
  return "expected\n" + Describe(expected) + "  got\n" + Describe(got);
}

std::string Check(const Record& record, const Outcome& outcome) {
  switch (record.kind) {
    case Record::Kind::kQuery:
    case Record::Kind::kWarnings:
      return CheckRows(record, outcome);
    case Record::Kind::kError:
      if (outcome.error != record.error) {
        return "expected error " + std::to_string(record.error) + ", got " +
               (outcome.error == 0 ? "success"
                                   : std::to_string(outcome.error) + ": " + outcome.message);
      }
      if (!record.expected.empty() && record.expected[0] != outcome.message) {
        return "expected the message\n    " + record.expected[0] + "\n  got\n    " +
               outcome.message;
      }
      return "";
    case Record::Kind::kCount:
      if (outcome.error == 0 && outcome.affected_rows != record.count) {
        return "expected " + std::to_string(record.count) + " rows changed, got " +
               std::to_string(outcome.affected_rows);
      }
      [[fallthrough]];
    case Record::Kind::kOk:
      if (outcome.error != 0) {
        return "error " + std::to_string(outcome.error) + ": " + outcome.message;
      }
      return "";
    case Record::Kind::kConnection:
      return "";
  }
  return "";
}

}  // namespace

std::string EscapeCell(std::string_view value) {
  if (value.empty()) {
    return "(empty)";
  }
  std::string text;
  for (char c : value) {
    switch (c) {
      case '\\':
        text += "\\\\";
        break;
      case '\t':
        text += "\\t";
        break;
      case '\n':
        text += "\\n";
        break;
      case '\0':
        text += "\\0";
        break;
      default:
        text += c;
    }
  }
  return text;
}

bool ParseTestFile(std::string_view text, std::vector<Record>* records, std::string* problem) {
  std::vector<std::string> lines = SplitLines(text);
  size_t at = 0;
  while (at < lines.size()) {
    if (lines[at].empty() || lines[at][0] == '#') {
      ++at;
      continue;
    }
    Record record;
    record.line = static_cast<int>(at + 1);
    if (!ParseHeader(lines[at], &record)) {
      *problem = "line " + std::to_string(record.line) + ": what is [" + lines[at] + "]?";
      return false;
    }
    ++at;
    if (record.kind != Record::Kind::kConnection) {
      while (at < lines.size() && !lines[at].empty() && lines[at] != "----") {
        record.text += (record.text.empty() ? "" : "\n") + lines[at];
        ++at;
      }
      if (at < lines.size() && lines[at] == "----") {
        ++at;
        while (at < lines.size() && !lines[at].empty()) {
          record.expected.push_back(lines[at]);
          ++at;
        }
      }
    }
    if (record.kind == Record::Kind::kWarnings) {
      record.text = "SHOW WARNINGS";
    }
    records->push_back(std::move(record));
  }
  return true;
}

std::vector<Failure> RunRecords(const std::vector<Record>& records, const Connect& connect) {
  std::map<std::string, std::unique_ptr<TestConnection>> connections;
  std::string current = "default";
  std::vector<Failure> failures;
  for (const Record& record : records) {
    if (record.kind == Record::Kind::kConnection) {
      current = record.text;
      continue;
    }
    std::unique_ptr<TestConnection>& connection = connections[current];
    if (connection == nullptr) {
      connection = connect(current);
    }
    if (connection == nullptr) {
      failures.push_back({record.line, "no connection"});
      return failures;
    }
    std::string problem = Check(record, connection->Execute(record.text));
    if (!problem.empty()) {
      failures.push_back({record.line, record.text + "\n  " + problem});
    }
  }
  return failures;
}

}  // namespace borealis::sqltest
