#include "tests/sql/runner/sql_test_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "row/collation.h"

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
  if (words[0] == "connection" && words.size() >= 2 && words.size() <= 4) {
    record->kind = Record::Kind::kConnection;
    record->text = words[1];
    record->user = words.size() > 2 ? words[2] : "root";
    record->password = words.size() > 3 ? words[3] : "";
    return true;
  }
  if (words[0] == "auto") {
    record->kind = Record::Kind::kAuto;
    return true;
  }
  if (words[0] == "metadata") {
    record->kind = Record::Kind::kMetadata;
    return words.size() == 1;
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

std::string Compare(const std::vector<std::string>& expected, const std::vector<std::string>& got) {
  return got == expected ? "" : "expected\n" + Describe(expected) + "  got\n" + Describe(got);
}

std::string FailureText(const Outcome& outcome) {
  return "error " + std::to_string(outcome.error) + ": " + outcome.message;
}

std::string CheckRows(const Record& record, const Outcome& outcome) {
  if (outcome.error != 0) {
    return FailureText(outcome);
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
  return Compare(expected, got);
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
      return outcome.error != 0 ? FailureText(outcome) : "";
    case Record::Kind::kMetadata:
      return outcome.error != 0 ? FailureText(outcome) : Compare(record.expected, outcome.metadata);
    case Record::Kind::kAuto:
      return "not recorded yet";
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
  for (size_t pos = 0; pos < value.size();) {
    const char c = value[pos];
    size_t size;
    const bool bad = row::DecodeChar(value, pos, &size) == row::kBadChar;
    const std::string_view whole = value.substr(pos, size);
    pos += size;
    if (bad) {
      text += fmt::format("\\x{:02X}", static_cast<uint8_t>(c));
      continue;
    }
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
        text += whole;
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
    record.end_line = static_cast<int>(at + 1);
    records->push_back(std::move(record));
  }
  return true;
}

namespace {

// The sessions of one file, opened when first named.
class Sessions {
 public:
  explicit Sessions(const Connect& connect) : connect_(connect) {}
  // Null when it cannot be opened.
  TestConnection* current() {
    std::unique_ptr<TestConnection>& connection = connections_[name_];
    if (connection == nullptr) {
      connection = connect_(user_, password_);
    }
    return connection.get();
  }
  void Switch(const Record& record) {
    name_ = record.text;
    user_ = record.user;
    password_ = record.password;
  }

 private:
  const Connect& connect_;
  std::map<std::string, std::unique_ptr<TestConnection>> connections_;
  std::string name_ = "default";
  std::string user_ = "root";
  std::string password_;
};

std::string Rows(const Outcome& outcome, bool sorted) {
  std::vector<std::string> lines;
  for (const auto& row : outcome.rows) {
    lines.push_back(JoinRow(row));
  }
  if (sorted) {
    std::sort(lines.begin(), lines.end());
  }
  std::string text = "----\n";
  for (const std::string& line : lines) {
    text += line + "\n";
  }
  return text;
}

bool IsChange(std::string_view statement) {
  for (std::string_view verb : {"INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD"}) {
    if (statement.substr(0, verb.size()) == verb) {
      return true;
    }
  }
  return false;
}

// The record that the answer makes of a statement; ends with a line feed.
std::string Recorded(Record::Kind kind, bool sort_rows, const std::string& statement,
                     const Outcome& outcome) {
  if (outcome.error != 0) {
    return "statement error " + std::to_string(outcome.error) + "\n" + statement + "\n----\n" +
           outcome.message + "\n";
  }
  if (kind == Record::Kind::kWarnings) {
    return "warnings\n" + Rows(outcome, false);
  }
  if (kind == Record::Kind::kMetadata) {
    return "metadata\n" + statement + "\n----\n" +
           fmt::format("{}\n", fmt::join(outcome.metadata, "\n"));
  }
  if (outcome.has_rows) {
    return (sort_rows ? "query rowsort\n" : "query\n") + statement + "\n" +
           Rows(outcome, sort_rows);
  }
  if (kind == Record::Kind::kCount || (kind == Record::Kind::kAuto && IsChange(statement))) {
    return "statement count " + std::to_string(outcome.affected_rows) + "\n" + statement + "\n";
  }
  return "statement ok\n" + statement + "\n";
}

std::string RecordedLines(const Record& record, TestConnection* connection) {
  std::string text;
  for (const std::string& statement : SplitLines(record.text)) {
    text += text.empty() ? "" : "\n";
    if (statement.starts_with("#")) {
      text += statement + "\n";
      continue;
    }
    Outcome outcome = connection->Execute(statement);
    text += Recorded(record.kind, false, statement, outcome);
    // Asking ends what ROW_COUNT() and FOUND_ROWS() tell.
    if (outcome.error == 0 && outcome.warnings == 0) {
      continue;
    }
    Outcome warnings = connection->Execute("SHOW WARNINGS");
    // An error stands there too; only what came with it is news.
    if (warnings.rows.size() > (outcome.error != 0 ? 1U : 0U)) {
      text += "\n" + Recorded(Record::Kind::kWarnings, false, "", warnings);
    }
  }
  return text;
}

}  // namespace

std::vector<Failure> RunRecords(const std::vector<Record>& records, const Connect& connect) {
  Sessions sessions(connect);
  std::vector<Failure> failures;
  for (const Record& record : records) {
    if (record.kind == Record::Kind::kConnection) {
      sessions.Switch(record);
      continue;
    }
    TestConnection* connection = sessions.current();
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

std::string RecordAnswers(std::string_view text, const std::vector<Record>& records,
                          const Connect& connect) {
  Sessions sessions(connect);
  std::vector<std::string> lines = SplitLines(text);
  std::string out;
  size_t line = 1;
  auto copy_until = [&](int end) {
    for (; line < static_cast<size_t>(end); ++line) {
      out += lines[line - 1] + "\n";
    }
  };
  for (const Record& record : records) {
    copy_until(record.line);
    if (record.kind == Record::Kind::kConnection) {
      sessions.Switch(record);
      copy_until(record.end_line);
      continue;
    }
    TestConnection* connection = sessions.current();
    if (connection == nullptr) {
      break;
    }
    if (record.kind == Record::Kind::kAuto) {
      out += RecordedLines(record, connection);
    } else {
      out += Recorded(record.kind, record.sort_rows, record.text, connection->Execute(record.text));
    }
    line = static_cast<size_t>(record.end_line);
  }
  copy_until(static_cast<int>(lines.size() + 1));
  return out;
}

}  // namespace borealis::sqltest
