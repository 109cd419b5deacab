// SQL logic tests: files of statements with the answers MySQL 8.0 gives.
//
// A file is a list of records, separated by empty lines; lines that start with # are comments.
//
//   statement ok                    must succeed
//   statement error 1054            must fail with that number; the wording may follow on a line of
//                                   its own after ----
//   statement count 3               must succeed and change that many rows
//   query [nosort|rowsort]          must give exactly the rows after ----, one per line, columns
//                                   separated by tabs; NULL is NULL, the empty string (empty);
//                                   backslash, tab and line feed in a value as \\, \t, \n, and
//                                   bytes that are no UTF-8 as \xE9
//   metadata                        as statement, of which what a client is told besides rows must
//                                   be what stands after ----: its columns, or what has changed
//                                   (metadata_text.h)
//   connection NAME [USER [PASSWORD]]   the following records run in that session; its first use
//                                   opens it, as root where no user is named
//   warnings                        after a statement: SHOW WARNINGS must list these rows
//   auto                            in a file about to be recorded: every line is a statement;
//                                   recording makes the records above of them
//
// The statement stands on the lines after the first and may span several; ---- ends it. The same
// files run embedded and over the wire, and sqltest --record fills in the answers of a real MySQL
// server. Files that LOAD DATA LOCAL names are relative to the test file. Files in charset/ are
// about what the protocol does, and run over the wire alone.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace borealis::sqltest {

struct Record {
  enum class Kind { kOk, kError, kCount, kQuery, kConnection, kWarnings, kMetadata, kAuto };
  Kind kind = Kind::kOk;
  int line = 0;      // of the header, from 1
  int end_line = 0;  // the first line after the record
  int error = 0;
  uint64_t count = 0;
  bool sort_rows = false;
  std::string text;           // statement, or connection name
  std::string user = "root";  // of a connection
  std::string password;
  std::vector<std::string> expected;
};

// False, with a message, when the file is malformed.
bool ParseTestFile(std::string_view text, std::vector<Record>* records, std::string* problem);

struct Outcome {
  bool has_rows = false;
  std::vector<std::vector<std::string>> rows;  // already escaped as in the files
  std::vector<std::string> metadata;           // already as in the files
  uint64_t affected_rows = 0;
  unsigned warnings = 0;
  int error = 0;
  std::string message;
};

// One session of the server under test.
class TestConnection {
 public:
  virtual ~TestConnection() = default;
  virtual Outcome Execute(std::string_view statement) = 0;
};
using Connect = std::function<std::unique_ptr<TestConnection>(const std::string& user,
                                                              const std::string& password)>;

struct Failure {
  int line = 0;
  std::string what;
};

// Runs the records and returns what was not as expected.
std::vector<Failure> RunRecords(const std::vector<Record>& records, const Connect& connect);

// The file's text with the answers that the connections give now.
std::string RecordAnswers(std::string_view text, const std::vector<Record>& records,
                          const Connect& connect);

// A value as the files write it.
std::string EscapeCell(std::string_view value);

}  // namespace borealis::sqltest
